"""A statement that is cancelled while it runs."""

import threading
import time
from typing import Any

import psycopg
import pytest


def until_cancelled(con: psycopg.Connection[Any], text: str) -> float:
    """Seconds from the cancel, which comes a second after the statement began, to the error that ends it."""
    took: list[float] = []

    def cancel() -> None:
        time.sleep(1)
        took.append(time.monotonic())
        con.cancel_safe(timeout=5)

    thread = threading.Thread(target=cancel)
    thread.start()
    with pytest.raises(psycopg.errors.QueryCanceled):
        con.execute(text.encode())
    took.append(time.monotonic())
    thread.join()
    return took[1] - took[0]
