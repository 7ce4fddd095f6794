"""Single flight: equal work that is asked for while it runs is done once, and stops when nobody waits for it.

A flight lives as long as somebody waits. One who was told to come back may be away for a while (`leave` with
`back`): the flight goes on, and its result is kept until it is fetched or `expire` says that nobody came.
"""

from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from time import monotonic
from typing import Generic, TypeVar

from ingot.engines import Interrupt
from ingot.engines.yielding import yield_to_others

T = TypeVar("T")


class Flight(Generic[T]):
    """One piece of work under way. `future` has its result or its error."""

    __slots__ = ("began", "future", "interrupt", "key", "owed", "promises", "waiting")

    def __init__(self, key: Hashable) -> None:
        self.key = key
        self.future: Future[T] = Future()
        self.interrupt = Interrupt()
        self.began = monotonic()
        self.waiting = 0
        self.promises = 0
        """How often somebody was told to come back."""
        self.owed = 0
        """The last of these promises, where nobody has come back since; else 0."""

    @property
    def seconds(self) -> float:
        """How long it has been under way."""
        return monotonic() - self.began


class Flights(Generic[T]):
    """The flights under way, by what they are about. Safe to use from several threads."""

    def __init__(self, workers: int) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="query", initializer=yield_to_others)
        self._lock = Lock()
        self._flying: dict[Hashable, Flight[T]] = {}

    def join(self, key: Hashable, work: Callable[[Interrupt], T]) -> Flight[T]:
        """The flight for `key`, begun with `work` where there is none; the caller waits from now on."""
        with self._lock:
            flight = self._flying.get(key)
            if flight is not None:
                flight.waiting += 1
                flight.owed = 0
                return flight
            flight = self._flying[key] = Flight(key)
            flight.waiting = 1
        try:
            self._pool.submit(self._fly, flight, work)
        except BaseException:
            with self._lock:
                self._flying.pop(key, None)
            raise
        return flight

    def leave(self, flight: Flight[T], *, back: bool = False) -> int:
        """One less waits; with `back` he will join again. Gives a number for `expire`, 0 without `back`.

        Without anybody who waits or will come back, the work is interrupted.
        """
        with self._lock:
            flight.waiting -= 1
            if back:
                flight.promises += 1
                flight.owed = flight.promises
                return flight.owed
            self._drop_unwanted(flight)
            return 0

    def expire(self, flight: Flight[T], number: int) -> None:
        """Who was told to come back at `number` has had time enough."""
        with self._lock:
            if flight.owed == number:
                flight.owed = 0
                self._drop_unwanted(flight)

    def close(self) -> None:
        """Stops all that is under way."""
        with self._lock:
            flying = list(self._flying.values())
            self._flying.clear()
        for flight in flying:
            flight.interrupt.set()
        self._pool.shutdown(wait=True, cancel_futures=True)
        for flight in flying:
            flight.future.cancel()

    def __len__(self) -> int:
        return len(self._flying)

    def __contains__(self, flight: Flight[T]) -> bool:
        return self._flying.get(flight.key) is flight

    def _drop_unwanted(self, flight: Flight[T]) -> None:
        if flight.waiting or flight.owed:
            return
        if self._flying.get(flight.key) is flight:
            del self._flying[flight.key]  # who asks from now on gets a new one, not one that is being stopped
        if not flight.future.done():
            flight.interrupt.set()

    def _fly(self, flight: Flight[T], work: Callable[[Interrupt], T]) -> None:
        if flight.interrupt.is_set or not flight.future.set_running_or_notify_cancel():
            flight.future.cancel()
            return
        try:
            result = work(flight.interrupt)
        except BaseException as error:  # noqa: BLE001 - handed to everybody who waits
            self._landed(flight)
            flight.future.set_exception(error)
        else:
            self._landed(flight)
            flight.future.set_result(result)

    def _landed(self, flight: Flight[T]) -> None:
        with self._lock:
            if not flight.owed and self._flying.get(flight.key) is flight:
                del self._flying[flight.key]
