"""A part of a table put before the reader: some of its data files, with what was deleted from them.

Where rows have numbers (format version 3) they come along, so that a row that is written into another file
stays the row that it was. It is a snapshot that nothing refers to, and gone afterwards.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from uuid import uuid4

from ingot.lake import entries, files, manifest_list, manifests, metadata, scan
from ingot.lake.datafiles import LINEAGE
from ingot.lake.entries import Source
from ingot.lake.errors import SchemaError
from ingot.lake.manifests import DATA, EXISTING
from ingot.lake.sql import literal
from ingot.lake.staged import write_metadata
from ingot.lake.types import Json


def numbers_rows(document: Json) -> bool:
    """Whether the table's rows have numbers; `SchemaError` where columns of its own are in their way."""
    if document["format-version"] < 3:
        return False
    reserved = {field["name"] for field in LINEAGE}
    for field in metadata.current_schema(document)["fields"]:
        if field["name"].casefold() in reserved:
            raise SchemaError(
                f"The column '{field['name']}' has the name under which Iceberg keeps the numbers of rows.",
                hint="Rename it.",
            )
    return True


@contextmanager
def only(
    document: Json,
    location: str,
    sources: Sequence[Source],
    chosen: Collection[str],
    *,
    name: str,
    deletes: bool,
) -> Iterator[str]:
    """A query over the data files `chosen` of a table: its columns as they are now and, where rows have
    numbers, `_row_id` and `_last_updated_sequence_number`. `deletes` where some may be deleted.
    """
    version, folder = document["format-version"], f"{document['location']}/metadata"
    snapshot_id, sequence = uuid4().int >> 65, manifest_list.sequence_of(document)
    temporary: list[str] = []
    try:
        rows: list[Json] = []
        for source in sources:
            if source.content != DATA:
                if deletes and source.entries:
                    rows.append(source.row)
                continue
            kept = [one for one in source.entries if one.path in chosen]
            if kept:
                records = [{**one.record, "status": EXISTING} for one in kept]
                content = entries.written(source, records, version)
                at = f"{folder}/{uuid4()}-m0.avro"
                temporary.append(at)
                files.write(at, content)
                rows.append(
                    {
                        **source.row,
                        "manifest_path": at,
                        "manifest_length": len(content),
                        "sequence_number": sequence,
                        "min_sequence_number": min(one.sequence for one in kept),
                        "added_snapshot_id": snapshot_id,
                        "added_files_count": 0,
                        "existing_files_count": len(kept),
                        "deleted_files_count": 0,
                        "added_rows_count": 0,
                        "existing_rows_count": sum(one.rows for one in kept),
                        "deleted_rows_count": 0,
                    }
                )
        parent = metadata.current_snapshot(document)
        assert parent is not None
        first = document.get("next-row-id")
        # Rows without a number must not get one here: they get it where they are written to.
        listed = manifests.manifest_list(
            rows,
            snapshot_id=snapshot_id,
            parent=parent["snapshot-id"],
            sequence=sequence,
            first_row_id=first,
            version=version,
        )
        at = f"{folder}/snap-{snapshot_id}-1-{uuid4()}.avro"
        temporary.append(at)
        files.write(at, listed)
        snapshot = {**parent, "snapshot-id": snapshot_id, "manifest-list": at}
        snapshot |= {"parent-snapshot-id": parent["snapshot-id"], "summary": {"operation": "replace"}}
        snapshot |= {"sequence-number": sequence} if version > 1 else {}
        snapshot |= {"first-row-id": first, "added-rows": 0} if version > 2 else {}
        alone = advance(document, snapshot, location)
        at = write_metadata(alone, location)
        temporary.append(at)
        if version > 2:
            numbers = ", ".join(field["name"] for field in LINEAGE)
            yield f"SELECT *, {numbers} FROM iceberg_scan({literal(at)})"
        else:
            yield f"SELECT * FROM {scan.expression(alone, at, None, name)}"
    finally:
        files.remove(temporary)


def advance(document: Json, snapshot: Json, previous: str) -> Json:
    """The table's metadata with `snapshot` as its present one."""
    main = {"action": "set-snapshot-ref", "ref-name": "main", "type": "branch"}
    updates = [
        {"action": "add-snapshot", "snapshot": snapshot},
        {**main, "snapshot-id": snapshot["snapshot-id"]},
    ]
    return metadata.apply(document, [], updates, now_ms=snapshot["timestamp-ms"], previous=previous)
