"""One commit on a table: requirements checked, updates applied, a new document or a refusal."""

from collections.abc import Callable, Sequence
from typing import Any

from ingot.errors import did_you_mean
from ingot.lake.metadata import snapshots, structure
from ingot.lake.metadata.document import Json, obj, shown, strings, text, texts
from ingot.lake.metadata.draft import Draft
from ingot.lake.metadata.errors import InvalidMetadataError
from ingot.lake.metadata.requirements import asserted_refs, check
from ingot.lake.metadata.table import empty_table, expand, regular

_KEPT_LOCATIONS = "write.metadata.previous-versions-max"


def apply(
    metadata: Json | None,
    requirements: Sequence[Any],
    updates: Sequence[Any],
    *,
    now_ms: int,
    previous: str | None = None,
) -> Json:
    """The table's metadata after the commit; `metadata` itself (the same object) where nothing changes.

    `metadata` None means that the table does not exist yet: the commit must hold all that makes one.
    `previous` is where `metadata` is stored, for the log of metadata files. A commit that was applied
    before (all its snapshots are there) changes nothing.

    Raises `RequirementFailedError` and `StaleSnapshotError` where the table moved since the commit was
    prepared, `InvalidMetadataError` where a requirement or update is not valid.
    """
    base = None if metadata is None else expand(metadata)
    if metadata is not None and snapshots.is_replay(base, list(requirements), list(updates)):
        return metadata
    for requirement in requirements:
        check(requirement, base)
    draft = Draft(
        document=dict(empty_table() if base is None else base),
        now_ms=now_ms,
        asserted=frozenset(asserted_refs(list(requirements))),
    )
    for update in updates:
        action = obj(update, "An update").get("action")
        change = _ACTIONS.get(action) if isinstance(action, str) else None
        if change is None:
            raise InvalidMetadataError(
                f"There is no update {shown(action)}{did_you_mean(str(action), _ACTIONS)}.",
                hint=f"Known are {', '.join(_ACTIONS)}.",
            )
        change(draft, update)
    if metadata is not None and draft.document == base:
        return metadata
    _check_whole(draft)
    log = draft["snapshot-log"]
    draft["last-updated-ms"] = max(now_ms, log[-1]["timestamp-ms"] if log else 0)
    if base is not None and previous is not None:
        _log_previous(draft, base, previous)
    return regular(draft.document)


def _set_location(draft: Draft, update: Json) -> None:
    draft["location"] = text(update.get("location"), "'location'").rstrip("/") or "/"


def _set_properties(draft: Draft, update: Json) -> None:
    draft["properties"] = {
        **draft["properties"],
        **strings(update.get("updates"), "'updates' of set-properties"),
    }


def _remove_properties(draft: Draft, update: Json) -> None:
    gone = set(texts(update.get("removals"), "'removals' of remove-properties"))
    draft["properties"] = {key: value for key, value in draft["properties"].items() if key not in gone}


def _add_encryption_key(draft: Draft, update: Json) -> None:
    key = obj(update.get("encryption-key"), "'encryption-key'")
    key_id = text(key.get("key-id"), "'key-id'")
    text(key.get("encrypted-key-metadata"), "'encrypted-key-metadata'")
    kept = [known for known in draft.document.get("encryption-keys", []) if known["key-id"] != key_id]
    draft["encryption-keys"] = [*kept, key]


def _remove_encryption_key(draft: Draft, update: Json) -> None:
    key_id = text(update.get("key-id"), "'key-id'")
    kept = [known for known in draft.document.get("encryption-keys", []) if known["key-id"] != key_id]
    draft["encryption-keys"] = kept


def _enable_row_lineage(draft: Draft, _update: Json) -> None:
    """Version 3 tables always have it; for earlier ones it never became part of the specification."""
    if draft["format-version"] < 3:
        raise InvalidMetadataError(
            f"Row lineage needs format version 3; the table has {draft['format-version']}."
        )


_ACTIONS: dict[str, Callable[[Draft, Json], None]] = {
    "assign-uuid": structure.assign_uuid,
    "upgrade-format-version": structure.upgrade_format_version,
    "add-schema": structure.add_schema,
    "set-current-schema": structure.set_current_schema,
    "remove-schemas": structure.remove_schemas,
    "add-spec": structure.add_spec,
    "set-default-spec": structure.set_default_spec,
    "remove-partition-specs": structure.remove_partition_specs,
    "add-sort-order": structure.add_sort_order,
    "set-default-sort-order": structure.set_default_sort_order,
    "add-snapshot": snapshots.add_snapshot,
    "set-snapshot-ref": snapshots.set_snapshot_ref,
    "remove-snapshots": snapshots.remove_snapshots,
    "remove-snapshot-ref": snapshots.remove_snapshot_ref,
    "set-statistics": snapshots.set_statistics,
    "remove-statistics": snapshots.remove_statistics,
    "set-partition-statistics": snapshots.set_partition_statistics,
    "remove-partition-statistics": snapshots.remove_partition_statistics,
    "set-location": _set_location,
    "set-properties": _set_properties,
    "remove-properties": _remove_properties,
    "add-encryption-key": _add_encryption_key,
    "remove-encryption-key": _remove_encryption_key,
    "enable-row-lineage": _enable_row_lineage,
}
ACTIONS = tuple(_ACTIONS)


def _check_whole(draft: Draft) -> None:
    """A commit that creates a table may leave out the spec and the order, but nothing else."""
    if not draft["partition-specs"]:
        draft["partition-specs"], draft["default-spec-id"] = [{"spec-id": 0, "fields": []}], 0
    if not draft["sort-orders"]:
        draft["sort-orders"], draft["default-sort-order-id"] = [{"order-id": 0, "fields": []}], 0
    for key, update in (("table-uuid", "assign-uuid"), ("location", "set-location")):
        if draft[key] is None and not (key == "table-uuid" and draft["format-version"] == 1):
            raise InvalidMetadataError(f"The commit makes a new table but has no update '{update}'.")
    draft.chosen("schemas", "schema-id", draft["current-schema-id"])
    draft.chosen("partition-specs", "spec-id", draft["default-spec-id"])
    draft.chosen("sort-orders", "order-id", draft["default-sort-order-id"])


def _log_previous(draft: Draft, base: Json, previous: str) -> None:
    kept = draft["properties"].get(_KEPT_LOCATIONS, "100")
    if not (kept.isascii() and kept.isdigit() and 1 <= len(kept) <= 9):
        raise InvalidMetadataError(
            f"The property {_KEPT_LOCATIONS} must be a whole number, not {shown(kept)}."
        )
    entry = {"timestamp-ms": base["last-updated-ms"], "metadata-file": previous}
    draft["metadata-log"] = [*draft["metadata-log"], entry][-max(1, int(kept)) :]
