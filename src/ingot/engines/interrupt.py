"""`Interrupt`: how whoever waits for a query tells the engine that nobody waits any more."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock, Thread
from time import sleep

from ingot.engines.errors import QueryInterruptedError


class Interrupt:
    """Stops every query that was given it: those that run, and those that would still begin.

    Safe to use from several threads; `set` never waits.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._set = False
        self._running: list[Callable[[], None]] = []

    @property
    def is_set(self) -> bool:
        """Whether it was pulled."""
        return self._set

    def set(self) -> None:
        """Stops the queries; they raise `QueryInterruptedError`."""
        with self._lock:
            if self._set:
                return
            self._set = True
        if self._stop():
            # An engine forgets a stop that comes just before its statement begins.
            Thread(target=self._insist, name="interrupt", daemon=True).start()

    @contextmanager
    def stopping(self, stop: Callable[[], None]) -> Iterator[None]:
        """Calls `stop` from another thread where `set` is called during the block.

        Raises `QueryInterruptedError` where it already was.
        """
        with self._lock:
            if self._set:
                raise QueryInterruptedError("The query was cancelled.")
            self._running.append(stop)
        try:
            yield
        finally:
            with self._lock:
                self._running.remove(stop)

    def _stop(self) -> bool:
        with self._lock:  # held, so that no statement ends and is closed in between
            for stop in self._running:
                stop()
            return bool(self._running)

    def _insist(self) -> None:
        pause = 0.005
        while self._stop():
            sleep(pause)
            pause = min(pause * 1.5, 0.25)
