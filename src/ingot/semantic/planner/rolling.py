"""Rolling windows: the periods of a query, and which rows lie in the window of each.

A row is joined to every period whose window it lies in, so that every kind of aggregate rolls, not only those
that add up. All times are local.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlglot import exp

from ingot.semantic.errors import QueryError
from ingot.semantic.intervals import Interval, moved
from ingot.semantic.model import Dimension, Found
from ingot.semantic.planner.building import joined
from ingot.semantic.planner.dates import floor
from ingot.semantic.planner.resolve import Column, Condition, Tree
from ingot.semantic.planner.times import GRANULARITIES, step, truncated
from ingot.semantic.stages import Granularity, Window

PERIOD = "#period"
MOST = 100_000
"""How many periods a query may have."""
_LAST = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Which periods are shown: all with a time from `first` to `last`, both included; None: as far as rows go."""

    first: datetime | None = None
    last: datetime | None = None

    def narrowed(self, other: "Bounds") -> "Bounds":
        first = [one for one in (self.first, other.first) if one is not None]
        last = [one for one in (self.last, other.last) if one is not None]
        return Bounds(max(first, default=None), min(last, default=None))


@dataclass(frozen=True, slots=True)
class Series:
    """The periods of one time dimension. `column` is the finest that is asked for; None: one period, the bounds."""

    time: Found
    column: Column | None
    bounds: Bounds

    @property
    def period(self) -> str | Granularity | None:
        return None if self.column is None else self.column.period


@dataclass(frozen=True, slots=True)
class Rolling:
    """A window over a series of periods, whose rows are the table `table`."""

    window: Window
    series: Series
    table: str

    @property
    def time(self) -> Found:
        return self.series.time

    @property
    def member(self) -> str:
        """The full name of the time dimension."""
        return self.series.time.member.full_name

    def column(self, column: Column) -> exp.Expr:
        """The value of a column of the time dimension in a row joined to a period."""
        return period_column(self.series, column, PERIOD)

    def joined(self, select: exp.Select, time: exp.Expr) -> exp.Select:
        """`select` with each row beside every period whose window holds its `time`."""
        tests: list[exp.Expr] = []
        first, end = self._edges()
        if first is not None:
            tests.append(exp.GTE(this=exp.Paren(this=time), expression=first))
        if end is not None:
            tests.append(exp.LT(this=exp.Paren(this=time.copy()), expression=end))
        if not tests:
            tests.append(exp.Not(this=exp.Is(this=exp.Paren(this=time), expression=exp.null())))
        alias = exp.TableAlias(this=exp.to_identifier(PERIOD, quoted=True))
        table = exp.Table(this=exp.to_identifier(self.table, quoted=True), alias=alias)
        return joined(select, table, exp.and_(*tests, copy=False), side=None)

    def _edges(self) -> tuple[exp.Expr | None, exp.Expr | None]:
        window = self.window
        start, end = _of_period("start"), _of_period("end")
        if window.to_date is not None:
            return truncated(start, window.to_date), end
        at = start if window.at_start else end
        first = None if window.trailing is None else moved(at, -window.trailing)
        last = None if window.leading is None else moved(at.copy(), window.leading)
        return first, last


def period_column(series: Series, column: Column, table: str) -> exp.Expr:
    """A column of the time dimension, from a period of the series."""
    start = exp.column("start", table=table, quoted=True)
    period = column.period
    assert period is not None
    return start if column.key == getattr(series.column, "key", None) else truncated(start, period)


def series_of(
    measure: str, dimensions: Iterable[Column], where: Iterable[Tree]
) -> tuple[Series, tuple[Tree, ...]]:
    """The periods over which `measure` rolls in a query, and the conditions that rows must still pass.

    Raises:
        QueryError: where the query has no time dimension, or several, or none of which periods can be made.
    """
    where = tuple(where)
    columns = [one for one in dimensions if _is_time(one.found)]
    found = {one.found.member.full_name: one.found for one in columns if one.granularity}
    if not found:
        ranged = [one.found for one in where if isinstance(one, Condition) and one.operator in _RANGES]
        found = {one.member.full_name: one for one in ranged}
    cube = measure.partition(".")[0]
    if len(found) > 1:
        found = {name: one for name, one in found.items() if name.startswith(f"{cube}.")} or found
    if not found:
        raise QueryError(
            f"'{measure}' has a rolling window, so the query needs a time dimension with a granularity or a dateRange.",
            hint='Add "timeDimensions": [{"dimension": …, "granularity": "day", "dateRange": …}].',
        )
    if len(found) > 1:
        names = " and ".join(f"'{name}'" for name in found)
        raise QueryError(f"'{measure}' has a rolling window; along which time does it roll, {names}?")
    ((name, time),) = found.items()
    ours = [one for one in columns if one.found.member.full_name == name]
    if any(one.granularity is None for one in ours):
        raise QueryError(f"'{measure}' has a rolling window: give '{name}' a granularity.")
    bounds = Bounds()
    rest: list[Tree] = []
    for one in where:
        limits = _limits(one, name)
        if limits is None:
            rest.append(one)
        else:
            bounds = bounds.narrowed(limits)
    finest = _finest(measure, ours)
    _check_size(measure, finest, bounds)
    if finest is None and (bounds.first is None or bounds.last is None):
        raise QueryError(
            f"'{measure}' has a rolling window: without a granularity '{name}' needs a dateRange with both ends."
        )
    return Series(time, finest, bounds), tuple(rest)


def periods(series: Series, first: exp.Expr, last: exp.Expr) -> exp.Select:
    """SELECT of the series' periods: from the one with `first` to that with `last`, or one from `first` to `last`.

    Each has its `start` and its `end`, which is the next one's start.
    """
    period = series.period
    if period is None:
        return exp.Select().select(
            exp.alias_(first, "start", quoted=True), exp.alias_(last, "end", quoted=True)
        )
    length = step(period)
    assert length is not None
    # Months are counted from the first day of one: a month later than January 31 would be February 28.
    inside = period.inside if isinstance(period, Granularity) else Interval()
    start = exp.column("start", table="#starts", quoted=True)
    every = exp.GenerateSeries(
        start=moved(truncated(first, period), -inside),
        end=moved(truncated(last, period), -inside),
        step=_literal(length),
    )
    listed = exp.Select().select(exp.alias_(exp.Explode(this=every), "start", quoted=True))
    alias = exp.TableAlias(this=exp.to_identifier("#starts", quoted=True))
    picked = [
        exp.alias_(moved(start, inside), "start", quoted=True),
        exp.alias_(moved(moved(start.copy(), length), inside), "end", quoted=True),
    ]
    return exp.Select().select(*picked).from_(exp.Subquery(this=listed, alias=alias), copy=False)


_RANGES = frozenset({"inDateRange", "onTheDate"})


def granule(window: Window, series: Series) -> str | None:
    """The coarsest granularity at which rows may be put together before windows are: None where there is none."""
    period = series.period
    if period is None:
        return None
    edges = [one for one in (window.trailing, window.leading) if one is not None]
    if isinstance(period, Granularity):
        if period.interval is None or period.origin is None or period.origin != floor(period.origin, "day"):
            return None
        edges += [period.interval, period.inside]
        period = "day"
    grains = [grain for grain in (period, window.to_date) if grain is not None]
    grains += [next(unit for unit, size in _CLOCK.items() if one.seconds % size == 0) for one in edges]
    return min((*grains, "day"), key=GRANULARITIES.index)


_CLOCK = {"day": 86_400, "hour": 3_600, "minute": 60, "second": 1}


def _check_size(measure: str, finest: Column | None, bounds: Bounds) -> None:
    if finest is None or bounds.first is None or bounds.last is None:
        return
    length = step(finest.period or "day")
    if length is not None:
        days = length.months * 30 + length.days + length.seconds / 86_400
        if (bounds.last - bounds.first).total_seconds() / 86_400 > days * MOST:
            raise QueryError(
                f"'{measure}' has a rolling window, and '{finest.key}' has more than {MOST} periods in the dateRange."
            )


def _literal(length: Interval) -> exp.Expr:
    if length.months:
        return exp.Interval(this=exp.Literal.string(str(length.months)), unit=exp.var("MONTH"))
    seconds = length.days * 86_400 + length.seconds
    return exp.Interval(this=exp.Literal.string(str(seconds)), unit=exp.var("SECOND"))


def _of_period(name: str) -> exp.Expr:
    return exp.column(name, table=PERIOD, quoted=True)


def _is_time(found: Found) -> bool:
    return isinstance(found.member, Dimension) and found.member.type == "time"


def _limits(one: Tree, name: str) -> Bounds | None:
    """The bounds that a condition on the time dimension sets for periods; None where it is about rows."""
    if not isinstance(one, Condition) or one.found.member.full_name != name or None in one.values:
        return None
    times = [datetime.fromisoformat(value or "") for value in one.values] if one.operator in _BOUNDING else []
    found = None
    match one.operator:
        case "inDateRange" | "onTheDate":
            found = Bounds(times[0], times[1])
        case "afterDate":
            found = Bounds(first=times[1] + timedelta(milliseconds=1))
        case "afterOrOnDate":
            found = Bounds(first=times[0])
        case "beforeDate":
            found = Bounds(last=times[0] - _LAST)
        case "beforeOrOnDate":
            found = Bounds(last=times[1])
        case "gte" | "gt" if len(times) == 1:
            found = Bounds(first=times[0] + (_LAST if one.operator == "gt" else timedelta()))
        case "lte" | "lt" if len(times) == 1:
            found = Bounds(last=times[0] - (_LAST if one.operator == "lt" else timedelta()))
    return found


_BOUNDING = frozenset(
    {
        "inDateRange", "onTheDate", "afterDate", "afterOrOnDate", "beforeDate", "beforeOrOnDate", "gt", "gte",
        "lt", "lte",
    }
)  # fmt: skip


def _finest(measure: str, columns: list[Column]) -> Column | None:
    """The column whose periods all others are made of."""
    if not columns:
        return None
    for one in columns:
        period = one.period
        if isinstance(period, Granularity) and (period.sql is not None or len(columns) > 1):
            raise QueryError(
                f"'{measure}' has a rolling window, and '{one.key}' is a granularity of which no series of periods "
                + ("can be made: it is SQL." if period.sql is not None else "can be made beside another one.")
            )
    if len(columns) == 1:
        return columns[0]
    ordered = sorted(columns, key=lambda one: GRANULARITIES.index(one.granularity or ""))
    if ordered[0].granularity == "week" and len({one.granularity for one in ordered}) > 1:
        raise QueryError(f"'{measure}' has a rolling window, and weeks do not fit into '{ordered[1].key}'.")
    return ordered[0]
