"""SQL with holes -> trees, in the dialect that it is for."""

from functools import lru_cache

import sqlglot
from sqlglot import exp

from ingot.semantic.marks import OWN

_TIMESTAMPS = frozenset({exp.DataType.Type.TIMESTAMP, exp.DataType.Type.TIMESTAMPNTZ})


@lru_cache(256)
def _parsed(text: str, dialect: str) -> exp.Expr:
    return sqlglot.parse_one(text, dialect=dialect)


def written(dialect: str, text: str, **holes: exp.Expr) -> exp.Expr:
    """The tree of `text`, where each name such as `x__` is what `x` says."""

    def one(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Column) and not node.table and node.name.endswith("__"):
            return holes[node.name[:-2]].copy()
        return node

    return _parsed(text, dialect).copy().transform(one, copy=False)


def is_own(node: exp.Expr) -> bool:
    """Whether the model's author wrote it in the dialect itself, so that it means what it says."""
    return bool(node._meta) and bool(node.meta.get(OWN))  # noqa: SLF001 - `meta` makes one for every node


def bare(tree: exp.Expr) -> exp.Expr:
    """`tree` without parentheses around it."""
    while isinstance(tree, exp.Paren):
        tree = tree.this
    return tree


def is_timestamp(kind: exp.DataType) -> bool:
    """Whether it is a time without a zone."""
    return kind.this in _TIMESTAMPS


def is_instant(tree: exp.Expr) -> bool:
    """Whether it is a time with a zone."""
    tree = bare(tree)
    if isinstance(tree, exp.Cast):
        return bool(tree.to.this == exp.DataType.Type.TIMESTAMPTZ)
    return bool(tree.meta.get("instant"))


def is_local(tree: exp.Expr) -> bool:
    """Whether it was made a time without a zone here."""
    return bool(bare(tree).meta.get("local"))


def local(tree: exp.Expr) -> exp.Expr:
    """`tree`, known to be a time without a zone."""
    tree.meta["local"] = True
    return tree


def instant(tree: exp.Expr) -> exp.Expr:
    """`tree`, known to be a time with a zone."""
    tree.meta["instant"] = True
    return tree
