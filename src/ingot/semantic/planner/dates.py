"""Date ranges in words or ISO form -> local beginning and end, as Cube reads them.

An end is the last millisecond of its period (`…T23:59:59.999`); weeks begin on Monday; `last n` leaves out
the period that is not over yet.
"""

import re
from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from ingot.semantic.errors import QueryError

_UNITS = "second|minute|hour|day|week|month|quarter|year"
_RELATIVE = re.compile(rf"(this|last|next)\s+(?:(\d{{1,6}})\s+)?({_UNITS})s?")
_AGO = re.compile(rf"(\d{{1,6}})\s+({_UNITS})s?\s+(ago|from\s+now)")
_FROM_TO = re.compile(r"from\s+(.+?)\s+to\s+(.+)")
_ISO = re.compile(
    r"(\d{4})(?:-(\d{2})(?:-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*(Z|[+-]\d{2}:?\d{2})?)?)?)?",
    re.IGNORECASE,
)
_MILLISECOND = timedelta(milliseconds=1)
_FIRST = datetime(1, 1, 1)  # noqa: DTZ001
_LAST = datetime(9999, 12, 31, 23, 59, 59, 999000)  # noqa: DTZ001


@dataclass(frozen=True, slots=True)
class Span:
    """Local times without a zone, both included."""

    start: datetime
    end: datetime

    def texts(self) -> tuple[str, str]:
        """As Cube writes them."""
        return written(self.start), written(self.end)


def written(time: datetime) -> str:
    """`YYYY-MM-DDTHH:mm:ss.SSS`."""
    return f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03d}".rjust(23, "0")


def span(given: str | Sequence[str], *, now: datetime, zone: str) -> Span:
    """The range that `given` means at the instant `now` in `zone`.

    Raises:
        QueryError: for words that are no range, and for an end before its beginning.
    """
    here = now.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    try:
        if isinstance(given, str):
            found = _words(" ".join(given.lower().split()), here, zone)
        else:
            first, last = _point(given[0], here, zone), _point(given[-1], here, zone)
            found = Span(first.start, last.end)
    except (OverflowError, ValueError):
        raise QueryError(f"The date range {_shown(given)} is no date or leaves the calendar.") from None
    if found.end < found.start:
        raise QueryError(f"The date range {_shown(given)} ends before it begins.")
    return found


def instant(local: datetime, zone: str, *, last: bool = False) -> datetime:
    """UTC (without zone) of a local time; of two such times (clocks set back) the first, or the `last`."""
    if zone == "UTC":
        return local
    try:
        return local.replace(tzinfo=ZoneInfo(zone), fold=int(last)).astimezone(UTC).replace(tzinfo=None)
    except OverflowError:  # beyond the calendar in UTC: as far as it goes
        return _LAST if local.year > 5000 else _FIRST


def floor(time: datetime, unit: str) -> datetime:
    """The beginning of the period that `time` lies in."""
    zeros = {
        "second": ("microsecond",),
        "minute": ("second", "microsecond"),
        "hour": ("minute", "second", "microsecond"),
    }
    if unit in zeros:
        return time.replace(**dict.fromkeys(zeros[unit], 0))  # type: ignore[arg-type]
    day = time.replace(hour=0, minute=0, second=0, microsecond=0)
    first = {"day": day.day, "week": day.day, "month": 1, "quarter": 1, "year": 1}[unit]
    month = {"quarter": (day.month - 1) // 3 * 3 + 1, "year": 1}.get(unit, day.month)
    return day - timedelta(days=day.weekday()) if unit == "week" else day.replace(month=month, day=first)


def moved(time: datetime, unit: str, count: int) -> datetime:
    """`time` moved by `count` units; a day that the month does not have becomes its last."""
    if unit in ("month", "quarter", "year"):
        months = count * {"month": 1, "quarter": 3, "year": 12}[unit] + time.year * 12 + time.month - 1
        year, month = divmod(months, 12)
        days = monthrange(year, month + 1)[1]
        return time.replace(year=year, month=month + 1, day=min(time.day, days))
    return time + count * timedelta(**{f"{unit}s": 1})


def _period(time: datetime, unit: str) -> Span:
    start = floor(time, unit)
    try:
        return Span(start, moved(start, unit, 1) - _MILLISECOND)
    except (OverflowError, ValueError):
        return Span(start, _LAST)


def _words(text: str, now: datetime, zone: str) -> Span:
    if found := _RELATIVE.fullmatch(text):
        which, count, unit = found.groups()
        if which == "this":
            if count not in (None, "1"):
                raise QueryError(f"The date range '{text}' is not known: 'this' takes no number.")
            return _period(now, unit)
        n = int(count or 1)
        if n == 0:
            raise QueryError(f"The date range '{text}' is empty.")
        start = floor(now, unit)
        if which == "last":
            return Span(moved(start, unit, -n), start - _MILLISECOND)
        return Span(moved(start, unit, 1), moved(start, unit, n + 1) - _MILLISECOND)
    if found := _FROM_TO.fullmatch(text):
        # A range that speaks of hours is cut at hours, any other at days.
        exact = next((unit for unit in ("second", "minute", "hour") if unit in text), "day")
        first, last = _moment(found.group(1), now, zone), _moment(found.group(2), now, zone)
        return Span(
            first.start if isinstance(first, Span) else floor(first, exact),
            last.end if isinstance(last, Span) else _period(last, exact).end,
        )
    return _point(text, now, zone)


def _point(text: str, now: datetime, zone: str) -> Span:
    found = _moment(" ".join(text.lower().split()), now, zone)
    return found if isinstance(found, Span) else Span(found, found)


def _moment(text: str, now: datetime, zone: str) -> Span | datetime:
    """A day or longer period, or a point in time."""
    if text in ("today", "yesterday", "tomorrow"):
        return _period(moved(now, "day", ("yesterday", "today", "tomorrow").index(text) - 1), "day")
    if text == "now":
        return now
    if found := _AGO.fullmatch(text):
        count = int(found.group(1)) * (-1 if found.group(3) == "ago" else 1)
        return moved(now, found.group(2), count)
    if found := _ISO.fullmatch(text):
        return _iso(found, zone)
    raise QueryError(
        f"The date range '{text[:80]}' is not known: expected today, yesterday, 'last 12 months', 'this week', "
        "'from … to …', a date or a pair of dates as 2026-01-31."
    )


def _iso(found: re.Match[str], zone: str) -> Span | datetime:
    year, month, day, hour, minute, second, fraction, offset = found.groups()
    start = datetime(int(year), int(month or 1), int(day or 1))  # noqa: DTZ001
    if hour is None:
        return _period(start, "day" if day else "month" if month else "year")
    microsecond = int((fraction or "0")[:6].ljust(6, "0"))
    time = start.replace(hour=int(hour), minute=int(minute), second=int(second or 0), microsecond=microsecond)
    if offset is None:
        return time
    zoned = datetime.fromisoformat(f"{time.isoformat()}{'+00:00' if offset in 'zZ' else offset}")
    return zoned.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def _shown(given: str | Sequence[str]) -> str:
    return "'" + (given if isinstance(given, str) else " - ".join(given))[:80] + "'"
