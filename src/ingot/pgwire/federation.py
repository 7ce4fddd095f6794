"""The databases of the project that SQL may read: which there are, what tables they have, and statements over them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingot.engines import Interrupt, SourceBusyError, SourceDownError
from ingot.engines.duckdb.attached import AttachedDatabases
from ingot.engines.duckdb.databases import Database
from ingot.engines.sql import quote_identifier, quote_literal
from ingot.errors import NotFoundError, did_you_mean
from ingot.pgwire.errors import PgError
from ingot.pgwire.rounded import AS_READ, rounded
from ingot.semantic.sql.errors import SqlError, shown
from ingot.semantic.sql.rows.plain import Relation

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from ingot.engines.ports import HeldTable, Lake, State
    from ingot.project.loading import Databases
    from ingot.project.model import Project
    from ingot.project.problem import Problem
    from ingot.project.source import Source

DOWN = "HV00N"
"""`fdw_unable_to_establish_connection`: what is not there is behind the server, whose own connection is well."""
MOST_DIGITS = 38
"""Of a number of the engine's."""
_SYSTEM = frozenset({"pg_catalog", "information_schema", "pg_toast"})
_FIRST = {"postgres": "public", "sqlite": "main", "duckdb": "main"}
"""The schema that a name without one means."""

_LISTED = (
    "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = $1 "
    "UNION SELECT schema_name, view_name FROM duckdb_views() WHERE database_name = $1 AND NOT internal"
)
_THERE = (
    "SELECT n.nspname::text AS s, c.relname::text AS t FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f') AND has_schema_privilege(n.oid, 'USAGE') "
    "AND has_table_privilege(c.oid, 'SELECT')"
)
_LISTED_THERE = f"SELECT s, t FROM postgres_query($1, {quote_literal(_THERE)})"
"""DuckDB leaves out materialized views, partitioned tables, and does not ask what may be read."""


class Federation:
    """Reads the databases that the project's files attach. Thread safe; connects when it is first asked."""

    def __init__(self, project: "Project", lake: "Lake") -> None:
        self._sources: dict[str, Source] = {
            one.name: one for one in project.sources if one.is_database and one.attach
        }
        self._wrong: Mapping[str, tuple[Problem, ...]] = {}
        self._is_open_to_all = project.auth is None
        self.version = 0
        """Another number whenever there are other databases."""
        engine = project.engine
        databases = [_database(one) for one in self._sources.values()]
        self._attached = AttachedDatabases(
            lake,
            databases,
            memory_limit=engine.memory_limit,
            threads=engine.threads,
            readable=(project.state_dir / "rollups",),
        )

    def attach(self, databases: "Databases") -> bool:
        """Reads these databases from now on; whether there is anything new with them.

        Statements under way end on those that they began with.
        """
        found = {one.name: one for one in databases.there}
        before = self._sources, self._wrong
        if (found, databases.wrong) == before:
            return False
        self._sources, self._wrong = found, databases.wrong
        if found != before[0]:
            self._attached.replace([_database(one) for one in found.values()])
        self.version += 1
        return True

    @property
    def names(self) -> Sequence[str]:
        """The databases, sorted."""
        return sorted(self._sources)

    def named(self, said: str) -> str | None:
        """The database of a name, whatever the case, also one whose file is wrong; None for none."""
        known = (*self._sources, *self._wrong)
        if said in known:
            return said
        folded = said.casefold()
        return next((one for one in known if one.casefold() == folded), None)

    def tables(self, source: str) -> Sequence[tuple[str, str]]:
        """Schema and name of each table and view that may be read, sorted.

        Raises `PgError` where the database cannot be reached.
        """
        postgres = self._source(source).connector == "postgres"
        with self.session(frozenset({source})) as cursor:
            rows = cursor.execute(_LISTED_THERE if postgres else _LISTED, [source]).fetchall()
        return sorted((schema, name) for schema, name in rows if self._is_open(source, schema))

    def all_columns(self, source: str) -> Sequence[tuple[str, str, str, str]]:
        """Schema, table, name and engine's type of each column of all tables that may be read, in order.

        Raises `PgError` where the database cannot be reached.
        """
        with self.session(frozenset({source})) as cursor:
            rows = cursor.execute(
                "SELECT schema_name, table_name, column_name, data_type FROM duckdb_columns() "
                "WHERE database_name = ? AND NOT internal ORDER BY schema_name, table_name, column_index",
                [source],
            ).fetchall()
        found = [(str(a), str(b), str(c), str(d)) for a, b, c, d in rows if self._is_open(source, str(a))]
        known = set(self.tables(source))
        found = [one for one in found if one[:2] in known]
        listed = {(schema, table) for schema, table, _, _ in found}
        for schema, table in sorted(known):
            if (schema, table) not in listed:  # a view of a file, a materialized one
                columns = self.columns(source, schema, table) or {}
                found += [(schema, table, name, kind) for name, kind in columns.items()]
        return found

    def columns(
        self, source: str, schema: str, name: str, wanted: frozenset[str] = frozenset()
    ) -> dict[str, str] | None:
        """The columns of a table and the engine's types of them; None where it is not there.

        `wanted`: the other databases that the statement will read, which are opened with it.
        """
        if not self._is_open(source, schema):
            return None
        try:
            with self.session(wanted | {source}) as cursor:
                rows = cursor.execute(f"DESCRIBE {quote_identifier(source, schema, name)}").fetchall()
        except NotFoundError:
            return None
        return {str(row[0]): str(row[1]) for row in rows}

    def relation(self, source: str, schema: str, name: str, wanted: frozenset[str] = frozenset()) -> Relation:
        """A table as a statement may read it; `schema` may be empty, and `wanted` is as for `columns`.

        Raises `SqlError` where it is not there or not open, `PgError` where the database cannot be reached.
        """
        schema = schema or _FIRST[self._source(source).connector]
        found = self.columns(source, schema, name, wanted)
        if found is not None:
            _check(found, f"{source}.{schema}.{name}")
            return Relation(found, (source, schema, name))
        known = [".".join(one) for one in self.tables(source)]
        written = f"{schema}.{name}"
        folded = next((one for one in known if one.casefold() == written.casefold()), None)
        if folded is not None and folded != written:
            inner, _, table = folded.partition(".")
            return self.relation(source, inner, table, wanted)
        raise SqlError(
            f'relation "{shown(f"{source}.{written}")}" does not exist{did_you_mean(written, known)}',
            sqlstate="42P01",
            hint=f"SHOW TABLES FROM {source}.{schema} lists the tables.",
        )

    def rounded(self, source: str, table: Relation) -> Sequence[str]:
        """The columns of a table whose numbers are exact in the database and not here; see `rounded`."""
        kinds = table.columns.values()
        if self._source(source).connector != "postgres" or AS_READ.isdisjoint(kinds):
            return ()
        _, schema, name = table.parts
        with self.session(frozenset({source})) as cursor:
            return [column for _, _, column in rounded(cursor, source, (schema, name))]

    def all_rounded(self, source: str) -> frozenset[tuple[str, str, str]]:
        """Schema, table and name of all such columns of a database."""
        if self._source(source).connector != "postgres":
            return frozenset()
        with self.session(frozenset({source})) as cursor:
            return frozenset(rounded(cursor, source))

    @contextmanager
    def session(
        self,
        databases: frozenset[str],
        *,
        at: "State | None" = None,
        tables: frozenset[str] = frozenset(),
        timeout: float | None = None,
        interrupt: Interrupt | None = None,
        held: "Sequence[HeldTable]" = (),
    ) -> "Iterator[DuckDBPyConnection]":
        """See `AttachedDatabases.session`; a database that cannot be reached is a `PgError` HV00N."""
        for one in sorted(databases):
            self._source(one)
        try:
            with self._attached.session(
                databases, at=at, tables=tables, timeout=timeout, interrupt=interrupt, held=held
            ) as cursor:
                yield cursor
        except SourceDownError as error:
            raise PgError(error.message, sqlstate=DOWN, hint=error.hint) from None
        except SourceBusyError as error:
            raise PgError(error.message, sqlstate="53300", hint=error.hint) from None

    def close(self) -> None:
        """Closes every connection."""
        self._attached.close()

    def _source(self, name: str) -> "Source":
        """The source of a database. Raises `PgError` for one whose file is wrong, or that is there no more."""
        found = self._sources.get(name)
        if found is not None:
            return found
        if name not in self._wrong:
            raise PgError(
                f'catalog "{shown(name)}" does not exist{did_you_mean(name, self.names)}',
                sqlstate="3D000",
                hint="SHOW CATALOGS lists the catalogs.",
            )
        said = [str(one) for one in self._wrong[name]]
        raise PgError(
            f'the database "{shown(name)}" cannot be read: its file has {len(said)} mistake{"s" * (len(said) > 1)}',
            sqlstate="F0000",
            detail="\n".join(said) if self._is_open_to_all else None,
            hint="ingot model validate tells what is wrong with the project's files.",
        )

    def _is_open(self, source: str, schema: str) -> bool:
        wanted: Iterable[str] = self._source(source).schemas
        return schema not in _SYSTEM and not schema.startswith("pg_") and (not wanted or schema in wanted)


@dataclass(frozen=True, slots=True)
class Outside:
    """Opens the sessions of one statement over databases, as the engine does for all others."""

    federation: Federation
    databases: frozenset[str]
    tables: frozenset[str]
    """Those of the lake that are read."""

    def session(
        self,
        at: "State",
        *,
        timeout: float | None = None,
        interrupt: Interrupt | None = None,
        held: "Sequence[HeldTable]" = (),
    ) -> "AbstractContextManager[DuckDBPyConnection]":
        """See `DuckDBEngine.session`."""
        return self.federation.session(
            self.databases, at=at, tables=self.tables, timeout=timeout, interrupt=interrupt, held=held
        )


def _check(columns: Mapping[str, str], table: str) -> None:
    """Refuses a table whose numbers would be read as other ones: the engine knows no scale below zero."""
    for name, kind in columns.items():
        scale = kind.removeprefix("DECIMAL(").removesuffix(")").partition(",")[2]
        if kind.startswith("DECIMAL(") and int(scale) > MOST_DIGITS:
            raise PgError(
                f'column "{shown(name)}" of "{shown(table)}" is numeric with a negative scale, which is not read',
                sqlstate="0A000",
                hint="Cast it in a view of the database.",
            )


def _database(source: "Source") -> Database:
    address = str(source.url) if source.connector == "postgres" else str(source.folder)
    assert source.connector != "files"
    return Database(source.name, source.connector, address)
