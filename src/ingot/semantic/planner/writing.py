"""What all parts of one statement are written with: the model, the zone, the parameters and the names.

Knows nothing of groups or aggregates: those are the business of `rows_of` and `statement`.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import copy

from sqlglot import exp

from ingot.semantic.context import ANYONE, Context
from ingot.semantic.errors import QueryError
from ingot.semantic.intervals import Interval
from ingot.semantic.model import Dimension, Model
from ingot.semantic.planner.building import joined
from ingot.semantic.planner.filling import Filling
from ingot.semantic.planner.filters import Parameters, condition
from ingot.semantic.planner.joins import Tree as Joined
from ingot.semantic.planner.resolve import Column, Condition, Tree
from ingot.semantic.planner.times import as_timestamp, shifted, truncated
from ingot.semantic.policy.limited import visible
from ingot.semantic.stages import Granularity, SubQuery

_NONE = Interval()


class Writing:
    """One statement in the making."""

    def __init__(
        self,
        model: Model,
        zone: str,
        columns: Sequence[Column],
        sub_query: Callable[[SubQuery], exp.Expr] | None = None,
        context: Context = ANYONE,
    ) -> None:
        self.model = model
        self.context = context
        self.cubes: set[str] = set()
        """The cubes that are read."""
        self.stored: Mapping[str, exp.Expr] = {}
        """Where the rows of a cube are kept that its SQL would compute."""
        self.rows: Mapping[str, Tree] = {}
        """What the rows of a cube must fulfil to be there at all."""
        self._sub_query = sub_query
        self.zone = zone
        self.parameters = Parameters()
        self._names = aliases(columns)
        self._used = {name.casefold() for name in self._names.values()}
        self._filling = self._filled_with(())

    def within(self, where: Sequence[Tree]) -> "Writing":
        """The same statement where these conditions hold: FILTER_PARAMS in the model get them."""
        found = copy(self)
        found._filling = self._filled_with(where)  # noqa: SLF001 - its own class
        return found

    def _filled_with(self, where: Sequence[Tree]) -> Filling:
        return Filling(self.model, where, zone=self.zone, parameters=self.parameters, context=self.context)

    def name(self, column: Column) -> str:
        """The column's name in SQL, the same everywhere in the statement."""
        found = self._names.get(column.key)
        if found is None:
            found = self._names[column.key] = _free(column.alias, self._used)
        return found

    def local(self, value: exp.Expr) -> exp.Expr:
        """`value` with its marks filled: local times, filters, who asks."""
        return self._filling.fill(value)

    def value(self, column: Column, shift: Interval = _NONE) -> exp.Expr:
        """The value of a dimension in a joined row, which is moved in time by `shift`."""
        member = column.found.member
        assert isinstance(member, Dimension)
        if member.type != "time":
            return self.local(member.sql.copy())
        period = column.period
        if isinstance(period, Granularity) and period.sql is not None:
            if shift:
                raise QueryError(
                    f"'{column.key}' is a granularity in SQL, along which no time can be shifted."
                )
            return as_timestamp(self.local(period.sql.copy()))
        value = self.time(member, shift)
        return truncated(value, period) if period is not None else value

    def time(self, member: Dimension, shift: Interval = _NONE) -> exp.Expr:
        """The local time of a joined row, moved by `shift`."""
        return shifted(self.local(member.sql.copy()), self.zone, shift)

    def condition(self, one: Condition, column: Callable[[], exp.Expr]) -> exp.Expr:
        """The SQL of a condition on what `column` writes."""
        return condition(one, column, zone=self.zone, parameters=self.parameters)

    def local_condition(self, one: Condition, time: Callable[[], exp.Expr]) -> exp.Expr:
        """The SQL of a condition on a local time."""
        return condition(one, time, zone="UTC", parameters=self.parameters)

    def joined(self, whole: Joined) -> exp.Select:
        """FROM of a tree of joins."""
        return self.with_joins(exp.Select().from_(self.source(whole.root), copy=False), whole)

    def with_joins(self, select: exp.Select, whole: Joined) -> exp.Select:
        """`select` with the tree's joins; its root must be there."""
        for join in whole.joins:
            on = self.local(join.sql.copy())
            select = joined(select, self.source(join.right), on)
        return select

    def source(self, cube: str) -> exp.Expr:
        """The rows of a cube, or of a sub-query that stands for one, under its name."""
        if cube in self.model.sub_queries:
            assert self._sub_query is not None
            return exp.alias_(
                self._sub_query(self.model.sub_queries[cube]), cube, table=True, quoted=True, copy=False
            )
        self.cubes.add(cube)
        found = self.model.cubes[cube]
        if cube in self.stored:
            source = self.stored[cube].copy()
        else:
            source = self.local(found.source.copy()) if found.marked else found.source.copy()
        if cube in self.rows:
            source = visible(self, cube, source, self.rows[cube])
        return exp.alias_(source, cube, table=True, quoted=True, copy=False)


def aliases(columns: Sequence[Column]) -> dict[str, str]:
    """A name in SQL for each column, unlike all others however the engine compares names."""
    used: set[str] = set()
    return {column.key: _free(column.alias, used) for column in columns}


def _free(wanted: str, used: set[str]) -> str:
    name, n = wanted, 1
    while name.casefold() in used:
        n += 1
        name = f"{wanted}_{n}"
    used.add(name.casefold())
    return name
