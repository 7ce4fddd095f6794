"""Divisions, means and roundings: a division of whole numbers has a fraction, and none is cut to few digits."""

from sqlglot import exp

from ingot.semantic.dialects.templates import written
from ingot.semantic.dialects.unknown import Untranslatable

_INTEGERS = exp.DataType.INTEGER_TYPES


def division(node: exp.Div, _dialect: str) -> exp.Expr:
    """A division in floating point, whatever it divides."""
    if not _is_double(node.this):
        node.set("this", _double(node.this))
    node.set("typed", True)
    return node


def whole_division(node: exp.IntDiv, dialect: str) -> exp.Expr:
    """A division without its fraction."""
    if dialect == "snowflake":  # it would round to six digits first
        raise Untranslatable(node, "//")
    return node


def mean(node: exp.Avg | exp.Median, dialect: str) -> exp.Expr:
    """A mean, where the engine would cut the digits of whole or decimal numbers."""
    if dialect == "postgres":
        return node
    operand = node.this
    if isinstance(operand, exp.Distinct):
        operand.set("expressions", [_double(one) for one in operand.expressions])
    elif not _is_double(operand):
        node.set("this", _double(operand))
    return node


def rounded(node: exp.Round, dialect: str) -> exp.Expr:
    """A rounding of halves away from zero."""
    if dialect == "postgres":
        node.set("this", exp.Cast(this=node.this, to=exp.DataType.build("decimal")))
    return node


def cast(node: exp.Cast, dialect: str) -> exp.Expr:
    """A cast to whole numbers rounds, and one to decimals keeps what DuckDB keeps."""
    if dialect == "databricks" and node.to.this in _INTEGERS:
        kind = node.to.sql(dialect)
        return written(dialect, f"CAST(ROUND(CAST(x__ AS DECIMAL(38, 18))) AS {kind})", x=node.this)
    if node.to.this == exp.DataType.Type.DECIMAL and not node.to.expressions:
        node.set("to", exp.DataType.build("decimal(18, 3)"))
    return node


def _double(tree: exp.Expr) -> exp.Expr:
    return exp.Cast(this=tree, to=exp.DataType.build("double"))


def _is_double(tree: exp.Expr) -> bool:
    return isinstance(tree, exp.Cast) and bool(tree.to.this == exp.DataType.Type.DOUBLE)
