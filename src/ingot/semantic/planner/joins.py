"""Which cubes are joined how: shortest paths over declared joins, and the one tree that a query needs.

As in Cube, a join is directed (the declaring cube is on the left) and a tree hangs from one root. Unlike
Cube, two equally short ways are an error that names both: they give different numbers.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ingot.errors import did_you_mean
from ingot.semantic.errors import QueryError
from ingot.semantic.model import Join, Path

Edges = Mapping[str, Sequence[Join]]


@dataclass(frozen=True, slots=True)
class Tree:
    """Joins in an order in which each one's left cube is already there; `root` has all its rows."""

    root: str
    joins: tuple[Join, ...] = ()

    @property
    def cubes(self) -> tuple[str, ...]:
        return (self.root, *(join.right for join in self.joins))

    def multiplies(self, cube: str) -> bool:
        """Whether a row of `cube` can stand in several rows of the joined result."""
        seen = {cube}
        waiting = [cube]
        while waiting:
            at = waiting.pop()
            for join in self.joins:
                if join.left == at and join.right not in seen:
                    other, many = join.right, join.many_to_right
                elif join.right == at and join.left not in seen:
                    other, many = join.left, join.many_to_left
                else:
                    continue
                if many:
                    return True
                seen.add(other)
                waiting.append(other)
        return False


def edge(edges: Edges, left: str, right: str) -> Join | None:
    """The declared join from `left` to `right`."""
    return next((join for join in edges.get(left, ()) if join.right == right), None)


def along(edges: Edges, hints: Sequence[Path]) -> Edges:
    """The joins where each cube that a hint leads to is reached by that hint's step only.

    Raises:
        QueryError: for a step that no cube declares, and for hints that lead to one cube in two ways.
    """
    came: dict[str, str] = {}
    for hint in hints:
        for left, right in itertools.pairwise(hint):
            if edge(edges, left, right) is None:
                known = [join.right for join in edges.get(left, ())] if left in edges else list(edges)
                raise QueryError(
                    f"\"joinHints\": cube '{left}' declares no join to '{right}'"
                    f"{did_you_mean(right if left in edges else left, known)}."
                )
            if came.setdefault(right, left) != left:
                raise QueryError(
                    f"\"joinHints\" lead to '{right}' both from '{came[right]}' and from '{left}'."
                )
    if not came:
        return edges
    return {
        left: tuple(join for join in joins if came.get(join.right, left) == left)
        for left, joins in edges.items()
    }


def to_many(edges: Edges, left: str, right: str) -> bool:
    """Whether the declared join from `left` to `right` finds several rows."""
    found = edge(edges, left, right)
    return found is not None and found.many_to_right


def shortest(edges: Edges, start: str, end: str) -> list[Path]:
    """The shortest paths from `start` to `end`, two at most: more than one means that it is ambiguous."""
    if start == end:
        return [(start,)]
    ways: dict[str, list[Path]] = {start: [(start,)]}
    frontier = [start]
    while frontier and end not in ways:
        reached: dict[str, list[Path]] = {}
        for at in frontier:
            for join in edges.get(at, ()):
                if join.right not in ways:
                    reached.setdefault(join.right, []).extend((*way, join.right) for way in ways[at])
        ways.update({cube: found[:2] for cube, found in reached.items()})
        frontier = list(reached)
    return ways.get(end, [])


def tree(edges: Edges, paths: Sequence[Path]) -> Tree:
    """The smallest tree that holds all `paths`; where two roots do as well, that of the earlier path.

    Raises:
        QueryError: where no cube reaches all, or where a cube would be reached in two ways.
    """
    wanted = tuple(dict.fromkeys(paths))
    best: tuple[int, str, list[Path]] | None = None
    for root in dict.fromkeys(path[0] for path in wanted):
        walks = _walks(edges, root, wanted)
        if walks is not None:
            size = len({step for walk in walks for step in itertools.pairwise(walk)})
            if best is None or size < best[0]:
                best = (size, root, walks)
    if best is None:
        raise QueryError(_no_path(edges, wanted))
    return _grown(edges, best[1], best[2])


def _walks(edges: Edges, root: str, wanted: Sequence[Path]) -> list[Path] | None:
    walks: list[Path] = []
    for path in wanted:
        ways = shortest(edges, root, path[0])
        if not ways:
            return None
        walks.extend(way + path[1:] for way in ways)
    return walks


def _grown(edges: Edges, root: str, walks: Sequence[Path]) -> Tree:
    came: dict[str, str] = {}
    joins: list[Join] = []
    for walk in walks:
        for left, right in itertools.pairwise(walk):
            if right == root or came.get(right, left) != left:
                first = next((w for w in walks if right in w), (root,))
                raise QueryError(
                    f"Cube '{right}' would be joined in two ways: {' -> '.join(first[: first.index(right) + 1])} "
                    f"and {' -> '.join(walk[: walk.index(right, 1) + 1])}. They give different numbers.",
                    hint="Query a view whose join_path says which way is meant, or add "
                    f'"joinHints": [{_hint(walk[: walk.index(right, 1) + 1])}] to the query.',
                )
            if right not in came:
                came[right] = left
                found = edge(edges, left, right)
                if found is None:
                    raise QueryError(f"Cube '{left}' declares no join to '{right}'.")
                joins.append(found)
    return Tree(root, tuple(joins))


def _hint(path: Sequence[str]) -> str:
    return "[" + ", ".join(f'"{cube}"' for cube in path) + "]"


def _no_path(edges: Edges, wanted: Sequence[Path]) -> str:
    cubes = list(dict.fromkeys(path[0] for path in wanted))
    first = cubes[0]
    apart = next(
        (c for c in cubes[1:] if not shortest(edges, first, c) and not shortest(edges, c, first)), cubes[-1]
    )
    listed = ", ".join(f"'{cube}'" for cube in cubes[:20])
    return (
        f"No join path connects the cubes {listed}: none of them reaches all the others by declared joins "
        f"('{first}' and '{apart}' are not connected, or only through a third cube)."
    )
