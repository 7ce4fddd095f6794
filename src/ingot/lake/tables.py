"""Writing tables: a query becomes data files, a manifest, a snapshot and the next metadata file.

Nothing here moves a ref. An overwritten table keeps its uuid, its location and its history.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, get_args
from uuid import uuid4

from ingot.errors import did_you_mean
from ingot.lake import datafiles, files, metadata, names, scan, snapshots, transforms, types, upsert
from ingot.lake import shape as shapes
from ingot.lake.datafiles import LINEAGE, Arrow
from ingot.lake.entries import Entry, as_number
from ingot.lake.errors import LakeError, SchemaError
from ingot.lake.manifests import DataFile
from ingot.lake.model import Content, Key
from ingot.lake.shape import DEFAULTS, Mode, Shape, Wish
from ingot.lake.sql import identifier
from ingot.lake.staged import Staged, read_json, table_content, write_metadata
from ingot.lake.types import Json

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_TARGET = "write.target-file-size-bytes"


def stage(
    con: "DuckDBPyConnection",
    key: Key,
    source: "str | Arrow",
    *,
    before: Content | None,
    location: Callable[[], str],
    mode: Mode,
    partition_by: Sequence[str],
    sort_by: Sequence[str],
    properties: Mapping[str, str],
    by: Sequence[str] = (),
) -> Staged:
    """Writes the rows of `source` as a new snapshot of the table (or as a new table where `before` is None).

    Raises `SchemaError` for columns that cannot be stored and `WriteError` where the query fails; then
    every file that was written is gone again.
    """
    name = names.dotted(key)
    _check_mode(mode, by, name)
    with datafiles.relation(con, source) as query:
        columns = datafiles.describe(con, query, name)
        types.check_names([column for column, _ in columns], name)
        wish = Wish(name, columns, mode, partition_by, sort_by, properties)
        base = None if before is None else metadata.expand(read_json(before.metadata_location))
        if base is None or before is None:
            shape = shapes.new(wish, location(), _now())
        else:
            shape = shapes.evolved(wish, base, before.metadata_location, _now())
        at = "" if before is None else before.metadata_location
        if mode == "upsert":
            with upsert.prepared(
                con,
                datafiles.selected(query, shape.fields, shape.select),
                name=name,
                key=upsert.check_key(by, shape.fields, name),
                before=base,
                document=shape.document,
                location=at,
            ) as change:
                fields = (*shape.fields, *(LINEAGE if change.numbered else ()))
                stored = tuple(identifier(field["name"]) for field in fields)
                added = _write(con, change.query, replace(shape, fields=fields, select=stored), name)
                return _finish(key, shape, added, before, mode=mode, gone=change.gone, extra=change.numbered)
        partitioned = _one_spec(base, shape, name) if mode == "overwrite_partitions" else []
        added = _write(con, query, shape, name)
        touched = {tuple(map(as_number, one.partition)) for one in added}
        gone = _and_their_deletes(partitioned, [one for one in partitioned if one.partition in touched])
        return _finish(key, shape, added, before, mode=mode, gone=gone)


def _check_mode(mode: Mode, by: Sequence[str], name: str) -> None:
    known = get_args(Mode)
    if mode not in known:
        raise LakeError(
            f"'{mode}' is not a way to write {name}{did_you_mean(mode, known)}; known are {', '.join(known)}."
        )
    if by and mode != "upsert":
        raise LakeError(f"Only an upsert into {name} takes key columns; the mode is '{mode}'.")


def _one_spec(base: Json | None, shape: Shape, name: str) -> list[Entry]:
    """The live files, which are all partitioned as the table is now, so that theirs can be compared."""
    if not shape.terms:
        raise SchemaError(
            f"{name} is not partitioned, so there are no partitions to replace.",
            hint="Use the mode overwrite, or upsert with a key.",
        )
    live = [] if base is None else scan.live_entries(base)
    spec = metadata.default_spec(shape.document)["spec-id"]
    if any(one.spec_id != spec for one in live):
        raise SchemaError(
            f"{name} has files from before its partitioning was changed: which of them belong to a partition "
            "cannot be told.",
            hint="Rebuild the table once (mode overwrite), or compact it.",
        )
    return live


def _and_their_deletes(live: Sequence[Entry], gone: Sequence[Entry]) -> set[str]:
    """The ids of files that go, with the deletion vectors that speak of nothing else."""
    paths = {one.path for one in gone}
    speaking = [one for one in live if one.file.get("referenced_data_file") in paths]
    return {one.id for one in (*gone, *speaking)}


def _write(con: "DuckDBPyConnection", query: str, shape: Shape, name: str) -> list[DataFile]:
    document = shape.document
    target = document["properties"].get(_TARGET, "")
    return datafiles.write(
        con,
        query,
        name=name,
        folder=f"{document['location']}/data",
        fields=shape.fields,
        select=shape.select,
        terms=shape.terms,
        order_by=transforms.order_by(metadata.default_order(document), shape.fields),
        target_bytes=int(target if target.isdecimal() else DEFAULTS[_TARGET]),
    )


def _finish(
    key: Key,
    shape: Shape,
    added: Sequence[DataFile],
    before: Content | None,
    *,
    mode: Mode,
    gone: Collection[str] = (),
    extra: bool = False,
) -> Staged:
    """The snapshot and the metadata around data files that are on disk."""
    document = shape.document
    written = [one.path for one in added]
    try:
        snapshot = snapshots.write(
            document, added, shape.terms, mode, written, gone=frozenset(gone), extra=extra
        )
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


def _now() -> int:
    return time.time_ns() // 1_000_000
