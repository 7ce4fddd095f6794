"""What tables there are: of the lake at a state, and of the databases beside it; and what a name in FROM means."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlglot import exp

from ingot.engines.sql import quote_identifier
from ingot.errors import did_you_mean, nearest
from ingot.pgwire.federation import Outside
from ingot.semantic.answers.recent import Recent
from ingot.semantic.sql.errors import SqlError, shown
from ingot.semantic.sql.rows.plain import Relation
from ingot.semantic.sql.rows.scope import folded

if TYPE_CHECKING:
    from ingot.engines.duckdb import DuckDBEngine
    from ingot.lake import State
    from ingot.pgwire.federation import Federation

LAKE, MODEL = "lake", "model"
"""The catalogs that are always there."""
_MODELS = ("public", "pg_catalog", "information_schema")


class LakeTables:
    """The tables of the lake at its states. Safe to use from several threads; what it keeps only saves time."""

    def __init__(self, engine: "DuckDBEngine") -> None:
        self._engine = engine
        self._kept: Recent[tuple[str, str], Mapping[str, str]] = Recent(5_000)
        self._schemas: Recent[str, frozenset[str]] = Recent(64)

    def names(self, state: "State") -> Sequence[str]:
        """The tables and views of a state, as `schema.name`."""
        return (*state.tables, *state.views)

    def schemas(self, state: "State") -> frozenset[str]:
        """The schemas that have tables, in lower case."""
        found = self._schemas.get(state.hash)
        if found is None:
            named = {one.rpartition(".")[0].casefold() for one in self.names(state)}
            found = self._schemas.keep(state.hash, frozenset(named))
        return found

    def real(self, state: "State", name: str) -> str | None:
        """The lake's own spelling of `schema.name`; None where it has no such table."""
        if name in state:
            return name
        folded = name.casefold()
        return next((one for one in self.names(state) if one.casefold() == folded), None)

    def columns(self, state: "State", name: str) -> Mapping[str, str]:
        """The columns of a table or view and the engine's types of them. Raises `IngotError` for a broken view."""
        key = (state.hash, name)
        found = self._kept.get(key)
        return found if found is not None else self._kept.keep(key, self._described(state, name))

    def _described(self, state: "State", name: str) -> Mapping[str, str]:
        if name in state.tables:
            return {one.name: one.type for one in state.table(name).schema}
        schema, _, table = name.rpartition(".")
        with self._engine.session(state) as cursor:
            rows = cursor.execute(f"DESCRIBE {quote_identifier(schema, table)}").fetchall()
        return {str(row[0]): str(row[1]) for row in rows}


@dataclass(slots=True)
class Looking:
    """Looks tables up for one statement, and keeps in mind which databases it reads."""

    tables: LakeTables
    state: "State"
    federation: "Federation | None"
    search_path: Sequence[str]
    database: str
    """The name of the database that the client is connected to: it may stand before a schema."""
    faces: Callable[[], Iterable[str]]
    """The cubes and views."""
    wanted: frozenset[str] = frozenset()
    """The databases whose names stand in the statement."""
    rounding: Callable[[str, Relation], Sequence[str]] = lambda _source, _table: ()
    """Those columns of a table of a database whose numbers are not exact here; see `rounded`."""
    rounded: list[str] = field(default_factory=list)
    """Those that are read."""
    databases: set[str] = field(default_factory=set)
    """Those that are read."""
    read: set[str] = field(default_factory=set)
    """The tables of the lake that are."""

    def __call__(self, node: exp.Table) -> Relation | None:
        """See `plain.Find`."""
        given = (
            folded(one) if one is not None else "" for one in map(node.args.get, ("catalog", "db", "this"))
        )
        catalog, schema, name = given
        if catalog:
            return self._in_catalog(catalog, schema, name)
        if not schema:
            return self._by_path(name)
        if schema in _MODELS:
            return None
        found = self._of_lake(schema, name)
        if found is not None:
            return found
        first, _, inner = schema.partition(".")
        source = self._source(first)
        if source is not None:  # "shop.public".orders, as tools write what they are shown, or shop.orders
            return self._of_source(source, inner, name)
        known = self.tables.names(self.state)
        near = did_you_mean(f"{schema}.{name}", known)
        raise SqlError(
            f'relation "{shown(f"{schema}.{name}")}" does not exist{near}',
            sqlstate="42P01",
            hint="SHOW TABLES FROM schema lists the tables.",
        )

    def _in_catalog(self, catalog: str, schema: str, name: str) -> Relation:
        source = self._source(catalog)
        if source is not None:
            return self._of_source(source, schema, name)
        if catalog in (LAKE, self.database, self.database.partition("@")[0]):
            found = self._of_lake(schema, name)
            if found is not None:
                return found
            known = self.tables.names(self.state)
            raise SqlError(
                f'relation "{shown(f"{schema}.{name}")}" does not exist'
                f"{did_you_mean(f'{schema}.{name}', known)}",
                sqlstate="42P01",
            )
        known = (LAKE, MODEL, *(self.federation.names if self.federation else ()))
        raise SqlError(
            f'catalog "{shown(catalog)}" does not exist{did_you_mean(catalog, known)}',
            sqlstate="3D000",
            hint="SHOW CATALOGS lists the catalogs: a database of sources/*.yml is one where its file has attach: true.",
        )

    def _by_path(self, name: str) -> Relation | None:
        is_face = any(one.casefold() == name.casefold() for one in self.faces())
        for schema in self.search_path:
            if schema == "public" and is_face:
                return None
            found = self._of_lake(schema, name) if schema not in _MODELS else None
            if found is not None:
                return found
        if is_face:
            return None
        known = {one.rpartition(".")[2]: one for one in self.tables.names(self.state)}
        near = nearest(name, known)
        raise _missing(name, f" (did you mean '{known[near]}'?)" if near else "")

    def _of_lake(self, schema: str, name: str) -> Relation | None:
        real = self.tables.real(self.state, f"{schema}.{name}")
        if real is None:
            return None
        self.read.add(real)
        schema, _, name = real.rpartition(".")
        return Relation(self.tables.columns(self.state, real), (schema, name))

    def _of_source(self, source: str, schema: str, name: str) -> Relation:
        assert self.federation is not None
        found = self.federation.relation(source, schema, name, self.wanted)
        self.rounded += self.rounding(source, found)
        self.databases.add(source)
        return found

    def engine(self, tables: Collection[str]) -> "Outside | None":
        """See `beside.Reading`."""
        if self.federation is None or not self.databases:
            return None
        return Outside(self.federation, frozenset(self.databases), frozenset(tables))

    def _source(self, said: str) -> str | None:
        return self.federation.named(said) if self.federation is not None else None


def _missing(name: str, meant: str = "") -> SqlError:
    return SqlError(
        f'relation "{shown(name)}" does not exist{meant}',
        sqlstate="42P01",
        hint="Tables are written with their schema: schema.table.",
    )


def search_path(said: str) -> tuple[str, ...]:
    """The schemas of a `search_path`, without quotes."""
    parts = (one.strip() for one in said.split(","))
    return tuple(
        one[1:-1].replace('""', '"')
        if one.startswith('"') and one.endswith('"') and len(one) > 1
        else one.lower()
        for one in parts
        if one
    )
