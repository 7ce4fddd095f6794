"""Moments that a statement writes down, however it computes them: `now() - interval '30 days'`, `'2026-01-01'::date`."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlglot import exp

from ingot.semantic.sql.allowed import called
from ingot.semantic.sql.errors import SqlError
from ingot.semantic.sql.postgres.input import Clock, interval_parts, moment
from ingot.semantic.sql.postgres.kinds import named

_NOW = frozenset({"now", "current_timestamp", "transaction_timestamp", "statement_timestamp"})
_TEMPLATES = {
    "yyyy-mm-dd": r"\d{4}-\d\d-\d\d",
    "yyyy-mm-dd hh24:mi:ss": r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d",
    "yyyy-mm-dd hh24:mi:ss.us": r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}",
}
_PERIODS = ("second", "minute", "hour", "day", "week", "month", "quarter", "year")


@dataclass(frozen=True, slots=True)
class Moment:
    """A time on the wall of the statement's zone."""

    kind: str
    """`date`, `timestamp`, `timestamptz`, or `unknown` for a text that has no type yet."""
    at: datetime
    moving: bool = False
    """Whether it is another one at another time."""


def written_text(node: exp.Expr) -> str | None:
    """A text that is written down, also with the type that a driver gives to its parameter."""
    node = node.unnest()
    if isinstance(node, exp.Cast) and named(node.to) in (("text", ()), ("varchar", ())):
        node = node.this.unnest()
    return node.name if isinstance(node, exp.Literal) and node.is_string else None


def constant(node: exp.Expr, clock: Clock) -> Moment | None:
    """The moment that an expression is; None where it is none, or may be another one."""
    try:
        return _read(node, clock)
    except (OverflowError, ValueError, SqlError):
        return None


def _read(node: exp.Expr, clock: Clock) -> Moment | None:
    node = node.unnest()
    if isinstance(node, exp.Literal):
        return _written(node.name, "unknown", clock) if node.is_string else None
    if isinstance(node, exp.Cast):
        return _cast(node, clock)
    if isinstance(node, exp.Add | exp.Sub):
        return _moved(node, clock)
    if isinstance(node, exp.Anonymous):
        return _called(node, clock)
    return None


def _written(said: str, kind: str, clock: Clock) -> Moment | None:
    found = moment(said, clock)
    moving = said.strip().lower() in ("now", "today", "yesterday", "tomorrow")
    if found is None:
        return None
    at, zoned = found
    if kind == "timestamptz":
        if zoned:
            local = at.replace(tzinfo=UTC).astimezone(ZoneInfo(clock.zone)).replace(tzinfo=None)
            return _steady(Moment(kind, local, moving), clock)
        return _steady(Moment(kind, at, moving), clock)
    if zoned:
        # Where no zone belongs, PostgreSQL passes over it.
        again = moment(re.sub(r"(:\d\d(?:\.\d+)?) ?([+-]\S+|[A-Za-z/_]+)$", r"\1", said.strip()), clock)
        if again is None or again[1]:
            return None
        at = again[0]
    if kind == "date":
        at = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return Moment(kind, at, moving)


def _steady(found: Moment, clock: Clock) -> Moment | None:
    """A moment with a zone, unless the clocks are put forward or back around it."""
    zone = ZoneInfo(clock.zone)
    offsets = {(found.at + timedelta(hours=hours)).replace(tzinfo=zone).utcoffset() for hours in (-3, 0, 3)}
    return found if len(offsets) == 1 else None


def _cast(node: exp.Cast, clock: Clock) -> Moment | None:
    kind, sizes = named(node.to)
    if kind not in ("date", "timestamp", "timestamptz") or sizes:
        return None
    inner = node.this.unnest()
    if isinstance(inner, exp.Literal) and inner.is_string:
        return _written(inner.name, kind, clock)
    found = _read(inner, clock)
    if found is None or found.kind == "unknown":
        return None
    made = Moment(kind, found.at, found.moving)
    if kind == "date":
        return Moment(kind, _day(found.at), found.moving)
    return _steady(made, clock) if kind == "timestamptz" else made


def _day(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


def _moved(node: exp.Expr, clock: Clock) -> Moment | None:
    base, other = _read(node.this, clock), node.expression.unnest()
    if base is None or base.kind == "unknown":
        return None
    sign = -1 if isinstance(node, exp.Sub) else 1
    if (
        isinstance(other, exp.Literal)
        and not other.is_string
        and other.name.isdigit()
        and base.kind == "date"
    ):
        return Moment("date", base.at + timedelta(days=sign * int(other.name)), base.moving)
    parts = _interval(other)
    if parts is None:
        return None
    months, days, micros = (sign * one for one in parts)
    at = plus_months(base.at, months) + timedelta(days=days) + timedelta(microseconds=micros)
    kind = "timestamp" if base.kind == "date" else base.kind
    found = Moment(kind, at, base.moving)
    if kind != "timestamptz":
        return found
    # Hours pass in fact, and not on the wall: the zone must not change between.
    zone = ZoneInfo(clock.zone)
    if micros and base.at.replace(tzinfo=zone).utcoffset() != at.replace(tzinfo=zone).utcoffset():
        return None
    return _steady(found, clock)


def _interval(node: exp.Expr) -> tuple[int, int, int] | None:
    if isinstance(node, exp.Cast) and named(node.to) == ("interval", ()):
        inner = node.this.unnest()
        return interval_parts(inner.name) if isinstance(inner, exp.Literal) and inner.is_string else None
    if not isinstance(node, exp.Interval) or not isinstance(node.this, exp.Literal):
        return None
    unit = node.args.get("unit")
    if unit is not None and not isinstance(unit, exp.Var):
        return None
    return interval_parts(node.this.name if unit is None else f"{node.this.name} {unit.name}")


def plus_months(at: datetime, months: int) -> datetime:
    """So many months later, on the last day where the month is shorter."""
    number = at.year * 12 + at.month - 1 + months
    year, month = number // 12, number % 12 + 1
    return at.replace(year=year, month=month, day=min(at.day, monthrange(year, month)[1]))


def _called(node: exp.Anonymous, clock: Clock) -> Moment | None:  # noqa: PLR0911 - one for each
    name, given = called(node), node.expressions
    local = clock.local
    if name in _NOW and not given:
        return _steady(Moment("timestamptz", local, moving=True), clock)
    if name == "localtimestamp" and not given:
        return Moment("timestamp", local, moving=True)
    if name == "current_date":
        return Moment("date", _day(local), moving=True)
    if name in ("to_timestamp", "to_date") and len(given) == 2:
        said, template = (written_text(one) or "" for one in given)
        pattern = _TEMPLATES.get(template.lower())
        if pattern is None or not re.fullmatch(pattern, said):
            return None
        return _written(said, "timestamptz" if name == "to_timestamp" else "date", clock)
    if name == "date_trunc" and len(given) == 2:
        inner = _read(given[1], clock)
        unit = (written_text(given[0]) or "").lower()
        if inner is None or inner.kind == "unknown" or unit not in _PERIODS:
            return None
        kind = "timestamptz" if inner.kind == "date" else inner.kind
        found = Moment(kind, floor(inner.at, unit), inner.moving)
        return _steady(found, clock) if kind == "timestamptz" else found
    return None


def floor(at: datetime, unit: str) -> datetime:  # noqa: PLR0911 - one for each
    """The beginning of the period that a moment is in."""
    if unit == "second":
        return at.replace(microsecond=0)
    if unit == "minute":
        return at.replace(second=0, microsecond=0)
    if unit == "hour":
        return at.replace(minute=0, second=0, microsecond=0)
    day = _day(at)
    if unit == "week":
        return day - timedelta(days=day.weekday())
    if unit == "month":
        return day.replace(day=1)
    if unit == "quarter":
        return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
    return day.replace(month=1, day=1) if unit == "year" else day


def following(at: datetime, unit: str) -> datetime:
    """The beginning of the next period, from the beginning of one."""
    months = {"month": 1, "quarter": 3, "year": 12}.get(unit)
    if months is not None:
        return plus_months(at, months)
    sizes = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400, "week": 604_800}
    return at + timedelta(seconds=sizes[unit])
