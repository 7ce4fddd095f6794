"""A DuckDB connection with the Iceberg reader, and what a folder holds."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingot.engines.duckdb import connect
from ingot.lake import Commit, Lake, manifests, state
from ingot.lake.maintenance import Policy

NOTHING = Policy(older_than=timedelta(0), keep=1, orphan_age=timedelta(0))
"""Keeps no more than refs hold."""
Add = Callable[..., Commit]


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    made = connect(extensions=("avro", "iceberg"))
    yield made
    made.close()


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    """Where the fixture `lake` keeps its tables."""
    return tmp_path / "warehouse"


@pytest.fixture
def add(lake: Lake, con: duckdb.DuckDBPyConnection) -> Add:
    """Appends (or with `mode="overwrite"` writes) rows `first` to `last` to a table of a branch."""

    def add(first: int, last: int, *, on: str = "main", name: str = "s.t", **how: Any) -> Commit:
        query = f"SELECT i, i % 3 AS p, 'text ' || i AS s FROM range({first}, {last}) r(i)"
        staged = lake.stage(con, name, query, on=on, **{"mode": "append", **how})
        return lake.commit(on, [staged], message=f"{first} to {last}")

    return add


def numbers(lake: Lake, con: duckdb.DuckDBPyConnection, at: str = "main", name: str = "s.t") -> list[int]:
    """The column `i` of a table at a ref, sorted."""
    return [row[0] for row in con.execute(f"SELECT i FROM {lake.at(at).scan(name)} ORDER BY i").fetchall()]


def disk(folder: Path) -> dict[str, int]:
    """Every file below a folder and its size."""
    return {str(file): file.stat().st_size for file in folder.rglob("*") if file.is_file()}


def forget() -> None:
    """Forgets every file that this process has read, so that reading finds out what is still there."""
    for cache in (state._documents, manifests._manifests, manifests._lists):
        cache._values.clear()
