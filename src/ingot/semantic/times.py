"""Times in SQL: the local time of a zone, and the beginning of the period that a time lies in."""

from sqlglot import exp

GRANULARITIES = ("second", "minute", "hour", "day", "week", "month", "quarter", "year")


def as_timestamp(tree: exp.Expr) -> exp.Expr:
    """`tree` as a timestamp in UTC without a zone."""
    return exp.Cast(this=tree, to=exp.DataType.build("timestamp"))


def in_zone(tree: exp.Expr, zone: str) -> exp.Expr:
    """`tree` (a date, a timestamp in UTC, or one with a zone) as local time of `zone`."""
    if zone == "UTC":
        return as_timestamp(tree)
    instant = exp.Cast(this=tree, to=exp.DataType.build("timestamptz"))
    return exp.AtTimeZone(this=instant, zone=exp.Literal.string(zone))


def truncated(tree: exp.Expr, granularity: str) -> exp.Expr:
    """The beginning of the period; weeks begin on Monday."""
    return exp.TimestampTrunc(this=tree, unit=exp.var(granularity.upper()))
