"""Files that one snapshot added, put onto another snapshot: manifests, manifest list and summary.

Manifests are handled as they were written, whoever wrote them; a manifest is written anew only where its
entries name a snapshot or a sequence number that is not theirs any more.
"""

import io
import time
from collections.abc import Callable, Collection, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import fastavro

from ingot.lake import entries, files, manifests, metadata
from ingot.lake.errors import MissingFileError
from ingot.lake.manifests import DATA
from ingot.lake.same_rows import SAME_ROWS
from ingot.lake.types import Json

_EXISTING, _ADDED, _DELETED = 0, 1, 2
_ROW = {"manifest_path": str, "partition_spec_id": int, "content": int}
_FILE = {"file_path": str, "record_count": int, "file_size_in_bytes": int, "partition": dict}
_INHERITED = ("sequence_number", "file_sequence_number")
_OWN = ("added-", "total-", "deleted-", "removed-", "changed-partition-count", SAME_ROWS)
"""Keys of a summary that are computed anew; others say who wrote, and why, and are kept."""


class NotAppendedError(Exception):
    """A snapshot did more than to add data files; the message says what, as the end of a sentence."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A manifest of the adding side, with those of its entries that are new."""

    row: Json
    schema: Json
    about: dict[str, str]
    records: tuple[Json, ...]
    whole: bool
    """Every entry is new, so that the manifest may be used as it is."""


def added(before: str | None, after: str, *, check: Callable[[str], None] | None = None) -> list[Piece]:
    """What the snapshot with the manifest list `after` has beyond that with `before`.

    `check` is asked about every location that is read, before it is. Raises `NotAppendedError` where
    something is gone, or deletes rows.
    """
    known = {row["manifest_path"]: row for row in _rows(before)} if before else {}
    if check:
        check(after)
    rows = _rows(after)
    paths = {row["manifest_path"] for row in rows}
    gone = [row for path, row in known.items() if path not in paths]
    fresh = [row for row in rows if row["manifest_path"] not in known]
    if any(row["content"] != DATA for row in (*gone, *fresh)):
        raise NotAppendedError("rows were deleted")
    old = {one.path for row in gone for one in manifests.read(row["manifest_path"]).files}
    pieces = [_piece(row, old, check) for row in fresh]
    kept = {record["data_file"]["file_path"] for row in pieces for record in row[1]}
    if not old <= kept:
        raise NotAppendedError("files were removed or rewritten")
    return [piece for piece, _ in pieces if piece.records]


def contains(before: str | None, after: str) -> None:
    """Raises `NotAppendedError` unless the snapshot `after` has all that `before` has, and deletes no more."""
    known = {row["manifest_path"] for row in _rows(before)} if before else set()
    rows = _rows(after)
    if not known <= {row["manifest_path"] for row in rows}:
        added(before, after)
    elif any(row["content"] != DATA for row in rows if row["manifest_path"] not in known):
        raise NotAppendedError("rows were deleted")


def paths(pieces: Sequence[Piece]) -> set[str]:
    """The files of the pieces."""
    return {record["data_file"]["file_path"] for piece in pieces for record in piece.records}


def rows_of(location: str) -> int | None:
    """How many rows a snapshot has, by its manifest list; None where delete files take some of them."""
    rows = [row for row in _rows(location) if entries.has_live(row)]
    if any(row["content"] != DATA for row in rows):
        return None
    return sum(int(row["added_rows_count"] + row["existing_rows_count"]) for row in rows)


def without(pieces: Sequence[Piece], paths: Collection[str]) -> list[Piece]:
    """The pieces without the files at `paths`."""
    done = []
    for piece in pieces:
        left = tuple(one for one in piece.records if one["data_file"]["file_path"] not in paths)
        if left:
            done.append(replace(piece, records=left, whole=piece.whole and left == piece.records))
    return done


def snapshot(
    document: Json, pieces: Sequence[Piece], *, snapshot_id: int, summary: Json, written: list[str]
) -> Json:
    """A snapshot of `document` that adds the pieces to its current one; its files are noted in `written`.

    `summary` is what the writers said; its counts are replaced by those of the files.
    """
    parent = metadata.current_snapshot(document)
    sequence = document["last-sequence-number"] + 1
    folder = f"{document['location']}/metadata"
    new = []
    for piece in pieces:
        row = _placed(piece, snapshot_id, folder, written)
        new.append({**row, "sequence_number": sequence, "min_sequence_number": sequence})
    rows = [*new, *(manifests.list_rows(parent["manifest-list"]) if parent else ())]
    made: Json = {
        "snapshot-id": snapshot_id,
        "sequence-number": sequence,
        "timestamp-ms": max(time.time_ns() // 1_000_000, document["last-updated-ms"]),
        "summary": _summary(parent, pieces, summary),
        "schema-id": document["current-schema-id"],
    }
    first: int | None = None
    if document["format-version"] >= 3:
        first = document["next-row-id"]
        rows, assigned = _numbered(rows, document["next-row-id"])
        made |= {"first-row-id": first, "added-rows": assigned}
    if parent:
        made["parent-snapshot-id"] = parent["snapshot-id"]
    content = manifests.manifest_list(
        rows,
        snapshot_id=snapshot_id,
        parent=parent["snapshot-id"] if parent else None,
        sequence=sequence,
        first_row_id=first,
    )
    at = f"{folder}/snap-{snapshot_id}-1-{uuid4()}.avro"
    written.append(at)
    files.write(at, content)
    return {**made, "manifest-list": at}


def _rows(location: str) -> tuple[Json, ...]:
    rows = manifests.list_rows(location)
    if any(not isinstance(row.get(name), kind) for row in rows for name, kind in _ROW.items()):
        raise NotAppendedError(f"{location} is not a manifest list")
    return rows


def _piece(row: Json, old: set[str], check: Callable[[str], None] | None) -> tuple[Piece, tuple[Json, ...]]:
    if check:
        check(row["manifest_path"])
    schema, about, records = _raw(row["manifest_path"])
    for record in records:
        file = record.get("data_file")
        if record.get("status") not in (_EXISTING, _ADDED, _DELETED) or not isinstance(file, dict):
            raise NotAppendedError(f"{row['manifest_path']} is not a manifest")
        if any(not isinstance(file.get(name), kind) for name, kind in _FILE.items()):
            raise NotAppendedError(f"{row['manifest_path']} is not a manifest")
    if any(record["status"] == _DELETED for record in records):
        raise NotAppendedError("files were removed")
    if any((record["data_file"].get("content") or DATA) != DATA for record in records):
        raise NotAppendedError("rows were deleted")
    fresh = tuple(one for one in records if one["data_file"]["file_path"] not in old)
    return Piece(row, schema, about, fresh, len(fresh) == len(records)), records


def _raw(location: str) -> tuple[Json, dict[str, str], tuple[Json, ...]]:
    """Schema, header and entries of a manifest; values as they are stored, dates too, which may have any year."""
    try:
        reader: Any = fastavro.block_reader(io.BytesIO(files.read(location)))
        schema: Json = reader.writer_schema
        plain = fastavro.parse_schema(_plain(deepcopy(schema)))
        records: list[Any] = []
        for block in reader:
            records += [
                fastavro.schemaless_reader(block.bytes_, plain, None) for _ in range(block.num_records)
            ]
    except (ValueError, EOFError, KeyError, IndexError) as error:
        message = f"The lake's file {location} is damaged: it is not an Iceberg manifest."
        raise MissingFileError(message) from error
    about = {name: value for name, value in reader.metadata.items() if not name.startswith("avro.")}
    return schema, about, tuple(records)


def _plain(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_plain(one) for one in schema]
    if isinstance(schema, dict):
        return {
            name: _plain(value)
            for name, value in schema.items()
            if name != "logicalType" and not name.startswith("__")
        }
    return schema


def _placed(piece: Piece, snapshot_id: int, folder: str, written: list[str]) -> Json:
    """The row of the piece's manifest in a list, its sequence number aside."""
    row = {**piece.row, "added_snapshot_id": snapshot_id, "first_row_id": None}
    if piece.whole and all(_inherits(record, snapshot_id) for record in piece.records):
        return row
    records = [_inheriting(record, snapshot_id) for record in piece.records]
    out = io.BytesIO()
    schema = {name: value for name, value in piece.schema.items() if not name.startswith("__")}
    fastavro.writer(out, schema, records, codec="deflate", metadata=piece.about)
    at = f"{folder}/{uuid4()}-m0.avro"
    written.append(at)
    files.write(at, out.getvalue())
    return {
        **row,
        "manifest_path": at,
        "manifest_length": len(out.getvalue()),
        "added_files_count": len(records),
        "added_rows_count": sum(record["data_file"]["record_count"] for record in records),
        "existing_files_count": 0,
        "existing_rows_count": 0,
        # The summary of the partitions may be wider than what is left: a reader looks once too often.
    }


def _inherits(record: Json, snapshot_id: int) -> bool:
    return (
        record["status"] == _ADDED
        and record.get("snapshot_id") in (None, snapshot_id)
        and all(record.get(name) is None for name in _INHERITED)
        and record["data_file"].get("first_row_id") is None
    )


def _inheriting(record: Json, snapshot_id: int) -> Json:
    done = {**record, "status": _ADDED, "snapshot_id": snapshot_id}
    done |= {name: None for name in _INHERITED if name in record}
    if "first_row_id" in record["data_file"]:
        done["data_file"] = {**record["data_file"], "first_row_id": None}
    return done


def _numbered(rows: Sequence[Json], first: int) -> tuple[list[Json], int]:
    """The rows with a number for the first row of each data manifest that has none, and how many were given."""
    done, at = [], first
    for row in rows:
        if row["content"] == DATA and row.get("first_row_id") is None:
            done.append({**row, "first_row_id": at})
            at += row["added_rows_count"] + row["existing_rows_count"]
        else:
            done.append(row)
    return done, at - first


def _summary(parent: Json | None, pieces: Sequence[Piece], said: Json) -> dict[str, str]:
    before = (parent or {}).get("summary", {})
    added_files = [record["data_file"] for piece in pieces for record in piece.records]
    new = {
        "data-files": len(added_files),
        "records": sum(one["record_count"] for one in added_files),
        "files-size": sum(one["file_size_in_bytes"] for one in added_files),
    }
    summary = {"operation": "append"}
    summary |= {
        name: value for name, value in said.items() if name != "operation" and not name.startswith(_OWN)
    }
    for what, count in new.items():
        if count:
            summary[f"added-{what}"] = str(count)
        # A total that an earlier writer left out is unknown, not zero.
        if parent is None or f"total-{what}" in before:
            summary[f"total-{what}"] = str(int(before.get(f"total-{what}", 0)) + count)
    kept = ("total-delete-files", "total-position-deletes", "total-equality-deletes")
    summary |= {name: before[name] for name in kept if name in before}
    partitions = {
        (piece.row["partition_spec_id"], repr(record["data_file"]["partition"]))
        for piece in pieces
        for record in piece.records
        if record["data_file"]["partition"]
    }
    if partitions:
        summary["changed-partition-count"] = str(len(partitions))
    return summary
