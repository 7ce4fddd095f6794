"""Where the rows of a fact come from: the seam between what is computed and what it is read from.

`JoinedRows` joins the cubes' tables. A stored rollup stands behind the same three verbs.
"""

from collections.abc import Callable
from typing import Protocol

from sqlglot import exp

from ingot.semantic import marks
from ingot.semantic.model import Dimension, Segment
from ingot.semantic.planner.aggregates import aggregate, present
from ingot.semantic.planner.building import joined
from ingot.semantic.planner.fanout import Fact, Grain, Leaf
from ingot.semantic.planner.filters import condition_tree
from ingot.semantic.planner.resolve import Column, Condition
from ingot.semantic.planner.writing import Writing
from ingot.semantic.policy.limited import written

# No cube can have this name.
KEYS = "#keys"


class Rows(Protocol):
    """The rows of one fact at one grain, ready to be grouped.

    The statement selects `dimension(column)` of each column of the grain and `leaf(leaf)` of each aggregate of
    the fact from `select()`, and groups by the dimensions. So a stored rollup must give: in `select()` its FROM
    and a WHERE that holds all of the grain's conditions and segments (and nothing else: each stored row stands
    for all rows that pass, or for none); in `dimension` the stored column, cut to the asked granularity in the
    statement's zone; in `leaf` the aggregate that puts stored parts together (a sum of counts, a minimum of
    minima, …), never null where the same over the tables would be 0. Trees are new on each call. Values go
    through the `Writing`'s parameters. Facts of rolling and multi-stage measures come through here too.
    """

    def select(self) -> exp.Select:
        """FROM and WHERE, without columns."""

    def dimension(self, column: Column) -> exp.Expr:
        """The value of a dimension of the grain, without an alias."""

    def leaf(self, leaf: Leaf) -> exp.Expr:
        """The aggregate over the rows of a group."""


Reader = Callable[[Writing, Fact, Grain], Rows]
"""Decides where a fact is read from."""


class JoinedRows:
    """The rows of the cubes' tables, joined; where joins repeat those of the measures' cube, distinct by key."""

    def __init__(self, writing: Writing, fact: Fact, grain: Grain) -> None:
        self.writing = writing.within(grain.unmoved)
        self.fact = fact
        self.grain = grain

    def select(self) -> exp.Select:
        if self.fact.keyed is None:
            return self._filtered(self.writing.joined(self.fact.tree))
        return self._by_keys(self.fact.keyed)

    def dimension(self, column: Column) -> exp.Expr:
        if self.fact.keyed is not None:
            return exp.column(self.writing.name(column), table=KEYS, quoted=True)
        return self._value(column)

    def _value(self, column: Column) -> exp.Expr:
        rolling = self.grain.rolling
        member = column.found.member.full_name
        if rolling is not None and member == rolling.member:
            return rolling.column(column)
        return self.writing.value(column, self.grain.shift(member))

    def leaf(self, leaf: Leaf) -> exp.Expr:
        measure = self.writing.model.measure(leaf[0])
        tree = aggregate(self.writing.model, measure, is_root=self.fact.tree.root == measure.cube)
        return self.writing.local(tree)

    def _by_keys(self, cube: str) -> exp.Select:
        writing = self.writing
        assert self.fact.own is not None
        keys = writing.model.cubes[cube].primary_key
        names = [f"key_{n}" for n in range(len(keys))]
        columns = [
            exp.alias_(self._value(column), writing.name(column), quoted=True, copy=False)
            for column in self.grain.dimensions
        ]
        columns += [
            exp.alias_(key.sql.copy(), name, quoted=True) for key, name in zip(keys, names, strict=True)
        ]
        distinct = self._filtered(writing.joined(self.fact.tree))
        distinct = distinct.select(*columns, copy=False).distinct(copy=False)
        pairs = [
            (exp.column(name, table=KEYS, quoted=True), marks.wrapped(key.sql.copy()))
            for key, name in zip(keys, names, strict=True)
        ]
        # A null in a key is a value like others. Keys that are all null are those of no row, unless all rows are here.
        is_root = self.fact.tree.root == cube
        equal = exp.NullSafeEQ if is_root or len(keys) > 1 else exp.EQ
        tests: list[exp.Expr] = [equal(this=ours, expression=theirs) for ours, theirs in pairs]
        if not is_root and len(keys) > 1:
            tests.append(exp.Paren(this=present(writing.model, cube)))
        on = exp.and_(*tests, copy=False)
        alias = exp.TableAlias(this=exp.to_identifier(KEYS, quoted=True))
        select = exp.Select().from_(exp.Subquery(this=distinct, alias=alias), copy=False)
        select = joined(select, writing.source(cube), on)
        return writing.with_joins(select, self.fact.own)

    def _filtered(self, select: exp.Select) -> exp.Select:
        rolling = self.grain.rolling
        if rolling is not None:
            assert isinstance(rolling.time.member, Dimension)
            time = self.writing.time(rolling.time.member, self.grain.shift(rolling.member))
            select = rolling.joined(select, time)
        tests = [condition_tree(one, self._condition) for one in self.grain.where]
        for segment in self.grain.segments:
            assert isinstance(segment.member, Segment)
            tests.append(exp.Paren(this=self.writing.local(segment.member.sql.copy())))
        tests += [written(self.writing, one) for one in self.grain.limits]
        return select.where(*tests, copy=False) if tests else select

    def _condition(self, one: Condition) -> exp.Expr:
        member = one.found.member
        assert isinstance(member, Dimension)
        shift = self.grain.shift(member.full_name)
        if shift and one.operator not in ("set", "notSet"):
            return self.writing.local_condition(one, lambda: marks.wrapped(self.writing.time(member, shift)))
        sql = member.sql
        return self.writing.condition(one, lambda: marks.wrapped(self.writing.local(sql.copy())))
