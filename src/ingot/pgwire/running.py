"""Whether a statement is under way, and what stops it: a cancel, its timeout, the end of the server."""

import asyncio
from collections.abc import Callable

from ingot.pgwire.errors import PgError

CANCELLED = "canceling statement due to user request"
TIMED_OUT = "canceling statement due to statement timeout"
ENDED = "57P01"
"""The SQLSTATE of what ends the session, too."""
AGAIN = 0.02
"""Seconds after which a stop is said again, because what it met had perhaps not begun."""


class Running:
    """What a session runs now."""

    def __init__(self, cancel: Callable[[], None]) -> None:
        """`cancel` stops the source's work; it never waits."""
        self._cancel = cancel
        self._alarm: asyncio.TimerHandle | None = None
        self._repeat: asyncio.TimerHandle | None = None
        self.is_busy = False
        """Whether a statement is under way."""
        self.stopped: PgError | None = None
        """Why it was stopped."""

    def begin(self, seconds: float) -> None:
        """A statement begins, which may take so long; 0 for no limit."""
        self.is_busy = True
        self.stopped = None
        if seconds:
            self._alarm = asyncio.get_running_loop().call_later(seconds, self.stop, TIMED_OUT)

    def end(self) -> None:
        """It has ended."""
        self.is_busy = False
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if self._repeat is not None:
            self._repeat.cancel()
            self._repeat = None

    def stop(self, reason: str = CANCELLED, sqlstate: str = "57014") -> None:
        """Stops it, soon. Harmless where nothing is under way."""
        if self.is_busy and self.stopped is None:
            self.stopped = PgError(reason, sqlstate=sqlstate)
            self._say()

    def check(self) -> None:
        """Raises what stopped the statement, if something has."""
        if self.stopped is not None:
            raise self.stopped

    def _say(self) -> None:
        if self.is_busy:
            self._cancel()
            self._repeat = asyncio.get_running_loop().call_later(AGAIN, self._say)
