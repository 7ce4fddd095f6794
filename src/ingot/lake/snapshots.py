"""A new snapshot of a table: its manifest, its manifest list, and the summary that readers count on."""

from collections.abc import Collection, Sequence
from uuid import uuid4

from ingot.lake import entries, files, manifest_list, manifests, metadata
from ingot.lake.entries import Entry, Rewritten, as_number
from ingot.lake.manifests import DataFile
from ingot.lake.shape import Mode
from ingot.lake.transforms import Term
from ingot.lake.types import Json

_TOTALS = {"total-data-files": "data-files", "total-records": "records", "total-files-size": "files-size"}
_DELETES = ("total-delete-files", "total-position-deletes", "total-equality-deletes")


def write(
    document: Json,
    added: Sequence[DataFile],
    terms: Sequence[Term],
    mode: Mode,
    written: list[str],
    *,
    gone: Collection[str] = (),
    extra: bool = False,
) -> Json:
    """Writes what the snapshot refers to and gives it back; every file is noted in `written`.

    `overwrite` removes every file of the parent, `append` none, the other modes those whose ids are in
    `gone`. A removed file is recorded as deleted. `extra` where the new files have more columns than the table.
    """
    schema, spec = metadata.current_schema(document), metadata.default_spec(document)
    parent = metadata.current_snapshot(document)
    snapshot_id = uuid4().int >> 65
    version, sequence = document["format-version"], manifest_list.sequence_of(document)
    folder = f"{document['location']}/metadata"
    before = manifest_list.rows_of(parent)
    rows: list[Json] = []
    if added:
        content = manifests.manifest(
            added,
            snapshot_id=snapshot_id,
            schema=schema,
            spec=spec,
            terms=terms,
            version=version,
            extra=extra,
        )
        at = _store(folder, content, written)
        rows.append(
            manifests.listed(
                at, len(content), added, snapshot_id=snapshot_id, sequence=sequence, spec=spec, terms=terms
            )
        )
    removed: list[Entry] = []
    if mode == "append":
        rows += [row for row in before if entries.has_live(row)]
    else:
        removed = [one for one in entries.live(before) if mode == "overwrite" or one.id in gone]
        for row in entries.without(before, None if mode == "overwrite" else gone, snapshot_id, version):
            rows.append(_listed(row, folder, sequence, written) if isinstance(row, Rewritten) else row)
    summary = _summary(parent, added, removed, mode)
    return manifest_list.snapshot(document, rows, snapshot_id=snapshot_id, summary=summary, written=written)


def _store(folder: str, content: bytes, written: list[str]) -> str:
    at = f"{folder}/{uuid4()}-m0.avro"
    written.append(at)
    files.write(at, content)
    return at


def _listed(one: Rewritten, folder: str, sequence: int, written: list[str]) -> Json:
    at = _store(folder, one.content, written)
    return {
        **one.row,
        "manifest_path": at,
        "manifest_length": len(one.content),
        "sequence_number": sequence,
        "min_sequence_number": sequence
        if one.row["min_sequence_number"] is None
        else one.row["min_sequence_number"],
    }


def _summary(
    parent: Json | None, added: Sequence[DataFile], removed: Sequence[Entry], mode: Mode
) -> dict[str, str]:
    before = (parent or {}).get("summary", {})
    data = [one for one in removed if one.content == manifests.DATA]
    new = {
        "data-files": len(added),
        "records": sum(one.rows for one in added),
        "files-size": sum(one.bytes for one in added),
    }
    old = {
        "data-files": len(data),
        "records": sum(one.file["record_count"] for one in data),
        "files-size": sum(one.file["file_size_in_bytes"] for one in removed),
    }
    summary = {"operation": "append" if mode == "append" or parent is None else "overwrite"}
    summary |= {f"added-{what}": str(count) for what, count in new.items() if count}
    summary |= {
        "removed-files-size" if what == "files-size" else f"deleted-{what}": str(count)
        for what, count in old.items()
        if count
    }
    deletes = _deletes(removed)
    summary |= {f"removed-{what}": str(count) for what, count in deletes.items() if count}
    changes = {total: new[what] - old[what] for total, what in _TOTALS.items()}
    changes |= {total: -deletes[total.removeprefix("total-")] for total in _DELETES}
    for total, change in changes.items():
        if mode == "overwrite" or parent is None:
            summary[total] = str(new[_TOTALS[total]] if total in _TOTALS else 0)
        elif total in before or total in _DELETES:
            # A total that an earlier writer left out is unknown, not zero.
            summary[total] = str(int(before.get(total, 0)) + change)
    if (added and added[0].partition) or any(one.partition for one in data):
        changed = {tuple(map(as_number, one.partition)) for one in added} | {one.partition for one in data}
        summary["changed-partition-count"] = str(len(changed))
    return {**summary, "engine-name": "ingot"}


def _deletes(removed: Sequence[Entry]) -> dict[str, int]:
    """How many delete files go, and how many rows they deleted, by what Iceberg calls them."""
    counts = {"delete-files": 0, "position-deletes": 0, "equality-deletes": 0}
    for one in removed:
        if one.content != manifests.DATA:
            counts["delete-files"] += 1
            kind = "equality-deletes" if one.content == 2 else "position-deletes"
            counts[kind] += one.file["record_count"]
    return counts
