"""A SELECT of another engine for DuckDB."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import sqlglot
from sqlglot import exp

from ingot.lake import types
from ingot.lake.dialects.kinds import Kinds, kind_of
from ingot.lake.dialects.naming import name_columns
from ingot.lake.dialects.untranslatable import Untranslatable
from ingot.lake.dialects.written import column

_DUCKDB: Literal["duckdb"] = "duckdb"
_WHOLE_DIVISION = ("trino", "presto", "athena")


def inward(tree: exp.Query, fields: Sequence[Mapping[str, Any]], kinds: Kinds, dialect: str) -> str:
    """The text for DuckDB of a query in `dialect`, with the names and Iceberg types of `fields`.

    A function that DuckDB does not have is left for DuckDB to refuse by name. Raises `Untranslatable`.
    """
    tree = tree.copy()
    name_columns(tree, [field["name"] for field in fields])
    if dialect in _WHOLE_DIVISION:
        for node in list(tree.find_all(exp.Div)):
            _divide(node, kinds)
    try:
        inner = tree.sql(dialect=_DUCKDB, unsupported_level=sqlglot.ErrorLevel.RAISE)
    except (sqlglot.errors.SqlglotError, ValueError, RecursionError) as error:
        raise Untranslatable(str(error).partition("\n")[0]) from error
    return f"SELECT {', '.join(map(_column, fields))} FROM ({inner}) AS v"


def _divide(node: exp.Div, kinds: Kinds) -> None:
    """A division of whole numbers is whole there, and is not for DuckDB."""
    both = {kind_of(node.left, kinds), kind_of(node.right, kinds)}
    if both == {"whole"}:
        whole = exp.IntDiv(this=exp.paren(node.left.copy()), expression=exp.paren(node.right.copy()))
        node.replace(exp.paren(whole))
    elif "number" not in both:
        raise Untranslatable(f"it is not known whether {node.sql()} divides whole numbers")


def _column(field: Mapping[str, Any]) -> str:
    name, type_ = column(field["name"], _DUCKDB), types.to_duckdb(field["type"])
    return name if type_ is None else f"CAST({name} AS {type_}) AS {name}"
