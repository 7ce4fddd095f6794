"""What can go wrong while SQL is executed, in words for the person who wrote it."""

from typing import ClassVar

from ingot.errors import IngotError, UsageError


class QueryError(IngotError):
    """The SQL does not parse, does not bind, or fails on the data.

    Attributes:
        sqlstate: PostgreSQL's code, where the statement itself says which one it is; else None.
    """

    code = "query"
    sqlstate: str | None = None


class QueryRefusedError(UsageError):
    """The statement does more than read the tables of the lake."""

    code = "refused"
    status: ClassVar[int] = 403


class QueryInterruptedError(IngotError):
    """Somebody cancelled the query."""

    code = "interrupted"
    status: ClassVar[int] = 499


class QueryTimeoutError(IngotError):
    """The query took longer than it was given."""

    code = "timeout"
    status: ClassVar[int] = 504


class OutOfMemoryError(IngotError):
    """The query needs more memory (or disk to spill to) than it may use."""

    code = "out_of_memory"
    status: ClassVar[int] = 507


class ExtensionError(IngotError):
    """A DuckDB extension cannot be loaded."""

    code = "extension"


class SourceDownError(IngotError):
    """A database that a statement reads cannot be reached, or went away while it was read."""

    code = "source_down"
    status: ClassVar[int] = 503


class SourceBusyError(IngotError):
    """As many statements read databases as can at once."""

    code = "source_busy"
    status: ClassVar[int] = 503
