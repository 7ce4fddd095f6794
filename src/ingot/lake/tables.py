"""Writing tables: a query becomes data files, a manifest, a snapshot and the next metadata file.

Nothing here moves a ref. An overwritten table keeps its uuid, its location and its history.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from uuid import uuid4

import orjson

from ingot.lake import datafiles, files, metadata, names, snapshots, transforms, types
from ingot.lake import shape as shapes
from ingot.lake.model import Content, Key
from ingot.lake.shape import DEFAULTS, Mode, Wish
from ingot.lake.staged import Staged, read_json, table_content
from ingot.lake.types import Json

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_TARGET = "write.target-file-size-bytes"


def stage(
    con: "DuckDBPyConnection",
    key: Key,
    query: str,
    *,
    before: Content | None,
    location: Callable[[], str],
    mode: Mode,
    partition_by: Sequence[str],
    sort_by: Sequence[str],
    properties: Mapping[str, str],
) -> Staged:
    """Writes the rows of `query` as a new snapshot of the table (or as a new table where `before` is None).

    Raises `SchemaError` for columns that cannot be stored and `WriteError` where the query fails; then
    every file that was written is gone again.
    """
    name = names.dotted(key)
    columns = datafiles.describe(con, query, name)
    types.check_names([column for column, _ in columns], name)
    wish = Wish(name, columns, mode, partition_by, sort_by, properties)
    if before is None:
        shape = shapes.new(wish, location(), _now())
    else:
        base = metadata.expand(read_json(before.metadata_location))
        shape = shapes.evolved(wish, base, before.metadata_location, _now())
    document = shape.document
    target = document["properties"].get(_TARGET, "")
    added = datafiles.write(
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
    written = [one.path for one in added]
    try:
        snapshot = snapshots.write(document, added, shape.terms, mode, written)
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


def write_metadata(document: Json, previous: str | None) -> str:
    """Stores a metadata file under the next number and gives back where it is."""
    number = 0
    if previous is not None:
        head = PurePosixPath(previous).name.partition("-")[0].lstrip("v")
        number = int(head) + 1 if head.isdecimal() else 1
    at = f"{document['location']}/metadata/{number:05d}-{uuid4()}.metadata.json"
    files.write(at, orjson.dumps(document))
    return at


def _now() -> int:
    return time.time_ns() // 1_000_000
