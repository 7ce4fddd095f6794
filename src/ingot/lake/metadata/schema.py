"""Schemas: what a valid one is, and the field ids in it.

Types are checked against the Iceberg specification of the table's format version, so that a type which
only version 3 knows never gets into a version 2 table.
"""

import re
from collections.abc import Iterator
from itertools import count
from typing import Any

from ingot.lake.metadata.document import Json, array, duplicates, number, numbers, obj, shown, text
from ingot.lake.metadata.errors import InvalidMetadataError

_PRIMITIVES = frozenset(
    [
        "boolean",
        "int",
        "long",
        "float",
        "double",
        "date",
        "time",
        "timestamp",
        "timestamptz",
        "string",
        "uuid",
        "binary",
    ]
)
_PRIMITIVES_V3 = frozenset(["unknown", "timestamp_ns", "timestamptz_ns", "variant", "geometry", "geography"])
_DECIMAL = re.compile(r"decimal\(\s*(\d{1,2})\s*,\s*(\d{1,2})\s*\)")
_FIXED = re.compile(r"fixed\[\s*\d{1,9}\s*\]")
_GEO = re.compile(r"(geometry|geography)\([^()]{1,200}\)")
_DEEPEST = 100


def check_schema(schema: object, *, version: int) -> Json:
    """The schema, found valid for tables of format `version`; raises `InvalidMetadataError`."""
    found = obj(schema, "A schema")
    if found.get("type") != "struct":
        raise InvalidMetadataError(f"A schema must have the type 'struct', not {shown(found.get('type'))}.")
    if "schema-id" in found:
        number(found["schema-id"], "'schema-id'", least=0)
    _check_fields(found.get("fields"), "the schema", version, depth=0)
    twice = duplicates(field_id for field_id, _ in field_ids(found))
    if twice:
        raise InvalidMetadataError(f"The field ids {', '.join(map(str, twice))} occur twice in the schema.")
    _check_identifiers(found)
    return found


def field_ids(type_: Any) -> Iterator[tuple[int, Json]]:
    """Every id in a valid type, depth first, with the field (or list or map) that carries it."""
    if not isinstance(type_, dict):
        return
    match type_["type"]:
        case "struct":
            for field in type_["fields"]:
                yield field["id"], field
                yield from field_ids(field["type"])
        case "list":
            yield type_["element-id"], type_
            yield from field_ids(type_["element"])
        case "map":
            yield type_["key-id"], type_
            yield type_["value-id"], type_
            yield from field_ids(type_["key"])
            yield from field_ids(type_["value"])


def highest_id(schema: Json) -> int:
    """The largest field id in a valid schema, 0 where it has no fields."""
    return max((field_id for field_id, _ in field_ids(schema)), default=0)


def fresh_ids(schema: Json) -> tuple[Json, dict[int, int]]:
    """The schema with ids counted from 1, fields of one level before what is nested in them.

    Returns also what each old id has become. For writers that number from 0 and expect the catalog to
    decide (Spark).
    """
    ids = count(1)
    renamed: dict[int, int] = {}

    def new(old: int) -> int:
        renamed[old] = next(ids)
        return renamed[old]

    def again(type_: Any) -> Any:
        if not isinstance(type_, dict):
            return type_
        if type_["type"] == "struct":
            fields = [{**field, "id": new(field["id"])} for field in type_["fields"]]
            return {**type_, "fields": [{**field, "type": again(field["type"])} for field in fields]}
        if type_["type"] == "list":
            return {**type_, "element-id": new(type_["element-id"]), "element": again(type_["element"])}
        keyed = {**type_, "key-id": new(type_["key-id"]), "value-id": new(type_["value-id"])}
        return {**keyed, "key": again(type_["key"]), "value": again(type_["value"])}

    fresh: Json = again(schema)
    if "identifier-field-ids" in fresh:
        fresh["identifier-field-ids"] = [renamed[old] for old in fresh["identifier-field-ids"]]
    return fresh, renamed


def same_schema(one: Json, other: Json) -> bool:
    """Whether two schemas say the same; their `schema-id` does not count."""
    return bool(
        one["fields"] == other["fields"]
        and sorted(one.get("identifier-field-ids") or ()) == sorted(other.get("identifier-field-ids") or ())
    )


def _check_fields(fields: object, where: str, version: int, depth: int) -> None:
    names = []
    for item in array(fields, f"'fields' of {where}"):
        field = obj(item, f"A field of {where}")
        name = text(field.get("name"), f"The name of a field of {where}")
        number(field.get("id"), f"The id of field '{name}'", least=0)
        if not isinstance(field.get("required"), bool):
            raise InvalidMetadataError(f"'required' of field '{name}' must be true or false.")
        if version < 3 and (
            field.get("initial-default") is not None or field.get("write-default") is not None
        ):
            raise InvalidMetadataError(
                f"Field '{name}' has a default value, which needs format version 3; the table has version {version}."
            )
        _check_type(field.get("type"), f"field '{name}'", version, depth + 1)
        names.append(name)
    twice = duplicates(names)
    if twice:
        raise InvalidMetadataError(f"The names {', '.join(map(repr, twice))} occur twice in {where}.")


def _check_type(type_: object, where: str, version: int, depth: int) -> None:
    if depth > _DEEPEST:
        raise InvalidMetadataError(f"A schema may be nested {_DEEPEST} levels deep; {where} is deeper.")
    if isinstance(type_, str):
        _check_primitive(type_, where, version)
        return
    found = obj(type_, f"The type of {where}")
    match found.get("type"):
        case "struct":
            _check_fields(found.get("fields"), where, version, depth)
        case "list":
            number(found.get("element-id"), f"'element-id' of {where}", least=0)
            _check_flag(found, "element-required", where)
            _check_type(found.get("element"), f"the elements of {where}", version, depth + 1)
        case "map":
            number(found.get("key-id"), f"'key-id' of {where}", least=0)
            number(found.get("value-id"), f"'value-id' of {where}", least=0)
            _check_flag(found, "value-required", where)
            _check_type(found.get("key"), f"the keys of {where}", version, depth + 1)
            _check_type(found.get("value"), f"the values of {where}", version, depth + 1)
        case other:
            raise InvalidMetadataError(
                f"The type of {where} must be struct, list, map or the name of a primitive type, not {shown(other)}."
            )


def _check_flag(found: Json, key: str, where: str) -> None:
    if not isinstance(found.get(key), bool):
        raise InvalidMetadataError(f"'{key}' of {where} must be true or false.")


def _check_primitive(name: str, where: str, version: int) -> None:
    if name in _PRIMITIVES or _FIXED.fullmatch(name):
        return
    decimal = _DECIMAL.fullmatch(name)
    if decimal and 1 <= int(decimal[1]) <= 38 and int(decimal[2]) <= int(decimal[1]):
        return
    if name in _PRIMITIVES_V3 or _GEO.fullmatch(name):
        if version >= 3:
            return
        raise InvalidMetadataError(
            f"The type {name} of {where} needs format version 3; the table has version {version}.",
            hint="Create the table with the property 'format-version' = '3', or cast the column.",
        )
    raise InvalidMetadataError(f"{shown(name)} of {where} is not an Iceberg type.")


def _check_identifiers(schema: Json) -> None:
    if schema.get("identifier-field-ids") is None:
        return
    fields = {field_id: field for field_id, field in field_ids(schema) if "name" in field}
    for field_id in numbers(schema["identifier-field-ids"], "'identifier-field-ids'"):
        field = fields.get(field_id)
        if field is None or not isinstance(field["type"], str):
            raise InvalidMetadataError(
                f"The identifier field {field_id} is not a primitive field of the schema."
            )
        if not field["required"] or field["type"] in ("float", "double"):
            raise InvalidMetadataError(
                f"The identifier field '{field['name']}' must be required and neither float nor double."
            )
