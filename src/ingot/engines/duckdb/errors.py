"""DuckDB's exceptions as errors of ours: what is missing, what is nearest to it, at which commit."""

import re
from collections.abc import Iterable

import duckdb

from ingot.engines.errors import (
    OutOfMemoryError,
    QueryError,
    QueryInterruptedError,
    QueryRefusedError,
)
from ingot.errors import IngotError, NotFoundError, nearest

_TABLE = re.compile(r'Table with name "?(?P<name>.+?)"? does not exist')
_COLUMN = re.compile(r'(?:Referenced column|does not have a column named) "(?P<name>[^"]+)"')
_RAISED = re.compile(r"^Invalid Input Error: \[(?P<state>[0-9A-Z]{5})\] (?P<message>.+)")
"""What a statement raises itself, with `error('[22012] division by zero')`."""
_CANDIDATES = re.compile(r"^Candidate bindings: (?P<list>.+)$", re.MULTILINE)


def translate(error: duckdb.Error, *, tables: Iterable[str] = (), at: str = "") -> IngotError:  # noqa: PLR0911 - one for each kind
    """The error that a person should read, whose hint says which state was asked (`at`).

    Raises nothing; anything unknown becomes a `QueryError` with DuckDB's own words.
    """
    text = str(error)
    asked = f"Asked at {at}." if at else None
    match error:
        case duckdb.InterruptException():
            return QueryInterruptedError("The query was cancelled.")
        case duckdb.OutOfMemoryException():
            return OutOfMemoryError(
                f"The query needs more memory than it may use: {_sentence(text)}",
                hint="Narrow the query, or raise the engine's memory limit in ingot.yml.",
            )
        case duckdb.PermissionException():
            return QueryRefusedError(f"The query may read only the tables of the lake: {_sentence(text)}")
        case duckdb.CatalogException() if found := _TABLE.search(text):
            return _missing_table(_as_written(found["name"], text), tuple(tables), asked)
        case duckdb.BinderException() if found := _COLUMN.search(text):
            listed = _CANDIDATES.search(text)
            known = re.findall(r'"([^"]+)"', listed["list"]) if listed else []
            return NotFoundError("column", found["name"], known, hint=asked)
        case duckdb.InvalidInputException() if found := _RAISED.search(text):
            raised = QueryError(found["message"].strip())
            raised.sqlstate = found["state"]
            return raised
        case _:
            return QueryError(text.strip())


def _missing_table(name: str, tables: tuple[str, ...], asked: str | None) -> IngotError:
    if "." in name:
        return NotFoundError("table", name, tables, hint=asked)
    by_bare_name = {table.rpartition(".")[2]: table for table in tables}
    near = nearest(name, by_bare_name)
    meant = f"Tables are written with their schema: {by_bare_name[near]}." if near else None
    return NotFoundError("table", name, by_bare_name, hint=" ".join(filter(None, (meant, asked))) or None)


def _as_written(name: str, text: str) -> str:
    """DuckDB leaves out the schema where it exists; the excerpt of the SQL in its message has it."""
    excerpt = text.partition("\nLINE ")[2]
    found = re.search(rf'((?:\w+|"[^"]+")\.)"?{re.escape(name)}\b', excerpt)
    return (found[1] if found else "").replace('"', "") + name


def _sentence(text: str) -> str:
    return text.splitlines()[0].partition(": ")[2] or text
