"""Partition specs and sort orders: what a valid one is, and the ids of its fields."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ingot.errors import did_you_mean
from ingot.lake.metadata.document import Json, array, duplicates, number, obj, only, shown, text
from ingot.lake.metadata.errors import InvalidMetadataError
from ingot.lake.metadata.schema import field_ids

FIRST_PARTITION_ID = 1000
"""Ids of partition fields start here; a table without any says 999 as its last one."""

_TRANSFORM = re.compile(r"identity|void|year|month|day|hour|(?:bucket|truncate)\[\s*[1-9]\d{0,8}\s*\]")


def check_spec(spec: object, schema: Json) -> Json:
    """The partition spec, found valid for the schema (field ids may be missing); raises `InvalidMetadataError`."""
    found = obj(spec, "A partition spec")
    if "spec-id" in found:
        number(found["spec-id"], "'spec-id'", least=0)
    fields = [obj(field, "A partition field") for field in array(found.get("fields"), "'fields' of the spec")]
    columns = dict(field_ids(schema))
    names = {field["name"]: field_id for field_id, field in columns.items() if "name" in field}
    top = {field["name"]: field["id"] for field in schema["fields"]}
    for field in fields:
        name = text(field.get("name"), "The name of a partition field")
        transform = _check_transform(field, f"partition field '{name}'")
        source = _check_source(field, columns, names, f"Partition field '{name}'", gone=transform == "void")
        if field.get("field-id") is not None:
            number(field["field-id"], f"'field-id' of partition field '{name}'", least=1)
        if top.get(name, source) != source or (name in top and transform not in ("identity", "void")):
            raise InvalidMetadataError(
                f"The partition field '{name}' has the name of a column of the table that it does not copy."
            )
    for twice in duplicates(field["name"] for field in fields):
        raise InvalidMetadataError(f"The partition field '{twice}' occurs twice in the spec.")
    for twice in duplicates(field["field-id"] for field in fields if field.get("field-id") is not None):
        raise InvalidMetadataError(f"The partition field id {twice} occurs twice in the spec.")
    return found


def numbered_spec(spec: Json, earlier: Iterable[Json], last_id: int) -> tuple[Json, int]:
    """The spec with an id on each field, and the new last id.

    A field that an earlier spec has with the same source and transform keeps that id.
    """
    known = {
        (field["source-id"], field["transform"]): field["field-id"]
        for old in earlier
        for field in old["fields"]
    }
    taken = {field["field-id"] for field in spec["fields"] if field.get("field-id") is not None}
    last = max([last_id, *taken])
    fields = []
    for field in spec["fields"]:
        if field.get("field-id") is not None:
            fields.append(field)
            continue
        field_id = known.get((field["source-id"], field["transform"]))
        if field_id is None or field_id in taken:
            last += 1
            field_id = last
        taken.add(field_id)
        fields.append({**field, "field-id": field_id})
    return {**spec, "fields": fields}, last


def same_spec(one: Json, other: Json) -> bool:
    """Whether two numbered specs partition in the same way under the same names and ids."""
    keys = ("source-id", "transform", "name", "field-id")
    return [[field[key] for key in keys] for field in one["fields"]] == [
        [field[key] for key in keys] for field in other["fields"]
    ]


def check_order(order: object, schema: Json) -> Json:
    """The sort order, found valid for the schema; raises `InvalidMetadataError`."""
    found = obj(order, "A sort order")
    fields = [
        obj(field, "A sort field") for field in array(found.get("fields"), "'fields' of the sort order")
    ]
    columns = dict(field_ids(schema))
    names = {field["name"]: field_id for field_id, field in columns.items() if "name" in field}
    for field in fields:
        _check_transform(field, "a sort field")
        _check_source(field, columns, names, "A sort field")
        only(field.get("direction"), ("asc", "desc"), "'direction' of a sort field")
        only(field.get("null-order"), ("nulls-first", "nulls-last"), "'null-order' of a sort field")
    if "order-id" in found:
        order_id = number(found["order-id"], "'order-id'", least=0)
        if order_id == 0 and fields:
            raise InvalidMetadataError(
                "The order id 0 means 'not sorted'; a sort order with fields needs another."
            )
    return found


def _check_transform(field: Json, where: str) -> str:
    transform = text(field.get("transform"), f"The transform of {where}")
    if not _TRANSFORM.fullmatch(transform):
        known = ("identity", "void", "year", "month", "day", "hour", "bucket[16]", "truncate[10]")
        raise InvalidMetadataError(
            f"{shown(transform)} of {where} is not an Iceberg transform{did_you_mean(transform, known)}."
        )
    return transform


def _check_source(
    field: Json, columns: Mapping[int, Json], names: Mapping[str, int], where: str, *, gone: bool = False
) -> int:
    source = number(field.get("source-id"), f"'source-id' of {where[0].lower()}{where[1:]}", least=0)
    column: Any = columns.get(source)
    if column is None:
        if gone:
            return source
        there = ", ".join(f"{name} ({field_id})" for name, field_id in list(names.items())[:20])
        raise InvalidMetadataError(
            f"{where} reads field {source}, which the schema does not have; it has {there}."
        )
    if "name" in column and not isinstance(column["type"], str):
        raise InvalidMetadataError(f"{where} reads '{column['name']}', which is not a primitive column.")
    return source
