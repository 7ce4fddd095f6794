"""View specs -> `View`s: which members of which cubes, under which names, along which path."""

import itertools
from collections.abc import Mapping
from typing import Any

from ingot.project import Problem, problem
from ingot.semantic.joins import Edges, edge
from ingot.semantic.labels import humanized, label
from ingot.semantic.model import Cube, Label, Member, Path, View, ViewMember


def compile_view(spec: Any, cubes: Mapping[str, Cube], edges: Edges, problems: list[Problem]) -> View:
    """The view of a spec; adds what is wrong to `problems` and leaves it out."""
    problems.extend(
        problem(spec.place_of(key), f"view '{spec.name}': '{key}' is not supported yet")
        for key in ("extends", "measures", "dimensions", "segments", "default_filters")
        if getattr(spec, key)
    )
    members: dict[str, ViewMember] = {}
    view_label = label(spec, None)
    for part in spec.cubes or ():
        path = _path(spec, part, cubes, edges, problems)
        if path is None:
            continue
        cube = cubes[path[-1]]
        prefix = f"{part.alias or path[-1]}_" if part.prefix else ""
        for member, item in _included(spec, part, cube, problems):
            name = prefix + (getattr(item, "alias", None) or member.name)
            if name in members:
                first = members[name].member.full_name
                problems.append(
                    problem(
                        part.place,
                        f"view '{spec.name}' gets '{name}' twice: from {first} and {member.full_name}",
                        expected="an alias, a prefix, or an exclude",
                    )
                )
                continue
            members[name] = ViewMember(spec.name, name, member, path, _label(view_label, member, item, name))
    return View(spec.name, members, view_label, tuple(getattr(spec, "folders", None) or ()))


def _path(
    spec: Any, part: Any, cubes: Mapping[str, Cube], edges: Edges, problems: list[Problem]
) -> Path | None:
    path = tuple(part.join_path.split("."))
    for cube in path:
        if cube not in cubes:
            if cube not in edges:  # a cube with problems of its own was reported already
                problems.append(
                    problem(
                        part.place,
                        f"view '{spec.name}' joins '{cube}', which is not a cube",
                        known=cubes,
                        name=cube,
                    )
                )
            return None
    for left, right in itertools.pairwise(path):
        if edge(edges, left, right) is None:
            known = [join.right for join in edges[left]]
            problems.append(
                problem(
                    part.place,
                    f"view '{spec.name}': cube '{left}' declares no join to '{right}'",
                    known=known,
                    name=right,
                )
            )
            return None
    return path


def _members(cube: Cube) -> dict[str, Member]:
    return {**cube.dimensions, **cube.measures, **cube.segments}


def _included(spec: Any, part: Any, cube: Cube, problems: list[Problem]) -> list[tuple[Member, Any]]:
    known = _members(cube)
    excluded = set()
    for name in part.excludes or ():
        if name not in known:
            problems.append(
                problem(
                    part.place,
                    f"view '{spec.name}' excludes '{name}', which cube '{cube.name}' does not have",
                    known=known,
                    name=name,
                )
            )
        excluded.add(name)
    if part.includes in ("*", ("*",)):
        return [(member, None) for name, member in known.items() if name not in excluded]
    found: list[tuple[Member, Any]] = []
    for item in part.includes or ():
        name = item if isinstance(item, str) else item.name
        if name not in known:
            problems.append(
                problem(
                    part.place,
                    f"view '{spec.name}' includes '{name}', which cube '{cube.name}' does not have",
                    known=known,
                    name=name,
                )
            )
        elif name not in excluded:
            found.append((known[name], None if isinstance(item, str) else item))
    return found


def _label(view: Label, member: Member, item: Any, name: str) -> Label:
    own = member.label
    renamed = name != member.name
    short = getattr(item, "title", None) or (humanized(name) if renamed else own.short_title)
    return Label(
        f"{view.title} {short}",
        short,
        getattr(item, "description", None) or own.description,
        getattr(item, "format", None) or own.format,
        getattr(item, "meta", None) or own.meta,
        own.public,
        own.currency,
    )
