"""PostgreSQL's operators and functions -> trees that mean the same in the engine."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlglot import exp

from ingot.semantic.sql.integers import length

if TYPE_CHECKING:
    from ingot.semantic.sql.around import Around

_COMPARED: tuple[type[exp.Expr], ...] = (
    exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.In, exp.Between, exp.Like, exp.ILike, exp.Case, exp.If,
    exp.Coalesce, exp.NullSafeEQ, exp.NullSafeNEQ,
)  # fmt: skip


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
    for kinds, write in _WRITERS:
        if isinstance(tree, kinds):
            return write(tree)
    return tree


def _divided(node: exp.Expr) -> exp.Expr:
    if length(node.this) and length(node.expression):
        return exp.Paren(this=exp.IntDiv(this=node.this, expression=node.expression))
    return exp.Div(this=node.this, expression=node.expression, typed=False, safe=False)


def _matched(node: exp.Expr) -> exp.Expr:
    """A pattern's backslash takes the next character as it is, unless the statement says another one does."""
    if isinstance(node.parent, exp.Escape):
        return node
    return exp.Escape(this=node, expression=exp.Literal.string("\\"))


def _cut(node: exp.Expr) -> exp.Expr:
    """Places before the first are counted, too, and have no character."""
    start, size = node.args.get("start"), node.args.get("length")
    if start is None or (isinstance(start, exp.Literal) and start.name.isdigit() and int(start.name) > 0):
        return node
    first = exp.Greatest(this=start.copy(), expressions=[exp.Literal.number(1)])
    node.set("start", first)
    if size is not None:
        end = exp.Add(this=exp.Paren(this=start.copy()), expression=exp.Paren(this=size.copy()))
        left = exp.Sub(this=exp.Paren(this=end), expression=first.copy())
        node.set("length", exp.Greatest(this=left, expressions=[exp.Literal.number(0)]))
    return node


def _extracted(node: exp.Expr) -> exp.Expr:
    """Seconds have a fraction."""
    if node.name.upper() != "SECOND":
        return node
    node.set("this", exp.var("MICROSECONDS"))
    return exp.Paren(this=exp.Div(this=node, expression=exp.Literal.number("1000000.0"), typed=False))


_WRITERS: tuple[tuple[tuple[type[exp.Expr], ...], Callable[[exp.Expr], exp.Expr]], ...] = (
    ((exp.Div,), _divided),
    ((exp.Like, exp.ILike), _matched),
    ((exp.Substring,), _cut),
    ((exp.Extract,), _extracted),
)
