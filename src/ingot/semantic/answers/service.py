"""`Service`: semantic queries at any ref of the lake, answered in Cube's formats.

The one way from every surface to an answer. Safe to use from several threads. Who asks comes along as a
`Context`; how an answer is computed and kept is in `execution`.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from sqlglot import exp

from ingot.semantic.answers import response
from ingot.semantic.answers.arrow import Stream, Whole
from ingot.semantic.answers.asked import Asked
from ingot.semantic.answers.execution import Execution
from ingot.semantic.answers.explain import Recorder, explained
from ingot.semantic.answers.flights import Flight
from ingot.semantic.answers.meta import meta
from ingot.semantic.answers.plans import Plans
from ingot.semantic.answers.questions import Given, questions
from ingot.semantic.answers.states import At, States
from ingot.semantic.compiler.models import Models
from ingot.semantic.context import ANYONE, Context
from ingot.semantic.errors import QueryError
from ingot.semantic.model import Model
from ingot.semantic.planner.plan import Plan, plan_resolved
from ingot.semantic.planner.resolve import Condition, Resolved, conditions
from ingot.semantic.planner.rows_of import JoinedRows
from ingot.semantic.policy import hooks
from ingot.semantic.policy.apply import Guard
from ingot.semantic.query import MAX_EXPORT, Query
from ingot.semantic.rollups.library import Rollups
from ingot.semantic.sql.statement import SqlColumn, SqlPlan, SqlRows
from ingot.semantic.sql.statements import NOTHING, Bound, Statements

if TYPE_CHECKING:
    from ingot.engines import Engine, Format, Interrupt
    from ingot.lake import Lake
    from ingot.project import Project
    from ingot.semantic.sql.beside import Beside

__all__ = ["Given", "Service"]


class Service:
    """Answers queries about one project."""

    def __init__(
        self,
        project: "Project",
        lake: "Lake",
        engine: "Engine",
        *,
        cache_bytes: int = 128 * 1024 * 1024,
        timeout: float | None = None,
        rollups: Path | None = None,
        rollup_only: bool = False,
    ) -> None:
        """`timeout`: seconds after which a query is stopped. `rollups`: the folder where rollups are kept.

        `rollup_only`: what no rollup answers is refused.

        Raises `ProjectError` for a wrong model.
        """
        self._dialect = engine.dialect
        self.states = States(lake)
        self.rollups = Rollups(rollups, self.states, only=rollup_only) if rollups is not None else None
        self._models = Models(project, self._declare)
        self._hooks = hooks.load(getattr(project, "root", None))
        self._guard = Guard()
        self._statements = Statements(self.states, self._guard, self.rollups)
        self._execution = Execution(
            engine, cache_bytes=cache_bytes, timeout=timeout, log=self._remember, log_sql=self._remember_sql
        )
        self._plans = Plans(self.states, self._guard, self.rollups, self._dialect)

    def close(self) -> None:
        """Stops every query that is under way."""
        self._execution.close()

    def _remember(self, plan: Plan, seconds: float) -> None:
        if self.rollups is not None:
            used = plan.choice.used if plan.choice is not None else ()
            self.rollups.log.add(plan.query, seconds, tuple(one.full_name for one, _ in used))

    def _remember_sql(self, plan: SqlPlan, seconds: float) -> None:
        for query, choice in zip(plan.queries, plan.choices, strict=False):
            # Expressions over dimensions are nothing that a rollup could hold.
            found = [one.found for one in query.columns] + [one.found for one in _conditions(query)]
            if self.rollups is not None and not any(one.name.startswith("#") for one in found):
                used = tuple(one.full_name for one, _ in choice.used)
                self.rollups.log.add(query, seconds / len(plan.queries), used)

    def reload(self, project: "Project") -> None:
        """Answers from now on by the project's present model; `ProjectError` leaves the old one in use."""
        found = hooks.load(getattr(project, "root", None))
        self._models.reload(project)
        self._hooks = found

    @property
    def model(self) -> Model:
        """The model for nobody in particular."""
        return self._models.now.model

    def _declare(self, project: "Project", model: Model) -> None:
        if self.rollups is not None:
            self.rollups.declare(project, model)

    def load(
        self, query: Given, *, ref: str | None = None, multi: bool | None = None, context: Context = ANYONE
    ) -> dict[str, Any]:
        """The answer to one query, or to several, in Cube's format, with `ref` and `commit` added.

        `multi` True gives the format with `results` also for one query; False refuses what needs it; None
        chooses by the query. Raises `QueryError`, `NotFoundError` (the ref), and what the engine raises.
        """
        answer = self._load(query, ref, multi, context)
        for one in answer.get("results", [answer]):
            one["data"] = orjson.loads(one["data"])
        return answer

    def load_raw(
        self, query: Given, *, ref: str | None = None, multi: bool | None = None, context: Context = ANYONE
    ) -> dict[str, Any]:
        """`load` with each `data` as an `orjson.Fragment`: for surfaces that send JSON anyway."""
        return response.fragments(self._load(query, ref, multi, context))

    def at_hand(
        self, query: Given, *, ref: str | None = None, multi: bool | None = None, context: Context = ANYONE
    ) -> Asked | None:
        """`ask` where planning it waits for nothing, so that an event loop may call it; None where it would.

        Raises `QueryError` for what is no query.
        """
        if self._hooks:  # the project's Python may wait for anything
            return None
        kind, queries = self._questions(query, multi)
        model = self._models.at_hand(context)
        if model is None:
            return None
        now = datetime.now(UTC)
        parts = []
        for one in queries:
            at = self.states.at_hand(ref or one.ref or "main")
            plan = self._plans.at_hand(model, one, now, context, at) if at else None
            if at is None or plan is None or not self.states.is_known(plan.tables, at):
                return None
            parts.append(self._plans.part(one, kind, plan, at))
        alone = _alone(kind, queries, multi)
        return Asked(self._execution, kind, parts, alone=alone, dialect=self._dialect)

    def ask(
        self, query: Given, *, ref: str | None = None, multi: bool | None = None, context: Context = ANYONE
    ) -> Asked:
        """The question of `load`, under way: for surfaces whose clients may leave. `leave` must follow."""
        query, context = self._hooked(query, context)
        kind, queries = self._questions(query, multi)
        now = datetime.now(UTC)
        model = self._models.of(context)
        ats: dict[str, At] = {}
        parts = []
        for one in queries:
            name = ref or one.ref or "main"
            at = ats.get(name) or ats.setdefault(name, self.states.at(name))
            parts.append(self._plans.part(one, kind, self._plans.of(model, one, now, context, at), at))
        alone = _alone(kind, queries, multi)
        return Asked(self._execution, kind, parts, alone=alone, dialect=self._dialect)

    def export(
        self,
        query: Given,
        path: Path,
        *,
        format: "Format",
        ref: str | None = None,
        context: Context = ANYONE,
        interrupt: "Interrupt | None" = None,
    ) -> dict[str, Any]:
        """Writes the answer to one query to `path`; gives what is said beside it: `ref`, `commit`, `query`.

        The columns have the members' names and the engine's own types. Raises what `load` raises, and
        `UsageError` where the engine cannot write this format.
        """
        query, context = self._hooked(query, context)
        kind, queries = questions(query, most=MAX_EXPORT)
        if kind != "regularQuery":
            raise QueryError("Several answers do not fit into one file: ask one query at a time.")
        at = self.states.at(ref or queries[0].ref or "main")
        plan = self._plans.of(self._models.of(context), queries[0], datetime.now(UTC), context, at)
        part = self._plans.part(queries[0], kind, plan, at)
        self._execution.export(part, path, format, interrupt)
        return {"ref": at.ref, "commit": at.state.hash, "query": part.filled}

    def sql(self, query: Given, *, ref: str | None = None, context: Context = ANYONE) -> Any:
        """The SQL of a query in Cube's shape; of several, a list."""
        _, queries, plans = self._planned(query, ref, context)
        found = [response.sql(one, made) for one, made in zip(queries, plans, strict=True)]
        return found[0] if len(found) == 1 else found

    def dry_run(self, query: Given, *, ref: str | None = None, context: Context = ANYONE) -> dict[str, Any]:
        """What a query would be with every default filled in, without running it."""
        return response.dry_run(*self._planned(query, ref, context))

    def explain(self, query: Given, *, ref: str | None = None, context: Context = ANYONE) -> Any:
        """What the planner decides for a query and why, without running it; of several, a list."""
        query, context = self._hooked(query, context)
        kind, queries = questions(query)
        now = datetime.now(UTC)
        found = []
        model = self._models.of(context)
        for one in queries:
            at = self.states.at(ref or one.ref or "main")
            resolved = self._guard.resolve(model, one, context=context, now=now)
            has_rollups = self.rollups is not None and self.rollups.of(model)
            choice = self.rollups.choice(model, at) if self.rollups is not None and has_rollups else None
            recorder = Recorder(choice or JoinedRows)
            plan = plan_resolved(model, resolved, dialect=self._dialect, context=context, reader=recorder)
            part = self._plans.part(one, kind, replace(plan, choice=choice), at)
            found.append(explained(part, recorder, kept=self._execution.at_hand(part) is not None))
        return found[0] if len(found) == 1 else found

    def sql_plan(
        self,
        text: str,
        *,
        ref: str | None = None,
        context: Context = ANYONE,
        timezone: str = "UTC",
        values: Bound = NOTHING,
        beside: "Beside | None" = None,
    ) -> SqlPlan:
        """What is executed for a SELECT over cubes and views, without running it; `values` for its parameters.

        `beside` has the tables that it may read, too.

        Raises `SqlError` for what is no such SELECT, and what `sql` raises.
        """
        known = self._hooks.context(context)
        model = self._models.of(known)
        return self._statements.plan(
            text,
            model,
            ref=ref or "main",
            hooks=self._hooks,
            context=known,
            zone=timezone,
            values=values,
            beside=beside,
        )

    def sql_at_hand(
        self,
        text: str,
        *,
        ref: str,
        context: Context,
        timezone: str,
        values: Bound = NOTHING,
        beside: "Beside | None" = None,
    ) -> SqlPlan | None:
        """`sql_plan` where it waits for nothing, so that an event loop may call it; None where it would."""
        if self._hooks:  # the project's Python may wait for anything
            return None
        model = self._models.at_hand(context)
        if model is None:
            return None
        return self._statements.at_hand(
            text, model, ref=ref, context=context, zone=timezone, values=values, beside=beside
        )

    def sql_tree(self, text: str) -> exp.Query:
        """A SELECT as it was read, before anything is looked up; nobody may change it. Raises `SqlError`."""
        return self._statements.tree(text)

    def sql_columns(self, plan: SqlPlan) -> tuple[SqlColumn, ...]:
        """The columns of a statement, as the engine types them; it computes no row for that."""
        return self._execution.streamed(plan, None).columns

    def sql_lines(self, plan: SqlPlan, interrupt: "Interrupt | None" = None) -> Iterator[bytes]:
        """The answer to a statement as JSON lines: its columns, then its rows. Raises what the engine does."""
        return self._execution.sql_lines(plan, interrupt)

    def sql_kept(self, plan: SqlPlan) -> Whole | None:
        """The rows of a statement, where they were kept."""
        return self._execution.sql_at_hand(plan)

    def sql_begin(self, plan: SqlPlan) -> Flight[Whole | Stream]:
        """The rows of a statement, which equal statements share while they are few; see `Execution.sql_begin`."""
        return self._execution.sql_begin(plan)

    def sql_leave(self, flight: Flight[Whole | Stream]) -> None:
        """Whoever began or joined needs the flight no more; the last one stops it."""
        self._execution.sql_leave(flight)

    def query_sql(
        self,
        text: str,
        *,
        ref: str | None = None,
        context: Context = ANYONE,
        timezone: str = "UTC",
        interrupt: "Interrupt | None" = None,
    ) -> SqlRows:
        """The answer to a SELECT over cubes and views: its columns now, its rows as they are fetched.

        Raises what `sql_plan` raises; fetching raises what the engine does.
        """
        return self._execution.streamed(
            self.sql_plan(text, ref=ref, context=context, timezone=timezone), interrupt
        )

    def meta(
        self,
        *,
        ref: str | None = None,
        only_views: bool = False,
        extended: bool = False,
        context: Context = ANYONE,
    ) -> dict[str, Any]:
        """The model in Cube's shape; `extended` with its SQL, joins and pre-aggregations."""
        if ref is not None:
            self.states.at(ref)
        seen = self.seen(context)
        # SQL names what else there is: it is for those from whom nothing is hidden.
        extended = extended and seen.whole is None
        return {"cubes": meta(seen, only_views=only_views, extended=extended)}

    def seen(self, context: Context = ANYONE) -> Model:
        """The model as who asks may see it: its members can be named to him, and no others."""
        known = self.known(context)
        return self._guard.seen(self._models.of(known), known)

    def seen_at_hand(self, context: Context) -> Model | None:
        """`seen` where it waits for nothing, so that an event loop may call it; None where it would."""
        if self._hooks:  # the project's Python may wait for anything
            return None
        model = self._models.at_hand(context)
        return None if model is None else self._guard.seen(model, context)

    def known(self, context: Context) -> Context:
        """Who asks, with the groups that the project's hooks say."""
        return self._hooks.context(context)

    def check(self) -> None:
        """Returns where the lake can be asked; raises what it says otherwise."""
        self.states.at("main")

    def _load(self, query: Given, ref: str | None, multi: bool | None, context: Context) -> dict[str, Any]:
        asked = self.ask(query, ref=ref, multi=multi, context=context)
        try:
            return asked.result()
        finally:
            asked.leave()

    def _planned(
        self, query: Given, ref: str | None, context: Context
    ) -> tuple[str, list[Query], list[Plan]]:
        query, context = self._hooked(query, context)
        kind, queries = questions(query)
        at = self.states.at(ref) if ref is not None else None
        model = self._models.of(context)
        now = datetime.now(UTC)
        return kind, queries, [self._plans.of(model, one, now, context, at) for one in queries]

    def _hooked(self, query: Given, context: Context) -> tuple[Given, Context]:
        """The query and who asks, as the project's hooks say."""
        known = self._hooks.context(context)
        return self._hooks.queries(query, known), known

    @staticmethod
    def _questions(query: Given, multi: bool | None) -> tuple[str, list[Query]]:
        kind, queries = questions(query)
        if multi is False and kind != "regularQuery":
            raise QueryError(f'A {kind} has several results: send "queryType": "multi" with it.')
        return kind, queries


def _conditions(query: Resolved) -> Iterator[Condition]:
    for tree in query.where:
        yield from conditions(tree)


def _alone(kind: str, queries: list[Query], multi: bool | None) -> bool:
    return len(queries) == 1 and not multi and kind == "regularQuery"
