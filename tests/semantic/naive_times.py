# ruff: noqa: DTZ001 - local times
"""Local times, periods and windows by Python's calendar, for the naive evaluator."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

Length = tuple[int, int, int]
"""Months, days, seconds."""
ORDER = ["second", "minute", "ten_minutes", "hour", "day", "week", "month", "quarter", "year"]


@dataclass(frozen=True)
class Own:
    """Periods of `length` of which one begins at `start`."""

    length: Length
    start: datetime


OWN = {
    "fiscal": Own((12, 0, 0), datetime(2025, 4, 6)),
    "fortnight": Own((0, 14, 0), datetime(2026, 1, 4, 12)),
    "sunday_week": Own((0, 7, 0), datetime(2026, 3, 1)),
    "ten_minutes": Own((0, 0, 600), datetime(2026, 1, 1)),
    "half_year": Own((6, 0, 0), datetime(2026, 1, 1)),
}


def months_later(time: datetime, count: int) -> datetime:
    """The same day of another month, or its last where it has no such day."""
    year, month = divmod(time.year * 12 + time.month - 1 + count, 12)
    return time.replace(year=year, month=month + 1, day=min(time.day, monthrange(year, month + 1)[1]))


def later(time: datetime, by: Length, sign: int = 1) -> datetime:
    """`time` moved on the calendar."""
    return months_later(time, sign * by[0]) + sign * timedelta(days=by[1], seconds=by[2])


def local(value: datetime, zone: str, shift: Length = (0, 0, 0)) -> datetime:
    """The local time of a UTC time, moved: hours on the clock, months and days on the calendar."""
    moved = value.replace(tzinfo=UTC) + timedelta(seconds=shift[2])
    here = moved.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    return later(here, (shift[0], shift[1], 0))


def begins(time: datetime, grain: str) -> bool:
    """Whether a period of the granularity begins at this day (for those of days and longer)."""
    if grain == "late_month":
        return (time + timedelta(days=1)).day == 1
    return {
        "day": True,
        "week": time.isoweekday() == 1,
        "month": time.day == 1,
        "quarter": time.day == 1 and time.month in (1, 4, 7, 10),
        "year": time.day == 1 and time.month == 1,
    }[grain]


def floor(time: datetime, grain: str) -> datetime:
    """The beginning of the period that a local time lies in: stepping back until one begins."""
    if grain in OWN:
        own = OWN[grain]
        n = 0
        while at(own, n) > time:
            n -= 1
        while at(own, n + 1) <= time:
            n += 1
        return at(own, n)
    if grain in ("second", "minute", "hour"):
        zeros = {"second": 1, "minute": 60, "hour": 3600}[grain]
        midnight = datetime(time.year, time.month, time.day)
        return midnight + timedelta(seconds=(time - midnight).seconds // zeros * zeros)
    day = datetime(time.year, time.month, time.day)
    while not begins(day, grain):
        day -= timedelta(days=1)
    return day


def at(own: Own, n: int) -> datetime:
    """The beginning of the n-th period."""
    months, days, seconds = own.length
    return later(own.start, (months * n, days * n, seconds * n))


def following(start: datetime, grain: str) -> datetime:
    """The beginning of the next period."""
    if grain in OWN:
        return later(start, OWN[grain].length)
    if grain in ("second", "minute", "hour"):
        return start + timedelta(**{f"{grain}s": 1})
    day = start + timedelta(days=1)
    while not begins(day, grain):
        day += timedelta(days=1)
    return day


def periods(first: datetime, last: datetime, grain: str) -> list[tuple[datetime, datetime]]:
    """Beginning and end of every period from the one with `first` to the one with `last`."""
    found = []
    start = floor(first, grain)
    while start <= last:
        found.append((start, following(start, grain)))
        start = following(start, grain)
    return found
