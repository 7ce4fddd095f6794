"""Marks for dimensions in the expressions of multi-stage measures: which column they are, only a query knows."""

from collections.abc import Callable

from sqlglot import exp

from ingot.semantic.marks import wrapped

_DIMENSION = "\x00dimension"


def dimension(name: str) -> exp.Column:
    """Stands for the value of the dimension `name` (with a granularity, perhaps) in a group."""
    return exp.column(name, table=_DIMENSION, quoted=True)


def dimension_name(node: exp.Expr) -> str | None:
    """The name of the dimension that a node stands for, if it is such a mark."""
    return node.name if isinstance(node, exp.Column) and node.table == _DIMENSION else None


def fill_dimensions(tree: exp.Expr, value: Callable[[str], exp.Expr]) -> exp.Expr:
    """`tree` with every dimension replaced by `value(name)`."""

    def one(node: exp.Expr) -> exp.Expr:
        name = dimension_name(node)
        return node if name is None else wrapped(value(name))

    return tree.transform(one, copy=False)
