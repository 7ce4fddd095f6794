"""Query -> SQL: the passes in their order. The same query, model and clock always give the same text."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect

from ingot.semantic.context import ANYONE, Context
from ingot.semantic.fanout import Grain, facts, leaves, staged
from ingot.semantic.filters import Value
from ingot.semantic.model import Model
from ingot.semantic.query import Query
from ingot.semantic.resolve import Resolved, resolve
from ingot.semantic.statement import Statement, counted


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What is executed for a query, and what its columns are."""

    query: Resolved
    sql: str
    parameters: tuple[Value, ...]
    total_sql: str | None
    """How many rows there would be without a limit, where the query asks; same parameters."""
    tables: tuple[str, ...]
    """The tables of the lake that it reads."""
    volatile: bool
    """Whether the model's SQL asks for the clock, chance or what is outside of the lake: no answer is kept."""


def plan(
    model: Model,
    query: Query,
    *,
    now: datetime | None = None,
    dialect: str = "duckdb",
    context: Context = ANYONE,
) -> Plan:
    """The plan of a query that `context` asks.

    Raises:
        QueryError: where it asks for what does not exist or has no sound answer.
    """
    at = now or datetime.now(UTC)
    return plan_resolved(model, resolve(model, query, now=at), dialect=dialect, context=context)


def plan_resolved(
    model: Model, query: Resolved, *, dialect: str = "duckdb", context: Context = ANYONE
) -> Plan:
    """The plan of a query whose names are looked up."""
    statement = Statement(model, query, context=context)
    generator: Any = Dialect.get_or_raise(dialect).generator()
    if query.ungrouped:
        select = statement.ungrouped()
    elif staged(query):
        select = statement.composed()
    else:
        select = statement.grouped(facts(model, Grain.of(query), leaves(query)))
    volatile = any(_volatile(node) for node in select.walk())
    total = generator.generate(counted(select.copy()), copy=False) if query.total else None
    sql = generator.generate(statement.ordered(select), copy=False)
    cubes = statement.writing.cubes
    tables = sorted({table for cube in cubes for table in model.cubes[cube].tables})
    return Plan(query, sql, tuple(statement.writing.parameters.values), total, tuple(tables), volatile)


_CLOCK = tuple(
    getattr(exp, name)
    for name in (
        "CurrentDate",
        "CurrentDatetime",
        "CurrentTime",
        "CurrentTimestamp",
        "Localtime",
        "Localtimestamp",
        "Rand",
        "Uuid",
    )
    if hasattr(exp, name)
)
_CLOCK_NAMES = frozenset(
    {
        "now",
        "today",
        "random",
        "get_current_time",
        "get_current_timestamp",
        "transaction_timestamp",
        "uuid",
        "nextval",
        "age",
        "uuidv4",
        "uuidv7",
    }
)


def _volatile(node: exp.Expr) -> bool:
    if isinstance(node, exp.Table):  # a table function may read what no fingerprint knows
        return (
            not isinstance(node.this, exp.Identifier)
            and node.sql(dialect="duckdb").split("(")[0].lower() not in _SERIES
        )
    return isinstance(node, _CLOCK) or (isinstance(node, exp.Anonymous) and node.name.lower() in _CLOCK_NAMES)


_SERIES = frozenset({"range", "generate_series", "unnest"})
