"""Plans of statements, kept: BI tools ask the same again and again."""

import re
from collections.abc import Hashable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlglot import exp

from ingot.engines import HeldTable
from ingot.semantic.answers.recent import Recent
from ingot.semantic.answers.states import At, States
from ingot.semantic.context import Context
from ingot.semantic.model import Dimension, Found, Model
from ingot.semantic.policy.apply import Guard
from ingot.semantic.policy.hooks import Hooks
from ingot.semantic.policy.policies import RowCondition, RowTree
from ingot.semantic.sql.beside import Beside, Reading
from ingot.semantic.sql.errors import SqlError
from ingot.semantic.sql.guessing import Guessing
from ingot.semantic.sql.member_types import MemberTypes
from ingot.semantic.sql.naming import GIVEN
from ingot.semantic.sql.parsing import parsed
from ingot.semantic.sql.planning import planned
from ingot.semantic.sql.statement import SqlPlan

if TYPE_CHECKING:
    from ingot.semantic.rollups.library import Choice, Rollups

Key = tuple[int, bytes, str, str, str, str, Hashable, object, Hashable]


@dataclass(frozen=True, slots=True)
class Bound:
    """Values for the parameters `$1`, `$2`, … of a statement."""

    literals: tuple[exp.Expr, ...]
    key: Hashable
    """The same for the same values of the same types, and no others."""
    kept: bool = True
    """Whether a plan with them may be kept: large ones take more memory than they save time."""
    guessing: Guessing | None = None
    """Instead of values: what learns the types that they have to have."""


NOTHING = Bound((), ())
CLOCK = re.compile(r'^[\s{\["(]*(?:now|today|yesterday|tomorrow)\b', re.IGNORECASE)
"""Texts that PostgreSQL reads as times by the clock."""
_MOMENT = re.compile(r":\d\d\.\d*[1-9]")


class Statements:
    """Plans statements. Safe to use from several threads; what it keeps only saves time."""

    def __init__(self, states: States, guard: Guard, rollups: "Rollups | None") -> None:
        self._states = states
        self._guard = guard
        self._rollups = rollups
        self._plans: Recent[Key, SqlPlan] = Recent(500)
        self._trees: Recent[str, exp.Query] = Recent(200)
        self._daily: Recent[int, bool] = Recent(100)
        self._types = MemberTypes()

    def tree(self, text: str) -> exp.Query:
        """What `parsed` gives, which nobody may change. Raises `SqlError`."""
        return self._trees.get(text) or self._trees.keep(text, parsed(text))

    def at_hand(
        self,
        text: str,
        model: Model,
        *,
        ref: str,
        context: Context,
        zone: str,
        values: Bound = NOTHING,
        beside: Beside | None = None,
    ) -> SqlPlan | None:
        """The plan of a statement, where it was made before; None where making it might take time."""
        at = self._states.at_hand(ref)
        if at is None:
            return None
        rollups = self._of(model)
        key = _key(text, model, at, context, zone=zone, values=values, rollups=rollups, beside=beside)
        return self._plans.get(key)

    def plan(
        self,
        text: str,
        model: Model,
        *,
        ref: str,
        hooks: Hooks,
        context: Context,
        zone: str,
        values: Bound = NOTHING,
        beside: Beside | None = None,
    ) -> SqlPlan:
        """The plan of a statement; see `Service.sql_plan`."""
        at = self._states.at(ref)
        rollups = self._of(model)
        key = _key(text, model, at, context, zone=zone, values=values, rollups=rollups, beside=beside)
        found = self._plans.get(key)
        if found is not None:
            return found

        def choose() -> "Choice | None":
            return rollups.choice(model, at) if rollups is not None else None

        def hold(choice: "Choice") -> tuple[HeldTable, ...]:
            return tuple(rollups.held(build) for _, build in choice.used) if rollups is not None else ()

        tree = self.tree(text)
        guessing = values.guessing
        given = guessing.opened(tree) if guessing is not None else tree
        reading = beside.reading(at.state, tree) if beside is not None else None
        made = planned(
            text,
            model,
            tree=bound(tree, values.literals) if values.literals else given,
            at=at,
            guard=self._guard,
            hooks=hooks,
            context=context,
            now=datetime.now(UTC),
            zone=zone,
            choose=choose,
            hold=hold,
            types=self._types.of(model, at.state),
            find=reading if reading is not None else lambda _: None,
            guessing=guessing,
        )
        if reading is not None:
            made = _with_tables(made, reading)
        if not made.volatile and _says_clock(tree):
            made = replace(made, volatile=True)
        if not values.kept:
            return made
        made = replace(made, key=self._answers_key(made, at))
        passing = made.volatile or made.databases or self._is_of_today(model)
        return made if hooks or passing else self._plans.keep(key, made)

    def _is_of_today(self, model: Model) -> bool:
        found = self._daily.get(model.serial)
        return self._daily.keep(model.serial, depends_on_the_day(model)) if found is None else found

    def _of(self, model: Model) -> "Rollups | None":
        return self._rollups if self._rollups is not None and self._rollups.of(model) else None

    def _answers_key(self, plan: SqlPlan, at: At) -> Hashable:
        """All that the rows depend on; None where that cannot be said, or nobody will ask for the same again."""
        again = plan.fixed and not plan.databases and not (plan.volatile and _of_this_moment(plan))
        tables = self._states.tables(plan.tables, at) if again else None
        if tables is None:
            return None
        return ("sql", plan.sql, plan.parameters, plan.names, self._states.fingerprint(tables, at))


def _with_tables(plan: SqlPlan, reading: Reading) -> SqlPlan:
    tables = tuple(sorted({*plan.tables, *reading.read}))
    return replace(
        plan,
        tables=tables,
        beside=tuple(sorted(reading.read)),
        databases=tuple(sorted(reading.databases)),
        engine=reading.engine(tables),
    )


def _key(
    text: str,
    model: Model,
    at: At,
    context: Context,
    *,
    zone: str,
    values: Bound,
    rollups: "Rollups | None",
    beside: Beside | None,
) -> Key:
    there = rollups.version(model, at) if rollups is not None else None
    tables = beside.key if beside is not None else None
    return (model.serial, context.key, at.state.hash, at.ref, zone, text, values.key, there, tables)


def bound(tree: exp.Query, literals: tuple[exp.Expr, ...]) -> exp.Query:
    """A tree with values for its parameters. Raises `SqlError` for one that has none."""

    def one(node: exp.Expr) -> exp.Expr:
        if not isinstance(node, exp.Parameter):
            return node
        number = node.name
        if not number.isdigit() or not 0 < int(number) <= len(literals):
            raise SqlError(f"There is no parameter ${number}.", at=node, sqlstate="42P02")
        made = literals[int(number) - 1].copy()
        made.meta.update(node.meta)
        made.meta[GIVEN] = True
        return made

    made = tree.transform(one)
    for limit in list(made.find_all(exp.Limit, exp.Offset)):
        given = limit.expression
        if isinstance(given, exp.Cast) and isinstance(given.this, exp.Null):  # is no limit
            limit.pop()
    assert isinstance(made, exp.Query)
    return made


def _of_this_moment(plan: SqlPlan) -> bool:
    """Whether a time in a plan is no round one: `now()` is that, `CURRENT_DATE - 7` is asked for all day."""
    texts = (one for one in plan.parameters if isinstance(one, str))
    return any(_MOMENT.search(one) for one in (plan.sql, *texts))


def _says_clock(tree: exp.Expr) -> bool:
    """Whether a text in a statement may be a time that depends on the clock, as `'today'` is."""
    return any(one.is_string and CLOCK.search(one.name) for one in tree.find_all(exp.Literal))


def depends_on_the_day(model: Model) -> bool:
    """Whether a condition of the model can be a relative date (`last week`); those of a statement cannot."""
    rows = (entry.rows for one in model.policies.by_owner.values() for entry in one.entries)
    return any(one is not None and _is_of_time(one) for one in rows) or any(
        _is_time(model.members.get(one.member))
        for view in model.views.values()
        for one in view.default_filters
    )


def _is_of_time(tree: RowTree) -> bool:
    if isinstance(tree, RowCondition):
        return _is_time(tree.found)
    return any(_is_of_time(one) for one in tree.parts)


def _is_time(found: Found | None) -> bool:
    return found is None or (isinstance(found.member, Dimension) and found.member.type == "time")
