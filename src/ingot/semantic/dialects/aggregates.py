"""Aggregates: FILTER, any value of a group, approximate counts."""

from sqlglot import exp

from ingot.semantic.dialects.templates import bare, written
from ingot.semantic.dialects.unknown import Untranslatable

_WITHOUT_FILTER = frozenset({"snowflake", "bigquery"})
# They pass over nulls, so that a null stands for a row that is left out.
_IGNORE_NULLS = (
    exp.Sum, exp.Avg, exp.Min, exp.Max, exp.Count, exp.ApproxDistinct, exp.Stddev, exp.StddevSamp,
    exp.StddevPop, exp.Variance, exp.VariancePop, exp.LogicalOr, exp.LogicalAnd, exp.Median,
)  # fmt: skip


def filtered(node: exp.Filter, dialect: str) -> exp.Expr:
    """An aggregate of the rows that pass a condition."""
    call, test = node.this, node.expression.this
    if isinstance(call, exp.Null):
        return call
    if dialect == "postgres" and (array := _any_value(call)) is not None:
        both = exp.and_(array.expression.this, test)
        return written(dialect, "(x__)[1]", x=exp.Filter(this=array.this, expression=exp.Where(this=both)))
    if dialect not in _WITHOUT_FILTER:
        return node
    if not isinstance(call, _IGNORE_NULLS):
        raise Untranslatable(node, f"FILTER on {call.sql_name() if isinstance(call, exp.Func) else 'a call'}")
    operand = call.this
    if isinstance(operand, exp.Distinct):
        if len(operand.expressions) != 1:
            raise Untranslatable(node, "FILTER on a count of several columns")
        operand.set("expressions", [_picked(operand.expressions[0], test)])
    else:
        if call.expressions:
            raise Untranslatable(node, "FILTER on a count of several columns")
        value = exp.Literal.number(1) if isinstance(operand, exp.Star) else operand
        call.set("this", _picked(value, test))
    return call


def any_value(node: exp.AnyValue | exp.IgnoreNulls, dialect: str) -> exp.Expr:
    """The value that a group has: a null only where all are."""
    call = node.this if isinstance(node, exp.IgnoreNulls) else node
    if not isinstance(call, exp.AnyValue) or isinstance(node.parent, exp.IgnoreNulls):
        return node
    if dialect == "trino":
        return call
    if dialect == "postgres":  # before 16 it has no ANY_VALUE, and no MAX of truth values
        return written(dialect, "(ARRAY_AGG(x__) FILTER(WHERE NOT x__ IS NULL))[1]", x=call.this)
    return exp.Max(this=call.this)


def count_if(node: exp.CountIf, _dialect: str) -> exp.Expr:
    """How many rows pass a condition."""
    return exp.Count(this=_picked(exp.Literal.number(1), node.this))


def approximate(node: exp.ApproxDistinct, dialect: str) -> exp.Expr:
    """About how many values there are: exactly, where the engine has nothing faster."""
    if dialect != "postgres":
        return node
    return exp.Count(this=exp.Distinct(expressions=[node.this]))


def _picked(value: exp.Expr, test: exp.Expr) -> exp.Expr:
    return exp.Case(ifs=[exp.If(this=test, true=value)])


def _any_value(tree: exp.Expr) -> exp.Filter | None:
    found = bare(tree.this) if isinstance(tree, exp.Bracket) else None
    return found if isinstance(found, exp.Filter) and isinstance(found.this, exp.ArrayAgg) else None
