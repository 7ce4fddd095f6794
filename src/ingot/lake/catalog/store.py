"""The state database: how it is opened, and transactions that survive other processes.

SQLite runs in WAL mode with `synchronous=FULL`: readers never wait, writers take turns, and a commit that
was acknowledged is on disk. In PostgreSQL readers see one snapshot, and writers lock the rows that they decide
by. Nothing here knows what the tables mean.
"""

import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event, func, select
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DBAPIError,
    NoSuchModuleError,
    OperationalError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from ingot.lake.catalog import address
from ingot.lake.errors import CatalogUnavailableError

T = TypeVar("T")

_PATIENCE = 30.0
"""Seconds that a writer waits for its turn before it gives up."""
_CONNECT_SECONDS = 10
_LOOK = "Check that the server runs, and the URL: `state`, `catalog` or `ops` of the profile in ingot.yml."
_TRANSIENT_STATES = {"40001", "40P01", "23505", "42P07"}
"""PostgreSQL: serialization failure, deadlock, and two sessions that created the same row or table at once."""


class Store:
    """A connection pool with one verb to read and one to write."""

    def __init__(self, url: str, *, what: str = "catalog") -> None:
        self._url = address.parsed(url)
        self._shown = f"The {what} {address.shown(self._url)}"
        sqlite = self._url.get_backend_name() == "sqlite"
        if sqlite and self._url.database and self._url.database != ":memory:":
            self._make_folder(Path(self._url.database).parent)
        self._engine = self._opened(self._url)
        self._reader = self._engine
        if sqlite:
            event.listen(self._engine, "connect", _configure)
            event.listen(self._engine, "begin", _begin)
        elif self._engine.dialect.name == "postgresql":
            # Its default shows each statement another state of the database.
            self._reader = self._engine.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        self._writer = self._engine.execution_options(ingot_write=True)
        self._peeking: sqlite3.Connection | None = None
        self._peek_lock = Lock()

    def read(self, work: Callable[[Connection], T]) -> T:
        """What `work` gives back, run on one consistent view of the database."""
        return self._run(self._reader, work)

    def write(self, work: Callable[[Connection], T]) -> T:
        """What `work` gives back, run in a transaction that is committed to disk before this returns.

        `work` may run again where the database was busy, so it keeps nothing outside of it. Raises
        `CatalogUnavailableError` when the database stays locked.
        """
        return self._run(self._writer, work)

    def peek(self, statement: str, *values: str) -> Any:
        """The first value that a SELECT gives now, in microseconds; None where there is none or it would wait.

        For what is asked with every request: SQLite's file is read directly. Another database is never asked.
        """
        if self._url.get_backend_name() != "sqlite" or self._url.database in (None, "", ":memory:"):
            return None
        with self._peek_lock:
            try:
                if self._peeking is None:
                    self._peeking = sqlite3.connect(
                        str(self._url.database), timeout=0, check_same_thread=False, isolation_level=None
                    )
                    self._peeking.execute("PRAGMA query_only = ON")
                row = self._peeking.execute(statement, values).fetchone()
            except sqlite3.Error:  # `read` says what is wrong
                return None
        return row[0] if row else None

    @contextmanager
    def alone(self, name: str) -> Iterator[bool]:
        """Whether nobody else who uses this PostgreSQL schema holds `name`, which is then held for the block.

        Always True for SQLite: who shares its file shares the machine, where locks on files do the same.
        """
        if self._engine.dialect.name != "postgresql":
            yield True
            return
        place = func.hashtextextended(func.concat(func.current_schema(), ".", name), 0)
        # The server gives it back when the connection ends, whatever becomes of this process.
        engine = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        try:
            connection = engine.connect()
        except DBAPIError as error:
            raise self._explained(error) from error
        try:
            yield bool(connection.scalar(select(func.pg_try_advisory_lock(place))))
        finally:
            connection.invalidate()
            connection.close()

    def close(self) -> None:
        """Closes every connection."""
        with self._peek_lock:
            if self._peeking is not None:
                self._peeking.close()
                self._peeking = None
        self._engine.dispose()

    def _opened(self, url: URL) -> Engine:
        options: dict[str, Any] = {}
        if url.get_backend_name() == "postgresql":
            # A connection that the server has closed meanwhile is replaced before it is used.
            options["pool_pre_ping"] = True
            if "connect_timeout" not in url.query:
                options["connect_args"] = {"connect_timeout": _CONNECT_SECONDS}
        try:
            return create_engine(url, **options)
        except (ModuleNotFoundError, NoSuchModuleError) as error:
            raise CatalogUnavailableError(
                f"{self._shown} needs a driver that is not installed: {error}.",
                hint="`pip install 'ingot[postgres]'` for PostgreSQL; SQLite needs none.",
            ) from error
        except ArgumentError as error:
            said = address.without_secrets(url, str(error))
            raise CatalogUnavailableError(f"{self._shown} cannot be used: {said}.", hint=_LOOK) from None

    def _run(self, engine: Engine, work: Callable[[Connection], T]) -> T:
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                with engine.begin() as connection:
                    return work(connection)
            except PoolTimeoutError as error:
                raise self._locked() from error
            except DBAPIError as error:
                if not _is_transient(error):
                    raise self._explained(error) from error
                if time.monotonic() > deadline:
                    raise self._locked() from error
            time.sleep(random.uniform(0.001, 0.02))  # noqa: S311 (spreads waiting writers)

    def _locked(self) -> CatalogUnavailableError:
        return CatalogUnavailableError(
            f"{self._shown} stayed locked for {_PATIENCE:.0f} seconds.",
            hint="Another process holds it; look for a hanging `ingot` and try again.",
        )

    def _explained(self, error: DBAPIError) -> Exception:
        # Not connected, locked out, a full disk, a damaged file; a wrong statement is a bug of ours.
        connecting = error.statement is None
        if (
            connecting
            or isinstance(error, OperationalError)
            or type(error) is DatabaseError
            or _is_denied(error)
        ):
            said = address.without_secrets(self._url, str(error.orig)).strip().rstrip(".")
            return CatalogUnavailableError(
                f"{self._shown} cannot be used: {said}.",
                hint=None if self._url.get_backend_name() == "sqlite" else _LOOK,
            )
        return error

    def _make_folder(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CatalogUnavailableError(
                f"The folder {folder} for the catalog cannot be made: {error}."
            ) from error


def _configure(connection: sqlite3.Connection, _record: object) -> None:
    # The driver would begin transactions by itself, and always deferred ones.
    connection.isolation_level = None
    connection.execute("PRAGMA busy_timeout = 5000")
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            # Switching to WAL does not honour the busy timeout when two processes open a new file at once.
            connection.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError as error:
            if not _is_busy(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
    connection.execute("PRAGMA synchronous = FULL")


def _begin(connection: Connection) -> None:
    # A deferred transaction that turns into a write fails at once when another writer was faster.
    writes = connection.get_execution_options().get("ingot_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _is_busy(error: sqlite3.Error) -> bool:
    code: Any = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _is_transient(error: DBAPIError) -> bool:
    if isinstance(error.orig, sqlite3.Error):
        return _is_busy(error.orig)
    return getattr(error.orig, "sqlstate", None) in _TRANSIENT_STATES


def _is_denied(error: DBAPIError) -> bool:
    """No right to make or use the tables, or no schema to make them in."""
    return isinstance(error, ProgrammingError) and getattr(error.orig, "sqlstate", None) in {"42501", "3F000"}
