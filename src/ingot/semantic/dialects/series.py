"""The series of a statement's periods, which each engine has its own function for."""

from sqlglot import exp

from ingot.semantic.dialects.calendar import length_of
from ingot.semantic.dialects.templates import written
from ingot.semantic.dialects.unknown import Untranslatable

# The first and the last period are computed once; a last one before the first is an empty series.
_BOUNDS = 'FROM (SELECT first__ AS "first", last__ AS "last") AS "#bounds"'
_GUARDED = 'CASE WHEN "#bounds"."first" <= "#bounds"."last" THEN SEQUENCE("#bounds"."first", "#bounds"."last", step__) END'
_TEXT = {
    "trino": f'SELECT "#series"."start" {_BOUNDS} CROSS JOIN UNNEST({_GUARDED}) AS "#series"("start")',
    "databricks": f'SELECT EXPLODE({_GUARDED}) AS "start" {_BOUNDS}'.replace('"', "`"),
    "snowflake": 'SELECT DATEADD({unit}, CAST("#series".value AS INT), "#bounds"."first") AS "start" '
    + _BOUNDS
    + ', LATERAL FLATTEN(INPUT => ARRAY_GENERATE_RANGE(0, DATEDIFF({unit}, "#bounds"."first", "#bounds"."last") + 1, count__)) AS "#series"',
    "bigquery": (
        'SELECT DATETIME_ADD("#bounds"."first", INTERVAL "#at" {unit}) AS "start" '
        + _BOUNDS
        + ' CROSS JOIN UNNEST(GENERATE_ARRAY(0, DATETIME_DIFF("#bounds"."last", "#bounds"."first", {unit}), count__)) AS "#at"'
    ).replace('"', "`"),
}


def series(node: exp.Select, dialect: str) -> exp.Expr:
    """SELECT of a series as the engine writes it; other statements stay."""
    found = node.expressions[0] if len(node.expressions) == 1 else None
    exploded = found.this if isinstance(found, exp.Alias) else None
    if not isinstance(exploded, exp.Explode) or not isinstance(exploded.this, exp.GenerateSeries):
        return node
    every = exploded.this
    if dialect == "postgres":
        exploded.replace(every)
        return node
    length = length_of(every.args.get("step"))
    if length is None or node.args.get("from_") is not None:
        raise Untranslatable(node, "a series of values")
    count, unit = length
    return written(
        dialect,
        _TEXT[dialect].format(unit=unit),
        first=every.args["start"],
        last=every.args["end"],
        step=exp.Interval(this=exp.Literal.string(str(count)), unit=exp.var(unit)),
        count=exp.Literal.number(count),
    )
