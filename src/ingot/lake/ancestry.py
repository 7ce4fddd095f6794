"""What a table's snapshots did since another state of it, where they did nothing but append and compact.

Compaction is stepped over: a file is known by the name under which it was appended, whatever became of it, so
that the rows of two sides can be compared as sets of files.
"""

from collections.abc import Collection, Iterator, Sequence

from ingot.lake import graft
from ingot.lake.graft import NotAppendedError, Piece
from ingot.lake.same_rows import origin
from ingot.lake.types import Json


def beyond(base: Json, side: Json) -> tuple[list[Json], list[Piece]]:
    """The snapshots of a side that `base` does not have, newest first, and the files that it added to the base.

    Raises `NotAppendedError` where it did more than to append and to compact, or lacks rows of the base, and
    `MissingFileError` where too much was collected to tell.
    """
    known = list(_chain(base, base["current-snapshot-id"]))
    new = since(side, {one["snapshot-id"] for one in known})
    # What was merged before has other snapshots on this side, so the common one may be older than the base's.
    last = new[-1].get("parent-snapshot-id") if new else side["current-snapshot-id"]
    start = next((one for one in known if one["snapshot-id"] == last), None)
    later = known[: known.index(start)] if start else known
    for one in later:
        check_kind(one)
    here, there = _added(start, later), _added(start, new)
    if not graft.paths(here) <= graft.paths(there):
        raise NotAppendedError("files were removed or rewritten")
    return new, graft.without(there, graft.paths(here))


def _added(start: Json | None, later: Sequence[Json]) -> list[Piece]:
    """The files that the snapshots `later` (newest first) added to those of `start`, whatever became of them.

    Compaction is stepped over, so that a file is known by the name under which it was appended.
    """
    pieces: list[Piece] = []
    first, last = start, start
    for one in reversed(later):
        if is_replace(one):
            pieces += _between(first, last)
            _check_same_rows(last, one)
            first = one
        last = one
    return [*pieces, *_between(first, last)]


def _between(first: Json | None, last: Json | None) -> list[Piece]:
    if last is None or last is first:
        return []
    return graft.added(None if first is None else first["manifest-list"], last["manifest-list"])


def _check_same_rows(before: Json | None, after: Json) -> None:
    """Raises unless a `replace` is Ingot's, which counts, or the files themselves show that no row changed."""
    if before is not None and origin(after) == origin(before):
        return
    counts = [graft.rows_of(one["manifest-list"]) for one in (before, after) if one]
    if len(counts) < 2 or None in counts or counts[0] != counts[1]:
        raise NotAppendedError(
            f"whether snapshot {after['snapshot-id']} ('replace') has the rows that it replaced cannot be told"
        )


def _operation(snapshot: Json) -> str:
    return str((snapshot.get("summary") or {}).get("operation", "overwrite"))


def is_replace(snapshot: Json) -> bool:
    return _operation(snapshot) == "replace"


def check_kind(snapshot: Json, kinds: Collection[str] = ("append", "replace")) -> None:
    operation = _operation(snapshot)
    if operation not in kinds:
        raise NotAppendedError(f"snapshot {snapshot['snapshot-id']} is no append but '{operation}'")


def _chain(document: Json, snapshot_id: int | None) -> Iterator[Json]:
    """A snapshot and its ancestors, as far as the table still has them."""
    known = {one["snapshot-id"]: one for one in document["snapshots"]}
    # Taken out as it goes: a client's circle of parents ends too.
    while snapshot_id is not None and (one := known.pop(snapshot_id, None)) is not None:
        yield one
        snapshot_id = one.get("parent-snapshot-id")


def since(document: Json, common: Collection[int]) -> list[Json]:
    """The current snapshot and its ancestors until a common one, newest first.

    Raises unless all are appends and compactions. With nothing in common, that is all of them.
    """
    found: list[Json] = []
    for one in _chain(document, document["current-snapshot-id"]):
        if one["snapshot-id"] in common:
            return found
        check_kind(one)
        found.append(one)
    if common or (found and found[-1].get("parent-snapshot-id") not in (None, -1)):
        raise NotAppendedError("the table was not built on what the other side started from")
    return found
