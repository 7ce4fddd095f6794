"""SELECTs over tables: of the lake at the session's ref, and of the databases beside it, in PostgreSQL's language."""

import re
from collections.abc import Callable, Hashable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson
from sqlglot import exp
from sqlglot.dialects.dialect import Dialect

from ingot.engines import Interrupt
from ingot.engines.duckdb.readonly import check as check_engine
from ingot.pgwire import lake_explain, types
from ingot.pgwire.errors import PgError
from ingot.pgwire.explain import Lines
from ingot.pgwire.lake_names import Col
from ingot.pgwire.lake_rows import EngineRows, Stop, Wanted
from ingot.pgwire.lake_select import LakeSelect
from ingot.pgwire.lake_shows import Show, show, shown
from ingot.pgwire.lake_tables import LAKE, LakeTables, Looking, search_path
from ingot.pgwire.model_source import zone
from ingot.pgwire.ports import Field, Rows, SessionInfo, Statement, Value
from ingot.pgwire.shape import Explained, shape
from ingot.pgwire.types import postgres_type
from ingot.pgwire.values.literals import literal
from ingot.pgwire.values.lossless import lossless
from ingot.semantic.answers.recent import Recent
from ingot.semantic.sql.errors import SqlError
from ingot.semantic.sql.parsing import parsed
from ingot.semantic.sql.planning import MAX_WRITTEN
from ingot.semantic.sql.postgres.input import Clock

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from ingot.engines.duckdb import DuckDBEngine
    from ingot.lake import State
    from ingot.pgwire.federation import Federation
    from ingot.semantic.answers.states import States


_OIDS = {
    "bool": types.BOOL, "int2": types.INT2, "int4": types.INT4, "int8": types.INT8, "numeric": types.NUMERIC,
    "float4": types.FLOAT4, "float8": types.FLOAT8, "text": types.TEXT, "varchar": types.VARCHAR,
    "bpchar": types.BPCHAR, "name": types.NAME, "date": types.DATE, "time": types.TIME,
    "timestamp": types.TIMESTAMP, "timestamptz": types.TIMESTAMPTZ, "interval": types.INTERVAL, "uuid": types.UUID,
    "bytea": types.BYTEA, "json": types.JSON, "jsonb": types.JSONB, "oid": types.OID,
}  # fmt: skip
_RELATIVE = re.compile("now|today|tomorrow|yesterday|current|local", re.IGNORECASE)
"""Words that may be about the moment in which they are read."""


@dataclass(frozen=True, slots=True)
class LakePlan:
    """What is executed for a text."""

    sql: str
    state: "State"
    databases: frozenset[str]
    reads_lake: bool
    columns: tuple[Col, ...]
    parameters: tuple[int, ...] = ()
    """Their types, as far as the statement says them; 0 where it does not."""
    volatile: bool = False
    """Whether the same text may mean something else a moment later."""


@dataclass(eq=False)
class LakeReader:
    """What all sessions share: the engine, the states of the lake, the databases beside it."""

    engine: "DuckDBEngine"
    states: "States"
    federation: "Federation | None" = None
    faces: Callable[[SessionInfo], Iterable[str]] = lambda _: ()
    """The cubes and views that a session sees."""
    timeout: float | None = None
    tables: LakeTables = field(init=False)
    _prepared: "Recent[Hashable, tuple[LakePlan, tuple[Field, ...], str]]" = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.tables = LakeTables(self.engine)
        self._prepared = Recent(500)

    def source(self, info: SessionInfo) -> "LakeSource":
        """The source of one session. Raises `NotFoundError` where its ref is not there."""
        return LakeSource(self, info)

    def session(self, plan: LakePlan, interrupt: Interrupt) -> "AbstractContextManager[DuckDBPyConnection]":
        """A cursor for a plan's SQL."""
        if not plan.databases or self.federation is None:
            return self.engine.session(plan.state, timeout=self.timeout, interrupt=interrupt)
        at = plan.state if plan.reads_lake else None
        return self.federation.session(plan.databases, at=at, timeout=self.timeout, interrupt=interrupt)

    def prepared(
        self, text: str, info: SessionInfo, interrupt: Interrupt
    ) -> tuple[LakePlan, tuple[Field, ...], str]:
        """Plan, columns and SQL for Arrow of a text without values, kept where they stay the same."""
        state = self.states.at(info.ref).state
        zone_ = info.settings.get("timezone")
        key = (text, state.hash, info.database, info.settings.get("search_path"), zone_)
        found = self._prepared.get(key)
        if found is None:
            plan = self.plan(text, info)
            found = (plan, *self.described(plan, interrupt))
            if not plan.volatile and not plan.databases and plan.state.hash == state.hash:
                self._prepared.keep(key, found)
        return found

    def plan(self, text: str, info: SessionInfo, values: Sequence[exp.Expr] | None = None) -> LakePlan:
        """The plan of a SELECT. Raises `SqlError` or `PgError`."""
        state = self.states.at(info.ref).state
        look = Looking(
            self.tables,
            state,
            self.federation if info.lake else None,
            search_path(info.settings.get("search_path", "public")),
            info.database,
            partial(self.faces, info),
        )
        zone_ = zone(info.settings.get("timezone", "UTC"))
        try:
            tree = parsed(text)
            look.wanted = self._databases(tree)
            select = LakeSelect(look, Clock(datetime.now(UTC), zone_), values)
            columns = select.written(tree)
            generator: Any = Dialect.get_or_raise("duckdb").generator()
            sql = generator.generate(tree)
        except RecursionError:
            raise SqlError("The statement is nested too deep.", sqlstate="54001") from None
        if len(sql) > MAX_WRITTEN:
            raise SqlError("The statement comes to too much SQL.", sqlstate="54001")
        check_engine(sql)
        count = max(select.parameters, default=0)
        kinds = tuple(oid_of(select.parameters.get(one, "")) for one in range(1, count + 1))
        volatile = select.writing.volatile or _RELATIVE.search(text) is not None
        databases = frozenset(look.databases)
        return LakePlan(sql, state, databases, look.reads_lake, columns, kinds, volatile)

    def _databases(self, tree: exp.Expr) -> frozenset[str]:
        """The databases whose names stand first in names of tables."""
        if self.federation is None:
            return frozenset()
        first = {(one.catalog or one.db).partition(".")[0] for one in tree.find_all(exp.Table)}
        return frozenset(first).intersection(self.federation.names)

    def described(self, plan: LakePlan, interrupt: Interrupt) -> tuple[tuple[Field, ...], str]:
        """The columns of a plan, and its SQL for Arrow."""
        with self.session(plan, interrupt) as cursor:
            rows = cursor.execute(f"DESCRIBE {plan.sql}").fetchall()
        engine = [str(row[1]) for row in rows]
        fields = tuple(_field(col, kind) for col, kind in zip(plan.columns, engine, strict=True))
        return fields, lossless(plan.sql, engine)


def _field(col: Col, engine: str) -> Field:
    known = oid_of(col.type)
    oid, modifier = postgres_type(col.engine or engine)
    if not known:
        return Field(col.name, oid, modifier)
    return Field(col.name, known, modifier if col.engine and known == oid else -1)


def oid_of(kind: str) -> int:
    """The number of a type that has PostgreSQL's name; 0 for none."""
    if kind.endswith("[]"):
        found = types.TYPES.get(oid_of(kind[:-2]))
        return found.array if found is not None else 0
    return _OIDS.get(kind, 0)


class LakeSource:
    """Answers for one session; see `ports.Source`."""

    def __init__(self, reader: LakeReader, info: SessionInfo) -> None:
        self._reader = reader
        self.info = info
        self._stop: Stop | None = None

    async def prepare(self, text: str, parameters: Sequence[int] = ()) -> Statement:
        """See `Source.prepare`. SHOW CATALOGS, SCHEMAS and TABLES are answered, too, and EXPLAIN."""
        self._allowed()
        stop = self.stop = Stop()
        asked = show(text)
        if asked is not None:
            names = await stop.during(partial(self._shown, asked))
            return Told(Field(asked.column, types.TEXT), names)
        about = shape(text).explained
        inner = text if about is None else about.text

        def work() -> LakeStatement:
            plan, fields, sql = self._reader.prepared(inner, self.info, stop.interrupt)
            count = max(len(plan.parameters), len(parameters))
            given = (*parameters, *[0] * (count - len(parameters)))
            guessed = (*plan.parameters, *[0] * (count - len(plan.parameters)))
            kinds = tuple(one or other or types.TEXT for one, other in zip(given, guessed, strict=True))
            return LakeStatement(self, self._reader, inner, replace(plan, sql=sql, parameters=kinds), fields)

        if about is None:
            return await stop.during(work)
        if about.other is not None:
            raise PgError(
                f'EXPLAIN over tables has no format "{about.other}"',
                sqlstate="0A000",
                hint="FORMAT TEXT, or JSON.",
            )
        try:
            return LakeExplaining(about, await stop.during(work))
        except SqlError as error:
            if error.position is not None:
                error.position += about.start
            raise

    def knows(self, parts: tuple[str, ...]) -> bool:
        """Whether a name belongs here: its schema is one of the lake's, or its first part a database's."""
        reader = self._reader
        names = reader.federation.names if reader.federation is not None else ()
        if parts[0] in names or parts[0].partition(".")[0] in names:
            return True
        schema = parts[-2] if len(parts) == 2 or parts[0] == LAKE else None
        return schema is not None and schema.casefold() in reader.tables.schemas(self._state())

    def _state(self) -> "State":
        return self._reader.states.at(self.info.ref).state

    def _shown(self, asked: Show) -> list[str]:
        reader = self._reader
        return shown(asked, self._state(), reader.federation, reader.faces(self.info))

    def cancel(self) -> None:
        """See `Source.cancel`."""
        if self.stop is not None:
            self.stop.set()

    async def close(self) -> None:
        """See `Source.close`."""
        self.cancel()

    @property
    def stop(self) -> Stop | None:
        """What stops the statement under way."""
        return self._stop

    @stop.setter
    def stop(self, stop: Stop) -> None:
        self._stop = stop

    def _allowed(self) -> None:
        if not self.info.lake:
            raise PgError("permission denied for the tables of the lake", sqlstate="42501")


class LakeStatement:
    """A checked SELECT; see `ports.Statement`."""

    def __init__(
        self, source: LakeSource, reader: LakeReader, text: str, plan: LakePlan, fields: tuple[Field, ...]
    ) -> None:
        self.parameters = plan.parameters
        self.fields = fields
        self.plan = plan
        self._source = source
        self._reader = reader
        self._text = text

    async def run(self, values: Sequence[Value], formats: Sequence[int]) -> Rows:
        """See `Statement.run`."""
        stop = self._source.stop = Stop()
        wanted = Wanted(self.fields, formats, self._source.info.settings)
        plan = self.plan
        if self.parameters:
            plan = await stop.during(partial(self._bound, values, stop.interrupt))
        elif plan.volatile or plan.state.hash != self._reader.states.at(self._source.info.ref).state.hash:
            plan = await stop.during(partial(self._bound, (), stop.interrupt))
        rows = EngineRows(partial(self._reader.session, plan), plan.sql, wanted, stop)
        await rows.begin()
        return rows

    def _bound(self, values: Sequence[Value], interrupt: Interrupt) -> LakePlan:
        """What is executed for these values at the ref's present state. Raises `PgError`."""
        info = self._source.info
        literals = [
            literal(value, kind, info.settings) for value, kind in zip(values, self.parameters, strict=True)
        ]
        plan = self._reader.plan(self._text, info, literals if self.parameters else None)
        fields, sql = self._reader.described(plan, interrupt)
        if [(one.name, one.oid) for one in fields] != [(one.name, one.oid) for one in self.fields]:
            raise PgError("cached plan must not change result type", sqlstate="0A000")
        return replace(plan, sql=sql)

    async def explain(self, values: Sequence[Value], *, analyze: bool) -> dict[str, Any]:
        """How it is executed; `analyze`: it is. Raises `IngotError`."""
        stop = self._source.stop = Stop()

        def work() -> dict[str, Any]:
            plan = self._bound(values, stop.interrupt) if self.parameters else self.plan
            with self._reader.session(plan, stop.interrupt) as cursor:
                text = lake_explain.asked(cursor, plan.sql, analyze=analyze)
            about: dict[str, Any] = {}
            if plan.reads_lake:
                about = {"Ref": self._source.info.ref, "Commit": plan.state.hash[:12]}
            if plan.databases:
                about["Databases"] = sorted(plan.databases)
            return lake_explain.plan(text, about, plan.sql)

        return await stop.during(work)


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
