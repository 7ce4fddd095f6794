"""What a rollup stores: columns for dimensions and for parts of aggregates, and the SELECT that makes them.

A definition is immutable and has a hash of everything that decides what its files hold; where they are and
whether they exist is the store's business.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Literal

from sqlglot import exp

from ingot.project.place import Place
from ingot.semantic import marks
from ingot.semantic.model import Aggregate, Dimension, Found, Measure, Model, Segment
from ingot.semantic.planner.aggregates import aggregate
from ingot.semantic.planner.fanout import Fact, Grain
from ingot.semantic.planner.resolve import Column, Resolved
from ingot.semantic.planner.rows_of import JoinedRows
from ingot.semantic.planner.statement import Statement
from ingot.semantic.planner.times import as_timestamp
from ingot.semantic.planner.volatile import volatile
from ingot.semantic.planner.writing import Writing
from ingot.semantic.rollups import sketch
from ingot.semantic.stages import SubQuery

Kind = Literal["rollup", "rollup_join", "rollup_lambda", "original_sql"]
Part = Literal["value", "sum", "count", "sketch"]
"""What of an aggregate a column holds: all of it, the sum and count of an average, a sketch of distinct values."""

Window = tuple[datetime, datetime]
"""From the first moment (included) to the last (excluded), in UTC."""

FACT = "fact"
"""The column that tells the facts of a rollup apart."""
_FORMAT = "1"


@dataclass(frozen=True, slots=True, eq=False)
class StoredDimension:
    """A dimension, a time cut to its granularity, or whether a segment's condition holds."""

    name: str
    column: Column
    segment: bool = False

    @property
    def member(self) -> object:
        return self.column.found.member

    @property
    def granularity(self) -> str | None:
        return self.column.granularity

    @property
    def is_time(self) -> bool:
        return isinstance(self.member, Dimension) and self.member.type == "time"


@dataclass(frozen=True, slots=True, eq=False)
class StoredFact:
    """Aggregates that are computed over the same rows, and the columns of each."""

    number: int
    fact: Fact
    leaves: Mapping[str, Mapping[Part, str]]


@dataclass(frozen=True, eq=False)
class Rollup:
    """One pre-aggregation of a cube."""

    cube: str
    name: str
    kind: Kind
    place: Place
    model: Model = field(repr=False)
    dimensions: tuple[StoredDimension, ...] = ()
    facts: tuple[StoredFact, ...] = ()
    time: StoredDimension | None = None
    """The time dimension that partitions and the build range are about."""
    partition: str | None = None
    build_start: str | None = None
    build_end: str | None = None
    loose: bool = False
    """Date ranges that cut through a period take the periods that begin in them."""
    scheduled: bool = True
    sort: tuple[str, ...] = ()
    parts: tuple["Rollup", ...] = ()
    """The rollups that a rollup_lambda is made of."""
    with_source: bool = False

    @property
    def full_name(self) -> str:
        return f"{self.cube}.{self.name}"

    @cached_property
    def cubes(self) -> tuple[str, ...]:
        """The cubes whose rows it is made of."""
        if self.kind == "original_sql":
            return (self.cube,)
        return tuple(sorted(self._read[1]))

    @cached_property
    def joined(self) -> frozenset[str]:
        """The cubes, and sub-queries that stand for one, that its rows are joined of."""
        trees = [one.fact.tree for one in self.facts]
        trees += [one.fact.own for one in self.facts if one.fact.own is not None]
        return frozenset(cube for tree in trees for cube in tree.cubes)

    @property
    def sub_queries(self) -> tuple[SubQuery, ...]:
        """The sub-queries whose values it stores."""
        return tuple(one for name, one in self.model.sub_queries.items() if name in self.joined)

    @cached_property
    def _read(self) -> tuple[exp.Query, frozenset[str]]:
        cubes: set[str] = set()
        select = self._select(None, (), cubes)
        return select, frozenset(cubes)

    @cached_property
    def tables(self) -> tuple[str, ...]:
        """The tables of the lake that it is made of, as the model writes them."""
        return tuple(sorted({name for cube in self.cubes for name in self.model.cubes[cube].tables}))

    @cached_property
    def never(self) -> str | None:
        """Why it can never be stored or read; None where it can."""
        if self.parts:
            return next((one.never for one in self.parts if one.never is not None), None)
        if any(marks.has_context(tree) for tree in self._trees()):
            return "its SQL depends on who asks, or on the filters of the question"
        if any(one.propagate for one in self.sub_queries):
            return "a sub-query in it depends on the filters of the question"
        for name in self.tables:
            if name.count(".") != 1:
                return f"it reads '{name}', which is not a table of the lake"
        if volatile(self.select()):
            return "its SQL asks for the clock, for chance or for what is outside of the lake"
        return None

    def _trees(self) -> Iterator[exp.Expr]:
        """All SQL of the model that it is made of."""
        for cube in self.joined or {self.cube}:
            if cube in self.model.cubes:
                yield self.model.cubes[cube].source
        for dimension in self.dimensions:
            assert isinstance(dimension.member, Dimension)
            yield dimension.member.sql
        for stored in self.facts:
            yield from (join.sql for join in stored.fact.tree.joins)
            for name in stored.leaves:
                measure = self.model.measure(name)
                yield from (tree for tree in (measure.sql, measure.condition) if tree is not None)

    @cached_property
    def sql(self) -> str:
        """The SELECT that gives all rows that it stores."""
        return self.select().sql(dialect="duckdb")

    @cached_property
    def hash(self) -> str:
        """The same for two definitions exactly when they store the same."""
        sketches = any("sketch" in one for fact in self.facts for one in fact.leaves.values())
        parts = [
            _FORMAT,
            self.kind,
            self.sql,
            self.partition or "",
            self.time.name if self.time is not None else "",
            *self.sort,
            sketch.VERSION if sketches else "",
        ]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]

    def select(
        self,
        windows: Sequence[Window | None] | None = None,
        *,
        outside: Sequence[Window] = (),
    ) -> exp.Query:
        """The SELECT of all rows, or of those whose time lies in one of `windows` (None: has no time).

        Rows whose time lies in one of `outside` are left out.
        """
        if windows is None and not outside:
            return self._read[0].copy()
        return self._select(windows, outside, set())

    def _select(
        self, windows: Sequence[Window | None] | None, outside: Sequence[Window], cubes: set[str]
    ) -> exp.Query:
        if self.kind == "original_sql":
            cubes.add(self.cube)
            return exp.Select().select("*").from_(_source(self.model, self.cube), copy=False)
        branches = [self._branch(one, windows, outside, cubes) for one in self.facts]
        union: exp.Query = branches[0]
        for branch in branches[1:]:
            union = exp.union(union, branch, distinct=False, copy=False)
        return union

    def _branch(
        self,
        stored: StoredFact,
        windows: Sequence[Window | None] | None,
        outside: Sequence[Window],
        cubes: set[str],
    ) -> exp.Select:
        columns = tuple(one.column for one in self.dimensions)
        writing = _writing(self.model, columns)
        rows = JoinedRows(writing, stored.fact, Grain(columns))
        named = [_as(rows.dimension(one.column), one.name) for one in self.dimensions]
        held = {
            name: (fact, leaf, part)
            for fact in self.facts
            for leaf, parts in fact.leaves.items()
            for part, name in parts.items()
        }
        states = [
            _as(self._part(writing, stored, leaf, part) if fact is stored else exp.null(), name)
            for name, (fact, leaf, part) in held.items()
        ]
        select = rows.select()
        if windows is not None:
            select = select.where(within(self._moment(writing, rows, stored.fact), windows), copy=False)
        if outside:
            select = select.where(
                exp.Not(this=lies(self._moment(writing, rows, stored.fact), outside)), copy=False
            )
        cubes |= writing.cubes
        number = [_as(exp.Literal.number(stored.number), FACT)] if len(self.facts) > 1 else []
        select = select.select(*named, *states, *number, copy=False)
        places = [exp.Literal.number(n) for n in range(1, len(named) + 1)]
        return select.group_by(*places, copy=False) if places else select

    def _part(self, writing: Writing, stored: StoredFact, leaf: str, part: Part) -> exp.Expr:
        measure = self.model.measure(leaf)
        if part in ("sum", "count"):
            kind: Aggregate = "sum" if part == "sum" else "count"
            measure = replace(measure, aggregate=kind)
        tree = aggregate(self.model, measure, is_root=stored.fact.tree.root == measure.cube)
        tree = writing.local(tree)
        return sketch.stated(tree) if part == "sketch" else tree

    def _moment(self, writing: Writing, rows: JoinedRows, fact: Fact) -> exp.Expr:
        """The time of a row, which windows are about."""
        assert self.time is not None
        column = self.time.column
        raw = replace(column, granularity=None)
        # Windows begin and end where periods do, so that the time itself may be compared: it has statistics.
        return as_timestamp(rows.dimension(column) if fact.keyed is not None else writing.value(raw))


def _writing(model: Model, columns: tuple[Column, ...]) -> Writing:
    asked = Resolved(
        columns, (), where=(), having=(), segments=(), order=(), limit=0, offset=0, timezone="UTC",
        ungrouped=False, total=False,
    )  # fmt: skip
    return Statement(model, asked).writing


def within(time: exp.Expr, windows: Sequence[Window | None]) -> exp.Expr:
    """Whether `time` lies in one of the windows; None among them is for rows without a time."""
    tests: list[exp.Expr] = []
    for window in windows:
        if window is None:
            tests.append(exp.Is(this=time.copy(), expression=exp.null()))
            continue
        first, last = (as_timestamp(exp.Literal.string(moment.isoformat(" "))) for moment in window)
        tests.append(
            exp.and_(exp.GTE(this=time.copy(), expression=first), exp.LT(this=time.copy(), expression=last))
        )
    return exp.Paren(this=exp.or_(*tests, copy=False)) if tests else exp.false()


def lies(time: exp.Expr, windows: Sequence[Window]) -> exp.Expr:
    """Whether `time` lies in one of the windows, never null."""
    return exp.Coalesce(this=within(time, list(windows)), expressions=[exp.false()])


def parts_of(measure: Measure) -> tuple[Part, ...]:
    """The parts that are stored of an aggregate."""
    if measure.aggregate == "avg":
        return ("sum", "count")
    return ("sketch",) if measure.aggregate == "count_distinct_approx" else ("value",)


def flag(found: Found) -> Column:
    """A segment as a column that says whether its condition holds."""
    segment = found.member
    assert isinstance(segment, Segment)
    sql = exp.Coalesce(this=exp.Paren(this=segment.sql.copy()), expressions=[exp.false()])
    made = Dimension(segment.cube, segment.name, "boolean", sql, segment.paths, segment.label)
    return Column(found.name, Found(found.name, made, found.path, found.label))


def _source(model: Model, cube: str) -> exp.Expr:
    return exp.alias_(model.cubes[cube].source.copy(), cube, table=True, quoted=True, copy=False)


def _as(value: exp.Expr, name: str) -> exp.Expr:
    return exp.alias_(value, name, quoted=True, copy=False)
