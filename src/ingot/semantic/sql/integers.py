"""Which values are integers, as far as a statement tells: PostgreSQL divides those without a fraction."""

from sqlglot import exp

WHOLE = "whole"
"""In the `meta` of a column: how long its integers are, where they are some."""
SHORT, LONG = 1, 2
"""The sum of short integers is an integer, that of long ones is not."""

_CASTS = {"SMALLINT": SHORT, "INT": SHORT, "BIGINT": LONG}
_SHORT = (exp.Length, exp.StrPosition, exp.Ntile)
_LONG = (exp.Count, exp.RowNumber, exp.Rank, exp.DenseRank)
_SAME = (
    exp.Neg, exp.Abs, exp.Paren, exp.Min, exp.Max, exp.Window, exp.Filter, exp.Lag, exp.Lead, exp.FirstValue,
    exp.LastValue, exp.Nullif,
)  # fmt: skip
_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Mod, exp.IntDiv)


def length(node: exp.Expr) -> int:  # noqa: PLR0911 - one for each form
    """SHORT or LONG for integers; 0 for what is none, or may be none."""
    if isinstance(node, exp.Literal):
        if node.is_string or not node.name.isdigit():
            return 0
        return SHORT if int(node.name) < 2**31 else LONG if int(node.name) < 2**63 else 0
    if isinstance(node, _SAME):
        return length(node.this)
    if isinstance(node, exp.Cast):
        return _CASTS.get(str(getattr(node.to.this, "value", "")), 0)
    if isinstance(node, _ARITHMETIC):
        return _all([node.this, node.expression])
    if isinstance(node, exp.Sum):
        return LONG if length(node.this) == SHORT else 0
    if isinstance(node, exp.Case):
        parts = [one.args["true"] for one in node.args["ifs"]]
        return _all([*parts, *([node.args["default"]] if node.args.get("default") else [])])
    if isinstance(node, exp.Coalesce | exp.Greatest | exp.Least):
        return _all([node.this, *node.expressions])
    if isinstance(node, _SHORT):
        return SHORT
    return LONG if isinstance(node, _LONG) else int(node.meta.get(WHOLE, 0))


def _all(nodes: list[exp.Expr]) -> int:
    lengths = [length(one) for one in nodes if not isinstance(one, exp.Null)]
    return max(lengths) if lengths and all(lengths) else 0
