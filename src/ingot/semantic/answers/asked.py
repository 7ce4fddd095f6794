"""`Asked`: a question that waits for its answer, and may stop to."""

from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from threading import Lock
from typing import Any

from ingot.engines import QueryInterruptedError
from ingot.semantic.answers import response
from ingot.semantic.answers.cache import Answer
from ingot.semantic.answers.execution import Execution, Part
from ingot.semantic.answers.flights import Flight


class Asked:
    """One question, of one query or several. Its work begins when this is made; `leave` must follow.

    Kept answers are taken at once: they wait in no queue.
    """

    def __init__(
        self, execution: Execution, kind: str, parts: list[Part], *, alone: bool, dialect: str
    ) -> None:
        self._execution = execution
        self._kind = kind
        self._parts = parts
        self._alone = alone
        self._dialect = dialect
        self._lock = Lock()
        self._left = False
        self._answers = [execution.at_hand(part) for part in parts]
        self._flights: list[Flight[Answer]] = []
        try:
            for part, kept in zip(parts, self._answers, strict=True):
                if kept is None:
                    self._flights.append(execution.begin(part))
        except BaseException:
            self.leave()
            raise

    @property
    def is_kept(self) -> bool:
        """Whether all of the answer was kept, so that `result` waits for nothing."""
        return not self._flights

    @property
    def seconds(self) -> float:
        """How long the longest of its queries has been under way."""
        return max((flight.seconds for flight in self._flights), default=0.0)

    @property
    def is_queued(self) -> bool:
        """Whether it waits for other queries to end."""
        return not any(flight.future.running() or flight.future.done() for flight in self._flights)

    def when_done(self, call: Callable[[], None]) -> None:
        """Calls once, from any thread, when every query has ended or one has failed."""
        if not self._flights:
            call()
            return
        lock = Lock()
        open_ = {id(flight) for flight in self._flights}

        def ended(flight: Flight[Answer]) -> Callable[[Future[Answer]], None]:
            def each(future: Future[Answer]) -> None:
                with lock:
                    was = bool(open_)
                    open_.discard(id(flight))
                    if future.cancelled() or future.exception() is not None:
                        open_.clear()
                    over = was and not open_
                if over:
                    call()

            return each

        for flight in self._flights:
            flight.future.add_done_callback(ended(flight))

    def result(self) -> dict[str, Any]:
        """The answer in Cube's format, each `data` as JSON text; waits for it. Raises what a query raised."""
        try:
            flown = iter([flight.future.result() for flight in self._flights])
        except CancelledError:
            raise QueryInterruptedError("The query was cancelled.") from None
        answers = [next(flown) if kept is None else kept for kept in self._answers]
        return _composed(self._kind, self._parts, answers, alone=self._alone, dialect=self._dialect)

    def raw(self) -> dict[str, Any]:
        """`result` with each `data` as a part of the JSON that the answer becomes."""
        return response.fragments(self.result())

    def leave(self) -> None:
        """The answer is fetched or not wanted any more: work that nobody else waits for stops."""
        with self._lock:
            left, self._left = self._left, True
        if not left:
            for flight in self._flights:
                self._execution.leave(flight)

    def come_back(self) -> Callable[[], None]:
        """Leaves for a while: the work goes on, and its result is kept until the same question comes again.

        What is given back is to be called when that has not happened in time.
        """
        with self._lock:
            if self._left:
                return lambda: None
            self._left = True
        promised = [(flight, self._execution.leave(flight, back=True)) for flight in self._flights]

        def expire() -> None:
            for flight, number in promised:
                self._execution.expire(flight, number)

        return expire


def _composed(
    kind: str, parts: list[Part], answers: list[Answer], *, alone: bool, dialect: str
) -> dict[str, Any]:
    results = [response.loaded(part, one, dialect) for part, one in zip(parts, answers, strict=True)]
    return results[0] if alone else response.together(kind, results)
