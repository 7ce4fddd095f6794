"""Files that one snapshot added, put onto another snapshot: manifests, manifest list and summary.

Manifests are handled as they were written, whoever wrote them; a manifest is written anew only where its
entries name a snapshot or a sequence number that is not theirs any more.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from uuid import uuid4

from ingot.lake import avro, entries, files, manifest_list, manifests, metadata
from ingot.lake.manifests import ADDED, DATA, DELETED, EXISTING
from ingot.lake.same_rows import SAME_ROWS
from ingot.lake.types import Json

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
    sequence = manifest_list.sequence_of(document)
    folder = f"{document['location']}/metadata"
    new = []
    for piece in pieces:
        row = _placed(piece, snapshot_id, folder, written)
        new.append({**row, "sequence_number": sequence, "min_sequence_number": sequence})
    rows = [*new, *(manifests.list_rows(parent["manifest-list"]) if parent else ())]
    said = _summary(parent, pieces, summary)
    return manifest_list.snapshot(document, rows, snapshot_id=snapshot_id, summary=said, written=written)


def _rows(location: str) -> tuple[Json, ...]:
    rows = manifests.list_rows(location)
    if any(not isinstance(row.get(name), kind) for row in rows for name, kind in _ROW.items()):
        raise NotAppendedError(f"{location} is not a manifest list")
    return rows


def _piece(row: Json, old: set[str], check: Callable[[str], None] | None) -> tuple[Piece, tuple[Json, ...]]:
    if check:
        check(row["manifest_path"])
    read = avro.read(row["manifest_path"])
    schema, about, records = read.schema, dict(read.about), read.records
    for record in records:
        file = record.get("data_file")
        if record.get("status") not in (EXISTING, ADDED, DELETED) or not isinstance(file, dict):
            raise NotAppendedError(f"{row['manifest_path']} is not a manifest")
        if any(not isinstance(file.get(name), kind) for name, kind in _FILE.items()):
            raise NotAppendedError(f"{row['manifest_path']} is not a manifest")
    if any(record["status"] == DELETED for record in records):
        raise NotAppendedError("files were removed")
    if any((record["data_file"].get("content") or DATA) != DATA for record in records):
        raise NotAppendedError("rows were deleted")
    fresh = tuple(one for one in records if one["data_file"]["file_path"] not in old)
    return Piece(row, schema, about, fresh, len(fresh) == len(records)), records


def _placed(piece: Piece, snapshot_id: int, folder: str, written: list[str]) -> Json:
    """The row of the piece's manifest in a list, its sequence number aside."""
    row = {**piece.row, "added_snapshot_id": snapshot_id, "first_row_id": None}
    if piece.whole and all(_inherits(record, snapshot_id) for record in piece.records):
        return row
    records = [_inheriting(record, snapshot_id) for record in piece.records]
    content = avro.written(piece.schema, records, piece.about)
    at = f"{folder}/{uuid4()}-m0.avro"
    written.append(at)
    files.write(at, content)
    return {
        **row,
        "manifest_path": at,
        "manifest_length": len(content),
        "added_files_count": len(records),
        "added_rows_count": sum(record["data_file"]["record_count"] for record in records),
        "existing_files_count": 0,
        "existing_rows_count": 0,
        # The summary of the partitions may be wider than what is left: a reader looks once too often.
    }


def _inherits(record: Json, snapshot_id: int) -> bool:
    return (
        record["status"] == ADDED
        and record.get("snapshot_id") in (None, snapshot_id)
        and all(record.get(name) is None for name in _INHERITED)
        and record["data_file"].get("first_row_id") is None
    )


def _inheriting(record: Json, snapshot_id: int) -> Json:
    done = {**record, "status": ADDED, "snapshot_id": snapshot_id}
    done |= {name: None for name in _INHERITED if name in record}
    if "first_row_id" in record["data_file"]:
        done["data_file"] = {**record["data_file"], "first_row_id": None}
    return done


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
