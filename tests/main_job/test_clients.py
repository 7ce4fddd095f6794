"""A client of the Iceberg catalog changes rows, and everything behind the lake sees the change."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from ingot.api import create_app
from ingot.engines.duckdb import connect
from ingot.pipeline import run
from ingot.project import load
from tests.conftest import Ingot
from tests.main_job.small import make_small_project

pytestmark = pytest.mark.slow


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A small project after a run, and the address at which it is served."""
    directory = make_small_project(tmp_path / "project", orders=10)
    assert run(load(directory)).status.value == "merged"
    server = uvicorn.Server(uvicorn.Config(create_app(load(directory)), port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        thread.join(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield directory, f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


def test_rows_that_duckdb_deletes_are_gone_for_dbt_queries_and_metrics(
    served: tuple[Path, str], ingot: Ingot
) -> None:
    directory, address = served
    with connect(extensions=("httpfs", "avro", "iceberg")) as con:
        con.execute(
            f"ATTACH 'main' AS lake (TYPE iceberg, ENDPOINT '{address}/iceberg', AUTHORIZATION_TYPE none)"
        )
        con.execute("DELETE FROM lake.raw.orders WHERE order_id > 8")
    raw = ingot("query", "select sum(amount) as total from raw.orders", "-f", "csv", cwd=directory)
    assert raw.stdout == f"total\n{sum(range(1, 9))}\n", raw.stderr
    done = ingot("run", "--json", cwd=directory)
    assert json.loads(done.stdout)["status"] == "merged", done.stderr
    metric = ingot("query", '{"measures": ["orders.total", "orders.count"]}', "--json", cwd=directory)
    assert json.loads(metric.stdout) == [{"orders.total": str(sum(range(1, 9))), "orders.count": "8"}]
