"""Numbers of a PostgreSQL that are exact there and double precision here: `numeric` of no precision, or of a large one.

DuckDB reads them so, and has no exact way that still sends conditions to the server. What is lost is said: in the
catalog's comments, in EXPLAIN, and once a session to whoever reads such a column.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from sqlglot import exp

from ingot.engines.sql import quote_literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

COMMENT = "numeric of no precision, read as double precision: digits beyond the 15th are lost, NaN is 0"
HINT = "Give the column a precision of at most 38 digits, or cast it in a view of the database."
AS_READ = frozenset({"DOUBLE", "DOUBLE[]"})
"""The engine's types of such columns, and of others."""

_THERE = (
    "SELECT n.nspname::text AS s, c.relname::text AS t, a.attname::text AS a FROM pg_attribute a "
    "JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'v', 'm', 'p', 'f') "
    "AND a.atttypid IN ('numeric'::regtype, 'numeric[]'::regtype) "
    "AND (a.atttypmod < 0 OR ((a.atttypmod - 4) >> 16) & 65535 > 38)"
)


def rounded(
    cursor: "DuckDBPyConnection", source: str, table: tuple[str, str] | None = None
) -> Sequence[tuple[str, str, str]]:
    """Schema, table and column of each such column of a PostgreSQL; of one table only, where it is named."""
    asked = _THERE
    if table is not None:
        # The engine finds a table whatever the case.
        asked += "".join(
            f" AND lower({column}) = lower({quote_literal(name)})"
            for column, name in zip(("n.nspname", "c.relname"), table, strict=True)
        )
    rows = cursor.execute(f"SELECT s, t, a FROM postgres_query($1, {quote_literal(asked)})", [source])
    return [(str(schema), str(name), str(column)) for schema, name, column in rows.fetchall()]


def named(columns: Iterable[str], tree: exp.Expr) -> list[str]:
    """Those of the columns that a statement reads, as far as its words tell."""
    if any(not isinstance(one.parent, exp.Count) for one in tree.find_all(exp.Star)):
        return list(columns)
    said = {one.name.casefold() for one in tree.find_all(exp.Identifier)}
    return [one for one in columns if one.casefold() in said]


def warning(column: str) -> Mapping[str, str]:
    """The notice for one of them."""
    return {"S": "WARNING", "V": "WARNING", "C": "01000", "M": f"{column} is a {COMMENT}", "H": HINT}
