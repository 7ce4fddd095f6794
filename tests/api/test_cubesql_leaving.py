"""Streams of SQL over a real server: rows before the end, clients that leave, statements that are cancelled."""

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette

from ingot.api.cube import CubeApi
from ingot.engines import Capabilities
from ingot.engines.duckdb import DuckDBEngine
from ingot.semantic import Service
from tests.api.slow import CUBES, eventually
from tests.lake.rest.conftest import serving
from tests.semantic import shop
from tests.semantic.lakes import served

pytestmark = pytest.mark.slow

MANY = "SELECT a0 FROM " + " CROSS JOIN ".join(
    f"(SELECT id AS a{n} FROM orders LIMIT 3) x{n}" for n in range(16)
)
FOREVER = "SELECT MEASURE(n) FROM slow"


@dataclass
class Counting:
    """DuckDB that counts the statements under way."""

    engine: DuckDBEngine
    dialect: str = "duckdb"
    capabilities: Capabilities = DuckDBEngine.capabilities
    running: int = 0

    @contextlib.contextmanager
    def session(self, *args: Any, **more: Any) -> Iterator[Any]:
        self.running += 1
        try:
            with self.engine.session(*args, **more) as cursor:
                yield cursor
        finally:
            self.running -= 1


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Counting]]:
    with served(tmp_path_factory.mktemp("streams")) as made:
        engine: Any = Counting(made.engine)
        service = Service(shop.project(CUBES), made.lake, engine)
        api = CubeApi(service)
        with serving(Starlette(routes=api.routes())) as url:
            try:
                yield url, engine
            finally:
                api.close()
                service.close()


def send(url: str, text: str) -> socket.socket:
    host, port = url.removeprefix("http://").split(":")
    body = json.dumps({"query": text}).encode()
    opened = socket.create_connection((host, int(port)))
    head = f"POST /cubejs-api/v1/cubesql HTTP/1.1\r\nhost: x\r\nx-request-id: mine\r\ncontent-length: {len(body)}\r\n\r\n"
    opened.sendall(head.encode() + body)
    return opened


def test_the_first_rows_come_long_before_the_last(server: tuple[str, Counting]) -> None:
    url, engine = server
    with send(url, MANY) as opened:
        opened.settimeout(10)
        began = time.monotonic()
        head = b""
        while b'"data"' not in head:
            head += opened.recv(65536)
        assert time.monotonic() - began < 5
        assert engine.running == 1  # 43 million rows are not computed for one reader who is slow
    eventually(lambda: engine.running == 0)


@pytest.mark.parametrize("text", [FOREVER, MANY])
def test_a_client_that_leaves_stops_its_statement(server: tuple[str, Counting], text: str) -> None:
    url, engine = server
    opened = send(url, text)
    eventually(lambda: engine.running == 1)
    time.sleep(0.2)
    opened.close()
    assert eventually(lambda: engine.running == 0) < 2


def test_a_statement_can_be_cancelled_by_its_id(server: tuple[str, Counting]) -> None:
    url, engine = server
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(
            httpx2.post,
            f"{url}/cubejs-api/v1/cubesql",
            json={"query": FOREVER},
            headers={"x-request-id": "slow-one"},
            timeout=20,
        )
        eventually(lambda: engine.running == 1)
        stopped = httpx2.delete(f"{url}/cubejs-api/v1/running-query/slow-one")
        assert stopped.json() == {"result": "ok", "cancelled": 1}
        answer = asked.result(20)
    assert "cancelled" in answer.json()["error"]
    eventually(lambda: engine.running == 0)


def test_others_are_answered_while_streams_are_not_read(server: tuple[str, Counting]) -> None:
    url, engine = server
    stalled = [send(url, MANY) for _ in range(6)]
    eventually(lambda: engine.running >= 4)
    time.sleep(0.3)
    began = time.monotonic()
    answer = httpx2.post(
        f"{url}/cubejs-api/v1/cubesql", json={"query": "SELECT COUNT(*) FROM orders"}, timeout=20
    )
    assert json.loads(answer.text.splitlines()[1]) == {"data": [["3"]]}
    assert time.monotonic() - began < 5
    for one in stalled:
        one.close()
    eventually(lambda: engine.running == 0)


def test_a_mistake_in_late_rows_is_a_last_line(server: tuple[str, Counting]) -> None:
    url, _ = server
    text = "SELECT CASE WHEN n = 3 THEN CAST('x' || n AS integer) ELSE n END FROM (SELECT row_number() OVER (ORDER BY id) AS n FROM orders) x"
    answer = httpx2.post(f"{url}/cubejs-api/v1/cubesql", json={"query": text}, timeout=20)
    last = json.loads(answer.text.splitlines()[-1])
    assert "error" in last
