"""A DuckDB connection with the Iceberg reader, and small tables."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from ingot.engines.duckdb import connect


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    made = connect(extensions=("avro", "iceberg"))
    yield made
    made.close()


def disk(folder: Path) -> dict[str, int]:
    """Every file below a folder and its size."""
    return {str(file): file.stat().st_size for file in folder.rglob("*") if file.is_file()}
