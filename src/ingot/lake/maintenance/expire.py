"""Snapshot expiry: a table forgets snapshots that are neither recent nor among the newest.

Only the list in the table's metadata gets shorter. Files are removed by `collect`, once no ref and no commit
within the window needs them.
"""

from dataclasses import dataclass
from datetime import datetime

from ingot.lake import metadata, names
from ingot.lake.maintenance.clock import millis
from ingot.lake.metadata.time import now
from ingot.lake.model import Key
from ingot.lake.staged import Staged, table_content, write_metadata
from ingot.lake.state import Table
from ingot.lake.types import Json


@dataclass(frozen=True, slots=True)
class Plan:
    """Snapshots that one table would forget."""

    key: Key
    table: Table
    snapshots: frozenset[int]


def plan(table: Table, *, cutoff: datetime, keep: int) -> Plan | None:
    """What there is to forget, or None."""
    gone = expired(table.metadata, cutoff=cutoff, keep=keep)
    return Plan(names.key(table.name), table, gone) if gone else None


def expired(document: Json, *, cutoff: datetime, keep: int) -> frozenset[int]:
    """Snapshots older than `cutoff` that are not among the newest `keep`; never one that a table's ref names."""
    by_age = sorted(
        document["snapshots"],
        key=lambda one: (one.get("sequence-number", 0), one["timestamp-ms"]),
        reverse=True,
    )
    named = {ref["snapshot-id"] for ref in document["refs"].values()} | {document.get("current-snapshot-id")}
    return frozenset(
        one["snapshot-id"]
        for one in by_age[max(keep, 1) :]
        if one["timestamp-ms"] < millis(cutoff) and one["snapshot-id"] not in named
    )


def stage(what: Plan) -> Staged:
    """Writes the shorter metadata; moves no ref."""
    before = what.table.content
    updates = [{"action": "remove-snapshots", "snapshot-ids": sorted(what.snapshots)}]
    after = metadata.apply(what.table.metadata, [], updates, now_ms=now(), previous=before.metadata_location)
    at = write_metadata(after, before.metadata_location)
    return Staged(what.key, table_content(after, at, before.id), before, files=(at,))
