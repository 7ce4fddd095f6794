"""Answers in memory, least recently used first out, within a limit of bytes.

Nothing here expires: a key holds the fingerprint of the tables that the answer was computed from, so an
answer that is found is right.
"""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from threading import Lock
from typing import Protocol


class Kept(Protocol):
    """What can be kept: it does not change, and says how large it is."""

    @property
    def size(self) -> int:
        """Bytes."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows as JSON in the format that was asked for, and their number without a limit where that was asked."""

    data: bytes
    total: int | None

    @property
    def size(self) -> int:
        """Bytes of the rows."""
        return len(self.data)


class Answers:
    """A cache of answers. Safe to use from several threads."""

    _OVERHEAD = 2_000

    def __init__(self, limit: int = 128 * 1024 * 1024) -> None:
        self.limit = limit
        self._bytes = 0
        self._found: OrderedDict[Hashable, Kept] = OrderedDict()
        self._lock = Lock()

    @property
    def largest(self) -> int:
        """Bytes of the largest answer that is kept."""
        return self.limit // 4 - self._OVERHEAD

    def get(self, key: Hashable) -> Kept | None:
        """The answer that was kept under `key`."""
        with self._lock:
            answer = self._found.get(key)
            if answer is not None:
                self._found.move_to_end(key)
            return answer

    def put(self, key: Hashable, answer: Kept) -> None:
        """Keeps an answer, unless it alone would fill a quarter of the cache."""
        size = answer.size + self._OVERHEAD
        if answer.size > self.largest:
            return
        with self._lock:
            before = self._found.pop(key, None)
            if before is not None:
                self._bytes -= before.size + self._OVERHEAD
            self._found[key] = answer
            self._bytes += size
            while self._bytes > self.limit:
                _, oldest = self._found.popitem(last=False)
                self._bytes -= oldest.size + self._OVERHEAD

    def __len__(self) -> int:
        return len(self._found)
