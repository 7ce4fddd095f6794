"""Row-level deletes as an engine writes them: a position delete file and a snapshot that has it, by hand."""

import json
from collections.abc import Sequence
from uuid import uuid4

import duckdb

from ingot.lake import Lake, Staged, avro, entries, files, manifests, metadata
from ingot.lake.model import Commit
from ingot.lake.part import advance
from ingot.lake.staged import table_content, write_metadata
from ingot.lake.types import Json


def delete_rows(
    lake: Lake, con: duckdb.DuckDBPyConnection, branch: str, name: str, condition: str
) -> Commit | None:
    """`DELETE FROM name WHERE condition` as merge-on-read; None where no row meets it."""
    table = lake.at(branch).table(name)
    document = table.metadata
    spec = metadata.default_spec(document)
    snapshot_id, sequence = uuid4().int >> 65, document["last-sequence-number"] + 1
    parent = metadata.current_snapshot(document)
    assert parent is not None
    folder = document["location"]
    sources = entries.read(manifests.list_rows(parent["manifest-list"]))
    deleted = gone_already(con, sources)
    records: list[Json] = []
    for source in sources:
        for one in source.entries:
            if one.content != 0:
                continue
            found = con.execute(
                f"SELECT '{one.path}' AS file_path, file_row_number AS pos FROM "
                f"read_parquet('{one.path}', file_row_number = true) WHERE {condition} ORDER BY pos"
            ).fetchall()
            rows = [row for row in found if row not in deleted]
            if rows:
                at = f"{folder}/data/{uuid4()}-deletes.parquet"
                write_positions(con, rows, at)
                size = con.execute(f"SELECT size FROM read_blob('{at}')").fetchall()[0][0]
                file = {**one.file, "content": 1, "file_path": at, "record_count": len(rows)}
                file |= {"file_size_in_bytes": size, "lower_bounds": None, "upper_bounds": None}
                file |= {"column_sizes": None, "value_counts": None, "null_value_counts": None}
                records.append({"status": 1, "snapshot_id": snapshot_id, "data_file": file})
    if not records:
        return None
    schema = json.loads(json.dumps(sources[0].schema))
    about = {**sources[0].about, "content": "deletes", "partition-spec-id": str(spec["spec-id"])}
    about.pop("ingot.made-by", None)
    content = avro.written(schema, records, about)
    at = f"{folder}/metadata/{uuid4()}-m0.avro"
    files.write(at, content)
    count = sum(one["data_file"]["record_count"] for one in records)
    row = {
        **sources[0].row,
        "manifest_path": at,
        "manifest_length": len(content),
        "content": 1,
        "sequence_number": sequence,
        "min_sequence_number": sequence,
        "added_snapshot_id": snapshot_id,
        "added_files_count": len(records),
        "existing_files_count": 0,
        "deleted_files_count": 0,
        "added_rows_count": count,
        "existing_rows_count": 0,
        "deleted_rows_count": 0,
        "partitions": None,
    }
    listed = f"{folder}/metadata/snap-{snapshot_id}-1-{uuid4()}.avro"
    listed_rows = [*(source.row for source in sources if source.entries), row]
    files.write(
        listed,
        manifests.manifest_list(
            listed_rows, snapshot_id=snapshot_id, parent=parent["snapshot-id"], sequence=sequence
        ),
    )
    before = parent["summary"]
    total = int(before["total-position-deletes"]) + count
    snapshot = {
        "snapshot-id": snapshot_id,
        "parent-snapshot-id": parent["snapshot-id"],
        "sequence-number": sequence,
        "timestamp-ms": document["last-updated-ms"] + 1,
        "manifest-list": listed,
        "summary": {**before, "operation": "delete", "total-position-deletes": str(total)},
        "schema-id": document["current-schema-id"],
    }
    after = advance(document, snapshot, table.metadata_location)
    location = write_metadata(after, table.metadata_location)
    content_ = table_content(after, location, table.content.id)
    key = tuple(name.split("."))
    return lake.commit(branch, [Staged(key, content_, table.content)], message=f"delete from {name}")


def gone_already(con: duckdb.DuckDBPyConnection, sources: Sequence[entries.Source]) -> set[tuple[str, int]]:
    """The positions that earlier delete files have taken."""
    paths = [one.path for source in sources for one in source.entries if one.content == 1]
    if not paths:
        return set()
    return set(con.execute(f"SELECT file_path, pos FROM read_parquet({paths})").fetchall())


def write_positions(con: duckdb.DuckDBPyConnection, rows: Sequence[tuple[str, int]], at: str) -> None:
    """A position delete file with the field ids that the specification gives."""
    values = ", ".join(f"('{path}', {pos}::BIGINT)" for path, pos in rows)
    con.execute(
        f"COPY (SELECT * FROM (VALUES {values}) v(file_path, pos)) TO '{at}' "
        "(FORMAT parquet, FIELD_IDS {file_path: 2147483546, pos: 2147483545})"
    )
