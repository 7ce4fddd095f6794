"""What is executed for a SELECT over tables, planned once for each text and state."""

import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from sqlglot import exp

from ingot.engines import Interrupt
from ingot.engines.duckdb.readonly import check as check_engine
from ingot.pgwire.engine_errors import in_words
from ingot.pgwire.fields import field_of, oid_of
from ingot.pgwire.lake_tables import LakeTables, Looking, search_path
from ingot.pgwire.model_source import zone
from ingot.pgwire.ports import Field, SessionInfo
from ingot.pgwire.rounded import named, warning
from ingot.pgwire.values.lossless import lossless
from ingot.semantic.answers.recent import Recent
from ingot.semantic.sql.allowed import check
from ingot.semantic.sql.errors import SqlError
from ingot.semantic.sql.guessing import Guessing
from ingot.semantic.sql.parsing import parsed
from ingot.semantic.sql.planning import generated
from ingot.semantic.sql.postgres.input import Clock
from ingot.semantic.sql.postgres.writing import Writing
from ingot.semantic.sql.rows.plain import Plain, Relation
from ingot.semantic.sql.rows.results import outputs_of
from ingot.semantic.sql.rows.scope import Col
from ingot.semantic.sql.statements import bound

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from ingot.engines.duckdb import DuckDBEngine
    from ingot.lake import State
    from ingot.pgwire.federation import Federation
    from ingot.semantic.answers.states import States


THREADS = 64
"""Statements over tables that the engine works on at the same time."""
_RELATIVE = re.compile("now|today|tomorrow|yesterday|current|local", re.IGNORECASE)
"""Words that may be about the moment in which they are read."""


@dataclass(frozen=True, slots=True)
class LakePlan:
    """What is executed for a text."""

    sql: str
    state: "State"
    databases: frozenset[str]
    tables: frozenset[str]
    """Those of the lake that are read."""
    columns: tuple[Col, ...]
    parameters: tuple[int, ...] = ()
    """Their types, as far as the statement says them; 0 where it does not."""
    volatile: bool = False
    """Whether the same text may mean something else a moment later."""
    attached: int = 0
    """Which databases there were beside the lake: `Federation.version`."""
    rounded: Sequence[str] = ()
    """Columns of databases whose numbers are not exact here."""


@dataclass(eq=False)
class LakePlans:
    """What all sessions share: the engine, the states of the lake, the databases beside it."""

    engine: "DuckDBEngine"
    states: "States"
    federation: "Federation | None" = None
    faces: Callable[[SessionInfo], Iterable[str]] = lambda _: ()
    """The cubes and views that a session sees."""
    timeout: float | None = None
    tables: LakeTables = field(init=False)
    pool: Executor = field(init=False, repr=False)
    """Threads for the engine: many, as one may wait long for somebody else's database."""
    _prepared: "Recent[Hashable, tuple[LakePlan, tuple[Field, ...], str]]" = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.tables = LakeTables(self.engine)
        self.pool = ThreadPoolExecutor(THREADS, thread_name_prefix="sql-lake")
        self._prepared = Recent(500)

    @contextmanager
    def session(self, plan: LakePlan, interrupt: Interrupt) -> "Iterator[DuckDBPyConnection]":
        """A cursor for a plan's SQL; the engine's errors come out in PostgreSQL's words."""
        if not plan.databases or self.federation is None:
            opened = self.engine.session(plan.state, timeout=self.timeout, interrupt=interrupt)
        else:
            opened = self.federation.session(
                plan.databases,
                at=plan.state if plan.tables else None,
                tables=plan.tables,
                timeout=self.timeout,
                interrupt=interrupt,
            )
        with in_words(), opened as cursor:
            yield cursor

    def is_current(self, plan: LakePlan, info: SessionInfo) -> bool:
        """Whether a plan says what its text means now."""
        if plan.volatile or plan.state.hash != self.states.at(info.ref).state.hash:
            return False
        return not plan.databases or self.federation is None or plan.attached == self.federation.version

    def at_hand(self, text: str, info: SessionInfo) -> tuple[LakePlan, tuple[Field, ...], str] | None:
        """As `prepared`, where nothing has to be waited for."""
        at = self.states.at_hand(info.ref)
        return self._prepared.get(_key(text, at.state, info)) if at is not None else None

    def prepared(
        self, text: str, info: SessionInfo, interrupt: Interrupt
    ) -> tuple[LakePlan, tuple[Field, ...], str]:
        """Plan, columns and SQL for Arrow of a text without values, kept where they stay the same."""
        state = self.states.at(info.ref).state
        key = _key(text, state, info)
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
        attached = self.federation.version if self.federation is not None else 0
        zone_ = zone(info.settings.get("timezone", "UTC"))
        try:
            tree = parsed(text)
            look = self.reading(state, tree, info, partial(self.faces, info))
            guessing = Guessing() if values is None else None
            tree = guessing.opened(tree) if guessing is not None else bound(tree, tuple(values or ()))
            check(tree)
            writing = Writing(Clock(datetime.now(UTC), zone_))
            made = Plain(writing, look, guessing).query(tree, {})
            columns = outputs_of(made)
            sql = generated(made)
        except RecursionError:
            raise SqlError("The statement is nested too deep.", sqlstate="54001") from None
        with in_words():
            check_engine(sql)
        known = guessing.types if guessing is not None else {}
        kinds = tuple(oid_of(known.get(one, "")) for one in range(1, max(known, default=0) + 1))
        volatile = writing.volatile or _RELATIVE.search(text) is not None
        databases = frozenset(look.databases)
        return LakePlan(
            sql, state, databases, frozenset(look.read), columns, kinds, volatile, attached, look.rounded
        )

    def reading(
        self, state: "State", tree: exp.Expr, info: SessionInfo, faces: Callable[[], Iterable[str]]
    ) -> Looking:
        """What looks the tables of one statement up; `faces` are the cubes and views."""
        return Looking(
            self.tables,
            state,
            self.federation if info.lake else None,
            search_path(info.settings.get("search_path", "public")),
            info.database,
            faces,
            self._databases(tree),
            partial(self._rounded, tree, info),
        )

    def _rounded(self, tree: exp.Expr, info: SessionInfo, source: str, table: Relation) -> Sequence[str]:
        """The columns that a statement reads and whose numbers are not exact here; who asks is warned once."""
        assert self.federation is not None
        columns = named(self.federation.rounded(source, table), tree)
        found = [".".join((*table.parts, one)) for one in columns]
        for one in found:
            if one not in info.warned:
                info.warned.add(one)
                info.notice(warning(one))
        return found

    def _databases(self, tree: exp.Expr) -> frozenset[str]:
        """The databases whose names stand first in names of tables."""
        if self.federation is None:
            return frozenset()
        first = {(one.catalog or one.db).partition(".")[0] for one in tree.find_all(exp.Table)}
        found = (self.federation.named(one) for one in first if one)
        return frozenset(one for one in found if one is not None)

    def described(self, plan: LakePlan, interrupt: Interrupt) -> tuple[tuple[Field, ...], str]:
        """The columns of a plan, and its SQL for Arrow."""
        with self.session(plan, interrupt) as cursor:
            rows = cursor.execute(f"DESCRIBE {plan.sql}").fetchall()
        engine = [str(row[1]) for row in rows]
        fields = tuple(field_of(col, kind) for col, kind in zip(plan.columns, engine, strict=True))
        return fields, lossless(plan.sql, engine)


def _key(text: str, state: "State", info: SessionInfo) -> Hashable:
    path, zone_ = info.settings.get("search_path"), info.settings.get("timezone")
    return (text, state.hash, info.database, path, zone_)
