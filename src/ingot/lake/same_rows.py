"""Which snapshots stand for the same rows: compaction makes a new one, and changes no row.

A `replace` snapshot of Ingot's says in its summary whose rows it has. What other writers made, and what they
say of it, stands for itself.
"""

from ingot.errors import IngotError
from ingot.lake import metadata
from ingot.lake.lru import Lru
from ingot.lake.model import Content
from ingot.lake.staged import read_json
from ingot.lake.types import Json

SAME_ROWS = "ingot.same-rows-as"
"""In the summary of a `replace` snapshot: the snapshot that first had its rows."""

_found: Lru[str, int] = Lru(100_000)


def origin(snapshot: Json) -> int:
    """The snapshot that first had the rows of this one: itself, or what it was compacted from."""
    summary = snapshot.get("summary") or {}
    said = summary.get(SAME_ROWS)
    if (
        summary.get("operation") == "replace"
        and isinstance(said, str)
        and said.isascii()
        and said.isdecimal()
    ):
        return int(said)
    return int(snapshot["snapshot-id"])


def origin_of(content: Content) -> int:
    """The same for a table as the catalog has it; its own snapshot where its metadata cannot be read."""
    at = content.metadata_location
    if (cached := _found.get(at)) is not None:
        return cached
    if content.snapshot_id == -1:
        return -1
    try:
        current = metadata.current_snapshot(metadata.expand(read_json(at)))
    except IngotError:
        # The rows of such a table may be elsewhere, and only its reader needs them.
        return content.snapshot_id
    if current is None or current["snapshot-id"] != content.snapshot_id:
        return content.snapshot_id
    return _found.put(at, origin(current))
