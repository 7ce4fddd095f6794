"""Append rebase: rows that both sides added to one table stand together, instead of being a conflict.

It decides where that is safe: both sides only added data files to what they started from, or compacted what
was there, and the table is otherwise the same. What the new snapshot is made of stands in `graft`. Keys are
not looked at: two appends of the same row give the row twice, as two appends in a row would.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import uuid4

from ingot.errors import ConflictError
from ingot.lake import ancestry, files, graft, metadata, scan
from ingot.lake.errors import MissingFileError
from ingot.lake.graft import NotAppendedError, Piece
from ingot.lake.metadata import time
from ingot.lake.metadata.requirements import check as check_requirement
from ingot.lake.model import Content, ContentType
from ingot.lake.staged import read_json, table_content, write_metadata
from ingot.lake.types import Json

SWITCH = "write.ingot.rebase-appends"
"""The table's property that, set to `false`, makes concurrent appends conflict as everything else does."""
FROM = "ingot.rebased-from"
"""In a snapshot's summary: the manifest list that the client had sent for it."""

_ALIKE = {
    "format-version": "the format version",
    "table-uuid": "the table itself",
    "location": "the location",
    "schemas": "the schemas",
    "current-schema-id": "the current schema",
    "last-column-id": "the columns",
    "partition-specs": "the partitioning",
    "default-spec-id": "the partitioning",
    "sort-orders": "the sort order",
    "default-sort-order-id": "the sort order",
}
_SOURCE_ALIKE = {"statistics": "the statistics", "partition-statistics": "the statistics"}


@dataclass(frozen=True, slots=True)
class Rebased:
    """A table with the rows of both sides, on no ref yet."""

    content: Content
    files: tuple[str, ...]
    """What was written for it, to be removed where it is given up."""


def obstacle(base: Content | None, source: Content | None, target: Content | None) -> str | None:
    """Why the source's rows cannot be put onto the target; None where they can. Writes nothing."""
    try:
        _planned(base, source, target)
    except NotAppendedError as error:
        return str(error)
    return None


def merged(base: Content | None, source: Content | None, target: Content | None) -> Rebased:
    """The target with the rows that the source has added to `base`; raises `NotAppendedError`."""
    plan = _planned(base, source, target)
    assert target is not None
    updates: list[Json] = []
    moment = time.now()
    written: list[str] = []
    try:
        if plan.pieces:
            # A new id, because snapshot ids stand for rows: the source's means other rows than this one.
            id = uuid4().int >> 65
            made = graft.snapshot(plan.onto, plan.pieces, snapshot_id=id, summary=plan.said, written=written)
            updates, moment = _updates(made), made["timestamp-ms"]
        if plan.properties:
            updates.append({"action": "set-properties", "updates": plan.properties})
        if not updates:
            return Rebased(plan.whole, ())
        done = metadata.apply(plan.onto, [], updates, now_ms=moment, previous=target.metadata_location)
        at = write_metadata(done, target.metadata_location)
    except BaseException:
        files.remove(written)
        raise
    return Rebased(table_content(done, at, target.id), (*written, at))


def of_commit(
    document: Json,
    requirements: Sequence[object],
    updates: Sequence[object],
    *,
    previous: str,
    check: Callable[[str], None],
    written: list[str],
) -> Json:
    """The table after a client's append that was prepared on an earlier snapshot of it.

    The snapshots keep the ids that the client gave them. `check` is asked about every location that the
    client named; files are noted in `written`. Raises `NotAppendedError` where it is not a plain append or
    the table has seen anything else since.
    """
    now = metadata.expand(document)
    sent = _sent(requirements, updates, now)
    parent: int | None = sent[0].get("parent-snapshot-id")
    parent = None if parent == -1 else parent
    between = ancestry.since(now, () if parent is None else (parent,))
    if not all(map(ancestry.is_replace, between)):
        _check_switch(now)
    before = _list(now, parent)
    current = metadata.current_snapshot(now)
    # Compaction takes files away, and no rows: nothing that an append could have relied on.
    if current is not None and not any(map(ancestry.is_replace, between)):
        graft.contains(before, current["manifest-list"])
    done = document
    log: str | None = previous
    for snapshot in sent:
        if snapshot.get("schema-id") not in (None, now["current-schema-id"]):
            raise NotAppendedError("it was written with another schema")
        pieces = graft.added(before, snapshot["manifest-list"], check=check)
        _check_specs(now, pieces)
        before = snapshot["manifest-list"]
        said = {**snapshot["summary"], FROM: before}
        made = graft.snapshot(
            metadata.expand(done),
            pieces,
            snapshot_id=snapshot["snapshot-id"],
            summary=said,
            written=written,
        )
        done = metadata.apply(done, [], _updates(made), now_ms=made["timestamp-ms"], previous=log)
        log = None
    return done


def is_replay(document: Json | None, updates: Sequence[object]) -> bool:
    """Whether every snapshot of a client's commit is in the table already, as it was or rebased."""
    added = [
        one.get("snapshot")
        for one in updates
        if isinstance(one, dict) and one.get("action") == "add-snapshot"
    ]
    wanted: dict[int, Json] = {
        one["snapshot-id"]: one for one in added if isinstance(one, dict) and _is_named(one)
    }
    if not added or len(wanted) < len(added):
        return False
    known = [one for one in (document or {}).get("snapshots") or () if one["snapshot-id"] in wanted]
    return len(known) == len(wanted) and all(
        wanted[one["snapshot-id"]]["manifest-list"]
        in (one.get("manifest-list"), (one.get("summary") or {}).get(FROM))
        for one in known
    )


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a merge makes of a table: the pieces and properties put onto the target's document."""

    onto: Json
    pieces: list[Piece]
    said: Json
    properties: dict[str, str]
    whole: Content
    """What it is where there is nothing to put."""


def _is_named(snapshot: Json) -> bool:
    return isinstance(snapshot.get("snapshot-id"), int) and isinstance(snapshot.get("manifest-list"), str)


def _planned(base: Content | None, source: Content | None, target: Content | None) -> _Plan:
    if base is None or source is None or target is None:
        raise NotAppendedError("one side does not have the table")
    if any(one.type is not ContentType.TABLE or one.id != target.id for one in (base, source, target)):
        raise NotAppendedError("it is not the same table on both sides")
    if not base.metadata_location:
        raise NotAppendedError("the histories of the branches have crossed")
    try:
        from_, ours, onto = (
            metadata.expand(read_json(one.metadata_location)) for one in (base, source, target)
        )
        return _appended(from_, ours, onto, target)
    except MissingFileError as error:
        # Of what the two sides started from, nothing need be left.
        raise NotAppendedError(error.message.rstrip(".")) from error
    except NotAppendedError:
        # Where one side has the rows that both started from, the other is what both want.
        if _is_as_before(from_, ours):
            return _Plan(onto, [], {}, {}, target)
        if _is_as_before(from_, onto):
            return _Plan(onto, [], {}, {}, source)
        raise


def _appended(from_: Json, ours: Json, onto: Json, target: Content) -> _Plan:
    _check_alike(from_, ours, onto)
    _check_switch(ours)
    _check_switch(onto)
    new, added = ancestry.beyond(from_, ours)
    _, others = ancestry.beyond(from_, onto)
    if not new or metadata.current_snapshot(onto) is None:
        raise NotAppendedError("one side has appended nothing")
    # What came to the target another way is there already.
    pieces = graft.without(added, graft.paths(others))
    _check_specs(onto, pieces)
    if any(map(ancestry.is_replace, new)):
        # Files that the source has compacted are only kept where a branch still lists their snapshot.
        live = {one.path for one in scan.live_files(ours)}
        if files.missing(graft.paths(pieces) - live):
            raise NotAppendedError("files that the source has compacted are no longer there")
    said: Json = {}
    for one in reversed(new):
        said |= {} if ancestry.is_replace(one) else one["summary"]
    said.pop(FROM, None)
    return _Plan(onto, pieces, said, _properties(from_, ours, onto), target)


def _is_as_before(base: Json, side: Json) -> bool:
    """Whether nothing was done to a table but to compact it, or to forget snapshots."""
    same = {**_ALIKE, **_SOURCE_ALIKE, "properties": ""}
    if any(side[name] != base[name] for name in same) or _own_refs(side) != _own_refs(base):
        return False
    try:
        return not ancestry.beyond(base, side)[1]
    except (NotAppendedError, MissingFileError):
        return False


def _check_alike(base: Json, source: Json, target: Json) -> None:
    if target["format-version"] < 2:
        raise NotAppendedError("the table has format version 1, which has no sequence numbers")
    for name, what in _ALIKE.items():
        if source[name] != target[name] or base[name] != target[name]:
            raise NotAppendedError(f"{what} changed")
    for name, what in _SOURCE_ALIKE.items():
        if source[name] != base[name]:
            raise NotAppendedError(f"{what} changed")
    if _own_refs(source) != _own_refs(base):
        raise NotAppendedError("the table's own refs changed")


def _own_refs(document: Json) -> Json:
    return {name: ref for name, ref in document["refs"].items() if name != "main"}


def _properties(base: Json, source: Json, target: Json) -> dict[str, str]:
    """The properties that only the source set; raises where both sides changed one differently."""
    before, ours, now = base["properties"], source["properties"], target["properties"]
    done = {}
    for name in before.keys() | ours.keys():
        if ours.get(name) == before.get(name) or ours.get(name) == now.get(name):
            continue
        if now.get(name) != before.get(name) or name not in ours:
            raise NotAppendedError(f"the property '{name}' changed")
        done[name] = ours[name]
    return done


def _check_switch(document: Json) -> None:
    if str(document["properties"].get(SWITCH, "true")).lower() == "false":
        raise NotAppendedError(f"the table's property {SWITCH} is false")


def _check_specs(document: Json, pieces: Sequence[Piece]) -> None:
    if any(piece.row["partition_spec_id"] != document["default-spec-id"] for piece in pieces):
        raise NotAppendedError("files were written with another partitioning")


def _list(document: Json, snapshot_id: int | None) -> str | None:
    if snapshot_id is None:
        return None
    return str(
        next(one["manifest-list"] for one in document["snapshots"] if one["snapshot-id"] == snapshot_id)
    )


def _sent(requirements: Sequence[object], updates: Sequence[object], now: Json) -> list[Json]:
    """The snapshots of a client's commit; raises unless it is nothing but appends to `main`."""
    if now["format-version"] < 2:
        raise NotAppendedError("the table has format version 1, which has no sequence numbers")
    for one in map(_asked, requirements):
        if one.get("type") != "assert-ref-snapshot-id":
            try:
                check_requirement(one, now)
            except ConflictError as error:
                raise NotAppendedError(error.message.rstrip(".")) from error
        elif one.get("ref") != "main":
            raise NotAppendedError("it asserts more than the table's head")
    sent: list[Json] = []
    *first, last = map(_asked, updates or [{}])
    for update in first:
        if update.get("action") != "add-snapshot":
            raise NotAppendedError(f"it does more than to append ('{update.get('action')}')")
        sent.append(_appending(update, sent))
    moves = {name: value for name, value in last.items() if value is not None}
    head = {"action": "set-snapshot-ref", "ref-name": "main", "type": "branch"}
    if not sent or moves != {**head, "snapshot-id": sent[-1]["snapshot-id"]}:
        raise NotAppendedError("it does more than to append to the table's head")
    return sent


def _asked(one: object) -> Json:
    if not isinstance(one, dict):
        raise NotAppendedError("it is not well formed")
    return one


def _appending(update: Json, earlier: Sequence[Json]) -> Json:
    snapshot = update.get("snapshot")
    if (
        not isinstance(snapshot, dict)
        or not _is_named(snapshot)
        or not isinstance(snapshot.get("summary"), dict)
    ):
        raise NotAppendedError("its snapshot is not whole")
    ancestry.check_kind(snapshot, ("append",))
    if earlier and snapshot.get("parent-snapshot-id") != earlier[-1]["snapshot-id"]:
        raise NotAppendedError("its snapshots do not follow each other")
    return snapshot


def _updates(snapshot: Json) -> list[Json]:
    main = {"action": "set-snapshot-ref", "ref-name": "main", "type": "branch"}
    return [
        {"action": "add-snapshot", "snapshot": snapshot},
        {**main, "snapshot-id": snapshot["snapshot-id"]},
    ]
