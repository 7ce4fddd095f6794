"""The types of what was written: kept in the trees, for who reads their columns."""

from sqlglot import exp

from ingot.semantic.sql.postgres import kinds

TYPE = "pg_type"
"""In the `meta` of a column, or of an output of a written SELECT: its type."""

ENGINE = "engine_type"
"""In the `meta` of a column that is one of a table, and nothing else: the engine's type of it."""


def kept(node: exp.Column) -> str:
    """The type that a column's `meta` tells."""
    return str(node.meta.get(TYPE, kinds.ANY))


def output_types(node: exp.Expr) -> list[str]:
    """The types of a written query's columns."""
    while isinstance(node, exp.Subquery | exp.SetOperation) and TYPE not in node.meta:
        node = node.this
    if TYPE in node.meta:
        return list(node.meta[TYPE])
    if isinstance(node, exp.Select):
        return [_read(str(one.meta.get(TYPE, kinds.ANY))) for one in node.expressions]
    return []


def _read(kind: str) -> str:
    """What has no type is text to who reads it."""
    return "text" if kind == kinds.UNKNOWN else kind
