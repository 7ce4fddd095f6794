"""What is called when a time is over, by one thread for all: a thread for each query costs 0.3 ms of it."""

import heapq
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from threading import Condition, Thread
from time import monotonic


class Deadlines:
    """Calls what has not been called off in time. Safe to use from several threads.

    The thread sleeps until the earliest time, begins with the first deadline, and is woken only by an earlier one.
    """

    def __init__(self) -> None:
        self._changed = Condition()
        self._waiting: list[tuple[float, int]] = []
        self._calls: dict[int, Callable[[], None]] = {}
        self._numbers = count()
        self._thread: Thread | None = None
        self._closed = False

    @contextmanager
    def after(self, seconds: float, call: Callable[[], None]) -> Iterator[None]:
        """Calls `call` from another thread where the block takes longer than `seconds`.

        `call` must return at once and not raise. Once the block has ended it is not called any more, nor still under way.
        """
        number = next(self._numbers)
        with self._changed:
            self._calls[number] = call
            heapq.heappush(self._waiting, (monotonic() + seconds, number))
            if self._thread is None and not self._closed:
                self._thread = Thread(target=self._watch, name="deadlines", daemon=True)
                self._thread.start()
            elif self._waiting[0][1] == number:
                self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                self._calls.pop(number, None)
                # What is over stays in the heap until its time: dropped when there is much more of it than of the rest.
                if len(self._waiting) > 64 + 2 * len(self._calls):
                    self._waiting = [one for one in self._waiting if one[1] in self._calls]
                    heapq.heapify(self._waiting)

    def close(self) -> None:
        """Ends the thread; nothing is called any more."""
        with self._changed:
            self._closed = True
            self._calls.clear()
            self._changed.notify()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _watch(self) -> None:
        with self._changed:
            while not self._closed:
                if not self._waiting:
                    self._changed.wait()
                    continue
                at, number = self._waiting[0]
                if number not in self._calls:
                    heapq.heappop(self._waiting)
                elif at > monotonic():
                    self._changed.wait(at - monotonic())
                else:
                    heapq.heappop(self._waiting)
                    self._calls.pop(number)()
