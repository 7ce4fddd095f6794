"""Which ref a client speaks of, what is served, and what is refused whatever is asked."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp

from ingot.lake import Content, Key, Lake
from ingot.lake.rest import routes
from tests.lake.rest.answers import body, refused, setting

pytestmark = pytest.mark.usefixtures("no_failure_in_the_log")


def test_config_says_the_prefix_and_exactly_what_is_served(http: httpx2.Client, lake: Lake, t: str) -> None:
    found = body(http.get("/config", params={"warehouse": "main"}))
    assert found["defaults"]["prefix"] == "main"
    known = {"namespace": "s", "table": "t", "view": "v"}
    assert len(found["endpoints"]) == len(set(found["endpoints"])) == 24
    for endpoint in found["endpoints"]:
        method, path = endpoint.split(" ")
        path = path.removeprefix("/v1").format(prefix="main", **known)
        response = http.request(method, path, json={} if method == "POST" else None)
        # Whatever it says of an empty body, it is not that there is no such endpoint or method.
        assert response.status_code != 405
        assert b"NoSuchEndpoint" not in response.content


@pytest.mark.parametrize("ref", ["mian", "main@0000000000", "dead/branch", "main@tomorrow"])
def test_config_of_an_unknown_ref_is_refused(http: httpx2.Client, ref: str) -> None:
    response = http.get("/config", params={"warehouse": ref})
    assert response.status_code in (400, 404)
    assert set(response.json()["error"]) == {"message", "type", "code"}


def test_a_mistyped_ref_is_answered_with_the_nearest_one(http: httpx2.Client) -> None:
    assert "'main'" in refused(
        http.get("/config", params={"warehouse": "mian"}), 404, "NoSuchWarehouseException"
    )
    refused(http.get("/mian/namespaces"), 404, "NotFoundException")


def test_a_ref_with_a_slash_is_reached_by_the_prefix_of_its_config(
    http: httpx2.Client, lake: Lake, t: str
) -> None:
    lake.branch("team/dev")
    prefix = body(http.get("/config", params={"warehouse": "team/dev"}))["defaults"]["prefix"]
    for written in (prefix, quote(prefix, safe="")):
        body(http.post(f"/{written}/namespaces/s/tables/t", json=setting(where="dev")))
    assert lake.at("team/dev").table("s.t").properties["where"] == "dev"
    assert "where" not in lake.at("main").table("s.t").properties


def test_tags_and_commits_are_readable_and_closed_to_every_write(
    http: httpx2.Client, lake: Lake, t: str
) -> None:
    lake.tag("v1")
    head = lake.catalog.ref("main").hash
    for prefix in ("v1", f"main@{head}", f"@{head}", head[:12]):
        assert body(http.get(f"/{prefix}/namespaces/s/tables/t"))["metadata"]
        for method, path, content in (
            ("POST", "/namespaces", {"namespace": ["x"]}),
            ("DELETE", "/namespaces/s/tables/t", None),
            ("POST", "/namespaces/s/tables/t", setting(a="1")),
            ("POST", "/transactions/commit", {"table-changes": []}),
        ):
            refused(http.request(method, f"/{prefix}{path}", json=content), 403, "ForbiddenException")
    assert lake.catalog.ref("main").hash == head


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/main/namespaces/s/tables/t/plan", 404),
        ("PUT", "/main/namespaces", 405),
        ("DELETE", "/config", 405),
        ("PATCH", "/main/namespaces/s/tables/t", 405),
    ],
)
def test_whatever_is_not_served_is_refused_in_json(
    http: httpx2.Client, method: str, path: str, status: int
) -> None:
    assert set(body(http.request(method, path), status)["error"]) == {"message", "type", "code"}


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'"x"', b"\xff", b'{"a":' * 600 + b"1" + b"}" * 600, b"[" * 100_000]
)
def test_a_body_that_is_no_json_object_is_refused(http: httpx2.Client, t: str, content: bytes) -> None:
    for path in ("/main/namespaces", t, "/main/transactions/commit", "/main/tables/rename"):
        refused(http.post(path, content=content), 400, "BadRequestException")


def test_a_slow_request_does_not_hold_up_the_others(lake: Lake, serve: Callable[[ASGIApp], str]) -> None:
    began, may_go_on = threading.Event(), threading.Event()

    class SlowCatalog:
        def __getattr__(self, name: str) -> Any:
            return getattr(lake.catalog, name)

        def entries(self, at: str, *, prefix: Key = ()) -> Any:
            began.set()
            assert may_go_on.wait(20)
            return lake.catalog.entries(at, prefix=prefix)

        def content(self, at: str, key: Key) -> Content | None:
            return lake.catalog.content(at, key)

    class SlowLake:
        catalog: Any = SlowCatalog()
        warehouse = lake.warehouse

    address = serve(Starlette(routes=[Mount("/iceberg", routes=routes(SlowLake()))]))
    with httpx2.Client(base_url=f"{address}/iceberg/v1", timeout=20) as http, ThreadPoolExecutor(1) as pool:
        slow = pool.submit(http.get, "/main/namespaces")
        assert began.wait(10)
        try:
            assert http.get("/config", timeout=5).status_code == 200
        finally:
            may_go_on.set()
        assert slow.result().status_code == 200
