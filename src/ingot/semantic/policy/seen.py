"""The model as one asker sees it: only what he may ask for, masked where a policy says so.

Names are looked up in it, and `/meta` tells of it, so that what is hidden is nowhere: not in an error, not in a
suggestion, not among drill members, folders or levels. Plans are made of the whole model, which `whole` is: a
measure that may be seen is computed from all that it is made of.
"""

from collections.abc import Container, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from ingot.semantic.model import (
    Cube,
    Folder,
    Found,
    Hierarchy,
    Label,
    Measure,
    Model,
    View,
    ViewMember,
)
from ingot.semantic.policy.access import Access, Matching


def seen(model: Model, access: Access) -> Model:
    """The part of `model` that may be asked for, as it may be seen; the model itself where that is all of it."""
    rules = access.by_owner.items()
    if all(not one.masked and one.shown >= _names(model, owner) for owner, one in rules):
        return model
    return _Seen(model, access).model()


def _names(model: Model, owner: str) -> set[str]:
    if owner in model.views:
        return set(model.views[owner].members)
    cube = model.cubes[owner]
    return {*cube.dimensions, *cube.measures, *cube.segments}


class _Seen:
    def __init__(self, model: Model, access: Access) -> None:
        self.whole = model
        self.access = access
        self.masks = model.policies.masks

    def model(self) -> Model:
        whole = self.whole
        members: dict[str, Found] = {}
        for cube in whole.cubes.values():
            rule = self.access.by_owner.get(cube.name)
            for name in (*cube.dimensions, *cube.measures, *cube.segments):
                if rule is None or name in rule.shown:
                    found = whole.members[f"{cube.name}.{name}"]
                    members[found.name] = self.masked(found) if self.is_masked(rule, name) else found
        for view in whole.views.values():
            rule = self.access.by_owner.get(view.name)
            for name, one in view.members.items():
                if rule is None or name in rule.shown:
                    found = whole.members[one.full_name]
                    inner = None if one.own else self.access.by_owner.get(one.member.cube)
                    hidden = self.is_masked(rule, name) or self.is_masked(inner, one.member.name)
                    members[found.name] = self.masked(found) if hidden else found
        names = members.keys()
        told = {name: _told(found, names) for name, found in members.items()}
        cubes = {
            name: made for name, one in whole.cubes.items() if (made := self.cube(one, told)) is not None
        }
        views = {
            name: face for name, one in whole.views.items() if (face := self.view(one, told)) is not None
        }
        cubes = {name: _joined(one, cubes) for name, one in cubes.items()}
        return replace(whole, cubes=cubes, views=views, members=told, whole=whole)

    @staticmethod
    def is_masked(rule: Matching | None, name: str) -> bool:
        return rule is not None and name in rule.masked

    def masked(self, found: Found) -> Found:
        """The member's stand-in under the same name."""
        return Found(found.name, self.masks[found.member.full_name], found.path, found.label)

    def cube(self, cube: Cube, told: Mapping[str, Found]) -> Cube | None:
        kinds: list[dict[str, Any]] = [
            {name: told[full].member for name in members if (full := f"{cube.name}.{name}") in told}
            for members in (cube.dimensions, cube.measures, cube.segments)
        ]
        if cube.name in self.access.by_owner and not any(kinds):
            return None
        dimensions, measures, segments = kinds
        levels = _levels(cube.hierarchies, told)
        return replace(cube, dimensions=dimensions, measures=measures, segments=segments, hierarchies=levels)

    def view(self, view: View, told: Mapping[str, Found]) -> View | None:
        members = {
            name: _as_told(one, told[one.full_name])
            for name, one in view.members.items()
            if one.full_name in told
        }
        if view.name in self.access.by_owner and not members:
            return None
        return replace(
            view,
            members=members,
            folders=tuple(made for one in view.folders if (made := _folder(one, told)) is not None),
            hierarchies=_levels(view.hierarchies, told),
        )


def _as_told(one: ViewMember, found: Found) -> ViewMember:
    return one if one.member is found.member else replace(one, member=found.member)


def _told(found: Found, names: Container[str]) -> Found:
    """A measure without the drill members that are hidden."""
    drill = found.label.details.get("drill")
    if not isinstance(found.member, Measure) or not drill:
        return found
    kept = {kind: [name for name in some if name in names] for kind, some in drill.items()}
    if kept == drill:
        return found
    details = MappingProxyType({**found.label.details, "drill": kept})
    label: Label = replace(found.label, details=details)
    return Found(found.name, found.member, found.path, label)


def _levels(hierarchies: tuple[Hierarchy, ...], told: Container[str]) -> tuple[Hierarchy, ...]:
    kept = (replace(one, levels=tuple(name for name in one.levels if name in told)) for one in hierarchies)
    return tuple(one for one in kept if one.levels)


def _folder(folder: Folder, told: Container[str]) -> Folder | None:
    parts: list[str | Folder] = []
    for part in folder.parts:
        if isinstance(part, Folder):
            inner = _folder(part, told)
            parts += [] if inner is None else [inner]
        elif part in told:
            parts.append(part)
    return replace(folder, parts=tuple(parts)) if parts else None


def _joined(cube: Cube, cubes: Container[str]) -> Cube:
    joins = tuple(join for join in cube.joins if join.right in cubes)
    return cube if len(joins) == len(cube.joins) else replace(cube, joins=joins)
