"""The entries of manifests in full: what each file holds, and manifests written anew without some of them.

A file that leaves a table is recorded as deleted by the snapshot that removed it, so that a reader of
changes sees it go. Manifests of other writers are kept in their own form, whatever their values mean to them.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from ingot.lake import avro
from ingot.lake.lru import Lru
from ingot.lake.manifests import DATA, DELETED, EXISTING, FIRST_ROW_ID, SEQUENCES
from ingot.lake.transforms import Term
from ingot.lake.types import Json

POSITION_DELETES, EQUALITY_DELETES = 1, 2
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Entry:
    """A live file of a table, with the numbers that it inherits from its manifest filled in."""

    record: Json
    spec_id: int
    kinds: Mapping[str, Any] = field(default_factory=dict)
    """How the manifest stores each value of the partition."""

    @property
    def file(self) -> Json:
        """Iceberg's `data_file`."""
        found: Json = self.record["data_file"]
        return found

    @property
    def path(self) -> str:
        """Where the file is."""
        return str(self.file["file_path"])

    @property
    def id(self) -> str:
        """What tells it from all others: its path, and where in it a deletion vector begins."""
        return id_of(self.file)

    @property
    def content(self) -> int:
        """0 for rows, 1 for deletes by position, 2 for deletes by value."""
        return int(self.file.get("content") or DATA)

    @property
    def sequence(self) -> int:
        """The data sequence number, which says which deletes apply."""
        return int(self.record["sequence_number"])

    @property
    def bytes(self) -> int:
        """How large the file is."""
        return int(self.file["file_size_in_bytes"])

    @property
    def rows(self) -> int:
        """How many records the file holds."""
        return int(self.file["record_count"])

    @property
    def partition(self) -> tuple[Any, ...]:
        """The partition's values as `as_number` gives them."""
        stored = self.file.get("partition") or {}
        return tuple(_number(self.kinds.get(name), value) for name, value in stored.items())

    @property
    def shown(self) -> str:
        """The partition as people name it: `ordered_at_month=661/region=north`."""
        names = self.file.get("partition") or {}
        values = zip(names, self.partition, strict=True)
        return "/".join(f"{name}={_readable(self.kinds.get(name), value)}" for name, value in values)

    def statistic(self, name: str, column: int) -> Any:
        """The column's value in `lower_bounds`, `null_value_counts` and so on; None where there is none."""
        found = self.file.get(name) or ()
        return next((pair["value"] for pair in found if pair["key"] == column), None)


@dataclass(frozen=True, slots=True)
class Source:
    """One manifest of a snapshot: its row in the manifest list, its Avro schema and header, its live files."""

    row: Json
    schema: Json
    about: Mapping[str, str]
    entries: tuple[Entry, ...]

    @property
    def content(self) -> int:
        """0 for a manifest of data files, 1 for one of delete files."""
        return int(self.row["content"])


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A manifest that takes the place of others, and its row in the manifest list but for path and length.

    `min_sequence_number` is that of the live files; None where there is none.
    """

    content: bytes
    row: Json


_read: Lru[str, avro.Avro] = Lru(100_000, weigh=lambda found: len(found.records) + 1)


def id_of(file: Json) -> str:
    """What tells a `data_file` from all others; many deletion vectors may share one file."""
    at = file.get("content_offset")
    return str(file["file_path"]) if at is None else f"{file['file_path']}#{at}"


def has_live(row: Json) -> bool:
    """Whether a manifest may list live files; version 1 need not say."""
    return bool(row["added_files_count"] or row["existing_files_count"] or not row["deleted_files_count"])


def read(rows: Sequence[Json]) -> list[Source]:
    """The manifests in these rows of a manifest list; raises `MissingFileError`."""
    return [_source(row) for row in rows]


def live(rows: Sequence[Json]) -> Iterator[Entry]:
    """The live entries of the manifests in these rows of a manifest list."""
    for row in rows:
        if has_live(row):
            yield from _source(row).entries


def without(
    rows: Sequence[Json], gone: Collection[str] | None, snapshot_id: int, version: int
) -> list[Json | Rewritten]:
    """The rows of a snapshot in which the files whose ids are in `gone` (None: all) are deleted.

    Where all are, manifests that are alike come back as one.
    """
    done: list[Json | Rewritten] = []
    changed: dict[str, list[Source]] = {}
    for row in rows:
        if not has_live(row):
            continue
        source = _source(row)
        if gone is None or any(one.id in gone for one in source.entries):
            alike = [row["partition_spec_id"], row["content"], source.schema, dict(source.about)]
            group = json.dumps(alike) if gone is None else str(row["manifest_path"])
            changed.setdefault(group, []).append(source)
        else:
            done.append(row)
    return [*done, *(rewritten(group, gone, snapshot_id, version) for group in changed.values())]


def rewritten(
    group: Sequence[Source], gone: Collection[str] | None, snapshot_id: int, version: int
) -> Rewritten:
    """Manifests that are alike as one, in which the files whose ids are in `gone` (None: all) are deleted."""
    live = [one for source in group for one in source.entries]
    dead = [one for one in live if gone is None or one.id in gone]
    kept = [one for one in live if not (gone is None or one.id in gone)]
    records = [{**one.record, "status": EXISTING} for one in kept]
    # A deletion is told by the snapshot that made it, its data's age by the file's own numbers.
    records += [{**one.record, "status": DELETED, "snapshot_id": snapshot_id} for one in dead]
    first = group[0]
    named = {"content": first.content, "partition_spec_id": first.row["partition_spec_id"]}
    row = {
        **named,
        "min_sequence_number": min((one.sequence for one in kept), default=None),
        "added_snapshot_id": snapshot_id,
        "added_files_count": 0,
        "added_rows_count": 0,
        "existing_files_count": len(kept),
        "existing_rows_count": sum(one.rows for one in kept),
        "deleted_files_count": len(dead),
        "deleted_rows_count": sum(one.rows for one in dead),
        # What a manifest lost may still widen its summary, and none says nothing: a reader then looks once
        # too often, never too little.
        "partitions": first.row.get("partitions") if len(group) == 1 else None,
        "first_row_id": _first_row_id(group, kept),
    }
    return Rewritten(written(first, records, version), row)


def _first_row_id(group: Sequence[Source], kept: Sequence[Entry]) -> int | None:
    """A number for the manifest where its files need none of their own; None has them numbered anew."""
    if any(one.file.get("first_row_id") is None for one in kept):
        return None
    return min(
        (int(one.row["first_row_id"]) for one in group if one.row.get("first_row_id") is not None),
        default=None,
    )


def written(like: Source, records: Sequence[Json], version: int) -> bytes:
    """A manifest of entries of `like`, in its form, with what the table's format version adds to it."""
    if version == 1:
        return avro.written(like.schema, records, like.about)
    content = "data" if like.content == DATA else "deletes"
    about = {**like.about, "format-version": str(version), "content": content}
    return avro.written(_later(like.schema, version), records, about)


def _later(schema: Json, version: int) -> Json:
    """The schema of a manifest with what versions 2 and 3 add, where it was written without."""
    names = {one["name"] for one in schema["fields"]}
    added = [one for one in SEQUENCES if one["name"] not in names]
    return {**schema, "fields": [*(_later_file(one, version) for one in schema["fields"]), *added]}


def _later_file(field: Json, version: int) -> Json:
    if field["name"] != "data_file":
        return field
    fields = field["type"]["fields"]
    names = {one["name"] for one in fields}
    if "content" not in names:
        fields = [{"name": "content", "type": "int", "default": 0, "field-id": 134}, *fields]
    if version > 2 and "first_row_id" not in names:
        fields = [*fields, FIRST_ROW_ID]
    return {**field, "type": {**field["type"], "fields": fields}}


def _source(row: Json) -> Source:
    location = row["manifest_path"]
    found = _read.get(location) or _read.put(location, avro.read(location))
    return Source(row, found.schema, found.about, tuple(_entries(found, row)))


def _entries(found: avro.Avro, row: Json) -> Iterator[Entry]:
    """The live entries with the numbers that a manifest leaves to its row in the manifest list."""
    kinds = _kinds(found.schema)
    next_row = row.get("first_row_id") if row["content"] == DATA else None
    for record in found.records:
        if record["status"] == DELETED:
            continue
        done = dict(record)
        if done.get("snapshot_id") is None:
            done["snapshot_id"] = row["added_snapshot_id"]
        for name in ("sequence_number", "file_sequence_number"):
            if done.get(name) is None:
                done[name] = row["sequence_number"]
        if next_row is not None and record["data_file"].get("first_row_id") is None:
            done["data_file"] = {**record["data_file"], "first_row_id": next_row}
            next_row += record["data_file"]["record_count"]
        yield Entry(done, row["partition_spec_id"], kinds)


def _kinds(schema: Json) -> dict[str, Any]:
    """How each field of the partition is stored."""
    at: Any = schema
    for name in ("data_file", "partition"):
        at = next((one["type"] for one in at["fields"] if one["name"] == name), {"fields": []})
    found = {}
    for one in at["fields"]:
        kinds = one["type"] if isinstance(one["type"], list) else [one["type"]]
        found[one["name"]] = next((kind for kind in kinds if kind != "null"), None)
    return found


def _number(kind: Any, value: Any) -> Any:
    if isinstance(value, bytes) and isinstance(kind, dict) and kind.get("logicalType") == "decimal":
        return Decimal(int.from_bytes(value, "big", signed=True)).scaleb(-kind.get("scale", 0))
    return value


def _readable(kind: Any, value: Any) -> str:
    means = kind.get("logicalType") if isinstance(kind, dict) else None
    if means == "uuid" and isinstance(value, bytes):
        return str(UUID(bytes=value))
    if isinstance(value, int):
        try:
            if means == "date":
                return str(_EPOCH.date() + timedelta(days=value))
            if means == "timestamp-micros":
                return str(_EPOCH + timedelta(microseconds=value))
            if means == "time-micros":
                return str((_EPOCH + timedelta(microseconds=value)).time())
        except OverflowError:
            return str(value)
    return str(value)


def partition_values(entry: Entry, terms: Sequence[Term]) -> tuple[Any, ...]:
    """The partition as `manifests.DataFile` has it."""
    return tuple(
        UUID(bytes=value) if term.result == "uuid" and isinstance(value, bytes) else value
        for term, value in zip(terms, entry.partition, strict=True)
    )


def as_number(value: Any) -> Any:
    """Dates, times and timestamps as the number, UUIDs as the bytes that Iceberg stores; anything else as it is."""
    if isinstance(value, UUID):
        return value.bytes
    if isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=UTC)
        since = moment - _EPOCH
        return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    if isinstance(value, date):
        return (value - _EPOCH.date()).days
    if isinstance(value, time):
        return ((value.hour * 60 + value.minute) * 60 + value.second) * 1_000_000 + value.microsecond
    return value
