"""Texts in a statement that stand for values of a type: read as PostgreSQL reads them, written for the engine.

What PostgreSQL would read and this does not is an error, never another value.
"""

import json
import re
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlglot import exp

from ingot.errors import did_you_mean
from ingot.semantic.sql.errors import SqlError, shown
from ingot.semantic.sql.postgres import kinds
from ingot.semantic.sql.postgres.intervals import interval
from ingot.semantic.sql.postgres.tree import cast, text

_TRUE = ("true", "yes", "on")
_FALSE = ("false", "no", "off")
_RANGES = {"int2": 2**15, "int4": 2**31, "int8": 2**63}
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})|(\d{4})/(\d{1,2})/(\d{1,2})|(\d{4})(\d\d)(\d\d)")
_WORDS = re.compile(r"([A-Za-z]{3,9})\.? (\d{1,2}),? (\d{4})|(\d{1,2})[ -]([A-Za-z]{3,9})[ -](\d{4})")
_CLOCK = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d)(?:\.(\d{1,}))?)?(?: ?([AaPp])\.?[Mm]\.?)?")
_OFFSET = re.compile(r"([+-])(\d{1,2})(?::?(\d\d))?(?::?(\d\d))?")
_ELSEWHERE = re.compile(
    r"^\s*([+-]?infinity|allballs|J\d+|\d{1,2}([/.-])\d{1,2}\2\d{4}\b|\d{4}\.\d{3}|\d{4}-\d{3}\s*$|\d{4}\.\d+\.\d+|\d{5,}-)|\bBC\)?$",
    re.IGNORECASE,
)
"""Forms that PostgreSQL reads, and this does not: what they mean depends on the session, or the engine shows it otherwise."""
_FAR = re.compile(r"\d ([A-Za-z]+(?:/\w+)+)$")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")


@dataclass(frozen=True, slots=True)
class Clock:
    """When a statement is, and in which zone."""

    now: datetime
    zone: str = "UTC"

    @property
    def local(self) -> datetime:
        """The time on the wall."""
        return self.now.astimezone(ZoneInfo(self.zone)).replace(tzinfo=None)


def value(said: str, wanted: str, clock: Clock, at: exp.Expr | None = None) -> exp.Expr:
    """The value that a text is of a type.

    Raises:
        SqlError: 22P02, 22007, 22008 or 22003, as PostgreSQL tells it.
    """
    if kinds.is_array(wanted):
        return _array(said, wanted, clock, at)
    if wanted in kinds.TEXTS or wanted in (kinds.UNKNOWN, kinds.ANY):
        return text(said)
    reader = _READERS.get(wanted)
    if reader is None:
        raise SqlError(f"A text cannot be read as {kinds.spoken(wanted)} here.", at=at, sqlstate="0A000")
    try:
        found = reader(said, clock)
    except SqlError as error:
        raise SqlError(error.message, at=at, sqlstate=error.sqlstate) from None
    if found is None:
        raise _wrong(said, wanted, at)
    return found


def interval_parts(said: str) -> tuple[int, int, int] | None:
    """Months, days and microseconds of an interval's text; None where it is none."""
    try:
        return interval(said)
    except SqlError:
        return None


def zone_name(said: str, at: exp.Expr | None = None) -> str:
    """The name of a zone as the engine knows it."""
    for one in (said, said.upper(), said.title()):
        try:
            ZoneInfo(one)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            continue
        return one
    if said.upper() in ("Z", "ZULU"):
        return "UTC"
    raise SqlError(
        f'time zone "{shown(said)}" not recognized{did_you_mean(said, ("UTC", "Europe/Berlin", "America/New_York"))}',
        at=at,
        sqlstate="22023",
    )


def moment(said: str, clock: Clock) -> tuple[datetime, bool] | None:  # noqa: PLR0911 - one for each form
    """A time without a zone, and whether the text had an offset or zone; then it is of UTC."""
    words = said.strip()
    special = {
        "now": clock.local, "today": _day(clock.local), "yesterday": _day(clock.local) - timedelta(1),
        "tomorrow": _day(clock.local) + timedelta(1), "epoch": datetime(1970, 1, 1),  # noqa: DTZ001
    }.get(words.lower())  # fmt: skip
    if special is not None:
        return special, False
    found = _DATE.match(words) or _WORDS.match(words)
    if found is None:
        return None
    day = _date_of(found)
    if day is None:
        return None
    rest = words[found.end() :]
    if not rest.strip():
        return (datetime(day.year, day.month, day.day), False)  # noqa: DTZ001
    if rest[0] not in " T\t" and rest[0] != "t":
        return None
    rest = rest[1:].strip()
    clocked = _CLOCK.match(rest)
    if clocked is None:
        return None
    passed = _clock_of(clocked)
    if passed is None:
        return None
    made = datetime(day.year, day.month, day.day) + passed  # noqa: DTZ001
    rest = rest[clocked.end() :].strip()
    if not rest:
        return made, False
    offset = _offset(rest, made)
    return (made - offset, True) if offset is not None else None


def _day(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


def _date_of(found: re.Match[str]) -> date | None:
    groups = [one for one in found.groups() if one is not None]
    if found.re is _WORDS:
        name = next(one for one in groups if one.isalpha()).lower()
        numbers = [int(one) for one in groups if one.isdigit()]
        month = next((n for n, one in enumerate(_MONTHS, 1) if one == name or one[:3] == name), 0)
        day, year = numbers
    else:
        year, month, day = (int(one) for one in groups)
    if not 1 <= month <= 12 or not year >= 1 or not 1 <= day <= monthrange(year, month)[1]:
        return None
    return date(year, month, day)


def _clock_of(found: re.Match[str]) -> timedelta | None:
    hour, minute, second = int(found[1]), int(found[2]), int(found[3] or 0)
    if found[5]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if found[5] in "pP" else 0)
    # PostgreSQL rounds to microseconds.
    micro = round(Decimal("0." + found[4]) * 1_000_000) if found[4] else 0
    if hour > 24 or minute > 59 or second > 60 or (hour == 24 and (minute or second or micro)):
        return None
    return timedelta(hours=hour, minutes=minute, seconds=second, microseconds=int(micro))


def _offset(said: str, local: datetime) -> timedelta | None:
    found = _OFFSET.fullmatch(said)
    if found and int(found[2]) > 15:
        return None
    if found:
        size = timedelta(hours=int(found[2]), minutes=int(found[3] or 0), seconds=int(found[4] or 0))
        return size if found[1] == "+" else -size
    try:
        name = zone_name(said)
    except SqlError:
        return None
    return local.replace(tzinfo=ZoneInfo(name)).utcoffset()


def _timestamp(said: str, clock: Clock) -> exp.Expr | None:
    found = moment(said, clock)
    if found is None:
        return None
    made, zoned = found
    if zoned:
        # PostgreSQL passes over a zone here: the time is as it is written.
        again = moment(re.sub(r"(:\d\d(?:\.\d+)?) ?([+-]\S+|[A-Za-z/_]+)$", r"\1", said.strip()), clock)
        if again is None or again[1]:
            return None
        made = again[0]
    return cast(text(_iso(made)), "timestamp")


def _date(said: str, clock: Clock) -> exp.Expr | None:
    found = moment(said, clock)
    if found is None:
        return None
    made, zoned = found
    if zoned:
        return None
    return cast(text(made.date().isoformat()), "date")


def _timestamptz(said: str, clock: Clock) -> exp.Expr | None:
    if said.strip().lower() == "now":
        return instant(clock.now)
    found = moment(said, clock)
    if found is None:
        return None
    made, zoned = found
    there = UTC if zoned else ZoneInfo(clock.zone)
    return instant(made.replace(tzinfo=there))


def instant(at: datetime) -> exp.Expr:
    """A moment as the engine's literal."""
    return cast(text(_iso(at.astimezone(UTC).replace(tzinfo=None)) + "+00"), "timestamptz")


def _iso(at: datetime) -> str:
    return at.isoformat(sep=" ", timespec="microseconds" if at.microsecond else "seconds")


def _time(said: str, _: Clock) -> exp.Expr | None:
    found = _CLOCK.fullmatch(said.strip())
    passed = _clock_of(found) if found else None
    if passed is None or passed >= timedelta(days=1):
        return None
    return cast(text(_iso(datetime(2000, 1, 1) + passed)[11:]), "time")  # noqa: DTZ001


def _bool(said: str, _: Clock) -> exp.Expr | None:
    word = said.strip().lower()
    if word in ("1", "0"):
        return exp.Boolean(this=word == "1")
    if not word or word == "o":
        return None
    yes = any(one.startswith(word) for one in _TRUE)
    no = any(one.startswith(word) for one in _FALSE)
    return exp.Boolean(this=yes) if yes != no else None


def _whole(kind: str) -> Callable[[str, Clock], exp.Expr | None]:
    def read(said: str, _: Clock) -> exp.Expr | None:
        if not re.fullmatch(r"\s*[+-]?\d+\s*", said):
            return None
        number = int(said)
        if not -_RANGES[kind] <= number < _RANGES[kind]:
            raise SqlError(
                f'value "{shown(said)}" is out of range for type {kinds.spoken(kind)}', sqlstate="22003"
            )
        return cast(exp.Literal.number(number) if number >= 0 else _negative(number), kind)

    return read


def _negative(number: int) -> exp.Expr:
    return exp.Paren(this=exp.Neg(this=exp.Literal.number(-number)))


def number(said: str) -> exp.Expr | None:
    """A number as an exact literal of the engine, or one of double precision where it has too many digits."""
    try:
        found = Decimal(said.strip())
    except InvalidOperation:
        return None
    if not found.is_finite():
        return cast(text(said.strip()), "float8")
    plain = format(abs(found), "f")
    digits = plain.replace(".", "")
    if len(digits.lstrip("0") or "0") > 38 or len(plain.partition(".")[2]) > 38:
        made: exp.Expr = cast(text(format(abs(found), "E")), "float8")
    elif len(digits) > 18 and "." not in plain:
        made = exp.Literal.number(plain)
    else:
        made = exp.Literal.number(plain)
    return made if found >= 0 else exp.Paren(this=exp.Neg(this=made))


def _numeric(said: str, _: Clock) -> exp.Expr | None:
    if _NUMBER.fullmatch(said.strip()):
        return number(said)
    return cast(text("nan"), "float8") if said.strip().lower() == "nan" else None


def _float(kind: str) -> Callable[[str, Clock], exp.Expr | None]:
    def read(said: str, _: Clock) -> exp.Expr | None:
        word = said.strip()
        if not _NUMBER.fullmatch(word) and word.lower().lstrip("+-") not in ("nan", "infinity", "inf"):
            return None
        largest = 1.7976931348623157e308 if kind == "float8" else 3.4028235e38
        if _NUMBER.fullmatch(word) and abs(float(word)) > largest:
            raise SqlError(f'"{shown(word)}" is out of range for type {kinds.spoken(kind)}', sqlstate="22003")
        return cast(text(word.lower()), kind)

    return read


def _uuid(said: str, _: Clock) -> exp.Expr | None:
    try:
        return cast(text(str(UUID(said.strip()))), "uuid")
    except ValueError:
        return None


def span(months: int, days: int, micros: int) -> exp.Expr:
    """An interval as the engine's literal."""
    parts = [(months, "months"), (days, "days"), (micros, "microseconds")]
    said = " ".join(f"{size} {unit}" for size, unit in parts if size) or "0 days"
    return cast(text(said), "interval")


def _interval_value(said: str, _: Clock) -> exp.Expr:
    return span(*interval(said))


def _array(said: str, wanted: str, clock: Clock, at: exp.Expr | None) -> exp.Expr:
    items = array_items(said)
    if items is None:
        raise SqlError(f'malformed array literal: "{shown(said)}"', at=at, sqlstate="22P02")
    kind = kinds.element(wanted)
    values = [exp.null() if one is None else value(one, kind, clock, at) for one in items]
    return cast(exp.Anonymous(this="LIST_VALUE", expressions=values), wanted)


def array_items(said: str) -> list[str | None] | None:
    """The elements of `{a,"b c",NULL}`; None where it is no array of one dimension."""
    body = said.strip()
    if not (body.startswith("{") and body.endswith("}")):
        return None
    found: list[str | None] = []
    body = body[1:-1].strip()
    if not body:
        return found
    pattern = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^",{}]*?))\s*(,|$)', re.DOTALL)
    at = 0
    while at <= len(body):
        one = pattern.match(body, at)
        if one is None:
            return None
        if one[1] is not None:
            found.append(re.sub(r"\\(.)", r"\1", one[1], flags=re.DOTALL))
        elif not one[2]:
            return None
        else:
            found.append(None if one[2].upper() == "NULL" else re.sub(r"\\(.)", r"\1", one[2]))
        if one[3] != ",":
            return found
        at = one.end()
    return None


def _wrong(said: str, wanted: str, at: exp.Expr | None) -> SqlError:
    times = wanted in ("date", "timestamp", "timestamptz", "time", "interval")
    if times and _ELSEWHERE.search(said):
        return SqlError(
            f'A time of this form cannot be read here: "{shown(said)}".',
            at=at,
            sqlstate="0A000",
            hint="Write it as 2026-02-03 or 2026-02-03 04:05:06, between the years 1 and 9999.",
        )
    if (
        times
        and (found := _OFFSET.search(said.strip()))
        and found.end() == len(said.strip())
        and int(found[2]) > 15
    ):
        return SqlError(f'time zone displacement out of range: "{shown(said)}"', at=at, sqlstate="22009")
    if times and (zone := _FAR.search(said)):
        return SqlError(f'time zone "{shown(zone[1].lower())}" not recognized', at=at, sqlstate="22023")
    if times and (_DATE.match(said.strip()) or _CLOCK.match(said.strip())):
        return SqlError(f'date/time field value out of range: "{shown(said)}"', at=at, sqlstate="22008")
    return SqlError(
        f'invalid input syntax for type {kinds.spoken(wanted)}: "{shown(said)}"',
        at=at,
        sqlstate="22007" if times else "22P02",
    )


def _bytea(said: str, _: Clock) -> exp.Expr | None:
    """`\\x4142`, or bytes as they are, with `\\\\` and `\\ooo` for those that cannot be written."""
    found: bytes | None
    if said.startswith("\\x"):
        try:
            found = bytes.fromhex(said[2:])
        except ValueError:
            raise SqlError("invalid hexadecimal data", sqlstate="22023") from None
    else:
        parts = re.fullmatch(r"(?:[^\\]|\\\\|\\[0-3][0-7]{2})*", said, re.DOTALL)
        if parts is None:
            return None
        found = b"".join(
            one.encode() if one[0] != "\\" else b"\\" if one == "\\\\" else bytes([int(one[1:], 8)])
            for one in re.findall(r"\\\\|\\[0-7]{3}|[^\\]", said, re.DOTALL)
        )
    return exp.Anonymous(this="UNHEX", expressions=[text(found.hex())])


def _json(said: str, _: Clock) -> exp.Expr | None:
    """JSON as it is written; the engine reads it again."""
    try:
        json.loads(said, parse_constant=_no_json)
    except (ValueError, RecursionError):
        return None
    return cast(text(said), "json")


def _no_json(said: str) -> None:
    raise ValueError(said)


def _jsonb(said: str, clock: Clock) -> exp.Expr | None:
    """Its keys once each, and in PostgreSQL's order: short ones first."""
    if _json(said, clock) is None:
        return None
    pieces = json.loads(said, object_pairs_hook=_ordered, parse_float=_Digits, parse_int=_Digits)
    return cast(text(_dumped(pieces)), "json")


class _Digits(str):
    """A number as it was written."""

    __slots__ = ()


def _ordered(pairs: list[tuple[str, object]]) -> dict[str, object]:
    return dict(sorted(dict(pairs).items(), key=lambda one: (len(one[0].encode()), one[0].encode())))


def _dumped(one: object) -> str:
    if isinstance(one, _Digits):
        return str(one)
    if isinstance(one, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{_dumped(value)}" for key, value in one.items()) + "}"
    if isinstance(one, list):
        return "[" + ",".join(map(_dumped, one)) + "]"
    return json.dumps(one, ensure_ascii=False)


_READERS: dict[str, Callable[[str, Clock], exp.Expr | None]] = {
    "bool": _bool, "int2": _whole("int2"), "int4": _whole("int4"), "int8": _whole("int8"), "oid": _whole("int8"),
    "numeric": _numeric, "float4": _float("float4"), "float8": _float("float8"), "date": _date,
    "timestamp": _timestamp, "timestamptz": _timestamptz, "time": _time, "interval": _interval_value, "uuid": _uuid,
    "bytea": _bytea, "json": _json, "jsonb": _jsonb,
}  # fmt: skip
