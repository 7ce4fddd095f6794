"""Expressions of PostgreSQL -> trees that mean the same in the engine, with PostgreSQL's type of each."""

from collections.abc import Callable
from itertools import islice

from sqlglot import exp

from ingot.semantic.sql.errors import SqlError
from ingot.semantic.sql.postgres import (  # noqa: F401 - they register
    aggregates,
    arrays,
    bytea,
    conversions,
    jsons,
    kinds,
    numbers,
    patterns,
    searches,
    spans,
    strings,
    times,
    typeof,
)
from ingot.semantic.sql.postgres.calls import Meant
from ingot.semantic.sql.postgres.casts import becoming
from ingot.semantic.sql.postgres.forms import (  # noqa: F401 - they register
    aggregating,
    arithmetic,
    calling,
    comparing,
    logic,
    matching,
    values,
    windows,
)
from ingot.semantic.sql.postgres.input import Clock
from ingot.semantic.sql.postgres.outputs import TYPE, kept, output_types
from ingot.semantic.sql.postgres.tree import cast, text
from ingot.semantic.sql.postgres.writers import WRITERS

__all__ = ["TYPE", "Columns", "Writing", "kept", "output_types"]

_GROWING = (
    exp.Anonymous, exp.Case, exp.Nullif, exp.Between, exp.In, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.Pow,
    exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE,
)  # fmt: skip
MOST = 50_000
"""Parts that one expression may come to."""
Columns = Callable[[exp.Column], str]


class Writing:
    """Writes expressions. Raises `SqlError` for what PostgreSQL refuses, and for what is not known here."""

    clock: Clock

    def __init__(self, clock: Clock, columns: Columns = kept) -> None:
        """`columns` gives the type of a column, which is left as it is."""
        self.clock = clock
        self.columns = columns
        self.volatile = False
        """Whether something was written that differs from one moment to the next."""
        self.spread = 0
        """How many functions that give rows were written."""

    def tree(self, node: exp.Expr) -> exp.Expr:
        """An expression as the engine reads it."""
        return self.output(node).tree

    def output(self, node: exp.Expr) -> Meant:
        """A column of a SELECT: what still has no type is text there."""
        found = self.write(node)
        if found.type != kinds.UNKNOWN:
            return found
        return Meant(cast(found.tree, "text") if found.literal is None else text(found.literal), "text")

    def column(self, node: exp.Expr) -> Meant:
        """As `output`, but a text or NULL may still become what the other side of a UNION is."""
        return self.write(node)

    def type_of(self, node: exp.Expr) -> str:
        """The type of an expression."""
        return self.output(node.copy()).type

    def test(self, node: exp.Expr, where: str = "WHERE") -> exp.Expr:
        """A condition."""
        before = self.spread
        found = self.truth(self.write(node), node, where)
        if self.spread > before:
            raise SqlError(f"set-returning functions are not allowed in {where}", at=node, sqlstate="0A000")
        return found

    def write(self, node: exp.Expr) -> Meant:
        """Any expression."""
        if node is None:  # the parser leaves holes where something is missing
            raise SqlError("syntax error: an expression is missing")
        for kind in type(node).__mro__:
            writer = WRITERS.get(kind)
            if writer is not None:
                found = writer(self, node)
                if isinstance(node, _GROWING):
                    _bounded(found.tree, node)
                return found
        raise SqlError(f"This cannot be used here: {node.sql('postgres')[:60]}.", at=node, sqlstate="0A000")

    def truth(self, one: Meant, at: exp.Expr, where: str) -> exp.Expr:
        """What was written, as a condition."""
        if one.type not in ("bool", kinds.UNKNOWN, kinds.ANY):
            raise SqlError(
                f"argument of {where} must be type boolean, not type {kinds.spoken(one.type)}",
                at=at,
                sqlstate="42804",
            )
        return becoming(one, "bool", self.clock, at)

    def order(self, node: exp.Expr) -> list[exp.Expr]:
        """The terms of an ORDER BY; nulls are last, and first where it descends."""
        terms = []
        for one in node.expressions:
            term = one.copy()
            term.set("this", self.output(one.this).tree)
            terms.append(term)
        return terms

    def window(self, node: exp.Window) -> exp.Window:
        """A window as the engine reads it, without what is computed in it."""
        return windows.window(self, node)


def _bounded(tree: exp.Expr, at: exp.Expr) -> None:
    """Raises `SqlError` for what was a short text and became a long one, because values stand in it repeatedly."""
    if sum(1 for _ in islice(tree.walk(), MOST + 1)) > MOST:
        raise SqlError("The statement's expressions build on each other too much.", at=at, sqlstate="54001")
