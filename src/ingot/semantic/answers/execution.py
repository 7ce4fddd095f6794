"""Plan -> answer: from the cache, from an equal query that is under way, or from the engine.

A key holds everything that an answer depends on: the SQL and its parameters (in which policies and security
contexts show wherever they matter), the format, and the fingerprint of the tables. Nothing expires.
"""

import time
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ingot.engines import QueryInterruptedError
from ingot.errors import UsageError
from ingot.semantic.answers.arrow import SMALL, Stream, Whole
from ingot.semantic.answers.cache import Answer, Answers
from ingot.semantic.answers.exporting import exported
from ingot.semantic.answers.flights import Flight, Flights
from ingot.semantic.answers.recent import Recent
from ingot.semantic.answers.rows import Extra, encoded
from ingot.semantic.answers.states import At
from ingot.semantic.planner.plan import Plan
from ingot.semantic.sql.lines import data_line, schema_line
from ingot.semantic.sql.statement import SqlColumn, SqlPlan, SqlRows

if TYPE_CHECKING:
    from ingot.engines import Engine, Exporter, Format, Interrupt

WORKERS = 8
"""Queries that the engine works on at the same time; more wait their turn. Each uses the engine's threads."""
OUTSIDE = 24
"""Statements at the same time that may wait for other machines, which nobody else shall wait for."""


@dataclass(frozen=True, slots=True)
class Part:
    """One query that is ready to be answered."""

    plan: Plan
    at: At
    form: str
    extra: Extra | None
    filled: dict[str, Any]
    """The query as it is written back."""
    key: Hashable
    kept: bool
    """Whether equal keys mean equal answers, now and later."""


@dataclass(frozen=True, slots=True)
class Lines:
    """A small answer to a statement as JSON lines, and its columns, which come before."""

    columns: tuple[SqlColumn, ...]
    lines: tuple[bytes, ...]
    size: int


class Execution:
    """Answers parts. Safe to use from several threads."""

    def __init__(
        self,
        engine: "Engine",
        *,
        cache_bytes: int,
        timeout: float | None,
        log: Callable[[Plan, float], None] | None = None,
        log_sql: Callable[[SqlPlan, float], None] | None = None,
    ) -> None:
        """`log` is told of each plan that was executed, and how many seconds it took; `log_sql` of statements."""
        self._engine = engine
        self._log = log
        self._log_sql = log_sql
        self._answers = Answers(cache_bytes)
        self._flights: Flights[Answer] = Flights(WORKERS)
        self._statements: Flights[Whole | Stream] = Flights(WORKERS)
        self._outside: Flights[Whole | Stream] = Flights(OUTSIDE)
        self._large: Recent[Hashable, bool] = Recent(1_000)
        self._timeout = timeout

    def at_hand(self, part: Part) -> Answer | None:
        """The answer, where it was kept."""
        return cast("Answer | None", self._answers.get(part.key)) if part.kept else None

    def begin(self, part: Part) -> Flight[Answer]:
        """The work on the answer, which equal questions share; `leave` must follow."""
        return self._flights.join(part.key, lambda interrupt: self._answer(part, interrupt))

    def leave(self, flight: Flight[Answer], *, back: bool = False) -> int:
        """See `Flights.leave`."""
        return self._flights.leave(flight, back=back)

    def expire(self, flight: Flight[Answer], number: int) -> None:
        """See `Flights.expire`."""
        self._flights.expire(flight, number)

    @property
    def running(self) -> int:
        """How many different queries are under way."""
        return len(self._flights)

    def close(self) -> None:
        """Stops every query that is under way."""
        self._flights.close()
        self._statements.close()
        self._outside.close()

    def export(self, part: Part, path: Path, format: "Format", interrupt: "Interrupt | None") -> None:
        """Writes the answer to a file; see `Service.export`."""
        if not self._engine.capabilities.exports:
            raise UsageError(f"The engine {self._engine.dialect} does not write files: ask for JSON.")
        exporter = cast("Exporter", self._engine)
        exporter.export(
            exported(part.plan),
            at=part.at.state,
            path=path,
            format=format,
            parameters=part.plan.parameters,
            timeout=self._timeout,
            interrupt=interrupt,
            held=part.plan.held,
        )

    def streamed(self, plan: SqlPlan, interrupt: "Interrupt | None") -> SqlRows:
        """The rows of a statement, as they are fetched."""
        if not self._engine.capabilities.session:
            raise UsageError(f"The engine {self._engine.dialect} does not answer SQL over the model.")
        return SqlRows(plan.engine or self._engine, plan, timeout=self._timeout, interrupt=interrupt)

    def sql_lines(self, plan: SqlPlan, interrupt: "Interrupt | None") -> Iterator[bytes]:
        """The answer to a statement as JSON lines: kept ones, or new ones as they are computed."""
        key = None if plan.key is None else ("lines", plan.key)
        kept = cast("Lines | None", self._answers.get(key)) if key is not None else None
        if kept is not None:
            yield schema_line(kept.columns, plan.at.time)
            yield from kept.lines
            return
        rows = self.streamed(plan, interrupt)
        columns = rows.columns
        batches = rows.batches()
        first = next(batches, None)  # what cannot be computed at all is an error, and no stream
        yield schema_line(columns, plan.at.time)
        lines: list[bytes] = []
        size = 0
        for batch in chain([first] if first is not None else [], batches):
            line = data_line(columns, batch)
            size += len(line)
            if size <= SMALL:
                lines.append(line)
            yield line
        if key is not None and size <= SMALL:
            self._answers.put(key, Lines(columns, tuple(lines), size))

    def sql_at_hand(self, plan: SqlPlan) -> Whole | None:
        """All rows of a statement, where they were kept."""
        return None if plan.key is None else cast("Whole | None", self._answers.get(plan.key))

    def sql_begin(self, plan: SqlPlan) -> Flight[Whole | Stream]:
        """The work on a statement: `sql_leave` must follow.

        A small answer comes whole, to all who ask for the same; of a large one comes a stream, which belongs to who
        takes it first: the others begin anew.
        """
        if not self._engine.capabilities.session:
            raise UsageError(f"The engine {self._engine.dialect} does not answer SQL over the model.")
        shared = plan.key is not None and plan.key not in self._large
        flights = self._statements if plan.engine is None else self._outside
        return flights.join(plan.key if shared else object(), lambda stop: self._sql(plan, stop))

    def sql_leave(self, flight: Flight[Whole | Stream]) -> None:
        """One less needs the flight. A stream that nobody took is closed."""
        (self._outside if flight in self._outside else self._statements).leave(flight)

        def drop(landed: "Future[Whole | Stream]") -> None:
            if flight.waiting or landed.cancelled() or landed.exception() is not None:
                return
            found = landed.result()
            if isinstance(found, Stream) and found.take():
                found.close()

        flight.future.add_done_callback(drop)

    def _sql(self, plan: SqlPlan, interrupt: "Interrupt") -> Whole | Stream:
        kept = self.sql_at_hand(plan)  # an equal statement may have ended just before this one began
        if kept is not None:
            return kept
        held: dict[str, Any] = {"held": plan.held} if plan.held else {}
        engine = cast("Any", plan.engine or self._engine)
        began = time.perf_counter()
        session = engine.session(plan.at.state, timeout=self._timeout, interrupt=interrupt, **held)
        stream = Stream(session, plan.sql, interrupt, plan.parameters)
        try:
            tries = plan.key is not None and plan.key not in self._large
            whole = stream.whole(min(SMALL, self._answers.largest // 2)) if tries else None
            if interrupt.is_set:
                raise QueryInterruptedError("The query was cancelled.")
        except BaseException:
            stream.close()
            raise
        if whole is None:
            if plan.key is not None:
                self._large.keep(plan.key, value=True)
            return stream
        if self._log_sql is not None:
            self._log_sql(plan, time.perf_counter() - began)
        self._answers.put(plan.key, whole)
        return whole

    def _answer(self, part: Part, interrupt: "Interrupt") -> Answer:
        kept = self.at_hand(part)  # an equal query may have ended just before this one began
        if kept is not None:
            return kept
        plan = part.plan

        # Only an engine that can hold them is asked to.
        held: dict[str, Any] = {"held": plan.held} if plan.held else {}

        def rows(sql: str) -> list[tuple[Any, ...]]:
            result = self._engine.query(
                sql,
                at=part.at.state,
                parameters=plan.parameters,
                timeout=self._timeout,
                interrupt=interrupt,
                **held,
            )
            return result.rows

        began = time.perf_counter()
        found = rows(plan.sql)
        if self._log is not None:
            self._log(plan, time.perf_counter() - began)
        total = None if plan.total_sql is None else int(rows(plan.total_sql)[0][0])
        answer = Answer(encoded(plan.query, found, part.form, part.extra), total)
        if part.kept:
            self._answers.put(part.key, answer)
        return answer
