"""Answers in memory, least recently used first out, within a limit of bytes.

Nothing here expires: a key holds the fingerprint of the tables that the answer was computed from, so an
answer that is found is right.
"""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from threading import Lock


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows as JSON in the format that was asked for, and their number without a limit where that was asked."""

    data: bytes
    total: int | None


class Answers:
    """A cache of answers. Safe to use from several threads."""

    _OVERHEAD = 2_000

    def __init__(self, limit: int = 128 * 1024 * 1024) -> None:
        self.limit = limit
        self._bytes = 0
        self._found: OrderedDict[Hashable, Answer] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable) -> Answer | None:
        """The answer that was kept under `key`."""
        with self._lock:
            answer = self._found.get(key)
            if answer is not None:
                self._found.move_to_end(key)
            return answer

    def put(self, key: Hashable, answer: Answer) -> None:
        """Keeps an answer, unless it alone would fill a quarter of the cache."""
        size = len(answer.data) + self._OVERHEAD
        if size > self.limit // 4:
            return
        with self._lock:
            before = self._found.pop(key, None)
            if before is not None:
                self._bytes -= len(before.data) + self._OVERHEAD
            self._found[key] = answer
            self._bytes += size
            while self._bytes > self.limit:
                _, oldest = self._found.popitem(last=False)
                self._bytes -= len(oldest.data) + self._OVERHEAD

    def __len__(self) -> int:
        return len(self._found)
