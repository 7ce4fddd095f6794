"""Times moved by lengths, cut to periods, and counted from an origin."""

from sqlglot import exp

from ingot.semantic.dialects.templates import bare, instant, is_instant, is_local, local, written
from ingot.semantic.dialects.unknown import Untranslatable

_UNITS = {"WEEK": ("DAY", 7), "QUARTER": ("MONTH", 3), "YEAR": ("MONTH", 12)}
_KNOWN = frozenset({"SECOND", "MINUTE", "HOUR", "DAY", "MONTH"})
_TRUNCATED = frozenset({"SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR"})


def moved(node: exp.Add | exp.Sub, dialect: str) -> exp.Expr:
    """A time and a length: other sums stay."""
    found = _length(node.expression)
    if found is None:
        if bare(node.this).find(exp.Interval) and _length(node.this) is not None:
            raise Untranslatable(node, "a length of time before '+'")
        return node
    count, unit = found
    if dialect in ("postgres", "databricks"):
        return _kept(node)
    if isinstance(node, exp.Sub):
        negative = isinstance(count, exp.Literal)
        count = exp.Neg(this=count if negative else exp.Paren(this=count))
    time = node.this
    if dialect == "bigquery":
        length = exp.Interval(this=count, unit=exp.var(unit))
        verb = "TIMESTAMP_ADD" if is_instant(time) else "DATETIME_ADD"
        made: exp.Expr = exp.Anonymous(this=verb, expressions=[_datetime(time), length])
    elif dialect == "snowflake":
        made = exp.Anonymous(this="DATEADD", expressions=[exp.var(unit), count, time])
    else:
        made = exp.Anonymous(this="DATE_ADD", expressions=[exp.Literal.string(unit), count, time])
    if is_instant(time):
        return instant(made)
    return local(made) if is_local(time) or dialect == "bigquery" else made


def truncated(node: exp.TimestampTrunc | exp.DateTrunc, dialect: str) -> exp.Expr:
    """The beginning of a period; weeks begin on Monday."""
    unit = node.args["unit"].name.upper()
    if unit not in _TRUNCATED:
        raise Untranslatable(node, f"DATE_TRUNC to '{unit}'")
    time = node.this
    if dialect == "bigquery":
        part = exp.var("ISOWEEK" if unit == "WEEK" else unit)
        return local(exp.Anonymous(this="DATETIME_TRUNC", expressions=[_datetime(time), part]))
    if dialect == "databricks":
        return local(written(dialect, f"CAST(DATE_TRUNC('{unit}', x__) AS TIMESTAMP_NTZ)", x=time))
    if dialect == "snowflake" and unit == "WEEK":
        # WEEK_START of the session decides what a week is.
        text = "DATEADD(DAY, 1 - DAYOFWEEKISO(x__), DATE_TRUNC('DAY', x__))"
        return local(written(dialect, text, x=time))
    return local(node) if is_local(time) else node


def seconds(node: exp.Extract, dialect: str) -> exp.Expr:
    """Whole seconds between a time and an origin, where the epoch of a difference is asked for."""
    between = bare(node.expression)
    if node.name.upper() != "EPOCH" or not isinstance(between, exp.Sub) or dialect == "postgres":
        return node
    time, origin = between.this, between.expression
    if not isinstance(origin, exp.Cast) or not origin.this.is_string or "." in origin.this.name:
        raise Untranslatable(node, "the seconds between two times")
    text = {
        "trino": "DATE_DIFF('SECOND', origin__, DATE_TRUNC('SECOND', x__))",
        "snowflake": "DATEDIFF(SECOND, origin__, x__)",
        "bigquery": "DATETIME_DIFF(x__, origin__, SECOND)",
        "databricks": "TIMESTAMPDIFF(SECOND, origin__, DATE_TRUNC('SECOND', x__))",
    }[dialect]
    return written(dialect, text, x=time, origin=origin)


def length_of(tree: exp.Expr | None) -> tuple[int, str] | None:
    """How many of what unit an interval is; None for what is no plain one."""
    if not isinstance(tree, exp.Interval) or tree.this is None or tree.args.get("unit") is None:
        return None
    unit = tree.args["unit"].name.upper().removesuffix("S")
    try:
        count = int(tree.this.name)
    except ValueError:
        return None
    unit, many = _UNITS.get(unit, (unit, 1))
    return (count * many, unit) if unit in _KNOWN else None


def _length(tree: exp.Expr) -> tuple[exp.Expr, str] | None:
    tree = bare(tree)
    if isinstance(tree, exp.Interval):
        found = length_of(tree)
        if found is None:
            raise Untranslatable(tree, "a length of several units")
        return exp.Literal.number(found[0]), found[1]
    if isinstance(tree, exp.Mul) and isinstance(bare(tree.expression), exp.Interval):
        found = length_of(bare(tree.expression))
        if found is None:
            raise Untranslatable(tree, "a length of several units")
        count = (
            tree.this if found[0] == 1 else exp.Mul(this=tree.this, expression=exp.Literal.number(found[0]))
        )
        return count, found[1]
    return None


def _kept(node: exp.Add | exp.Sub) -> exp.Expr:
    return local(node) if is_local(node.this) else node


def _datetime(time: exp.Expr) -> exp.Expr:
    if is_local(time) or is_instant(time):
        return time
    return exp.Cast(this=time, to=exp.DataType.build("timestamp"))
