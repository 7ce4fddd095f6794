"""Waiting for an answer on the event loop, for a client that may leave, be stopped, or be told to come back."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from enum import Enum

from starlette.types import Receive

from ingot.semantic.answers.asked import Asked


class Outcome(Enum):
    """How the waiting ended."""

    DONE = "done"
    LATER = "later"
    """It takes longer than a client is kept waiting."""
    GONE = "gone"
    """The client closed the connection."""
    STOPPED = "stopped"
    """Somebody cancelled the request."""


async def outcome(
    when_done: Callable[[Callable[[], None]], None],
    receive: Receive,
    *,
    patience: float | None,
    stopped: "asyncio.Future[None]",
) -> Outcome:
    """The first thing that happens."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def land() -> None:
        if not done.done():
            done.set_result(None)

    def landed() -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(land)

    when_done(landed)
    gone = asyncio.ensure_future(_disconnected(receive))
    try:
        await asyncio.wait({done, gone, stopped}, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
    finally:
        gone.cancel()
    if done.done():
        return Outcome.DONE
    if stopped.done():
        return Outcome.STOPPED
    return Outcome.GONE if gone.done() and not gone.cancelled() else Outcome.LATER


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class Running:
    """The requests that wait or will come back, so that they can be stopped by id. For one event loop."""

    def __init__(self) -> None:
        self._stops: dict[tuple[bytes, str], list[Callable[[], None]]] = {}

    def __len__(self) -> int:
        return len(self._stops)

    def add(self, who: bytes, id: str, stop: Callable[[], None]) -> Callable[[], None]:
        """Remembers how a request is stopped; to be called when it has ended."""
        key = (who, id)
        self._stops.setdefault(key, []).append(stop)

        def ended() -> None:
            stops = self._stops.get(key, [])
            if stop in stops:
                stops.remove(stop)
            if not stops:
                self._stops.pop(key, None)

        return ended

    def stop(self, who: bytes, id: str) -> int:
        """Stops what `who` asked under that id; how many requests that were."""
        stops = self._stops.pop((who, id), [])
        for stop in stops:
            stop()
        return len(stops)


def wait_later(asked: Asked, running: Running, who: bytes, id: str, grace: float) -> None:
    """Keeps the work going for a client that was told to come back within `grace` seconds."""
    expire = asked.come_back()
    ended = running.add(who, id, expire)

    def over() -> None:
        ended()
        expire()

    asyncio.get_running_loop().call_later(grace, over)
