"""The model as Cube's `/meta` tells it: cubes and views with their visible members."""

from typing import Any

from ingot.semantic.annotation import described, drill
from ingot.semantic.model import Dimension, Label, Measure, Member, Model


def meta(model: Model, *, only_views: bool = False) -> list[dict[str, Any]]:
    """Everything that may be asked for, in the order of the files."""
    parts = _components(model)
    found: list[dict[str, Any]] = []
    if not only_views:
        for cube in model.cubes.values():
            if cube.label.public:
                members: list[_Row] = [
                    *((m.full_name, m, m.label, None) for m in cube.measures.values()),
                    *((d.full_name, d, d.label, None) for d in cube.dimensions.values()),
                    *((s.full_name, s, s.label, None) for s in cube.segments.values()),
                ]
                found.append(
                    _entry(cube.name, "cube", cube.label, members) | {"connectedComponent": parts[cube.name]}
                )
    for view in model.views.values():
        if view.label.public:
            own: list[_Row] = [
                (one.full_name, one.member, one.label, one.member.full_name) for one in view.members.values()
            ]
            found.append(_entry(view.name, "view", view.label, own))
    return found


_Row = tuple[str, Member, Label, str | None]


def _entry(name: str, kind: str, label: Label, members: list[_Row]) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": name, "type": kind, "title": label.title}
    if label.description is not None:
        entry["description"] = label.description
    if label.meta:
        entry["meta"] = label.meta
    measures: list[dict[str, Any]] = []
    dimensions: list[dict[str, Any]] = []
    segments: list[dict[str, Any]] = []
    for full_name, member, member_label, alias in members:
        if not member_label.public:
            continue
        if isinstance(member, Measure):
            measures.append(_measure(full_name, member, member_label, alias))
        elif isinstance(member, Dimension):
            dimensions.append(_dimension(full_name, member, member_label, alias))
        else:
            one = {"name": full_name, "title": member_label.title, "shortTitle": member_label.short_title}
            if member_label.description is not None:
                one["description"] = member_label.description
            segments.append(one | _common(alias))
    return entry | {
        "isVisible": True,
        "public": True,
        "measures": measures,
        "dimensions": dimensions,
        "segments": segments,
        "hierarchies": [],
        "folders": [],
        "nestedFolders": [],
    }


def _common(alias: str | None) -> dict[str, Any]:
    found: dict[str, Any] = {"isVisible": True, "public": True}
    if alias is not None:
        found["aliasMember"] = alias
    return found


def _measure(name: str, measure: Measure, label: Label, alias: str | None) -> dict[str, Any]:
    kind = {"raw": measure.type, "calculated": measure.type, "count_distinct": "countDistinct",
            "count_distinct_approx": "countDistinctApprox"}.get(measure.aggregate, measure.aggregate)  # fmt: skip
    return (
        {"name": name}
        | described(label, measure.type)
        | {"cumulativeTotal": False, "cumulative": False, "aggType": kind}
        | drill(measure)
        | _common(alias)
    )


def _dimension(name: str, dimension: Dimension, label: Label, alias: str | None) -> dict[str, Any]:
    return (
        {"name": name}
        | described(label, dimension.type)
        | {"suggestFilterValues": True, "primaryKey": dimension.primary_key}
        | _common(alias)
    )


def _components(model: Model) -> dict[str, int]:
    """Numbers from 1: cubes that joins connect have the same."""
    found: dict[str, int] = {}
    beside: dict[str, set[str]] = {name: set() for name in model.cubes}
    for joins in model.edges.values():
        for join in joins:
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
