"""Dimensions with `sub_query`: measures of other cubes brought to each row of their own cube.

Each becomes a source that stands in joins like a cube, one row for each row of its cube; so everything that
holds for joins holds for it, too.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlglot import exp

from ingot.semantic import marks
from ingot.semantic.compiler.scope import Members, Scope
from ingot.semantic.compiler.snippet import SnippetError
from ingot.semantic.labels import label
from ingot.semantic.model import Cube, Dimension, Join
from ingot.semantic.planner.joins import shortest
from ingot.semantic.stages import SubQuery


def sub_query_dimension(members: Members, cube: str, spec: Any) -> Dimension:
    """The dimension that a spec with `sub_query` means. Raises `SnippetError`."""
    if spec.sql is None:
        raise SnippetError("a dimension with 'sub_query' needs 'sql': measures of other cubes")
    if spec.primary_key:
        raise SnippetError("a dimension with 'sub_query' cannot be a primary key")
    scope = Scope(members, cube, spec)
    tree = scope.read(spec.sql, bare=False)
    if any(marks.measure_name(node) is None for node in tree.find_all(exp.Column)):
        raise SnippetError("the 'sql' of a dimension with 'sub_query' is made of measures only")
    if not scope.measures:
        raise SnippetError("a dimension with 'sub_query' refers to at least one measure")
    for measure in scope.measures:
        edges = members.declared.edges
        if measure.cube == cube:
            raise SnippetError(
                f"a dimension with 'sub_query' cannot refer to a measure of its own cube, '{measure.name}'"
            )
        if not shortest(edges, cube, measure.cube) and not shortest(edges, measure.cube, cube):
            raise SnippetError(f"no joins connect '{cube}' with '{measure.cube}'")
    members.needs(cube, None)
    keys = _keys(members, cube)
    name = f"{cube}.{spec.name}"
    source = SubQuery(name, cube, keys, tree, bool(spec.propagate_filters_to_sub_query))
    return Dimension(
        cube,
        spec.name,
        spec.type,
        exp.column("value", table=name, quoted=True),
        ((cube, name),),
        label(spec, members.declared.cubes[cube]),
        sub_query=source,
    )


def _keys(members: Members, cube: str) -> tuple[Dimension, ...]:
    declared = members.declared
    names = [
        name
        for name, kind in declared.kinds[cube].items()
        if kind == "dimension" and declared.members[cube][name].primary_key
    ]
    if not names:
        raise SnippetError(
            f"a dimension with 'sub_query' needs a primary key in '{cube}', to tell its rows apart"
        )
    found = [members.dimension(cube, name) for name in names]
    if any(one is None for one in found):
        raise SnippetError(f"the primary key of '{cube}' has a problem of its own")
    return tuple(one for one in found if one is not None)


def with_sub_queries(cubes: Iterable[Cube]) -> tuple[Mapping[str, tuple[Join, ...]], Mapping[str, SubQuery]]:
    """The joins of each cube, those to its sub-queries too, and the sub-queries by name."""
    edges: dict[str, tuple[Join, ...]] = {}
    found: dict[str, SubQuery] = {}
    for cube in cubes:
        own = [one.sub_query for one in cube.dimensions.values() if one.sub_query is not None]
        found.update({one.name: one for one in own})
        edges[cube.name] = (*cube.joins, *(_join(one) for one in own))
    return edges, found


def _join(one: SubQuery) -> Join:
    tests = [
        exp.EQ(
            this=marks.wrapped(key.sql.copy()), expression=exp.column(f"key_{n}", table=one.name, quoted=True)
        )
        for n, key in enumerate(one.keys)
    ]
    return Join(one.cube, one.name, "one_to_one", exp.and_(*tests))
