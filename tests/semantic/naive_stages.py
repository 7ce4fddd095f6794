"""What rolling, shifted and multi-stage measures of the shop mean, by nested loops. Knows no SQL.

By definition: a measure has a value for each group of a *scope* (dimensions, filters, how far times are moved).
A rolling measure aggregates the rows in each period's window; a multi-stage measure changes the scope, and
aggregates, or ranks, the values that other measures have there.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from tests.semantic import naive
from tests.semantic.naive import Row, Rows, split
from tests.semantic.naive_measures import CALCULATED, NO_SHIFT, ROLLING, STAGES, TIME, Scope, Stage, Window
from tests.semantic.naive_times import floor, local, periods

Key = tuple[Any, ...]
Filter = tuple[str, str, list[Any]]


SUB_QUERIES = {
    "customers.spent": (["customers"], lambda j: naive.get(j["customers"], "spent")),
    "customers.order_count": (["customers"], lambda j: naive.get(j["customers"], "order_count")),
    "customers.spent_here": (["customers"], lambda j: naive.get(j["customers"], "spent_here")),
    "customers.id": (["customers"], lambda j: naive.get(j["customers"], "id")),
}
DIMENSIONS = naive.DIMENSIONS | SUB_QUERIES
LEAVES = naive.LEAVES | {
    "customers.mean_spent": lambda rows, _: naive.mean(naive.known(naive.column(rows, "spent"))),
    "customers.spenders": lambda rows, _: sum((row["spent"] or 0) >= 5 for row in rows),
}


class UnanswerableError(Exception):
    """The query has no sound answer."""


class Evaluator:
    """Answers one query; `values` of a scope are computed once."""

    def __init__(self, world: Rows, top: Scope, measures: list[str]) -> None:
        self.world = world
        self.top = top
        self._values: dict[tuple[str, Scope], dict[Key, Any]] = {}
        self._span: tuple[datetime, datetime] | None = None
        self.rolled = [one for name in measures for one in self.rolling_in(name, top)]

    def answer(self, measures: list[str]) -> dict[Key, Key]:
        keys = {key for name in measures for key in self.rows(name, self.top)}
        if not self.top.dimensions:
            keys = {()}
        return {key: tuple(self.value(name, self.top, key) for name in measures) for key in keys}

    def value(self, name: str, scope: Scope, key: Key) -> Any:
        if name in CALCULATED:
            parts, calculate = CALCULATED[name]
            return calculate(*(self.value(one, scope, key) for one in parts))
        if name not in STAGES:
            return self.values(name, scope).get(key, LEAVES[base(name)]([], self.world))
        stage = STAGES[name]
        inside = self.entered(stage, scope)
        if stage.fold is None and not stage.rank:
            here = self.cut(key, scope, inside)
            return stage.value(*(self.value(one, inside, here) for one in stage.of))
        empty = 0 if name == "orders.big_cities" else None
        return self.values(name, inside).get(self.cut(key, scope, inside), empty)

    def values(self, name: str, scope: Scope) -> dict[Key, Any]:
        """The values of an aggregate by group; of a multi-stage measure, in the scope that it has made."""
        at = (name, scope)
        if at not in self._values:
            self._values[at] = self.compute(name, scope)
        return self._values[at]

    def compute(self, name: str, scope: Scope) -> dict[Key, Any]:
        if name not in STAGES:
            return self.aggregated(name, scope)
        stage = STAGES[name]
        more = tuple(one for one in stage.add if one not in scope.dimensions)
        wide = replace(scope, dimensions=(*scope.dimensions, *more))
        rows = {row for one in stage.of for row in self.rows(one, wide)} or (
            {()} if not wide.dimensions else set()
        )
        inner = {row: stage.value(*(self.value(one, wide, row) for one in stage.of)) for row in rows}
        if stage.rank:
            return self.ranked(stage, scope, inner)
        assert stage.fold is not None
        groups: dict[Key, list[Any]] = {} if scope.dimensions else {(): []}
        for row, value in inner.items():
            groups.setdefault(row[: len(scope.dimensions)], []).append(value)
        return {key: stage.fold(values) for key, values in groups.items()}

    def ranked(self, stage: Stage, scope: Scope, inner: dict[Key, Any]) -> dict[Key, Any]:
        def together(row: Key) -> Key:
            named = zip(row, scope.dimensions, strict=True)
            return tuple(value for value, one in named if split(one)[0] not in stage.drop)

        def before(a: Any, b: Any) -> bool:  # the largest first, nulls last
            return a is not None and (b is None or a > b)

        return {
            row: 1 + sum(together(other) == together(row) and before(v, value) for other, v in inner.items())
            for row, value in inner.items()
        }

    def rows(self, name: str, scope: Scope) -> set[Key]:
        """The groups that a measure gives to an answer in this scope."""
        if name in CALCULATED:
            return {row for one in CALCULATED[name][0] for row in self.rows(one, scope)}
        if name not in STAGES:
            return set(self.values(name, scope))
        stage = STAGES[name]
        inside = self.entered(stage, scope)
        same = (inside.dimensions, inside.filters, inside.dates) == (
            scope.dimensions,
            scope.filters,
            scope.dates,
        )
        if same and (stage.fold is not None or stage.rank):
            return set(self.values(name, inside))
        beside = inside if same else replace(scope, shift=inside.shift)
        return {row for one in stage.of for row in self.rows(one, beside)}

    def entered(self, stage: Stage, scope: Scope) -> Scope:
        shift = dict(scope.shift)
        times = {split(one)[0] for one in scope.dimensions if split(one)[0].endswith("_at")}
        times |= {TIME} if scope.dates is not None else set()
        for one in times if stage.shift != NO_SHIFT else ():
            if stage.only in (None, one):
                past = shift.get(one, NO_SHIFT)
                shift[one] = (past[0] + stage.shift[0], past[1] + stage.shift[1], past[2] + stage.shift[2])
        if stage.filters is not None:
            filters, dates = stage.filters(scope, self.top)
            scope = replace(scope, filters=filters, dates=dates)
        kept = scope.dimensions
        if not stage.rank:
            kept = tuple(
                one
                for one in kept
                if (stage.keep is None or split(one)[0] in stage.keep) and split(one)[0] not in stage.drop
            )
        return replace(scope, dimensions=kept, shift=tuple(sorted(shift.items())))

    @staticmethod
    def cut(key: Key, scope: Scope, inside: Scope) -> Key:
        named = dict(zip(scope.dimensions, key, strict=True))
        return tuple(named[one] for one in inside.dimensions)

    # -- rows ------------------------------------------------------------------------------------------

    def aggregated(self, name: str, scope: Scope) -> dict[Key, Any]:
        cube = name.partition(".")[0]
        window = ROLLING.get(name)
        series = self.series(name, scope) if window is not None else None
        groups: dict[Key, dict[int, Row]] = {} if scope.dimensions else {(): {}}
        others = [one for one in scope.dimensions if split(one)[0] != TIME]
        if series is not None and not others:
            for start, _ in series:
                groups.setdefault(self.key({}, scope, start), {})
        for row in self.passing(name, replace(scope, dates=None) if window is not None else scope):
            own = row[cube]
            for place in self.places(row, scope, window, series):
                inner = groups.setdefault(self.key(row, scope, place), {})
                if own is not None:
                    inner[own["id"]] = own
        return {key: LEAVES[base(name)](list(found.values()), self.world) for key, found in groups.items()}

    def places(
        self, row: Any, scope: Scope, window: Window | None, series: list[tuple[datetime, datetime]] | None
    ) -> list[datetime | None]:
        if window is None:
            return [None]
        raw = naive.get(row["orders"], "created_at")
        if raw is None:
            return []
        time = local(raw, scope.zone, scope.moved(TIME))
        return [start for start, end in series or [] if window.holds(time, start, end)]

    def key(self, row: Any, scope: Scope, start: datetime | None) -> Key:
        return tuple(self.dimension(one, row, scope, start) for one in scope.dimensions)

    def dimension(self, name: str, row: Any, scope: Scope, start: datetime | None) -> Any:
        member, grain = split(name)
        if start is not None and member == TIME:
            assert grain is not None
            return floor(start, grain)
        value = DIMENSIONS[member][1](row)
        if not member.endswith("_at") or value is None:
            return value
        time = local(value, scope.zone, scope.moved(member))
        return time if grain is None else floor(time, grain)

    def passing(self, name: str, scope: Scope) -> list[Any]:
        """The joined rows that pass the scope's filters."""
        measured = base(name)
        needed = [measured.partition(".")[0], *naive.EXTRA_CUBES.get(measured, [])]
        needed += [cube for one in scope.dimensions for cube in DIMENSIONS[split(one)[0]][0]]
        needed += [cube for member, _, _ in scope.filters for cube in DIMENSIONS[member][0]]
        if scope.dates is not None or name in ROLLING:
            needed.append("orders")
        found = []
        for row in naive.joined(needed, self.world):
            passes = all(
                naive.passes(DIMENSIONS[member][1](row), operator, list(values))
                for member, operator, values in scope.filters
            )
            if passes and (scope.dates is None or self.within(row, scope)):
                found.append(row)
        return found

    def within(self, row: Any, scope: Scope) -> bool:
        raw = naive.get(row["orders"], "created_at")
        assert scope.dates is not None
        return (
            raw is not None and scope.dates[0] <= local(raw, scope.zone, scope.moved(TIME)) < scope.dates[1]
        )

    # -- periods ---------------------------------------------------------------------------------------

    def series(self, name: str, scope: Scope) -> list[tuple[datetime, datetime]]:
        grains = [split(one)[1] for one in scope.dimensions if split(one)[0] == TIME]
        if not grains:
            if scope.dates is None:
                raise UnanswerableError(name)
            return [scope.dates]
        assert len(grains) == 1
        assert grains[0] is not None
        if scope.dates is not None:
            return periods(scope.dates[0], scope.dates[1] - timedelta(microseconds=1), grains[0])
        reached = self.reached(scope)
        return [] if reached is None else periods(*reached, grains[0])

    def reached(self, scope: Scope) -> tuple[datetime, datetime] | None:
        """The first and the last time of the rows of all measures that roll over the same periods."""
        times = [
            local(raw, at.zone, at.moved(TIME))
            for name, at in self.rolled
            if [one for one in at.dimensions if split(one)[0] == TIME]
            == [one for one in scope.dimensions if split(one)[0] == TIME]
            and at.dates is None
            for row in self.passing(name, at)
            for raw in [naive.get(row["orders"], "created_at")]
            if raw is not None
        ]
        return (min(times), max(times)) if times else None

    def rolling_in(self, name: str, scope: Scope) -> list[tuple[str, Scope]]:
        """The rolling measures that a measure is made of, each with its scope."""
        if name in ROLLING:
            return [(name, scope)]
        if name in CALCULATED:
            return [found for one in CALCULATED[name][0] for found in self.rolling_in(one, scope)]
        if name not in STAGES:
            return []
        stage = STAGES[name]
        inside = self.entered(stage, scope)
        wide = replace(inside, dimensions=(*inside.dimensions, *stage.add))
        return [found for one in stage.of for found in self.rolling_in(one, wide)]


def base(name: str) -> str:
    return ROLLING[name].base if name in ROLLING else name


def with_sub_queries(world: Rows, top: Scope) -> Rows:
    """The world, where each customer also has the values of the dimensions with sub-queries."""

    def per_customer(name: str, scope: Scope) -> dict[Key, Any]:
        alone = replace(scope, dimensions=("customers.id",))
        return Evaluator(world, alone, []).values(name, alone)

    plain = replace(top, filters=(), dates=None)
    here = replace(top, filters=tuple(one for one in top.filters if one[0] not in SUB_QUERIES))
    spent, counts = per_customer("orders.total", plain), per_customer("orders.count", plain)
    asked = any(
        one.startswith("customers.spent_here") for one in (*top.dimensions, *(f[0] for f in top.filters))
    )
    spent_here = per_customer("orders.total", here) if asked else {}
    customers = [
        one
        | {
            "spent": spent.get((one["id"],)),
            "order_count": counts.get((one["id"],), 0) + 1,
            "spent_here": spent_here.get((one["id"],)),
        }
        for one in world["customers"]
    ]
    return world | {"customers": customers}
