"""Which cubes are compiled anew after an edit: those that changed, and those for which that makes a difference.

A cube is taken over where its own specs are the same objects, its joins are the same, and the cubes that it
refers to mean the same as before. An edit is followed in waves: what changed is compiled; who refers to it is
compiled where it means something else now; and so on. Where a problem turns up, or there is no end in sight,
all is compiled from the start, so that problems are those of a new start.
"""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ingot.semantic.compiler.declared import Declared
from ingot.semantic.compiler.members import CompiledMembers
from ingot.semantic.compiler.sources import Sources
from ingot.semantic.model import Cube, Found, Member

WAVES = 8
Edges = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """A compiled cube with all that it was compiled from."""

    cube: Cube
    edges: Edges
    needs: frozenset[str | None]
    """The other cubes that it refers to; None for the graph of all joins."""
    asked: Mapping[str, Any]
    found: tuple[Found, ...]


Compile = Callable[[CompiledMembers, Sources, str], Kept | None]


class Again:
    """The cubes of one set of declarations, compiled with what is left of the set before."""

    def __init__(self, declared: Declared, compiled: Mapping[str, Any], compile_cube: Compile) -> None:
        self._declared = declared
        self._compiled = compiled
        self._compile = compile_cube

    def everything(self) -> dict[str, Kept]:
        """All cubes, from the start; those with problems are left out."""
        return self._wave(list(self._declared.cubes), {})

    def after(self, before: Mapping[str, Kept]) -> dict[str, Kept] | None:
        """All cubes; None where there are problems, or where it is no use to look for what is the same."""
        declared = self._declared
        todo = self._changed(before)
        if declared.problems or not before or len(todo) > len(before) // 2:
            return None
        known = {name: one for name, one in before.items() if name in declared.cubes}
        lost = before.keys() - declared.cubes.keys()
        todo |= {name for name, one in known.items() if one.needs & lost}
        for _ in range(WAVES):
            if not todo:
                return {name: known[name] for name in declared.cubes}
            same = {name: one for name, one in known.items() if name not in todo}
            made = self._wave(sorted(todo), same)
            if declared.problems or made.keys() != todo:
                return None
            differing = {
                name
                for name, one in made.items()
                if name not in known or _meaning(one.cube) != _meaning(known[name].cube)
            }
            known = {**same, **made}
            todo = {name for name, one in same.items() if one.needs & differing}
        return None

    def _changed(self, before: Mapping[str, Kept]) -> set[str]:
        declared = self._declared
        graph = {name: edges_of(declared, name) for name in declared.cubes}
        changed = set()
        for name, specs in declared.lineages.items():
            kept = before.get(name)
            if (
                kept is None
                or graph[name] != kept.edges
                or len(specs) != len(kept.cube.specs)
                or any(now is not then for now, then in zip(specs, kept.cube.specs, strict=True))
            ):
                changed.add(name)
        if graph != {name: one.edges for name, one in before.items()}:
            changed |= {name for name, one in before.items() if None in one.needs and name in declared.cubes}
        return changed

    def _wave(self, names: list[str], known: Mapping[str, Kept]) -> dict[str, Kept]:
        members = CompiledMembers(self._declared, self._compiled)
        sources = Sources(members)
        for name, one in known.items():
            members.known(one.cube)
            sources.known(name, one.cube.source)
        made = {name: self._compile(members, sources, name) for name in names}
        return {name: one for name, one in made.items() if one is not None}


def edges_of(declared: Declared, name: str) -> Edges:
    """The joins of a cube, without their conditions."""
    return tuple((edge.right, edge.relationship) for edge in declared.edges[name])


def _meaning(cube: Cube) -> Any:
    """All of a cube that another one can take into its own SQL."""
    members: list[Member] = [*cube.dimensions.values(), *cube.measures.values(), *cube.segments.values()]
    return repr(cube.source), [_of_member(one) for one in members]


def _of_member(member: Member) -> tuple[Any, ...]:
    parts = [repr(getattr(member, each.name)) for each in dataclasses.fields(member) if each.name != "label"]
    return type(member), *parts
