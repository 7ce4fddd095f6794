"""One lake behind a real server for the tests of a client, because starting that client takes long."""

import contextlib
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pyiceberg.catalog.rest import RestCatalog
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Mount

from ingot.engines.duckdb import connect, mount
from ingot.lake import Lake, nessie
from ingot.lake.rest import routes
from tests.lake.clients.sample import comparable
from tests.lake.rest.conftest import serving


@dataclass(frozen=True)
class Served:
    """A lake and the address at which it is served."""

    lake: Lake
    con: duckdb.DuckDBPyConnection
    address: str

    def write(self, name: str, query: str, *, on: str = "main", **options: Any) -> None:
        """Writes a table as Ingot does."""
        staged = self.lake.stage(self.con, name, query, on=on, **options)
        self.lake.commit(on, [staged], message=f"write {name}")

    def show(self, name: str, query: str) -> None:
        """Writes a view as Ingot does; its columns are those that DuckDB finds in the lake."""
        with self._mount("main") as (con, _):
            columns = [(row[0], row[1]) for row in con.execute(f"DESCRIBE {query}").fetchall()]
        self.lake.commit("main", [self.lake.stage_view(name, query, on="main", columns=columns)], message="v")

    def mounted(self, name: str, *, on: str = "main") -> list[tuple[Any, ...]]:
        """What a query at Ingot gives for a table or view."""
        schema, _, table = name.rpartition(".")
        with self._mount(on) as (con, broken):
            assert broken.get(name) is None
            return comparable(con.execute(f'FROM "{schema}"."{table}"').fetchall())

    def broken(self, name: str) -> str:
        """Why Ingot cannot use a view."""
        with self._mount("main") as (_, broken):
            return broken[name]

    @contextlib.contextmanager
    def _mount(self, on: str) -> Iterator[tuple[duckdb.DuckDBPyConnection, Mapping[str, str]]]:
        with self.con.cursor() as con:
            mounted = mount(con, self.lake.at(on), "mounted")
            try:
                con.execute("USE mounted")
                yield con, mounted.broken
            finally:
                con.execute("USE memory")
                con.execute("DETACH mounted")

    def rows(self, name: str, *, on: str = "main") -> list[tuple[Any, ...]]:
        """What Ingot reads."""
        return comparable(self.con.execute(f"FROM {self.lake.at(on).scan(name)}").fetchall())

    def arrow_rows(self, name: str) -> list[tuple[Any, ...]]:
        """What PyIceberg reads."""
        catalog = RestCatalog("lake", uri=f"{self.address}/iceberg", warehouse="main")
        try:
            found = catalog.load_table(name).scan().to_arrow()
        finally:
            catalog.close()
        return comparable([tuple(row.values()) for row in found.to_pylist()])


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A lake behind a server, compressed as in `ingot serve`."""
    folder: Path = tmp_path_factory.mktemp("lake")
    with (
        Lake(f"sqlite:///{folder}/lake.db", folder / "warehouse") as lake,
        connect(extensions=("avro", "iceberg")) as con,
    ):
        con.execute("SET TimeZone = 'UTC'")
        middleware = [Middleware(GZipMiddleware, minimum_size=2000)]
        app = Starlette(
            routes=[Mount("/iceberg", routes=routes(lake)), *nessie.routes(lake)], middleware=middleware
        )
        with serving(app) as address:
            yield Served(lake, con, address)


_numbers = itertools.count()


@pytest.fixture
def namespace(served: Served) -> str:
    """A namespace that no other test uses, with a table in it."""
    name = f"n{next(_numbers)}"
    served.write(f"{name}.ready", "SELECT 1 AS one")
    return name
