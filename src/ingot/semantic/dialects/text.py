"""The order of all rewritings of one statement, and its text."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlglot import ErrorLevel, exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import UnsupportedError

from ingot.errors import did_you_mean
from ingot.semantic.dialects import (
    aggregates,
    calendar,
    functions,
    names,
    nulls,
    numbers,
    patterns,
    series,
    zones,
)
from ingot.semantic.dialects.refusal import refused
from ingot.semantic.dialects.templates import is_own
from ingot.semantic.dialects.unknown import Untranslatable
from ingot.semantic.errors import QueryError
from ingot.semantic.model import Model
from ingot.semantic.planner.filters import Value

DIALECTS = ("duckdb", "postgres", "trino", "snowflake", "bigquery", "databricks")
"""The dialects that statements are written in."""
_ALSO = {"spark": "databricks", "postgresql": "postgres"}
Rule = Callable[[Any, str], exp.Expr]


@dataclass(frozen=True, slots=True)
class Text:
    """A statement as an engine takes it."""

    sql: str
    parameters: tuple[Value, ...]


def _cast(node: exp.Cast, dialect: str) -> exp.Expr:
    made = zones.cast(node, dialect)
    return numbers.cast(node, dialect) if made is node else made


def _now(node: exp.Anonymous, _dialect: str) -> exp.Expr:
    return exp.CurrentTimestamp() if node.name.upper() == "NOW" else node


_RULES: dict[type[exp.Expr], Rule] = {
    exp.Filter: aggregates.filtered,
    exp.AnyValue: aggregates.any_value,
    exp.IgnoreNulls: aggregates.any_value,
    exp.CountIf: aggregates.count_if,
    exp.ApproxDistinct: aggregates.approximate,
    exp.Add: calendar.moved,
    exp.Sub: calendar.moved,
    exp.TimestampTrunc: calendar.truncated,
    exp.DateTrunc: calendar.truncated,
    exp.Extract: calendar.seconds,
    exp.Cast: _cast,
    exp.AtTimeZone: zones.at_zone,
    exp.Select: series.series,
    exp.Div: numbers.division,
    exp.IntDiv: numbers.whole_division,
    exp.Avg: numbers.mean,
    exp.Median: numbers.mean,
    exp.Round: numbers.rounded,
    exp.Least: nulls.extreme,
    exp.Greatest: nulls.extreme,
    exp.NullSafeEQ: nulls.same,
    exp.Join: nulls.joined,
    exp.Union: nulls.united,
    exp.Escape: patterns.escaped,
    exp.Like: patterns.like,
    exp.ILike: patterns.like,
    exp.Anonymous: _now,
}


def texts(trees: Sequence[exp.Expr], values: Sequence[Value], model: Model, dialect: str) -> list[Text]:
    """The texts of statements that share their parameters. The trees are used up.

    Raises:
        QueryError: for what the dialect cannot say, and for a dialect that is not known.
    """
    dialect = _ALSO.get(dialect, dialect)
    if dialect not in DIALECTS:
        near = did_you_mean(dialect, DIALECTS)
        raise QueryError(
            f"No SQL is written in the dialect '{dialect[:60]}'{near}.",
            hint=f"There are {', '.join(DIALECTS)}.",
        )
    try:
        return [_text(tree, values, dialect) for tree in trees]
    except Untranslatable as error:
        raise refused(error, model, dialect) from None


def _text(tree: exp.Expr, values: Sequence[Value], dialect: str) -> Text:
    for node in tree.walk():
        if not is_own(node):
            functions.check(node, dialect)
    tree = _rewritten(tree, dialect)
    if dialect == "postgres":
        names.shortened(tree)
    tree = names.marked(tree, values, dialect)
    generator: Any = Dialect.get_or_raise(dialect).generator(unsupported_level=ErrorLevel.RAISE)
    try:
        sql = generator.generate(tree, copy=False)
    except UnsupportedError as error:
        raise Untranslatable(None, str(error).rstrip(".")) from None
    return Text(*names.numbered(sql, values, dialect))


def _rewritten(tree: exp.Expr, dialect: str) -> exp.Expr:
    """`tree` with every rule applied, to the inner parts first."""
    for node in reversed(list(tree.walk())):
        rule = _RULES.get(type(node))
        if rule is None or is_own(node):
            continue
        parent, key, index = node.parent, node.arg_key, node.index
        made = rule(node, dialect)
        if made is node:
            continue
        if parent is None:
            made.parent = None
            tree = made
        else:
            assert key is not None
            parent.set(key, made, index)
    return tree
