"""Plans of queries, each kept under all that it depends on, and what of them is executed at a state of the lake."""

from dataclasses import replace
from datetime import datetime

from ingot.semantic.answers import response
from ingot.semantic.answers.annotation import normalized
from ingot.semantic.answers.execution import Part
from ingot.semantic.answers.recent import Recent
from ingot.semantic.answers.states import At, States
from ingot.semantic.context import Context
from ingot.semantic.model import Model
from ingot.semantic.planner.plan import Plan, plan_resolved
from ingot.semantic.planner.resolve import Resolved
from ingot.semantic.policy.apply import Guard
from ingot.semantic.query import Query
from ingot.semantic.rollups.library import Rollups

_Key = tuple[int, bytes, Resolved, object]


class Plans:
    """Makes plans. Safe to use from several threads."""

    def __init__(self, states: States, guard: Guard, rollups: Rollups | None, dialect: str) -> None:
        self._states = states
        self._guard = guard
        self._rollups = rollups
        self._dialect = dialect
        self._kept: Recent[_Key, Plan] = Recent(2_000)

    def of(self, model: Model, query: Query, now: datetime, context: Context, at: At | None) -> Plan:
        """The plan of a query, kept as long as it is the same. `at`: where it is asked; None for no certain state."""
        if at is None and self._rollups is not None and self._rollups.of(model):
            at = self._states.at(query.ref or "main")
        key = self._key(model, query, now, context, at)
        found = self._kept.get(key)
        return found or self._kept.keep(key, self._anew(model, key[2], context, at))

    def at_hand(self, model: Model, query: Query, now: datetime, context: Context, at: At) -> Plan | None:
        """The plan of a query, where it is kept."""
        return self._kept.get(self._key(model, query, now, context, at))

    def _anew(self, model: Model, query: Resolved, context: Context, at: At | None) -> Plan:
        if self._rollups is None or at is None or not self._rollups.of(model):
            return plan_resolved(model, query, dialect=self._dialect, context=context)
        choice = self._rollups.choice(model, at)
        plan = plan_resolved(model, query, dialect=self._dialect, context=context, reader=choice)
        held = tuple(self._rollups.held(build) for _, build in choice.used)
        return replace(plan, held=held, choice=choice)

    def _key(self, model: Model, query: Query, now: datetime, context: Context, at: At | None) -> _Key:
        """All that a plan depends on: what is asked, of which model, by whom, and the rollups that are there."""
        there = self._rollups.version(model, at) if self._rollups is not None and at is not None else None
        resolved = self._guard.resolve(model, query, context=context, now=now)
        return (model.serial, context.key, resolved, there)

    def part(self, query: Query, kind: str, plan: Plan, at: At) -> Part:
        """What is executed for a plan, and what its answer depends on."""
        filled = normalized(query, plan.query, kind)
        extra = response.compared(kind, filled)
        tables = self._states.tables(plan.tables, at)
        kept = not plan.volatile and tables is not None
        print_ = self._states.fingerprint(tables, at) if kept and tables is not None else at.state.hash
        keys = tuple(column.key for column in plan.query.columns)
        form = query.response_format
        key = (plan.sql, plan.parameters, plan.total_sql, form, extra, keys, print_)
        return Part(plan, at, form, extra, filled, key, kept)
