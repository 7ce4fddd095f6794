"""Which commits must stay readable, from the state database: where refs are and where they have been.

Kept are, for every ref, its head; for every branch its newest commits and all that were its head within the
window, up to the one that was in force when the window began; every commit made within the window, reachable
or not; what any ref, also a deleted one, named within the window; and the merge bases of branches.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection, func, select, text

from ingot.lake.catalog import SqlCatalog, records, schema
from ingot.lake.catalog.store import Store
from ingot.lake.errors import LakeError
from ingot.lake.lake import Lake
from ingot.lake.model import ROOT_HASH, Content, Put, RefKind

T = TypeVar("T")
_OVERTAKING = 1000


@dataclass(frozen=True, slots=True)
class _Commit:
    parents: tuple[str, ...]
    at: int
    puts: tuple[Put, ...]


@dataclass(frozen=True, slots=True)
class Retained:
    """The state database at one moment, judged by a policy."""

    mark: int
    """The last move of a ref that this knows of."""
    live: frozenset[str]
    heads: frozenset[str]
    """Where branches are: what writers build on."""
    fresh: Mapping[str, tuple[Content, ...]]
    """What each live commit holds, as far as its first parent is not live too."""
    known: Mapping[str, tuple[Content, str]]
    """Every metadata file that any commit ever named: its content and the name that it had."""


class StateDatabase:
    """The few questions that only the embedded catalog's database can answer."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        catalog = lake.catalog
        if not isinstance(catalog, SqlCatalog):
            raise LakeError(
                "Files are collected where the catalog is kept; this project's is another server's."
            )
        self._store: Store = catalog._store  # noqa: SLF001 (the lake's own)

    def retained(self, cutoff: datetime, keep: int) -> Retained:
        """What must stay, all read at one moment."""
        return self._store.read(lambda tx: self._retained(tx, records.micros(cutoff), keep))

    def _retained(self, tx: Connection, cutoff: int, keep: int) -> Retained:
        commits = _commits(tx)
        refs = tx.execute(select(schema.refs)).all()
        branches = [row.hash for row in refs if row.kind == RefKind.BRANCH.value]
        live = {row.hash for row in refs}
        live |= {hash for hash, one in commits.items() if one.at >= cutoff}
        live |= _recently_named(tx, cutoff)
        for head in branches:
            live |= set(_recent(commits, head, cutoff, keep))
        live |= _merge_bases(commits, branches)
        live &= commits.keys()
        fresh = {}
        for hash in live:
            parent = commits[hash].parents[0]
            if parent in live or parent == ROOT_HASH:
                fresh[hash] = tuple(put.content for put in commits[hash].puts)
            else:
                fresh[hash] = tuple(self._lake.catalog.entries(hash).values())
        known = {
            put.content.metadata_location: (put.content, ".".join(put.key))
            for one in commits.values()
            for put in one.puts
            if put.content.metadata_location
        }
        heads = frozenset(branches) & commits.keys()
        return Retained(_last_move(tx), frozenset(live), heads, fresh, known)

    def contents(self, hash: str) -> tuple[Content, ...]:
        """Everything that a commit holds."""
        return tuple(self._lake.catalog.entries(hash).values())

    def moved_since(self, mark: int) -> tuple[int, list[str]]:
        """The last move by now, and the commits that refs were pointed at after `mark`."""
        return self._store.read(lambda tx: _moved_since(tx, mark))

    def standing_still(self, mark: int, work: Callable[[list[str]], T]) -> tuple[int, T]:
        """Does `work` while no ref can move; it is given the commits that refs were pointed at after `mark`."""

        def locked(tx: Connection) -> tuple[int, T]:
            if tx.dialect.name == "postgresql":
                # SQLite's writers take turns anyway; here nobody may move a ref meanwhile.
                tx.execute(text(f"LOCK TABLE {schema.moves.name} IN SHARE MODE"))
            last, moved = _moved_since(tx, mark)
            return last, work(moved)

        return self._store.write(locked)


def _commits(tx: Connection) -> dict[str, _Commit]:
    table = schema.commits.c
    rows = tx.execute(select(table.hash, table.parent, table.merged, table.committed_at, table.operations))
    found = {}
    for row in rows:
        parents = (row.parent,) if row.merged is None else (row.parent, row.merged)
        puts = tuple(one for one in records.operations_of(row.operations) if isinstance(one, Put))
        found[row.hash] = _Commit(parents, row.committed_at, puts)
    return found


def _last_move(tx: Connection) -> int:
    return int(tx.execute(select(func.max(schema.moves.c.id))).scalar() or 0)


def _moved_since(tx: Connection, mark: int) -> tuple[int, list[str]]:
    table = schema.moves.c
    if tx.dialect.name == "postgresql":
        # There a smaller number may become visible after a greater one.
        mark -= _OVERTAKING
    found = tx.execute(
        select(table.hash).where(table.id > mark, table.hash.is_not(None), table.hash != ROOT_HASH)
    )
    return _last_move(tx), sorted({row.hash for row in found})


def _recently_named(tx: Connection, cutoff: int) -> set[str]:
    """What refs named within the window, the state with which each entered it included."""
    table = schema.moves.c
    within: set[str] = set()
    entered: dict[str, str | None] = {}
    for row in tx.execute(select(table.name, table.hash, table.moved_at).order_by(table.moved_at, table.id)):
        if row.moved_at < cutoff:
            entered[row.name] = row.hash
        elif row.hash is not None:
            within.add(row.hash)
    return within | {hash for hash in entered.values() if hash is not None}


def _recent(commits: Mapping[str, _Commit], head: str, cutoff: int, keep: int) -> Iterator[str]:
    count = 0
    at = head
    while at in commits:
        yield at
        count += 1
        if count >= keep and commits[at].at < cutoff:
            return
        at = commits[at].parents[0]


def _ancestors(commits: Mapping[str, _Commit], head: str, stop: set[str]) -> tuple[set[str], set[str]]:
    """All commits that led to `head`, and where the walk ended at one of `stop`."""
    seen: set[str] = set()
    met: set[str] = set()
    todo = [head]
    while todo:
        one = todo.pop()
        if one in stop:
            met.add(one)
        elif one in commits and one not in seen:
            seen.add(one)
            todo += commits[one].parents
    return seen, met


def _merge_bases(commits: Mapping[str, _Commit], heads: Sequence[str]) -> set[str]:
    """Where the histories of branches meet: a merge that joins appends reads the tables there."""
    seen: set[str] = set()
    bases: set[str] = set()
    for head in heads:
        own, met = _ancestors(commits, head, seen)
        seen |= own
        bases |= met
    return bases
