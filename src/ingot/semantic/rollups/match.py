"""Can a rollup answer a fact? Yes and how, or all the reasons why not, in plain words.

Pure: it looks at the definition, the fact and what is known of the stored rows (their time range), never at
files. What it accepts gives the same numbers as the cubes' tables:

- the fact's joins are among the rollup's, and what the rollup joins beyond them neither repeats nor drops rows;
- every group and every filter is told by stored columns, and no filter cuts through a stored period;
- aggregates are put together from stored parts where they can be (sums, counts, extremes, averages, sketches);
  any other is taken as it is, and only where a stored row is a group of the question.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlglot import exp

from ingot.semantic import marks
from ingot.semantic.model import Dimension, Found, Measure, Model
from ingot.semantic.planner import dates
from ingot.semantic.planner.fanout import Fact, Grain
from ingot.semantic.planner.resolve import RANGES, Column, Condition, Tree, conditions
from ingot.semantic.rollups import periods
from ingot.semantic.rollups.definition import Rollup, StoredDimension, StoredFact, Window

_ADDITIVE = frozenset({"count", "sum", "min", "max", "avg", "count_distinct_approx"})
_TEXT = frozenset({"contains", "notContains", "startsWith", "notStartsWith", "endsWith", "notEndsWith"})
_MOMENTS = {"gte", "lt"}


@dataclass(frozen=True, slots=True)
class Extent:
    """What is known of stored rows: their first and last time, and the window that was built (None: all)."""

    first: datetime | None = None
    last: datetime | None = None
    window: Window | None = None


@dataclass(frozen=True, slots=True)
class Use:
    """How a fact is read from a rollup."""

    rollup: Rollup
    fact: StoredFact
    columns: dict[str, StoredDimension]
    """The stored column of each column of the grain, by key."""
    wanted: tuple[str, ...]
    """The aggregates that are asked for."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Why a rollup cannot answer a fact."""

    rollup: Rollup
    reasons: tuple[str, ...]


def match(rollup: Rollup, fact: Fact, grain: Grain, zone: str, extent: Extent) -> Use | Mismatch:
    """How `rollup` answers `fact` at `grain` with times shown in `zone`, or why it cannot."""
    looked = _Look(rollup, fact, grain, zone, extent)
    use = looked.use()
    return Mismatch(rollup, tuple(dict.fromkeys(looked.reasons))) if use is None else use


class _Look:
    def __init__(self, rollup: Rollup, fact: Fact, grain: Grain, zone: str, extent: Extent) -> None:
        self.rollup = rollup
        self.model: Model = rollup.model
        self.fact = fact
        self.grain = grain
        self.zone = zone
        self.extent = extent
        self.reasons: list[str] = []

    def no(self, reason: str) -> None:
        self.reasons.append(reason)

    def use(self) -> Use | None:
        if self.rollup.never is not None:
            self.no(f"can never be stored: {self.rollup.never}")
            return None
        stored = self.stored_fact()
        if self.grain.rolling is not None:
            self.rolling()
        columns = {column.key: found for column in self.grain.dimensions if (found := self.column(column))}
        for tree in self.grain.where:
            for one in conditions(tree):
                self.condition(one)
        for segment in self.grain.segments:
            if self.flagged(segment) is None:
                self.no(f"lacks the segment {segment.member.full_name}")
        self.window()
        if stored is not None:
            self.whole_groups()
            self.zone_free(stored)
        if self.reasons or stored is None:
            return None
        return Use(self.rollup, stored, columns, stored_names(self.fact))

    # -- rows -----------------------------------------------------------------------------------------

    def stored_fact(self) -> StoredFact | None:
        """The stored fact that is computed from the same rows."""
        wanted = [name for name, _ in self.fact.leaves]
        have = {name: one for one in self.rollup.facts for name in one.leaves}
        for name in wanted:
            if name not in have:
                self.no(f"lacks the measure {name}")
        if any(name not in have for name in wanted):
            return None
        candidates = list(dict.fromkeys(have[name] for name in wanted)) or list(self.rollup.facts)
        if len(candidates) > 1 and wanted:
            self.no(f"computes {wanted[0]} and another measure from different rows")
            return None
        before = len(self.reasons)
        for one in candidates:
            tried: list[str] = list(self.joins(one))
            if not tried:
                del self.reasons[before:]
                return one
            self.reasons += tried
        return None

    def joins(self, stored: StoredFact) -> Iterator[str]:
        ours, theirs = self.fact, stored.fact
        if ours.tree.root != theirs.tree.root:
            yield (
                f"begins its joins with cube {theirs.tree.root}, the question with {ours.tree.root}, "
                "so that they are about different rows"
            )
            return
        for join in ours.tree.joins:
            if join not in theirs.tree.joins:
                yield f"does not join {join.left} to {join.right}"
        if ours.leaves and ours.keyed is None and theirs.keyed is not None:
            yield (
                f"counts rows of {theirs.keyed} once for each group, because its dimensions repeat them, "
                "and such numbers cannot be added up"
            )
        elif ours.leaves and ours.keyed is None:
            for join in theirs.tree.joins:
                if join not in ours.tree.joins and join.many_to_right:
                    yield f"repeats rows by its join of {join.left} to {join.right}, which the question does not need"
        if ours.keyed is not None and theirs.keyed != ours.keyed:
            yield f"does not count rows of {ours.keyed} once, which the question's joins repeat"

    # -- columns --------------------------------------------------------------------------------------

    def column(self, column: Column) -> StoredDimension | None:
        member = column.found.member
        same = [one for one in self.rollup.dimensions if one.member is member]
        if not same:
            self.no(f"lacks the dimension {member.full_name}")
            return None
        if not (isinstance(member, Dimension) and member.type == "time"):
            return same[0]
        if self.grain.rolling is not None and self.grain.rolling.member == member.full_name:
            return same[0]
        good = [one for one in same if self.tells(one, column)]
        if not good:
            self.granularity_reason(same, column)
            return None
        exact = [one for one in good if one.granularity == column.granularity]
        return (exact or sorted(good, key=_coarsest))[0]

    def tells(self, stored: StoredDimension, column: Column) -> bool:
        """Whether a stored time tells the period that is asked for."""
        if stored.granularity is None:
            return True
        shift = self.grain.shift(column.found.member.full_name)
        if not periods.holds(stored.granularity, column) or not periods.steady(stored.granularity, shift):
            return False
        return self.keeps(stored)

    def keeps(self, stored: StoredDimension) -> bool:
        """Whether each stored period lies within one of the zone."""
        assert stored.granularity is not None
        return periods.zone_keeps(self.zone, stored.granularity, self.extent.first, self.extent.last)

    def granularity_reason(self, same: list[StoredDimension], column: Column) -> None:
        name = column.found.member.full_name
        kept = " and ".join(f"'{one.granularity}'" for one in same)
        if column.granularity is None:
            self.no(f"keeps {name} by {kept} only, and the question asks for it without a granularity")
        elif not any(periods.holds(one.granularity or "second", column) for one in same):
            self.no(f"keeps {name} by {kept}, of which no '{column.granularity}' is made")
        elif not any(periods.steady(one.granularity or "second", self.grain.shift(name)) for one in same):
            self.no(f"keeps {name} by {kept}, along which its times cannot be shifted as the measure asks")
        else:
            self.no(
                f"keeps {name} by {kept} of UTC, whose borders are not those of {self.zone}: granularity 'hour' "
                "would fit zones of whole hours"
            )

    def rolling(self) -> None:
        """A stored period must lie in a window or out of it, as a whole."""
        rolling = self.grain.rolling
        assert rolling is not None
        same = [one for one in self.rollup.dimensions if one.member is rolling.time.member]
        if not same:
            self.no(f"lacks the dimension {rolling.member}, along which a measure rolls")
        elif rolling_column(same, self.grain, self.keeps) is None:
            kept = " and ".join(f"'{one.granularity}'" for one in same)
            self.no(f"keeps {rolling.member} by {kept}, and the measure's windows cut through such periods")

    def flagged(self, segment: Found) -> StoredDimension | None:
        name = segment.member.full_name
        return next((one for one in self.rollup.dimensions if one.segment and one.column.key == name), None)

    # -- filters --------------------------------------------------------------------------------------

    def condition(self, one: Condition) -> None:
        member = one.found.member
        same = [stored for stored in self.rollup.dimensions if stored.member is member]
        if not same:
            self.no(f"lacks the dimension {member.full_name}, which a filter is on")
            return
        if not (isinstance(member, Dimension) and member.type == "time"):
            return
        if one.operator in _TEXT:
            self.no(f"keeps {member.full_name} as a time, and the filter '{one.operator}' looks at its text")
        elif (
            filter_column(same, one, self.zone, self.grain, loose=self.rollup.loose, keeps=self.keeps) is None
        ):
            kept = " and ".join(f"'{each.granularity}'" for each in same)
            self.no(
                f"keeps {member.full_name} by {kept} of UTC, and the filter '{one.operator}' cuts through such a period"
            )

    def window(self) -> None:
        """The build range must hold all that is asked for."""
        window = self.extent.window
        if window is None or self.rollup.time is None:
            return
        asked = _asked(self.grain, self.rollup.time.member, self.zone)
        if self.grain.rolling is not None or self.grain.shifts:
            asked = None
        if asked is None or asked[0] < window[0] or asked[1] > window[1]:
            name = self.rollup.time.column.found.name
            self.no(
                f"was built for {window[0]:%Y-%m-%d} to {window[1]:%Y-%m-%d} of {name} "
                "(build_range_start, build_range_end), and the question asks for more"
            )

    # -- aggregates -----------------------------------------------------------------------------------

    def whole_groups(self) -> None:
        """What cannot be put together from parts needs stored rows that are the groups of the question."""
        rigid = [name for name in stored_names(self.fact) if not self.additive(name)]
        if self.grain.rolling is not None and (rigid or self.fact.keyed is not None):
            name = (rigid or list(stored_names(self.fact)))[0]
            self.no(f"cannot roll {name} from stored periods, because it cannot be added up")
            return
        if self.grain.shifts and (rigid or self.fact.keyed is not None):
            # A day of February can be that of several days of January.
            name = (rigid or list(stored_names(self.fact)))[0]
            self.no(f"cannot shift {name} in time, because it cannot be added up")
            return
        if not rigid and (self.fact.keyed is None or not self.fact.leaves):
            return
        apart = self.apart()
        if not apart:
            empty = [n for n in rigid if self.measure(n).aggregate != "count_distinct"]
            if empty and not self.grain.dimensions and (self.grain.where or self.grain.segments):
                self.no(f"cannot tell what {empty[0]} is where no row passes the filters")
            return
        if rigid:
            what = f"{rigid[0]} ({self.measure(rigid[0]).aggregate}) cannot be added up"
        else:
            what = f"{self.fact.leaves[0][0]} counts each row of {self.fact.keyed} once in each group"
        self.no(f"is finer than the question by {apart}, and {what}")

    def additive(self, name: str) -> bool:
        return self.measure(name).aggregate in _ADDITIVE

    def measure(self, name: str) -> Measure:
        return self.model.measure(name)

    def apart(self) -> str | None:
        """The first stored dimension by which stored rows are finer than the question's groups."""
        asked = {(id(column.found.member), column.granularity) for column in self.grain.dimensions}
        pinned = {id(one.found.member) for tree in self.grain.where for one in _pins(tree)}
        segments = {found.member.full_name for found in self.grain.segments}
        for one in self.rollup.dimensions:
            name = one.column.key
            if one.segment:
                if name not in segments:
                    return f"segment {name}"
            elif (id(one.member), one.granularity) in asked:
                if one.is_time and one.granularity is not None and self.zone != "UTC":
                    return f"{name} in UTC"
                if one.is_time and self.zone != "UTC":
                    return f"{name}, of which two can be one local time"
            elif id(one.member) not in pinned:
                return name
        return None

    def zone_free(self, stored: StoredFact) -> None:
        """Expressions that show local times were stored in UTC."""
        if self.zone == "UTC":
            return
        for name, tree in self._trees(stored):
            if any(isinstance(node, exp.Anonymous) and node.this == marks.LOCAL for node in tree.walk()):
                self.no(f"stores {name}, which depends on the time zone, for UTC")

    def _trees(self, stored: StoredFact) -> Iterator[tuple[str, exp.Expr]]:
        used = {id(column.found.member) for column in self.grain.dimensions}
        used |= {id(one.found.member) for tree in self.grain.where for one in conditions(tree)}
        segments = {found.member.full_name for found in self.grain.segments}
        for dimension in self.rollup.dimensions:
            member = dimension.member
            if isinstance(member, Dimension) and (id(member) in used or dimension.column.key in segments):
                yield member.full_name, member.sql
        for name in stored_names(self.fact):
            measure = self.measure(name)
            for tree in (measure.sql, measure.condition):
                if tree is not None:
                    yield name, tree
        for join in stored.fact.tree.joins:
            yield f"the join of {join.left} to {join.right}", join.sql


def stored_names(fact: Fact) -> tuple[str, ...]:
    """The aggregates of a fact by name."""
    return tuple(dict.fromkeys(name for name, _ in fact.leaves))


def filter_column(
    same: list[StoredDimension],
    one: Condition,
    zone: str,
    grain: Grain,
    *,
    loose: bool,
    keeps: Callable[[StoredDimension], bool] = lambda _: True,
) -> StoredDimension | None:
    """The stored column of one time dimension on which a filter says the same; None where none does."""
    raw = next((each for each in same if each.granularity is None), None)
    if raw is not None:
        return raw
    if one.operator in ("set", "notSet"):
        return same[0]
    shift = grain.shift(one.found.member.full_name)
    # Where rows are moved in time, their local times are compared; else moments are.
    borders = _borders(one, "UTC" if shift else zone)
    for each in same:
        assert each.granularity is not None
        if shift and not (periods.steady(each.granularity, shift) and keeps(each)):
            continue
        if loose and one.operator in RANGES:
            return each
        if borders is not None and all(periods.on_border(moment, each.granularity) for moment in borders):
            return each
    return None


def rolling_column(
    same: list[StoredDimension], grain: Grain, keeps: Callable[[StoredDimension], bool] = lambda _: True
) -> StoredDimension | None:
    """The stored time that lies in or out of every window of a rolling measure; None where none does."""
    rolling = grain.rolling
    assert rolling is not None
    window, series = rolling.window, rolling.series
    moves = [grain.shift(rolling.member)]
    moves += [one for one in (window.trailing, window.leading) if one is not None and window.to_date is None]
    for each in same:
        unit = each.granularity
        if unit is None:
            return each
        if series.column is not None:
            starts = periods.holds(unit, series.column)
        else:
            first, last = series.bounds.first, series.bounds.last
            starts = (
                first is not None
                and last is not None
                and periods.on_border(first, unit)
                and last.microsecond == 999_000
                and periods.on_border(last + timedelta(milliseconds=1), unit)
            )
        to_date = window.to_date is None or periods.inside(unit, window.to_date)
        if starts and to_date and all(periods.steady(unit, one) for one in moves) and keeps(each):
            return each
    return None


def _borders(one: Condition, zone: str) -> list[datetime] | None:
    """The moments at which a filter on a time begins or ends to hold; None where it is about one moment."""
    known = [text for text in one.values if text is not None]
    if len(known) != len(one.values) or not known:
        return None
    if one.operator in _MOMENTS:
        return [dates.instant(datetime.fromisoformat(known[0]), zone)]
    if one.operator not in RANGES or len(known) != 2:
        return None
    start = dates.instant(datetime.fromisoformat(known[0]), zone)
    end = _after(datetime.fromisoformat(known[1]), zone)
    ends: dict[str, list[datetime | None]] = {
        "beforeDate": [start],
        "afterOrOnDate": [start],
        "beforeOrOnDate": [end],
        "afterDate": [end],
    }
    wanted = ends.get(one.operator, [start, end])
    known_ends = [moment for moment in wanted if moment is not None]
    return known_ends if len(known_ends) == len(wanted) else None


def _after(end: datetime, zone: str) -> datetime | None:
    """The moment after a range's last millisecond; None for an end that is no such millisecond."""
    if end.microsecond != 999_000:
        return None
    try:
        return dates.instant(end, zone, last=True) + timedelta(milliseconds=1)
    except OverflowError:
        return None


def _asked(grain: Grain, member: object, zone: str) -> Window | None:
    """The widest window of a time dimension that the filters leave; None where one side is open."""
    first: datetime | None = None
    last: datetime | None = None
    for one in grain.where:
        if not isinstance(one, Condition) or one.found.member is not member:
            continue
        borders = _borders(one, zone)
        if borders is None:
            continue
        if one.operator in ("inDateRange", "onTheDate", "gte", "afterOrOnDate", "afterDate"):
            first = borders[0] if first is None else max(first, borders[0])
        if one.operator in ("inDateRange", "onTheDate", "lt", "beforeDate", "beforeOrOnDate"):
            last = borders[-1] if last is None else min(last, borders[-1])
    return None if first is None or last is None else (first, last)


def _pins(tree: Tree) -> Iterator[Condition]:
    """The conditions that leave one value of a text or truth value."""
    if isinstance(tree, Condition):
        member = tree.found.member
        one = tree.operator == "equals" and len(set(tree.values)) == 1
        if (
            isinstance(member, Dimension)
            and member.type in ("string", "boolean")
            and (one or tree.operator == "notSet")
        ):
            yield tree
    elif tree.every or len(tree.parts) == 1:
        for part in tree.parts:
            yield from _pins(part)


def _coarsest(one: StoredDimension) -> int:
    order = periods.UNITS[::-1]
    return order.index(one.granularity) if one.granularity in order else len(order)
