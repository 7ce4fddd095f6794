"""Threads that let others go first: queries must not take the processor from whoever answers at once."""

import os
import sys
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

NICE = 5
"""A third of the share of a thread that does not yield, where both want the same processor."""


def yield_to_others() -> None:
    """Lowers the priority of this thread, and of those that it starts, for good; only Linux can."""
    if sys.platform == "linux":
        try:
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
        except OSError:  # a sandbox may forbid it; then all are equal
            return


def in_yielding_thread(work: Callable[[], T]) -> T:
    """What `work` gives back, done in a thread of its own whose threads yield to others."""
    done: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        yield_to_others()
        try:
            done.append(work())
        except BaseException as error:  # noqa: BLE001 - raised again by who asked
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
    return done[0]
