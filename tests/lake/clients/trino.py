"""A Trino server of one node with catalogs of the lake, spoken to over its own protocol."""

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2

from tests.lake.clients.parts import java, part

START, STATEMENT = 240, 120
"""Seconds that the start and one statement may take on a busy machine."""


class TrinoError(Exception):
    """What Trino says where a statement fails."""


class _NoNodesError(TrinoError):
    """The server has not registered itself yet."""


class Trino:
    """A running Trino."""

    def __init__(self, http: httpx2.Client) -> None:
        self._http = http

    def sql(self, statement: str, schema: str | None = None) -> list[tuple[Any, ...]]:
        """The rows of one statement, with `catalog.schema` as the session's; raises `TrinoError`.

        A server that has just started says so before it knows itself as a node; then nothing has run yet.
        """
        for _ in range(30):
            with contextlib.suppress(_NoNodesError):
                return self._sql(statement, schema)
            time.sleep(1)
        raise TrinoError("Trino has no nodes.")

    def _sql(self, statement: str, schema: str | None) -> list[tuple[Any, ...]]:
        deadline = time.monotonic() + STATEMENT
        rows: list[tuple[Any, ...]] = []
        names = [] if schema is None else schema.split(".")
        session = dict(zip(("X-Trino-Catalog", "X-Trino-Schema"), names, strict=False))
        first = self._http.post("/v1/statement", content=statement.encode(), headers=session)
        answer = first.raise_for_status().json()
        while True:
            kinds = [column["type"] for column in answer.get("columns", ())]
            rows += [
                tuple(_value(kind, one) for kind, one in zip(kinds, row, strict=True))
                for row in answer.get("data", ())
            ]
            if "error" in answer:
                told = answer["error"]["message"]
                raise (_NoNodesError if "No nodes available" in told else TrinoError)(told)
            if "nextUri" not in answer:
                return rows
            if time.monotonic() > deadline:
                self._http.delete(answer["nextUri"])
                raise TimeoutError(statement)
            answer = self._http.get(answer["nextUri"]).raise_for_status().json()


def _value(kind: str, value: Any) -> Any:
    """A value of Trino's JSON as DuckDB would give it."""
    if value is None:
        return None
    if kind.startswith("decimal"):
        return Decimal(value)
    if kind in ("double", "real"):
        return float(value)  # infinity is a text
    if kind == "date":
        return date.fromisoformat(value)
    if kind.startswith("timestamp"):
        if kind.endswith("with time zone"):
            return datetime.fromisoformat(value.removesuffix(" UTC")).replace(tzinfo=UTC)
        return datetime.fromisoformat(value)
    return value


def catalog(address: str, warehouse: str) -> str:
    """The catalog file that the how-to page gives."""
    settings = {
        "connector.name": "iceberg",
        "iceberg.catalog.type": "rest",
        "iceberg.rest-catalog.uri": f"{address}/iceberg",
        "iceberg.rest-catalog.warehouse": warehouse,
        "iceberg.rest-catalog.nested-namespace-enabled": "true",
        "fs.hadoop.enabled": "true",
        "iceberg.remove-orphan-files.min-retention": "36500d",
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def nessie_catalog(address: str, ref: str, warehouse: str) -> str:
    """A catalog file that uses Nessie's API."""
    settings = {
        "connector.name": "iceberg",
        "iceberg.catalog.type": "nessie",
        "iceberg.nessie-catalog.uri": f"{address}/api/v2",
        "iceberg.nessie-catalog.ref": ref,
        "iceberg.nessie-catalog.default-warehouse-dir": warehouse,
        "fs.hadoop.enabled": "true",
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())


@contextlib.contextmanager
def running(folder: Path, catalogs: Mapping[str, str]) -> Iterator[Trino]:
    """Trino in a process of its own, which ends with the block; skips where it is not installed.

    `catalogs` are names and the text of their files.
    """
    home, parts = java(24), part("trino")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    etc = folder / "etc"
    (etc / "catalog").mkdir(parents=True)
    for name, text in catalogs.items():
        (etc / "catalog" / f"{name}.properties").write_text(text)
    config = {
        "coordinator": "true",
        "node-scheduler.include-coordinator": "true",
        "http-server.http.port": str(port),
        "discovery.uri": address,
        "node.internal-address": "127.0.0.1",
        "plugin.dir": str(parts / "plugin"),
        "catalog.config-dir": str(etc / "catalog"),
        "query.max-memory-per-node": "400MB",
    }
    (etc / "config.properties").write_text("".join(f"{name}={value}\n" for name, value in config.items()))
    program = [
        str(home / "bin" / "java"),
        "-Xmx2G",
        "-XX:+UseSerialGC",
        "-XX:+ExitOnOutOfMemoryError",
        "-XX:TieredStopAtLevel=1",
        "-Djdk.attach.allowAttachSelf=true",
        "-Dfile.encoding=UTF-8",
        "-Duser.timezone=UTC",
        "--add-modules=jdk.incubator.vector",
        "--enable-native-access=ALL-UNNAMED",
        "-Dnode.environment=test",
        "-Dnode.id=test",
        f"-Dnode.data-dir={folder / 'data'}",
        f"-Dconfig={etc / 'config.properties'}",
        "-cp",
        f"{parts / 'lib'}/*",
        "io.trino.server.TrinoServer",
    ]
    log = folder / "trino.log"
    with log.open("wb") as output:
        server = subprocess.Popen(program, cwd=folder, stdout=output, stderr=output, start_new_session=True)
    try:
        # Without the capability, times are cut to milliseconds for the sake of old clients.
        headers = {
            "X-Trino-User": "test",
            "X-Trino-Time-Zone": "UTC",
            "X-Trino-Client-Capabilities": "PARAMETRIC_DATETIME",
        }
        with httpx2.Client(base_url=address, headers=headers, timeout=30) as http:
            _wait(server, http, log)
            yield Trino(http)
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait(20)


def _wait(server: "subprocess.Popen[bytes]", http: httpx2.Client, log: Path) -> None:
    deadline = time.monotonic() + START
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise TrinoError(f"Trino ended at its start. {log.read_text()[-4000:]}")
        with contextlib.suppress(httpx2.TransportError):
            answer = http.get("/v1/info")
            if answer.status_code == 200 and answer.json().get("starting") is False:
                return
        time.sleep(0.5)
    raise TrinoError(f"Trino did not start within {START} s. {log.read_text()[-4000:]}")
