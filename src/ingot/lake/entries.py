"""The entries of manifests in full: what each file holds, and manifests written anew without some of them.

A file that leaves a table is recorded as deleted by the snapshot that removed it, so that a reader of
changes sees it go. Manifests of other writers are kept in their own form.
"""

import io
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

import fastavro

from ingot.lake import files
from ingot.lake.errors import MissingFileError
from ingot.lake.lru import Lru
from ingot.lake.types import Json

EXISTING, ADDED, DELETED = 0, 1, 2
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Entry:
    """A live file of a table, with the numbers that it inherits from its manifest filled in."""

    record: Json
    spec_id: int

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
    def content(self) -> int:
        """0 for data, 1 and 2 for deletions."""
        return int(self.file.get("content") or 0)

    @property
    def partition(self) -> tuple[Any, ...]:
        """The partition's values as `as_number` gives them."""
        return tuple(as_number(value) for value in self.file["partition"].values())

    def statistic(self, name: str, column: int) -> Any:
        """The column's value in `lower_bounds`, `null_value_counts` and so on; None where there is none."""
        found = self.file.get(name) or ()
        return next((pair["value"] for pair in found if pair["key"] == column), None)


@dataclass(frozen=True, slots=True)
class Source:
    """A manifest as it was read: how it is written, and its live entries."""

    schema: Json
    about: Mapping[str, str]
    records: tuple[Json, ...]


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A manifest that takes the place of others, and its row in the manifest list but for path and length.

    `min_sequence_number` is that of the live files; None where there is none.
    """

    content: bytes
    row: Json


_sources: Lru[str, Source] = Lru(100_000, weigh=lambda found: len(found.records) + 1)


def has_live(row: Json) -> bool:
    """Whether a manifest may list live files; version 1 need not say."""
    return bool(row["added_files_count"] or row["existing_files_count"] or not row["deleted_files_count"])


def live(rows: Sequence[Json]) -> Iterator[Entry]:
    """The live entries of the manifests in these rows of a manifest list."""
    for row in rows:
        if has_live(row):
            for record in _source(row["manifest_path"]).records:
                yield Entry(_inherited(record, row), row["partition_spec_id"])


def without(rows: Sequence[Json], gone: Collection[str] | None, snapshot_id: int) -> list[Json | Rewritten]:
    """The rows of a snapshot in which the files `gone` (None: all) are deleted; others are left alone.

    Where all are, manifests that are alike come back as one.
    """
    done: list[Json | Rewritten] = []
    changed: dict[str, list[tuple[Json, Source]]] = {}
    for row in rows:
        if not has_live(row):
            continue
        source = _source(row["manifest_path"])
        if gone is None or any(one["data_file"]["file_path"] in gone for one in source.records):
            alike = [row["partition_spec_id"], row["content"], source.schema, dict(source.about)]
            group = json.dumps(alike) if gone is None else str(row["manifest_path"])
            changed.setdefault(group, []).append((row, source))
        else:
            done.append(row)
    return [*done, *(_rewritten(group, gone, snapshot_id) for group in changed.values())]


def _rewritten(
    group: Sequence[tuple[Json, Source]], gone: Collection[str] | None, snapshot_id: int
) -> Rewritten:
    records = []
    counts = {EXISTING: [0, 0], DELETED: [0, 0]}
    oldest = []
    for row, source in group:
        for record in source.records:
            full = _inherited(record, row)
            if gone is None or record["data_file"]["file_path"] in gone:
                # A deletion is told by the snapshot that made it, its data's age by the file's own numbers.
                status, full = DELETED, {**full, "snapshot_id": snapshot_id}
            else:
                status = EXISTING
            records.append({**full, "status": status})
            counts[status][0] += 1
            counts[status][1] += record["data_file"]["record_count"]
            if status == EXISTING:
                oldest.append(full["sequence_number"])
    first, source = group[0]
    row = {
        **{name: first[name] for name in ("partition_spec_id", "content")},
        "min_sequence_number": min(oldest, default=None),
        "added_snapshot_id": snapshot_id,
        "added_files_count": 0,
        "added_rows_count": 0,
        "existing_files_count": counts[EXISTING][0],
        "existing_rows_count": counts[EXISTING][1],
        "deleted_files_count": counts[DELETED][0],
        "deleted_rows_count": counts[DELETED][1],
        # What a manifest lost may still widen its summary, and none says nothing: a reader then looks once
        # too often, never too little.
        "partitions": first["partitions"] if len(group) == 1 else None,
    }
    out = io.BytesIO()
    fastavro.writer(out, _second(source.schema), records, codec="deflate", metadata=_about(source, first))
    return Rewritten(out.getvalue(), row)


def _about(source: Source, row: Json) -> dict[str, str]:
    content = "data" if row["content"] == 0 else "deletes"
    return {**source.about, "format-version": "2", "content": content}


def _second(schema: Json) -> Json:
    """The schema of a manifest with the columns that version 2 adds, where it was written as version 1."""
    names = {field["name"] for field in schema["fields"]}
    added = [
        {"name": name, "type": ["null", "long"], "default": None, "field-id": number}
        for name, number in (("sequence_number", 3), ("file_sequence_number", 4))
        if name not in names
    ]
    plain = {name: value for name, value in schema.items() if not name.startswith("__")}
    return {**plain, "fields": [*map(_with_content, schema["fields"]), *added]}


def _with_content(field: Json) -> Json:
    if field["name"] != "data_file" or any(one["name"] == "content" for one in field["type"]["fields"]):
        return field
    content = {"name": "content", "type": "int", "default": 0, "field-id": 134}
    return {**field, "type": {**field["type"], "fields": [content, *field["type"]["fields"]]}}


def _inherited(record: Json, row: Json) -> Json:
    """The entry with the numbers that a manifest leaves to its row in the manifest list."""
    found = dict(record)
    if found.get("snapshot_id") is None:
        found["snapshot_id"] = row["added_snapshot_id"]
    for name in ("sequence_number", "file_sequence_number"):
        if found.get(name) is None:
            found[name] = row["sequence_number"]
    return found


def _source(location: str) -> Source:
    if (cached := _sources.get(location)) is not None:
        return cached
    try:
        reader = fastavro.reader(io.BytesIO(files.read(location)))
        records = tuple(one for one in reader if one["status"] != DELETED)
        about = {name: text for name, text in reader.metadata.items() if not name.startswith("avro.")}
        schema = reader.writer_schema
    except (ValueError, EOFError, KeyError, IndexError) as error:
        message = f"The lake's file {location} is damaged: it is not an Iceberg manifest."
        raise MissingFileError(message) from error
    assert isinstance(schema, dict)
    return _sources.put(location, Source(schema, about, records))


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
