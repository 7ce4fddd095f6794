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
        return await self.wait(asyncio.get_running_loop().run_in_executor(_threads, work), undo)

    async def wait(self, done: "asyncio.Future[T]", undo: Callable[[T], object] | None = None) -> T:
        """As `during`, for work that was begun before."""
        if self.interrupt.is_set:
            done.add_done_callback(lambda late: _left(late, undo))
            raise _stopped()
        self._waiting = asyncio.get_running_loop().create_future()
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
    """The rows of one SELECT of the engine; see `ports.Rows`. The next ones are computed while the last are sent."""

    def __init__(
        self, open_: Open, sql: str, wanted: Wanted, stop: Stop, running: Callable[[Stop], object]
    ) -> None:
        """`running` is told at each step what stops it: a session has several portals open, and one at work."""
        self.fields = wanted.fields
        self._stop = stop
        self._running = running
        self._steps = _encoded(open_, sql, wanted, stop.interrupt)
        self._piece: Encoded | None = None
        self._ahead: asyncio.Future[Encoded | None] | None = None
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
            if not self._over:
                self._ahead = asyncio.get_running_loop().run_in_executor(_threads, self._next)
        return self._piece.cut(most)

    async def close(self) -> None:
        """See `Rows.close`."""
        if not self._over:
            self._over = True
            # Nobody waits for it, nor for what it still does.
            if self._ahead is None:
                _threads.submit(self._steps.close)
            else:
                self._stop.interrupt.set()
                self._ahead.add_done_callback(lambda late: _left(late, self._undo))

    async def _step(self) -> Encoded | None:
        self._running(self._stop)
        begun, self._ahead = self._ahead, None
        try:
            if begun is not None:
                return await self._stop.wait(begun, self._undo)
            return await self._stop.during(self._next, self._undo)
        except BaseException:
            self._over = True
            raise

    def _next(self) -> Encoded | None:
        return next(self._steps, None)

    def _undo(self, _: Encoded | None) -> None:
        self._steps.close()


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
