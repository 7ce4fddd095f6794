"""Text -> plan: parse, check, translate, write. The same text of the same asker at one state gives the same plan."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect

from ingot.engines import HeldTable
from ingot.semantic.answers.states import At
from ingot.semantic.context import Context
from ingot.semantic.model import Model
from ingot.semantic.planner.volatile import volatile
from ingot.semantic.policy.apply import Guard
from ingot.semantic.policy.hooks import Hooks
from ingot.semantic.sql.allowed import check
from ingot.semantic.sql.around import Around
from ingot.semantic.sql.errors import SqlError
from ingot.semantic.sql.guessing import Guessing
from ingot.semantic.sql.member_types import Declared, declared
from ingot.semantic.sql.parsing import parsed
from ingot.semantic.sql.rows.plain import Find
from ingot.semantic.sql.rows.results import columns_of
from ingot.semantic.sql.rows.scope import OURS
from ingot.semantic.sql.statement import SqlPlan, members_of
from ingot.semantic.sql.translating import Translating

if TYPE_CHECKING:
    from ingot.semantic.rollups.library import Choice

MAX_WRITTEN = 2_000_000


def planned(
    text: str,
    model: Model,
    *,
    tree: exp.Query | None = None,
    at: At,
    guard: Guard,
    hooks: Hooks,
    context: Context,
    now: datetime,
    zone: str = "UTC",
    choose: "Callable[[], Choice | None]" = lambda: None,
    hold: "Callable[[Choice], tuple[HeldTable, ...]]" = lambda _: (),
    types: Declared | None = None,
    find: Find = lambda _: None,
    guessing: Guessing | None = None,
) -> SqlPlan:
    """The plan of a statement. `tree`: what `parsed` gave for its text, with a value for each parameter.

    `types` says what PostgreSQL's types of members are; without it those of columns are not known. `find` knows the
    tables that may be read beside cubes and views; `guessing` has opened the tree and learns the types of its parameters.

    Raises:
        SqlError: for what is no SELECT over the model, with its place in the text.
        QueryError: for a question that the model cannot answer.
    """
    around = Around(
        model,
        guard=guard,
        hooks=hooks,
        context=context,
        now=now,
        zone=zone,
        choose=choose,
        hold=hold,
        types=types or declared(model, lambda _: {}),
    )
    try:
        tree = parsed(text) if tree is None else tree
        check(tree)
        made = Translating(around, find, guessing).query(tree, {})
        around.settle(made)
        if not all(table.meta.get(OURS) for table in made.find_all(exp.Table)):
            raise SqlError("The statement names a table that is neither a cube nor a view.", sqlstate="42P01")
        sql = generated(made)
    except SqlError as error:
        raise error.located(text) from None
    except RecursionError:
        raise SqlError("The statement is nested too deep.", sqlstate="54001") from None
    names, members = members_of(made)
    return SqlPlan(
        text,
        sql,
        tuple(around.parameters.values),
        at,
        names,
        members,
        tuple(around.queries),
        tuple(sorted(around.tables)),
        around.volatile or around.writing.volatile or volatile(made),
        len(around.queries) != 1 or made.find(exp.Window) is not None,
        columns_of(made, (), made),
        tuple(around.held),
        tuple(around.choices),
        fixed=not (around.volatile or volatile(made)),
    )


def generated(made: exp.Query) -> str:
    """A written statement as text. Raises `SqlError` where it comes to too much."""
    generator: Any = Dialect.get_or_raise("duckdb").generator()
    sql: str = generator.generate(made)
    if len(sql) > MAX_WRITTEN:
        raise SqlError(
            "The statement comes to too much SQL: its sub-queries repeat each other.", sqlstate="54001"
        )
    return sql
