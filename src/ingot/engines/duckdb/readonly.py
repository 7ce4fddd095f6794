"""Decides whether a SQL text is one statement that only reads the tables of the lake.

The first of two walls: this one gives the clear message, and the connection's own settings (no external
access, configuration locked) hold for whatever a parser might miss. DuckDB's parser is used, so that the
text which is judged is the text which is executed.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import duckdb
import orjson

from ingot.engines.errors import QueryError, QueryRefusedError

TABLE_FUNCTIONS = frozenset(
    {
        "range", "generate_series", "unnest", "repeat", "repeat_row", "json_each", "json_tree", "histogram",
        "summary", "duckdb_tables", "duckdb_columns", "duckdb_views", "duckdb_schemas", "duckdb_types",
        "duckdb_functions", "duckdb_keywords", "pragma_table_info", "pragma_show", "icu_calendar_names",
        "pg_timezone_names",
    }
)  # fmt: skip
"""The table functions that read no file and change nothing; every other one is refused."""

FUNCTIONS_REFUSED = frozenset(
    {"write_log", "nextval", "currval", "setseed", "getvariable", "current_setting"}
)
"""Scalar functions that change or tell something about the process itself."""


_BOUND = re.compile(r" LIMIT [0-9]{1,18}( OFFSET [0-9]{1,18})?\Z")
_FILE = frozenset("./*?[:")
"""Characters of paths and globs, which DuckDB would open as files where no table has that name."""


def check(sql: str) -> None:
    """Returns for a single read-only statement; otherwise raises `QueryRefusedError` or `QueryError`."""
    # Statements that differ in their last bound only are judged once: it takes 0.45 ms, and no bound reads a table.
    _check(_BOUND.sub("", sql))


@lru_cache(maxsize=4096)
def _check(sql: str) -> None:
    try:
        statements = duckdb.extract_statements(sql)
    except duckdb.NotImplementedException as error:
        raise QueryRefusedError(f"This statement cannot be used here: {error}.") from error
    except duckdb.Error as error:
        raise QueryError(str(error).strip()) from error
    if not statements:
        raise QueryError("There is no SQL statement in this text.")
    kinds = [statement.type for statement in statements]
    if _word(statements[0].query) in {"pivot", "unpivot"} or (
        not statements[0].query and len(statements) > 1
    ):
        # PIVOT without an IN list needs a type of its own; the subquery form of it does not.
        raise QueryRefusedError(
            "A PIVOT that finds its columns by itself cannot be used here.",
            hint="List the values: PIVOT t ON column IN ('a', 'b') USING sum(x).",
        )
    if len(statements) > 1:
        raise QueryRefusedError(f"One statement at a time, please: here are {len(statements)}.")
    if kinds[0] == duckdb.StatementType.EXPLAIN:
        inner = sql.strip()[len("explain") :].strip()
        _check(inner[len("analyze") :] if _word(inner) == "analyze" else inner)
        return
    if kinds[0] != duckdb.StatementType.SELECT or _word(sql) in {"pragma", "call"}:
        raise QueryRefusedError(
            f"Only SELECT can be used here, not {_word(sql).upper() or kinds[0].name}: the tables of the lake "
            "change through runs and commits alone.",
            hint="Write the change as a model in transform/ and execute `ingot run`.",
        )
    for kind, name in _sources(sql):
        if kind == "BASE_TABLE" and not _FILE.isdisjoint(name):
            raise QueryRefusedError(
                f"'{name}' is a file, not a table of the lake.",
                hint="A file becomes a table through a source: see sources/*.yml.",
            )
        if (kind == "TABLE_FUNCTION" and name not in TABLE_FUNCTIONS) or name in FUNCTIONS_REFUSED:
            raise QueryRefusedError(
                f"The function {name}() cannot be used here: a query reads only the tables of the lake.",
                hint="A file becomes a table through a source: see sources/*.yml.",
            )


def _word(sql: str) -> str:
    """The first keyword, past comments and brackets."""
    tokens = duckdb.tokenize(sql)
    for index, (start, _) in enumerate(tokens):
        end = tokens[index + 1][0] if index + 1 < len(tokens) else len(sql)
        text = sql[start:end].split()
        if text and text[0][0].isalpha():
            return text[0].casefold()
    return ""


def _sources(sql: str) -> Iterator[tuple[str, str]]:
    """Every table and function named in `sql`, as (kind, lower-case name)."""
    con = _parser()
    with con.cursor() as cursor:
        row = cursor.execute("SELECT json_serialize_sql(?::VARCHAR)", [sql]).fetchone()
    tree = _decoded(row[0]) if row else {}
    if tree.get("error"):
        # DESCRIBE, SHOW and SUMMARIZE have no JSON form; none of them but on a SELECT can call a function.
        if _word(sql) in {"describe", "desc", "show", "summarize"} and "(" not in sql:
            return
        raise QueryRefusedError(
            f"This statement cannot be checked: {tree.get('error_message', 'unknown form')}."
        )
    yield from _walk(tree)


def _decoded(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:  # nested deeper than a thousand, or with a number that JSON does not have
        raise QueryRefusedError(
            "This statement cannot be checked: it is nested too deep, or a number in it is infinite."
        ) from None


def _walk(node: Any) -> Iterator[tuple[str, str]]:
    waiting = [node]
    while waiting:
        at = waiting.pop()
        if isinstance(at, list):
            waiting += at
        elif isinstance(at, dict):
            if at.get("type") == "TABLE_FUNCTION":
                yield "TABLE_FUNCTION", str(at["function"]["function_name"]).casefold()
            elif at.get("type") == "BASE_TABLE":
                yield "BASE_TABLE", str(at.get("table_name", "")).casefold()
            elif at.get("class") == "FUNCTION":
                yield "FUNCTION", str(at.get("function_name", "")).casefold()
            waiting += at.values()


@lru_cache(maxsize=1)
def _parser() -> duckdb.DuckDBPyConnection:
    from ingot.engines.duckdb.connect import connect  # noqa: PLC0415 - made when first needed

    return connect(threads=1, readable=())
