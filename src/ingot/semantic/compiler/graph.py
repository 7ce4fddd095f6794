"""The cubes of a model and their joins as a picture, and the ways between two of them as the planner sees them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ingot.errors import NotFoundError
from ingot.semantic.errors import QueryError
from ingot.semantic.model import Join, Model, Path
from ingot.semantic.planner.joins import Tree, edge, tree

_MERMAID = {"many_to_one": "}o--||", "one_to_many": "||--o{", "one_to_one": "||--||"}
_DOT = {"many_to_one": ("crow", "tee"), "one_to_many": ("tee", "crow"), "one_to_one": ("tee", "tee")}
MOST = 10


def joins_of(model: Model) -> list[Join]:
    """The joins that the files declare, in their order."""
    return [join for cube in model.cubes.values() if cube.specs for join in cube.joins]


def mermaid(model: Model) -> str:
    """An entity diagram in Mermaid's language: the forked end of a line has many rows."""
    lines = ["erDiagram"]
    lines += [f"  {name}" for name, cube in model.cubes.items() if cube.specs]
    lines += [
        f"  {one.left} {_MERMAID[one.relationship]} {one.right} : {one.relationship}"
        for one in joins_of(model)
    ]
    return "\n".join(lines)


def dot(model: Model) -> str:
    """The same in Graphviz's language; arrows go from the declaring cube, forks stand at ends with many rows."""
    lines = ["digraph model {", "  node [shape=box];"]
    lines += [f'  "{name}";' for name, cube in model.cubes.items() if cube.specs]
    for one in joins_of(model):
        tail, head = _DOT[one.relationship]
        lines.append(
            f'  "{one.left}" -> "{one.right}" [label="{one.relationship}", dir=both, arrowtail={tail}, arrowhead={head}];'
        )
    return "\n".join([*lines, "}"])


def plain(model: Model) -> dict[str, Any]:
    """The same as data; `multiplies` names the cube whose rows a join repeats."""
    cubes = [
        {
            "name": name,
            "tables": list(cube.tables),
            "primaryKey": [one.name for one in cube.primary_key],
            "measures": len(cube.measures),
            "dimensions": len(cube.dimensions),
        }
        for name, cube in model.cubes.items()
        if cube.specs
    ]
    joins = [
        {
            "from": one.left,
            "to": one.right,
            "relationship": one.relationship,
            "multiplies": _multiplied(one),
        }
        for one in joins_of(model)
    ]
    return {"cubes": cubes, "joins": joins}


def _multiplied(join: Join) -> str | None:
    if join.many_to_right:
        return join.left
    return join.right if join.many_to_left else None


@dataclass(frozen=True, slots=True)
class Between:
    """The ways between two cubes, and what a query with members of both does."""

    ways: tuple[Path, ...]
    """Shortest first, at most ten, in both directions."""
    used: Tree | None
    """The joins of a query that asks for both; None where it is refused."""
    refusal: str | None
    multiplied: tuple[str, ...]
    """The cubes of `used` whose rows stand in it several times."""
    through: tuple[str, ...] = ()
    """Cubes that reach both, where neither reaches the other."""

    @property
    def is_ambiguous(self) -> bool:
        """Whether a query is refused because there are several ways."""
        return self.used is None and bool(self.ways or self.through)

    def lines(self, model: Model) -> Iterator[str]:
        """What a person reads."""
        for way in self.ways:
            yield f"way   {_written(model, way)}"
        if self.used is not None:
            steps = [f"{join.left} -> {join.right}" for join in self.used.joins]
            yield f"query of both joins {', '.join(steps) or 'nothing'}, from {self.used.root}"
            for cube in self.multiplied:
                yield f"fan-out: rows of {cube} repeat there; its measures are computed over its own rows, by primary key"
            if not self.multiplied:
                yield "no fan-out: every row stands there once"
            return
        yield f"query of both is refused: {self.refusal}"
        if self.is_ambiguous and len(self.ways) > 1:
            path = ".".join(self.ways[0])
            yield f"choose: a view with join_path: {path}, or joinHints in the query"
        for cube in self.through:
            yield f"both can be reached from {cube}: ask with a member of it, or make a view that begins there"


def between(model: Model, start: str, end: str) -> Between:
    """The ways between two cubes. Raises `NotFoundError` for a cube that is not there."""
    for name in (start, end):
        if name not in model.cubes:
            raise NotFoundError("cube", name, model.cubes)
    found = sorted([*_ways(model, start, end), *_ways(model, end, start)], key=len)[:MOST]
    used, refusal = None, None
    try:
        used = tree(model.edges, [(start,), (end,)])
    except QueryError as error:
        refusal = error.message
    multiplied = () if used is None else tuple(cube for cube in used.cubes if used.multiplies(cube))
    through: Sequence[str] = ()
    if used is None and not found:
        through = [
            name
            for name in model.cubes
            if next(_ways(model, name, start), None) and next(_ways(model, name, end), None)
        ]
    return Between(tuple(found), used, refusal, multiplied, tuple(through[:MOST]))


def _ways(model: Model, start: str, end: str) -> Iterator[Path]:
    """Ways that pass each cube once, shortest first, and no more than are shown."""
    waiting: list[Path] = [(start,)]
    shown = looked = 0
    while waiting and shown < MOST and looked < 10_000:
        looked += 1
        way = waiting.pop(0)
        if way[-1] == end:
            shown += 1
            yield way
            continue
        waiting += [(*way, join.right) for join in model.edges.get(way[-1], ()) if join.right not in way]


def _written(model: Model, way: Path) -> str:
    parts = [way[0]]
    for left, right in pairwise(way):
        join = edge(model.edges, left, right)
        assert join is not None
        parts.append(f"-[{join.relationship}]-> {right}")
    return " ".join(parts)
