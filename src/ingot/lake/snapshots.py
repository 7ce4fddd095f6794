"""A new snapshot of a table: its manifest, its manifest list, and the summary that readers count on."""

import time
from collections.abc import Sequence
from uuid import uuid4

from ingot.lake import files, manifests, metadata
from ingot.lake.manifests import DataFile
from ingot.lake.shape import Mode
from ingot.lake.transforms import Term
from ingot.lake.types import Json

_TOTALS = {"total-data-files": "data-files", "total-records": "records", "total-files-size": "files-size"}
_DELETES = ("total-delete-files", "total-position-deletes", "total-equality-deletes")


def write(
    document: Json, added: Sequence[DataFile], terms: Sequence[Term], mode: Mode, written: list[str]
) -> Json:
    """Writes what the snapshot refers to and gives it back; every file is noted in `written`."""
    schema, spec = metadata.current_schema(document), metadata.default_spec(document)
    parent = metadata.current_snapshot(document)
    snapshot_id = uuid4().int >> 65
    sequence = document["last-sequence-number"] + 1
    folder = f"{document['location']}/metadata"
    kept = manifests.list_rows(parent["manifest-list"]) if parent and mode == "append" else ()
    rows = [row for row in kept if row["added_files_count"] or row["existing_files_count"]]
    if added:
        content = manifests.manifest(added, snapshot_id=snapshot_id, schema=schema, spec=spec, terms=terms)
        at = f"{folder}/{uuid4()}-m0.avro"
        written.append(at)
        files.write(at, content)
        row = manifests.listed(
            at, len(content), added, snapshot_id=snapshot_id, sequence=sequence, spec=spec, terms=terms
        )
        rows = [row, *rows]
    parent_id = parent["snapshot-id"] if parent else None
    at = f"{folder}/snap-{snapshot_id}-1-{uuid4()}.avro"
    written.append(at)
    files.write(
        at, manifests.manifest_list(rows, snapshot_id=snapshot_id, parent=parent_id, sequence=sequence)
    )
    snapshot: Json = {
        "snapshot-id": snapshot_id,
        "sequence-number": sequence,
        "timestamp-ms": max(time.time_ns() // 1_000_000, document["last-updated-ms"]),
        "manifest-list": at,
        "summary": _summary(parent, added, mode),
        "schema-id": schema["schema-id"],
    }
    return snapshot if parent_id is None else {**snapshot, "parent-snapshot-id": parent_id}


def _summary(parent: Json | None, added: Sequence[DataFile], mode: Mode) -> dict[str, str]:
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
            # A total that an earlier writer left out is unknown, not zero.
            if parent is None or total in before:
                summary[total] = str(old + new[what])
            continue
        summary[total] = str(new[what])
        if old:
            summary["removed-files-size" if what == "files-size" else f"deleted-{what}"] = str(old)
    summary |= {total: before.get(total, "0") if mode == "append" else "0" for total in _DELETES}
    if added and added[0].partition:
        summary["changed-partition-count"] = str(len({one.partition for one in added}))
    return {**summary, "engine-name": "ingot"}
