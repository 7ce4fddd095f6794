"""Rows of a statement that DuckDB computes in other threads, and that nobody has to wait for once it is stopped.

A stopped DuckDB may still wait for somebody else's database; its asker does not.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from ingot.engines import Interrupt, QueryInterruptedError
from ingot.pgwire.errors import PgError
from ingot.pgwire.ports import Chunk, Field
from ingot.pgwire.values.encoder import Encoded, Encoder
from ingot.pgwire.values.stream import encoded

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from duckdb import DuckDBPyConnection

T = TypeVar("T")
Open = Callable[[Interrupt], "AbstractContextManager[DuckDBPyConnection]"]
_BATCH = 2_048
"""Rows that the engine gives at a time."""
_threads = ThreadPoolExecutor(max_workers=64, thread_name_prefix="sql")


class Stop:
    """What stops a statement: its engine, and whoever waits for it. `set` is called on the event loop."""

    def __init__(self) -> None:
        self.interrupt = Interrupt()
        self._waiting: asyncio.Future[None] | None = None

    def set(self) -> None:
        """Stops. Harmless when said again."""
        self.interrupt.set()
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    async def during(self, work: Callable[[], T], undo: Callable[[T], object] | None = None) -> T:
        """What `work` gives back, done in another thread.

        Raises `PgError` 57014 as soon as it is stopped, however long `work` goes on; `undo` gets what it gives then.
        """
        if self.interrupt.is_set:
            raise _stopped()
        loop = asyncio.get_running_loop()
        done = loop.run_in_executor(_threads, work)
        self._waiting = loop.create_future()
        try:
            await asyncio.wait((done, self._waiting), return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            self.interrupt.set()
            done.add_done_callback(lambda late: _left(late, undo))
            raise
        finally:
            self._waiting = None
        if not done.done():
            done.add_done_callback(lambda late: _left(late, undo))
            raise _stopped()
        try:
            return done.result()
        except QueryInterruptedError:
            raise _stopped() from None


@dataclass(frozen=True, slots=True)
class Wanted:
    """How rows are wanted: their columns, their formats, the settings of the session."""

    fields: tuple[Field, ...]
    formats: Sequence[int]
    settings: "Mapping[str, str]"


class EngineRows:
    """The rows of one SELECT of the engine; see `ports.Rows`."""

    def __init__(
        self, open_: Open, sql: str, wanted: Wanted, stop: Stop, running: Callable[[Stop], object]
    ) -> None:
        """`running` is told at each step what stops it: a session has several portals open, and one at work."""
        self.fields = wanted.fields
        self._stop = stop
        self._running = running
        self._steps = _encoded(open_, sql, wanted, stop.interrupt)
        self._piece: Encoded | None = None
        self._over = False

    async def begin(self) -> None:
        """Starts the statement. Raises `IngotError`."""
        await self._step()

    async def fetch(self, most: int) -> Chunk | None:
        """See `Rows.fetch`."""
        while self._piece is None or not self._piece.left:
            if self._over:
                return None
            self._piece = await self._step()
            self._over = self._piece is None
        return self._piece.cut(most)

    async def close(self) -> None:
        """See `Rows.close`."""
        if not self._over:
            self._over = True
            # Nobody waits for it, nor for what it still does.
            _threads.submit(self._steps.close)

    async def _step(self) -> Encoded | None:
        self._running(self._stop)
        try:
            return await self._stop.during(self._next, lambda _: self._steps.close())
        except BaseException:
            self._over = True
            raise

    def _next(self) -> Encoded | None:
        return next(self._steps, None)


def _encoded(open_: Open, sql: str, wanted: Wanted, interrupt: Interrupt) -> "Generator[Encoded, None, None]":
    """First nothing, once the statement is under way; then its rows."""
    with open_(interrupt) as cursor:
        reader = cursor.sql(sql).to_arrow_reader(_BATCH)
        encoder = Encoder(wanted.fields, reader.schema, wanted.formats, wanted.settings)
        yield Encoded(memoryview(b""), np.zeros(0, dtype=np.int64))
        yield from encoded(reader, encoder)


def _left(late: "asyncio.Future[Any]", undo: Callable[[Any], object] | None) -> None:
    if not late.cancelled() and late.exception() is None and undo is not None:
        _threads.submit(undo, late.result())


def _stopped() -> PgError:
    return PgError("canceling statement due to user request", sqlstate="57014")
