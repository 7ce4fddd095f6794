"""A SELECT of DuckDB for Trino and for Spark, where it is sure to mean the same."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import sqlglot
from sqlglot import exp

from ingot.lake.dialects.kinds import Kinds, kind_of, of_type
from ingot.lake.dialects.naming import name_columns
from ingot.lake.dialects.untranslatable import Untranslatable
from ingot.lake.dialects.written import column, typed

Target = Literal["trino", "spark"]

_PARTS: tuple[type[exp.Expr], ...] = (
    *(exp.Select, exp.From, exp.Join, exp.Where, exp.Group, exp.Having, exp.Order, exp.Ordered, exp.Limit),
    *(exp.Offset, exp.With, exp.CTE, exp.Subquery, exp.Union, exp.Intersect, exp.Except, exp.Qualify),
    *(exp.Table, exp.TableAlias, exp.Identifier, exp.Column, exp.Alias, exp.Star, exp.Distinct),
    *(exp.Literal, exp.Boolean, exp.Null, exp.Paren, exp.Var, exp.DataType, exp.DataTypeParam, exp.Interval),
    *(
        exp.And,
        exp.Or,
        exp.Not,
        exp.EQ,
        exp.NEQ,
        exp.GT,
        exp.GTE,
        exp.LT,
        exp.LTE,
        exp.Is,
        exp.In,
        exp.Exists,
    ),
    *(
        exp.Between,
        exp.NullSafeEQ,
        exp.NullSafeNEQ,
        exp.Like,
        exp.Add,
        exp.Sub,
        exp.Mul,
        exp.Div,
        exp.Mod,
        exp.Neg,
    ),
    *(
        exp.Case,
        exp.If,
        exp.Coalesce,
        exp.Nullif,
        exp.Cast,
        exp.TryCast,
        exp.DPipe,
        exp.Abs,
        exp.Floor,
        exp.Ceil,
    ),
    *(exp.Round, exp.Lower, exp.Upper, exp.Trim, exp.Substring, exp.Length, exp.Replace),
    *(exp.Year, exp.Quarter, exp.Month, exp.Day, exp.Hour, exp.Minute, exp.Extract, exp.TimestampTrunc),
    *(exp.DateTrunc, exp.Sum, exp.Count, exp.Avg, exp.Min, exp.Max, exp.Filter, exp.Window, exp.WindowSpec),
    *(exp.RowNumber, exp.Rank, exp.DenseRank, exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue),
)
_UNITS = {"year", "quarter", "month", "week", "day", "hour", "minute", "second"}


def outward(tree: exp.Query, fields: Sequence[Mapping[str, Any]], kinds: Kinds, to: Target) -> str:
    """The text of a query of DuckDB for another engine, with the names and Iceberg types of `fields`.

    Raises `Untranslatable`.
    """
    tree = tree.copy()
    name_columns(tree, [field["name"] for field in fields])
    for node in list(tree.walk()):
        if type(node) not in _PARTS:
            raise Untranslatable(f"{_told(node)} is not sure to mean the same there")
        if (check := _CHECKS.get(type(node))) is not None:
            check(node, kinds, to)
    for node in list(tree.walk(bfs=False)):
        if (change := _CHANGES.get(type(node))) is not None:
            change(node, to)
    try:
        inner = tree.sql(dialect=to, unsupported_level=sqlglot.ErrorLevel.RAISE)
    except (sqlglot.errors.SqlglotError, ValueError, RecursionError) as error:
        raise Untranslatable(str(error).partition("\n")[0]) from error
    columns = ", ".join(
        f"CAST({column(field['name'], to)} AS {typed(field['type'], to)}) AS {column(field['name'], to)}"
        for field in fields
    )
    return f"SELECT {columns} FROM ({inner}) AS v"


def _told(node: exp.Expr) -> str:
    text = node.sql(dialect="duckdb")
    return text if len(text) <= 60 else f"{text[:60]}…"


def _only(*allowed: str) -> Callable[[exp.Expr, Kinds, Target], None]:
    """A check that a part has nothing besides these parts of its own."""

    def check(node: exp.Expr, _kinds: Kinds, _to: Target) -> None:
        for name, value in node.args.items():
            if value and name not in allowed:
                raise Untranslatable(f"{name} in {_told(node)} is not sure to mean the same there")

    return check


def _select(node: exp.Select, kinds: Kinds, to: Target) -> None:
    _only(
        *("expressions", "from_", "joins", "where", "group", "having", "order", "limit", "offset", "with_"),
        *("qualify", "distinct"),
    )(node, kinds, to)
    if any(one.is_star for one in node.expressions):
        for join in node.args.get("joins") or ():
            if join.args.get("using") or join.args.get("method"):
                raise Untranslatable("a * over JOIN … USING has another order of columns there")
        if node.args.get("qualify"):
            raise Untranslatable("a * beside QUALIFY has another column there")

    if to == "trino":
        _without_tables(node)


def _without_tables(node: exp.Select) -> None:
    """A column of `USING` belongs to no table in Trino."""
    joins = node.args.get("joins") or ()
    shared = {name.name.casefold() for join in joins for name in join.args.get("using") or ()}
    for found in node.find_all(exp.Column):
        if found.table and found.name.casefold() in shared:
            if any(join.side for join in joins):
                raise Untranslatable(f"{_told(found)} stands in a USING, and has no table there")
            found.set("table", None)
            found.set("db", None)


def _table(node: exp.Table, kinds: Kinds, to: Target) -> None:
    _only("this", "db", "catalog", "alias", "joins")(node, kinds, to)
    if not isinstance(node.this, exp.Identifier | exp.Dot):
        raise Untranslatable(f"{_told(node)} is not a table of the lake")


def _join(node: exp.Join, kinds: Kinds, to: Target) -> None:
    _only("this", "on", "using", "side", "kind", "method")(node, kinds, to)
    if node.kind not in ("", "INNER", "CROSS", "OUTER") or node.method not in ("", "NATURAL"):
        raise Untranslatable(f"{node.kind or node.method} JOIN is not known there")


def _group(node: exp.Group, kinds: Kinds, to: Target) -> None:
    _not_all(node, kinds, to)
    _only("expressions")(node, kinds, to)


def _ordered(node: exp.Ordered, kinds: Kinds, to: Target) -> None:
    _only("this", "desc", "nulls_first")(node, kinds, to)
    _not_all(node, kinds, to)


def _not_all(node: exp.Expr, _kinds: Kinds, _to: Target) -> None:
    if node.args.get("all") or (isinstance(node.this, exp.Var) and node.this.name.upper() == "ALL"):
        raise Untranslatable("BY ALL is not known there; write the columns")


def _limit(node: exp.Limit, kinds: Kinds, to: Target) -> None:
    _only("expression")(node, kinds, to)
    if not isinstance(node.expression, exp.Literal):
        raise Untranslatable("a LIMIT must be a number there")


def _cast(node: exp.Cast, kinds: Kinds, to: Target) -> None:
    _only("this", "to")(node, kinds, to)
    kind, known = of_type(node.to), kind_of(node.this, kinds)
    if kind == "whole":
        # DuckDB rounds, Spark cuts; Trino rounds halves the other way, and takes no text with a fraction.
        sure = known in ("whole", "text") if to == "trino" else known == "whole"
    elif kind == "text":
        # A float is 1.5E0 to Trino, and moments are written differently, too.
        sure = known in ("whole", "text", "date", "boolean")
    else:
        sure = kind is not None or node.to.is_type("timestamp", "timestampntz", "timestamptz")
    if not sure or (node.to.expressions and not node.to.is_type("decimal")):
        raise Untranslatable(f"{_told(node)} may give another value there")


def _pipe(node: exp.DPipe, kinds: Kinds, _to: Target) -> None:
    if not all(kind_of(one, kinds) == "text" for one in (node.left, node.right)):
        raise Untranslatable(f"{_told(node)} may join other things than texts")


def _like(node: exp.Like, _kinds: Kinds, _to: Target) -> None:
    if not node.expression.is_string or "\\" in node.expression.name:
        raise Untranslatable(f"{_told(node)} may take a backslash for an escape there")


def _substring(node: exp.Substring, _kinds: Kinds, _to: Target) -> None:
    start = node.args.get("start")
    if not (isinstance(start, exp.Literal) and start.is_int and int(start.name) > 0):
        raise Untranslatable(f"{_told(node)} may begin elsewhere there")


def _unit(node: exp.Expr, _kinds: Kinds, _to: Target) -> None:
    unit = node.this if isinstance(node, exp.Extract) else node.args.get("unit")
    name = "" if unit is None else unit.name.lower()
    if name not in _UNITS - ({"second", "week"} if isinstance(node, exp.Extract) else set()):
        raise Untranslatable(f"{_told(node)} has a part of time that is not the same there")


def _avg(node: exp.Avg, _kinds: Kinds, _to: Target) -> None:
    if isinstance(node.this, exp.Distinct):
        raise Untranslatable(f"{_told(node)} is not sure to mean the same there")


_only_this = _only("this")
_CHECKS: Mapping[type[exp.Expr], Callable[[Any, Kinds, Target], None]] = {
    exp.Select: _select,
    exp.Table: _table,
    exp.Join: _join,
    exp.Group: _group,
    exp.Ordered: _ordered,
    exp.Limit: _limit,
    exp.With: _only("expressions"),
    exp.CTE: _only("this", "alias"),
    exp.Star: _only(),
    exp.Distinct: _only("expressions"),
    **dict.fromkeys(
        (exp.Union, exp.Intersect, exp.Except),
        _only("this", "expression", "distinct", "with_", "order", "limit", "offset"),
    ),
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.DPipe: _pipe,
    exp.Like: _like,
    exp.Substring: _substring,
    exp.Extract: _unit,
    exp.TimestampTrunc: _unit,
    exp.DateTrunc: _unit,
    exp.Interval: _unit,
    exp.Avg: _avg,
    **dict.fromkeys((exp.Min, exp.Max, exp.Sum, exp.Lower, exp.Upper, exp.Trim), _only_this),
    exp.Round: _only("this", "decimals"),
    exp.Length: _only("this"),
    exp.In: _only("this", "expressions", "query"),
}


def _div(node: exp.Div, to: Target) -> None:
    if to == "trino":
        node.set("this", _double(node.left))
        node.set("typed", True)  # or the translator casts once more
        return
    # Spark has NULL where DuckDB has infinity or NaN.
    left, right = _double(node.left), node.right
    if isinstance(right, exp.Literal) and not right.is_string and float(right.name) != 0:
        node.set("this", left)
        return
    infinite = exp.Mul(this=left.copy(), expression=exp.cast(exp.Literal.string("Infinity"), "double"))
    divided = exp.Div(this=left, expression=exp.paren(right.copy()), typed=True, safe=True)
    zero = exp.EQ(this=exp.paren(right.copy()), expression=exp.Literal.number(0))
    node.replace(exp.func("if", zero, infinite, divided))


def _double(node: exp.Expr) -> exp.Expr:
    return exp.cast(node.copy(), "double")


def _in_doubles(node: exp.Avg, _to: Target) -> None:
    node.set("this", _double(node.this))


def _spaces(node: exp.Trim, _to: Target) -> None:
    """DuckDB takes spaces away, others all that is white."""
    node.set("expression", exp.Literal.string(" "))
    node.set("position", node.args.get("position") or "BOTH")


def _type(node: exp.DataType, to: Target) -> None:
    if to == "trino" and node.is_type("timestamp", "timestampntz", "timestamptz"):
        # Trino's own default has milliseconds.
        node.set("expressions", [exp.DataTypeParam(this=exp.Literal.number(6))])
    elif node.is_type("int128"):
        node.replace(exp.DataType.build("decimal(38, 0)"))


_CHANGES: Mapping[type[exp.Expr], Callable[[Any, Target], None]] = {
    exp.Div: _div,
    exp.Avg: _in_doubles,
    exp.Trim: _spaces,
    exp.DataType: _type,
}
