"""What `/meta?extended` adds: the SQL that the files say, joins, pre-aggregations, and where they stand."""

from collections.abc import Sequence
from typing import Any

from ingot.semantic.model import Cube, Member, View


def cube_details(cube: Cube) -> dict[str, Any]:
    """What the files say of a cube beside its members."""
    found: dict[str, Any] = {}
    for spec in cube.specs:
        if spec.sql is not None or spec.sql_table is not None:
            found.pop("sql", None)
            found.pop("sqlTable", None)
        found |= _given(spec, ("sql", "sql_table", "sql_alias", "data_source", "extends", "calendar"))
        if spec.refresh_key is not None:
            found["refreshKey"] = _given(spec.refresh_key, tuple(type(spec.refresh_key).model_fields))
    joins = {one.name: one for spec in cube.specs for one in spec.joins}
    found["joins"] = [
        {"name": one.name, "relationship": one.relationship, "sql": one.sql} for one in joins.values()
    ]
    stored = {one.name: one for spec in cube.specs for one in spec.pre_aggregations}
    found["preAggregations"] = [_stored(one) for one in stored.values()]
    return found | _place(cube.specs)


def view_details(view: View) -> dict[str, Any]:
    """What the files say of a view beside its members."""
    parts = [part for spec in view.specs for part in spec.cubes]
    found: dict[str, Any] = {"cubes": [{"joinPath": part.join_path, "prefix": part.prefix} for part in parts]}
    if view.default_filters:
        found["defaultFilters"] = [
            {
                "member": one.member,
                "operator": one.operator,
                "values": list(one.values),
                "unless": list(one.unless),
            }
            for one in view.default_filters
        ]
    extends = [spec.extends for spec in view.specs if spec.extends is not None]
    return found | ({"extends": extends[-1]} if extends else {}) | _place(view.specs)


def member_details(member: Member) -> dict[str, Any]:
    """What the files say of a member."""
    spec = member.label.details.get("spec")
    if spec is None:
        return {}
    found = _given(spec, ("sql", "sub_query", "multi_stage"))
    if getattr(spec, "filters", ()):
        found["filters"] = [{"sql": one.sql} for one in spec.filters]
    return found


def _stored(spec: Any) -> dict[str, Any]:
    listed = {
        _camel(key): list(value)
        for key in ("measures", "dimensions", "segments", "rollups")
        if (value := getattr(spec, key))
    }
    keys = ("name", "type", "time_dimension", "granularity", "partition_granularity")
    return _given(spec, keys) | {"type": spec.type} | listed


def _given(spec: Any, keys: Sequence[str]) -> dict[str, Any]:
    return {
        _camel(key): value for key in keys if (value := getattr(spec, key, None)) not in (None, False, ())
    }


def _place(specs: Sequence[Any]) -> dict[str, Any]:
    place = specs[-1].place if specs else None
    return {} if place is None or place.file == "<code>" else {"fileName": place.file, "line": place.line}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
