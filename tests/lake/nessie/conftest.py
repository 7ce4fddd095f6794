"""A lake served as Nessie by a real HTTP server, beside Iceberg REST as in `ingot serve`."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from ingot.lake import Lake, files, rest
from ingot.lake.metadata import new_table, new_view
from ingot.lake.nessie import routes
from tests.lake.rest.conftest import serving

SCHEMA = {"type": "struct", "fields": [{"id": 1, "name": "i", "type": "long", "required": False}]}
VERSION = {
    "version-id": 1,
    "timestamp-ms": 1,
    "schema-id": 0,
    "summary": {},
    "default-namespace": ["s"],
    "representations": [{"type": "sql", "sql": "select 1 as i", "dialect": "trino"}],
}
ROOT = "2e1cfa82b035c26cbbbdae632cea070514eb8b773f616aaeaf668e2f0be8f10d"


@pytest.fixture
def url(tmp_path: Path) -> str:
    """State in SQLite: what differs on PostgreSQL is the catalog's, and its own tests run on both."""
    return f"sqlite:///{tmp_path}/lake.db"


class Switch:
    """An application that passes requests on to the one of the test that runs."""

    def __init__(self) -> None:
        self.app: ASGIApp = Starlette()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


@pytest.fixture(scope="package")
def server() -> Iterator[tuple[str, Switch]]:
    """One server for all tests: to start and stop one takes longer than most of them."""
    switch = Switch()
    with serving(switch) as address:
        yield address, switch


@pytest.fixture
def address(server: tuple[str, Switch], lake: Lake) -> str:
    """Where this test's lake is served."""
    address, switch = server
    switch.app = Starlette(routes=[*routes(lake), Mount("/iceberg", routes=rest.routes(lake))])
    return address


@pytest.fixture
def http(address: str) -> Iterator[httpx2.Client]:
    """A client of API v2."""
    with httpx2.Client(base_url=f"{address}/api/v2", timeout=20) as client:
        yield client


@pytest.fixture
def v1(address: str) -> Iterator[httpx2.Client]:
    """A client of API v1."""
    with httpx2.Client(base_url=f"{address}/api/v1", timeout=20) as client:
        yield client


@pytest.fixture
def client(http: httpx2.Client, lake: Lake) -> "Client":
    return Client(http, lake)


class Client:
    """What an engine with a Nessie catalog does: it writes the metadata itself, and commits where it is."""

    def __init__(self, http: httpx2.Client, lake: Lake) -> None:
        self.http = http
        self._lake = lake
        self._made = 0

    def write_table(self, name: str = "t") -> dict[str, object]:
        """The content of a new table whose metadata file is in the warehouse."""
        self._made += 1
        location = f"{self._lake.warehouse}/s/{name}"
        document = new_table(
            uuid=f"00000000-0000-4000-8000-{self._made:012}", location=location, schema=SCHEMA
        )
        at = f"{location}/metadata/{self._made:05}-x.metadata.json"
        return {
            **self._write(at, document),
            "type": "ICEBERG_TABLE",
            "snapshotId": -1,
            "specId": 0,
            "sortOrderId": 0,
        }

    def write_view(self, name: str = "v") -> dict[str, object]:
        """The content of a new view whose metadata file is in the warehouse."""
        self._made += 1
        location = f"{self._lake.warehouse}/s/{name}"
        document = new_view(
            uuid=f"00000000-0000-4000-8000-{self._made:012}",
            location=location,
            schema=SCHEMA,
            version=VERSION,
        )
        at = f"{location}/metadata/{self._made:05}-x.metadata.json"
        return {**self._write(at, document), "type": "ICEBERG_VIEW", "versionId": 1}

    def _write(self, at: str, document: dict[str, object]) -> dict[str, object]:
        files.write(at, orjson.dumps(document))
        return {"metadataLocation": at, "schemaId": 0}

    def head(self, ref: str = "main") -> str:
        """The commit of a reference."""
        return str(self.http.get(f"/trees/{ref}").json()["reference"]["hash"])

    def commit(
        self, *operations: Mapping[str, Any], on: str = "main", at: str | None = None, **meta: Any
    ) -> httpx2.Response:
        """Commits; against the head, unless another commit is named."""
        body = {"commitMeta": {"message": "m", **meta}, "operations": list(operations)}
        return self.http.post(f"/trees/{on}@{at or self.head(on)}/history/commit", json=body)

    def branch(self, name: str, of: str = "main", kind: str = "BRANCH") -> httpx2.Response:
        """Creates a reference."""
        body = {"type": "BRANCH", "name": of, "hash": self.head(of)}
        return self.http.post("/trees", params={"name": name, "type": kind}, json=body)

    def content(self, key: str, ref: str = "main") -> dict[str, object]:
        """What a key holds."""
        found = self.http.get(f"/trees/{ref}/contents/{key}")
        assert found.status_code == 200, found.text
        return dict(found.json()["content"])


def key(*elements: str) -> dict[str, list[str]]:
    """A content key."""
    return {"elements": list(elements)}


def put(path: str, content: object, **more: object) -> dict[str, object]:
    """A PUT of `a.b`."""
    return {"type": "PUT", "key": key(*path.split(".")), "content": content, **more}


def delete(path: str) -> dict[str, object]:
    """A DELETE of `a.b`."""
    return {"type": "DELETE", "key": key(*path.split("."))}


def namespace(path: str, **properties: str) -> dict[str, object]:
    """A PUT of a new namespace."""
    elements = path.split(".")
    return put(path, {"type": "NAMESPACE", "elements": elements, "properties": properties})
