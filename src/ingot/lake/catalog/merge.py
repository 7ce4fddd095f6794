"""Three-way merge: what the source changed since the merge base, judged against the target.

The base is the best common ancestor over *all* parents, so that an earlier merge counts. Where histories
crossed (several best ancestors) they are first merged with each other, as git does; a key on which they
disagree then equals nothing, and only identical changes of it pass. Modes change what is done with a key:
take the source's in any case, leave the target's, or put what somebody has made of both.
"""

import heapq
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from uuid import uuid4

from sqlalchemy import Connection

from ingot.lake.catalog import conflicts
from ingot.lake.catalog.history import Entries, History, apply
from ingot.lake.model import (
    Conflict,
    Content,
    ContentType,
    Delete,
    Key,
    KeyMerge,
    MergeMode,
    Put,
)

_SOURCE, _TARGET, _STALE = 1, 2, 4
_AHEAD = 32


@dataclass(frozen=True, slots=True)
class Plan:
    """The operations that would bring the source's changes to the target, or why they cannot be."""

    base: str
    base_entries: Entries
    operations: tuple[Put | Delete, ...]
    conflicts: tuple[Conflict, ...]


@dataclass(frozen=True, slots=True)
class Modes:
    """What is done with each key: `keys` for single ones, `default` for all others."""

    keys: Mapping[Key, KeyMerge] = field(default_factory=dict)
    default: MergeMode = MergeMode.NORMAL

    def of(self, key: Key) -> KeyMerge:
        """What is done with `key`."""
        return self.keys.get(key) or KeyMerge(self.default)


def plan(tx: Connection, history: History, source: str, target: str, modes: Modes) -> Plan:
    """How to merge commit `source` onto commit `target`."""
    bases = best_ancestors(tx, history, source, target)
    base = _base_entries(tx, history, bases)
    operations, found = changes(base, history.entries(tx, source), history.entries(tx, target), modes)
    return Plan(bases[0], base, tuple(operations), tuple(found))


def changes(
    base: Entries, source: Entries, target: Entries, modes: Modes
) -> tuple[list[Put | Delete], list[Conflict]]:
    """What brings the changes from `base` to `source` into `target`, and what speaks against it."""
    operations, found = _compare(base, source, target, modes)
    if not found:
        after = dict(target)
        apply(after, operations)
        found = conflicts.structure(target, after, [one.key for one in operations])
    return operations, found


def best_ancestors(tx: Connection, history: History, one: str, other: str) -> list[str]:
    """The common ancestors of two commits that are not ancestors of another common one; newest first.

    Walks back from both by descending generation and stops when only shared history is left, so the cost
    follows the distance between the two and not the length of the history.
    """
    flags: dict[str, int] = {}
    queue: list[tuple[int, str]] = []
    fresh: set[str] = set()

    def reach(hash: str, flag: int) -> None:
        before = flags.get(hash, 0)
        if before | flag == before:
            return
        if before == 0:
            heapq.heappush(queue, (-history.link(tx, hash, ahead=_AHEAD).generation, hash))
        flags[hash] = before | flag
        if flags[hash] & _STALE:
            fresh.discard(hash)
        else:
            fresh.add(hash)

    reach(one, _SOURCE)
    reach(other, _TARGET)
    found: list[str] = []
    while fresh:
        _, hash = heapq.heappop(queue)
        flag = flags[hash]
        fresh.discard(hash)
        if flag == _SOURCE | _TARGET:
            found.append(hash)
            flag |= _STALE
        for parent in history.link(tx, hash).parents:
            reach(parent, flag)
    # A candidate may have turned out to be an ancestor of another one that was reached later.
    return [hash for hash in found if not flags[hash] & _STALE]


def _base_entries(tx: Connection, history: History, bases: list[str]) -> Entries:
    merged: Entries = history.entries(tx, bases[0])
    at = bases[0]
    for other in bases[1:]:
        below = _base_entries(tx, history, best_ancestors(tx, history, at, other))
        merged = _virtual(below, merged, history.entries(tx, other))
        at = other
    return merged


def _virtual(base: Entries, one: Entries, other: Entries) -> Entries:
    """Two ancestors merged; a key that they changed differently gets a content that equals no other."""
    result = dict(one)
    for key in base.keys() | one.keys() | other.keys():
        left, right, below = one.get(key), other.get(key), base.get(key)
        if right in (left, below):
            continue
        if left == below:
            apply(result, [Delete(key) if right is None else Put(key, right)])
        else:
            kind = left or right
            assert kind is not None
            result[key] = Content(kind.type, id=str(uuid4()))
    return result


def _compare(
    base: Entries, source: Entries, target: Entries, modes: Modes
) -> tuple[list[Put | Delete], list[Conflict]]:
    operations: list[Put | Delete] = []
    found: list[Conflict] = []
    for key in _changed(base, source):
        before, wanted, now, mode = base.get(key), source.get(key), target.get(key), modes.of(key)
        if wanted == now or mode.mode is MergeMode.DROP:
            continue
        if (mode.expected or mode.resolved) is not None and now != mode.expected:
            moved = conflicts.moved(key, mode.expected, now)
            assert moved is not None
            message = f"{moved.message} after it was looked at for this merge"
            found.append(Conflict(key, moved.type, message, before, wanted, now))
        elif mode.resolved is not None:
            operations.append(Put(key, mode.resolved, now))
        elif now == before or mode.mode is MergeMode.FORCE:
            operations.append(Delete(key, now) if wanted is None else Put(key, wanted, now))
        elif not _both_namespaces(wanted, now):
            conflict = conflicts.moved(key, before, now)
            assert conflict is not None
            found.append(replace(conflict, before=before, wanted=wanted, now=now))
    return operations, found


def _changed(base: Mapping[Key, Content], source: Mapping[Key, Content]) -> list[Key]:
    return sorted(key for key in base.keys() | source.keys() if base.get(key) != source.get(key))


def _both_namespaces(wanted: Content | None, now: Content | None) -> bool:
    # Two sides that made or described the same namespace do not conflict; the target's stays.
    return (
        wanted is not None
        and now is not None
        and wanted.type is ContentType.NAMESPACE
        and now.type is ContentType.NAMESPACE
    )
