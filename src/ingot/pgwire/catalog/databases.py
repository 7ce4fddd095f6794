"""Refs as databases: all of them are listed, and one becomes real when somebody connects to it.

A ref that is only listed is a row of `pg_database` without files, which costs nothing, so that thousands of branches
can be there. A real one holds what is shown at its ref and is kept in step with it.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from ingot.pgwire.catalog.backend import Backend, ShadowError
from ingot.pgwire.catalog.cluster import Cluster
from ingot.pgwire.catalog.pool import Pool
from ingot.pgwire.catalog.ports import Described, Showing
from ingot.pgwire.catalog.schema import difference, identifier, literal, tidy
from ingot.pgwire.catalog.shown import Table
from ingot.pgwire.ports import SessionInfo
from ingot.semantic.sql.questions.columns import cut

_MOST = 12
"""Databases that are real at a time."""
_CHUNK = 200
"""Statements of a new database in one transaction: each table of one takes locks."""
_FIRST = 1_000_000_000
"""OIDs of databases that are only listed."""

_log = logging.getLogger("ingot.pgwire.catalog")


@dataclass(eq=False)
class Database:
    """A real database: what it shows, and what it has said of statements since that changed."""

    name: str
    mark: Hashable = None
    tables: tuple[Table, ...] = ()
    described: dict[Hashable, Described] = field(default_factory=dict)
    touching: dict[Hashable, bool] = field(default_factory=dict)
    """Whether statements read tables that are only shown."""


class Databases:
    """The databases of one cluster."""

    def __init__(self, cluster: Cluster, pool: Pool, showing: Showing) -> None:
        self._cluster = cluster
        self._pool = pool
        self._showing = showing
        self._real: OrderedDict[str, Database] = OrderedDict()
        self._listed: set[str] = set()
        self._refs: Sequence[str] | None = None
        self._wanted: set[str] = set()
        self._next = _FIRST
        self._control: Backend | None = None
        self._lock = asyncio.Lock()

    async def get(self, info: SessionInfo) -> Database:
        """The database of a session, as its ref is now. Raises `LostError`, `IngotError` (no such ref)."""
        name = self._name(info)
        found = self._real.get(name)
        mark = self._showing.at_hand(info) if found is not None else None
        if mark is None:
            mark = await asyncio.to_thread(self._showing.mark, info)
        if found is not None and found.mark == mark:
            self._real.move_to_end(name)
            return found
        async with self._lock:
            found = self._real.get(name)
            if found is None or found.mark != mark:
                tables = tidy(await asyncio.to_thread(self._showing.tables, info))
                found = await (self._create(name, tables) if found is None else self._change(found, tables))
                found.mark = mark
                self._real[name] = found
        return found

    async def list_refs(self, current: str | None = None) -> None:
        """Sees to it that all branches and tags are listed, and beside them only `current`. Raises `LostError`."""
        refs = await asyncio.to_thread(self._showing.refs)
        if refs != self._refs:
            project, default = self._showing.project, self._showing.default
            self._wanted = {_kept(project if ref == default else f"{project}@{ref}") for ref in refs}
        surplus = [name for name in self._real if name not in self._wanted and name != current]
        if refs == self._refs and not surplus:
            return
        async with self._lock:
            await self._drop(surplus)
            await self._unlist(self._listed - self._wanted)
            await self._list(sorted(self._wanted - set(self._real) - self._listed))
            self._refs = refs

    async def run(self, text: str) -> list[tuple[str | None, ...]]:
        """Runs SQL of our own as the owner. Raises `LostError`, `ShadowError`."""
        if self._control is None or self._control.lost:
            self._control = await self._cluster.control()
        return await self._control.query(text)

    def rest(self) -> None:
        """Closes what is only needed to change something."""
        if self._control is not None and not self._lock.locked():
            self._control.close()
            self._control = None

    def _name(self, info: SessionInfo) -> str:
        """What `current_database()` says: what the client connected to, as long as it reads that ref."""
        project, default = self._showing.project, self._showing.default
        ref = info.database.partition("@")[2] or default
        name = info.database if ref == info.ref else f"{project}@{info.ref}"
        return _kept(name)

    async def _create(self, name: str, tables: Sequence[Table]) -> Database:
        await self._drop(
            [each for each in self._real if not self._pool.uses(each)][: max(0, len(self._real) + 1 - _MOST)]
        )
        await self._unlist({name} & self._listed)
        quoted = identifier(name)
        await self.run(f"DROP DATABASE IF EXISTS {quoted}")
        await self.run(f"CREATE DATABASE {quoted} STRATEGY file_copy")
        await self.run(
            f"REVOKE ALL ON DATABASE {quoted} FROM PUBLIC; GRANT CONNECT ON DATABASE {quoted} TO PUBLIC"
        )
        owner = await self._cluster.control(name)
        try:
            statements = difference((), tables)
            for start in range(0, len(statements), _CHUNK):
                await _apply(owner, statements[start : start + _CHUNK])
        finally:
            owner.close()
        return Database(name, tables=tuple(tables))

    async def _change(self, database: Database, tables: tuple[Table, ...]) -> Database:
        statements = difference(database.tables, tables)
        if statements:
            owner = await self._cluster.control(database.name)
            try:
                await _apply(owner, statements)
            finally:
                owner.close()
        return Database(database.name, tables=tables)

    async def _drop(self, names: Sequence[str]) -> None:
        for name in names:
            if name in self._real and not self._pool.uses(name):
                self._pool.close(name)
                del self._real[name]
                await self.run(f"DROP DATABASE {identifier(name)} WITH (FORCE)")
                self._refs = None  # it may have to be listed again

    async def _unlist(self, names: set[str]) -> None:
        if names:
            array = ", ".join(map(literal, sorted(names)))
            await self.run(f"DELETE FROM pg_database WHERE oid >= {_FIRST} AND datname IN ({array})")
            self._listed -= names

    async def _list(self, names: Sequence[str]) -> None:
        if not names:
            return
        array = ", ".join(map(literal, names))
        owner = self._cluster.owner
        new = {
            "oid": f"{self._next} + n",
            "datname": "wanted.name",
            "datistemplate": "false",
            "datacl": f"'{{{owner}=CTc/{owner},=c/{owner}}}'::aclitem[]",
        }
        columns = await self._columns()
        await self.run(
            f"INSERT INTO pg_database ({', '.join(columns)})"
            f" SELECT {', '.join(new.get(one, one) for one in columns)} FROM pg_database,"
            f" unnest(ARRAY[{array}]::name[]) WITH ORDINALITY AS wanted(name, n) WHERE datname = 'template1'"
        )
        self._next += len(names) + 1
        self._listed |= set(names)

    async def _columns(self) -> list[str]:
        """Those of `pg_database`, which differ by version."""
        asked = "attrelid = 'pg_database'::regclass AND attnum > 0 AND NOT attisdropped"
        return [
            str(row[0])
            for row in await self.run(f"SELECT attname FROM pg_attribute WHERE {asked} ORDER BY attnum")
        ]


def _kept(name: str) -> str:
    """A database's name as PostgreSQL can keep it, unlike that of any other."""
    if len(name.encode()) <= 63:
        return name
    return f"{cut(name).encode()[:54].decode('utf-8', 'ignore')}~{sha256(name.encode()).hexdigest()[:8]}"


async def _apply(owner: Backend, statements: Sequence[str]) -> None:
    """Runs DDL in one transaction; where PostgreSQL refuses something, all but that."""
    try:
        await owner.query(";\n".join(statements))
    except ShadowError as error:
        _log.warning("The SQL catalog cannot show everything: %s", error.message)
        for one in statements:
            try:
                await owner.query(one)
            except ShadowError:
                continue
