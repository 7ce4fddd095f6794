"""One `cube` field of a document -> a semantic query, and the shape of its rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import FieldNode

from ingot.api.graphql import conditions
from ingot.api.graphql.faces import Face, Member
from ingot.api.graphql.selection import Selection
from ingot.api.graphql.shape import Constant, Group, Leaf
from ingot.api.graphql.values import argument
from ingot.semantic.errors import QueryError


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked under one name of the answer."""

    name: str
    query: dict[str, Any]
    shape: Group


def question(
    name: str,
    nodes: list[FieldNode],
    faces: Mapping[str, Face],
    selection: Selection,
    variables: Mapping[str, Any],
) -> Question:
    """The question of a `cube` field. Raises `QueryError` for conditions that are none."""
    return _Reading(faces, selection, variables).read(name, nodes)


class _Reading:
    def __init__(self, faces: Mapping[str, Face], selection: Selection, variables: Mapping[str, Any]) -> None:
        self._faces = faces
        self._selection = selection
        self._variables = variables
        self._measures: dict[str, None] = {}
        self._dimensions: dict[str, None] = {}
        self._times: dict[tuple[str, str], None] = {}
        self._order: dict[str, str] = {}

    def read(self, name: str, nodes: list[FieldNode]) -> Question:
        where = self._argument(nodes, "where")
        filters = [] if where is None else conditions.of_root(where, self._faces)
        for field, members in (self._argument(nodes, "orderBy") or {}).items():
            self._ordered(self._faces[field], members)
        parts: dict[str, Leaf | Constant | Group] = {}
        for key, cubes in self._selection.under(nodes).items():
            face = self._faces.get(cubes[0].name.value)
            if face is None:
                parts[key] = Constant("Result")
                continue
            own = self._argument(cubes, "where")
            filters += [] if own is None else conditions.of_cube(own, face)
            self._ordered(face, self._argument(cubes, "orderBy"))
            parts[key] = self._members(face, cubes)
        return Question(name, self._query(nodes, filters), Group(parts))

    def _members(self, face: Face, nodes: list[FieldNode]) -> Group:
        parts: dict[str, Leaf | Constant | Group] = {}
        for key, fields in self._selection.under(nodes).items():
            member = face.members.get(fields[0].name.value)
            if member is None:
                parts[key] = Constant(f"{face.stem}Members")
            elif member.is_time_dimension:
                parts[key] = self._periods(member, fields)
            else:
                asked = self._measures if member.kind == "measures" else self._dimensions
                asked[member.full_name] = None
                parts[key] = Leaf(member.full_name, member.type)
        return Group(parts)

    def _periods(self, member: Member, nodes: list[FieldNode]) -> Group:
        parts: dict[str, Leaf | Constant | Group] = {}
        for key, fields in self._selection.under(nodes).items():
            period = fields[0].name.value
            if period == "__typename":
                parts[key] = Constant("TimeDimension")
            elif period == "value":
                self._dimensions[member.full_name] = None
                parts[key] = Leaf(member.full_name, "time")
            else:
                self._times[member.full_name, period] = None
                parts[key] = Leaf(f"{member.full_name}.{period}", "time")
        return Group(parts)

    def _ordered(self, face: Face, members: Mapping[str, str | None] | None) -> None:
        for name, direction in (members or {}).items():
            if direction is not None:
                self._order.setdefault(face.members[name].full_name, direction)

    def _query(self, nodes: list[FieldNode], filters: list[dict[str, Any]]) -> dict[str, Any]:
        kept, ranges = conditions.ranges(filters)
        times: list[dict[str, Any]] = [
            {"dimension": name, "granularity": period}
            | ({"dateRange": ranges[name]} if name in ranges else {})
            for name, period in self._times
        ]
        asked = {name for name, _ in self._times}
        times += [{"dimension": name, "dateRange": one} for name, one in ranges.items() if name not in asked]
        found: dict[str, Any] = {
            "measures": list(self._measures),
            "dimensions": list(self._dimensions),
            "timeDimensions": times,
            "filters": kept,
            "responseFormat": "columnar",
        }
        if self._order:
            found["order"] = list(self._order.items())
        for key in ("limit", "offset", "timezone", "ungrouped", "ref"):
            value = self._argument(nodes, key)
            if value is not None:
                found[key] = int(value) if key in ("limit", "offset") else value
        if not (self._measures or self._dimensions or self._times):
            raise QueryError("A question names at least one measure or dimension of a cube.")
        return found

    def _argument(self, nodes: list[FieldNode], name: str) -> Any:
        return argument(nodes[0], name, self._variables)
