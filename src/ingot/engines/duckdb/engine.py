"""The embedded engine: one DuckDB, each commit of the lake one attached catalog, one cursor a query.

A state is mounted when it is first asked for and detached when it is the least recently used of more than
`MOUNTS` and nobody reads it any more.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Lock

import duckdb
from duckdb import DuckDBPyConnection

from ingot.engines.deadlines import Deadlines
from ingot.engines.duckdb.arrow import write_arrow
from ingot.engines.duckdb.connect import connect
from ingot.engines.duckdb.errors import translate
from ingot.engines.duckdb.held import Held
from ingot.engines.duckdb.mount import Mount, mount
from ingot.engines.duckdb.readonly import check
from ingot.engines.errors import QueryInterruptedError, QueryTimeoutError
from ingot.engines.interrupt import Interrupt
from ingot.engines.ports import Capabilities, Column, Format, HeldTable, Lake, Parameters, Result, State
from ingot.engines.sql import quote_identifier, quote_literal
from ingot.engines.yielding import in_yielding_thread
from ingot.errors import IngotError

_COPY = {
    "parquet": "FORMAT parquet, COMPRESSION zstd",
    "csv": "FORMAT csv, HEADER, TIMESTAMPFORMAT '%Y-%m-%dT%H:%M:%S.%g'",
}
MOUNTS = 16
"""How many states stay mounted: today's `main`, a few branches, a few points in time."""


@dataclass(slots=True)
class _Mounted:
    mount: Mount
    con: DuckDBPyConnection
    readers: int = 0


class DuckDBEngine:
    """DuckDB over the lake's files. Thread safe; reads nothing outside of the warehouse."""

    dialect = "duckdb"
    capabilities = Capabilities(local_files=True, session=True, interrupt=True, exports=True)

    def __init__(
        self,
        lake: Lake,
        *,
        memory_limit: str | None = None,
        threads: int | None = None,
        extensions: Sequence[str] = (),
        temp_directory: Path | None = None,
        readable: Sequence[Path | str] = (),
    ) -> None:
        """`readable`: folders that may be read beside the lake's warehouse (rollups)."""
        warehouse = str(lake.warehouse).removeprefix("file://")
        self._connect = partial(
            connect,
            memory_limit=memory_limit,
            threads=threads,
            temp_directory=temp_directory,
            readable=(warehouse, *readable),
            stores=(warehouse,),
        )
        self._extensions = tuple(extensions)
        self._con = in_yielding_thread(lambda: self._connect(extensions=self._extensions))
        self._iceberg: DuckDBPyConnection | None = None
        self._mounted: OrderedDict[str, _Mounted] = OrderedDict()
        self._lock = Lock()
        self._held = Held()
        self._deadlines = Deadlines()

    def query(
        self,
        sql: str,
        *,
        at: State,
        parameters: Parameters = (),
        timeout: float | None = None,
        interrupt: Interrupt | None = None,
        held: Sequence[HeldTable] = (),
        most: int | None = None,
    ) -> Result:
        """The result of one read-only statement at `at`, its first `most` rows; see `Engine.query`.

        The tables `held` can be read beside those of the lake, as `"#rollups".main.<name>`.
        """
        check(sql)
        with self.session(at, timeout=timeout, interrupt=interrupt, held=held) as cursor:
            cursor.execute(sql, parameters or None)
            columns = tuple(Column(name, str(kind)) for name, kind, *_ in cursor.description or ())
            return Result(columns, cursor.fetchall() if most is None else cursor.fetchmany(most))

    def export(
        self,
        sql: str,
        *,
        at: State,
        path: Path,
        format: Format = "parquet",
        parameters: Parameters = (),
        timeout: float | None = None,
        interrupt: Interrupt | None = None,
        held: Sequence[HeldTable] = (),
    ) -> None:
        """Writes the result of one SELECT at `at` to `path`, without holding it in memory.

        `path` must be below one of the engine's `readable` folders. Raises what `query` raises, and
        `UsageError` for Arrow where pyarrow is not installed.
        """
        check(sql)
        select = duckdb.extract_statements(sql)[0].query.strip().rstrip(";")
        with self.session(at, timeout=timeout, interrupt=interrupt, held=held) as cursor:
            if format != "csv":
                select = _plain(cursor, select, parameters)
            if format == "arrow":
                write_arrow(cursor, select, parameters, path)
                return
            # The line break ends a comment that the statement may close with.
            target = f"{quote_literal(str(path))} ({_COPY[format]})"
            cursor.execute(f"COPY ({select}\n) TO {target}", parameters or None)

    @contextmanager
    def session(
        self,
        at: State,
        *,
        timeout: float | None = None,
        interrupt: Interrupt | None = None,
        held: Sequence[HeldTable] = (),
    ) -> Iterator[DuckDBPyConnection]:
        """A cursor whose current catalog is `at`: `gold.fact_orders` means the table at that commit.

        For rooms that bring their own SQL; what people write goes through `query`, which lets nothing but
        SELECT pass. `interrupt` or `cursor.interrupt()` from another thread cancels. DuckDB's errors inside
        the block come out as `IngotError`s.
        """
        mounted = self._borrow(at)
        cursor = mounted.con.cursor()
        expired = False

        def expire() -> None:
            nonlocal expired
            expired = True
            cursor.interrupt()

        try:
            cursor.execute(f"USE {quote_identifier(mounted.mount.catalog)}")
            with (
                self._deadlines.after(timeout, expire) if timeout is not None else nullcontext(),
                self._held.reading(mounted.con, held) if held else nullcontext(),
                interrupt.stopping(cursor.interrupt) if interrupt else nullcontext(),
            ):
                yield cursor
        except duckdb.Error as error:
            raise self._explain(error, mounted.mount, at, timeout if expired else None) from error
        finally:
            cursor.close()
            self._give_back(mounted)

    def close(self) -> None:
        """Closes DuckDB and with it every session."""
        self._deadlines.close()
        with self._lock:
            self._mounted.clear()
            self._con.close()
            if self._iceberg is not None:
                self._iceberg.close()

    def _borrow(self, at: State) -> _Mounted:
        with self._lock:
            mounted = self._mounted.get(at.hash)
            if mounted is None:
                try:
                    mounted = self._mount(at)
                except duckdb.Error as error:
                    raise translate(error, at=_name(at)) from error
                self._mounted[at.hash] = mounted
            self._mounted.move_to_end(at.hash)
            mounted.readers += 1
            self._drop_oldest()
            return mounted

    def _mount(self, at: State) -> _Mounted:
        catalog = f"at_{at.hash[:16]}"
        try:
            return _Mounted(mount(self._con, at, catalog), self._con)
        except duckdb.CatalogException as error:
            if "iceberg_scan" not in str(error):
                raise
        # Tables that another writer changed need DuckDB's Iceberg reader. It takes 0.1 s to load and cannot
        # be loaded into a connection that is closed to the world, so it gets a second one when first needed.
        if self._iceberg is None:
            extensions = ("avro", "iceberg", *self._extensions)
            self._iceberg = in_yielding_thread(lambda: self._connect(extensions=extensions))
        return _Mounted(mount(self._iceberg, at, catalog), self._iceberg)

    def _give_back(self, mounted: _Mounted) -> None:
        with self._lock:
            mounted.readers -= 1
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        excess = len(self._mounted) - MOUNTS
        if excess > 0:
            for key in [key for key, each in self._mounted.items() if not each.readers][:excess]:
                old = self._mounted.pop(key)
                old.con.execute(f"DETACH {quote_identifier(old.mount.catalog)}")

    @staticmethod
    def _explain(error: duckdb.Error, mounted: Mount, at: State, expired: float | None) -> IngotError:
        explained = translate(error, tables=mounted.names, at=_name(at))
        if expired is not None and isinstance(explained, QueryInterruptedError):
            return QueryTimeoutError(f"The query took longer than {expired:g} s and was stopped.")
        for name, reason in mounted.broken.items():
            if name in explained.message:
                explained.hint = f"The view {name} cannot be used at {_name(at)}: {reason}"
        return explained


def _plain(cursor: DuckDBPyConnection, select: str, parameters: Parameters) -> str:
    """`select` in types that every reader of its format has.

    Whole numbers of 128 bits are decimals: Parquet has none, and DuckDB writes them as doubles. ENUMs of held tables
    are the texts that they stand for.
    """
    cursor.execute(f"DESCRIBE {select}", parameters or None)
    described = [(str(row[0]), str(row[1])) for row in cursor.fetchall()]
    other = {name: "DECIMAL(38, 0)" for name, kind in described if kind in ("HUGEINT", "UHUGEINT")}
    other |= {name: "VARCHAR" for name, kind in described if kind.startswith("ENUM(")}
    if not other or len({name for name, _ in described}) < len(described):
        return select
    casts = ", ".join(
        f"CAST({quote_identifier(name)} AS {kind}) AS {quote_identifier(name)}"
        for name, kind in sorted(other.items())
    )
    return f"SELECT * REPLACE ({casts}) FROM ({select}\n) AS answer"


def _name(at: State) -> str:
    return f"commit {at.hash[:12]}"
