"""Rollups: the build against the plain SQL of it, and new questions (nothing kept) that a rollup answers.

`python -m benchmarks.rollups [ROWS ...]`, 10,000,000 by default; each size has a lake of its own. The build and
the plain SQL take turns, the best of each counts; of questions the median does.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from benchmarks.results import report
from ingot.engines.duckdb import DuckDBEngine, connect
from ingot.lake import Lake
from ingot.project import Cube
from ingot.semantic import Service
from ingot.semantic.rollups.build import build

BUILD_TARGET, QUERY_TARGET = 1.3, 5.0
TURNS, ASKED = 3, 60
SOURCE = """
SELECT range AS id, 'status ' || hash(range) % 5 AS status, 'region ' || hash(range + 1) % 20 AS region,
    TIMESTAMP '2023-01-01' + to_seconds(CAST(range * 94608000 // {rows} AS BIGINT)) AS at,
    CAST((hash(range + 2) % 100000) / 100 AS DECIMAL(12, 2)) AS amount
FROM range({rows})
"""
ORDERS: dict[str, Any] = {
    "name": "orders",
    "sql_table": "gold.orders",
    "dimensions": [
        {"name": "id", "sql": "id", "type": "number", "primary_key": True},
        {"name": "status", "sql": "status", "type": "string"},
        {"name": "region", "sql": "region", "type": "string"},
        {"name": "at", "sql": "at", "type": "time"},
    ],
    "measures": [
        {"name": "count", "type": "count"},
        {"name": "total", "type": "sum", "sql": "amount"},
        {"name": "mean", "type": "avg", "sql": "amount"},
    ],
    "pre_aggregations": [
        {
            "name": "by_day",
            "measures": ["count", "total", "mean"],
            "dimensions": ["status", "region"],
            "time_dimension": "at",
            "granularity": "day",
            "partition_granularity": "month",
        }
    ],
}
MONTHS = [f"{year}-{month:02d}" for year in (2023, 2024, 2025) for month in range(1, 13)]


def main() -> None:
    """Prints the builds and the questions of each size."""
    sizes = [int(text) for text in sys.argv[1:]] or [10_000_000]
    rows: list[list[object]] = []
    for size in sizes:
        with tempfile.TemporaryDirectory() as scratch:
            rows += _measured(Path(scratch), size)
    report("rollups", ["what", "rows", "plain", "ingot", "unit", "ratio", "target", "met"], rows)


def _measured(folder: Path, size: int) -> list[list[object]]:
    project: Any = SimpleNamespace(cubes=(Cube.model_validate(ORDERS),), views=(), dashboards=(), parts=None)
    with (
        connect(temp_directory=folder / "tmp") as con,
        Lake(f"sqlite:///{folder}/lake.db", folder / "warehouse") as lake,
    ):
        staged = lake.stage(con, "gold.orders", SOURCE.format(rows=size), on="main")
        lake.commit("main", [staged], message="bench")
        engine = DuckDBEngine(lake, readable=[folder / "rollups"])
        try:
            service = Service(project, lake, engine, rollups=folder / "rollups", cache_bytes=0)
            plain = Service(project, lake, engine, cache_bytes=0)
            return [_built(service, engine, size), *_asked(service, plain, size)]
        finally:
            engine.close()


def _built(service: Service, engine: DuckDBEngine, size: int) -> list[object]:
    assert service.rollups is not None
    (rollup,) = service.rollups.of(service.model)
    at = service.states.at("main")
    tables = service.states.tables(rollup.tables, at)
    assert tables is not None
    best = [float("inf"), float("inf")]
    for _ in range(TURNS):
        began = time.perf_counter()
        with engine.session(at.state) as cursor:
            cursor.execute(f"CREATE TEMP TABLE plain AS {rollup.sql}")
        best[0] = min(best[0], time.perf_counter() - began)
        began = time.perf_counter()
        build(rollup, at.state, tables, engine=engine, store=service.rollups.store, again=True)
        best[1] = min(best[1], time.perf_counter() - began)
    ratio = best[1] / best[0]
    return ["build by_day, 36 files", size, best[0], best[1], "s", ratio, BUILD_TARGET, ratio <= BUILD_TARGET]


def _asked(service: Service, plain: Service, size: int) -> list[list[object]]:
    time_: dict[str, Any] = {"dimension": "orders.at"}
    kinds: dict[str, Any] = {
        "total by month": lambda n: {
            "timeDimensions": [{**time_, "granularity": "month"}],
            "limit": 1000 + n,
        },
        "mean by status": lambda n: {
            "measures": ["orders.mean"],
            "dimensions": ["orders.status"],
            "limit": 1000 + n,
        },
        "a month by day": lambda n: {
            "timeDimensions": [{**time_, "granularity": "day", "dateRange": _month(n)}],
            "filters": [{"member": "orders.region", "operator": "equals", "values": [f"region {n % 20}"]}],
        },
        "regions of a month": lambda n: {
            "dimensions": ["orders.region"],
            "timeDimensions": [{**time_, "dateRange": _month(n)}],
        },
    }
    found: list[list[object]] = []
    for name, make in kinds.items():
        queries = [{"measures": ["orders.total", "orders.count"], **make(n)} for n in range(ASKED)]
        assert service.load(queries[0])["usedPreAggregations"]
        assert service.load(queries[1])["data"] == plain.load(queries[1])["data"]
        ours = statistics.median(_milliseconds(service, query) for query in queries[2:])
        theirs = statistics.median(_milliseconds(plain, query) for query in queries[2:7])
        found.append(
            [
                f"new question: {name}",
                size,
                theirs,
                ours,
                "ms",
                ours / theirs,
                QUERY_TARGET,
                ours <= QUERY_TARGET,
            ]
        )
    return found


def _month(n: int) -> list[str]:
    month = MONTHS[n % len(MONTHS)]
    return [f"{month}-01", f"{month}-28"]


def _milliseconds(service: Service, query: dict[str, Any]) -> float:
    began = time.perf_counter()
    service.load_raw(query)
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main()
