"""A lake served by a real HTTP server on a free port, and the clients that speak to it."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import httpx2
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Mount
from starlette.types import ASGIApp

from ingot.engines.duckdb import connect
from ingot.lake import Lake
from ingot.lake.rest import routes
from tests.lake.rest.answers import SCHEMA, body


@pytest.fixture
def url(tmp_path: Path) -> str:
    """State in SQLite: what differs on PostgreSQL is the catalog's, and `test_rebase` runs on both."""
    return f"sqlite:///{tmp_path}/lake.db"


@pytest.fixture
def app(lake: Lake) -> Starlette:
    # Compressed as in `ingot serve`: clients must cope with that too.
    middleware = [Middleware(GZipMiddleware, minimum_size=2000)]
    return Starlette(routes=[Mount("/iceberg", routes=routes(lake))], middleware=middleware)


@pytest.fixture
def serve() -> Iterator[Callable[[ASGIApp], str]]:
    """Serves an application; gives the address. Stopped at the end."""
    with contextlib.ExitStack() as stack:
        yield lambda served: stack.enter_context(serving(served))


@pytest.fixture
def address(app: Starlette, serve: Callable[[ASGIApp], str]) -> str:
    return serve(app)


@pytest.fixture
def http(address: str) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=f"{address}/iceberg/v1", timeout=20) as client:
        yield client


@pytest.fixture
def duck() -> Iterator[duckdb.DuckDBPyConnection]:
    con = connect(extensions=("avro", "httpfs", "iceberg"))
    yield con
    con.close()


@pytest.fixture
def attach(duck: duckdb.DuckDBPyConnection, address: str) -> Callable[..., duckdb.DuckDBPyConnection]:
    """Attaches a ref as a DuckDB catalog."""

    def attach(ref: str = "main", alias: str = "lake", options: str = "") -> duckdb.DuckDBPyConnection:
        duck.execute(
            f"ATTACH '{ref}' AS {alias} (TYPE iceberg, ENDPOINT '{address}/iceberg', AUTHORIZATION_TYPE none{options})"
        )
        return duck

    return attach


@pytest.fixture
def s(http: httpx2.Client) -> str:
    """The path of a namespace."""
    body(http.post("/main/namespaces", json={"namespace": ["s"]}))
    return "/main/namespaces/s"


@pytest.fixture
def t(http: httpx2.Client, s: str) -> str:
    """The path of a table."""
    body(http.post(f"{s}/tables", json={"name": "t", "schema": SCHEMA}))
    return f"{s}/tables/t"


@pytest.fixture
def no_failure_in_the_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """The test must not end in an error that the server did not expect."""
    yield
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


@contextlib.contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """An application behind a real server on a free port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()  # a client that is faster than the server waits
        config = uvicorn.Config(
            app, log_level="warning", lifespan="off", ws="none", timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)
