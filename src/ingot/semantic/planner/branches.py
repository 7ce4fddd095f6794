"""Parts of composed queries as SQL: aggregates of rows, rolling ones too, and several of them in one relation."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from ingot.semantic.model import Path
from ingot.semantic.planner.aggregates import COUNTS
from ingot.semantic.planner.fanout import Fact, Grain, Leaf, facts
from ingot.semantic.planner.resolve import Column
from ingot.semantic.planner.rolling import Rolling, granule, period_column, series_of
from ingot.semantic.planner.rows_of import JoinedRows, Reader
from ingot.semantic.planner.series import AllSeries
from ingot.semantic.planner.writing import Writing
from ingot.semantic.stages import Window


@dataclass(frozen=True, slots=True)
class Part:
    """A value that one step computes: the aggregate `name`, reached by `path`, at `grain`."""

    name: str
    path: Path
    grain: Grain


@dataclass(frozen=True, slots=True)
class Relation:
    """A SELECT with a row for each group, and the names of its columns."""

    select: exp.Select
    values: dict[Part, str]

    def leaf(self, table: str) -> Callable[[Part], exp.Expr]:
        """Writes a part's value, where the relation is called `table`."""
        return lambda part: exp.column(self.values[part], table=table, quoted=True)


Branch = tuple[Callable[[Column], exp.Expr], dict[Part, exp.Expr], exp.Select, bool]
"""What writes dimensions, the values, FROM and WHERE, and whether rows are still to be grouped."""
_ADDED: Mapping[str, type[exp.AggFunc]] = {"sum": exp.Sum, "count": exp.Sum, "min": exp.Min, "max": exp.Max}
"""Aggregates that can be put together from those of parts, and how."""


class Branches:
    """Writes the parts that are computed from rows."""

    def __init__(self, writing: Writing, reader: Reader) -> None:
        self.model = writing.model
        self.writing = writing
        self.reader = reader
        self.series = AllSeries(writing)
        self._tables = 0

    def table(self) -> str:
        self._tables += 1
        return f"#{self._tables}"

    def of_rows(self, parts: Sequence[Part], window: Window | None) -> list[Branch]:
        """The branches of aggregates of rows that share their shifts and their window."""
        grain = parts[0].grain
        branches: list[Branch] = []
        by_leaf: dict[Leaf, Part] = {(part.name, part.path): part for part in parts}
        at = grain
        if window is not None:
            series, rest = series_of(parts[0].name, grain.dimensions, grain.where)
            table = self.series.table(series)
            without = replace(grain, where=rest)
            at = replace(without, rolling=Rolling(window, series, table))
            if all(one.found.member is series.time.member for one in grain.dimensions) and grain.dimensions:
                source = exp.Select().from_(exp.Table(this=exp.to_identifier(table, quoted=True)), copy=False)

                def of_period(column: Column) -> exp.Expr:
                    return period_column(series, column, table)

                branches.append((of_period, {}, source, False))
        for fact in facts(self.model, at, by_leaf):
            if at.rolling is not None and self.series.open(at.rolling.series):
                self.series.extend(at.rolling.series, self._span(fact, at))
            small = self._granules(at, {leaf: by_leaf[leaf] for leaf in fact.leaves})
            if small is not None:
                branches.append(small)
                continue
            rows = self.reader(self.writing, fact, at)
            values = {by_leaf[leaf]: rows.leaf(leaf) for leaf in fact.leaves}
            branches.append((rows.dimension, values, rows.select(), True))
        return branches

    def of_groups(self, grain: Grain) -> list[Branch]:
        """The groups of a grain without any value."""
        found: list[Branch] = []
        for fact in facts(self.model, grain, ()):
            rows = self.reader(self.writing, fact, grain)
            found.append((rows.dimension, {}, rows.select(), True))
        return found

    def united(self, grain: Grain, parts: Sequence[Part], branches: Sequence[Branch]) -> Relation:
        """The branches as one relation, each group in one row."""
        names = {part: f"value_{n}" for n, part in enumerate(parts)}
        selects = []
        for dimension, values, select, by_rows in branches:
            columns = [
                exp.alias_(dimension(one), self.writing.name(one), quoted=True) for one in grain.dimensions
            ]
            columns += [
                exp.alias_(values.get(part) or exp.null(), name, quoted=True) for part, name in names.items()
            ]
            made = select.select(*(columns or [exp.true()]), copy=False)
            selects.append(grouped(made, len(grain.dimensions)) if by_rows else made)
        if len(selects) == 1:
            return Relation(selects[0], names)
        union: exp.Query = selects[0]
        for each in selects[1:]:
            union = exp.union(union, each, distinct=False, copy=False)
        table = self.table()
        columns = [column_of(self.writing.name(one), table) for one in grain.dimensions]
        for part, name in names.items():
            value = self.counted(part, exp.AnyValue(this=column_of(name, table)))
            columns.append(exp.alias_(value, name, quoted=True))
        outer = exp.Select().select(*columns).from_(subquery(union, table), copy=False)
        if not columns:
            outer.select(exp.true(), copy=False)
        return Relation(grouped(outer, len(grain.dimensions)), names)

    def counted(self, part: Part, value: exp.Expr) -> exp.Expr:
        if self.model.measure(part.name).aggregate in COUNTS:
            return exp.Coalesce(this=value, expressions=[exp.Literal.number(0)])
        return value

    def _granules(self, grain: Grain, by_leaf: Mapping[Leaf, Part]) -> Branch | None:
        """Rolling aggregates that add up: computed for each day (or hour, …) first, and then for each window.

        A row stands in as many windows as there are periods in one; a day's worth of rows does only once.
        """
        rolling = grain.rolling
        kinds = {leaf: self.model.measure(leaf[0]).aggregate for leaf in by_leaf}
        if rolling is None or not all(kind in _ADDED for kind in kinds.values()):
            return None
        unit = granule(rolling.window, rolling.series)
        if unit is None:
            return None
        others = tuple(one for one in grain.dimensions if one.found.member is not rolling.time.member)
        time = Column(f"{rolling.time.name}.{unit}", rolling.time, unit)
        base = replace(grain, dimensions=(*others, time), rolling=None)
        plain = [Part(name, path, base) for name, path in by_leaf]
        relation, table = self.united(base, plain, self.of_rows(plain, None)), self.table()
        source = exp.Select().from_(subquery(relation.select, table), copy=False)
        source = rolling.joined(source, column_of(self.writing.name(time), table))

        def dimension(column: Column) -> exp.Expr:
            if column.found.member is rolling.time.member:
                return rolling.column(column)
            return column_of(self.writing.name(column), table)

        values: dict[Part, exp.Expr] = {}
        for one in plain:
            kind = kinds[one.name, one.path]
            value: exp.Expr = _ADDED[kind](this=relation.leaf(table)(one))
            if kind == "count":
                value = exp.Cast(this=value, to=exp.DataType.build("bigint"))
            values[by_leaf[one.name, one.path]] = value
        return dimension, values, source, True

    def _span(self, fact: Fact, grain: Grain) -> exp.Select:
        """SELECT of the first and the last time of a fact's rows."""
        assert grain.rolling is not None
        time = grain.rolling.time
        raw = Column(f"#{time.name}", time)
        plain = Fact(fact.tree, ())
        rows = JoinedRows(self.writing, plain, replace(grain, rolling=None))
        value = rows.dimension(raw)
        return rows.select().select(
            exp.alias_(exp.Min(this=value), "first", quoted=True),
            exp.alias_(exp.Max(this=value.copy()), "last", quoted=True),
            copy=False,
        )


def subquery(query: exp.Query, name: str) -> exp.Subquery:
    """`query` under a name."""
    return exp.Subquery(this=query, alias=exp.TableAlias(this=exp.to_identifier(name, quoted=True)))


def column_of(name: str, table: str) -> exp.Expr:
    """A column of a table in the statement."""
    return exp.column(name, table=table, quoted=True)


def grouped(select: exp.Select, dimensions: int) -> exp.Select:
    """`select` grouped by its first columns."""
    if not dimensions:
        return select
    return select.group_by(*(exp.Literal.number(n) for n in range(1, dimensions + 1)), copy=False)
