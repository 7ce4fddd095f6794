"""A cluster and its one user: the unit that nobody else can look into.

In PostgreSQL everybody sees the names of all databases, roles and tables of a cluster. So each user has one of his
own, for each set of rights that he comes with.
"""

import asyncio
import time
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager

from ingot.pgwire.catalog.backend import Backend, LostError, ShadowError
from ingot.pgwire.catalog.cluster import Cluster
from ingot.pgwire.catalog.databases import Database, Databases
from ingot.pgwire.catalog.hardening import OWNER
from ingot.pgwire.catalog.pool import Lent, Pool
from ingot.pgwire.catalog.ports import Showing
from ingot.pgwire.catalog.schema import identifier
from ingot.pgwire.catalog.template import ClusterError
from ingot.pgwire.errors import PgError
from ingot.pgwire.ports import SessionInfo
from ingot.semantic.sql.questions.columns import cut

_IDLE = 60.0
"""Seconds that a connection which nobody uses is kept."""


class Home:
    """Where the sessions of one user are."""

    def __init__(
        self, cluster: Cluster, showing: Showing, user: str, room: AbstractAsyncContextManager[None]
    ) -> None:
        """`room` is entered to start the cluster: there may be only so many."""
        self._room = room
        self._cluster = cluster
        self._showing = showing
        self._user = user
        self._lock = asyncio.Lock()
        self._pool = Pool(self._connect)
        self._databases: Databases | None = None
        self.used = time.monotonic()
        self.sources = 0
        """Sessions that are open."""
        self._under_way = 0
        self._closed = False

    @property
    def busy(self) -> bool:
        """Whether a statement is under way."""
        return self._under_way > 0 or self._pool.busy > 0

    @property
    def cluster(self) -> Cluster:
        """Its PostgreSQL."""
        return self._cluster

    async def take(
        self, info: SessionInfo, owner: object, settings: Mapping[str, str], *, listed: bool
    ) -> tuple[Lent, Database]:
        """A connection to a session's database as it is now; `listed`: all refs are to be listed, too.

        Raises `LostError` where PostgreSQL has just died, `IngotError` for a ref that is not there.
        """
        self.used = time.monotonic()
        self._under_way += 1
        pid = self._cluster.pid
        try:
            databases = await self._ready()
            pid = self._cluster.pid
            database = await databases.get(info)
            if listed:
                await databases.list_refs(database.name)
            return await self._pool.take(database.name, owner, settings), database
        except ClusterError as error:
            raise PgError(f"The catalog is not there: {error}", sqlstate="57P03") from error
        except ShadowError as error:
            if error.sqlstate.startswith(
                "57P"
            ):  # somebody ends it, or it mends itself: a new one is there sooner
                await self._renew(pid)
            elif error.sqlstate != "3D000":  # the database was given up just now
                raise
            raise LostError(error.message) from error
        finally:
            self._under_way -= 1

    async def database(self, info: SessionInfo) -> Database:
        """A session's database as it is now, without a connection. Raises as `take` does."""
        self.used = time.monotonic()
        self._under_way += 1
        pid = self._cluster.pid
        try:
            return await (await self._ready()).get(info)
        except ClusterError as error:
            raise PgError(f"The catalog is not there: {error}", sqlstate="57P03") from error
        except ShadowError as error:
            if not error.sqlstate.startswith("57P"):
                raise
            await self._renew(pid)
            raise LostError(error.message) from error
        finally:
            self._under_way -= 1

    async def give(self, lent: Lent) -> None:
        """Gives a connection back."""
        await self._pool.give(lent)

    def rest(self) -> None:
        """Closes what was idle for long."""
        self._pool.close(older=_IDLE)
        if self._databases is not None and not self.busy and time.monotonic() - self.used > _IDLE:
            self._databases.rest()

    async def stop(self, *, for_good: bool = False) -> None:
        """Ends the cluster. The next statement starts it again, unless it is `for_good`."""
        self._closed = self._closed or for_good
        async with self._lock:
            self._pool.close()
            if self._databases is not None:
                self._databases.rest()
                self._databases = None
            await self._cluster.stop()

    async def _renew(self, pid: int | None) -> None:
        """Ends the cluster, unless somebody else has started a new one."""
        if pid is not None and self._cluster.pid == pid:
            await self.stop()

    async def _connect(self, database: str) -> Backend:
        return await self._cluster.connect(cut(self._user), database)

    async def _ready(self) -> Databases:
        if self._databases is not None and self._cluster.alive:
            return self._databases
        async with self._lock:
            if self._closed:
                raise PgError("The server is shutting down.", sqlstate="57P01")
            if self._databases is None or not self._cluster.alive:
                self._pool.close()
                if not self._cluster.alive:
                    async with self._room:
                        await self._cluster.start()
                made = Databases(self._cluster, self._pool, self._showing)
                await self._admit(made)
                await made.list_refs()
                self._databases = made
        return self._databases

    async def _admit(self, databases: Databases) -> None:
        """Makes the user's role."""
        if cut(self._user) == OWNER and self._cluster.owner == OWNER:
            await self._rename(databases)
        role = identifier(cut(self._user))
        rights = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS NOINHERIT"
        try:
            await databases.run(f"CREATE ROLE {role} {rights}")
        except ShadowError as error:
            if error.sqlstate == "42939" or error.sqlstate.startswith("22"):
                raise PgError(f'role name "{self._user}" is reserved', sqlstate="28000") from error
            if error.sqlstate != "42710":
                raise

    async def _rename(self, databases: Databases) -> None:
        """The owner gives its name to a user who has the same one."""
        other = f"{OWNER}_owner"
        await databases.run(f"CREATE ROLE {other}_maker SUPERUSER LOGIN")
        databases.rest()
        self._cluster.owner = f"{other}_maker"
        await databases.run(f"ALTER ROLE {identifier(OWNER)} RENAME TO {other}")
        databases.rest()
        self._cluster.owner = other
        await databases.run(f"DROP ROLE {other}_maker")
