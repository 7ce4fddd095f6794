"""What PostgreSQL calls the columns of a SELECT that gives them no names."""

from sqlglot import exp

from ingot.semantic.sql.aggregates import is_measure_call
from ingot.semantic.sql.allowed import FUNCTIONS


def output_name(node: exp.Expr) -> str:  # noqa: PLR0911 - one for each form
    """The name of an output column: its alias, its column, its function, or `?column?`."""
    if isinstance(node, exp.Alias):
        return node.alias
    node = node.unnest()
    if isinstance(node, exp.Column):
        return node.name
    if is_measure_call(node):
        inner = node.expressions[0].unnest()
        return inner.name if isinstance(inner, exp.Column) else "measure"
    if isinstance(node, exp.Window | exp.Filter):
        return output_name(node.this)
    if isinstance(node, exp.Case):
        return "case"
    if isinstance(node, exp.Boolean):
        return "bool"
    if isinstance(node, exp.Cast):
        inner_name = output_name(node.this)
        return inner_name if inner_name != "?column?" else node.to.sql("postgres").split("(")[0].lower()
    return FUNCTIONS.get(type(node), "?column?")
