"""References in the snippets of one member: what `{CUBE}`, `{member}` and `{cube.member}` mean there."""

from collections.abc import Mapping
from typing import Any, Protocol

from sqlglot import exp

from ingot.errors import did_you_mean
from ingot.semantic import marks
from ingot.semantic.compiler import snippet
from ingot.semantic.compiler.calling import Calling
from ingot.semantic.compiler.declared import Declared
from ingot.semantic.compiler.snippet import Alias, SnippetError
from ingot.semantic.model import Dimension, Measure, Path
from ingot.semantic.planner.joins import shortest
from ingot.semantic.planner.times import GRANULARITIES, truncated


class Members(Protocol):
    """Compiles members on demand; None for one that has a problem, which was reported."""

    declared: Declared
    compiled: Mapping[str, Any]
    """The COMPILE_CONTEXT."""
    asked: dict[str, Any]
    """The members whose filters a cube asks for (FILTER_PARAMS), with a spec that does."""

    def needs(self, cube: str, other: str | None) -> None:
        """Notes that a cube depends on another one; on all joins, where `other` is None."""

    def dimension(self, cube: str, name: str) -> Dimension | None: ...
    def measure(self, cube: str, name: str) -> Measure | None: ...


class Scope:
    """Reads the snippets of one member of `cube`, and remembers what they refer to."""

    def __init__(self, members: Members, cube: str, spec: Any) -> None:
        self._members = members
        self._declared = members.declared
        self.cube = cube
        self._resolver = Calling(
            cube,
            self._resolve,
            asked=lambda name: members.asked.setdefault(name, spec),
            source=self._no_source,
            compiled=members.compiled,
            dialect=members.declared.dialect,
        ).resolver
        self.aliases: list[str] = []
        self.dimensions: list[Dimension] = []
        self.measures: list[Measure] = []

    def read(self, text: str, *, bare: bool = True) -> exp.Expr:
        """The tree of a snippet; `bare` columns belong to the cube. Raises `SnippetError`."""
        return snippet.expression(text, self._resolver, own=self.cube if bare else None)

    def cubes(self) -> set[str]:
        """The cubes that were referred to, directly or through dimensions."""
        return {*self.aliases, *(cube for one in self.dimensions for path in one.paths for cube in path)}

    def paths(self) -> tuple[Path, ...]:
        """The joins that the member needs, each beginning at its own cube. Raises `SnippetError`."""
        ends = [(alias,) for alias in self.aliases] + [path for one in self.dimensions for path in one.paths]
        found: list[Path] = [(self.cube,)]
        found += [end if end[0] == self.cube else self._way(end[0]) + end[1:] for end in ends]
        return tuple(dict.fromkeys(found))

    def _no_source(self, cube: str) -> exp.Expr:
        raise SnippetError(f"'{{{cube}.sql()}}' can stand in a cube's sql only")

    def _way(self, cube: str) -> Path:
        self._members.needs(self.cube, None)
        ways = shortest(self._declared.edges, self.cube, cube)
        if not ways:
            raise SnippetError(f"it refers to cube '{cube}', to which no join leads from '{self.cube}'")
        if len(ways) > 1:
            first, second = (" -> ".join(way) for way in ways)
            raise SnippetError(
                f"it refers to cube '{cube}', to which two ways are equally short: {first} and {second}"
            )
        return ways[0]

    def _resolve(self, reference: str) -> exp.Expr | Alias:
        names = reference.split(".")
        members = self._declared.members
        if names[0] in ("CUBE", "TABLE"):
            names[0] = self.cube
        elif names[0] in members[self.cube]:
            names.insert(0, self.cube)
        cube = names[0]
        if cube != self.cube:
            self._members.needs(self.cube, cube)
        if cube not in members:
            near = did_you_mean(cube, [*members[self.cube], *members])
            raise SnippetError(f"'{{{reference}}}' is neither a member of '{self.cube}' nor a cube{near}")
        if len(names) == 1:
            self.aliases.append(cube)
            return Alias(cube)
        if names[1] not in members[cube] or len(names) > 3:
            near = did_you_mean(names[1], members[cube])
            raise SnippetError(f"'{{{reference}}}': cube '{cube}' has no member '{names[1]}'{near}")
        return self._member(cube, names[1], names[2] if len(names) == 3 else None, reference)

    def _member(self, cube: str, name: str, granularity: str | None, reference: str) -> exp.Expr:
        kind = self._declared.kinds[cube][name]
        if kind == "segment":
            raise SnippetError(f"'{{{reference}}}' is a segment and cannot stand in an expression")
        if kind == "measure":
            if granularity is not None:
                raise SnippetError(f"'{{{reference}}}': a measure has no granularity")
            measure = self._members.measure(cube, name)
            if measure is None:
                raise BrokenReferenceError(reference)
            self.measures.append(measure)
            return marks.measure(measure.full_name)
        dimension = self._members.dimension(cube, name)
        if dimension is None:
            raise BrokenReferenceError(reference)
        self.dimensions.append(dimension)
        if granularity is None:
            return dimension.sql.copy()
        own = dimension.granularities.get(granularity)
        if dimension.type != "time" or (granularity not in GRANULARITIES and own is None):
            raise SnippetError(f"'{{{reference}}}': '{granularity}' is no granularity of a time dimension")
        if own is not None and own.sql is not None:
            return own.sql.copy()
        return truncated(marks.local(dimension.sql.copy()), own or granularity)


class BrokenReferenceError(SnippetError):
    """What is referred to has a problem of its own."""

    def __init__(self, reference: str) -> None:
        super().__init__(f"it refers to '{{{reference}}}', which has a problem of its own")
