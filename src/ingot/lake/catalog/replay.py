"""Commits applied again or taken back: transplant, revert and rollback, planned before anything is written."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from ingot.errors import NotFoundError, UsageError
from ingot.lake.catalog import merge, resolve
from ingot.lake.catalog.history import Entries, History, apply
from ingot.lake.catalog.merge import Modes
from ingot.lake.model import ROOT_HASH, Commit, Conflict, Delete, Difference, Key, Put


@dataclass(frozen=True, slots=True)
class Step:
    """One commit that a transplant would make."""

    of: Commit
    operations: tuple[Put | Delete, ...]


@dataclass(frozen=True, slots=True)
class Transplant:
    """All of them, oldest first, and what speaks against them."""

    steps: tuple[Step, ...]
    conflicts: tuple[Conflict, ...]

    @property
    def changed(self) -> tuple[Key, ...]:
        """The keys that it changes."""
        return tuple(sorted({one.key for step in self.steps for one in step.operations}))


def transplant(
    tx: Connection, history: History, commits: Sequence[str], head: str, modes: Modes
) -> Transplant:
    """How to replay `commits` on `head`; stops at the first commit that conflicts."""
    if not commits:
        raise UsageError("A transplant needs at least one commit.")
    now = dict(history.entries(tx, head))
    steps: list[Step] = []
    for spec in commits:
        of = _commit(tx, history, resolve.resolve(tx, history, spec))
        base, source = history.entries(tx, of.parents[0]), history.entries(tx, of.hash)
        operations, found = merge.changes(base, source, now, modes)
        if found:
            return Transplant(tuple(steps), tuple(found))
        apply(now, operations)
        if operations:
            steps.append(Step(of, tuple(operations)))
    return Transplant(tuple(steps), ())


def revert(
    tx: Connection, history: History, commit: str, head: str
) -> tuple[list[Put | Delete], list[Conflict]]:
    """The operations that take `commit` back, or the keys that moved since."""
    of = _commit(tx, history, commit)
    _check_past(tx, history, commit, head)
    after, before = history.entries(tx, of.hash), history.entries(tx, of.parents[0])
    operations, found = merge.changes(after, before, history.entries(tx, head), Modes())
    if not operations and not found:
        raise UsageError(f"There is nothing to take back of {commit[:12]}: all is as it was before it.")
    return operations, found


def rollback(tx: Connection, history: History, to: str, head: str) -> list[Put | Delete]:
    """The operations after which `head` holds what `to` holds."""
    _check_past(tx, history, to, head)
    found = differences(history.entries(tx, head), history.entries(tx, to))
    if not found:
        raise UsageError(f"There is nothing to roll back: all is as it was at {to[:12]}.")
    return [
        Delete(one.key, one.before) if one.after is None else Put(one.key, one.after, one.before)
        for one in found
    ]


def differences(before: Entries, after: Entries, prefix: Key = ()) -> list[Difference]:
    """The keys below `prefix` that are not the same."""
    size = len(prefix)
    return [
        Difference(key, before.get(key), after.get(key))
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key) and (not size or (len(key) > size and key[:size] == prefix))
    ]


def _commit(tx: Connection, history: History, hash: str) -> Commit:
    if hash == ROOT_HASH:
        raise UsageError("The beginning of all history is not a commit that changes anything.")
    return history.commit(tx, hash)


def _check_past(tx: Connection, history: History, hash: str, head: str) -> None:
    if not resolve.is_ancestor(tx, history, hash, head):
        raise NotFoundError(
            "commit", hash[:12], hint="It exists, but it is not in the history of the branch."
        )
