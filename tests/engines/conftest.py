"""States of a lake made of plain Parquet files, so that the engines are tested without the lake."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pytest

from ingot.engines.duckdb import DuckDBEngine


@dataclass(frozen=True)
class FakeView:
    name: str
    sql: str


@dataclass
class FakeState:
    """What the engine asks of `ingot.lake.State`, over files of one folder."""

    hash: str
    files: dict[str, list[Path]]
    view_sql: dict[str, str] = field(default_factory=dict)

    @property
    def tables(self) -> tuple[str, ...]:
        return tuple(self.files)

    @property
    def views(self) -> tuple[str, ...]:
        return tuple(self.view_sql)

    @property
    def ordered_views(self) -> tuple[FakeView, ...]:
        return tuple(FakeView(name, sql) for name, sql in self.view_sql.items())

    def scan(self, name: str) -> str:
        return f"read_parquet({[str(path) for path in self.files[name]]})"


@dataclass(frozen=True)
class FakeLake:
    warehouse: Path


def parquet(path: Path, query: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as con:
        con.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
    return path


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("warehouse")


@pytest.fixture(scope="module")
def state(warehouse: Path) -> FakeState:
    orders = parquet(warehouse / "orders.parquet", "SELECT range AS id, range * 2.5 AS amount FROM range(10)")
    names = parquet(warehouse / "names.parquet", "SELECT range AS id, 'n' || range AS name FROM range(3)")
    return FakeState(
        "a" * 64,
        {"gold.fact_orders": [orders], "raw.names": [names]},
        {
            "marts.b_small": "SELECT * FROM gold.fact_orders WHERE id < 4",
            "marts.a_top": "SELECT sum(amount) AS total FROM marts.b_small",
            "marts.broken": "SELECT * FROM gold.vanished",
        },
    )


@pytest.fixture(scope="module")
def engine(warehouse: Path) -> Iterator[DuckDBEngine]:
    made = DuckDBEngine(FakeLake(warehouse), threads=1)
    yield made
    made.close()
