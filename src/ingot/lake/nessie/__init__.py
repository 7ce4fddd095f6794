"""The lake served as a Nessie catalog: API v2, and the calls of v1 that the `nessie` command makes.

Refs, commits, merges and contents over HTTP for Nessie's own clients. What a commit or a merge means is the
catalog's business (`ingot.lake.ports`); here requests become calls and results become Nessie's JSON.
"""

from ingot.lake.nessie.server import routes

__all__ = ["routes"]
