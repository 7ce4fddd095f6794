"""Single flight: once for all who ask, stopped when nobody waits, kept for who was told to come back."""

import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from time import monotonic, sleep

import pytest

from ingot.engines import Interrupt, QueryInterruptedError
from ingot.semantic.answers.flights import Flights


@pytest.fixture
def flights() -> Iterator[Flights[str]]:
    made: Flights[str] = Flights(4)
    yield made
    made.close()


class Work:
    """Ends when it is let go or interrupted."""

    def __init__(self) -> None:
        self.runs = 0
        self.go = threading.Event()
        self.stopped = threading.Event()

    def __call__(self, interrupt: Interrupt) -> str:
        self.runs += 1
        with interrupt.stopping(self.stopped.set):
            while not self.go.wait(0.002):
                if self.stopped.is_set():
                    raise QueryInterruptedError("stopped")
        return f"run {self.runs}"


def eventually(what: object) -> bool:
    until = monotonic() + 5
    while monotonic() < until:
        if callable(what) and what():
            return True
        sleep(0.002)
    return False


def test_many_who_ask_at_once_share_one_run(flights: Flights[str]) -> None:
    work = Work()
    with ThreadPoolExecutor(20) as pool:
        joined = list(pool.map(lambda _: flights.join("key", work), range(100)))
    assert len({id(each) for each in joined}) == 1
    work.go.set()
    assert [each.future.result(5) for each in joined] == ["run 1"] * 100
    assert work.runs == 1


def test_after_the_end_the_next_one_runs_again(flights: Flights[str]) -> None:
    work = Work()
    work.go.set()
    first = flights.join("key", work)
    assert first.future.result(5) == "run 1"
    flights.leave(first)
    assert flights.join("key", work).future.result(5) == "run 2"


def test_other_keys_run_beside_it(flights: Flights[str]) -> None:
    held, free = Work(), Work()
    free.go.set()
    flights.join("held", held)
    assert flights.join("free", free).future.result(5) == "run 1"


def test_an_error_reaches_everybody_and_is_not_kept(flights: Flights[str]) -> None:
    go = threading.Event()

    def fail(_: Interrupt) -> str:
        go.wait(5)
        raise ValueError("broken")

    both = [flights.join("key", fail) for _ in range(2)]
    go.set()
    for each in both:
        with pytest.raises(ValueError, match="broken"):
            each.future.result(5)
        flights.leave(each)
    assert len(flights) == 0


def test_who_leaves_does_not_stop_the_others(flights: Flights[str]) -> None:
    work = Work()
    one, other = flights.join("key", work), flights.join("key", work)
    flights.leave(one)
    sleep(0.05)
    assert not work.stopped.is_set()
    work.go.set()
    assert other.future.result(5) == "run 1"


def test_the_last_who_leaves_stops_it_and_the_next_gets_a_new_one(flights: Flights[str]) -> None:
    work, again = Work(), Work()
    again.go.set()
    one = flights.join("key", work)
    assert eventually(lambda: work.runs == 1)
    flights.leave(one)
    assert flights.join("key", again).future.result(5) == "run 1"
    assert work.stopped.wait(5)


def test_work_that_waits_in_the_queue_is_never_begun_when_its_asker_leaves() -> None:
    flights: Flights[str] = Flights(1)
    first, second = Work(), Work()
    flights.join("first", first)
    waiting = flights.join("second", second)
    flights.leave(waiting)
    first.go.set()
    with pytest.raises(CancelledError):
        waiting.future.result(5)
    assert second.runs == 0
    flights.close()


def test_a_result_is_kept_for_who_was_told_to_come_back_and_fetched_once(flights: Flights[str]) -> None:
    work = Work()
    one = flights.join("key", work)
    flights.leave(one, back=True)
    work.go.set()
    assert one.future.result(5) == "run 1"
    back = flights.join("key", work)
    assert back is one
    flights.leave(back)
    assert len(flights) == 0


def test_nobody_came_back_in_time_so_it_stops(flights: Flights[str]) -> None:
    work = Work()
    one = flights.join("key", work)
    assert eventually(lambda: work.runs == 1)
    number = flights.leave(one, back=True)
    assert not work.stopped.is_set()
    flights.expire(one, number)
    assert work.stopped.wait(5)
    assert len(flights) == 0


def test_the_end_of_an_old_promise_does_not_stop_who_came_back(flights: Flights[str]) -> None:
    work = Work()
    first = flights.leave(one := flights.join("key", work), back=True)
    second = flights.leave(flights.join("key", work), back=True)
    flights.expire(one, first)
    sleep(0.05)
    assert not work.stopped.is_set()
    flights.expire(one, second)
    assert work.stopped.wait(5)


def test_closing_stops_everything() -> None:
    flights: Flights[str] = Flights(2)
    works = [Work() for _ in range(5)]
    joined = [flights.join(number, work) for number, work in enumerate(works)]
    assert eventually(lambda: sum(work.runs for work in works) == 2)
    flights.close()
    for each in joined:
        with pytest.raises((CancelledError, QueryInterruptedError)):
            each.future.result(5)
