"""Updates of a table's history: snapshots, the refs that point at them, and their statistics.

Here stands the rule that keeps concurrent writers from losing rows: a snapshot must be newer than all that
the table has, and a ref moves only to a descendant of what it points at, unless the writer said that it
knows what it replaces.
"""

from ingot.lake.metadata.document import Json, by_id, number, numbers, obj, only, strings, text
from ingot.lake.metadata.draft import Draft
from ingot.lake.metadata.errors import InvalidMetadataError, StaleSnapshotError
from ingot.lake.metadata.table import NO_SNAPSHOT

MAIN = "main"
_OPERATIONS = ("append", "replace", "overwrite", "delete")
_RETENTION = ("max-ref-age-ms", "max-snapshot-age-ms", "min-snapshots-to-keep")


def is_replay(metadata: Json | None, requirements: list[object], updates: list[object]) -> bool:
    """Whether the commit was applied before: the table has every snapshot that it adds.

    A commit that adds none counts where it creates the table under the uuid that the table has. A client
    that never saw the answer sends its commit again. Being told of a conflict, it would delete the data
    files that the table now refers to.
    """
    if metadata is None:
        return False
    asked = [update for update in updates if isinstance(update, dict)]
    added = [update.get("snapshot") for update in asked if update.get("action") == "add-snapshot"]
    if not added:
        creates = {"type": "assert-create"} in requirements
        return creates and {"action": "assign-uuid", "uuid": metadata.get("table-uuid")} in asked
    known = {(one["snapshot-id"], one.get("manifest-list")) for one in metadata.get("snapshots") or ()}
    return all(
        isinstance(one, dict)
        and isinstance(one.get("snapshot-id"), int)
        and isinstance(one.get("manifest-list"), str)
        and (one["snapshot-id"], one["manifest-list"]) in known
        for one in added
    )


def add_snapshot(draft: Draft, update: Json) -> None:
    """Adds a snapshot that is newer than all others; raises `StaleSnapshotError` where it is not."""
    snapshot = _checked(obj(update.get("snapshot"), "'snapshot'"), draft["format-version"])
    snapshot_id = snapshot["snapshot-id"]
    if any(known["snapshot-id"] == snapshot_id for known in draft["snapshots"]):
        raise StaleSnapshotError(f"The table has another snapshot {snapshot_id} already.")
    if draft["format-version"] >= 2:
        last, sequence = draft["last-sequence-number"], snapshot["sequence-number"]
        if sequence <= last:
            raise StaleSnapshotError(
                f"The table changed: snapshot {snapshot_id} has the sequence number {sequence}, "
                f"but the table is at {last} already."
            )
        draft["last-sequence-number"] = sequence
    if draft["format-version"] >= 3:
        _take_row_ids(draft, snapshot)
    schema_id = snapshot.get("schema-id")
    given = draft.renamed.get("schemas", {}).get(schema_id, schema_id) if schema_id is not None else None
    if given != schema_id:
        snapshot = {**snapshot, "schema-id": given}
    draft.append("snapshots", snapshot)
    draft.snapshots.add(snapshot_id)


def set_snapshot_ref(draft: Draft, update: Json) -> None:
    """Points a branch or tag of the table at one of its snapshots."""
    name = text(update.get("ref-name"), "'ref-name'")
    snapshot_id = number(update.get("snapshot-id"), "'snapshot-id'")
    kind = only(update.get("type"), ("branch", "tag"), f"The type of the table's ref '{name}'")
    snapshots = by_id(draft["snapshots"], "snapshot-id")
    if snapshot_id not in snapshots:
        raise InvalidMetadataError(
            f"The table's ref '{name}' cannot point at {snapshot_id}: no such snapshot."
        )
    if name == MAIN and kind != "branch":
        raise InvalidMetadataError("The table's ref 'main' is always a branch.")
    ref: Json = {"snapshot-id": snapshot_id, "type": kind}
    for key in _RETENTION:
        if update.get(key) is not None:
            if kind == "tag" and key != "max-ref-age-ms":
                raise InvalidMetadataError(f"'{key}' is for branches; '{name}' is a tag.")
            ref[key] = number(update[key], f"'{key}'", least=1)
    before = draft["refs"].get(name)
    if snapshot_id in draft.snapshots and name not in draft.asserted and name not in draft.cleared:
        _check_descends(name, snapshot_id, before, snapshots)
    draft["refs"] = {**draft["refs"], name: ref}
    if name == MAIN and draft["current-snapshot-id"] != snapshot_id:
        draft["current-snapshot-id"] = snapshot_id
        moment = snapshots[snapshot_id]["timestamp-ms"] if snapshot_id in draft.snapshots else draft.now_ms
        log = draft["snapshot-log"]
        if log:
            moment = max(moment, log[-1]["timestamp-ms"])
        draft.append("snapshot-log", {"snapshot-id": snapshot_id, "timestamp-ms": moment})


def remove_snapshot_ref(draft: Draft, update: Json) -> None:
    """Removes a ref; without `main` the table is empty."""
    name = text(update.get("ref-name"), "'ref-name'")
    draft["refs"] = {known: ref for known, ref in draft["refs"].items() if known != name}
    draft.cleared.add(name)
    if name == MAIN:
        draft["current-snapshot-id"] = NO_SNAPSHOT
        draft["snapshot-log"] = []


def remove_snapshots(draft: Draft, update: Json) -> None:
    """Forgets snapshots, and with them their statistics and the refs that point at them."""
    gone = set(numbers(update.get("snapshot-ids"), "'snapshot-ids'"))
    draft["snapshots"] = [one for one in draft["snapshots"] if one["snapshot-id"] not in gone]
    draft.snapshots -= gone
    for name in [name for name, ref in draft["refs"].items() if ref["snapshot-id"] in gone]:
        remove_snapshot_ref(draft, {"ref-name": name})
    log: list[Json] = []
    for entry in draft["snapshot-log"]:
        # What came before a missing entry would be answered wrongly by time travel, so it goes as well.
        log = [] if entry["snapshot-id"] in gone else [*log, entry]
    draft["snapshot-log"] = log
    for key in ("statistics", "partition-statistics"):
        draft[key] = [one for one in draft[key] if one["snapshot-id"] not in gone]


def set_statistics(draft: Draft, update: Json) -> None:
    """Sets the statistics file of a snapshot."""
    file = obj(update.get("statistics"), "'statistics'")
    snapshot_id = number(
        file.get("snapshot-id", update.get("snapshot-id")), "'snapshot-id' of the statistics"
    )
    text(file.get("statistics-path"), "'statistics-path'")
    number(file.get("file-size-in-bytes"), "'file-size-in-bytes'", least=0)
    number(file.get("file-footer-size-in-bytes"), "'file-footer-size-in-bytes'", least=0)
    _replace(draft, "statistics", snapshot_id, {"blob-metadata": [], **file, "snapshot-id": snapshot_id})


def remove_statistics(draft: Draft, update: Json) -> None:
    """Removes the statistics of a snapshot."""
    _replace(draft, "statistics", number(update.get("snapshot-id"), "'snapshot-id'"), None)


def set_partition_statistics(draft: Draft, update: Json) -> None:
    """Sets the partition statistics file of a snapshot."""
    file = obj(update.get("partition-statistics"), "'partition-statistics'")
    snapshot_id = number(file.get("snapshot-id"), "'snapshot-id' of the partition statistics")
    text(file.get("statistics-path"), "'statistics-path'")
    number(file.get("file-size-in-bytes"), "'file-size-in-bytes'", least=0)
    _replace(draft, "partition-statistics", snapshot_id, file)


def remove_partition_statistics(draft: Draft, update: Json) -> None:
    """Removes the partition statistics of a snapshot."""
    _replace(draft, "partition-statistics", number(update.get("snapshot-id"), "'snapshot-id'"), None)


def _checked(snapshot: Json, version: int) -> Json:
    number(snapshot.get("snapshot-id"), "'snapshot-id'", least=0)
    number(snapshot.get("timestamp-ms"), "'timestamp-ms' of the snapshot", least=0)
    if snapshot.get("parent-snapshot-id") is None or snapshot["parent-snapshot-id"] == NO_SNAPSHOT:
        snapshot = {key: value for key, value in snapshot.items() if key != "parent-snapshot-id"}
    else:
        number(snapshot["parent-snapshot-id"], "'parent-snapshot-id'")
    if snapshot.get("schema-id") is not None:
        number(snapshot["schema-id"], "'schema-id' of the snapshot", least=0)
    if version >= 2:
        number(snapshot.get("sequence-number"), "'sequence-number' of the snapshot", least=0)
    if version >= 2 or "manifests" not in snapshot:
        text(snapshot.get("manifest-list"), "'manifest-list' of the snapshot")
    if version >= 2 or "summary" in snapshot:
        summary = strings(snapshot.get("summary"), "'summary' of the snapshot")
        only(summary.get("operation"), _OPERATIONS, "The operation of the snapshot")
    return snapshot


def _take_row_ids(draft: Draft, snapshot: Json) -> None:
    if snapshot.get("first-row-id") is None:
        raise InvalidMetadataError("A snapshot of a version 3 table must have 'first-row-id'.")
    first = number(snapshot["first-row-id"], "'first-row-id'", least=0)
    added = number(snapshot.get("added-rows", 0), "'added-rows'", least=0)
    if first < draft["next-row-id"]:
        raise StaleSnapshotError(
            f"The table changed: the snapshot numbers its rows from {first}, but the table is at {draft['next-row-id']}."
        )
    draft["next-row-id"] = max(draft["next-row-id"], first) + added


def _check_descends(name: str, snapshot_id: int, before: Json | None, snapshots: dict[int, Json]) -> None:
    if before is None or before["type"] != "branch":
        return
    at: int | None = snapshot_id
    seen: set[int] = set()
    while at is not None and at in snapshots and at not in seen:
        if at == before["snapshot-id"]:
            return
        seen.add(at)
        at = snapshots[at].get("parent-snapshot-id")
    raise StaleSnapshotError(
        f"The table changed: its ref '{name}' is at snapshot {before['snapshot-id']}, "
        f"which snapshot {snapshot_id} was not built on."
    )


def _replace(draft: Draft, key: str, snapshot_id: int, item: Json | None) -> None:
    kept = [one for one in draft[key] if one["snapshot-id"] != snapshot_id]
    draft[key] = kept if item is None else [*kept, item]
