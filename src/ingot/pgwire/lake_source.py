"""SELECTs over tables: of the lake at the session's ref, and of the databases beside it, in PostgreSQL's language."""

import asyncio
from collections.abc import Hashable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson
from sqlglot import exp

from ingot.engines import Interrupt
from ingot.pgwire import lake_explain, types
from ingot.pgwire.errors import PgError, outdated
from ingot.pgwire.explain import Lines
from ingot.pgwire.lake_plan import LakePlan, LakePlans
from ingot.pgwire.lake_shows import Show, show, shown
from ingot.pgwire.lake_tables import LAKE, Looking
from ingot.pgwire.ports import Field, Rows, SessionInfo, Statement, Value
from ingot.pgwire.rows import Look, StreamRows
from ingot.pgwire.shape import Explained, shape_of
from ingot.pgwire.stop import Stop
from ingot.pgwire.values.literals import literal
from ingot.semantic.answers.arrow import Stream
from ingot.semantic.sql.errors import SqlError

if TYPE_CHECKING:
    from ingot.lake import State


class LakeReader(LakePlans):
    """What all sessions share: the engine, the states of the lake, the databases beside it."""

    def source(self, info: SessionInfo) -> "LakeSource":
        """The source of one session. Raises `NotFoundError` where its ref is not there."""
        return LakeSource(self, info)


class LakeSource:
    """Answers for one session; see `ports.Source`."""

    def __init__(self, plans: LakePlans, info: SessionInfo) -> None:
        self._plans = plans
        self.info = info
        self._stop: Stop | None = None

    async def prepare(self, text: str, parameters: Sequence[int] = ()) -> Statement:
        """See `Source.prepare`. SHOW CATALOGS, SCHEMAS and TABLES are answered, too, and EXPLAIN."""
        self._allowed()
        stop = self.step()
        asked = show(text)
        if asked is not None:
            names = await stop.during(partial(self._shown, asked), self._plans.pool)
            return Told(Field(asked.column, types.TEXT), names)
        about = (await shape_of(text)).explained
        inner = text if about is None else about.text

        def work() -> LakeStatement:
            return statement(self._plans.prepared(inner, self.info, stop.interrupt))

        def statement(found: tuple[LakePlan, tuple[Field, ...], str]) -> LakeStatement:
            plan, fields, sql = found
            count = max(len(plan.parameters), len(parameters))
            given = (*parameters, *[0] * (count - len(parameters)))
            guessed = (*plan.parameters, *[0] * (count - len(plan.parameters)))
            kinds = tuple(one or other or types.TEXT for one, other in zip(given, guessed, strict=True))
            return LakeStatement(self, self._plans, inner, replace(plan, sql=sql, parameters=kinds), fields)

        kept = self._plans.at_hand(inner, self.info)
        if about is None:
            return statement(kept) if kept is not None else await stop.during(work, self._plans.pool)
        if about.other is not None:
            raise PgError(
                f'EXPLAIN over tables has no format "{about.other}"',
                sqlstate="0A000",
                hint="FORMAT TEXT, or JSON.",
            )
        try:
            return LakeExplaining(about, await stop.during(work, self._plans.pool))
        except SqlError as error:
            if error.position is not None:
                error.position += about.start
            raise

    def beside(self, faces: Iterable[str]) -> "LakeBeside":
        """The tables for statements that read cubes and views, too: `faces`, as who asks sees them.

        Raises `PgError` where tables may not be read.
        """
        self._allowed()
        return LakeBeside(self._plans, self.info, frozenset(faces))

    def knows(self, parts: tuple[str, ...]) -> bool:
        """Whether a name belongs here: its schema is one of the lake's, or its first part a database's."""
        plans = self._plans
        beside = plans.federation
        if beside is not None and any(beside.named(one) for one in (parts[0], parts[0].partition(".")[0])):
            return True
        schema = parts[-2] if len(parts) == 2 or parts[0] == LAKE else None
        return schema is not None and schema.casefold() in plans.tables.schemas(self._state())

    def has(self, schema: str, name: str) -> bool:
        """Whether the lake has this table, whatever the case of its name."""
        return self._plans.tables.real(self._state(), f"{schema}.{name}") is not None

    def _state(self) -> "State":
        return self._plans.states.at(self.info.ref).state

    def _shown(self, asked: Show) -> list[str]:
        plans = self._plans
        return shown(asked, self._state(), plans.federation, plans.faces(self.info))

    def cancel(self) -> None:
        """See `Source.cancel`."""
        if self._stop is not None:
            self._stop.set()

    async def close(self) -> None:
        """See `Source.close`."""
        self.cancel()

    def step(self) -> Stop:
        """What stops the step that begins now."""
        self._stop = Stop()
        return self._stop

    def _allowed(self) -> None:
        if not self.info.lake:
            raise PgError("permission denied for the tables of the lake", sqlstate="42501")


@dataclass(frozen=True, slots=True)
class LakeBeside:
    """The tables that a session may read beside the model; see `beside.Beside`."""

    plans: LakePlans
    info: SessionInfo
    faces: frozenset[str]

    @property
    def key(self) -> Hashable:
        """See `Beside.key`."""
        return (self.info.database, self.info.settings.get("search_path"))

    def reading(self, state: "State", tree: exp.Query) -> Looking:
        """See `Beside.reading`."""
        return self.plans.reading(state, tree, self.info, lambda: self.faces)


class LakeStatement:
    """A checked SELECT; see `ports.Statement`."""

    def __init__(
        self, source: LakeSource, plans: LakePlans, text: str, plan: LakePlan, fields: tuple[Field, ...]
    ) -> None:
        self.parameters = plan.parameters
        self.fields = fields
        self.plan = plan
        self._source = source
        self._plans = plans
        self._text = text

    async def run(self, values: Sequence[Value], formats: Sequence[int]) -> Rows:
        """See `Statement.run`."""
        pool = self._plans.pool
        stop = self._source.step()
        plan = self.plan
        if self.parameters:
            plan = await stop.during(partial(self._bound, values, stop.interrupt), pool)
        elif not self._plans.is_current(plan, self._source.info):
            plan = await stop.during(partial(self._bound, (), stop.interrupt), pool)
        # A later step of the portal is stopped by another one: what ends the statement is its own.
        interrupt = Interrupt()
        opened = asyncio.get_running_loop().run_in_executor(
            pool, lambda: Stream(self._plans.session(plan, interrupt), plan.sql, interrupt)
        )
        try:
            stream = await stop.wait(opened)
        except BaseException:
            interrupt.set()
            opened.add_done_callback(lambda late: _close(late, pool))
            raise
        look = Look(self.fields, tuple(formats), self._source.info.settings)
        return StreamRows(stream, look, pool=pool, step=self._source.step, end=interrupt.set)

    def _bound(self, values: Sequence[Value], interrupt: Interrupt) -> LakePlan:
        """What is executed for these values at the ref's present state. Raises `PgError`."""
        if len(values) != len(self.parameters):
            raise PgError(
                f"bind message supplies {len(values)} parameters, but the statement requires {len(self.parameters)}",
                sqlstate="08P01",
            )
        info = self._source.info
        literals = [
            literal(value, kind, info.settings) for value, kind in zip(values, self.parameters, strict=True)
        ]
        plan = self._plans.plan(self._text, info, literals if self.parameters else None)
        fields, sql = self._plans.described(plan, interrupt)
        if [(one.name, one.oid) for one in fields] != [(one.name, one.oid) for one in self.fields]:
            raise outdated()
        return replace(plan, sql=sql)

    async def explain(self, values: Sequence[Value], *, analyze: bool) -> dict[str, Any]:
        """How it is executed; `analyze`: it is. Raises `IngotError`."""
        stop = self._source.step()

        def work() -> dict[str, Any]:
            plan = self._bound(values, stop.interrupt) if self.parameters else self.plan
            with self._plans.session(plan, stop.interrupt) as cursor:
                text = lake_explain.asked(cursor, plan.sql, analyze=analyze)
            about: dict[str, Any] = {}
            if plan.tables:
                about = {"Ref": self._source.info.ref, "Commit": plan.state.hash[:12]}
            if plan.databases:
                about["Databases"] = sorted(plan.databases)
            if plan.rounded:
                about["Read as double precision"] = sorted(plan.rounded)
            return lake_explain.plan(text, about, plan.sql)

        return await stop.during(work, self._plans.pool)


class LakeExplaining:
    """EXPLAIN; see `ports.Statement`."""

    def __init__(self, asked: Explained, inner: LakeStatement) -> None:
        self.parameters = inner.parameters
        self.fields = (Field("QUERY PLAN", types.JSON if asked.json else types.TEXT),)
        self._asked = asked
        self._inner = inner

    async def run(self, values: Sequence[Value], formats: Sequence[int]) -> Rows:  # noqa: ARG002 - text in both
        """See `Statement.run`."""
        told = await self._inner.explain(values, analyze=self._asked.analyze)
        if self._asked.json:
            return Lines(self.fields, [orjson.dumps([{"Plan": told}], option=orjson.OPT_INDENT_2).decode()])
        return Lines(self.fields, list(lake_explain.written(told)))


class Told:
    """Names as rows; see `ports.Statement`."""

    parameters: tuple[int, ...] = ()

    def __init__(self, field_: Field, names: list[str]) -> None:
        self.fields = (field_,)
        self._names = names

    async def run(self, values: Sequence[Value], formats: Sequence[int]) -> Rows:  # noqa: ARG002 - text in both
        """See `Statement.run`."""
        return Lines(self.fields, list(self._names))


def _close(late: "asyncio.Future[Stream]", pool: Executor) -> None:
    """Closes a stream that nobody waits for any more."""
    if not late.cancelled() and late.exception() is None:
        pool.submit(late.result().close)
