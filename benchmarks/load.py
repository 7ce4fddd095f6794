"""`/load` over HTTP with one keep-alive client, against the same SQL run directly in DuckDB.

`python -m benchmarks.load [--project DIR]`: a project that has run; without one, the demo is made first.
Of each of ten queries: `direct` is execute and fetch in DuckDB, `new` is `/load` with the answer computed
every time, `cached` is `/load` with the answer kept, `compile` is query -> SQL without any cache.
"""

import argparse
import http.client
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import uvicorn
from starlette.applications import Starlette

from benchmarks.results import percentile, report
from ingot.api import cube
from ingot.engines.duckdb import DuckDBEngine
from ingot.lake import Lake
from ingot.project import load
from ingot.semantic import Service
from ingot.semantic.planner.plan import plan
from ingot.semantic.query import parse

MONTHLY = {"dimension": "orders.order_date", "granularity": "month", "dateRange": "last 12 months"}
QUERIES: dict[str, dict[str, Any]] = {
    "one number": {"measures": ["orders.total_revenue"]},
    "four numbers": {"measures": ["orders.count", "orders.total_revenue", "orders.avg_order_value", "orders.unique_customers"]},
    "by month": {"measures": ["orders.total_revenue"], "timeDimensions": [MONTHLY]},
    "by day in a zone": {
        "measures": ["orders.count"],
        "timeDimensions": [{"dimension": "orders.order_date", "granularity": "day", "dateRange": "last 3 months"}],
        "timezone": "America/New_York",
    },
    "by status": {"measures": ["orders.count"], "dimensions": ["orders.order_status"]},
    "joined": {"measures": ["orders.total_revenue"], "dimensions": ["customers.segment"]},
    "joined by month": {"measures": ["orders.total_revenue"], "dimensions": ["customers.segment"], "timeDimensions": [MONTHLY]},
    "filtered top 10": {
        "measures": ["order_items.total_amount"],
        "dimensions": ["products.category"],
        "filters": [{"member": "orders.order_status", "operator": "notEquals", "values": ["cancelled"]}],
        "limit": 10,
    },
    "fanned out": {"measures": ["orders.total_revenue"], "dimensions": ["products.category"]},
    "two facts": {"measures": ["orders.count", "order_items.total_quantity"], "dimensions": ["customers.segment"]},
}  # fmt: skip


def main() -> None:
    """Measures all queries and writes the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", type=Path, help="a project that has run")
    parser.add_argument("--times", type=int, default=200)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.project
        if folder is None:
            folder = Path(scratch) / "demo"
            command = [sys.executable, "-m", "ingot", "demo", "--no-serve", "--dir", str(folder), "--json"]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        measure(folder, given.times)


def measure(folder: Path, times: int) -> None:
    """The report for the project in `folder`."""
    project = load(folder)
    lake = Lake.open(project)
    engine = DuckDBEngine(lake)
    try:
        kept = Service(project, lake, engine)
        fresh = Service(project, lake, engine, cache_bytes=0)
        with serving(kept) as cached_url, serving(fresh) as new_url:
            rows = [
                row(name, query, kept, engine, lake, cached_url, new_url, times)
                for name, query in QUERIES.items()
            ]
    finally:
        engine.close()
        lake.close()
    report(
        "load",
        [
            "query",
            "rows",
            "direct p50 ms",
            "direct p95",
            "new p50",
            "new p95",
            "cached p50",
            "cached p95",
            "compile p50",
        ],
        rows,
        compile_p50_ms=percentile([each[8] for each in rows], 0.5),
        cached_p50_ms=percentile([each[6] for each in rows], 0.5),
        new_p50_ms=percentile([each[4] for each in rows], 0.5),
        overhead_p50_ms=percentile([each[4] - each[2] for each in rows], 0.5),
        aims_ms={"compile p50": 1, "cached p50": 1.5, "new p50": 6, "overhead p50": 2},
    )


def row(
    name: str,
    query: dict[str, Any],
    service: Service,
    engine: DuckDBEngine,
    lake: Lake,
    cached: int,
    new: int,
    times: int,
) -> list[Any]:
    """One line of the table."""
    sql, parameters = service.sql(query)["sql"]["sql"]
    with engine.session(lake.at("main")) as con:
        direct = timed(lambda: con.execute(sql, parameters).fetchall(), times)
    answers = []
    found = []
    for port in (new, cached):
        client = http.client.HTTPConnection("127.0.0.1", port)
        body = json.dumps({"query": query}).encode()

        def ask(client: http.client.HTTPConnection = client, body: bytes = body) -> bytes:
            client.request("POST", "/cubejs-api/v1/load", body, {"content-type": "application/json"})
            return client.getresponse().read()

        answers.append(json.loads(ask())["data"])
        found.append(timed(ask, times))
        client.close()
    if answers[0] != answers[1]:
        raise AssertionError(f"{name}: cached and new answers differ")
    compiled = timed(lambda: plan(service.model, parse(query)), times)
    return [name, len(answers[0]), *direct, *found[0], *found[1], compiled[0]]


def timed(work: Callable[[], Any], times: int) -> tuple[float, float]:
    """p50 and p95 in milliseconds, after ten runs that do not count."""
    for _ in range(10):
        work()
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append((time.perf_counter() - start) * 1000)
    return percentile(taken, 0.5), percentile(taken, 0.95)


@contextmanager
def serving(service: Service) -> Iterator[int]:
    """The port of a server for `service`."""
    app = Starlette(routes=cube.CubeApi(service).routes())
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", access_log=False)
    )
    thread = Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()


if __name__ == "__main__":
    main()
