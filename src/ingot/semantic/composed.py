"""Queries with measures that are computed in several steps: rolling, shifted, at other grains, ranked.

A *part* is what one SELECT computes: an aggregate of rows, or of the values of an inner step, at a grain of its
own. A *relation* puts parts together at one grain: parts with the same groups and conditions are branches of a
UNION ALL and decide which groups there are; the values of all others are joined to these groups.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from ingot.semantic import marks
from ingot.semantic.aggregates import COUNTS, over_values
from ingot.semantic.fanout import Fact, Grain, Leaf, facts, leaf_path
from ingot.semantic.grains import dimension_column, entered, inner, partition
from ingot.semantic.model import Measure, Model, Path
from ingot.semantic.resolve import Column, Tree, conditions
from ingot.semantic.rolling import Rolling, period_column, series_of
from ingot.semantic.rows_of import JoinedRows, Reader
from ingot.semantic.series import AllSeries
from ingot.semantic.stage_marks import fill_dimensions
from ingot.semantic.stages import SubQuery, Window
from ingot.semantic.writing import Writing


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


class Composer:
    """Writes relations. `top` is the grain of the query itself."""

    def __init__(self, writing: Writing, reader: Reader, top: Grain) -> None:
        self.model: Model = writing.model
        self.writing = writing
        self.reader = reader
        self.top = top
        self.series = AllSeries(writing)
        self._tables = 0
        self._outer_grains: dict[tuple[str, Path, Grain], Grain] = {}
        self._inner_grains: dict[tuple[str, Path, Grain], Grain] = {}

    def value(
        self,
        name: str,
        path: Path,
        grain: Grain,
        leaf: Callable[[Part], exp.Expr],
        column: Callable[[Column], exp.Expr],
    ) -> exp.Expr:
        """The value of a measure at a grain, every part written by `leaf` and every dimension by `column`."""
        measure = self.model.measure(name)
        at = grain if measure.stage is None else self._entered(measure, path, grain)
        if measure.aggregate != "calculated":
            return leaf(Part(name, path, at))
        assert measure.sql is not None
        tree = self._with_dimensions(measure, measure.sql.copy(), grain, column)
        return marks.fill_measures(tree, lambda one: self.value(one, leaf_path(path, one), at, leaf, column))

    def parts(self, name: str, path: Path, grain: Grain) -> list[Part]:
        """The parts that a measure is made of."""
        found: dict[Part, None] = {}

        def leaf(part: Part) -> exp.Expr:
            found.setdefault(part)
            return exp.null()

        self.value(name, path, grain, leaf, lambda _: exp.null())
        return list(found)

    def relation(self, grain: Grain, parts: Iterable[Part], *, all_rows: bool = False) -> Relation:
        """The values of `parts` for each group of `grain`; with `all_rows` also of groups without any."""
        own: dict[Part, None] = {}
        joined: dict[Grain, list[Part]] = {}
        for part in dict.fromkeys(parts):
            if _beside(part.grain, grain):
                own.setdefault(part)
            else:
                joined.setdefault(replace(part.grain, shifts=()), []).append(part)
                for hidden in self._rows(part, grain):
                    own.setdefault(hidden)
        base = self._united(grain, list(own), all_rows=all_rows)
        if not joined:
            return base
        table = self._table()
        values = dict(base.values)
        columns = [_column(self.writing.name(one), table) for one in grain.dimensions]
        columns += [_column(name, table) for name in base.values.values()]
        select = exp.Select().select(*columns).from_(_sub(base.select, table), copy=False)
        for at, some in joined.items():
            inner_ = self.relation(at, some)
            name = self._table()
            on = [
                exp.NullSafeEQ(
                    this=_column(self.writing.name(one), table),
                    expression=_column(self.writing.name(one), name),
                )
                for one in at.dimensions
            ]
            test = exp.and_(*on, copy=False) if on else exp.true()
            select = select.join(_sub(inner_.select, name), on=test, join_type="left", copy=False)
            for part in some:
                values[part] = f"value_{len(values)}"
                value = self._counted(part, _column(inner_.values[part], name))
                select = select.select(exp.alias_(value, values[part], quoted=True), copy=False)
        return Relation(select, values)

    def sub_query(self, one: SubQuery) -> exp.Expr:
        """The rows of a dimension with `sub_query`: keys and value of each row of its cube."""
        path = (one.cube,)
        found = [self.model.members[key.full_name] for key in one.keys]
        columns = tuple(Column(key.full_name, each) for key, each in zip(one.keys, found, strict=True))
        grain = Grain(columns)
        if one.propagate:
            where = tuple(tree for tree in self.top.where if not self._uses_sub_query(tree))
            grain = Grain(columns, where, self.top.segments)
        names = [marks.measure_name(node) for node in one.sql.find_all(exp.Column)]
        parts = [part for name in names if name for part in self.parts(name, leaf_path(path, name), grain)]
        table = self._table()
        relation = self.relation(grain, parts, all_rows=True)

        def column(each: Column) -> exp.Expr:
            return _column(self.writing.name(each), table)

        value = marks.fill_measures(
            one.sql.copy(),
            lambda name: self.value(name, leaf_path(path, name), grain, relation.leaf(table), column),
        )
        picked = [exp.alias_(column(key), f"key_{n}", quoted=True) for n, key in enumerate(columns)]
        select = exp.Select().select(*picked, exp.alias_(value, "value", quoted=True))
        return exp.Subquery(this=select.from_(_sub(relation.select, table), copy=False))

    def _uses_sub_query(self, tree: Tree) -> bool:
        return any(
            cube in self.model.sub_queries
            for one in conditions(tree)
            for path in one.found.member.paths
            for cube in path
        )

    def _rows(self, part: Part, grain: Grain) -> list[Part]:
        """Parts at `grain` that have a row wherever one is behind `part`."""
        measure = self.model.measure(part.name)
        at = replace(grain, shifts=part.grain.shifts)
        if measure.stage is None:
            return [Part(part.name, part.path, at)]
        found: list[Part] = []
        for name in _measures(measure):
            for each in self.parts(name, leaf_path(part.path, name), at):
                found += [each] if _beside(each.grain, grain) else self._rows(each, grain)
        return found

    def _united(self, grain: Grain, parts: Sequence[Part], *, all_rows: bool) -> Relation:
        names = {part: f"value_{n}" for n, part in enumerate(parts)}
        branches: list[tuple[Callable[[Column], exp.Expr], dict[Part, exp.Expr], exp.Select, bool]] = []
        plain: dict[tuple[object, Window | None], list[Part]] = {}
        for part in parts:
            measure = self.model.measure(part.name)
            if measure.stage is None:
                key = (part.grain.shifts, measure.window)
                plain.setdefault(key, []).append(part)
                continue
            stage, table = self._stage(part, measure), self._table()
            source = exp.Select().from_(_sub(stage, table), copy=False)
            branches.append((self._of(table), {part: _column("value", table)}, source, False))
        for some in plain.values():
            branches += self._facts(some)
        if all_rows or not parts:
            at = Grain(grain.dimensions) if all_rows else grain
            for fact in facts(self.model, at, ()):
                rows = self.reader(self.writing, fact, at)
                branches.append((rows.dimension, {}, rows.select(), True))
        selects = []
        for dimension, values, select, grouped in branches:
            columns = [
                exp.alias_(dimension(one), self.writing.name(one), quoted=True) for one in grain.dimensions
            ]
            columns += [
                exp.alias_(values.get(part) or exp.null(), name, quoted=True) for part, name in names.items()
            ]
            made = select.select(*(columns or [exp.true()]), copy=False)
            selects.append(_by(made, len(grain.dimensions)) if grouped else made)
        if len(selects) == 1:
            return Relation(selects[0], names)
        union: exp.Query = selects[0]
        for each in selects[1:]:
            union = exp.union(union, each, distinct=False, copy=False)
        table = self._table()
        columns = [_column(self.writing.name(one), table) for one in grain.dimensions]
        for part, name in names.items():
            value = self._counted(part, exp.AnyValue(this=_column(name, table)))
            columns.append(exp.alias_(value, name, quoted=True))
        outer = exp.Select().select(*columns).from_(_sub(union, table), copy=False)
        if not columns:
            outer.select(exp.true(), copy=False)
        return Relation(_by(outer, len(grain.dimensions)), names)

    def _facts(
        self, parts: Sequence[Part]
    ) -> list[tuple[Callable[[Column], exp.Expr], dict[Part, exp.Expr], exp.Select, bool]]:
        """The branches of aggregates of rows that share their shifts and their window."""
        grain = parts[0].grain
        window = self.model.measure(parts[0].name).window
        branches: list[tuple[Callable[[Column], exp.Expr], dict[Part, exp.Expr], exp.Select, bool]] = []
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
            rows = self.reader(self.writing, fact, at)
            values = {by_leaf[leaf]: rows.leaf(leaf) for leaf in fact.leaves}
            branches.append((rows.dimension, values, rows.select(), True))
            if at.rolling is not None and self.series.open(at.rolling.series):
                self.series.extend(at.rolling.series, self._span(fact, at))
        return branches

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

    def _stage(self, part: Part, measure: Measure) -> exp.Select:
        """SELECT of the groups of a part over inner values, and its value."""
        assert measure.stage is not None
        grain = part.grain
        at = self._inner(measure, part.path, grain)
        order = measure.stage.order
        needed = dict.fromkeys(
            each for name in _measures(measure) for each in self.parts(name, leaf_path(part.path, name), at)
        )
        relation = self.relation(at, needed)
        table = self._table()

        def column(each: Column) -> exp.Expr:
            return _column(self.writing.name(each), table)

        def filled(tree: exp.Expr | None) -> exp.Expr | None:
            if tree is None:
                return None
            with_columns = self._with_dimensions(measure, tree.copy(), at, column)
            return marks.fill_measures(
                with_columns,
                lambda name: self.value(name, leaf_path(part.path, name), at, relation.leaf(table), column),
            )

        picked = [column(one) for one in grain.dimensions]
        select = exp.Select().from_(_sub(relation.select, table), copy=False)
        if measure.aggregate == "rank":
            by = partition(measure, grain)
            terms = [
                exp.Ordered(this=filled(tree), desc=descending, nulls_first=False)
                for tree, descending in order
            ]
            value: exp.Expr = exp.Window(
                this=exp.Rank(), partition_by=[column(one) for one in by], order=exp.Order(expressions=terms)
            )
            return select.select(*picked, exp.alias_(value, "value", quoted=True), copy=False)
        value = over_values(measure, filled(measure.sql), filled(measure.condition))
        named = exp.alias_(value, "value", quoted=True)
        return _by(select.select(*picked, named, copy=False), len(picked))

    def _with_dimensions(
        self, measure: Measure, tree: exp.Expr, grain: Grain, column: Callable[[Column], exp.Expr]
    ) -> exp.Expr:
        if measure.stage is None:
            return tree

        def one(name: str) -> exp.Expr:
            found = dimension_column(measure, name, grain)
            if isinstance(found, Column):
                return column(found)
            return self.writing.parameters.add(found)

        return fill_dimensions(tree, one)

    def _entered(self, measure: Measure, path: Path, grain: Grain) -> Grain:
        # Grains are told apart by their members' identity: each is made once.
        key = (measure.full_name, path, grain)
        if key not in self._outer_grains:
            zone = self.writing.zone
            self._outer_grains[key] = entered(self.model, measure, path, grain, top=self.top, zone=zone)
        return self._outer_grains[key]

    def _inner(self, measure: Measure, path: Path, grain: Grain) -> Grain:
        key = (measure.full_name, path, grain)
        if key not in self._inner_grains:
            self._inner_grains[key] = inner(self.model, measure, path, grain)
        return self._inner_grains[key]

    def _counted(self, part: Part, value: exp.Expr) -> exp.Expr:
        if self.model.measure(part.name).aggregate in COUNTS:
            return exp.Coalesce(this=value, expressions=[exp.Literal.number(0)])
        return value

    def _of(self, table: str) -> Callable[[Column], exp.Expr]:
        return lambda one: _column(self.writing.name(one), table)

    def _table(self) -> str:
        self._tables += 1
        return f"#{self._tables}"


def _measures(measure: Measure) -> list[str]:
    """The measures that the expressions of a stage refer to."""
    assert measure.stage is not None
    trees = [measure.sql, measure.condition, *(tree for tree, _ in measure.stage.order)]
    names = [
        marks.measure_name(node) for tree in trees if tree is not None for node in tree.find_all(exp.Column)
    ]
    return list(dict.fromkeys(name for name in names if name is not None))


def _beside(one: Grain, other: Grain) -> bool:
    """Whether groups and conditions are the same, whatever the rows are moved by."""
    return (one.dimensions, one.where, one.segments) == (other.dimensions, other.where, other.segments)


def _sub(query: exp.Query, name: str) -> exp.Subquery:
    return exp.Subquery(this=query, alias=exp.TableAlias(this=exp.to_identifier(name, quoted=True)))


def _column(name: str, table: str) -> exp.Expr:
    return exp.column(name, table=table, quoted=True)


def _by(select: exp.Select, dimensions: int) -> exp.Select:
    """`select` grouped by its first columns."""
    if not dimensions:
        return select
    return select.group_by(*(exp.Literal.number(n) for n in range(1, dimensions + 1)), copy=False)
