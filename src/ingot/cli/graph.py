"""The commits of a ref as git draws them: merged commits beside the line that they were merged into."""

import heapq
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ingot.lake.model import Commit


def newest(load: "Callable[[str], Commit]", head: str, root: str, limit: int) -> "list[Commit]":
    """The `limit` newest commits that can be reached from `head` over all parents, children before parents.

    A line of commits is not interrupted by another one that runs beside it. Only the newest commits are
    loaded, whatever the length of the history.
    """
    found: dict[str, Commit] = {}
    queue: list[tuple[float, int, str]] = []

    def reach(hash: str) -> None:
        if hash != root and hash not in found:
            found[hash] = commit = load(hash)
            heapq.heappush(queue, (-commit.time.timestamp(), len(found), hash))

    reach(head)
    oldest: float | None = None
    taken = 0
    # Commits of the same moment may be each other's parents, so a moment is taken as a whole.
    while queue and (oldest is None or queue[0][0] <= oldest):
        time, _, hash = heapq.heappop(queue)
        taken += 1
        if taken == limit:
            oldest = time
        for parent in found[hash].parents:
            reach(parent)
    return _children_first(found, head)[:limit]


def _children_first(found: "dict[str, Commit]", head: str) -> "list[Commit]":
    children = Counter(parent for commit in found.values() for parent in set(commit.parents))
    ready = [head] if head in found else []
    done = []
    while ready:
        commit = found[ready.pop()]
        done.append(commit)
        # What was merged comes next, then the line that it was merged into.
        for parent in dict.fromkeys(commit.parents):
            children[parent] -= 1
            if parent in found and children[parent] == 0:
                ready.append(parent)
    return done


def draw(commits: "Sequence[Commit]", root: str) -> "Iterator[tuple[str, Commit | None]]":
    """The lines of the graph from top to bottom, each with its commit; None for lines between commits."""
    columns: list[str] = []
    last = ""
    for commit in commits:
        if commit.hash not in columns:
            columns.append(commit.hash)
        at = columns.index(commit.hash)
        row = "".join("* " if one == at else "| " for one in range(len(columns)))
        parents = [parent for parent in dict.fromkeys(commit.parents) if parent != root]
        between: list[str] = []
        if len(parents) == 2 and columns[at + 1 : at + 2] == parents[1:]:
            columns[at] = parents[0]
            between.append("| " * at + "|\\" + "| " * (len(columns) - at - 1))
        elif len(parents) == 2 and at and columns[at - 1] == parents[0]:
            columns[at] = parents[1]
            between.append("| " * (at - 1) + "|/|" + " |" * (len(columns) - at - 1))
        elif len(parents) == 2:
            between.append("| " * at + "|\\ " + "\\ " * (len(columns) - at - 1))
            columns[at : at + 1] = parents
            row = row.ljust(2 * len(columns))
        elif parents:
            columns[at] = parents[0]
        else:
            del columns[at]
            if at < len(columns):
                between.append("| " * at + " /" * (len(columns) - at))
        between += _joined(columns)
        yield _slanted(row, last, between[0] if between else ""), commit
        last = row
        for line in between:
            last = line
            yield line, None


def _slanted(row: str, above: str, below: str) -> str:
    """The row with `/` for each line that goes on to the left both above and below it."""
    return "".join(
        "/" if sign == "|" and above[at + 1 : at + 2] == "/" and below[at - 1 : at] == "/" else sign
        for at, sign in enumerate(row)
    )


def _joined(columns: list[str]) -> Iterator[str]:
    """Brings columns that wait for the same commit together, step by step from the right to the left."""
    while (twice := _twice(columns)) is not None:
        left, right = twice
        del columns[right]
        yield "| " * (right - 1) + "|/" + " /" * (len(columns) - right)
        for at in range(right - 1, left, -1):
            yield "| " * (at - 1) + "|/" + "| " * (len(columns) - at)


def _twice(columns: Sequence[str]) -> tuple[int, int] | None:
    for right, hash in enumerate(columns):
        if hash in columns[:right]:
            return columns.index(hash), right
    return None
