"""What an answer says about its columns, and a query as Cube writes it back."""

from typing import Any

from ingot.semantic.model import Dimension, Label, Measure
from ingot.semantic.planner.opened import Opened
from ingot.semantic.planner.resolve import Column, Resolved
from ingot.semantic.query import Filter, Query
from ingot.semantic.stages import Granularity


def described(label: Label, kind: str) -> dict[str, Any]:
    """Title, type and whatever else the model says of a member."""
    found: dict[str, Any] = {"title": label.title, "shortTitle": label.short_title}
    if label.description is not None:
        found["description"] = label.description
    found["type"] = kind
    if label.format is not None:
        found["format"] = label.format
    if label.currency is not None:
        found["currency"] = label.currency
    if label.meta:
        found["meta"] = label.meta
    return found


def drill(label: Label) -> dict[str, Any]:
    """The members shown when a value of the measure is opened."""
    grouped = label.details.get("drill", {"measures": [], "dimensions": []})
    return {
        "drillMembers": [*grouped["dimensions"], *grouped["measures"]],
        "drillMembersGrouped": grouped,
    }


def annotation(query: Resolved) -> dict[str, Any]:
    """Titles, types and formats of all columns, by kind and key."""
    found: dict[str, dict[str, Any]] = {
        "measures": {},
        "dimensions": {},
        "segments": {},
        "timeDimensions": {},
    }
    for column in query.measures:
        member = column.found.member
        assert isinstance(member, Measure)
        found["measures"][column.key] = described(column.found.label, member.type) | drill(column.found.label)
    for column in query.dimensions:
        found["timeDimensions" if column.is_time else "dimensions"][column.key] = _dimension(column)
        if column.is_time:
            found["timeDimensions"][column.found.name] = described(column.found.label, "time")
    for one in query.range_members:
        found["timeDimensions"].setdefault(one.name, described(one.label, "time"))
    for segment in query.segments:
        if isinstance(segment.member, Opened):
            continue
        label = segment.label
        found["segments"][segment.name] = {"title": label.title, "shortTitle": label.short_title}
    return found


def _dimension(column: Column) -> dict[str, Any]:
    member = column.found.member
    assert isinstance(member, Dimension)
    found = described(column.found.label, member.type)
    if column.period is not None:
        found["granularity"] = granularity(column.period)
    return found


def granularity(period: str | Granularity) -> dict[str, Any]:
    """What a granularity is called, and how long it is."""
    if isinstance(period, str):
        interval = "3 months" if period == "quarter" else f"1 {period}"
        return {"name": period, "title": period, "interval": interval}
    found = {"name": period.name, "title": period.title}
    written = {
        "interval": period.written_interval,
        "offset": period.written_offset,
        "origin": period.written_origin,
    }
    return found | {key: value for key, value in written.items() if value is not None}


def normalized(query: Query, resolved: Resolved, kind: str = "regularQuery") -> dict[str, Any]:
    """The query with every default filled in and date ranges as times."""
    ranges = dict(resolved.ranges)
    times = []
    for time in query.time_dimensions:
        one: dict[str, Any] = {"dimension": time.dimension}
        if time.granularity is not None:
            one["granularity"] = time.granularity
        if time.date_range is not None:
            one["dateRange"] = list(ranges[time.dimension])
        times.append(one)
    found: dict[str, Any] = {
        "measures": [column.key for column in resolved.measures],
        "dimensions": list(query.dimensions),
        "timeDimensions": times,
        "segments": [one.name for one in resolved.segments if not isinstance(one.member, Opened)],
        "filters": [_filter(one) for one in query.filters],
        "order": [
            {"id": _order_name(resolved, key), "desc": descending} for key, descending in resolved.order
        ],
        "limit": resolved.limit,
        "rowLimit": resolved.limit,
        "timezone": resolved.timezone,
        "queryType": kind,
    }
    if query.offset is not None:
        found["offset"] = query.offset
    if query.total:
        found["total"] = True
    if query.ungrouped:
        found["ungrouped"] = True
    if query.join_hints:
        found["joinHints"] = [list(hint) for hint in query.join_hints]
    if query.response_format != "default":
        found["responseFormat"] = query.response_format
    return found


def _order_name(resolved: Resolved, key: str) -> str:
    return next((c.found.name for c in resolved.dimensions if c.key == key and c.is_time), key)


def _filter(one: Filter) -> dict[str, Any]:
    if one.and_ is not None:
        return {"and": [_filter(part) for part in one.and_]}
    if one.or_ is not None:
        return {"or": [_filter(part) for part in one.or_]}
    found: dict[str, Any] = {"member": one.member, "operator": one.operator}
    if one.values is not None:
        found["values"] = list(one.values)
    return found
