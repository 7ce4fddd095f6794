"""Rollups that would answer what was asked, those first that save the most time.

Each suggestion is tried against the logged questions by the very rules that choose rollups, so that what it
promises is what it does.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from ingot.errors import IngotError
from ingot.project.rollup import PreAggregation
from ingot.semantic.model import Dimension, Measure, Model
from ingot.semantic.planner.fanout import Fact
from ingot.semantic.planner.plan import plan_resolved
from ingot.semantic.planner.resolve import Resolved, conditions, resolve
from ingot.semantic.query import parse
from ingot.semantic.rollups import periods
from ingot.semantic.rollups.declare import declared_rollups
from ingot.semantic.rollups.definition import Rollup
from ingot.semantic.rollups.library import Choice

_MOST_DIMENSIONS = 6
_ADDITIVE = frozenset({"count", "sum", "min", "max", "avg", "count_distinct_approx"})


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A rollup, and what of the logged time its questions took."""

    cube: str
    name: str
    definition: dict[str, Any]
    queries: int
    seconds: float

    @property
    def yaml(self) -> str:
        """Its text below `pre_aggregations` of the cube."""
        return str(yaml.safe_dump([self.definition], sort_keys=False, allow_unicode=True))


@dataclass(slots=True)
class _Wish:
    """A rollup in the making: the members that questions of one cube and time need."""

    cube: str
    time: str | None
    granularity: str | None
    exact: bool
    measures: dict[str, None] = field(default_factory=dict)
    dimensions: dict[str, None] = field(default_factory=dict)
    segments: dict[str, None] = field(default_factory=dict)
    seconds: float = 0.0

    def takes(self, other: "_Wish") -> bool:
        """Whether both fit into one rollup that is not much finer than either."""
        if (self.cube, self.time) != (other.cube, other.time):
            return False
        same = (self.granularity, set(self.dimensions), set(self.segments)) == (
            other.granularity, set(other.dimensions), set(other.segments)
        )  # fmt: skip
        if self.exact or other.exact:
            return same
        return len({*self.dimensions, *other.dimensions}) <= _MOST_DIMENSIONS

    def add(self, other: "_Wish") -> None:
        self.measures |= other.measures
        self.dimensions |= other.dimensions
        self.segments |= other.segments
        self.seconds += other.seconds
        self.granularity = _finer(self.granularity, other.granularity)


def suggestions(
    model: Model, entries: Iterable[dict[str, Any]], known: Sequence[Rollup] = (), *, most: int = 5
) -> list[Suggestion]:
    """Rollups for the logged questions that no known one answered, at most `most`."""
    asked: list[tuple[Resolved, float]] = []
    for entry in entries:
        if entry.get("rollups"):
            continue
        try:
            query = resolve(model, parse(entry["query"]))
        except (IngotError, KeyError, TypeError):
            continue  # of an earlier model
        if not _answers(model, known, query):
            asked.append((query, float(entry.get("seconds", 0))))
    wishes: list[_Wish] = []
    for query, seconds in sorted(asked, key=lambda one: -one[1]):
        wish = _wish(query, seconds)
        if wish is None:
            continue
        home = next((one for one in wishes if one.takes(wish)), None)
        if home is None:
            wishes.append(wish)
        else:
            home.add(wish)
    taken = {one.full_name for one in known}
    found = []
    for wish in sorted(wishes, key=lambda one: -one.seconds)[: most * 3]:
        made = _tried(model, wish, asked, taken)
        if made is not None:
            taken.add(f"{made.cube}.{made.name}")
            found.append(made)
    return sorted(found, key=lambda one: -one.seconds)[:most]


def _wish(query: Resolved, seconds: float) -> _Wish | None:
    if query.ungrouped or not query.measures:
        return None
    measures = [column.found.member for column in query.measures]
    measures += [one.found.member for tree in query.having for one in conditions(tree)]
    filtered = [one for tree in query.where for one in conditions(tree)]
    first = measures[0]
    wish = _Wish(first.cube, None, None, exact=False, seconds=seconds)
    for one in measures:
        assert isinstance(one, Measure)
        wish.measures[one.full_name] = None
    for column in query.dimensions:
        member = column.found.member
        if column.granularity is None:
            wish.dimensions[member.full_name] = None
        elif wish.time in (None, member.full_name):
            wish.time = member.full_name
            wish.granularity = _finer(wish.granularity, _of_zone(column.granularity, query.timezone))
        else:
            return None
    for condition in filtered:
        member = condition.found.member
        if isinstance(member, Dimension) and member.type == "time":
            if wish.time not in (None, member.full_name):
                return None
            wish.time = member.full_name
            wish.granularity = _finer(wish.granularity, _of_zone("day", query.timezone))
        else:
            wish.dimensions[member.full_name] = None
    for segment in query.segments:
        wish.segments[segment.member.full_name] = None
    leaves = [name for one in measures if isinstance(one, Measure) for name in one.leaves]
    wish.exact = any(_kind(query, name) not in _ADDITIVE for name in leaves)
    return wish


def _kind(query: Resolved, name: str) -> str:
    for column in query.measures:
        member = column.found.member
        if isinstance(member, Measure) and member.full_name == name:
            return member.aggregate
    return "sum"


def _of_zone(granularity: str, zone: str) -> str:
    return granularity if zone == "UTC" or granularity in ("second", "minute", "hour") else "hour"


def _finer(one: str | None, other: str | None) -> str | None:
    if one is None or other is None:
        return one or other
    if periods.inside(one, other):
        return one
    return other if periods.inside(other, one) else "day"


def _tried(
    model: Model, wish: _Wish, asked: Sequence[tuple[Resolved, float]], taken: set[str]
) -> Suggestion | None:
    definition = _definition(wish, taken)
    spec = PreAggregation.model_validate(definition)
    cube = _Spec(wish.cube, (spec,))
    try:
        made = declared_rollups(_Project((cube,)), model)
    except IngotError:
        return None
    if any(one.never is not None for one in made):
        return None
    good = [seconds for query, seconds in asked if _answers(model, made, query)]
    if not good:
        return None
    return Suggestion(wish.cube, definition["name"], definition, len(good), round(sum(good), 6))


def _definition(wish: _Wish, taken: set[str]) -> dict[str, Any]:
    def named(full_name: str) -> str:
        cube, _, name = full_name.partition(".")
        return f"CUBE.{name}" if cube == wish.cube else full_name

    parts = [one.replace(".", "_").removeprefix(f"{wish.cube}_") for one in wish.dimensions][:2]
    base = (
        "_".join(["by", *parts, *([wish.granularity] if wish.granularity else [])])
        if parts or wish.granularity
        else "whole"
    )
    name, n = base, 1
    while f"{wish.cube}.{name}" in taken:
        n += 1
        name = f"{base}_{n}"
    found: dict[str, Any] = {"name": name, "measures": [named(one) for one in sorted(wish.measures)]}
    if wish.dimensions:
        found["dimensions"] = [named(one) for one in sorted(wish.dimensions)]
    if wish.segments:
        found["segments"] = [named(one) for one in sorted(wish.segments)]
    if wish.time is not None:
        found["time_dimension"] = named(wish.time)
        found["granularity"] = wish.granularity
        found["partition_granularity"] = "month"
    return found


def _answers(model: Model, rollups: Sequence[Rollup], query: Resolved) -> bool:
    """Whether the rollups would answer all facts of a question."""
    if not rollups or query.ungrouped:
        return False
    choice = Choice(_Trial(rollups), model, None)
    try:
        plan_resolved(model, query, reader=choice)
    except IngotError:
        return False
    return bool(choice.tried) and all(any(one.matched for one in tried) for _, tried in choice.tried)


@dataclass(frozen=True, slots=True)
class _Trial:
    """Rollups of which nothing is built."""

    rollups: Sequence[Rollup]
    only: bool = False

    def about(self, model: Model, fact: Fact) -> list[Rollup]:  # noqa: ARG002 - as `Rollups` has it
        return [one for one in self.rollups if one.kind != "original_sql" and fact.tree.root in one.joined]

    def originals(self, model: Model, cubes: set[str]) -> list[Rollup]:  # noqa: ARG002 - as `Rollups` has it
        return []

    def builds(self, rollup: Rollup, at: object) -> tuple[None, ...]:  # noqa: ARG002 - as `Rollups` has it
        return (None,) * max(1, len(rollup.parts))


@dataclass(frozen=True, slots=True)
class _Spec:
    name: str
    pre_aggregations: tuple[PreAggregation, ...]
    extends: str | None = None


@dataclass(frozen=True, slots=True)
class _Project:
    cubes: tuple[_Spec, ...]
