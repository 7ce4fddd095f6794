"""Texts of intervals: PostgreSQL's words, the SQL standard's, and ISO 8601's."""

import re
from collections.abc import Iterator
from fractions import Fraction

from ingot.semantic.sql.errors import SqlError, shown

SECOND = 1_000_000
DAY = 86_400 * SECOND
Parts = tuple[int, int, int]
"""Months, days and microseconds; none of them is made another."""
_UNITS = {
    "microsecond": (0, 0, 1), "us": (0, 0, 1), "usec": (0, 0, 1), "millisecond": (0, 0, 1000), "ms": (0, 0, 1000),
    "msec": (0, 0, 1000), "second": (0, 0, SECOND), "sec": (0, 0, SECOND), "s": (0, 0, SECOND),
    "minute": (0, 0, 60 * SECOND), "min": (0, 0, 60 * SECOND), "m": (0, 0, 60 * SECOND), "hour": (0, 0, 3600 * SECOND),
    "hr": (0, 0, 3600 * SECOND), "h": (0, 0, 3600 * SECOND), "day": (0, 1, 0), "d": (0, 1, 0), "week": (0, 7, 0),
    "w": (0, 7, 0), "month": (1, 0, 0), "mon": (1, 0, 0), "year": (12, 0, 0), "yr": (12, 0, 0), "y": (12, 0, 0),
    "decade": (120, 0, 0), "dec": (120, 0, 0), "century": (1200, 0, 0), "centurie": (1200, 0, 0), "cent": (1200, 0, 0),
    "c": (1200, 0, 0), "millennium": (12000, 0, 0), "millennia": (12000, 0, 0), "mil": (12000, 0, 0),
}  # fmt: skip
_FIELDS = {_UNITS[name]: name for name in ("year", "month", "day", "hour", "minute", "second")}
_SINGULAR = frozenset({"us", "ms", "s", "m", "h", "d", "w", "y", "c"})
_PART = re.compile(
    r"(?P<clock>(?P<sign>[+-]?)(?P<h>\d+):(?P<min>\d+)(?::(?P<sec>\d+)(?P<frac>\.\d*)?|(?P<short>\.\d*))?)"
    r"|(?P<months>(?P<minus>[+-]?)(?P<years>\d+)-(?P<mons>\d{1,2})(?!\d))"
    r"|(?P<number>(?:[+-]\s*)?(?:\d+\.?\d*|\.\d+))(?:\s*(?P<unit>[a-z]+(?=[\s,]|$)))?",
    re.IGNORECASE,
)
_ISO = re.compile(
    r"P(?=[\dT+-])(?P<date>(?:[+-]?[\d.]+[YMWD])*)(?:T(?P<time>(?:[+-]?[\d.]+[HMS])+))?", re.IGNORECASE
)
_ISO_PART = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))([A-Z])", re.IGNORECASE)


def interval(text: str) -> Parts:
    """The interval that a text says. Raises `SqlError` (22007, 22015)."""
    words = text.strip(" \t\n\r\v\f")
    if found := _ISO.fullmatch(words):
        return _iso(found, text)
    ago = words.lower().endswith("ago")
    words = (words[:-3] if ago else words).removeprefix("@").strip()
    if not words:
        raise _syntax(text)
    total = _Sum()
    bare: Fraction | None = None
    """A number without a unit: days before a clock, seconds at the end."""
    for found in _parts(words, text):
        if bare is not None:
            if not found["clock"]:
                raise _syntax(text)
            total.number(bare, "day", text)
            bare = None
        if found["number"] and not found["unit"]:
            bare = _number(found)
        else:
            total.part(found, text)
    if bare is not None:
        if ago:
            raise _syntax(text)
        total.number(bare, "second", text)
    return total.made(text, ago=ago)


def _number(found: re.Match[str]) -> Fraction:
    return Fraction(re.sub(r"\s", "", found["number"]))


def _parts(words: str, text: str) -> Iterator[re.Match[str]]:
    at = 0
    while at < len(words):
        found = _PART.match(words, at)
        if found is None:
            raise _syntax(text)
        yield found
        at = found.end()
        if at < len(words) and words[at] not in " \t\n\r,":
            raise _syntax(text)
        while at < len(words) and words[at] in " \t\n\r,":
            at += 1


def _clock_part(found: re.Match[str], text: str) -> int:
    hours, minutes, seconds = int(found["h"]), int(found["min"]), int(found["sec"] or 0)
    if found["short"]:  # minutes and seconds only: 04:05.5
        hours, minutes, seconds = 0, hours, minutes
    if minutes > 59 or seconds > 60:
        raise _interval_range(text)
    fraction = found["frac"] or found["short"] or ""
    micros = ((hours * 60 + minutes) * 60 + seconds) * SECOND
    micros += round(Fraction("0" + fraction) * SECOND) if len(fraction) > 1 else 0
    return -micros if found["sign"] == "-" else micros


def _iso(found: re.Match[str], text: str) -> Parts:
    total = _Sum()
    for part, units in ((found["date"], "YMWD"), (found["time"], "HMS")):
        for number, unit in _ISO_PART.findall(part or ""):
            name = {"Y": "year", "W": "week", "D": "day", "H": "hour", "S": "second"}.get(
                unit.upper(), "month" if units == "YMWD" else "minute"
            )
            try:
                total.add(Fraction(number), _UNITS[name])
            except ValueError:
                raise _syntax(text) from None
    return total.made(text)


class _Sum:
    """An interval that grows; fractions of a unit spill into the smaller ones as PostgreSQL does it."""

    def __init__(self) -> None:
        self.months = 0
        self.days = 0
        self.micros = 0
        self._seen: set[str] = set()

    def part(self, found: re.Match[str], text: str) -> None:
        if found["clock"]:
            self._once(text, "hour", "minute", "second")
            self.micros += _clock_part(found, text)
        elif found["months"]:
            if int(found["mons"]) > 11:
                raise _interval_range(text)
            self._once(text, "year", "month")
            months = int(found["years"]) * 12 + int(found["mons"])
            self.months += -months if found["minus"] == "-" else months
        else:
            unit = found["unit"].lower()
            chosen = _UNITS.get(unit)
            if chosen is None and unit.endswith("s") and unit[:-1] not in _SINGULAR:
                chosen = _UNITS.get(unit[:-1])
            if chosen is None:
                raise _syntax(text)
            self._once(text, _FIELDS.get(chosen, unit))
            self.add(_number(found), chosen)

    def number(self, count: Fraction, unit: str, text: str) -> None:
        self._once(text, unit)
        self.add(count, _UNITS[unit])

    def _once(self, text: str, *names: str) -> None:
        if not self._seen.isdisjoint(names):
            raise _syntax(text)
        self._seen.update(names)

    def add(self, count: Fraction, unit: tuple[int, int, int]) -> None:
        months, days, micros = unit
        if months:
            whole = int(count)
            self.months += whole * months
            rest = (count - whole) * months
            if months > 1:
                self.months += round(rest)
            else:
                self._days(rest * 30)
        elif days:
            self._days(count * days)
        else:
            self.micros += round(count * micros)

    def _days(self, count: Fraction) -> None:
        whole = int(count)
        self.days += whole
        self.micros += round((count - whole) * DAY)

    def made(self, text: str, *, ago: bool = False) -> Parts:
        sign = -1 if ago else 1
        months, days, micros = self.months * sign, self.days * sign, self.micros * sign
        if not (
            -(1 << 31) <= months < 1 << 31 and -(1 << 31) <= days < 1 << 31 and -(1 << 63) <= micros < 1 << 63
        ):
            raise _interval_range(text)
        return months, days, micros


def _syntax(text: str) -> SqlError:
    return SqlError(f'invalid input syntax for type interval: "{shown(text)}"', sqlstate="22007")


def _interval_range(text: str) -> SqlError:
    return SqlError(f'interval field value out of range: "{shown(text)}"', sqlstate="22015")
