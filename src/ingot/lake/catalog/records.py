"""Commits and contents as rows: their JSON form, their hash, and reading them back."""

import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row

from ingot.lake.model import Commit, Content, ContentType, Delete, Key, Put

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(time: datetime) -> int:
    """Microseconds since 1970 of an aware time, exactly."""
    return (time - _EPOCH) // _MICROSECOND


def moment(value: int) -> datetime:
    """The UTC time of microseconds since 1970."""
    return _EPOCH + value * _MICROSECOND


def content_row(content: Content) -> dict[str, Any]:
    """A content as plain JSON, without what is at its default."""
    row: dict[str, Any] = {"type": content.type.value, "id": content.id}
    if content.metadata_location:
        row |= {
            "at": content.metadata_location,
            "snapshot": content.snapshot_id,
            "schema": content.schema_id,
            "spec": content.spec_id,
            "order": content.sort_order_id,
        }
    if content.properties:
        row["properties"] = dict(sorted(content.properties.items()))
    return row


def content_of(row: Mapping[str, Any]) -> Content:
    """The content that `content_row` wrote."""
    return Content(
        type=ContentType(row["type"]),
        id=row["id"],
        metadata_location=row.get("at", ""),
        snapshot_id=row.get("snapshot", -1),
        schema_id=row.get("schema", 0),
        spec_id=row.get("spec", 0),
        sort_order_id=row.get("order", 0),
        properties=row.get("properties", {}),
    )


def operations_text(operations: Sequence[Put | Delete]) -> str:
    """Operations as canonical JSON: `[key, content or null]`, in the order of keys."""
    rows = [
        [list(one.key), content_row(one.content) if isinstance(one, Put) else None]
        for one in sorted(operations, key=lambda operation: operation.key)
    ]
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":"))


def operations_of(text: str) -> tuple[Put | Delete, ...]:
    """The operations that `operations_text` wrote."""
    return tuple(
        Delete(tuple(key)) if row is None else Put(tuple(key), content_of(row))
        for key, row in json.loads(text)
    )


def commit_hash(
    parents: Sequence[str], operations: str, *, author: str, message: str, at: int, properties: str
) -> str:
    """64 hex digits that depend on everything in the commit and, through its parents, on all before it."""
    parts = [list(parents), operations, author, message, at, properties]
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()


def commit_of(row: Row[Any]) -> Commit:
    """A row of the table of commits."""
    return Commit(
        hash=row.hash,
        parents=(row.parent,) if row.merged is None else (row.parent, row.merged),
        author=row.author,
        message=row.message,
        time=moment(row.committed_at),
        operations=operations_of(row.operations),
        properties=json.loads(row.properties),
    )


def pack(entries: Mapping[Key, Content]) -> bytes:
    """All entries of a commit as one compressed value."""
    rows = [[list(key), content_row(content)] for key, content in entries.items()]
    return zlib.compress(json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode(), 1)


def unpack(packed: bytes) -> dict[Key, Content]:
    """The entries that `pack` wrote."""
    return {tuple(key): content_of(row) for key, row in json.loads(zlib.decompress(packed))}
