"""Aggregates over rows that somebody else has joined: of each group, the rows of a measure's cube once each.

What is given is a derived table with the groups' values and the keys of the cubes' rows, null where a row has none of
the cube. Which rows these are is not asked here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from ingot.semantic import marks
from ingot.semantic.context import ANYONE, Context
from ingot.semantic.model import Model, Path
from ingot.semantic.planner.aggregates import aggregate, present
from ingot.semantic.planner.building import joined
from ingot.semantic.planner.fanout import Fact, Grain, Leaf, leaves
from ingot.semantic.planner.joins import tree
from ingot.semantic.planner.resolve import Column, Resolved
from ingot.semantic.planner.rows_of import KEYS
from ingot.semantic.planner.statement import Statement
from ingot.semantic.planner.writing import Writing
from ingot.semantic.rollups import sketch

Keys = Mapping[Path, Sequence[str]]
"""By the path to a cube: the columns of the given rows that are its primary key."""


@dataclass(frozen=True, slots=True)
class Given:
    """Joined rows: a derived table, its columns with the dimensions' values, and those with keys."""

    rows: exp.Subquery
    dimensions: Mapping[str, str]
    """By the key of a column of the query."""
    keys: Keys


def selected(
    model: Model, query: Resolved, given: Given, *, context: Context = ANYONE
) -> tuple[Statement, exp.Select]:
    """The SELECT of a query's dimensions and measures over given rows, and what it was written with.

    `given` has a value for each dimension of the query and a key for each cube of its aggregates. Each group of the
    given rows is there, also one that has no row of a cube.
    """
    statement = Statement(model, query, context=context)
    statement.reader = lambda writing, fact, _: GivenRows(writing, fact, statement.grain, given)
    select = statement.grouped(_facts(model, leaves(query)))
    return statement, sketch.computed(select)


def _facts(model: Model, asked: Iterable[Leaf]) -> tuple[Fact, ...]:
    found: dict[Path, list[str]] = {}
    for name, path in asked:
        found.setdefault(path, []).append(name)
    made = []
    for path, names in found.items():
        own = tree(model.edges, [step for name in names for step in model.measure(name).paths])
        made.append(Fact(own, tuple((name, path) for name in names), path[-1], own))
    return tuple(made)


class GivenRows:
    """The rows of one cube in each group; see `Rows`."""

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
