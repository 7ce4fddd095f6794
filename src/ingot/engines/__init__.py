"""Who executes SQL.

The port is `Engine`: SQL in, typed rows out, at one immutable state of the lake. `duckdb` is the embedded
adapter; a distributed one (Trino, Spark, ...) is another folder with the same verbs. The room quotes names
and literals (`engines.sql`), opens every DuckDB connection (`engines.duckdb.connect`) and puts the tables of
a state before it (`mount`). It does not know what the SQL means: that is the semantic room's business.
"""

from ingot.engines.errors import (
    OutOfMemoryError,
    QueryError,
    QueryInterruptedError,
    QueryRefusedError,
    QueryTimeoutError,
    SourceBusyError,
    SourceDownError,
)
from ingot.engines.interrupt import Interrupt
from ingot.engines.ports import Capabilities, Column, Engine, Exporter, Format, HeldTable, Result

__all__ = [
    "Capabilities",
    "Column",
    "Engine",
    "Exporter",
    "Format",
    "HeldTable",
    "Interrupt",
    "OutOfMemoryError",
    "QueryError",
    "QueryInterruptedError",
    "QueryRefusedError",
    "QueryTimeoutError",
    "Result",
    "SourceBusyError",
    "SourceDownError",
]
