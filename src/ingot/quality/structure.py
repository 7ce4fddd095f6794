"""A table's columns, partitioning, order and properties: as people write them, and how two of them differ."""

from collections.abc import Mapping, Sequence
from typing import Any

from ingot.lake import metadata
from ingot.lake.state import Column, Table
from ingot.quality.model import ColumnChange, PropertyChange

_UNSORTED_DEFAULTS = {"asc": "nulls-first", "desc": "nulls-last"}


def partitioning(document: Mapping[str, Any]) -> list[str]:
    """The terms of the partitioning, such as `month(ordered_at)`."""
    names = _names(document)
    return [
        _term(part, names)
        for part in metadata.default_spec(dict(document))["fields"]
        if part["transform"] != "void"
    ]


def sort_order(document: Mapping[str, Any]) -> list[str]:
    """The terms of the sort order, such as `amount desc`; where NULLs go is said only where it is unusual."""
    names = _names(document)
    terms = []
    for part in metadata.default_order(dict(document))["fields"]:
        term, direction, nulls = _term(part, names), part["direction"], part["null-order"]
        term += " desc" if direction == "desc" else ""
        term += "" if nulls == _UNSORTED_DEFAULTS[direction] else f" {nulls.replace('-', ' ')}"
        terms.append(term)
    return terms


def _names(document: Mapping[str, Any]) -> dict[int, str]:
    found = {}
    # A spec may name a column that only an earlier schema has.
    for schema in (*document["schemas"], metadata.current_schema(dict(document))):
        found.update({field["id"]: field["name"] for field in schema["fields"]})
    return found


def _term(part: Mapping[str, Any], names: Mapping[int, str]) -> str:
    column = names.get(part["source-id"], f"field {part['source-id']}")
    transform, _, width = part["transform"].partition("[")
    if transform == "identity":
        return column
    return f"{transform}({width.rstrip(']')}, {column})" if width else f"{transform}({column})"


def columns_changed(
    before: Sequence[Column], after: Sequence[Column], *, by_id: bool = True
) -> list[ColumnChange]:
    """What differs between the columns; they are matched as in `matched`.

    A column that was written anew with another type has another id under the same name: `retyped`.
    """
    changes: list[ColumnChange] = []
    pairs = matched(before, after, by_id=by_id)
    for old, new in pairs:
        if old.name != new.name:
            changes.append(ColumnChange("renamed", new.name, old.name, new.name))
        if old.type != new.type:
            changes.append(ColumnChange("retyped", new.name, old.type, new.type))
        if old.comment != new.comment:
            changes.append(ColumnChange("commented", new.name, old.comment, new.comment))
    kept_before, kept_after = {old.id for old, _ in pairs}, {new.id for _, new in pairs}
    changes += [
        ColumnChange("removed", one.name, one.type, None) for one in before if one.id not in kept_before
    ]
    changes += [ColumnChange("added", one.name, None, one.type) for one in after if one.id not in kept_after]
    return changes


def matched(
    before: Sequence[Column], after: Sequence[Column], *, by_id: bool = True
) -> list[tuple[Column, Column]]:
    """The columns of both sides in pairs, in the order of `after`: by field id, what is left by name.

    `by_id=False` for two things whose ids have nothing to do with each other.
    """
    ids = {one.id: one for one in before} if by_id else {}
    taken = {one.id for one in after if one.id in ids}
    names = {one.name.casefold(): one for one in before if one.id not in taken}
    pairs = []
    for new in after:
        old = ids.get(new.id) or names.get(new.name.casefold())
        if old is not None:
            pairs.append((old, new))
    return pairs


def layout_changed(before: Table, after: Table) -> list[PropertyChange]:
    """What differs in partitioning and sort order."""
    both = [
        ("partitioning", partitioning(before.metadata), partitioning(after.metadata)),
        ("sort order", sort_order(before.metadata), sort_order(after.metadata)),
    ]
    return [
        PropertyChange(name, ", ".join(old) or None, ", ".join(new) or None)
        for name, old, new in both
        if old != new
    ]


def properties_changed(before: Mapping[str, str], after: Mapping[str, str]) -> list[PropertyChange]:
    """The properties that differ, by name."""
    return [
        PropertyChange(name, before.get(name), after.get(name))
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]
