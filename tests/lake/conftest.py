"""A lake in a temporary folder, and a DuckDB connection to write and read it with."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import duckdb
import pytest
from sqlalchemy import create_engine

from ingot.lake import Lake, SqlCatalog

from . import postgres


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A PostgreSQL server that ends with the tests."""
    with postgres.server() as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a new catalog is kept: what holds for one database holds for the other."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/lake.db"
    server: str = request.getfixturevalue("postgres_server")
    name = f"t{uuid4().hex}"
    engine = create_engine(server)
    with contextlib.closing(engine.raw_connection()) as raw:
        raw.cursor().execute(f"CREATE SCHEMA {name}")
        raw.commit()
    engine.dispose()
    return f"{server}?options=-csearch_path%3D{name}"


@pytest.fixture
def catalog(url: str) -> Iterator[SqlCatalog]:
    """An empty catalog."""
    made = SqlCatalog(url)
    yield made
    made.close()


@pytest.fixture
def lake(url: str, tmp_path: Path) -> Iterator[Lake]:
    """An empty lake, with its state in each of the databases in turn."""
    with Lake(url, tmp_path / "warehouse") as made:
        yield made


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """A plain DuckDB connection."""
    with duckdb.connect() as made:
        yield made
