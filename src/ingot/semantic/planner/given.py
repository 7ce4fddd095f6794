"""Aggregates over rows that somebody else has joined: of each group, the rows of a measure's cube once each.

What is given is a derived table with the groups' values, what each row brings to a measure, and the keys of cubes'
rows; all are null where a row has none of the cube. Which rows these are is not asked here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from ingot.semantic import marks
from ingot.semantic.context import ANYONE, Context
from ingot.semantic.model import Measure, Model, Path
from ingot.semantic.planner.aggregates import aggregate, over, present
from ingot.semantic.planner.building import joined
from ingot.semantic.planner.fanout import Fact, Grain, Leaf, leaves
from ingot.semantic.planner.joins import Tree, tree
from ingot.semantic.planner.resolve import Column, Resolved
from ingot.semantic.planner.rows_of import KEYS
from ingot.semantic.planner.statement import Statement
from ingot.semantic.planner.writing import Writing
from ingot.semantic.rollups import sketch

_ALIKE = frozenset({"min", "max", "count_distinct", "count_distinct_approx"})
"""Aggregates that do not care how often a row is there."""


@dataclass(frozen=True, slots=True)
class Given:
    """Joined rows: a derived table, and what its columns are."""

    rows: exp.Subquery
    dimensions: Mapping[str, str]
    """By the key of a column of the query."""
    values: Mapping[Leaf, str]
    """What a row brings to an aggregate, but for those of `by_itself`."""
    keys: Mapping[Path, Sequence[str]]
    """The primary key of a cube's rows, by the path to the cube; none where no row is there twice."""


def by_itself(measure: Measure) -> bool:
    """Whether a measure's SQL aggregates columns of its own choice, so that the cube's rows must be there."""
    return measure.aggregate == "raw"


def selected(
    model: Model, query: Resolved, given: Given, *, context: Context = ANYONE
) -> tuple[Statement, exp.Select]:
    """The SELECT of a query's dimensions and measures over given rows, and what it was written with.

    Each group of the given rows is there, also one that has no row of a cube.
    """
    statement = Statement(model, query, context=context)
    statement.reader = lambda writing, fact, grain: (
        FetchedRows(writing, fact, grain, given)
        if fact.own is not None
        else GivenRows(writing, fact, grain, given)
    )
    select = statement.grouped(_facts(model, leaves(query), given))
    return statement, sketch.computed(select)


def _facts(model: Model, asked: Iterable[Leaf], given: Given) -> tuple[Fact, ...]:
    """One fact for what is computed from the rows as they are, one for each cube whose rows must be told apart."""
    found: dict[tuple[Path, bool] | None, list[Leaf]] = {}
    for leaf in asked:
        measure = model.measure(leaf[0])
        fetched = by_itself(measure)
        once = not fetched and (not given.keys[leaf[1]] or measure.aggregate in _ALIKE)
        found.setdefault(None if once else (leaf[1], fetched), []).append(leaf)
    made = []
    for key, some in found.items():
        own = (
            tree(model.edges, [step for name, _ in some for step in model.measure(name).paths])
            if key
            else None
        )
        cube = some[0][1][-1]
        fetched = key is not None and key[1]
        made.append(
            Fact(own or Tree(cube), tuple(some), None if key is None else cube, own if fetched else None)
        )
    return tuple(made)


class GivenRows:
    """What the rows of one cube bring, in each group; see `Rows`."""

    def __init__(self, writing: Writing, fact: Fact, grain: Grain, given: Given) -> None:
        self.writing = writing
        self.fact = fact
        self.grain = grain
        self.given = given

    def select(self) -> exp.Select:
        """See `Rows.select`."""
        rows = self.given.rows.copy()
        if self.fact.keyed is not None:
            keys = self.given.keys[self.fact.leaves[0][1]]
            named = [
                *self.given.dimensions.values(),
                *keys,
                *(self.given.values[one] for one in self.fact.leaves),
            ]
            columns = [exp.column(name, table=rows.alias, quoted=True) for name in named]
            distinct = exp.Select(expressions=columns, distinct=exp.Distinct()).from_(rows, copy=False)
            rows = exp.Subquery(this=distinct, alias=rows.args["alias"].copy())
        return exp.Select().from_(rows, copy=False)

    def dimension(self, column: Column) -> exp.Expr:
        """See `Rows.dimension`."""
        return exp.column(self.given.dimensions[column.key], table=self.given.rows.alias, quoted=True)

    def leaf(self, leaf: Leaf) -> exp.Expr:
        """See `Rows.leaf`."""
        value = exp.column(self.given.values[leaf], table=self.given.rows.alias, quoted=True)
        return over(self.writing.model.measure(leaf[0]), value)


class FetchedRows:
    """The rows of one cube in each group, fetched by their keys; see `Rows`."""

    def __init__(self, writing: Writing, fact: Fact, grain: Grain, given: Given) -> None:
        self.writing = writing.within(())
        self.fact = fact
        self.grain = grain
        self.given = given

    def select(self) -> exp.Select:
        """See `Rows.select`."""
        writing, cube = self.writing, str(self.fact.keyed)
        assert self.fact.own is not None
        keys = writing.model.cubes[cube].primary_key
        names = [f"key_{n}" for n in range(len(keys))]
        values = [(self.given.dimensions[one.key], writing.name(one)) for one in self.grain.dimensions]
        values += zip(self.given.keys[self.fact.leaves[0][1]], names, strict=True)
        alias = self.given.rows.alias
        columns = [
            exp.alias_(exp.column(one, table=alias, quoted=True), name, quoted=True) for one, name in values
        ]
        distinct = exp.Select(expressions=columns, distinct=exp.Distinct())
        distinct.from_(self.given.rows.copy(), copy=False)
        # Keys that are all null are those of no row: an outer join put nulls there.
        equal = exp.NullSafeEQ if len(keys) > 1 else exp.EQ
        tests: list[exp.Expr] = [
            equal(this=exp.column(name, table=KEYS, quoted=True), expression=marks.wrapped(key.sql.copy()))
            for key, name in zip(keys, names, strict=True)
        ]
        if len(keys) > 1:
            tests.append(exp.Paren(this=present(writing.model, cube)))
        source = exp.Subquery(this=distinct, alias=exp.TableAlias(this=exp.to_identifier(KEYS, quoted=True)))
        select = joined(
            exp.Select().from_(source, copy=False), writing.source(cube), exp.and_(*tests, copy=False)
        )
        return writing.with_joins(select, self.fact.own)

    def dimension(self, column: Column) -> exp.Expr:
        """See `Rows.dimension`."""
        return exp.column(self.writing.name(column), table=KEYS, quoted=True)

    def leaf(self, leaf: Leaf) -> exp.Expr:
        """See `Rows.leaf`."""
        measure = self.writing.model.measure(leaf[0])
        return self.writing.local(aggregate(self.writing.model, measure, is_root=False))
