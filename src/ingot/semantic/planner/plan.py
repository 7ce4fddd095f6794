"""Query -> SQL: the passes in their order. The same query, model and clock always give the same text."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect

from ingot.engines import HeldTable
from ingot.semantic.context import ANYONE, Context
from ingot.semantic.dialects import texts
from ingot.semantic.errors import QueryError
from ingot.semantic.model import Model
from ingot.semantic.planner.fanout import Grain, facts, leaves, staged
from ingot.semantic.planner.filters import Value
from ingot.semantic.planner.resolve import Resolved
from ingot.semantic.planner.rows_of import JoinedRows, Reader
from ingot.semantic.planner.statement import Statement, counted
from ingot.semantic.planner.volatile import volatile as is_volatile
from ingot.semantic.policy.apply import Guard
from ingot.semantic.policy.discreet import discreet
from ingot.semantic.query import Query
from ingot.semantic.rollups import sketch

if TYPE_CHECKING:
    from ingot.semantic.rollups.library import Choice


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
    held: tuple[HeldTable, ...] = ()
    """The stored rollups that it reads."""
    choice: "Choice | None" = None
    """Which rollups were tried, and why others are not read."""


def plan(
    model: Model,
    query: Query,
    *,
    now: datetime | None = None,
    dialect: str | None = None,
    context: Context = ANYONE,
) -> Plan:
    """The plan of a query that `context` asks, in the dialect of the model or another one.

    Raises:
        QueryError: where it asks for what does not exist or has no sound answer.
    """
    at = now or datetime.now(UTC)
    resolved = Guard().resolve(model, query, context=context, now=at)
    return plan_resolved(model, resolved, dialect=dialect or model.dialect, context=context)


def plan_resolved(
    model: Model,
    query: Resolved,
    *,
    dialect: str = "duckdb",
    context: Context = ANYONE,
    reader: Reader = JoinedRows,
) -> Plan:
    """The plan of a query whose names are looked up; `reader` decides where each fact is read from."""
    if model.dialect not in ("duckdb", dialect):
        raise QueryError(
            f"The model is written in the SQL of {model.dialect} and cannot be asked in {dialect}."
        )
    try:
        return _planned(model, query, dialect, context, reader)
    except QueryError as error:
        raise discreet(error, model, context) from None


def _planned(model: Model, query: Resolved, dialect: str, context: Context, reader: Reader) -> Plan:
    statement, select = selected(model, query, dialect=dialect, context=context, reader=reader)
    volatile = is_volatile(select)
    trees: list[exp.Expr] = [counted(select.copy())] if query.total else []
    trees.append(statement.ordered(select))
    values = tuple(statement.writing.parameters.values)
    if dialect == "duckdb":
        generator: Any = Dialect.get_or_raise(dialect).generator()
        written = [generator.generate(tree, copy=False) for tree in trees]
    else:
        made = texts(trees, values, model, dialect)
        written, values = [one.sql for one in made], made[-1].parameters
    sql, total = written[-1], written[0] if query.total else None
    cubes = statement.writing.cubes
    tables = sorted({table for cube in cubes for table in model.cubes[cube].tables})
    return Plan(query, sql, values, total, tuple(tables), volatile)


def selected(
    model: Model,
    query: Resolved,
    *,
    dialect: str = "duckdb",
    context: Context = ANYONE,
    reader: Reader = JoinedRows,
) -> tuple[Statement, exp.Select]:
    """The SELECT of a query without order and limit, and what it was written with."""
    statement = Statement(model, query, reader, context)
    if query.ungrouped:
        select = statement.ungrouped()
    elif staged(query):
        select = statement.composed()
    else:
        select = statement.grouped(facts(model, Grain.of(query), leaves(query)))
    if dialect == "duckdb":
        select = sketch.computed(select)
    return statement, select
