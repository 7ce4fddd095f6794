"""Times without a zone are UTC, and so is every session; local times are made from instants.

A column may be a date, a time in UTC, or a time with a zone: what is written here is right for all three.
"""

from sqlglot import exp

from ingot.semantic.dialects.templates import is_instant, is_local, is_timestamp, local, written
from ingot.semantic.dialects.unknown import Untranslatable

_UTC = {
    "trino": "CAST(AT_TIMEZONE(CAST(x__ AS TIMESTAMP(6) WITH TIME ZONE), 'UTC') AS TIMESTAMP(6))",
    "snowflake": "CAST(CONVERT_TIMEZONE('UTC', CAST(x__ AS TIMESTAMPTZ)) AS TIMESTAMPNTZ)",
    "bigquery": "CAST(x__ AS DATETIME)",
    "databricks": "CAST(x__ AS TIMESTAMP_NTZ)",
}
_PLAIN = {
    "trino": "CAST(x__ AS TIMESTAMP(6))",
    "snowflake": "CAST(x__ AS TIMESTAMPNTZ)",
    "bigquery": "CAST(x__ AS DATETIME)",
    "databricks": "CAST(x__ AS TIMESTAMP_NTZ)",
}
_INSTANT = {"trino": "CAST(x__ AS TIMESTAMP(6) WITH TIME ZONE)"}
_ZONED = {
    "trino": "CAST(AT_TIMEZONE(x__, zone__) AS TIMESTAMP(6))",
    "snowflake": "CAST(CONVERT_TIMEZONE(zone__, x__) AS TIMESTAMPNTZ)",
    "bigquery": "DATETIME(x__, zone__)",
    "databricks": "CONVERT_TIMEZONE('UTC', zone__, CAST(x__ AS TIMESTAMP_NTZ))",
}


def cast(node: exp.Cast, dialect: str) -> exp.Expr:
    """A cast to a time; other casts stay."""
    inner = node.this
    if is_timestamp(node.to):
        if dialect == "postgres":
            # An engine would take the parameter itself for a time; it is a text.
            text = exp.Cast(this=inner, to=exp.DataType.build("text"))
            return exp.Cast(this=text, to=node.to) if isinstance(inner, exp.Parameter) else node
        if dialect == "trino" and isinstance(inner, exp.Parameter):
            return local(written(dialect, "CAST(REPLACE(x__, 'T', ' ') AS TIMESTAMP(6))", x=inner))
        if dialect == "trino" and inner.is_string:
            inner = exp.Literal.string(inner.name.replace("T", " "))
        known = isinstance(inner, exp.Parameter) or inner.is_string or is_local(inner)
        return local(written(dialect, (_PLAIN if known else _UTC)[dialect], x=inner))
    if node.to.this == exp.DataType.Type.TIMESTAMPTZ and dialect in _INSTANT:
        return written(dialect, _INSTANT[dialect], x=inner)
    return node


def at_zone(node: exp.AtTimeZone, dialect: str) -> exp.Expr:
    """The local time of an instant."""
    if dialect == "postgres":
        return node
    if not is_instant(node.this):
        raise Untranslatable(node, "AT TIME ZONE on a time that is not cast to TIMESTAMPTZ")
    return local(written(dialect, _ZONED[dialect], x=node.this, zone=node.args["zone"]))
