"""Second pass: which rows each measure is computed from, so that joins never count a row twice.

Each aggregate gets a join tree of its own: its cube and the cubes of the dimensions, filters and segments.
So a measure has the same value whatever else is asked beside it (two facts that meet only in a dimension
are aggregated apart and then put together). Where the tree repeats rows of the measure's cube, they are
aggregated over distinct primary keys.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ingot.semantic.errors import QueryError
from ingot.semantic.intervals import Interval
from ingot.semantic.model import Found, Measure, Model, Path
from ingot.semantic.planner.joins import Tree, along, tree
from ingot.semantic.planner.resolve import Column, Resolved, conditions, member_paths, without
from ingot.semantic.planner.resolve import Tree as Conditions
from ingot.semantic.planner.rolling import Rolling

Leaf = tuple[str, Path]
"""An aggregate: full name of its measure, and the path that leads to its cube."""


@dataclass(frozen=True, slots=True)
class Grain:
    """What aggregates are computed for: the groups, and which joined rows take part in them."""

    dimensions: tuple[Column, ...]
    where: tuple[Conditions, ...] = ()
    segments: tuple[Found, ...] = ()
    shifts: tuple[tuple[str, Interval], ...] = ()
    """How far rows are moved in time, by full name of the time dimension."""
    hints: tuple[Path, ...] = ()
    """Paths of joins that the query chooses."""
    rolling: Rolling | None = None
    """Given, a row stands in every period whose window it lies in; columns of its time are those periods."""
    limits: tuple[Conditions, ...] = ()
    """What policies demand of joined rows: like `where`, but in UTC, and never dropped or shifted."""

    @property
    def unmoved(self) -> tuple[Conditions, ...]:
        """The conditions that hold for rows as the tables have them: none on a time that is shifted."""
        if not self.shifts:
            return self.where
        moved = {name for name, _ in self.shifts}
        kept = (without(one, lambda name: name not in moved) for one in self.where)
        return tuple(one for one in kept if one is not None)

    def shift(self, member: str) -> Interval:
        """How far rows are moved along a time dimension."""
        return dict(self.shifts).get(member, Interval())

    @classmethod
    def of(cls, query: Resolved) -> "Grain":
        """The grain that a query asks for."""
        return cls(query.dimensions, query.where, query.segments, hints=query.join_hints, limits=query.limits)


@dataclass(frozen=True, slots=True)
class Fact:
    """Aggregates that one SELECT can compute. `keyed`: the cube whose rows `tree` repeats, or None.

    `own` is the tree that joins to the keyed cube what the aggregates refer to.
    """

    tree: Tree
    leaves: tuple[Leaf, ...]
    keyed: str | None = None
    own: Tree | None = None


def facts(model: Model, grain: Grain, leaves: Iterable[Leaf]) -> tuple[Fact, ...]:
    """The aggregates at a grain, in the order in which they are first needed; one without leaves if none is.

    Raises:
        QueryError: where the cubes cannot be joined, or in two ways.
    """
    shared = tuple(shared_paths(grain))
    edges = along(model.edges, grain.hints)
    grouped: dict[Path, list[Leaf]] = {}
    for leaf in leaves:
        grouped.setdefault(leaf[1], []).append(leaf)
    if not grouped:
        return (Fact(tree(edges, shared), ()),)
    found: dict[object, Fact] = {}
    for path, members in grouped.items():
        own = [path[:-1] + step for name, _ in members for step in model.measure(name).paths]
        whole = tree(edges, [*own, *shared])
        cube = path[-1]
        if whole.multiplies(cube):
            if not model.cubes[cube].primary_key:
                raise QueryError(
                    f"Rows of cube '{cube}' are repeated by a join and it has no primary key to count them once."
                )
            inner = tree(edges, [step for name, _ in members for step in model.measure(name).paths])
            found[path] = Fact(whole, tuple(members), cube, inner)
            continue
        same = (whole.root, frozenset(whole.joins))
        before = found[same].leaves if same in found else ()
        found[same] = Fact(whole, (*before, *members))
    return tuple(found.values())


def shared_paths(grain: Grain) -> Iterator[Path]:
    """The joins that every aggregate needs: those of dimensions, conditions on them, and segments."""
    for column in grain.dimensions:
        yield from member_paths(column.found)
    if grain.rolling is not None:
        yield from member_paths(grain.rolling.time)
    for segment in grain.segments:
        yield from member_paths(segment)
    for one in (*grain.where, *grain.limits):
        for condition in conditions(one):
            yield from member_paths(condition.found)


def leaves(query: Resolved) -> tuple[Leaf, ...]:
    """The aggregates that the measures, selected or filtered by, are made of."""
    asked = [column.found for column in query.measures]
    asked += [condition.found for one in query.having for condition in conditions(one)]
    found: dict[Leaf, None] = {}
    for one in asked:
        assert isinstance(one.member, Measure)
        for name in one.member.leaves:
            found.setdefault((plain_name(name), leaf_path(one.path, name)))
    return tuple(found)


def staged(query: Resolved) -> bool:
    """Whether a measure of the query, selected or filtered by, is computed in several steps."""
    asked = [column.found for column in query.measures]
    asked += [condition.found for one in query.having for condition in conditions(one)]
    return any(isinstance(one.member, Measure) and one.member.staged for one in asked)


def leaf_path(path: Path, name: str) -> Path:
    """The path to measure `name` as seen from a measure at `path`: the same cube, one of its own, or the name's."""
    cube = name.partition(".")[0]
    if ">" in cube:
        return tuple(cube.split(">"))
    return path if path[-1] == cube else (cube,)


def leaf_name(path: Path, name: str) -> str:
    """The name of a measure at the end of a path, whatever it is seen from: for a view's own measures."""
    return f"{'>'.join(path)}.{name}"


def plain_name(name: str) -> str:
    """The measure's own name, without the path to its cube."""
    return name[name.rindex(">", 0, name.index(".")) + 1 :] if ">" in name.partition(".")[0] else name
