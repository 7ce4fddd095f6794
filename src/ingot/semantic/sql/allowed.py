"""What a statement may be made of: lists of what is known to be harmless; everything else is refused by name."""

from sqlglot import exp

from ingot.errors import did_you_mean
from ingot.semantic.sql.errors import SqlError, shown
from ingot.semantic.sql.postgres import writing as _language  # noqa: F401 - it fills the registry
from ingot.semantic.sql.postgres.calls import AGGREGATES, FUNCTIONS
from ingot.semantic.sql.postgres.kinds import named

_STRUCTURE: tuple[type[exp.Expr], ...] = (
    exp.Select, exp.Union, exp.Intersect, exp.Except, exp.Subquery, exp.From, exp.Join, exp.Table, exp.TableAlias,
    exp.With, exp.CTE, exp.Where, exp.Group, exp.Having, exp.Order, exp.Ordered, exp.Limit, exp.Offset, exp.Fetch,
    exp.LimitOptions, exp.Distinct, exp.Alias, exp.Column, exp.Identifier, exp.Star, exp.Literal, exp.Null,
    exp.Boolean, exp.Paren, exp.Tuple, exp.Interval, exp.Var, exp.DataType, exp.DataTypeParam, exp.Filter, exp.Window,
    exp.WindowSpec, exp.Exists, exp.WithinGroup, exp.Rollup, exp.Cube, exp.GroupingSets, exp.Values, exp.Lateral,
    exp.Unnest, exp.Array, exp.Bracket, exp.Any, exp.All,
)  # fmt: skip
_OPERATORS: tuple[type[exp.Expr], ...] = (
    exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Is, exp.In, exp.Between,
    exp.Like, exp.ILike, exp.SimilarTo, exp.Escape, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.Pow, exp.Neg,
    exp.DPipe, exp.NullSafeEQ, exp.NullSafeNEQ, exp.RegexpLike, exp.RegexpILike, exp.AtTimeZone, exp.Case, exp.If,
    exp.BitwiseAnd, exp.BitwiseOr, exp.BitwiseXor, exp.BitwiseNot, exp.BitwiseLeftShift, exp.BitwiseRightShift,
    exp.Collate, exp.Overlaps, exp.Slice,
)  # fmt: skip
CALLED: dict[type[exp.Expr], str] = {
    exp.Cast: "cast", exp.Coalesce: "coalesce", exp.Nullif: "nullif", exp.Greatest: "greatest", exp.Least: "least",
    exp.Sum: "sum", exp.Avg: "avg", exp.Min: "min", exp.Max: "max", exp.Count: "count",
    exp.RowNumber: "row_number", exp.Rank: "rank", exp.DenseRank: "dense_rank", exp.Ntile: "ntile",
    exp.Lag: "lag", exp.Lead: "lead", exp.FirstValue: "first_value", exp.LastValue: "last_value",
    exp.PercentRank: "percent_rank", exp.CumeDist: "cume_dist", exp.NthValue: "nth_value",
}  # fmt: skip
"""What is called, and has a form of its own in the tree."""
MEASURE = "MEASURE"
SERIES = frozenset({"generate_series"})
"""Functions that are tables."""
_WORDS = frozenset({"all", "array", "grouping", "unnest"}) | SERIES


def functions() -> frozenset[str]:
    """The names of all functions that may be called, each compared with PostgreSQL by a test."""
    return frozenset({*CALLED.values(), *FUNCTIONS, *AGGREGATES, *_WORDS} - {"all", "array"})


_ALLOWED = frozenset({*_STRUCTURE, *_OPERATORS, *CALLED})
_PARTS: dict[type[exp.Expr], frozenset[str]] = {
    exp.Subquery: frozenset({"this", "alias", "with_"}),
    exp.Table: frozenset({"this", "alias", "db", "catalog", "ordinality", "joins"}),
    exp.Join: frozenset({"this", "on", "side", "kind", "using", "method"}),
    exp.CTE: frozenset({"this", "alias", "materialized"}),
    exp.Column: frozenset({"this", "table", "db", "catalog"}),
    exp.Cast: frozenset({"this", "to"}),
    exp.Count: frozenset({"this", "big_int"}),
    exp.Min: frozenset({"this"}),
    exp.Max: frozenset({"this"}),
    exp.Star: frozenset(),
    exp.Window: frozenset({"this", "partition_by", "order", "spec", "over", "alias"}),
    exp.In: frozenset({"this", "expressions", "query"}),
    exp.Ordered: frozenset({"this", "desc", "nulls_first"}),
    exp.Lateral: frozenset({"this", "alias"}),
    exp.Unnest: frozenset({"expressions", "alias", "offset"}),
    exp.Values: frozenset({"expressions", "alias"}),
    exp.Greatest: frozenset({"this", "expressions", "ignore_nulls"}),
    exp.Least: frozenset({"this", "expressions", "ignore_nulls"}),
    exp.Anonymous: frozenset({"this", "expressions"}),
}
"""Of what has more parts than PostgreSQL's SQL: those that are looked at."""


def check(tree: exp.Expr) -> None:
    """Returns for a tree of allowed parts only; otherwise raises `SqlError` with the name and the place."""
    for node in tree.walk():
        kind = type(node)
        if kind is exp.Table and _is_empty(node):
            raise SqlError("syntax error: a name has a part that is empty", at=node)
        if kind in _PARTS and not {key for key, value in node.args.items() if value} <= _PARTS[kind]:
            raise SqlError(
                f"This form cannot be used here: {node.sql('postgres')[:60]}.", at=node, sqlstate="0A000"
            )
        if isinstance(node, exp.Dot) and isinstance(node.parent, exp.DataType):
            continue  # `named` reads it
        if isinstance(node, exp.Anonymous):
            _check_call(node)
        elif kind not in _ALLOWED:
            raise _refused(node)
        elif isinstance(node, exp.DataType) and not isinstance(node.parent, exp.DataType):
            named(node)
        elif isinstance(node, exp.Literal) and not node.is_string:
            _check_number(node)


def _is_empty(table: exp.Expr) -> bool:
    """Whether a part of a table's name is none: the parser takes `a..b` and `''`."""
    parts = [table.args.get(key) for key in ("catalog", "db", "this")]
    return any(isinstance(one, str) or (isinstance(one, exp.Identifier) and not one.name) for one in parts)


def _check_call(node: exp.Anonymous) -> None:
    name = called(node)
    if name == "measure":
        whole = node.parent if isinstance(node.parent, exp.Filter) else node
        if isinstance(whole.parent, exp.Window) and whole.arg_key == "this":
            raise SqlError(
                "MEASURE is no window function.",
                at=node,
                sqlstate="42809",
                hint="SUM(MEASURE(x)) OVER (…) computes a window on the groups' values.",
            )
        if len(node.expressions) != 1:
            raise SqlError("MEASURE takes one measure.", at=node, sqlstate="42883")
    elif name == "row_to_json":
        raise SqlError(
            "Rows cannot be made JSON as a whole here.",
            at=node,
            sqlstate="0A000",
            hint="json_build_object() takes their columns.",
        )
    elif name not in FUNCTIONS and name not in AGGREGATES and name not in _WORDS:
        raise _unknown(node, name)


def called(node: exp.Anonymous) -> str:
    """The name of a function, as PostgreSQL folds it."""
    return node.this.name if isinstance(node.this, exp.Identifier) else str(node.this).lower()


def _refused(node: exp.Expr) -> SqlError:
    if isinstance(node, exp.Func):
        return _unknown(node, node.sql_name() if hasattr(node, "sql_name") else node.key)
    if isinstance(node, exp.Parameter | exp.Placeholder):
        return SqlError("The statement has a parameter without a value.", at=node, sqlstate="42P02")
    name = type(node).__name__
    words = "".join(f" {c.lower()}" if c.isupper() else c for c in name).strip()
    return SqlError(f"This cannot be used in SQL over the model: {words}.", at=node, sqlstate="0A000")


def _unknown(node: exp.Expr, name: str) -> SqlError:
    return SqlError(
        f"The function {shown(name.lower())}() cannot be used here{did_you_mean(name, [*functions(), 'measure'])}.",
        at=node,
        sqlstate="42883",
        hint="docs/reference/semantic-sql.md lists the functions.",
    )


def _check_number(node: exp.Literal) -> None:
    text = str(node.this)
    if len(text) > 60 or not set(text) <= set("0123456789.eE+-"):
        raise SqlError(f"'{shown(text)}' is no number.", at=node)
