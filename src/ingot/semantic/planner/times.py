"""Times in SQL: the local time of a zone, and the beginning of the period that a time lies in."""

from datetime import datetime

from sqlglot import exp

from ingot.semantic.intervals import Interval, moved
from ingot.semantic.planner.building import Kind, cast
from ingot.semantic.stages import Granularity

GRANULARITIES = ("second", "minute", "hour", "day", "week", "month", "quarter", "year")
STEPS = {
    "second": Interval(seconds=1),
    "minute": Interval(seconds=60),
    "hour": Interval(seconds=3600),
    "day": Interval(days=1),
    "week": Interval(days=7),
    "month": Interval(months=1),
    "quarter": Interval(months=3),
    "year": Interval(months=12),
}
"""How long the periods of each granularity are."""


def as_timestamp(tree: exp.Expr) -> exp.Expr:
    """`tree` as a timestamp in UTC without a zone."""
    return cast(tree, Kind.TIMESTAMP)


def in_zone(tree: exp.Expr, zone: str) -> exp.Expr:
    """`tree` (a date, a timestamp in UTC, or one with a zone) as local time of `zone`."""
    if zone == "UTC":
        return as_timestamp(tree)
    return exp.AtTimeZone(this=_instant(tree), zone=exp.Literal.string(zone))


def shifted(tree: exp.Expr, zone: str, by: Interval) -> exp.Expr:
    """`tree` as local time of `zone`, moved: by days and months on the calendar there, by hours on the clock."""
    if by.clock:
        tree = moved(as_timestamp(tree) if zone == "UTC" else _instant(tree), by.clock)
        tree = exp.Paren(this=tree)
    return moved(in_zone(tree, zone), by.calendar)


def truncated(tree: exp.Expr, granularity: str | Granularity) -> exp.Expr:
    """The beginning of the period that a local time lies in; weeks begin on Monday."""
    if isinstance(granularity, str):
        return exp.TimestampTrunc(this=tree, unit=exp.var(granularity.upper()))
    return _binned(tree, granularity)


def literal(time: datetime) -> exp.Expr:
    """A time of the model (never of a query) in SQL."""
    return as_timestamp(exp.Literal.string(time.isoformat(sep=" ")))


def step(granularity: str | Granularity) -> Interval | None:
    """How long a period is; None where only the model's SQL knows."""
    return STEPS[granularity] if isinstance(granularity, str) else granularity.interval


def _instant(tree: exp.Expr) -> exp.Expr:
    return cast(tree, Kind.TIMESTAMPTZ)


def _binned(tree: exp.Expr, granularity: Granularity) -> exp.Expr:
    length, origin = granularity.interval, granularity.origin
    assert length is not None
    assert origin is not None
    inside = granularity.inside
    at = exp.Paren(this=moved(tree, -inside)) if inside else tree
    if not length.months:
        seconds = length.days * 86_400 + length.seconds
        since: exp.Expr = exp.Extract(
            this=exp.var("EPOCH"), expression=exp.Sub(this=at, expression=literal(origin))
        )
        return moved(_later(literal(origin), since, seconds, "SECOND"), inside)
    year = exp.Extract(this=exp.var("YEAR"), expression=at)
    month = exp.Extract(this=exp.var("MONTH"), expression=at.copy())
    since = exp.Sub(
        this=exp.Add(
            this=exp.Mul(this=year, expression=exp.Literal.number(12)),
            expression=month,
        ),
        expression=exp.Literal.number(origin.year * 12 + origin.month),
    )
    return moved(_later(literal(origin), exp.Paren(this=since), length.months, "MONTH"), inside)


def _later(origin: exp.Expr, since: exp.Expr, length: int, unit: str) -> exp.Expr:
    """`origin` and as many whole lengths as fit into `since`."""
    whole = exp.Floor(this=exp.Div(this=since, expression=exp.Literal.number(f"{length}.0")))
    count = exp.Cast(
        this=exp.Mul(this=whole, expression=exp.Literal.number(length)), to=exp.DataType.build("bigint")
    )
    one = exp.Interval(this=exp.Literal.string("1"), unit=exp.var(unit))
    return exp.Add(this=origin, expression=exp.Paren(this=exp.Mul(this=count, expression=one)))
