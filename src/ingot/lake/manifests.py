"""Iceberg's manifests and manifest lists: Avro files written and read with fastavro.

Only the Avro side stands here; which files belong into a manifest is decided in `stage`.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from ingot.lake import avro, bounds, files
from ingot.lake.lru import Lru
from ingot.lake.transforms import Term
from ingot.lake.types import Json

EXISTING, ADDED, DELETED = 0, 1, 2
_Bound = bytes  # `bytes` is the name of a field below
DATA, DELETES = 0, 1
_MADE_BY = "ingot.made-by"


@dataclass(frozen=True, slots=True)
class DataFile:
    """A data file that a snapshot adds, with the statistics that let readers skip it."""

    path: str
    rows: int
    bytes: int
    partition: tuple[Any, ...] = ()
    column_sizes: Mapping[int, int] = field(default_factory=dict)
    value_counts: Mapping[int, int] = field(default_factory=dict)
    null_counts: Mapping[int, int] = field(default_factory=dict)
    nan_counts: Mapping[int, int] = field(default_factory=dict)
    lower: "Mapping[int, _Bound]" = field(default_factory=dict)
    upper: "Mapping[int, _Bound]" = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LiveFile:
    """A file of a table as its manifests list it."""

    path: str
    format: str
    content: int
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a manifest lists."""

    files: tuple[LiveFile, ...]
    fields: tuple[Json, ...] | None
    """The columns that every file has, in this order; None where the manifest is not of our own making."""


def _optional(name: str, number: int, kind: Any) -> Json:
    return {"name": name, "type": ["null", kind], "default": None, "field-id": number}


def _required(name: str, number: int, kind: Any) -> Json:
    return {"name": name, "type": kind, "field-id": number}


def _map(key: int, value: int, kind: str) -> Json:
    pair = [
        {"name": "key", "type": "int", "field-id": key},
        {"name": "value", "type": kind, "field-id": value},
    ]
    record = {"type": "record", "name": f"k{key}_v{value}", "fields": pair}
    return {"type": "array", "items": record, "logicalType": "map"}


def _avro(kind: str, name: str) -> Any:
    plain = {"boolean": "boolean", "int": "int", "long": "long", "string": "string", "binary": "bytes"}
    if kind in plain:
        return plain[kind]
    if kind == "date":
        return {"type": "int", "logicalType": "date"}
    if kind == "time":
        return {"type": "long", "logicalType": "time-micros"}
    if kind in ("timestamp", "timestamptz"):
        return {"type": "long", "logicalType": "timestamp-micros", "adjust-to-utc": kind == "timestamptz"}
    if kind == "uuid":
        return {"type": "fixed", "size": 16, "name": f"uuid_{name}", "logicalType": "uuid"}
    precision, scale = (int(part) for part in kind.removeprefix("decimal(").rstrip(")").split(","))
    size = ((10**precision).bit_length() + 8) // 8
    kind_: Json = {"type": "fixed", "size": size, "name": f"decimal_{precision}_{scale}_{name}"}
    return {**kind_, "logicalType": "decimal", "precision": precision, "scale": scale}


def _avro_name(name: str) -> str:
    """A name that Avro takes, altered as Iceberg's other implementations alter it."""
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        return name
    done = re.sub(r"[^A-Za-z0-9_]", lambda found: f"_x{ord(found.group()):X}", name)
    return f"_{done}" if done[:1].isdigit() else done


FIRST_ROW_ID = _optional("first_row_id", 142, "long")
"""The field of a data file that numbers its first row, in version 3."""


SEQUENCES = [_optional("sequence_number", 3, "long"), _optional("file_sequence_number", 4, "long")]
"""The fields of an entry that version 2 added."""
_BLOCK = 64 * 1024 * 1024
"""What version 1 wants to be told of every file and nobody reads."""


def _entry_schema(parts: Sequence[tuple[Json, Term]], version: int) -> Json:
    partition = []
    for part, term in parts:
        name = _avro_name(part["name"])
        column = _optional(name, part["field-id"], _avro(term.result, str(part["field-id"])))
        partition.append(column if name == part["name"] else {**column, "iceberg-field-name": part["name"]})
    data_file = [
        _required("content", 134, "int"),
        _required("file_path", 100, "string"),
        _required("file_format", 101, "string"),
        _required("partition", 102, {"type": "record", "name": "r102", "fields": partition}),
        _required("record_count", 103, "long"),
        _required("file_size_in_bytes", 104, "long"),
        _optional("column_sizes", 108, _map(117, 118, "long")),
        _optional("value_counts", 109, _map(119, 120, "long")),
        _optional("null_value_counts", 110, _map(121, 122, "long")),
        _optional("nan_value_counts", 137, _map(138, 139, "long")),
        _optional("lower_bounds", 125, _map(126, 127, "bytes")),
        _optional("upper_bounds", 128, _map(129, 130, "bytes")),
        _optional("key_metadata", 131, "bytes"),
        _optional("split_offsets", 132, {"type": "array", "items": "long", "element-id": 133}),
        _optional("equality_ids", 135, {"type": "array", "items": "int", "element-id": 136}),
        _optional("sort_order_id", 140, "int"),
    ]
    if version == 1:
        later = ("content", "equality_ids")
        data_file = [one for one in data_file if one["name"] not in later]
        data_file.insert(5, _required("block_size_in_bytes", 105, "long"))
    if version > 2:
        data_file.append(FIRST_ROW_ID)
    file = _required("data_file", 2, {"type": "record", "name": "r2", "fields": data_file})
    status = _required("status", 0, "int")
    if version == 1:
        fields = [status, _required("snapshot_id", 1, "long"), file]
    else:
        fields = [status, _optional("snapshot_id", 1, "long"), *SEQUENCES, file]
    return {"type": "record", "name": "manifest_entry", "fields": fields}


_SUMMARY = {
    "type": "record",
    "name": "r508",
    "fields": [
        _required("contains_null", 509, "boolean"),
        _optional("contains_nan", 518, "boolean"),
        _optional("lower_bound", 510, "bytes"),
        _optional("upper_bound", 511, "bytes"),
    ],
}
_LIST_SCHEMA: Json = {
    "type": "record",
    "name": "manifest_file",
    "fields": [
        _required("manifest_path", 500, "string"),
        _required("manifest_length", 501, "long"),
        _required("partition_spec_id", 502, "int"),
        _required("content", 517, "int"),
        _required("sequence_number", 515, "long"),
        _required("min_sequence_number", 516, "long"),
        _required("added_snapshot_id", 503, "long"),
        _required("added_files_count", 504, "int"),
        _required("existing_files_count", 505, "int"),
        _required("deleted_files_count", 506, "int"),
        _required("added_rows_count", 512, "long"),
        _required("existing_rows_count", 513, "long"),
        _required("deleted_rows_count", 514, "long"),
        _optional("partitions", 507, {"type": "array", "items": _SUMMARY, "element-id": 508}),
        _optional("key_metadata", 519, "bytes"),
    ],
}
_OLD_NAMES = {
    "added_files_count": "added_data_files_count",
    "existing_files_count": "existing_data_files_count",
    "deleted_files_count": "deleted_data_files_count",
}


def manifest(
    added: Sequence[DataFile],
    *,
    snapshot_id: int,
    schema: Json,
    spec: Json,
    terms: Sequence[Term],
    version: int = 2,
    extra: bool = False,
) -> bytes:
    """A manifest of new data files; sequence and row numbers are inherited from the snapshot.

    `extra` where the files have more columns than the schema.
    """
    parts = list(zip(spec["fields"], terms, strict=True))
    names = [_avro_name(part["name"]) for part, _ in parts]
    entries = []
    for one in added:
        stored = (_stored(term.result, value) for (_, term), value in zip(parts, one.partition, strict=True))
        data_file = {
            "content": DATA,
            "file_path": one.path,
            "file_format": "PARQUET",
            "partition": dict(zip(names, stored, strict=True)),
            "record_count": one.rows,
            "file_size_in_bytes": one.bytes,
            "block_size_in_bytes": _BLOCK,
            "column_sizes": _pairs(one.column_sizes),
            "value_counts": _pairs(one.value_counts),
            "null_value_counts": _pairs(one.null_counts),
            "nan_value_counts": _pairs(one.nan_counts),
            "lower_bounds": _pairs(one.lower),
            "upper_bounds": _pairs(one.upper),
        }
        entries.append({"status": ADDED, "snapshot_id": snapshot_id, "data_file": data_file})
    about = {
        "schema": json.dumps(schema),
        "schema-id": str(schema["schema-id"]),
        "partition-spec": json.dumps(spec["fields"]),
        "partition-spec-id": str(spec["spec-id"]),
        "format-version": str(version),
    }
    about |= {"content": "data"} if version > 1 else {}
    about |= {} if extra else {_MADE_BY: "ingot"}
    return avro.written(_entry_schema(parts, version), entries, about)


def _stored(kind: str, value: Any) -> Any:
    if isinstance(value, UUID):
        return value.bytes
    if isinstance(value, Decimal):
        size = _avro(kind, "")["size"]
        return bounds.unscaled(value, kind).to_bytes(size, "big", signed=True)
    return value


def _pairs(values: Mapping[int, Any]) -> list[Json] | None:
    return [{"key": key, "value": value} for key, value in values.items()] or None


def listed(
    path: str,
    size: int,
    added: Sequence[DataFile],
    *,
    snapshot_id: int,
    sequence: int,
    spec: Json,
    terms: Sequence[Term],
) -> Json:
    """The manifest list's row for a manifest of new files."""
    return {
        "manifest_path": path,
        "manifest_length": size,
        "partition_spec_id": spec["spec-id"],
        "content": DATA,
        "sequence_number": sequence,
        "min_sequence_number": sequence,
        "added_snapshot_id": snapshot_id,
        "added_files_count": len(added),
        "existing_files_count": 0,
        "deleted_files_count": 0,
        "added_rows_count": sum(one.rows for one in added),
        "existing_rows_count": 0,
        "deleted_rows_count": 0,
        "partitions": [_summary(term, [one.partition[at] for one in added]) for at, term in enumerate(terms)],
    }


def _summary(term: Term, values: Sequence[Any]) -> Json:
    present = [value for value in values if value is not None]
    kind = term.result
    return {
        "contains_null": len(present) < len(values),
        "contains_nan": False,
        "lower_bound": bounds.encode(kind, min(present)) if present else None,
        "upper_bound": bounds.encode(kind, max(present)) if present else None,
    }


_IN_VERSION_1 = ("manifest_path", "manifest_length", "partition_spec_id", "added_snapshot_id")


def _list_schema(version: int) -> Json:
    fields: list[Json] = _LIST_SCHEMA["fields"]
    if version == 1:
        later = ("content", "sequence_number", "min_sequence_number")
        fields = [
            one
            if one["name"] in _IN_VERSION_1 or isinstance(one["type"], list)
            else _optional(one["name"], one["field-id"], one["type"])
            for one in fields
            if one["name"] not in later
        ]
    if version > 2:
        fields = [*fields, _optional("first_row_id", 520, "long")]
    return {**_LIST_SCHEMA, "fields": fields}


def manifest_list(
    rows: Sequence[Json],
    *,
    snapshot_id: int,
    parent: int | None,
    sequence: int,
    first_row_id: int | None = None,
    version: int = 2,
) -> bytes:
    """A manifest list; version 3 names the number of the snapshot's first row."""
    about = {"snapshot-id": str(snapshot_id), "parent-snapshot-id": "null" if parent is None else str(parent)}
    about |= {"sequence-number": str(sequence)} if version > 1 else {}
    about |= {"format-version": str(version)}
    about |= {"first-row-id": str(first_row_id)} if version > 2 else {}
    return avro.written(_list_schema(version), rows, about)


def read_list(location: str) -> list[Json]:
    """The rows of a manifest list, whichever version wrote it."""
    return [_regular(row) for row in avro.read(location).records]


def _regular(row: Json) -> Json:
    done = {**row}
    for name, old in _OLD_NAMES.items():
        if done.get(name) is None:
            done[name] = done.get(old) or 0
    for name in ("content", "sequence_number", "min_sequence_number"):
        done.setdefault(name, 0)
    for name in ("added_rows_count", "existing_rows_count", "deleted_rows_count"):
        done[name] = done.get(name) or 0
    return done


_lists: Lru[str, tuple[Json, ...]] = Lru(50_000, weigh=lambda found: len(found) + 1)


def list_rows(location: str) -> tuple[Json, ...]:
    """The rows of a manifest list, read once."""
    return _lists.get(location) or _lists.put(location, tuple(read_list(location)))


_manifests: Lru[str, Manifest] = Lru(200_000, weigh=lambda found: len(found.files) + 1)


def read(location: str) -> Manifest:
    """The files of a manifest that are not deleted; manifests never change, so each is read once."""
    if (cached := _manifests.get(location)) is not None:
        return cached
    found = avro.read(location)
    live = tuple(_live(one["data_file"]) for one in found.records if one["status"] != DELETED)
    about = found.about
    own = tuple(json.loads(about["schema"])["fields"]) if about.get(_MADE_BY) == "ingot" else None
    return _manifests.put(location, Manifest(live, own))


def _live(file: Json) -> LiveFile:
    path, kind, content = file["file_path"], file["file_format"].upper(), file.get("content") or DATA
    return LiveFile(path, kind, content, file["record_count"], file["file_size_in_bytes"])


def row_of(location: str, snapshot_id: int) -> Json:
    """The row of a manifest that a version 1 snapshot names without a manifest list."""
    found = avro.read(location)
    counts = {status: [0, 0] for status in (EXISTING, ADDED, DELETED)}
    for one in found.records:
        counts[one["status"]][0] += 1
        counts[one["status"]][1] += one["data_file"]["record_count"]
    named = {"added": ADDED, "existing": EXISTING, "deleted": DELETED}
    row = {
        "manifest_path": location,
        "manifest_length": len(files.read(location)),
        "partition_spec_id": int(found.about.get("partition-spec-id", 0)),
        "added_snapshot_id": snapshot_id,
        "partitions": None,
    }
    row |= {f"{name}_files_count": counts[status][0] for name, status in named.items()}
    row |= {f"{name}_rows_count": counts[status][1] for name, status in named.items()}
    return _regular(row)
