"""A lake in a temporary folder, and a DuckDB connection to write and read it with."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from ingot.lake import Lake, SqlCatalog


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[SqlCatalog]:
    """An empty catalog."""
    made = SqlCatalog(f"sqlite:///{tmp_path}/lake.db")
    yield made
    made.close()


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    """An empty lake."""
    with Lake(f"sqlite:///{tmp_path}/lake.db", tmp_path / "warehouse") as made:
        yield made


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """A plain DuckDB connection."""
    with duckdb.connect() as made:
        yield made
