"""Dates and times that clients send, in the forms that drivers and people use, and in binary."""

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction

import numpy as np

from ingot.pgwire import types
from ingot.pgwire.errors import PgError
from ingot.pgwire.values.times import EPOCH, EPOCH_DAYS, MICROS, SECOND, civil, offset
from ingot.pgwire.values.zones import Zone

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


@dataclass(frozen=True, slots=True)
class Moment:
    """A date, a time of day or a point in time, in ISO's form as PostgreSQL writes it, in UTC where it has a zone."""

    oid: int
    text: str

    def __str__(self) -> str:
        return self.text


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
    fraction = round(Fraction("0" + parts["f"]) * SECOND) if len(parts["f"] or "") > 1 else 0
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


def _syntax(oid: int, text: str) -> PgError:
    return PgError(f'invalid input syntax for type {_NAMES[oid]}: "{text}"', sqlstate="22007")


def _range(text: str) -> PgError:
    return PgError(f'date/time field value out of range: "{text}"', sqlstate="22008")
