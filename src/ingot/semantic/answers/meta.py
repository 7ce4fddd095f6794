"""The model as Cube's `/meta` tells it: cubes and views with their visible members."""

from collections.abc import Iterable
from typing import Any

from ingot.semantic.answers.annotation import described, drill
from ingot.semantic.answers.extended import cube_details, member_details, view_details
from ingot.semantic.compiler.folders import flat
from ingot.semantic.model import (
    Cube,
    Dimension,
    Folder,
    Found,
    Hierarchy,
    Label,
    Measure,
    Model,
    View,
)
from ingot.semantic.policy.masks import shown_name


def meta(model: Model, *, only_views: bool = False, extended: bool = False) -> list[dict[str, Any]]:
    """Everything that may be asked for, in the order of the files; `extended`: with SQL, joins and more."""
    parts = _components(model)
    found: list[dict[str, Any]] = []
    for cube in () if only_views else model.cubes.values():
        if cube.label.public:
            entry = _cube(model, cube, extended=extended) | {"connectedComponent": parts[cube.name]}
            found.append(entry | (cube_details(cube) if extended else {}))
    for view in model.views.values():
        if view.label.public:
            entry = _view(model, view, extended=extended)
            found.append(entry | (view_details(view) if extended else {}))
    return found


def _cube(model: Model, cube: Cube, *, extended: bool) -> dict[str, Any]:
    kinds: tuple[Iterable[str], ...] = (cube.measures, cube.dimensions, cube.segments)
    members = [model.members[f"{cube.name}.{name}"] for kind in kinds for name in kind]
    entry = _entry(cube.name, "cube", cube.label)
    return (
        entry
        | _members([(one, None) for one in members], extended=extended)
        | _groups((), cube.hierarchies, cube.name)
    )


def _view(model: Model, view: View, *, extended: bool) -> dict[str, Any]:
    members = [
        (model.members[one.full_name], None if one.own else shown_name(one.member.full_name))
        for one in view.members.values()
    ]
    entry = _entry(view.name, "view", view.label)
    if view.groups:
        entry["viewGroups"] = list(view.groups)
    shown = {one.full_name for one in view.members.values() if one.label.public}
    folders = tuple(_shown(folder, shown) for folder in view.folders)
    return entry | _members(members, extended=extended) | _groups(folders, view.hierarchies, view.name)


def _entry(name: str, kind: str, label: Label) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": name,
        "type": kind,
        "title": label.title,
        "isVisible": True,
        "public": True,
    }
    if label.description is not None:
        entry["description"] = label.description
    if label.meta:
        entry["meta"] = label.meta
    return entry


def _members(members: list[tuple[Found, str | None]], *, extended: bool) -> dict[str, Any]:
    found: dict[str, list[dict[str, Any]]] = {"measures": [], "dimensions": [], "segments": []}
    for one, alias in members:
        if not one.label.public:
            continue
        if isinstance(one.member, Measure):
            kind, told = "measures", _measure(one.member, one.label)
        elif isinstance(one.member, Dimension):
            kind, told = "dimensions", _dimension(one.member, one.label)
        else:
            kind, told = "segments", _segment(one.label)
        common: dict[str, Any] = {"isVisible": True, "public": True}
        if alias is not None:
            common["aliasMember"] = alias
        if one.label.details.get("aliases"):
            common["aliases"] = one.label.details["aliases"]
        more = member_details(one.member) if extended else {}
        found[kind].append({"name": one.name} | told | common | more)
    return dict(found)


def _measure(measure: Measure, label: Label) -> dict[str, Any]:
    aggregate = {
        "raw": measure.type, "calculated": measure.type, "count_distinct": "countDistinct",
        "count_distinct_approx": "countDistinctApprox",
    }.get(measure.aggregate, measure.aggregate)  # fmt: skip
    rolling = measure.window is not None
    told = described(label, measure.type) | {
        "cumulativeTotal": rolling,
        "cumulative": rolling,
        "aggType": aggregate,
    }
    return told | drill(label)


def _dimension(dimension: Dimension, label: Label) -> dict[str, Any]:
    details = label.details
    told = described(label, "string" if dimension.type == "switch" else dimension.type) | {
        "suggestFilterValues": details.get("suggestFilterValues", True),
        "primaryKey": dimension.primary_key,
    }
    return told | {
        key: details[key] for key in ("granularities", "order", "key", "values", "links") if key in details
    }


def _segment(label: Label) -> dict[str, Any]:
    told: dict[str, Any] = {"title": label.title, "shortTitle": label.short_title}
    if label.description is not None:
        told["description"] = label.description
    if label.meta:
        told["meta"] = label.meta
    return told


def _groups(folders: tuple[Folder, ...], hierarchies: tuple[Hierarchy, ...], owner: str) -> dict[str, Any]:
    return {
        "hierarchies": [_hierarchy(one, owner) for one in hierarchies if one.public],
        "folders": [{"name": one.name, "members": flat(one)} for one in folders],
        "nestedFolders": [_folder(one) for one in folders],
    }


def _hierarchy(one: Hierarchy, owner: str) -> dict[str, Any]:
    told: dict[str, Any] = {
        "name": f"{owner}.{one.name}",
        "title": one.title,
        "levels": list(one.levels),
        "isVisible": True,
        "public": True,
    }
    return told if one.alias is None else told | {"aliasMember": one.alias}


def _folder(one: Folder) -> dict[str, Any]:
    return {
        "name": one.name,
        "members": [_folder(part) if isinstance(part, Folder) else part for part in one.parts],
    }


def _shown(folder: Folder, shown: set[str]) -> Folder:
    """A folder without members that are hidden."""
    parts = [_shown(part, shown) if isinstance(part, Folder) else part for part in folder.parts]
    return Folder(folder.name, tuple(part for part in parts if isinstance(part, Folder) or part in shown))


def _components(model: Model) -> dict[str, int]:
    """Numbers from 1: cubes that joins connect have the same."""
    found: dict[str, int] = {}
    beside: dict[str, set[str]] = {name: set() for name in model.cubes}
    for cube in model.cubes.values():
        for join in cube.joins:
            beside[join.left].add(join.right)
            beside[join.right].add(join.left)
    for name in model.cubes:
        if name not in found:
            number = max(found.values(), default=0) + 1
            waiting = [name]
            while waiting:
                at = waiting.pop()
                if at not in found:
                    found[at] = number
                    waiting.extend(beside[at])
    return found
