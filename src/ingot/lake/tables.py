"""Writing tables: a query becomes data files, a manifest, a snapshot and the next metadata file.

Nothing here moves a ref. An overwritten table keeps its uuid and history; a column keeps its field id as
long as its name and a compatible type last.
"""

import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

import orjson

from ingot.lake import datafiles, files, manifests, metadata, names, transforms, types
from ingot.lake.errors import LakeError, SchemaError
from ingot.lake.manifests import DataFile
from ingot.lake.model import Content, Key
from ingot.lake.staged import Staged, read_json, table_content
from ingot.lake.transforms import Term
from ingot.lake.types import Json

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Mode = Literal["overwrite", "append"]
DEFAULTS = {
    # Other branches may refer to files that one branch no longer does: only Ingot's own collector knows.
    "gc.enabled": "false",
    "write.target-file-size-bytes": str(256 * 1024 * 1024),
    "write.parquet.compression-codec": "zstd",
}


@dataclass(frozen=True, slots=True)
class _Shape:
    """The table before the new snapshot, and how the query's columns go into it."""

    document: Json
    created: bool
    previous: str | None
    select: tuple[str, ...]
    fields: tuple[Json, ...]
    terms: tuple[Term, ...]


def stage(
    con: "DuckDBPyConnection",
    key: Key,
    query: str,
    *,
    before: Content | None,
    location: Callable[[], str],
    mode: Mode,
    partition_by: Sequence[str],
    sort_by: Sequence[str],
    properties: Mapping[str, str],
) -> Staged:
    """Writes the rows of `query` as a new snapshot of the table (or as a new table where `before` is None).

    Raises `SchemaError` for columns that cannot be stored and `WriteError` where the query fails; then
    every file that was written is gone again.
    """
    name = names.dotted(key)
    columns = datafiles.describe(con, query, name)
    types.check_names([column for column, _ in columns], name)
    base = None if before is None else metadata.expand(read_json(before.metadata_location))
    if base is None:
        shape = _new(name, columns, location(), partition_by, sort_by, properties)
    else:
        assert before is not None
        if base["format-version"] != 2:
            raise LakeError(
                f"{name} has the Iceberg format version {base['format-version']}; Ingot writes version 2."
            )
        shape = _evolved(
            name, columns, base, before.metadata_location, mode, partition_by, sort_by, properties
        )
    document = shape.document
    target = document["properties"].get(
        "write.target-file-size-bytes", DEFAULTS["write.target-file-size-bytes"]
    )
    added = datafiles.write(
        con,
        query,
        name=name,
        folder=f"{document['location']}/data",
        fields=shape.fields,
        select=shape.select,
        terms=shape.terms,
        order_by=transforms.order_by(metadata.default_order(document), shape.fields),
        target_bytes=int(target) if target.isdecimal() else int(DEFAULTS["write.target-file-size-bytes"]),
    )
    written = [one.path for one in added]
    try:
        snapshot = _snapshot(document, added, shape.terms, mode, written)
        main = {"action": "set-snapshot-ref", "ref-name": "main", "type": "branch"}
        updates = [
            {"action": "add-snapshot", "snapshot": snapshot},
            {**main, "snapshot-id": snapshot["snapshot-id"]},
        ]
        document = metadata.apply(
            document, [], updates, now_ms=snapshot["timestamp-ms"], previous=shape.previous
        )
        at = write_metadata(document, None if before is None else before.metadata_location)
    except BaseException:
        files.remove(written)
        raise
    content_id = before.id if before is not None else str(uuid4())
    return Staged(
        key,
        table_content(document, at, content_id),
        before,
        rows=sum(one.rows for one in added),
        bytes=sum(one.bytes for one in added),
        files=(*written, at),
    )


def stage_properties(key: Key, properties: Mapping[str, str | None], *, before: Content) -> Staged:
    """Sets (or, with None, removes) properties of a table."""
    document = metadata.expand(read_json(before.metadata_location))
    wanted = {name: value for name, value in properties.items() if value is not None}
    gone = [name for name, value in properties.items() if value is None]
    updates: list[Json] = []
    if wanted:
        updates.append({"action": "set-properties", "updates": wanted})
    if gone:
        updates.append({"action": "remove-properties", "removals": gone})
    done = metadata.apply(document, [], updates, now_ms=_now(), previous=before.metadata_location)
    if done is document:
        return Staged(key, before, before)
    at = write_metadata(done, before.metadata_location)
    return Staged(key, table_content(done, at, before.id), before, files=(at,))


def write_metadata(document: Json, previous: str | None) -> str:
    """Stores a metadata file under the next number and gives back where it is."""
    number = 0
    if previous is not None:
        head = PurePosixPath(previous).name.partition("-")[0].lstrip("v")
        number = int(head) + 1 if head.isdecimal() else 1
    at = f"{document['location']}/metadata/{number:05d}-{uuid4()}.metadata.json"
    files.write(at, orjson.dumps(document))
    return at


def _new(
    name: str,
    columns: Sequence[tuple[str, Any]],
    location: str,
    partition_by: Sequence[str],
    sort_by: Sequence[str],
    properties: Mapping[str, str],
) -> _Shape:
    counter = itertools.count(1)
    fields = types.with_ids(_fields(columns, name), [], lambda: next(counter))
    terms = transforms.partition_terms(partition_by, fields)
    document = metadata.new_table(
        uuid=str(uuid4()),
        location=location,
        schema={"type": "struct", "schema-id": 0, "fields": fields},
        spec=transforms.spec(terms, fields),
        order=transforms.sort_order(sort_by, fields),
        properties={**DEFAULTS, **properties},
        format_version=2,
        now_ms=_now(),
    )
    select = tuple(
        datafiles.cast(column, kind, field) for (column, kind), field in zip(columns, fields, strict=True)
    )
    return _Shape(document, True, None, select, tuple(fields), tuple(terms))


def _evolved(
    name: str,
    columns: Sequence[tuple[str, Any]],
    base: Json,
    previous: str,
    mode: Mode,
    partition_by: Sequence[str],
    sort_by: Sequence[str],
    properties: Mapping[str, str],
) -> _Shape:
    now = metadata.current_schema(base)["fields"]
    counter = itertools.count(base["last-column-id"] + 1)
    if mode == "overwrite":
        fields = types.with_ids(_fields(columns, name), now, lambda: next(counter))
        select = [
            datafiles.cast(column, kind, field) for (column, kind), field in zip(columns, fields, strict=True)
        ]
    else:
        fields, select = _appended(name, columns, now, lambda: next(counter))
    schema = {"type": "struct", "schema-id": _next_id(base, "schemas", "schema-id"), "fields": fields}
    updates: list[Json] = [
        {"action": "add-schema", "schema": schema},
        {"action": "set-current-schema", "schema-id": -1},
    ]
    if mode == "overwrite" or partition_by:
        spec = transforms.spec(transforms.partition_terms(partition_by, fields), fields)
        if mode == "append" and not _same_spec(spec, metadata.default_spec(base)):
            raise SchemaError(
                f"{name} is partitioned in another way than by {', '.join(partition_by)}.",
                hint="Rebuild it (full refresh, mode overwrite) to partition it anew.",
            )
        updates += [{"action": "add-spec", "spec": spec}, {"action": "set-default-spec", "spec-id": -1}]
    if mode == "overwrite" or sort_by:
        order = transforms.sort_order(sort_by, fields)
        updates += [
            {"action": "add-sort-order", "sort-order": order},
            {"action": "set-default-sort-order", "sort-order-id": -1},
        ]
    if properties:
        updates.append({"action": "set-properties", "updates": dict(properties)})
    document = metadata.apply(base, [], updates, now_ms=_now(), previous=previous)
    terms = tuple(transforms.terms_of(metadata.default_spec(document), fields))
    logged = document is not base
    return _Shape(document, False, None if logged else previous, tuple(select), tuple(fields), terms)


def _appended(
    name: str, columns: Sequence[tuple[str, Any]], now: Sequence[Json], fresh: Callable[[], int]
) -> tuple[list[Json], list[str]]:
    """The table's fields, widened and followed by new columns, and what goes into each of them."""
    given = {column.casefold(): (column, kind) for column, kind in columns}
    wanted = {field["name"].casefold(): field for field in _fields(columns, name)}
    fields: list[Json] = []
    select = []
    for field in now:
        found = given.pop(field["name"].casefold(), None)
        if found is None:
            if field["required"]:
                raise SchemaError(
                    f"{name} needs a value in '{field['name']}', which the new rows do not have."
                )
            fields.append(field)
            select.append(f"CAST(NULL AS {types.to_duckdb(field['type'])})")
            continue
        kept = _widened(name, field, wanted[field["name"].casefold()], fresh)
        fields.append(kept)
        select.append(datafiles.cast(found[0], found[1], kept))
    new = [{**wanted[folded], "name": column} for folded, (column, _) in given.items()]
    added = types.with_ids(new, [], fresh)
    select += [
        datafiles.cast(column, kind, field)
        for (column, kind), field in zip(given.values(), added, strict=True)
    ]
    return [*fields, *added], select


def _widened(name: str, field: Json, wanted: Json, fresh: Callable[[], int]) -> Json:
    old, new = field["type"], wanted["type"]
    if types.same(old, new):
        return field
    if isinstance(old, dict) and isinstance(new, dict) and types.promotable(old, new):
        return types.with_ids([{**wanted, "name": field["name"]}], [field], fresh)[0]
    if types.promotable(old, new):
        return {**field, "type": new}
    if types.fits(new, old):
        return field
    raise SchemaError(
        f"Column '{field['name']}' of {name} holds {types.shown(old)}; the new rows bring {types.shown(new)}.",
        hint="Cast the column, or rebuild the table (mode overwrite).",
    )


def _fields(columns: Sequence[tuple[str, Any]], name: str) -> list[Json]:
    if not columns:
        raise SchemaError(f"{name} would have no columns.")
    try:
        return [
            {"name": column, "required": False, "type": types.from_duckdb(kind, column)}
            for column, kind in columns
        ]
    except SchemaError as error:
        raise SchemaError(f"{name}: {error.message}", hint=error.hint) from None


def _same_spec(spec: Json, other: Json) -> bool:
    parts = [[(part["source-id"], part["transform"]) for part in one["fields"]] for one in (spec, other)]
    return parts[0] == parts[1]


def _next_id(base: Json, items: str, key: str) -> int:
    return 1 + max((one[key] for one in base[items]), default=-1)


def _snapshot(
    document: Json, added: Sequence[DataFile], terms: Sequence[Term], mode: Mode, written: list[str]
) -> Json:
    """Writes the manifest and the manifest list and gives back the snapshot that points at them."""
    schema, spec = metadata.current_schema(document), metadata.default_spec(document)
    parent = metadata.current_snapshot(document)
    snapshot_id = uuid4().int >> 65
    sequence = document["last-sequence-number"] + 1
    folder = f"{document['location']}/metadata"
    kept = manifests.read_list(parent["manifest-list"]) if parent and mode == "append" else []
    rows = [row for row in kept if row["added_files_count"] or row["existing_files_count"]]
    if added:
        content = manifests.manifest(added, snapshot_id=snapshot_id, schema=schema, spec=spec, terms=terms)
        at = f"{folder}/{uuid4()}-m0.avro"
        files.write(at, content)
        written.append(at)
        new = manifests.listed(
            at, len(content), added, snapshot_id=snapshot_id, sequence=sequence, spec=spec, terms=terms
        )
        rows = [new, *rows]
    parent_id = parent["snapshot-id"] if parent else None
    at = f"{folder}/snap-{snapshot_id}-1-{uuid4()}.avro"
    files.write(
        at, manifests.manifest_list(rows, snapshot_id=snapshot_id, parent=parent_id, sequence=sequence)
    )
    written.append(at)
    snapshot: Json = {
        "snapshot-id": snapshot_id,
        "sequence-number": sequence,
        "timestamp-ms": max(_now(), document["last-updated-ms"]),
        "manifest-list": at,
        "summary": _summary(parent, added, mode, len(rows)),
        "schema-id": schema["schema-id"],
    }
    return snapshot if parent_id is None else {**snapshot, "parent-snapshot-id": parent_id}


_TOTALS = {"total-data-files": "data-files", "total-records": "records", "total-files-size": "files-size"}


def _summary(
    parent: Json | None, added: Sequence[DataFile], mode: Mode, manifest_count: int
) -> dict[str, str]:
    before = (parent or {}).get("summary", {})
    new = {
        "data-files": len(added),
        "records": sum(one.rows for one in added),
        "files-size": sum(one.bytes for one in added),
    }
    summary = {"operation": "append" if mode == "append" or parent is None else "overwrite"}
    summary |= {f"added-{what}": str(count) for what, count in new.items() if count}
    for total, what in _TOTALS.items():
        old = int(before.get(total, 0))
        if mode == "append":
            summary[total] = str(old + new[what])
        else:
            summary[total] = str(new[what])
            if old:
                summary["removed-files-size" if what == "files-size" else f"deleted-{what}"] = str(old)
    for total in ("total-delete-files", "total-position-deletes", "total-equality-deletes"):
        summary[total] = before.get(total, "0") if mode == "append" else "0"
    if len(added) and added[0].partition:
        summary["changed-partition-count"] = str(len({one.partition for one in added}))
    return {**summary, "manifests-count": str(manifest_count), "engine-name": "ingot"}


def _now() -> int:
    return time.time_ns() // 1_000_000
