"""`StoredRows`: a fact read from a rollup instead of the cubes' tables.

What `match` accepted needs no doubt here: each stored row passes the filters with all rows that it stands for,
or with none of them.
"""

from collections.abc import Mapping
from dataclasses import replace

from sqlglot import exp

from ingot.semantic import marks
from ingot.semantic.model import Dimension
from ingot.semantic.planner.aggregates import COUNTS
from ingot.semantic.planner.fanout import Grain, Leaf
from ingot.semantic.planner.filters import condition_tree
from ingot.semantic.planner.resolve import Column, Condition
from ingot.semantic.planner.writing import Writing
from ingot.semantic.rollups import sketch
from ingot.semantic.rollups.definition import FACT, StoredDimension
from ingot.semantic.rollups.match import Use, filter_column, rolling_column

# No cube can have this name.
STORED = "#stored"
ADDITIVE = frozenset({"count", "sum", "min", "max", "avg"})
"""Aggregates whose stored parts are put together by the same aggregate, in as many steps as one likes."""
_LONG = exp.DataType.build("bigint")


class StoredRows:
    """The rows of a rollup at a grain. `source` is its table or subquery, `types` the types of its columns."""

    def __init__(
        self, writing: Writing, grain: Grain, use: Use, source: exp.Expr, types: Mapping[str, str]
    ) -> None:
        self.writing = writing
        self.grain = grain
        self.use = use
        self.source = source
        self.types = types

    def select(self) -> exp.Select:
        """FROM and WHERE, without columns."""
        rolling = self.grain.rolling
        if rolling is None and self._cuts():
            return exp.Select().from_(_named(exp.Subquery(this=self._gathered())), copy=False)
        select = exp.Select().from_(_named(self.source.copy()), copy=False)
        if rolling is not None:
            stored = rolling_column(self._same(rolling.time.member), self.grain)
            assert stored is not None
            time = self.writing.time(_as_member(stored), self.grain.shift(rolling.member))
            select = rolling.joined(select, time)
        return self._filtered(select)

    def _filtered(self, select: exp.Select) -> exp.Select:
        tests = [condition_tree(one, self._condition) for one in self.grain.where]
        flags = {one.column.key: one for one in self.use.rollup.dimensions if one.segment}
        tests += [_column(flags[segment.member.full_name].name) for segment in self.grain.segments]
        if len(self.use.rollup.facts) > 1:
            number = exp.Literal.number(self.use.fact.number)
            tests.append(exp.EQ(this=_column(FACT), expression=number))
        return select.where(*tests, copy=False) if tests else select

    def dimension(self, column: Column) -> exp.Expr:
        """The value of a dimension of the grain, without an alias."""
        rolling = self.grain.rolling
        if rolling is not None and column.found.member.full_name == rolling.member:
            return rolling.column(column)
        stored = self.use.columns[column.key]
        if stored.is_time and stored.granularity == column.granularity and self.writing.zone == "UTC":
            shift = self.grain.shift(column.found.member.full_name)
            if not shift and stored.granularity is not None:
                return _column(stored.name)
        member = _as_member(stored)
        moved = replace(column, found=replace(column.found, member=member))
        shift = self.grain.shift(member.full_name)
        return self.writing.value(moved, shift) if shift else self.writing.value(moved)

    def leaf(self, leaf: Leaf) -> exp.Expr:
        """The aggregate over the rows of a group, put together from its stored parts."""
        measure = self.use.rollup.model.measure(leaf[0])
        parts = self.use.fact.leaves[leaf[0]]
        if "sketch" in parts:
            return sketch.merged(_column(parts["sketch"]))
        if "sum" in parts:
            return self._average(parts["sum"], parts["count"])
        value = _column(parts["value"])
        if measure.aggregate in COUNTS:
            total = exp.Cast(this=exp.Sum(this=value), to=_LONG.copy())
            return exp.Coalesce(this=total, expressions=[exp.Literal.number(0)])
        if measure.aggregate == "sum":
            return exp.Sum(this=value)
        if measure.aggregate in ("min", "max"):
            return (exp.Min if measure.aggregate == "min" else exp.Max)(this=value)
        return exp.AnyValue(this=value)

    def _average(self, total: str, count: str) -> exp.Expr:
        """As the engine computes it: decimals are divided as whole numbers, or the last digit may differ."""
        kind = self.types.get(total, "")
        whole: exp.Expr = exp.Sum(this=_column(total))
        number: exp.Expr = exp.Sum(this=_column(count))
        if kind.startswith("DECIMAL"):
            scale = int(kind.rstrip(")").split(",")[1])
            digits = exp.Literal.number(10**scale)
            text = exp.func("REPLACE", _text(whole), exp.Literal.string("."), exp.Literal.string(""))
            whole = exp.Paren(this=text) if scale else _text(whole)
            number = exp.Paren(this=exp.Mul(this=number, expression=digits))
        double = exp.Cast(this=whole, to=exp.DataType.build("double"))
        return exp.Div(this=double, expression=exp.func("NULLIF", number, exp.Literal.number(0)))

    def _cuts(self) -> bool:
        """Whether times must be cut, which costs more than all else: better for each stored time than each row."""
        measures = self.use.rollup.model.measure
        additive = all(measures(name).aggregate in ADDITIVE for name in self.use.wanted)
        return additive and any(
            stored.is_time and self._is_cut(column, stored)
            for column in self.grain.dimensions
            if (stored := self.use.columns[column.key])
        )

    def _is_cut(self, column: Column, stored: StoredDimension) -> bool:
        return self.writing.zone != "UTC" or stored.granularity != column.granularity

    def _gathered(self) -> exp.Select:
        """The rows that pass, one for each combination of the stored columns that the grain needs."""
        select = self._filtered(exp.Select().from_(_named(self.source.copy()), copy=False))
        kept = {stored.name: _column(stored.name) for stored in self.use.columns.values()}
        sums: dict[str, exp.Expr] = {}
        for name in self.use.wanted:
            kind = self.use.rollup.model.measure(name).aggregate
            for column in self.use.fact.leaves[name].values():
                made = {"min": exp.Min, "max": exp.Max}.get(kind, exp.Sum)
                sums[column] = made(this=_column(column))
        shown = [exp.alias_(value, name, quoted=True, copy=False) for name, value in (kept | sums).items()]
        places = [exp.Literal.number(n) for n in range(1, len(kept) + 1)]
        return select.select(*shown, copy=False).group_by(*places, copy=False)

    def _condition(self, one: Condition) -> exp.Expr:
        member = one.found.member
        same = self._same(member)
        stored = same[0]
        if isinstance(member, Dimension) and member.type == "time":
            chosen = filter_column(same, one, self.writing.zone, self.grain, loose=self.use.rollup.loose)
            assert chosen is not None
            stored = chosen
        shift = self.grain.shift(member.full_name)
        if shift and one.operator not in ("set", "notSet"):
            moved = _as_member(stored)
            return self.writing.local_condition(one, lambda: marks.wrapped(self.writing.time(moved, shift)))
        return self.writing.condition(one, lambda: _column(stored.name))

    def _same(self, member: object) -> list[StoredDimension]:
        return [one for one in self.use.rollup.dimensions if one.member is member]


def _as_member(stored: StoredDimension) -> Dimension:
    """The dimension as if the stored column were its SQL."""
    member = stored.member
    assert isinstance(member, Dimension)
    return replace(member, sql=_column(stored.name))


def _named(source: exp.Expr) -> exp.Expr:
    source.set("alias", exp.TableAlias(this=exp.to_identifier(STORED, quoted=True)))
    return source


def _column(name: str) -> exp.Expr:
    return exp.column(name, table=STORED, quoted=True)


def _text(tree: exp.Expr) -> exp.Expr:
    return exp.Cast(this=tree, to=exp.DataType.build("text"))
