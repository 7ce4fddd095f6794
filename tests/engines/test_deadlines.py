"""One thread calls what has not been called off in time."""

from collections.abc import Iterator
from threading import Event, Thread
from time import monotonic, sleep

import pytest

from ingot.engines.deadlines import Deadlines


@pytest.fixture
def deadlines() -> Iterator[Deadlines]:
    made = Deadlines()
    yield made
    made.close()


def test_a_block_that_takes_too_long_is_called(deadlines: Deadlines) -> None:
    called = Event()
    with deadlines.after(0.01, called.set):
        assert called.wait(5)


def test_a_block_that_ended_in_time_is_never_called(deadlines: Deadlines) -> None:
    called: list[int] = []
    for _ in range(500):
        with deadlines.after(0.02, lambda: called.append(1)):
            pass
    with deadlines.after(0.02, lambda: None):
        sleep(0.06)
    assert not called


def test_an_earlier_deadline_does_not_wait_for_a_later_one(deadlines: Deadlines) -> None:
    called = Event()
    with deadlines.after(60, lambda: None):
        began = monotonic()
        with deadlines.after(0.01, called.set):
            assert called.wait(5)
        assert monotonic() - began < 5


def test_each_of_many_threads_gets_its_own_call(deadlines: Deadlines) -> None:
    late: list[int] = []
    early: list[int] = []

    def slow(number: int) -> None:
        with deadlines.after(0.005 + number / 1000, lambda: late.append(number)):
            sleep(0.3)

    def quick(number: int) -> None:
        with deadlines.after(5, lambda: early.append(number)):
            sleep(0.001)

    threads = [Thread(target=each, args=(number,)) for number in range(20) for each in (slow, quick)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(late) == list(range(20))
    assert not early


def test_what_is_over_is_forgotten_before_its_time(deadlines: Deadlines) -> None:
    for _ in range(1_000):
        with deadlines.after(600, lambda: None):
            pass
    assert len(deadlines._waiting) < 100


def test_nothing_is_called_after_the_close() -> None:
    called: list[int] = []
    deadlines = Deadlines()
    with deadlines.after(0.05, lambda: called.append(1)):
        deadlines.close()
        sleep(0.1)
    with deadlines.after(0, lambda: called.append(2)):
        sleep(0.05)
    assert not called
