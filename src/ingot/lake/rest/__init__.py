"""The lake served as an Iceberg REST catalog, with the ref in the prefix.

Every engine that speaks the protocol reads and writes any branch, and reads any tag, commit or moment.
The rules that protect the tables (requirements, sequence numbers, replays) are in `lake.metadata`; which
keys move together is the catalog's business; here requests become calls and results become answers.
"""

from ingot.lake.rest.server import routes

__all__ = ["routes"]
