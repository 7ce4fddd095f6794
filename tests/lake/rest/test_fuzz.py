"""Whatever is sent to any endpoint, the answer is JSON in the specified shape and never a failure of ours."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.routing import Mount

from ingot.lake import Lake
from ingot.lake.rest import routes
from ingot.lake.rest.endpoints import ENDPOINTS
from tests.lake.rest.conftest import serving
from tests.lake.spoiled import bodies, junk

SCHEMA = {
    "type": "struct",
    "schema-id": 0,
    "fields": [{"id": 1, "name": "i", "type": "long", "required": False}],
}
SNAPSHOT = {
    "snapshot-id": 1,
    "sequence-number": 1,
    "timestamp-ms": 1,
    "manifest-list": "/x",
    "summary": {"operation": "append"},
    "schema-id": 0,
}
VERSION = {
    "version-id": 1,
    "timestamp-ms": 1,
    "schema-id": 0,
    "summary": {},
    "default-namespace": ["s"],
    "representations": [{"type": "sql", "sql": "select 1", "dialect": "trino"}],
}
FILE = {
    "snapshot-id": 1,
    "statistics-path": "/x",
    "file-size-in-bytes": 1,
    "file-footer-size-in-bytes": 1,
    "blob-metadata": [],
}
UPDATES = [
    {"action": "assign-uuid", "uuid": "00000000-0000-4000-8000-000000000001"},
    {"action": "upgrade-format-version", "format-version": 2},
    {"action": "add-schema", "schema": SCHEMA, "last-column-id": 1},
    {"action": "set-current-schema", "schema-id": -1},
    {"action": "add-spec", "spec": {"fields": [{"name": "p", "source-id": 1, "transform": "bucket[4]"}]}},
    {"action": "set-default-spec", "spec-id": -1},
    {
        "action": "add-sort-order",
        "sort-order": {
            "order-id": 1,
            "fields": [
                {"source-id": 1, "transform": "identity", "direction": "asc", "null-order": "nulls-first"}
            ],
        },
    },
    {"action": "set-default-sort-order", "sort-order-id": -1},
    {"action": "add-snapshot", "snapshot": SNAPSHOT},
    {"action": "set-snapshot-ref", "ref-name": "main", "type": "branch", "snapshot-id": 1},
    {"action": "remove-snapshots", "snapshot-ids": [1]},
    {"action": "remove-snapshot-ref", "ref-name": "main"},
    {"action": "set-properties", "updates": {"a": "1"}},
    {"action": "remove-properties", "removals": ["a"]},
    {"action": "set-statistics", "statistics": FILE},
    {"action": "remove-statistics", "snapshot-id": 1},
    {"action": "set-partition-statistics", "partition-statistics": FILE},
    {"action": "remove-partition-statistics", "snapshot-id": 1},
    {"action": "remove-partition-specs", "spec-ids": [3]},
    {"action": "remove-schemas", "schema-ids": [3]},
    {"action": "add-encryption-key", "encryption-key": {"key-id": "k", "encrypted-key-metadata": "eA=="}},
    {"action": "remove-encryption-key", "key-id": "k"},
    {"action": "add-view-version", "view-version": VERSION},
    {"action": "set-current-view-version", "view-version-id": -1},
]
REQUIREMENTS = [
    {"type": "assert-create"},
    {"type": "assert-table-uuid", "uuid": "x"},
    {"type": "assert-ref-snapshot-id", "ref": "main", "snapshot-id": None},
    {"type": "assert-current-schema-id", "current-schema-id": 0},
    {"type": "assert-view-uuid", "uuid": "x"},
]
IDENTIFIER = {"namespace": ["s"], "name": "t"}

_JUNK = junk(["t", "v", "%2F"])
_CHANGE = st.fixed_dictionaries(
    {
        "requirements": st.lists(st.sampled_from(REQUIREMENTS), max_size=2),
        "updates": st.lists(st.sampled_from(UPDATES), max_size=5),
        "identifier": st.just(IDENTIFIER),
    }
)
_RIGHT = st.one_of(
    _CHANGE,
    st.builds(lambda change: {"table-changes": [change]}, _CHANGE),
    st.just(
        {"name": "fresh", "schema": SCHEMA, "view-version": VERSION, "properties": {}, "stage-create": False}
    ),
    st.just({"namespace": ["s", "x"], "properties": {"a": "b"}}),
    st.just({"source": IDENTIFIER, "destination": {"namespace": ["s"], "name": "u"}}),
    st.just({"removals": ["a"], "updates": {"b": "c"}}),
    st.just({"name": "r", "metadata-location": "/x", "overwrite": True}),
)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    folder = tmp_path_factory.mktemp("fuzz")
    with Lake(f"sqlite:///{folder / 'lake.db'}", folder / "warehouse") as lake:
        app = Starlette(routes=[Mount("/iceberg", routes=routes(lake))])
        with serving(app) as address, httpx2.Client(base_url=address, timeout=20) as client:
            client.post("/iceberg/v1/main/namespaces", json={"namespace": ["s"]})
            yield client


NAMES = st.sampled_from(
    ["s", "t", "v", "s%1Fx", "%1F", "%00", "..", "%F0%9F%92%A5", "fresh", "%ED%A0%80", "a.b"]
)


def check(response: Any) -> None:
    assert response.status_code < 500, response.text
    if response.status_code >= 400 and response.request.method != "HEAD":
        error = response.json()["error"]
        assert set(error) == {"message", "type", "code"}
        assert error["code"] == response.status_code
        assert error["message"]


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    endpoint=st.sampled_from(ENDPOINTS),
    body=bodies(_RIGHT, _JUNK),
    names=st.tuples(NAMES, NAMES, NAMES),
    usual=st.booleans(),
)
def test_no_body_at_any_endpoint_makes_the_server_fail(
    client: httpx2.Client, endpoint: tuple[str, str], body: Any, names: tuple[str, str, str], usual: bool
) -> None:
    path, method = endpoint
    namespace, table, view = ("s", "t", "v") if usual else names
    for kind, name in (("tables", "t"), ("views", "v")):
        # Present most of the time, so that commits meet something.
        if usual and client.head(f"/iceberg/v1/main/namespaces/s/{kind}/{name}").status_code == 404:
            made = {"name": name, "schema": SCHEMA, "view-version": VERSION}
            check(client.post(f"/iceberg/v1/main/namespaces/s/{kind}", json=made))
    url = f"/iceberg/v1/main{path}".format(namespace=namespace, table=table, view=view)
    check(client.request(method, url, json=body))
    check(client.get(url))


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    # A line feed never gets here: the mount of the application around these routes does not match one.
    ref=st.text(max_size=12).map(lambda ref: ref.replace("\n", ""))
    | st.sampled_from(["main@", "@", "main~1", "main^2", "main@2026-01-31", "main@x", "~", "^"]),
    query=st.dictionaries(
        st.sampled_from(["parent", "pageToken", "pageSize", "warehouse"]), st.text(max_size=8)
    ),
)
def test_no_ref_and_no_query_makes_the_server_fail(
    client: httpx2.Client, ref: str, query: dict[str, str]
) -> None:
    check(client.get("/iceberg/v1/config", params={**query, "warehouse": ref}))
    check(client.get("/iceberg/v1/main/namespaces", params=query))
    check(client.get(f"/iceberg/v1/{quote(ref, safe='') or '-'}/namespaces", params=query))
