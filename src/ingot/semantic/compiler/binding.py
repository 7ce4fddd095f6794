"""Whether the model's SQL fits the tables of a state: what a query would only find out when somebody asks it.

Every member, join and cube is planned and bound by the engine without reading rows; what does not fit is a
problem at the place in the files where it is written.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ingot.errors import IngotError, NotFoundError, nearest
from ingot.project import Place, Problem
from ingot.semantic.context import ANYONE, Context
from ingot.semantic.errors import QueryError
from ingot.semantic.model import Cube, Dimension, Measure, Member, Model, Segment
from ingot.semantic.planner.plan import Plan, plan_resolved
from ingot.semantic.planner.resolve import resolve
from ingot.semantic.policy.policies import NONE
from ingot.semantic.query import parse

if TYPE_CHECKING:
    from ingot.engines import Engine
    from ingot.lake import State

_KEYS = {Dimension: "dimensions", Measure: "measures", Segment: "segments"}
_TOGETHER = 30

Bind = Callable[[Plan], None]


def check_binding(
    model: Model, state: "State", engine: "Engine", *, context: Context = ANYONE
) -> list[Problem]:
    """What of the model does not fit the tables of `state`; members that ask for a context are passed over."""

    def bind(plan: Plan) -> None:
        engine.query(f"SELECT * FROM ({plan.sql}\n) AS bound LIMIT 0", at=state, parameters=plan.parameters)

    def columns(table: str) -> Iterable[str]:
        return (one.name for one in state.table(table).schema) if table in state.tables else ()

    return _Binding(_open(model), {*state.tables, *state.views}, columns, bind, context).check()


def _open(model: Model) -> Model:
    """The model with nothing hidden from anybody."""
    return replace(
        model,
        members={n: replace(one, label=replace(one.label, public=True)) for n, one in model.members.items()},
        cubes={n: replace(one, label=replace(one.label, public=True)) for n, one in model.cubes.items()},
        views={n: replace(one, label=replace(one.label, public=True)) for n, one in model.views.items()},
        policies=NONE,
    )


class _Binding:
    def __init__(
        self,
        model: Model,
        tables: set[str],
        columns: Callable[[str], Iterable[str]],
        bind: Bind,
        context: Context,
    ) -> None:
        self.model = model
        self.columns = columns
        self.tables = tables
        self.bind = bind
        self.context = context
        self.problems: list[Problem] = []
        self.failed: set[str] = set()
        self.broken: set[str] = set()
        self.parted: set[tuple[str, str]] = set()
        """Joins that do not fit."""

    def check(self) -> list[Problem]:
        for cube in self.model.cubes.values():
            self.source(cube)
        for cube in self.model.cubes.values():
            self.joins(cube)
        for cube in self.model.cubes.values():
            if cube.name not in self.broken:
                self.members(cube)
        for view in self.model.views.values():
            own = [one for one in view.members.values() if one.own]
            self.all(
                [(one.full_name, one.member) for one in own if not self._is_broken(one.member)],
                lambda name, specs=view.specs: _place(specs, name.partition(".")[2]),  # type: ignore[misc]
            )
        return self.problems

    def source(self, cube: Cube) -> None:
        """The tables that a cube reads, and its own query."""
        spec = next((one for one in reversed(cube.specs) if one.sql or one.sql_table), None)
        if spec is None:
            return
        place = spec.place_of("sql_table" if spec.sql_table else "sql")
        known = {name.casefold() for name in self.tables}
        for table in cube.tables:
            if table.casefold() not in known:
                self.broken.add(cube.name)
                meant = nearest(table, self.tables) or _same_name(table, self.tables)
                self.problems.append(
                    Problem(place, f"cube '{cube.name}': there is no table '{table}'", nearest=meant)
                )
        if cube.name in self.broken or spec.sql_table:
            return
        some = next(iter(cube.dimensions.values()), None) or next(iter(cube.measures.values()), None)
        if some is None:
            return
        # The query of a cube is bound by itself: what is wrong in it would be told once a member.
        error = self.error({_KEYS[type(some)]: [some.full_name]})
        if isinstance(error, IngotError) and not self._has_good(cube):
            self.broken.add(cube.name)
            self.problems.append(self.told(place, f"cube '{cube.name}'", cube, error))

    def _has_good(self, cube: Cube) -> bool:
        """Whether some member of a cube can be asked, so that what fails is not the cube."""
        members: list[Member] = [*cube.dimensions.values(), *cube.measures.values()]
        return any(self.error({_KEYS[type(one)]: [one.full_name]}) is None for one in members)

    def members(self, cube: Cube) -> None:
        groups: list[Iterable[Member]] = [
            cube.dimensions.values(), cube.measures.values(), cube.segments.values(),
        ]  # fmt: skip
        for group in groups:
            self.all(
                [(one.full_name, one) for one in group if not self._is_broken(one)],
                lambda name: _place(cube.specs, name.partition(".")[2]),
            )

    def all(self, members: Sequence[tuple[str, Member]], place: Callable[[str], Place]) -> None:
        """Some members at a time, and one by one where these do not fit."""
        for start in range(0, len(members), _TOGETHER):
            some = members[start : start + _TOGETHER]
            if self.error(self.query(some)) is None:
                continue
            for name, member in some:
                error = None if self._is_broken(member) else self.alone(name, member)
                if isinstance(error, IngotError):
                    self.failed.add(member.full_name)
                    self.problems.append(self.told(place(name), name, self.model.cubes[member.cube], error))

    def alone(self, name: str, member: Member) -> "IngotError | str | None":
        """What the engine says to one member, by time where it cannot be asked otherwise."""
        query = self.query([(name, member)])
        error = self.error(query)
        times = [one for one in self.model.cubes[member.cube].dimensions.values() if one.type == "time"]
        if not isinstance(error, str) or not times or not isinstance(member, Measure):
            return error
        owner = name.partition(".")[0]
        time = times[0].full_name
        view = self.model.views.get(owner)
        if view is not None:
            time = next((n.full_name for n in view.members.values() if n.member is times[0]), time)
        by_time = {"dimension": time, "granularity": "day", "dateRange": ["2020-01-01", "2020-01-02"]}
        return self.error({**query, "timeDimensions": [by_time]})

    def query(self, members: Sequence[tuple[str, Member]]) -> Mapping[str, Any]:
        asked: dict[str, Any] = {}
        for name, member in members:
            asked.setdefault(_KEYS[type(member)], []).append(name)
        if "segments" in asked:
            cube = self.model.cubes[members[0][1].cube]
            some = next(iter(cube.dimensions.values()), None) or next(iter(cube.measures.values()), None)
            if some is None:
                return {}
            asked[_KEYS[type(some)]] = [some.full_name]
        return asked

    def joins(self, cube: Cube) -> None:
        for join in cube.joins:
            left = next(iter(cube.dimensions.values()), None)
            other = self.model.cubes.get(join.right)
            right = next(iter(other.dimensions.values()), None) if other is not None else None
            if left is None or right is None or self._is_broken(left) or self._is_broken(right):
                continue
            error = self.error({"dimensions": [left.full_name, right.full_name]})
            alone = [self.error({"dimensions": [one.full_name]}) for one in (left, right)]
            if isinstance(error, IngotError) and alone == [None, None]:
                self.parted.add((cube.name, join.right))
                named = (one for spec in reversed(cube.specs) for one in spec.joins if one.name == join.right)
                spec = next(named, cube.specs[-1])
                self.problems.append(
                    self.told(spec.place_of("sql"), f"join of '{cube.name}' to '{join.right}'", cube, error)
                )

    def _is_broken(self, member: Member) -> bool:
        """Whether something that a member stands on has its own problem already."""
        cubes = {member.cube, *(cube for path in member.paths for cube in path)}
        leaves = set(member.leaves) if isinstance(member, Measure) else set()
        if any(step in self.parted for path in member.paths for step in pairwise(path)):
            return True
        return bool(cubes & self.broken) or bool((leaves - {member.full_name}) & self.failed)

    def error(self, query: Mapping[str, Any]) -> IngotError | str | None:
        """What the engine says to a query; what the planner says as text, for it is about the query."""
        if not query:
            return None
        try:
            resolved = resolve(self.model, parse(query), now=datetime.now(UTC))
            plan = plan_resolved(self.model, resolved, context=self.context)
        except QueryError as error:
            return error.message
        try:
            self.bind(plan)
        except IngotError as error:
            return error
        return None

    def told(self, place: Place, what: str, cube: Cube, error: IngotError) -> Problem:
        """What the engine said, as a problem."""
        if not isinstance(error, NotFoundError):
            return Problem(place, f"{what}: {error.message.partition(chr(10))[0].strip()}")
        cubes = [
            cube,
            *(self.model.cubes[join.right] for join in cube.joins if join.right in self.model.cubes),
        ]
        known = [name for one in cubes for table in one.tables for name in self.columns(table)]
        return Problem(
            place, f"{what}: there is no {error.kind} '{error.name}'", nearest=nearest(error.name, known)
        )


def _place(specs: Sequence[Any], name: str) -> Place:
    """Where the SQL of a member stands."""
    for spec in reversed(specs):
        for group in (spec.dimensions, spec.measures, spec.segments):
            for one in group:
                if one.name == name:
                    found: Place = one.place_of("sql")
                    return found
    last: Place = specs[-1].place
    return last


def _same_name(table: str, tables: Iterable[str]) -> str | None:
    """The one table of that name in another schema."""
    found = [
        one for one in tables if one.rpartition(".")[2].casefold() == table.rpartition(".")[2].casefold()
    ]
    return found[0] if len(found) == 1 else None
