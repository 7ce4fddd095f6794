"""What stops a step of a session: its work in the engine, and whoever waits for it.

A stopped engine may still wait for somebody else's database; its asker does not.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, TypeVar

from ingot.engines import Interrupt, QueryInterruptedError
from ingot.pgwire.errors import PgError
from ingot.pgwire.running import CANCELLED

T = TypeVar("T")


class Stop:
    """What stops one step. Used on the event loop only."""

    def __init__(self) -> None:
        self.interrupt = Interrupt()
        """What stops the engine, for work that the step alone has asked for."""
        self._said: asyncio.Future[None] | None = None

    def set(self) -> None:
        """Stops. Harmless when said again."""
        self.interrupt.set()
        if self._said is not None and not self._said.done():
            self._said.set_result(None)

    async def during(self, work: Callable[[], T], pool: Executor) -> T:
        """What `work` gives back, done in another thread; see `wait`."""
        self._check()
        return await self.wait(asyncio.get_running_loop().run_in_executor(pool, work))

    async def wait(self, work: "asyncio.Future[T]") -> T:
        """What comes of `work`. Raises `PgError` 57014 as soon as it is stopped; `work` itself goes on."""
        try:
            if not self.interrupt.is_set and not work.done():
                self._said = asyncio.get_running_loop().create_future()
                try:
                    await asyncio.wait((work, self._said), return_when=asyncio.FIRST_COMPLETED)
                finally:
                    self._said = None
            self._check()
        except BaseException:
            self.interrupt.set()  # the session's task may be ended from outside
            unheard(work)
            raise
        try:
            return work.result()
        except QueryInterruptedError:
            raise _stopped() from None

    def _check(self) -> None:
        if self.interrupt.is_set:
            raise _stopped()


def unheard(work: "asyncio.Future[Any]") -> None:
    """Says that nobody waits for what comes of it, nor for its error."""
    work.add_done_callback(lambda done: done.cancelled() or done.exception())


def landing(future: "Future[T]") -> "asyncio.Future[T]":
    """The result of another thread's work, for the event loop. Who gives it up does not stop the work."""
    loop = asyncio.get_running_loop()
    waiting: asyncio.Future[T] = loop.create_future()

    def tell(done: "Future[T]") -> None:
        if waiting.done():
            return
        if done.cancelled():
            waiting.set_exception(_stopped())
        elif (error := done.exception()) is not None:
            waiting.set_exception(error)
        else:
            waiting.set_result(done.result())

    future.add_done_callback(lambda done: loop.call_soon_threadsafe(tell, done))
    return waiting


def _stopped() -> PgError:
    return PgError(CANCELLED, sqlstate="57014")
