"""The embedded catalog: refs, immutable commits and merges in a SQL database.

It implements `lake.ports.Catalog` for SQLite (several processes at once) and PostgreSQL. It knows what
keys hold only as `Content` records; tables, metadata files and data are not its business.
"""

from ingot.lake.catalog.sql import SqlCatalog

__all__ = ["SqlCatalog"]
