"""Connections to one cluster, shared by the sessions of its one user: one is borrowed for each statement.

So an idle session costs PostgreSQL nothing. Whoever borrows says what is set in his session; a connection that
somebody else had, or that has other settings, is made like new first.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ingot.pgwire.catalog.backend import Backend, query
from ingot.pgwire.catalog.schema import literal
from ingot.pgwire.errors import PgError

_PATIENCE = 30.0


@dataclass(eq=False, slots=True)
class Lent:
    """A connection and what is known of it."""

    backend: Backend
    database: str
    owner: object = None
    applied: Mapping[str, str] | None = field(default_factory=dict)
    """What was set in it; None where nobody knows."""
    parsed: object = None
    """Which statement its unnamed one is."""
    said: Sequence[Mapping[str, str]] = ()
    """Notices of its statement that the client has heard already, when it was prepared."""
    cancelled: bool = False
    since: float = 0.0


class Pool:
    """The connections of a cluster."""

    def __init__(self, connect: Callable[[str], Awaitable[Backend]], *, most: int = 10) -> None:
        self._connect = connect
        self._most = most
        self._idle: list[Lent] = []
        self._busy: set[Lent] = set()
        self._opening = 0
        self._free = asyncio.Condition()
        self._waiting = 0

    @property
    def busy(self) -> int:
        """How many are borrowed."""
        return len(self._busy) + self._opening

    def uses(self, database: str) -> bool:
        """Whether somebody has borrowed one to this database."""
        return any(one.database == database for one in self._busy)

    async def take(self, database: str, owner: object, settings: Mapping[str, str]) -> Lent:
        """A connection with these settings. Raises `LostError`, and `PgError` 53300 where all are busy for long."""
        found = self._known(database, owner) or await self._new(database)
        self._busy.add(found)
        try:
            if found.owner is not owner or found.applied != settings:
                await _prepare(found, settings)
                found.owner = owner
        except BaseException:
            found.cancelled = True
            await self.give(found)
            raise
        return found

    async def give(self, lent: Lent) -> None:
        """Gives it back. One in which a statement may still run, or that a cancel may yet reach, is closed."""
        self._busy.discard(lent)
        if lent.cancelled or lent.backend.lost or lent.backend.status != "I":
            lent.backend.close()
        else:
            lent.since = time.monotonic()
            self._idle.append(lent)
        if self._waiting:
            async with self._free:
                self._free.notify()

    def close(self, database: str | None = None, *, older: float = 0.0) -> None:
        """Closes idle connections: all, those to a database, those that nobody used for `older` seconds."""
        now = time.monotonic()
        for one in list(self._idle):
            if (database is None or one.database == database) and now - one.since >= older:
                self._idle.remove(one)
                one.backend.close()

    def _known(self, database: str, owner: object) -> Lent | None:
        mine = [one for one in self._idle if one.database == database]
        found = next((one for one in reversed(mine) if one.owner is owner), mine[-1] if mine else None)
        if found is not None:
            self._idle.remove(found)
            if found.backend.lost:
                return self._known(database, owner)
        return found

    async def _new(self, database: str) -> Lent:
        until = time.monotonic() + _PATIENCE
        while self.busy + len(self._idle) >= self._most:
            if self._idle:
                self._idle.pop(0).backend.close()
                continue
            async with self._free:
                self._waiting += 1
                try:
                    await asyncio.wait_for(self._free.wait(), max(0.0, until - time.monotonic()))
                except TimeoutError:
                    raise PgError(
                        "too many statements about the catalog run at once", sqlstate="53300"
                    ) from None
                finally:
                    self._waiting -= 1
            if (found := self._known(database, None)) is not None:
                return found
        self._opening += 1
        try:
            return Lent(await self._connect(database), database)
        finally:
            self._opening -= 1


async def _prepare(lent: Lent, settings: Mapping[str, str]) -> None:
    """Makes it like new with these settings; one that PostgreSQL refuses is left out."""
    lent.parsed = None
    backend = lent.backend
    texts = [] if lent.owner is None and lent.applied == {} else ["DISCARD ALL"]
    texts += [
        f"SELECT pg_catalog.set_config({literal(name)}, {literal(value)}, false)"
        for name, value in settings.items()
    ]
    lent.applied = None
    backend.send(b"".join(map(query, texts)))
    for _ in texts:
        while (await backend.next()).kind != "Z":
            pass
    backend.notices.clear()
    lent.applied = dict(settings)
