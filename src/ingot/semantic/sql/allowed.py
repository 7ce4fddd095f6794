"""What a statement may be made of: lists of what is known to be harmless; everything else is refused by name."""

from sqlglot import exp

from ingot.errors import did_you_mean
from ingot.semantic.sql.errors import SqlError, shown

_STRUCTURE: tuple[type[exp.Expr], ...] = (
    exp.Select, exp.Union, exp.Intersect, exp.Except, exp.Subquery, exp.From, exp.Join, exp.Table, exp.TableAlias,
    exp.With, exp.CTE, exp.Where, exp.Group, exp.Having, exp.Order, exp.Ordered, exp.Limit, exp.Offset,
    exp.Distinct, exp.Alias, exp.Column, exp.Identifier, exp.Star, exp.Literal, exp.Null, exp.Boolean, exp.Paren,
    exp.Tuple, exp.Interval, exp.Var, exp.DataType, exp.DataTypeParam, exp.Filter, exp.Window, exp.WindowSpec,
    exp.Exists,
)  # fmt: skip
_OPERATORS: tuple[type[exp.Expr], ...] = (
    exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Is, exp.In, exp.Between,
    exp.Like, exp.ILike, exp.Escape, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.Neg, exp.DPipe,
    exp.NullSafeEQ, exp.NullSafeNEQ, exp.RegexpLike, exp.RegexpILike, exp.AtTimeZone, exp.Case, exp.If,
)  # fmt: skip
FUNCTIONS: dict[type[exp.Expr], str] = {
    exp.Cast: "cast", exp.Coalesce: "coalesce", exp.Nullif: "nullif", exp.Greatest: "greatest",
    exp.Least: "least", exp.Lower: "lower", exp.Upper: "upper", exp.Length: "length", exp.Trim: "trim",
    exp.Concat: "concat", exp.Substring: "substring", exp.StrPosition: "position", exp.Replace: "replace",
    exp.Left: "left", exp.Right: "right", exp.Abs: "abs", exp.Ceil: "ceil", exp.Floor: "floor",
    exp.Round: "round", exp.Sqrt: "sqrt", exp.Ln: "ln", exp.Exp: "exp", exp.Pow: "power", exp.Sign: "sign",
    exp.TimestampTrunc: "date_trunc", exp.DateTrunc: "date_trunc", exp.Extract: "extract",
    exp.CurrentDate: "current_date", exp.CurrentTimestamp: "now",
    exp.Sum: "sum", exp.Avg: "avg", exp.Min: "min", exp.Max: "max", exp.Count: "count",
    exp.RowNumber: "row_number", exp.Rank: "rank", exp.DenseRank: "dense_rank", exp.Ntile: "ntile",
    exp.Lag: "lag", exp.Lead: "lead", exp.FirstValue: "first_value", exp.LastValue: "last_value",
    exp.PercentRank: "percent_rank", exp.CumeDist: "cume_dist",
    exp.Reverse: "reverse",
}  # fmt: skip
"""The functions that may be called, each compared with PostgreSQL by a test."""
MEASURE = "MEASURE"
PARTS = frozenset(
    {
        "year", "quarter", "month", "week", "day", "dow", "isodow", "doy", "hour", "minute", "second", "epoch",
        "isoyear", "dayofweek", "dayofyear", "dayofweekiso", "weekiso", "yearofweek", "yearofweekiso",
    }
)  # fmt: skip
"""What `extract` gives of a time; the last of them are the parser's names for the others."""
_TYPES = frozenset(
    {
        "SMALLINT", "INT", "BIGINT", "DECIMAL", "FLOAT", "DOUBLE", "TEXT", "VARCHAR", "CHAR", "BOOLEAN", "DATE",
        "TIMESTAMP", "TIMESTAMPTZ", "INTERVAL",
    }
)  # fmt: skip
_ALLOWED = frozenset({*_STRUCTURE, *_OPERATORS, *FUNCTIONS})
_PARTS: dict[type[exp.Expr], frozenset[str]] = {
    exp.Subquery: frozenset({"this", "alias"}),
    exp.Table: frozenset({"this", "alias", "db", "catalog"}),
    exp.Join: frozenset({"this", "on", "side", "kind", "using"}),
    exp.CTE: frozenset({"this", "alias"}),
    exp.Column: frozenset({"this", "table", "db"}),
    exp.Cast: frozenset({"this", "to"}),
    exp.Count: frozenset({"this", "big_int"}),
    exp.Min: frozenset({"this"}),
    exp.Max: frozenset({"this"}),
    exp.Star: frozenset(),
    exp.Window: frozenset({"this", "partition_by", "order", "spec", "over"}),
    exp.Trim: frozenset({"this", "expression", "position"}),
    exp.In: frozenset({"this", "expressions", "query"}),
    exp.StrPosition: frozenset({"this", "substr"}),
    exp.Ceil: frozenset({"this"}),
    exp.Floor: frozenset({"this"}),
    exp.Ordered: frozenset({"this", "desc", "nulls_first"}),
}
"""Of what has more parts than PostgreSQL's SQL: those that are looked at."""


def check(tree: exp.Expr) -> None:
    """Returns for a tree of allowed parts only; otherwise raises `SqlError` with the name and the place."""
    for node in tree.walk():
        kind = type(node)
        if isinstance(node, exp.Anonymous):
            if node.name.upper() != MEASURE or len(node.expressions) != 1:
                raise _unknown(node, node.name)
        elif kind not in _ALLOWED:
            raise _refused(node)
        elif kind in _PARTS and not {key for key, value in node.args.items() if value} <= _PARTS[kind]:
            raise SqlError(
                f"This form cannot be used here: {node.sql('postgres')[:60]}.", at=node, sqlstate="0A000"
            )
        elif isinstance(node, exp.Extract) and node.name.lower() not in PARTS:
            raise SqlError(
                f"There is no part '{shown(node.name)}' of a time{did_you_mean(node.name, PARTS)}.",
                at=node,
                sqlstate="22023",
            )
        elif isinstance(node, exp.Limit | exp.Offset):
            _check_bound(node)
        elif isinstance(node, exp.DataType):
            _check_type(node)
        elif isinstance(node, exp.Literal) and not node.is_string:
            _check_number(node)


def _check_bound(node: exp.Expr) -> None:
    given = node.expression
    whole = isinstance(given, exp.Literal) and not given.is_string and given.name.isdigit()
    if not whole or len(given.name) > 18 or node.expressions:
        raise SqlError(f"{node.key.upper()} takes a whole number.", at=node, sqlstate="2201W")


def _refused(node: exp.Expr) -> SqlError:
    if isinstance(node, exp.Func):
        return _unknown(node, node.sql_name() if hasattr(node, "sql_name") else node.key)
    if isinstance(node, exp.Parameter | exp.Placeholder):
        return SqlError("The statement has a parameter without a value.", at=node, sqlstate="42P02")
    name = type(node).__name__
    words = "".join(f" {c.lower()}" if c.isupper() else c for c in name).strip()
    return SqlError(f"This cannot be used in SQL over the model: {words}.", at=node, sqlstate="0A000")


def _unknown(node: exp.Expr, name: str) -> SqlError:
    known = sorted({*FUNCTIONS.values(), "measure"})
    return SqlError(
        f"The function {shown(name.lower())}() cannot be used here{did_you_mean(name, known)}.",
        at=node,
        sqlstate="42883",
        hint="docs/reference/semantic-sql.md lists the functions.",
    )


def _check_type(node: exp.DataType) -> None:
    name = node.this.value if isinstance(node.this, exp.DataType.Type) else "INTERVAL"
    if name not in _TYPES or node.args.get("nested"):
        raise SqlError(
            f"The type {shown(node.sql('postgres').lower())} cannot be used here"
            f"{did_you_mean(name, _TYPES)}.",
            at=node,
            sqlstate="42704",
        )


def _check_number(node: exp.Literal) -> None:
    text = str(node.this)
    if len(text) > 60 or not set(text) <= set("0123456789.eE+-"):
        raise SqlError(f"'{shown(text)}' is no number.", at=node)
