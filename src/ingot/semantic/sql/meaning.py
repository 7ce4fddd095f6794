"""PostgreSQL's operators and functions -> trees that mean the same in the engine."""

from typing import TYPE_CHECKING

from sqlglot import exp

if TYPE_CHECKING:
    from ingot.semantic.sql.around import Around

_COMPARED: tuple[type[exp.Expr], ...] = (
    exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.In, exp.Between, exp.Like, exp.ILike, exp.Case, exp.If,
    exp.Coalesce, exp.NullSafeEQ, exp.NullSafeNEQ,
)  # fmt: skip
WHOLE = "whole"
"""In the `meta` of a column: its values are integers."""
_INTEGERS = frozenset({"SMALLINT", "INT", "BIGINT"})


def meant(tree: exp.Expr, around: "Around") -> exp.Expr:
    """`tree`, which is changed, as the engine must read it; texts that are compared become parameters."""

    if isinstance(tree, exp.Query):
        return tree
    for key, value in list(tree.args.items()):
        if isinstance(value, exp.Expr):
            tree.set(key, meant(value, around))
        elif isinstance(value, list):
            tree.set(key, [meant(each, around) if isinstance(each, exp.Expr) else each for each in value])
    if isinstance(tree, exp.Literal) and tree.is_string and isinstance(tree.parent, _COMPARED):
        return around.value(tree.name)
    return _divided(tree) if isinstance(tree, exp.Div) else tree


def _divided(node: exp.Div) -> exp.Expr:
    if is_whole(node.this) and is_whole(node.expression):
        return exp.IntDiv(this=node.this, expression=node.expression)
    return exp.Div(this=node.this, expression=node.expression, typed=False, safe=False)


def is_whole(node: exp.Expr) -> bool:
    """Whether a value is an integer, as far as its text tells."""
    node = node.unnest()
    if isinstance(node, exp.Literal):
        return not node.is_string and node.name.isdigit()
    if isinstance(node, exp.Neg | exp.Abs):
        return is_whole(node.this)
    if isinstance(node, exp.Cast):
        return str(getattr(node.to.this, "value", "")) in _INTEGERS
    if isinstance(node, exp.Add | exp.Sub | exp.Mul | exp.Mod | exp.Div | exp.IntDiv):
        return is_whole(node.this) and is_whole(node.expression)
    if isinstance(node, exp.Count | exp.Length | exp.RowNumber | exp.Rank | exp.DenseRank | exp.StrPosition):
        return True
    return bool(node.meta.get(WHOLE))
