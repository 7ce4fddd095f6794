"""Dates, times and intervals that clients send, in the forms that drivers and people use, and in binary."""

import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction

import numpy as np

from ingot.pgwire import types
from ingot.pgwire.errors import PgError
from ingot.pgwire.values.intervals import postgres
from ingot.pgwire.values.times import EPOCH, EPOCH_DAYS, MICROS, SECOND, civil, offset
from ingot.pgwire.values.zones import Zone

_ZONED = (types.TIMESTAMPTZ, types.TIMETZ)
_DATED = (types.DATE, types.TIMESTAMP, types.TIMESTAMPTZ)
_FIRST_DAY, _TIMESTAMP_DAYS, _DATE_DAYS = -2_440_588, 106_762_940, 2_145_042_906
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = r"(?P<{0}>jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)[a-z]*\.?"
_DATES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?P<y>\d{3,7})-(?P<m>\d{1,2})-(?P<d>\d{1,2})",
        r"(?P<y>\d{3,7})/(?P<m>\d{1,2})/(?P<d>\d{1,2})",
        r"(?P<y>\d{4,})(?P<m>\d{2})(?P<d>\d{2})(?![\d:])",
        r"(?P<one>\d{1,2})(?P<mark>[-/.])(?P<two>\d{1,2})(?P=mark)(?P<y>\d{4,7})",
        rf"(?P<d>\d{{1,2}})[-\s]+{_MONTH.format('name')}[-\s,]+(?P<y>\d{{3,7}})",
        rf"{_MONTH.format('name')}[-\s]+(?P<d>\d{{1,2}})[-\s,]+(?P<y>\d{{3,7}})(?!:)",
    )
)
_CLOCK = re.compile(
    r"(?P<h>\d{1,2}):(?P<m>\d{1,2})(?::(?P<s>\d{1,2})(?P<f>\.\d*)?)?(?:\s*(?P<half>am|pm)\b)?", re.IGNORECASE
)
_DIGITS = re.compile(r"(?P<h>\d{2})(?P<m>\d{2})(?P<s>\d{2})(?P<f>\.\d*)?")
_OFFSET = re.compile(r"([+-])(\d{1,2})(?::?(\d{2}))?(?::?(\d{2}))?")
_ERA = re.compile(r"(?<![a-z])(bc|ad)\.?$", re.IGNORECASE)
_NAMES = {
    types.DATE: "date", types.TIME: "time", types.TIMETZ: "time with time zone", types.TIMESTAMP: "timestamp",
    types.TIMESTAMPTZ: "timestamp with time zone",
}  # fmt: skip
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
    r"|(?P<number>[+-]?(?:\d+\.?\d*|\.\d+))(?:\s*(?P<unit>[a-z]+(?=[\s,]|$)))?",
    re.IGNORECASE,
)
_ISO = re.compile(
    r"P(?=[\dT+-])(?P<date>(?:[+-]?[\d.]+[YMWD])*)(?:T(?P<time>(?:[+-]?[\d.]+[HMS])+))?", re.IGNORECASE
)
_ISO_PART = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))([A-Z])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Moment:
    """A date, a time of day or a point in time, in ISO's form as PostgreSQL writes it, in UTC where it has a zone."""

    oid: int
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Interval:
    """A span of time; none of its parts is made another."""

    months: int
    days: int
    micros: int

    def __str__(self) -> str:
        return postgres(self.months, self.days, self.micros)


def moment(text: str, oid: int, settings: Mapping[str, str]) -> Moment:
    """The date or time that a text says. Raises `PgError` (22007, 22008)."""
    words = text.strip(" \t\n\r\v\f")
    zone = Zone.named(settings.get("timezone", "UTC"))
    if oid in _DATED and (special := _special(words.lower(), oid, zone)) is not None:
        return special
    era = _ERA.search(words)
    rest = words[: era.start()].rstrip() if era else words
    day, rest = _date(rest, text, settings, before=bool(era) and era is not None and era[1].lower() == "bc")
    if day is None and (oid in _DATED or era):
        raise _syntax(oid, text)
    if day is not None and rest and not rest[0].isspace():
        if oid not in _DATED or rest[0] not in "Tt" or not rest[1:2].isdigit():
            raise _syntax(oid, text)
        rest = rest[1:]
    rest = rest.lstrip()
    micros, rest = _time(rest, text)
    if micros is None and (oid not in _DATED or rest.strip()) and not (oid in _DATED and _zone_only(rest)):
        raise _syntax(oid, text)
    east = _offset(rest.strip(), day, micros or 0, oid, text)
    return _made(oid, (day or 0) * MICROS + (micros or 0), east, zone, text)


def _zone_only(rest: str) -> bool:
    return bool(_OFFSET.fullmatch(rest.strip())) or rest.strip().lower() in ("z", "utc", "gmt")


def _special(word: str, oid: int, zone: Zone) -> Moment | None:
    if word in ("infinity", "+infinity", "-infinity"):
        return Moment(oid, word.removeprefix("+"))
    if word == "epoch":
        return _made(oid, 0, 0, zone, word)
    days = {"now": 0, "today": 0, "tomorrow": 1, "yesterday": -1}.get(word)
    if days is None:
        return None
    now = datetime.now(UTC)
    second = int(now.timestamp())
    local = second + zone.offset(second)
    of_day = local % 86_400 * SECOND + now.microsecond if word == "now" else 0
    return _made(oid, (local // 86_400 + days) * MICROS + of_day, None, zone, word)


def _date(words: str, text: str, settings: Mapping[str, str], *, before: bool) -> tuple[int | None, str]:
    for pattern in _DATES:
        found = pattern.match(words)
        if found is None:
            continue
        parts = found.groupdict()
        year = int(parts["y"])
        if parts.get("name"):
            month, day = _MONTHS.index(parts["name"].lower()[:3]) + 1, int(parts["d"])
        elif "one" in parts:
            first, second = int(parts["one"]), int(parts["two"])
            month, day = (
                (second, first) if "DMY" in settings.get("datestyle", "").upper() else (first, second)
            )
        else:
            month, day = int(parts["m"]), int(parts["d"])
        if year == 0 or not 1 <= month <= 12 or not 1 <= day <= 31:
            raise _range(text)
        made = days_of(1 - year if before else year, month, day)
        if civil(made)[1:] != (month, day):
            raise _range(text)
        return made, words[found.end() :]
    return None, words


def days_of(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01; year 0 is 1 BC."""
    shifted = year - (month <= 2)
    era, of_era = divmod(shifted, 400)
    of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


def _time(words: str, text: str) -> tuple[int | None, str]:
    found = _CLOCK.match(words) or _DIGITS.match(words)
    if found is None:
        return None, words
    parts = found.groupdict()
    hour, minute, second = int(parts["h"]), int(parts["m"]), int(parts["s"] or 0)
    if half := (parts.get("half") or "").lower():
        if not 1 <= hour <= 12:
            raise _range(text)
        hour = hour % 12 + (12 if half == "pm" else 0)
    fraction = _rounded(Fraction("0" + parts["f"]) * SECOND) if len(parts["f"] or "") > 1 else 0
    made = ((hour * 60 + minute) * 60 + second) * SECOND + fraction
    if minute > 59 or second > 60 or made > MICROS:
        raise _range(text)
    return made, words[found.end() :]


def _offset(words: str, day: int | None, micros: int, oid: int, text: str) -> int | None:
    """Seconds east of Greenwich; None where nothing is said."""
    if not words:
        return None
    if words.lower() in ("z", "utc", "gmt", "zulu"):
        return 0
    if found := _OFFSET.fullmatch(words):
        hours, minutes, seconds = (int(each or 0) for each in found.groups()[1:])
        if hours > 15 or minutes > 59 or seconds > 59:
            raise PgError(f'time zone displacement out of range: "{text}"', sqlstate="22009")
        made = (hours * 60 + minutes) * 60 + seconds
        return -made if found[1] == "-" else made
    if re.fullmatch(r"[A-Za-z]+(?:[/_+-]\w+)+|[A-Za-z]{3,}", words) and day is not None:
        try:
            zone = Zone.named(words)
        except PgError:
            known = "/" in words
            message = f'time zone "{words.lower()}" not recognized' if known else None
            raise (PgError(message, sqlstate="22023") if message else _syntax(oid, text)) from None
        local = day * 86_400 + micros // SECOND
        return local - int(zone.local_to_utc(np.array([local]))[0])
    raise _syntax(oid, text)


def _made(oid: int, micros: int, east: int | None, zone: Zone, text: str) -> Moment:
    """What stands `micros` after 1970 on a clock `east` of Greenwich, or in `zone`."""
    if oid == types.DATE:
        return Moment(oid, _day(micros // MICROS, _DATE_DAYS, "date", text))
    if oid == types.TIME:
        return Moment(oid, _clock(micros if micros == MICROS else micros % MICROS))
    if oid == types.TIMETZ:
        if east is None:
            east = zone.offset(int(datetime.now(UTC).timestamp()))
        return Moment(oid, _clock(micros if micros == MICROS else micros % MICROS) + offset(east))
    if oid == types.TIMESTAMPTZ:
        if east is None:
            seconds = micros // SECOND
            east = seconds - int(zone.local_to_utc(np.array([seconds]))[0])
        micros -= east * SECOND
    return Moment(oid, _point(micros, oid, text))


def _point(micros: int, oid: int, text: str) -> str:
    day, rest = divmod(micros, MICROS)
    written = _day(day, _TIMESTAMP_DAYS, "timestamp", text)
    zone = "+00" if oid == types.TIMESTAMPTZ else ""
    if written.endswith(" BC"):
        return f"{written.removesuffix(' BC')} {_clock(rest)}{zone} BC"
    return f"{written} {_clock(rest)}{zone}"


def _day(day: int, end: int, name: str, text: str) -> str:
    if not _FIRST_DAY <= day < end:
        raise PgError(f'{name} out of range: "{text}"' if text else f"{name} out of range", sqlstate="22008")
    year, month, date = civil(day)
    return f"{year if year > 0 else 1 - year:04d}-{month:02d}-{date:02d}{'' if year > 0 else ' BC'}"


def _clock(micros: int) -> str:
    seconds, fraction = divmod(micros, SECOND)
    tail = f".{fraction:06d}".rstrip("0") if fraction else ""
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{tail}"


def interval(text: str) -> Interval:
    """The interval that a text says. Raises `PgError` (22007, 22008, 22015)."""
    words = text.strip(" \t\n\r\v\f")
    if found := _ISO.fullmatch(words):
        return _iso(found, text)
    ago = words.lower().endswith("ago")
    words = (words[:-3] if ago else words).removeprefix("@").strip()
    if not words:
        raise _syntax(types.INTERVAL, text)
    total = _Sum()
    bare: Fraction | None = None
    """A number without a unit: days before a clock, seconds at the end."""
    for found in _parts(words, text):
        if bare is not None:
            if not found["clock"]:
                raise _syntax(types.INTERVAL, text)
            total.number(bare, "day", text)
            bare = None
        if found["number"] and not found["unit"]:
            bare = Fraction(found["number"])
        else:
            total.part(found, text)
    if bare is not None:
        if ago:
            raise _syntax(types.INTERVAL, text)
        total.number(bare, "second", text)
    return total.made(text, ago=ago)


def _parts(words: str, text: str) -> "Iterator[re.Match[str]]":
    at = 0
    while at < len(words):
        found = _PART.match(words, at)
        if found is None:
            raise _syntax(types.INTERVAL, text)
        yield found
        at = found.end()
        if at < len(words) and words[at] not in " \t\n\r,":
            raise _syntax(types.INTERVAL, text)
        while at < len(words) and words[at] in " \t\n\r,":
            at += 1


def _clock_part(found: "re.Match[str]", text: str) -> int:
    hours, minutes, seconds = int(found["h"]), int(found["min"]), int(found["sec"] or 0)
    if found["short"]:  # minutes and seconds only: 04:05.5
        hours, minutes, seconds = 0, hours, minutes
    if minutes > 59 or seconds > 60:
        raise _interval_range(text)
    fraction = found["frac"] or found["short"] or ""
    micros = ((hours * 60 + minutes) * 60 + seconds) * SECOND
    micros += _rounded(Fraction("0" + fraction) * SECOND) if len(fraction) > 1 else 0
    return -micros if found["sign"] == "-" else micros


def _iso(found: "re.Match[str]", text: str) -> Interval:
    total = _Sum()
    for part, units in ((found["date"], "YMWD"), (found["time"], "HMS")):
        for number, unit in _ISO_PART.findall(part or ""):
            name = {"Y": "year", "W": "week", "D": "day", "H": "hour", "S": "second"}.get(
                unit.upper(), "month" if units == "YMWD" else "minute"
            )
            try:
                total.add(Fraction(number), _UNITS[name])
            except ValueError:
                raise _syntax(types.INTERVAL, text) from None
    return total.made(text)


class _Sum:
    """An interval that grows; fractions of a unit spill into the smaller ones as PostgreSQL does it."""

    def __init__(self) -> None:
        self.months = 0
        self.days = 0
        self.micros = 0
        self._seen: set[str] = set()

    def part(self, found: "re.Match[str]", text: str) -> None:
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
                raise _syntax(types.INTERVAL, text)
            self._once(text, _FIELDS.get(chosen, unit))
            self.add(Fraction(found["number"]), chosen)

    def number(self, count: Fraction, unit: str, text: str) -> None:
        self._once(text, unit)
        self.add(count, _UNITS[unit])

    def _once(self, text: str, *names: str) -> None:
        if not self._seen.isdisjoint(names):
            raise _syntax(types.INTERVAL, text)
        self._seen.update(names)

    def add(self, count: Fraction, unit: tuple[int, int, int]) -> None:
        months, days, micros = unit
        if months:
            whole = int(count)
            self.months += whole * months
            rest = (count - whole) * months
            if months > 1:
                self.months += _rounded(rest)
            else:
                self._days(rest * 30)
        elif days:
            self._days(count * days)
        else:
            self.micros += _rounded(count * micros)

    def _days(self, count: Fraction) -> None:
        whole = int(count)
        self.days += whole
        self.micros += _rounded((count - whole) * MICROS)

    def made(self, text: str, *, ago: bool = False) -> Interval:
        sign = -1 if ago else 1
        months, days, micros = self.months * sign, self.days * sign, self.micros * sign
        if not (
            -(1 << 31) <= months < 1 << 31 and -(1 << 31) <= days < 1 << 31 and -(1 << 63) <= micros < 1 << 63
        ):
            raise _interval_range(text)
        return Interval(months, days, micros)


def binary_interval(raw: bytes) -> Interval:
    """Microseconds, days and months."""
    micros, days, months = struct.unpack(">qii", raw)
    return Interval(months, days, micros)


def binary_moment(oid: int, raw: bytes) -> Moment:
    """Days or microseconds since 2000-01-01, or since midnight. Raises `PgError` (22008) for what is no time."""
    if oid == types.DATE:
        (days,) = struct.unpack(">i", raw)
        if days in ((1 << 31) - 1, -(1 << 31)):
            return Moment(oid, "infinity" if days > 0 else "-infinity")
        return Moment(oid, _day(days + EPOCH_DAYS, _DATE_DAYS, "date", ""))
    if oid in (types.TIME, types.TIMETZ):
        (micros,) = struct.unpack_from(">q", raw)
        west = struct.unpack(">qi", raw)[1] if oid == types.TIMETZ else struct.unpack(">q", raw)[0] * 0
        if not 0 <= micros <= MICROS:
            raise PgError("time out of range", sqlstate="22008")
        if abs(west) >= 16 * 3600:
            raise PgError("time zone displacement out of range", sqlstate="22009")
        return Moment(oid, _clock(micros) + (offset(-west) if oid == types.TIMETZ else ""))
    (micros,) = struct.unpack(">q", raw)
    if micros in ((1 << 63) - 1, -(1 << 63)):
        return Moment(oid, "infinity" if micros > 0 else "-infinity")
    return Moment(oid, _point(micros + EPOCH, oid, ""))


def _rounded(value: Fraction) -> int:
    return round(value)


def _syntax(oid: int, text: str) -> PgError:
    name = "interval" if oid == types.INTERVAL else _NAMES[oid]
    return PgError(f'invalid input syntax for type {name}: "{text}"', sqlstate="22007")


def _range(text: str) -> PgError:
    return PgError(f'date/time field value out of range: "{text}"', sqlstate="22008")


def _interval_range(text: str) -> PgError:
    return PgError(f'interval field value out of range: "{text}"', sqlstate="22015")
