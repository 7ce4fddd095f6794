"""`where` -> the filters of a semantic query.

Conditions that stand in one object all hold; `AND` and `OR` join the objects of their list. A null is no condition and
no value to compare with: it is refused, because leaving it out would answer another question.
"""

from collections.abc import Mapping
from typing import Any

from ingot.api.graphql.faces import Face
from ingot.semantic.errors import QueryError

Filter = dict[str, Any]
_OPERATORS = {"in": "equals", "notIn": "notEquals"}


def of_root(where: Any, faces: Mapping[str, Face]) -> list[Filter]:
    """The filters of `cube(where: …)`, all of which hold."""
    found: list[Filter] = []
    for key, value in _entries(where, "where"):
        if key in ("AND", "OR"):
            found += _joined(key, [of_root(one, faces) for one in _listed(value, key)])
        else:
            found += of_cube(value, faces[key])
    return found


def of_cube(where: Any, face: Face) -> list[Filter]:
    """The filters of one cube's `where`, all of which hold."""
    found: list[Filter] = []
    for key, value in _entries(where, face.field):
        if key in ("AND", "OR"):
            found += _joined(key, [of_cube(one, face) for one in _listed(value, key)])
        else:
            where_ = f"{face.field}.{key}"
            name = face.members[key].full_name
            found += [_filter(name, operator, given, where_) for operator, given in _entries(value, where_)]
    return found


def ranges(filters: list[Filter]) -> tuple[list[Filter], dict[str, Any]]:
    """Apart: the filters, and the first range of each time, which belongs to its time dimension."""
    kept: list[Filter] = []
    found: dict[str, Any] = {}
    for one in filters:
        if one.get("operator") == "inDateRange" and one["member"] not in found:
            values = one["values"]
            found[one["member"]] = values[0] if len(values) == 1 else values
        else:
            kept.append(one)
    return kept, found


def _filter(member: str, operator: str, value: Any, where: str) -> Filter:
    if value is None:
        raise QueryError(f"{where}.{operator} is null. Where the value is missing, it is {{set: false}}.")
    if operator == "set":
        return {"member": member, "operator": "set" if value is True else "notSet"}
    values = value if isinstance(value, list) else [value]
    found: Filter = {"member": member, "operator": _OPERATORS.get(operator, operator), "values": values}
    return found


def _joined(key: str, parts: list[list[Filter]]) -> list[Filter]:
    if not all(parts) or not parts:
        raise QueryError(f"{key} joins at least one condition, and each of its objects has one.")
    if key == "AND":
        return [one for part in parts for one in part]
    each = [one[0] if len(one) == 1 else {"and": one} for one in parts]
    return [each[0] if len(each) == 1 else {"or": each}]


def _entries(value: Any, where: str) -> list[tuple[str, Any]]:
    if not isinstance(value, dict):
        raise QueryError(f"{where} is null, which is no condition: leave it out.")
    return list(value.items())


def _listed(value: Any, key: str) -> list[Any]:
    if value is None:
        raise QueryError(f"{key} is null, which is no list of conditions: leave it out.")
    return value if isinstance(value, list) else [value]
