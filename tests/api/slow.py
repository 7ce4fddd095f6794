"""The shop behind a real server, with cubes that take for ever, and an engine that says what it was asked."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from starlette.applications import Starlette

from ingot.api.cube import CubeApi
from ingot.engines import Capabilities, Interrupt, Result
from ingot.engines.duckdb import DuckDBEngine
from ingot.semantic import Service
from tests.lake.rest.conftest import serving
from tests.semantic import shop
from tests.semantic.lakes import served

FOREVER = "SELECT count(*) AS n FROM range(1000000) a, range(1000000) b WHERE (a.range * b.range) % 7 = 3"
CUBES: list[dict[str, Any]] = [
    *shop.CUBES,
    {"name": "slow", "sql": FOREVER, "measures": [{"name": "n", "type": "sum", "sql": "n"}]},
]
SLOW = {"measures": ["slow.n"]}
QUICK = {"measures": ["orders.count"]}


@dataclass
class Watched:
    """DuckDB that counts its queries, and holds them while `go` is not set."""

    engine: DuckDBEngine
    dialect: str = "duckdb"
    capabilities: Capabilities = DuckDBEngine.capabilities
    asked: list[str] = field(default_factory=list)
    running: int = 0
    go: threading.Event = field(default_factory=threading.Event)
    fail: Exception | None = None

    def query(self, sql: str, *, interrupt: Interrupt | None = None, **more: Any) -> Result:
        self.asked.append(sql)
        self.running += 1
        try:
            stopped = threading.Event()
            with interrupt.stopping(stopped.set) if interrupt else contextlib.nullcontext():
                while not self.go.wait(0.002) and not stopped.is_set():
                    pass
            if self.fail is not None:
                raise self.fail
            return self.engine.query(sql, interrupt=interrupt, **more)
        finally:
            self.running -= 1

    def export(self, sql: str, **more: Any) -> None:
        self.running += 1
        try:
            self.engine.export(sql, **more)
        finally:
            self.running -= 1

    def close(self) -> None:
        self.engine.close()


@dataclass
class Server:
    """A real server, and how to ask it."""

    url: str
    service: Service
    engine: Watched
    downloads: Path

    def ask(self, query: Any, **more: Any) -> httpx2.Response:
        headers = more.pop("headers", {})
        return httpx2.post(
            f"{self.url}/cubejs-api/v1/load", json={"query": query, **more}, headers=headers, timeout=20
        )

    def send(self, query: Any, **more: Any) -> socket.socket:
        """A connection on which `query` was asked and whose answer was not read."""
        host, port = self.url.removeprefix("http://").split(":")
        body = json.dumps({"query": query, **more}).encode()
        opened = socket.create_connection((host, int(port)))
        head = f"POST /cubejs-api/v1/load HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n"
        opened.sendall(head.encode() + body)
        return opened


@contextlib.contextmanager
def slow_server(folder: Path, *, continue_wait: float = 30.0, grace: float = 15.0) -> Iterator[Server]:
    """A server over a new lake in `folder`."""
    with served(folder) as made:
        engine = Watched(made.engine)
        engine.go.set()
        service = Service(shop.project(CUBES), made.lake, engine)
        downloads = folder / "warehouse" / "downloads"
        api = CubeApi(service, continue_wait=continue_wait, grace=grace, downloads=downloads)
        with serving(Starlette(routes=api.routes())) as url:
            try:
                yield Server(url, service, engine, downloads)
            finally:
                engine.go.set()
                api.close()
                service.close()


def eventually(what: Callable[[], object], seconds: float = 10) -> float:
    """Seconds until `what` holds; fails where it never does."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        if what():
            return time.monotonic() - began
        time.sleep(0.002)
    raise AssertionError("it never happened")
