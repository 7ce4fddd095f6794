"""Which periods lie in which: what a rollup by hour or month can answer, and where its files are cut."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from ingot.semantic.model import Dimension
from ingot.semantic.planner import dates
from ingot.semantic.planner.resolve import Column
from ingot.semantic.planner.times import GRANULARITIES

if TYPE_CHECKING:
    from ingot.semantic.rollups.definition import StoredDimension, Window

UNITS = ("second", "minute", "hour", "day", "week", "month", "quarter", "year")
_INSIDE = {
    "second": UNITS,
    "minute": UNITS[1:],
    "hour": UNITS[2:],
    "day": UNITS[3:],
    "week": ("week",),
    "month": ("month", "quarter", "year"),
    "quarter": ("quarter", "year"),
    "year": ("year",),
}
_SECONDS = {"second": 1, "minute": 60, "hour": 3600}
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_NAMES = {"hour": "%Y%m%dT%H", "minute": "%Y%m%dT%H%M", "second": "%Y%m%dT%H%M%S"}
MOST = 10_000
"""Most files of one rollup."""
_FIRST, _LAST = datetime(1970, 1, 1), datetime(2100, 1, 1)  # noqa: DTZ001 - UTC without a zone, as stored


def names(member: Dimension) -> tuple[str, ...]:
    """The granularities of a time dimension."""
    own = getattr(member, "granularities", None) or ()
    return (*GRANULARITIES, *own)


def inside(inner: str, outer: str) -> bool:
    """Whether each period of `inner` lies in one of `outer`, in UTC. Unknown ones lie in themselves only."""
    return inner == outer or outer in _INSIDE.get(inner, ())


def holds(inner: str, column: Column) -> bool:
    """Whether each stored period of `inner` lies in one period of the column's granularity."""
    if column.granularity is None:
        return False
    own = getattr(column, "period", column.granularity)
    if own is None or isinstance(own, str):
        return inside(inner, column.granularity)
    if inner == column.granularity:
        return True
    if own.sql is not None or own.interval is None or own.origin is None:
        return False
    return steady(inner, own.interval) and on_border(own.origin, inner)


def steady(granularity: str, by: Any) -> bool:
    """Whether a time moved by an interval leaves its period together with all others of the period."""
    if not by:
        return True
    months, days, seconds = by.months, by.days, by.seconds
    match granularity:
        case "second" | "minute" | "hour":
            return bool(seconds % _SECONDS[granularity] == 0)
        case "day":
            return bool(not seconds)
        case "week":
            return bool(not seconds and not months and days % 7 == 0)
        case "month" | "quarter" | "year":
            return bool(not seconds and not days and months % _MONTHS[granularity] == 0)
    return False


def fits(time: "StoredDimension", partition: str) -> bool:
    """Whether a stored time tells the partition."""
    return time.granularity is None or inside(time.granularity, partition)


def on_border(moment: datetime, granularity: str) -> bool:
    """Whether a period begins at `moment` (UTC without a zone)."""
    return granularity in UNITS and dates.floor(moment, granularity) == moment


def zone_keeps(zone: str, granularity: str, first: datetime | None, last: datetime | None) -> bool:
    """Whether each stored period of `granularity` in UTC between two times lies within one local one.

    So it is where the clocks of `zone` differ from UTC by whole periods. Not known before 1970: not so.
    """
    if zone == "UTC":
        return True
    seconds = _SECONDS.get(granularity)
    if seconds is None:
        return False
    start, end = first or _FIRST, last or _LAST
    if start < _FIRST or end > _LAST:
        return False
    return all(_year_keeps(zone, seconds, year) for year in range(start.year, end.year + 1))


@lru_cache(maxsize=20_000)
def _year_keeps(zone: str, seconds: int, year: int) -> bool:
    info = ZoneInfo(zone)
    moment = datetime(year, 1, 1, tzinfo=UTC) - timedelta(days=1)
    # Two looks a day: no clock ever went to an odd time and back within hours.
    for _ in range(2 * 368):
        offset = moment.astimezone(info).utcoffset()
        if offset is None or offset.total_seconds() % seconds:
            return False
        moment += timedelta(hours=12)
    return True


def name(start: datetime, unit: str) -> str:
    """The name of the partition that begins at `start`."""
    return start.strftime(_NAMES.get(unit, "%Y%m%d"))


def between(first: datetime, last: datetime, unit: str) -> Iterator["Window"]:
    """The partitions from the one with `first` to the one with `last`."""
    start = dates.floor(first, unit)
    while start <= last:
        try:
            end = dates.moved(start, unit, 1)
        except (OverflowError, ValueError):
            yield start, datetime.max  # noqa: DTZ901
            return
        yield start, end
        start = end
