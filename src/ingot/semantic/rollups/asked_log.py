"""What was asked and how long the engine took: the material of `ingot rollup suggest`.

Kept in memory and written from time to time, never on the way of an answer. Values of filters are not kept
(but dates are): a log of questions must not become a copy of the data.
"""

from collections import deque
from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from typing import Any

import orjson

from ingot.semantic.model import Dimension
from ingot.semantic.planner.resolve import RANGES, Condition, Resolved, Tree

_MOST = 2_000
_LARGEST = 2 * 1024 * 1024
_FILE = "asked.jsonl"


class AskedLog:
    """The questions of one project. Safe to use from several threads."""

    def __init__(self, root: Path) -> None:
        self._path = root / _FILE
        self._waiting: deque[tuple[Resolved, float, tuple[str, ...]]] = deque(maxlen=_MOST)
        self._lock = Lock()

    def add(self, query: Resolved, seconds: float, rollups: tuple[str, ...]) -> None:
        """Remembers a question that the engine answered by reading `rollups`. Takes microseconds."""
        self._waiting.append((query, seconds, rollups))

    def flush(self) -> None:
        """Writes what waits; two files at most are kept."""
        with self._lock:
            waiting = [self._waiting.popleft() for _ in range(len(self._waiting))]
            if not waiting:
                return
            lines = [
                orjson.dumps({"query": shape(query), "seconds": round(seconds, 6), "rollups": list(rollups)})
                for query, seconds, rollups in waiting
            ]
            self._path.parent.mkdir(parents=True, exist_ok=True)
            if self._path.exists() and self._path.stat().st_size > _LARGEST:
                self._path.replace(self._path.with_suffix(".old.jsonl"))
            with self._path.open("ab") as file:
                file.write(b"\n".join(lines) + b"\n")

    def entries(self) -> Iterator[dict[str, Any]]:
        """What was written, the oldest first."""
        for path in (self._path.with_suffix(".old.jsonl"), self._path):
            if path.exists():
                for line in path.read_bytes().splitlines():
                    try:
                        yield orjson.loads(line)
                    except orjson.JSONDecodeError:
                        continue  # half a line, of a process that was killed


def shape(query: Resolved) -> dict[str, Any]:
    """The query without the values of its filters."""
    times = [column for column in query.dimensions if column.granularity is not None]
    return {
        "measures": [column.key for column in query.measures],
        "dimensions": [column.key for column in query.dimensions if column.granularity is None],
        "timeDimensions": [
            {"dimension": column.found.name, "granularity": column.granularity} for column in times
        ],
        "filters": [_shape(tree) for tree in (*query.where, *query.having)],
        "segments": [found.name for found in query.segments],
        "timezone": query.timezone,
    }


def _shape(tree: Tree) -> dict[str, Any]:
    if not isinstance(tree, Condition):
        return {"and" if tree.every else "or": [_shape(part) for part in tree.parts]}
    member = tree.found.member
    is_time = isinstance(member, Dimension) and member.type == "time"
    values: list[str | None] = list(tree.values)
    if not (is_time and (tree.operator in RANGES or tree.operator in ("gt", "gte", "lt", "lte"))):
        number = not isinstance(member, Dimension) or member.type in ("number", "boolean")
        values = [None if one is None else ("1" if number else f"?{n}") for n, one in enumerate(values)]
        if is_time:
            values = ["2000-01-01" for _ in values]
    return {"member": tree.found.name, "operator": tree.operator, "values": values}
