"""The last file of a new snapshot, its manifest list, and the snapshot itself as its format version has it.

Version 1 knows no sequence numbers. Version 3 numbers rows: each data manifest that has no number yet gets
one, from which the numbers of its files follow.
"""

import time
from collections.abc import Mapping, Sequence
from uuid import uuid4

from ingot.lake import files, manifests, metadata
from ingot.lake.manifests import DATA
from ingot.lake.types import Json


def sequence_of(document: Json) -> int:
    """The sequence number of the next snapshot of a table; 0 in version 1."""
    return int(document["last-sequence-number"]) + 1 if document["format-version"] > 1 else 0


def rows_of(snapshot: Json | None) -> tuple[Json, ...]:
    """The rows of a snapshot's manifest list; those that one would have where version 1 wrote none."""
    if snapshot is None:
        return ()
    if "manifest-list" in snapshot:
        return manifests.list_rows(snapshot["manifest-list"])
    return tuple(manifests.row_of(one, snapshot["snapshot-id"]) for one in snapshot.get("manifests", ()))


def snapshot(
    document: Json,
    rows: Sequence[Json],
    *,
    snapshot_id: int,
    summary: Mapping[str, str],
    written: list[str],
) -> Json:
    """A snapshot on top of the table's current one; its manifest list is stored, and noted in `written`."""
    version, sequence = document["format-version"], sequence_of(document)
    parent = metadata.current_snapshot(document)
    parent_id = None if parent is None else parent["snapshot-id"]
    made: Json = {"snapshot-id": snapshot_id}
    if parent_id is not None:
        made["parent-snapshot-id"] = parent_id
    if version > 1:
        made["sequence-number"] = sequence
    first: int | None = None
    if version > 2:
        first = document["next-row-id"]
        rows, assigned = numbered(rows, first)
        made |= {"first-row-id": first, "added-rows": assigned}
    content = manifests.manifest_list(
        rows,
        snapshot_id=snapshot_id,
        parent=parent_id,
        sequence=sequence,
        first_row_id=first,
        version=version,
    )
    at = f"{document['location']}/metadata/snap-{snapshot_id}-1-{uuid4()}.avro"
    written.append(at)
    files.write(at, content)
    return {
        **made,
        "timestamp-ms": max(time.time_ns() // 1_000_000, document["last-updated-ms"]),
        "manifest-list": at,
        "summary": dict(summary),
        "schema-id": document["current-schema-id"],
    }


def numbered(rows: Sequence[Json], first: int) -> tuple[list[Json], int]:
    """The rows with a number for the first row of each data manifest that has none, and how many were given."""
    done, at = [], first
    for row in rows:
        if row["content"] == DATA and row.get("first_row_id") is None:
            done.append({**row, "first_row_id": at})
            at += row["added_rows_count"] + row["existing_rows_count"]
        elif row["content"] != DATA:
            done.append({**row, "first_row_id": None})
        else:
            done.append(row)
    return done, at - first
