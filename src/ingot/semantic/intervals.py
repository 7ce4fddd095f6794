"""Lengths of time as models write them (`1 year 6 months`, `-7 days`), and times moved by them.

Months and days are of the calendar: a day later is the same time of the next local day, also where clocks
change. Hours and shorter are of the clock.
"""

import re
from dataclasses import dataclass

from sqlglot import exp

_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_DAYS = {"day": 1, "week": 7}
_SECONDS = {"second": 1, "minute": 60, "hour": 3600}
_PART = re.compile(
    r"\s*([+-]?\d{1,6})\s+(second|minute|hour|day|week|month|quarter|year)s?\s*", re.IGNORECASE
)


class IntervalError(ValueError):
    """The text is no length of time; the message says what one looks like."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A length of time."""

    months: int = 0
    days: int = 0
    seconds: int = 0

    def __neg__(self) -> "Interval":
        return Interval(-self.months, -self.days, -self.seconds)

    def __add__(self, other: "Interval") -> "Interval":
        return Interval(self.months + other.months, self.days + other.days, self.seconds + other.seconds)

    def __bool__(self) -> bool:
        return bool(self.months or self.days or self.seconds)

    @property
    def calendar(self) -> "Interval":
        """Its part that is counted in days and months."""
        return Interval(self.months, self.days)

    @property
    def clock(self) -> "Interval":
        """Its part that is counted in seconds."""
        return Interval(seconds=self.seconds)


def interval(text: str) -> Interval:
    """The length that `text` says. Raises `IntervalError`."""
    found = Interval()
    at = 0
    while at < len(text):
        part = _PART.match(text, at)
        if part is None:
            break
        count, unit = int(part.group(1)), part.group(2).lower()
        found += Interval(
            count * _MONTHS.get(unit, 0), count * _DAYS.get(unit, 0), count * _SECONDS.get(unit, 0)
        )
        at = part.end()
    if at == 0 or at < len(text):
        raise IntervalError(
            f"'{text[:60]}' is no length of time such as '1 month', '7 days' or '1 year 6 months'"
        )
    return found


def moved(time: exp.Expr, by: Interval) -> exp.Expr:
    """`time` (a timestamp) moved by `by`."""
    for count, unit in ((by.months, "MONTH"), (by.days, "DAY"), (by.seconds, "SECOND")):
        if count:
            operator = exp.Add if count > 0 else exp.Sub
            time = operator(this=time, expression=written(abs(count), unit))
    return time


def written(count: int, unit: str) -> exp.Expr:
    """The literal of `count` units."""
    return exp.Interval(this=exp.Literal.string(str(count)), unit=exp.var(unit))
