"""Queries with measures that are computed in several steps: rolling, shifted, at other grains, ranked.

A *part* is what one SELECT computes: an aggregate of rows, or of the values of an inner step, at a grain of its
own. A *relation* puts parts together at one grain: parts with the same groups and conditions are branches of a
UNION ALL and decide which groups there are; the values of all others are joined to these groups.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from sqlglot import exp

from ingot.semantic import marks
from ingot.semantic.model import Measure, Path
from ingot.semantic.planner.aggregates import over_values
from ingot.semantic.planner.branches import Branch, Branches, Part, Relation, column_of, grouped, subquery
from ingot.semantic.planner.fanout import Grain, leaf_path
from ingot.semantic.planner.grains import dimension_column, entered, inner, partition
from ingot.semantic.planner.resolve import Column, Tree, conditions
from ingot.semantic.planner.rows_of import Reader
from ingot.semantic.planner.writing import Writing
from ingot.semantic.stage_marks import fill_dimensions
from ingot.semantic.stages import SubQuery, Window


class Composer:
    """Writes relations. `top` is the grain of the query itself."""

    def __init__(self, writing: Writing, reader: Reader, top: Grain) -> None:
        self.model = writing.model
        self.writing = writing
        self.branches = Branches(writing, reader)
        self.top = top
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
        table = self.branches.table()
        values = dict(base.values)
        columns = [column_of(self.writing.name(one), table) for one in grain.dimensions]
        columns += [column_of(name, table) for name in base.values.values()]
        select = exp.Select().select(*columns).from_(subquery(base.select, table), copy=False)
        for at, some in joined.items():
            inner_ = self.relation(at, some)
            name = self.branches.table()
            on = [
                exp.NullSafeEQ(
                    this=column_of(self.writing.name(one), table),
                    expression=column_of(self.writing.name(one), name),
                )
                for one in at.dimensions
            ]
            test = exp.and_(*on, copy=False) if on else exp.true()
            select = select.join(subquery(inner_.select, name), on=test, join_type="left", copy=False)
            for part in some:
                values[part] = f"value_{len(values)}"
                value = self.branches.counted(part, column_of(inner_.values[part], name))
                select = select.select(exp.alias_(value, values[part], quoted=True), copy=False)
        return Relation(select, values)

    def sub_query(self, one: SubQuery) -> exp.Expr:
        """The rows of a dimension with `sub_query`: keys and value of each row of its cube."""
        path = (one.cube,)
        found = [self.model.members[key.full_name] for key in one.keys]
        columns = tuple(Column(key.full_name, each) for key, each in zip(one.keys, found, strict=True))
        # What policies demand holds inside, too: a value over rows that nobody may see would tell of them.
        grain = Grain(columns, limits=self.top.limits)
        if one.propagate:
            where = tuple(tree for tree in self.top.where if not self._uses_sub_query(tree))
            grain = replace(grain, where=where, segments=self.top.segments)
        names = [marks.measure_name(node) for node in one.sql.find_all(exp.Column)]
        parts = [part for name in names if name for part in self.parts(name, leaf_path(path, name), grain)]
        table = self.branches.table()
        relation = self.relation(grain, parts, all_rows=True)

        def column(each: Column) -> exp.Expr:
            return column_of(self.writing.name(each), table)

        value = marks.fill_measures(
            one.sql.copy(),
            lambda name: self.value(name, leaf_path(path, name), grain, relation.leaf(table), column),
        )
        picked = [exp.alias_(column(key), f"key_{n}", quoted=True) for n, key in enumerate(columns)]
        select = exp.Select().select(*picked, exp.alias_(value, "value", quoted=True))
        return exp.Subquery(this=select.from_(subquery(relation.select, table), copy=False))

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
        branches: list[Branch] = []
        plain: dict[tuple[object, Window | None], list[Part]] = {}
        for part in parts:
            measure = self.model.measure(part.name)
            if measure.stage is None:
                key = (part.grain.shifts, measure.window)
                plain.setdefault(key, []).append(part)
                continue
            stage, table = self._stage(part, measure), self.branches.table()
            source = exp.Select().from_(subquery(stage, table), copy=False)
            branches.append((self._of(table), {part: column_of("value", table)}, source, False))
        for (_, window), some in plain.items():
            branches += self.branches.of_rows(some, window)
        if all_rows or not parts:
            branches += self.branches.of_groups(Grain(grain.dimensions) if all_rows else grain)
        return self.branches.united(grain, parts, branches)

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
        table = self.branches.table()

        def column(each: Column) -> exp.Expr:
            return column_of(self.writing.name(each), table)

        def filled(tree: exp.Expr | None) -> exp.Expr | None:
            if tree is None:
                return None
            with_columns = self._with_dimensions(measure, tree.copy(), at, column)
            return marks.fill_measures(
                with_columns,
                lambda name: self.value(name, leaf_path(part.path, name), at, relation.leaf(table), column),
            )

        picked = [column(one) for one in grain.dimensions]
        select = exp.Select().from_(subquery(relation.select, table), copy=False)
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
        return grouped(select.select(*picked, named, copy=False), len(picked))

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

    def _of(self, table: str) -> Callable[[Column], exp.Expr]:
        return lambda one: column_of(self.writing.name(one), table)


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
