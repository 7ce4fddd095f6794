"""`Recent`: the last things made, by key. Losing one costs time, never truth."""

from collections.abc import Hashable
from threading import Lock
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Recent(dict[Key, Value]):
    """At most `most` things; the first that came is the first to go. Safe to use from several threads."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most
        self._lock = Lock()

    def keep(self, key: Key, value: Value) -> Value:
        """`value`, from now on under `key`."""
        with self._lock:
            while len(self) >= self.most:
                del self[next(iter(self))]
            self[key] = value
        return value
