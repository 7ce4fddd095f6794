"""The tables of the state database. Plain types only, so that SQLite and PostgreSQL hold the same."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table, Text

FORMAT = "1"
"""Version of this layout, kept in `lake_info`; a newer one is refused rather than misread."""

metadata = MetaData()

info = Table("lake_info", metadata, Column("name", String(40), primary_key=True), Column("value", Text))

refs = Table(
    "lake_refs",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("kind", String(10), nullable=False),
    Column("hash", String(64), nullable=False),
)

protected = Table("lake_protected", metadata, Column("name", String(200), primary_key=True))

moves = Table(
    "lake_ref_moves",
    metadata,
    # SQLite gives growing ids only to a column that is exactly INTEGER.
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("name", String(200), nullable=False),
    Column("hash", String(64)),  # NULL: the ref was deleted
    Column("moved_at", BigInteger, nullable=False),
    Index("lake_ref_moves_by_name", "name", "moved_at"),
)

commits = Table(
    "lake_commits",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("parent", String(64), nullable=False),
    Column("merged", String(64)),
    Column("generation", BigInteger, nullable=False),
    Column("distance", Integer, nullable=False),
    Column("committed_at", BigInteger, nullable=False),
    Column("author", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("properties", Text, nullable=False),
    Column("operations", Text, nullable=False),
)

snapshots = Table(
    "lake_snapshots",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("entries", LargeBinary, nullable=False),
)
