"""Reading and adding commits: the chain of parents, and what every key holds at one of them.

A commit stores only its own operations; every 32nd one in a row also stores all entries, so that a state
costs at most that many small reads, and a cache of recent states makes the usual case a dictionary copy.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sqlalchemy import Column, Connection, Row, insert, literal, select

from ingot.errors import NotFoundError
from ingot.lake.catalog import records, schema
from ingot.lake.lru import Lru
from ingot.lake.model import ROOT_HASH, Commit, Content, Delete, Key, Put

_EVERY = 32
Entries = Mapping[Key, Content]


@dataclass(frozen=True, slots=True)
class Link:
    """Where a commit stands in the graph."""

    parent: str
    merged: str | None
    generation: int
    distance: int
    committed_at: int

    @property
    def parents(self) -> tuple[str, ...]:
        """The commits that this one came from; none for the root."""
        if not self.parent:
            return ()
        return (self.parent,) if self.merged is None else (self.parent, self.merged)


_ROOT = Link(parent="", merged=None, generation=0, distance=0, committed_at=0)


class History:
    """All commits of one catalog, with a cache of what can never change."""

    def __init__(self) -> None:
        self._links: Lru[str, Link] = Lru(100_000)
        self._states: Lru[str, Entries] = Lru(200_000, weigh=lambda entries: len(entries) + 1)

    def link(self, tx: Connection, hash: str, *, ahead: int = 1) -> Link:
        """The place of a commit in the graph; `NotFoundError` where there is no such commit.

        A walk that will go on says how many commits to read `ahead` along first parents.
        """
        if hash == ROOT_HASH:
            return _ROOT
        if cached := self._links.get(hash):
            return cached
        table = schema.commits.c
        columns = (table.parent, table.merged, table.generation, table.distance, table.committed_at)
        found: Link | None = None
        for row in _chain(tx, hash, ahead, columns):
            link = Link(row.parent, row.merged, row.generation, row.distance, row.committed_at)
            self._links.put(row.hash, link)
            found = found or link
        if found is None:
            raise NotFoundError("commit", hash)
        return found

    def commit(self, tx: Connection, hash: str) -> Commit:
        """The record of a commit."""
        row = tx.execute(select(schema.commits).where(schema.commits.c.hash == hash)).first()
        if row is None:
            raise NotFoundError("commit", hash)
        return records.commit_of(row)

    def commits(self, tx: Connection, hash: str, size: int) -> list[Commit]:
        """`hash` and the commits before it along first parents, without the root; `size` at most."""
        if hash == ROOT_HASH:
            return []
        found = [records.commit_of(row) for row in _chain(tx, hash, size, schema.commits.c)]
        if not found:
            raise NotFoundError("commit", hash)
        return found

    def entries(self, tx: Connection, hash: str) -> Entries:
        """What every key holds at a commit."""
        if cached := self._states.get(hash):
            return cached
        later: list[str] = []
        at, known = hash, None
        while known is None:
            known = self._states.get(at) or self._stored(tx, at)
            if known is None:
                later.append(at)
                at = self.link(tx, at).parent
        state = dict(known)
        for one in reversed(later):
            text: str = tx.execute(
                select(schema.commits.c.operations).where(schema.commits.c.hash == one)
            ).scalar_one()
            apply(state, records.operations_of(text))
        return self._states.put(hash, MappingProxyType(state))

    def _stored(self, tx: Connection, hash: str) -> Entries | None:
        link = self.link(tx, hash)
        if hash == ROOT_HASH:
            return {}
        if link.distance:
            return None
        packed = tx.execute(
            select(schema.snapshots.c.entries).where(schema.snapshots.c.hash == hash)
        ).scalar_one_or_none()
        return None if packed is None else records.unpack(packed)

    def add(
        self,
        tx: Connection,
        parents: Sequence[str],
        operations: Sequence[Put | Delete],
        *,
        author: str,
        message: str,
        at: int,
        properties: Mapping[str, str],
    ) -> Commit:
        """Stores a commit on top of `parents` and gives it back."""
        links = [self.link(tx, parent) for parent in parents]
        distance = (links[0].distance + 1) % _EVERY
        # Clocks go backwards, histories do not: time travel walks along these times.
        at = max(at, links[0].committed_at)
        text = records.operations_text(operations)
        extra = json.dumps(dict(sorted(properties.items())), ensure_ascii=False)
        hash = records.commit_hash(parents, text, author=author, message=message, at=at, properties=extra)
        state = dict(self.entries(tx, parents[0]))
        apply(state, operations)
        known = tx.execute(select(schema.commits.c.hash).where(schema.commits.c.hash == hash)).first()
        if known is None:
            tx.execute(
                insert(schema.commits).values(
                    hash=hash,
                    parent=parents[0],
                    merged=parents[1] if len(parents) > 1 else None,
                    generation=1 + max(link.generation for link in links),
                    distance=distance,
                    committed_at=at,
                    author=author,
                    message=message,
                    properties=extra,
                    operations=text,
                )
            )
            if distance == 0:
                tx.execute(insert(schema.snapshots).values(hash=hash, entries=records.pack(state)))
        # Safe before the transaction commits: the hash can only ever mean these entries.
        self._states.put(hash, MappingProxyType(state))
        return Commit(
            hash=hash,
            parents=tuple(parents),
            author=author,
            message=message,
            time=records.moment(at),
            operations=records.operations_of(text),
            properties=dict(properties),
        )


def _chain(tx: Connection, hash: str, size: int, columns: Iterable[Column[Any]]) -> Sequence[Row[Any]]:
    """Rows of commits along first parents in one query, newest first."""
    table = schema.commits
    wanted = [column for column in columns if column.name != "hash"]
    if size == 1:
        return tx.execute(select(table.c.hash, *wanted).where(table.c.hash == hash)).all()
    chain = (select(table.c.hash, table.c.parent, literal(1).label("place")).where(table.c.hash == hash)).cte(
        "chain", recursive=True
    )
    step = select(table.c.hash, table.c.parent, chain.c.place + 1).join(chain, table.c.hash == chain.c.parent)
    chain = chain.union_all(step.where(chain.c.place < size))
    query = select(table.c.hash, *wanted).join(chain, table.c.hash == chain.c.hash).order_by(chain.c.place)
    return tx.execute(query).all()


def apply(state: dict[Key, Content], operations: Sequence[Put | Delete]) -> None:
    """Carries out operations on a dictionary of entries."""
    for one in operations:
        if isinstance(one, Put):
            state[one.key] = one.content
        else:
            state.pop(one.key, None)
