"""Members that other members point to (drill members, keys), under the names that they have in a cube or view."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ingot.semantic.model import Dimension, Label, Measure, Member, ViewMember

Kinds = Mapping[str, Mapping[str, str]]


def drilled(member: Member, label: Label, kinds: Kinds) -> Label:
    """The label of a cube's member with its drill members by kind."""
    if not isinstance(member, Measure) or not member.drill_members:
        return label
    names: dict[str, list[str]] = {"measures": [], "dimensions": []}
    for name in member.drill_members:
        cube, _, own = name.partition(".")
        kind = f"{kinds.get(cube, {}).get(own)}s"
        if kind in names:
            names[kind].append(name)
    return _with(label, {"drill": names})


def translated(members: Mapping[str, ViewMember]) -> dict[str, ViewMember]:
    """A view's members, whose labels point to members of the view; what it does not have is left out."""
    names: dict[str, ViewMember] = {}
    for one in members.values():
        names.setdefault(one.member.full_name, one)
    names |= {one.full_name: one for one in members.values()}
    return {name: replace(one, label=_translated(one, names)) for name, one in members.items()}


def _translated(one: ViewMember, names: Mapping[str, ViewMember]) -> Label:
    member = one.member
    if isinstance(member, Measure) and member.drill_members:
        known = [names[name] for name in member.drill_members if name in names]
        grouped = {
            "measures": [each.full_name for each in known if isinstance(each.member, Measure)],
            "dimensions": [each.full_name for each in known if isinstance(each.member, Dimension)],
        }
        return _with(one.label, {"drill": grouped})
    key = one.label.details.get("key")
    if key is not None:
        rest = {name: value for name, value in one.label.details.items() if name != "key"}
        found = {"key": names[key].full_name} if key in names else {}
        return replace(one.label, details=rest | found)
    return one.label


def _with(label: Label, more: Mapping[str, Any]) -> Label:
    return replace(label, details={**label.details, **more})
