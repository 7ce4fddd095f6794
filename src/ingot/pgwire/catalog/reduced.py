"""The smaller catalog where PostgreSQL is not there: empty tables in a DuckDB in memory, asked in its own SQL.

It is enough for psql's `\\d`, drivers and SQLAlchemy's look around; the long tail of tools needs PostgreSQL itself.
"""

import asyncio
import contextlib
import re
from collections.abc import Hashable, Mapping, Sequence
from threading import Lock, Timer
from typing import Any

import duckdb
from sqlglot import exp

from ingot.pgwire.catalog import reduced_data, reduced_sql
from ingot.pgwire.catalog.ports import Answer, Described, Showing
from ingot.pgwire.catalog.schema import tidy
from ingot.pgwire.errors import PgError
from ingot.pgwire.ports import Field, SessionInfo, Value
from ingot.pgwire.rows import WholeRows
from ingot.pgwire.types import OID, TEXT, postgres_type
from ingot.pgwire.values.encoder import Encoder
from ingot.pgwire.values.literals import literal

VERSION = "15.0"
"""The PostgreSQL that it resembles: later ones are asked for more."""
_SECONDS = 30.0
_MOST = 8
_SET = re.compile(
    r"set\s+(?:session\s+|local\s+)?\"?(\w+)\"?\s*(?:=|\bto\b)\s*('[^']*'|[\w.-]+)\s*;?", re.IGNORECASE
)
_PLANNER = re.compile(
    r"enable_\w+|jit\w*|geqo\w*|work_mem|maintenance_work_mem|\w+_collapse_limit|max_parallel_\w+|lc_\w+|array_nulls"
    r"|synchronous_commit|quote_all_identifiers|xmlbinary|default_\w+|backslash_quote|transform_null_equals"
)
_COLUMN = re.compile(r'Referenced column "(.*?)" not found')


class ReducedCatalogs:
    """The catalogs of one server, by what is seen in them."""

    def __init__(self, showing: Showing) -> None:
        self._showing = showing
        self._kept: dict[Hashable, duckdb.DuckDBPyConnection] = {}
        self._lock = Lock()

    def source(self, info: SessionInfo) -> "ReducedSource":
        """The catalog of one session."""
        return ReducedSource(self, info)

    def cursor(self, info: SessionInfo) -> tuple[duckdb.DuckDBPyConnection, Hashable]:
        """What is shown to a session now, and what it is told by. Takes some milliseconds where it moved."""
        showing = self._showing
        refs = tuple(showing.refs())
        key = (info.user, info.context.key, info.lake, showing.mark(info), refs, info.ref)
        with self._lock:
            con = self._kept.pop(key, None)
            if con is None:
                con = self._made(info, refs)
                while len(self._kept) >= _MOST:
                    self._kept.pop(next(iter(self._kept))).close()
            self._kept[key] = con
            return con.cursor(), key

    def close(self) -> None:
        """Gives the memory back."""
        with self._lock:
            for con in self._kept.values():
                con.close()
            self._kept.clear()

    def _made(self, info: SessionInfo, refs: Sequence[str]) -> duckdb.DuckDBPyConnection:
        tables = tidy(self._showing.tables(info))
        con = duckdb.connect(config={"memory_limit": "256MB", "threads": 1, "enable_external_access": False})
        con.execute("SET autoinstall_known_extensions = false; SET autoload_known_extensions = false")
        project, default = self._showing.project, self._showing.default
        names = [project if ref == default else f"{project}@{ref}" for ref in refs]
        reduced_data.fill(con, tables, names, info.user)
        con.execute("SET lock_configuration = true")
        return con


class ReducedSource:
    """The smaller catalog for one session."""

    def __init__(self, catalogs: ReducedCatalogs, info: SessionInfo) -> None:
        self._catalogs = catalogs
        self._info = info
        self._running: duckdb.DuckDBPyConnection | None = None
        self._cancelled = False

    async def prepare(self, text: str, parameters: Sequence[int] = ()) -> "ReducedStatement":
        """A SELECT over the catalog. Raises `PgError`."""
        tree = reduced_sql.parsed(text)
        if tree is None:
            return ReducedStatement(self, None, Described((), None))
        count = max(reduced_sql.placeholders(tree), len(parameters))
        oids = tuple((parameters[n] if n < len(parameters) else 0) or TEXT for n in range(count))
        empty = reduced_sql.filled(tree, [exp.Null()] * count)
        columns = await self._run(empty, describe=True)
        return ReducedStatement(self, tree, Described(oids, columns))

    async def describe(self, text: str, parameters: Sequence[int] = ()) -> Described:
        """Of statements about the catalog only; 0A000 for all others. Raises `PgError`."""
        return (await self.prepare(text, parameters)).described

    async def setting(self, text: str) -> Answer:
        """Takes settings that steer PostgreSQL's planner and so change nothing here. Raises `PgError` for others."""
        found = _SET.fullmatch(text.strip())
        name = found[1].lower() if found is not None else ""
        if found is None or _PLANNER.fullmatch(name) is None:
            raise PgError("unrecognized configuration parameter", sqlstate="42704", detail=text)
        return Answer("SET", {name: found[2].strip("'")})

    async def parameters(self) -> Mapping[str, str]:
        """What a client is told at the start."""
        return {
            "server_version": VERSION,
            "server_encoding": "UTF8",
            "client_encoding": "UTF8",
            "is_superuser": "off",
        }

    def cancel(self) -> None:
        """Stops what runs."""
        self._cancelled = True
        if self._running is not None:
            self._running.interrupt()

    async def close(self) -> None:
        """Stops what runs."""
        self.cancel()

    async def rows(
        self,
        tree: exp.Query | None,
        oids: Sequence[int],
        columns: tuple[Field, ...],
        values: Sequence[Value],
        formats: Sequence[int],
    ) -> WholeRows:
        """The rows of a statement. Raises `PgError`."""
        if tree is None:
            return WholeRows((), ())
        literals = [literal(value, oid, self._info.settings) for value, oid in zip(values, oids, strict=True)]
        table = await self._run(reduced_sql.filled(tree, literals))
        encoder = Encoder(columns, table.schema, formats, self._info.settings)
        return WholeRows(columns, [piece for batch in table.to_batches() for piece in encoder.pieces(batch)])

    async def _run(self, tree: exp.Query, *, describe: bool = False) -> Any:
        info = self._info
        self._cancelled = False
        version = f"PostgreSQL {VERSION} (a smaller catalog of Ingot's)"
        sql = reduced_sql.rewritten(
            tree, user=info.user, database=info.database, version=version, settings=info.settings
        )
        return await asyncio.to_thread(self._execute, sql, describe=describe)

    def _execute(self, sql: str, *, describe: bool) -> Any:
        cursor, _ = self._catalogs.cursor(self._info)
        self._running = cursor
        timer = Timer(_SECONDS, cursor.interrupt)
        timer.daemon = True
        timer.start()
        try:
            if self._cancelled:
                raise PgError("canceling statement due to user request", sqlstate="57014")
            if describe:
                return _columns(cursor.execute(f"DESCRIBE {sql}").fetchall())
            return cursor.execute(sql).to_arrow_table()
        except duckdb.InterruptException as error:
            raise PgError("canceling statement due to user request", sqlstate="57014") from error
        except duckdb.CatalogException as error:
            raise PgError(_first(error), sqlstate="42P01") from error
        except duckdb.BinderException as error:
            raise _bound(error) from error
        except duckdb.ConversionException as error:
            raise PgError(_first(error), sqlstate="22P02") from error
        except duckdb.OutOfMemoryException as error:
            raise PgError("out of memory", sqlstate="53200") from error
        except duckdb.Error as error:
            raise PgError(_first(error), sqlstate="0A000", hint=reduced_sql.HINT) from error
        finally:
            timer.cancel()
            self._running = None
            with contextlib.suppress(duckdb.Error):
                cursor.close()


class ReducedStatement:
    """A statement that the smaller catalog can answer."""

    def __init__(self, source: ReducedSource, tree: exp.Query | None, described: Described) -> None:
        self._source = source
        self._tree = tree
        self.described = described

    @property
    def parameters(self) -> tuple[int, ...]:
        """The types of its parameters."""
        return self.described.parameters

    @property
    def fields(self) -> tuple[Field, ...] | None:
        """Its columns."""
        return self.described.fields

    async def run(self, values: Sequence[Value], formats: Sequence[int]) -> WholeRows:
        """Its rows. Raises `PgError`."""
        return await self._source.rows(self._tree, self.parameters, self.fields or (), values, formats)


def _columns(rows: Sequence[tuple[Any, ...]]) -> tuple[Field, ...]:
    found = []
    for name, kind, *_ in rows:
        oid, modifier = (OID, -1) if kind == "UINTEGER" else postgres_type(kind.strip('"'))
        found.append(Field(name, oid, modifier))
    return tuple(found)


def _first(error: duckdb.Error) -> str:
    return str(error).partition("\n")[0]


def _bound(error: duckdb.Error) -> PgError:
    found = _COLUMN.search(str(error))
    if found is None:
        return PgError(_first(error), sqlstate="0A000", hint=reduced_sql.HINT)
    return PgError(f'column "{found[1]}" does not exist', sqlstate="42703")
