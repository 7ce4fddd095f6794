"""Databases beside the lake, read where they are: a DuckDB of its own for each statement under way.

The engine's own DuckDB is closed to the world before anybody uses it, and a database can only be attached before
that. So a statement that reads databases gets a small DuckDB in which exactly these were attached, read only, and
which was closed then. It belongs to one statement at a time: who cancels it can tell the servers, too, whose
backends bear its name. Afterwards the next statement has it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from threading import Lock, Thread

import duckdb
from duckdb import DuckDBPyConnection

from ingot.engines.deadlines import Deadlines
from ingot.engines.duckdb.connect import connect
from ingot.engines.duckdb.databases import EXTENSIONS, Database, attach, is_down, reason, secrets
from ingot.engines.duckdb.errors import translate
from ingot.engines.duckdb.held import Held
from ingot.engines.duckdb.mount import Mount, mount
from ingot.engines.errors import (
    ExtensionError,
    QueryInterruptedError,
    QueryTimeoutError,
    SourceBusyError,
    SourceDownError,
)
from ingot.engines.interrupt import Interrupt
from ingot.engines.ports import HeldTable, Lake, State, View
from ingot.engines.sql import quote_identifier, quote_literal
from ingot.engines.yielding import in_yielding_thread
from ingot.errors import IngotError

_MOUNTS = 8
"""Sets of tables of the lake that one of the small DuckDBs keeps."""
_IDLE = 4
"""How many of them wait for the next statement."""
_MOST = 24
"""How many there are at once."""
_MEMORY = "1GB"
"""Of one of them, unless the engine's settings say something else; what does not fit spills."""


@dataclass(eq=False, slots=True)
class _Small:
    """One of the small DuckDBs."""

    name: str
    """What the servers call the backends that work for it."""
    attached: tuple[Database, ...]
    iceberg: bool
    con: DuckDBPyConnection
    mounted: list[tuple[str, frozenset[str] | None, Mount]] = field(default_factory=list)
    """States, and which of their tables are there; None: all that they have."""
    mounts: int = 0
    held: Held = field(default_factory=lambda: Held(0))
    """They stay in their files: another statement will hardly read the same."""
    databases: frozenset[str] = field(init=False)
    """The names of those that are attached."""

    def __post_init__(self) -> None:
        self.databases = frozenset(one.name for one in self.attached)


class _Part:
    """Some tables of a state: to put hundreds of them before a DuckDB takes a second."""

    def __init__(self, state: State, tables: frozenset[str]) -> None:
        self.hash = state.hash
        self.tables = tuple(sorted(tables))
        self.ordered_views: Sequence[View] = ()
        self.scan = state.scan


class AttachedDatabases:
    """Statements over databases and the lake. Thread safe; opens nothing before the first one."""

    def __init__(
        self,
        lake: Lake,
        databases: Sequence[Database],
        *,
        memory_limit: str | None = None,
        threads: int | None = None,
        temp_directory: Path | None = None,
        readable: Sequence[Path] = (),
    ) -> None:
        """`readable`: folders that may be read beside the lake's warehouse (rollups)."""
        self.databases = {one.name: one for one in databases}
        self._warehouse = str(lake.warehouse).removeprefix("file://")
        self._readable = [f"{str(one).rstrip('/')}/" for one in (self._warehouse, *readable)]
        self._memory_limit = memory_limit or _MEMORY
        self._threads = threads
        self._temp_directory = temp_directory
        self._idle: list[_Small] = []
        self._used: set[_Small] = set()
        self._opening = 0
        self._bells: dict[str, tuple[Database, DuckDBPyConnection]] = {}
        """By server: a connection that nobody's statement uses, to tell it that one is over."""
        self._hanging = Lock()
        self._lock = Lock()
        self._deadlines = Deadlines()
        self._closed = False

    @contextmanager
    def session(
        self,
        databases: frozenset[str],
        *,
        at: State | None = None,
        tables: frozenset[str] = frozenset(),
        timeout: float | None = None,
        interrupt: Interrupt | None = None,
        held: Sequence[HeldTable] = (),
    ) -> Iterator[DuckDBPyConnection]:
        """A cursor that reads these databases as `name.schema.table`, and the lake at `at` as its current catalog.

        `tables`: those of the lake that are read. The tables `held` can be read, too, as in the engine.

        Only SELECTs that were checked belong there. Raises `SourceDownError` where one of them cannot be reached.
        DuckDB's errors inside of the block come out as `IngotError`s, without any address.
        """
        small, catalog = self._borrow(databases, at, tables)
        cursor = small.con.cursor()
        broken = expired = False
        ringing = Lock()

        def stop() -> None:
            cursor.interrupt()
            if ringing.acquire(blocking=False):
                Thread(target=self._ring, args=(small, ringing), name="cancel", daemon=True).start()

        def expire() -> None:
            nonlocal expired
            expired = True
            stop()

        try:
            if catalog is not None:
                cursor.execute(f"USE {quote_identifier(catalog)}")
            with (
                self._deadlines.after(timeout, expire) if timeout is not None else nullcontext(),
                small.held.reading(small.con, held) if held else nullcontext(),
                interrupt.stopping(stop) if interrupt is not None else nullcontext(),
            ):
                yield cursor
        except duckdb.Error as error:
            stopped = expired or (interrupt is not None and interrupt.is_set)
            explained = self._explain(error, small, databases, stopped)
            broken = isinstance(explained, SourceDownError)
            if expired:
                raise QueryTimeoutError(
                    f"The query took longer than {timeout:g} s and was stopped."
                ) from None
            raise explained from None
        finally:
            with ringing:  # the servers hear of a stop before somebody else's statement has the connections
                cursor.close()
            self._give_back(small, broken)

    def replace(self, databases: Sequence[Database]) -> None:
        """Other databases from now on. Statements that are under way end on those that they began with."""
        with self._lock:
            self.databases = {one.name: one for one in databases}
            over = [one for one in self._idle if self._is_over(one)]
            self._idle = [one for one in self._idle if one not in over]
            # Who is stopped now may still need the bell; of the next statement it is another one's.
            bells = [name for name, (of, _) in self._bells.items() if self.databases.get(name) != of]
            closing = [self._bells.pop(name)[1] for name in bells]
        for con in (*(one.con for one in over), *closing):
            con.close()

    def close(self) -> None:
        """Closes every connection."""
        self._deadlines.close()
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
            bells, self._bells = self._bells, {}
        for con in (*(one.con for one in idle), *(con for _, con in bells.values())):
            con.close()

    # -- the small DuckDBs -----------------------------------------------------------------------------

    def _borrow(
        self, databases: frozenset[str], at: State | None, tables: frozenset[str]
    ) -> tuple[_Small, str | None]:
        small = self._take(databases, iceberg=False)
        try:
            return small, self._mount(small, at, tables)
        except duckdb.CatalogException as error:
            self._give_back(small, broken=False)
            if "iceberg_scan" not in str(error):
                raise translate(error) from None
        except BaseException:
            self._give_back(small, broken=True)
            raise
        small = self._take(databases, iceberg=True)
        try:
            return small, self._mount(small, at, tables)
        except duckdb.Error as error:
            self._give_back(small, broken=True)
            raise translate(error) from None

    def _mount(self, small: _Small, at: State | None, tables: frozenset[str]) -> str | None:
        if at is None:
            return None
        # What a view reads is not known here.
        wanted = tables if tables <= frozenset(at.tables) else None
        for one in small.mounted:
            hash_, there, mounted = one
            if hash_ == at.hash and (there is None or (wanted is not None and wanted <= there)):
                small.mounted.remove(one)
                small.mounted.append(one)
                return mounted.catalog
        small.mounts += 1
        state = at if wanted is None else _Part(at, wanted)
        made = mount(small.con, state, f"at_{at.hash[:16]}_{small.mounts}")
        small.mounted.append((at.hash, wanted, made))
        while len(small.mounted) > _MOUNTS:
            small.con.execute(f"DETACH {quote_identifier(small.mounted.pop(0)[2].catalog)}")
        return made.catalog

    def _take(self, databases: frozenset[str], *, iceberg: bool) -> _Small:
        with self._lock:
            if self._closed:
                raise SourceBusyError("The server is stopping.")
            fitting = [one for one in self._idle if one.databases >= databases and one.iceberg >= iceberg]
            if fitting:
                found = min(fitting, key=lambda one: len(one.databases))
                self._idle.remove(found)
                self._used.add(found)
                return found
            if len(self._used) + self._opening >= _MOST:
                raise SourceBusyError(
                    f"{_MOST} statements over attached databases are under way, which is the most there can be.",
                    hint="Try again when one of them has ended.",
                )
            missing = sorted(databases - self.databases.keys())
            if missing:
                raise SourceDownError(f"The database '{missing[0]}' is not attached any more.")
            wanted = tuple(self.databases[one] for one in sorted(databases))
            self._opening += 1
        try:
            made = in_yielding_thread(lambda: self._open(wanted, iceberg))
        finally:
            with self._lock:
                self._opening -= 1
        with self._lock:
            self._used.add(made)
        servers = [one for one in wanted if one.kind == "postgres"]
        if any(one.name not in self._bells for one in servers):
            # Connected meanwhile, so that the first cancel is as fast as the others.
            Thread(target=self._ring_all, args=(servers, "ingot nobody"), name="cancel", daemon=True).start()
        return made

    def _open(self, wanted: tuple[Database, ...], iceberg: bool) -> _Small:
        name = f"ingot {token_hex(6)}"
        return _Small(name, wanted, iceberg, self._attached(wanted, name, iceberg=iceberg))

    def _is_over(self, small: _Small) -> bool:
        """Whether what it has attached is not what the names mean now."""
        return any(self.databases.get(one.name) != one for one in small.attached)

    def _attached(
        self, databases: Sequence[Database], name: str, *, iceberg: bool = False
    ) -> DuckDBPyConnection:
        """A DuckDB with these databases attached read only, closed to everything else."""
        extensions = {EXTENSIONS[one.kind] for one in databases if one.kind in EXTENSIONS}
        if iceberg:
            extensions |= {"avro", "iceberg"}
        try:
            con = connect(
                memory_limit=self._memory_limit,
                threads=self._threads,
                temp_directory=self._temp_directory,
                extensions=sorted(extensions),
                stores=(self._warehouse,),
            )
        except ExtensionError as error:
            raise ExtensionError(error.message, hint="pip install 'ingot[federation]'") from None
        try:
            # What a sort with LIMIT has found so far becomes a filter of the scan. A server is asked only once, when
            # that is "IS NULL" where NULLs come first: all other rows would be missing.
            con.execute("SET GLOBAL disabled_optimizers = 'top_n'")
            if "postgres_scanner" in extensions:
                con.execute("SET GLOBAL pg_staleness_query_enabled = true")  # a new column is seen
            for each in databases:
                attach(con, each, name)
            con.execute(f"SET GLOBAL allowed_directories = {quote_literal(self._readable)}")
            con.execute("SET GLOBAL enable_external_access = false")
            con.execute("SET GLOBAL lock_configuration = true")
        except BaseException:
            con.close()
            raise
        return con

    def _give_back(self, small: _Small, broken: bool) -> None:
        over: list[_Small] = []
        with self._lock:
            self._used.discard(small)
            if broken or self._closed or self._is_over(small):
                over.append(small)
            else:
                self._idle.append(small)
                while len(self._idle) > _IDLE:
                    over.append(self._idle.pop(0))
        for one in over:
            one.con.close()

    # -- stopping and failing --------------------------------------------------------------------------

    def _ring(self, small: _Small, ringing: Lock) -> None:
        """Tells the servers that nobody waits for what they do; a stopped DuckDB waits for its servers."""
        try:
            self._ring_all([one for one in small.attached if one.kind == "postgres"], small.name)
        finally:
            ringing.release()

    def _ring_all(self, servers: Sequence[Database], name: str) -> None:
        for each in servers:
            self._ring_at(each, name)

    def _ring_at(self, database: Database, name: str) -> None:
        """Stops what backends of a name do on one server."""
        asked = f"SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = {quote_literal(name)}"
        # As it stands: another Ingot knows this statement, and not what postgres_query makes of it.
        call = f"CALL postgres_execute({quote_literal(database.name)}, {quote_literal(asked)})"
        try:
            with self._hanging:
                of, bell = self._bells.get(database.name, (None, None))
                if bell is None or of != database:
                    bell = self._attached([database], "ingot cancel")
                    with self._lock:
                        if self._closed:
                            bell.close()
                            return
                        _, before = self._bells.pop(database.name, (None, None))
                        self._bells[database.name] = database, bell
                    if before is not None:
                        before.close()
            with bell.cursor() as cursor:
                cursor.execute(call).fetchall()
        except (duckdb.Error, IngotError):
            return  # a server that does not hear this has other troubles; the statement is over for its asker

    def _explain(
        self, error: duckdb.Error, small: _Small, databases: frozenset[str], stopped: bool
    ) -> IngotError:
        text = str(error)
        if stopped and (isinstance(error, duckdb.InterruptException) or "canceling statement" in text):
            return QueryInterruptedError("The query was cancelled.")
        if isinstance(error, duckdb.IOException | duckdb.ConnectionException) and is_down(text):
            named = " or ".join(f"'{one}'" for one in sorted(databases))
            return SourceDownError(f"The database {named} cannot be read: {reason(text)}.")
        explained = translate(error)
        explained.message = self._concealed(explained.message, small)
        explained.args = (explained.message,)
        return explained

    def _concealed(self, text: str, small: _Small) -> str:
        """`text` without addresses: people who may read a table need not know where it is."""
        for each in (*self.databases.values(), *small.attached):
            for part in secrets(each):
                text = text.replace(part, "…")
        return text
