"""Marks that stand in compiled expressions for what only a query can decide.

A mark is an ordinary column of a table that no SQL can name, so that sqlglot copies and walks it as usual.
"""

from collections.abc import Callable

from sqlglot import exp

_MEASURE = "\x00measure"
_LOCAL = "\x00LOCAL"


def measure(full_name: str) -> exp.Column:
    """Stands for the value of a measure."""
    return exp.column(full_name, table=_MEASURE, quoted=True)


def measure_name(node: exp.Expr) -> str | None:
    """The full name of the measure that a node stands for, if it is such a mark."""
    return node.name if isinstance(node, exp.Column) and node.table == _MEASURE else None


def local(time: exp.Expr) -> exp.Expr:
    """Stands for `time` in the time zone of the query."""
    return exp.Anonymous(this=_LOCAL, expressions=[time])


def fill_local(tree: exp.Expr, convert: Callable[[exp.Expr], exp.Expr]) -> exp.Expr:
    """`tree` with every local time converted."""

    def one(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Anonymous) and node.this == _LOCAL:
            return convert(node.expressions[0])
        return node

    return tree.transform(one, copy=False)


def fill_measures(tree: exp.Expr, value: Callable[[str], exp.Expr]) -> exp.Expr:
    """`tree` with every measure replaced by `value(full_name)`."""

    def one(node: exp.Expr) -> exp.Expr:
        name = measure_name(node)
        return node if name is None else wrapped(value(name))

    return tree.transform(one, copy=False)


def wrapped(tree: exp.Expr) -> exp.Expr:
    """`tree`, in parentheses unless it binds tighter than any operator."""
    atoms: tuple[type[exp.Expr], ...] = (
        exp.Column, exp.AggFunc, exp.Case, exp.Coalesce, exp.Literal, exp.Paren, exp.Null, exp.Boolean,
        exp.Parameter, exp.Filter, exp.Subquery, exp.Anonymous,
    )  # fmt: skip
    if isinstance(tree, atoms) or type(tree) is exp.Cast:
        return tree
    return exp.Paren(this=tree)
