"""The clock of metadata: milliseconds since 1970 in UTC."""

from time import time_ns


def now() -> int:
    """This moment."""
    return time_ns() // 1_000_000
