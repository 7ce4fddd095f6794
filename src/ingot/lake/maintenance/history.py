"""Which commits must stay readable, from what the catalog remembers: where refs are and where they have been.

Kept are, for every ref, its head; for every branch its newest commits and all that were its head within the
window, up to the one that was in force when the window began; every commit made within the window, reachable
or not; what any ref, also a deleted one, named within the window; and the merge bases of branches.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ingot.lake.inventory import Move, Recorded
from ingot.lake.model import ROOT_HASH, Content, RefKind
from ingot.lake.ports import Catalog


@dataclass(frozen=True, slots=True)
class Retained:
    """The catalog at one moment, judged by a policy."""

    mark: int
    """The last move of a ref that this knows of."""
    live: frozenset[str]
    heads: frozenset[str]
    """Where branches are: what writers build on."""
    fresh: Mapping[str, tuple[Content, ...]]
    """What each live commit holds, as far as its first parent is not live too."""
    known: Mapping[str, tuple[Content, str]]
    """Every metadata file that any commit ever named: its content and the name that it had."""


def retained(catalog: Catalog, cutoff: datetime, keep: int) -> Retained:
    """What must stay, all read at one moment."""
    found = catalog.inventory()
    commits = found.commits
    branches = [ref.hash for ref in found.refs if ref.kind is RefKind.BRANCH]
    live = {ref.hash for ref in found.refs}
    live |= {hash for hash, one in commits.items() if one.time >= cutoff}
    live |= _recently_named(found.moves, cutoff)
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
            fresh[hash] = contents(catalog, hash)
    known = {
        put.content.metadata_location: (put.content, ".".join(put.key))
        for one in commits.values()
        for put in one.puts
        if put.content.metadata_location
    }
    heads = frozenset(branches) & commits.keys()
    return Retained(found.mark, frozenset(live), heads, fresh, known)


def contents(catalog: Catalog, hash: str) -> tuple[Content, ...]:
    """Everything that a commit holds."""
    return tuple(catalog.entries(hash).values())


def _recently_named(moves: Iterable[Move], cutoff: datetime) -> set[str]:
    """What refs named within the window, the state with which each entered it included."""
    within: set[str] = set()
    entered: dict[str, str | None] = {}
    for one in moves:
        if one.time < cutoff:
            entered[one.name] = one.hash
        elif one.hash is not None:
            within.add(one.hash)
    return within | {hash for hash in entered.values() if hash is not None}


def _recent(commits: Mapping[str, Recorded], head: str, cutoff: datetime, keep: int) -> Iterator[str]:
    count = 0
    at = head
    while at in commits:
        yield at
        count += 1
        if count >= keep and commits[at].time < cutoff:
            return
        at = commits[at].parents[0]


def _ancestors(commits: Mapping[str, Recorded], head: str, stop: set[str]) -> tuple[set[str], set[str]]:
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


def _merge_bases(commits: Mapping[str, Recorded], heads: Sequence[str]) -> set[str]:
    """Where the histories of branches meet: a merge that joins appends reads the tables there."""
    seen: set[str] = set()
    bases: set[str] = set()
    for head in heads:
        own, met = _ancestors(commits, head, seen)
        seen |= own
        bases |= met
    return bases
