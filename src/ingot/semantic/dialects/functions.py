"""Which functions of DuckDB are known to mean the same in every other engine; the others are refused.

A function that an engine has by the same name is no proof: LOG, DATE_DIFF, and EXTRACT(DOW …) are examples.
"""

from collections.abc import Callable
from typing import Any

from sqlglot import exp

from ingot.semantic.dialects.templates import bare
from ingot.semantic.dialects.unknown import Untranslatable

_SAME: tuple[type[exp.Expr], ...] = (
    # aggregates
    exp.Sum, exp.Avg, exp.Min, exp.Max, exp.Count, exp.CountIf, exp.AnyValue, exp.ApproxDistinct, exp.Stddev,
    exp.StddevSamp, exp.StddevPop, exp.Variance, exp.VariancePop, exp.LogicalOr, exp.LogicalAnd,
    # windows
    exp.Rank, exp.DenseRank, exp.RowNumber, exp.Lag, exp.Lead, exp.FirstValue,
    # choices
    exp.Case, exp.If, exp.Coalesce, exp.Nullif, exp.Least, exp.Greatest, exp.And, exp.Or, exp.Exists,
    # numbers
    exp.Abs, exp.Ceil, exp.Floor, exp.Round, exp.Sign, exp.Sqrt, exp.Exp, exp.Ln, exp.Pow,
    # texts
    exp.Lower, exp.Upper, exp.Length, exp.Concat, exp.StrPosition, exp.StartsWith,
    # times
    exp.TimestampTrunc, exp.DateTrunc, exp.Year, exp.Month, exp.Day, exp.Quarter, exp.CurrentDate,
    exp.CurrentTimestamp,
)  # fmt: skip
_INTEGERS = frozenset({exp.DataType.Type.SMALLINT, exp.DataType.Type.INT, exp.DataType.Type.BIGINT})
_WHOLE: tuple[type[exp.Expr], ...] = (
    exp.Round, exp.Floor, exp.Ceil, exp.Count, exp.CountIf, exp.Length, exp.StrPosition, exp.Year, exp.Month,
    exp.Day, exp.Quarter, exp.Extract, exp.Boolean, exp.Null, exp.Not, exp.And, exp.Or, exp.Predicate,
)  # fmt: skip
_PARTS = frozenset({"YEAR", "QUARTER", "MONTH", "DAY", "HOUR", "MINUTE"})
_MORE: dict[str, tuple[type[exp.Expr], ...]] = {
    "postgres": (exp.Median, exp.ArrayAgg),
    "snowflake": (exp.Median,),
    "databricks": (exp.Median,),
}
_OTHER = (
    exp.Unnest, exp.Lateral, exp.TableSample, exp.Pivot, exp.Lambda, exp.Bracket, exp.Collate, exp.Glob,
    exp.SimilarTo, exp.RegexpLike, exp.RegexpILike, exp.Placeholder,
)  # fmt: skip
_CASTS = frozenset(
    {
        exp.DataType.Type.SMALLINT, exp.DataType.Type.INT, exp.DataType.Type.BIGINT, *exp.DataType.REAL_TYPES, *exp.DataType.TEXT_TYPES,
        exp.DataType.Type.BOOLEAN, exp.DataType.Type.DATE, exp.DataType.Type.TIMESTAMP,
        exp.DataType.Type.TIMESTAMPNTZ, exp.DataType.Type.TIMESTAMPTZ, exp.DataType.Type.DECIMAL,
    }
)  # fmt: skip


def check(node: exp.Expr, dialect: str) -> None:
    """Raises `Untranslatable` for what may mean something else in `dialect`."""
    for kind, one in _CHECKS:
        if isinstance(node, kind):
            return one(node, dialect)
    if isinstance(node, exp.Func) and not isinstance(node, _SAME):
        if not isinstance(node, _MORE.get(dialect, ())):
            raise Untranslatable(node, node.sql_name())
    elif isinstance(node, _OTHER):
        raise Untranslatable(node, type(node).__name__.upper())
    return None


def _cast(node: exp.Cast, dialect: str) -> None:
    if isinstance(node, exp.TryCast) and dialect == "postgres":
        raise Untranslatable(node, "TRY_CAST")
    if node.to.this not in _CASTS:
        raise Untranslatable(node, f"a cast to {node.to.sql('duckdb')}")
    if dialect != "postgres" and node.to.this in _INTEGERS and not _whole(node.this):
        # DuckDB rounds a half of floating point to the even number, and the others away from zero.
        raise Untranslatable(node, "a cast to whole numbers of what may have a fraction")


def _whole(tree: exp.Expr) -> bool:
    """Whether it has no fraction, or is no number."""
    tree = bare(tree)
    if isinstance(tree, exp.Case):
        values = [one.args["true"] for one in tree.args["ifs"]]
        values += [tree.args["default"]] if tree.args.get("default") is not None else []
        return all(_whole(one) for one in values)
    if isinstance(tree, exp.Mul):
        return _whole(tree.this) and _whole(tree.expression)
    if isinstance(tree, exp.Sum | exp.Min | exp.Max):
        inner = tree.this
        # No name of a cube begins so: these are counts of an inner step.
        return (isinstance(inner, exp.Column) and inner.table.startswith("#")) or _whole(inner)
    if isinstance(tree, exp.Cast):
        return tree.to.this not in exp.DataType.REAL_TYPES
    return isinstance(tree, _WHOLE) or (isinstance(tree, exp.Literal) and (tree.is_string or tree.is_int))


def _trim(node: exp.Trim, _dialect: str) -> None:
    if node.expression is not None:
        raise Untranslatable(node, "TRIM of given characters")


def _row(node: exp.Tuple, _dialect: str) -> None:
    if not isinstance(node.parent, exp.Values):
        raise Untranslatable(node, "a row of values")


def _call(node: exp.Anonymous, _dialect: str) -> None:
    if node.name.upper() != "NOW":
        raise Untranslatable(node, node.name.upper())


def _part(node: exp.Extract, dialect: str) -> None:
    part = node.name.upper()
    epoch = part == "EPOCH" and (dialect == "postgres" or isinstance(bare(node.expression), exp.Sub))
    same = part in _PARTS or (dialect == "postgres" and part in ("DOW", "ISODOW", "DOY", "WEEK"))
    if not epoch and not same:
        raise Untranslatable(node, f"EXTRACT({part} …)")


def _series(node: exp.Expr, _dialect: str) -> None:
    inner = node.this if isinstance(node, exp.Explode) else node
    outer = node if isinstance(node, exp.Explode) else node.parent
    if not isinstance(inner, exp.GenerateSeries) or not isinstance(outer, exp.Explode):
        raise Untranslatable(node, "a series of values")


def _substring(node: exp.Substring, _dialect: str) -> None:
    start = node.args.get("start")
    if not isinstance(start, exp.Literal) or start.is_string or int(start.name) < 1:
        raise Untranslatable(node, "SUBSTRING from a place that is not a plain number")


_CHECKS: tuple[tuple[type[exp.Expr], Callable[[Any, str], None]], ...] = (
    (exp.Cast, _cast),
    (exp.Extract, _part),
    (exp.GenerateSeries, _series),
    (exp.Explode, _series),
    (exp.Substring, _substring),
    (exp.Trim, _trim),
    (exp.Anonymous, _call),
    (exp.Tuple, _row),
)
