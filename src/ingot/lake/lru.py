"""A small thread-safe cache of immutable things, bounded by a weight."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Lru(Generic[K, V]):
    """Keeps the most recently used values up to a total weight.

    Only for values that can never change for their key (files and commits with a unique name).
    """

    def __init__(self, limit: int, weigh: Callable[[V], int] = lambda _: 1) -> None:
        self._limit = limit
        self._weigh = weigh
        self._total = 0
        self._values: OrderedDict[K, V] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: K) -> V | None:
        """The cached value, or None."""
        with self._lock:
            value = self._values.get(key)
            if value is not None:
                self._values.move_to_end(key)
            return value

    def put(self, key: K, value: V) -> V:
        """Keeps `value` and gives it back."""
        with self._lock:
            if key not in self._values:
                self._values[key] = value
                self._total += self._weigh(value)
                while self._total > self._limit and len(self._values) > 1:
                    _, dropped = self._values.popitem(last=False)
                    self._total -= self._weigh(dropped)
        return value
