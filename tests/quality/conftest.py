"""A lake in a temporary folder, and a connection to write it with."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from ingot.engines.duckdb import connect
from ingot.lake import Lake


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    """An empty lake."""
    with Lake(f"sqlite:///{tmp_path}/lake.db", tmp_path / "warehouse") as made:
        yield made


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """A plain DuckDB connection."""
    with connect() as made:
        yield made
