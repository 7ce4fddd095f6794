"""Cube's REST API over HTTP: methods, errors in Cube's shape, refs, limits, hostile input."""

import gzip
import json
import re
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from ingot.api import cube
from ingot.api.requests import MAX_BODY
from tests.semantic.lakes import Served, served

HOSTILE = [
    "'; DROP TABLE gold.orders; --",
    '"',
    "\\",
    "%",
    "$1",
    "?",
    "{CUBE}",
    "${x}",
    "\x00",
    "\ud7ff☃",
    "a" * 5000,
    "' OR '1'='1",
    "*/",
    "../../etc/passwd",
]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("shop")) as made:
        yield made


@pytest.fixture(scope="module")
def client(shop: Served) -> Iterator[TestClient]:
    with TestClient(Starlette(routes=cube.CubeApi(shop.service).routes())) as made:
        yield made


def post(client: TestClient, query: Any, **more: Any) -> Any:
    return client.post("/cubejs-api/v1/load", json={"query": query, **more})


def test_get_and_post_give_the_same(client: TestClient) -> None:
    query = {"measures": ["orders.total"], "dimensions": ["orders.status"]}
    got = client.get("/cubejs-api/v1/load", params={"query": json.dumps(query)})
    assert got.status_code == 200
    assert got.headers["content-type"] == "application/json"
    assert got.json() == post(client, query).json()
    assert got.json()["data"] == [
        {"orders.status": "done", "orders.total": "17"},
        {"orders.status": "new", "orders.total": "5"},
    ]


@pytest.mark.parametrize("where", ["parameter", "body", "query"])
def test_a_ref_may_stand_in_the_address_the_body_or_the_query(client: TestClient, where: str) -> None:
    query: dict[str, Any] = {"measures": ["orders.total"]}
    body: dict[str, Any] = {"query": query}
    if where == "body":
        body["ref"] = "dev"
    if where == "query":
        query["ref"] = "dev"
    answer = client.post(
        "/cubejs-api/v1/load", json=body, params={"ref": "dev"} if where == "parameter" else {}
    ).json()
    assert answer["data"] == [{"orders.total": "122"}]
    assert answer["ref"] == "dev"


@pytest.mark.parametrize("path", ["load", "sql", "dry-run", "meta"])
def test_an_unknown_ref_is_404_with_the_nearest_name(client: TestClient, path: str) -> None:
    answer = client.get(
        f"/cubejs-api/v1/{path}", params={"query": '{"measures":["orders.count"]}', "ref": "dve"}
    )
    assert answer.status_code == 404
    assert "'dve' (did you mean 'dev'?)" in answer.json()["error"]


def test_several_queries_need_query_type_multi(client: TestClient) -> None:
    queries = [{"measures": ["orders.count"]}, {"measures": ["tickets.count"]}]
    assert post(client, queries).status_code == 400
    answer = post(client, queries, queryType="multi").json()
    assert answer["queryType"] == "blendingQuery"
    assert [one["data"] for one in answer["results"]] == [[{"orders.count": "3"}], [{"tickets.count": "1"}]]
    single = post(client, queries[0], queryType="multi").json()
    assert single["queryType"] == "regularQuery"
    assert single["results"][0]["data"] == [{"orders.count": "3"}]
    assert single["pivotQuery"]["measures"] == ["orders.count"]


def test_sql_dry_run_and_meta_answer(client: TestClient) -> None:
    body = {"query": {"measures": ["orders.count"]}}
    assert client.post("/cubejs-api/v1/sql", json=body).json()["sql"]["sql"][1] == []
    assert client.post("/cubejs-api/v1/dry-run", json=body).json()["queryType"] == "regularQuery"
    assert {one["name"] for one in client.get("/cubejs-api/v1/meta").json()["cubes"]} >= {"orders", "sales"}


BAD = [
    ({"measures": ["orders.cuont"]}, "orders.cuont.*did you mean 'orders.count'"),
    ({"measures": ["odrers.count"]}, "odrers.*did you mean 'orders'"),
    ({"measures": ["orders.status"]}, "is a dimension, not a measure"),
    ({"dimensions": ["orders.count"]}, "is a measure, not a dimension"),
    ({"dimensions": ["orders.created_at.fortnight"]}, "fortnight"),
    ({"dimensions": ["orders.status.day"]}, "not a time dimension"),
    ({"measures": ["orders.count"], "timeDimensions": [{"dimension": "orders.status"}]}, "not a time dimension"),
    ({"measures": ["orders.count"], "timeDimensions": [{"dimension": "orders.created_at", "dateRange": "last nothing"}]}, "last nothing"),
    ({"measures": ["orders.count"], "timeDimensions": [{"dimension": "orders.created_at", "dateRange": ["2026-02-01", "2026-01-01"]}]}, "ends before"),
    ({"measures": ["orders.count"], "timeDimensions": [{"dimension": "orders.created_at", "dateRange": "2026-02-31"}]}, "2026-02-31"),
    ({"measures": ["orders.count"], "filters": [{"member": "orders.amount", "operator": "gt", "values": ["many"]}]}, "numbers, not 'many'"),
    ({"measures": ["orders.count"], "filters": [{"member": "orders.amount", "operator": "gt", "values": ["nan"]}]}, "numbers"),
    ({"measures": ["orders.count"], "filters": [{"member": "orders.paid", "operator": "equals", "values": ["maybe"]}]}, "true or false"),
    ({"measures": ["orders.count"], "filters": [{"member": "orders.status", "operator": "equals"}]}, "needs values"),
    ({"measures": ["orders.count"], "filters": [{"member": "orders.status", "operator": "like", "values": ["x"]}]}, "operator"),
    ({"measures": ["orders.count"], "filters": [{"or": [{"member": "orders.count", "operator": "gt", "values": ["1"]}, {"member": "orders.status", "operator": "set"}]}]}, "or"),
    ({"measures": ["items.count"], "dimensions": ["customers.city"]}, "No join path"),
    ({"measures": ["orders.count"], "order": {"orders.total": "asc"}}, "orders.total"),
    ({"measures": ["orders.count"], "limit": 50001}, "50000"),
    ({"measures": ["orders.count"], "limit": -1}, "limit"),
    ({"measures": ["orders.count"], "limit": 1.5}, "limit"),
    ({"measures": ["orders.count"], "timezone": "Mars/Olympus"}, "Mars/Olympus"),
    ({"measures": ["orders.count"], "timezone": "../../etc/passwd"}, "time zone"),
    ({"measures": ["orders.count"], "dimension": ["orders.status"]}, '"dimension" is not allowed'),
    ({"measures": "orders.count"}, "measures"),
    ({"measures": [1]}, "measures"),
    ({}, "needs measures"),
    ([], "1 to 50"),
    ("text", "JSON"),
    (7, "JSON object"),
    ({"measures": [f"orders.m{n}" for n in range(10_000)]}, "measures"),
    ({"measures": ["orders.count"], "segments": ["orders.status"]}, "not a segment"),
]  # fmt: skip


@pytest.mark.parametrize(("query", "said"), BAD)
def test_a_bad_query_is_400_in_cubes_shape(client: TestClient, query: Any, said: str) -> None:
    answer = post(client, query)
    assert answer.status_code == 400, answer.text
    assert set(answer.json()) == {"error"}
    assert re.search(said, answer.json()["error"]), answer.text
    assert len(answer.text) < 3000


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_is_a_value_or_a_400_wherever_it_stands(
    client: TestClient, shop: Served, text: str
) -> None:
    plain = {"measures": ["orders.count"]}
    operators = [
        "equals",
        "notEquals",
        "contains",
        "notContains",
        "startsWith",
        "endsWith",
        "gt",
        "inDateRange",
        "beforeDate",
    ]
    queries: list[Any] = [
        {"measures": [text]},
        {"dimensions": [text]},
        {"dimensions": [f"orders.created_at.{text}"]},
        {"dimensions": [f"orders.{text}"]},
        plain | {"segments": [text]},
        plain | {"order": {text: "asc"}},
        plain | {"order": [["orders.count", text]]},
        plain | {"timezone": text},
        plain | {"limit": text},
        plain | {"responseFormat": text},
        plain | {"ref": text},
        plain | {text: text},
        plain | {"timeDimensions": [{"dimension": text}]},
        plain | {"timeDimensions": [{"dimension": "orders.created_at", "granularity": text}]},
        plain | {"timeDimensions": [{"dimension": "orders.created_at", "dateRange": text}]},
        plain | {"timeDimensions": [{"dimension": "orders.created_at", "dateRange": [text, text]}]},
        plain | {"filters": [{"member": text, "operator": "set"}]},
        plain | {"filters": [{"member": "orders.status", "operator": text, "values": ["x"]}]},
        *(plain | {"filters": [{"member": member, "operator": operator, "values": [text]}]}
          for operator in operators for member in ("orders.status", "orders.amount", "orders.created_at", "orders.paid", "orders.count")),
    ]  # fmt: skip
    for query in queries:
        answer = post(client, query)
        assert answer.status_code in (200, 400, 404), (query, answer.text)
        if answer.status_code == 200:
            assert answer.json()["data"] in ([{"orders.count": "0"}], [{"orders.count": "3"}], []), query
        else:
            assert set(answer.json()) == {"error"}
    assert post(
        client, plain | {"filters": [{"member": "orders.status", "operator": "contains", "values": [text]}]}
    ).json().get("data") in (
        None,
        [{"orders.count": "0"}],
    )
    assert shop.service.load(plain)["data"] == [{"orders.count": "3"}]


def test_a_hostile_text_that_is_in_the_data_is_found(client: TestClient) -> None:
    for operator, value in [("equals", "O'Hare"), ("contains", "'"), ("startsWith", "o'")]:
        query = {
            "measures": ["orders.count"],
            "filters": [{"member": "customers.city", "operator": operator, "values": [value]}],
        }
        assert post(client, query).json()["data"] == [{"orders.count": "1"}]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"x"',
        b"\xff\xfe",
        b'{"query": "{"}',
        b'{"other": 1}',
        b'{"query": {}, "ref": 5}',
        b"[" * 100_000,
    ],
)
def test_a_body_that_is_no_request_is_400(client: TestClient, body: bytes) -> None:
    answer = client.post("/cubejs-api/v1/load", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert set(answer.json()) == {"error"}


def test_filters_too_deep_or_too_many_are_400(client: TestClient) -> None:
    deep: dict[str, Any] = {"member": "orders.status", "operator": "set"}
    for _ in range(150):
        deep = {"and": [deep]}
    assert "deep" in post(client, {"measures": ["orders.count"], "filters": [deep]}).json()["error"]
    wide = {"or": [{"member": "orders.status", "operator": "set"}] * 600}
    assert "at most 500" in post(client, {"measures": ["orders.count"], "filters": [wide]}).json()["error"]


def test_a_body_over_the_limit_is_413_whether_it_says_its_size_or_not(client: TestClient) -> None:
    body = b'{"query": "' + b"x" * (MAX_BODY + 1) + b'"}'
    assert client.post("/cubejs-api/v1/load", content=body).status_code == 413
    answer = client.post(
        "/cubejs-api/v1/load", content=(body[at : at + 65536] for at in range(0, len(body), 65536))
    )
    assert answer.status_code == 413
    assert set(answer.json()) == {"error"}


def test_old_clients_may_send_renew_query_and_cache(client: TestClient) -> None:
    assert (
        post(client, {"measures": ["orders.count"], "renewQuery": True, "cache": "no-cache"}).status_code
        == 200
    )


def test_a_table_that_the_ref_does_not_have_is_said(client: TestClient, shop: Served) -> None:
    shop.lake.branch("bare", "main")
    shop.lake.commit("bare", [shop.lake.stage_drop("gold.tickets", on="bare")], message="no tickets")
    answer = post(client, {"measures": ["tickets.count"]}, ref="bare")
    assert answer.status_code == 400
    assert "'gold.tickets'" in answer.json()["error"]


PACKED = json.dumps({"query": {"measures": ["orders.count"]}}).encode()


@pytest.mark.parametrize(
    ("coding", "body"),
    [("gzip", gzip.compress(PACKED)), ("deflate", zlib.compress(PACKED)), ("identity", PACKED)],
    ids=["gzip", "deflate", "identity"],
)
def test_a_packed_body_is_unpacked(client: TestClient, coding: str, body: bytes) -> None:
    answer = client.post("/cubejs-api/v1/load", content=body, headers={"content-encoding": coding})
    assert answer.json()["data"] == [{"orders.count": "3"}]


@pytest.mark.parametrize(
    ("coding", "body", "status"),
    [
        ("gzip", PACKED, 400),
        ("gzip", gzip.compress(PACKED)[:-10], 400),
        ("gzip", b"", 400),
        ("gzip", gzip.compress(b" " * 20_000_000), 413),
        ("br", PACKED, 400),
        ("gzip, gzip", gzip.compress(gzip.compress(PACKED)), 400),
    ],
    ids=["not packed", "cut off", "empty", "a bomb", "unknown", "twice"],
)
def test_a_body_that_is_packed_badly_is_refused(
    client: TestClient, coding: str, body: bytes, status: int
) -> None:
    answer = client.post("/cubejs-api/v1/load", content=body, headers={"content-encoding": coding})
    assert answer.status_code == status
    assert set(answer.json()) == {"error"}


@pytest.mark.parametrize("id", ["a" * 100_000, "\xff", "-span-1", "../x", "a\tb"])
def test_a_strange_request_id_is_no_matter(client: TestClient, id: str) -> None:
    headers = {b"x-request-id": id.encode("latin-1")}
    assert post(client, {"measures": ["orders.count"], "limit": 77}).status_code == 200
    answer = client.post("/cubejs-api/v1/load", content=PACKED, headers=headers)
    assert answer.json()["data"] == [{"orders.count": "3"}]


@pytest.mark.parametrize("cache", ["stale-if-slow", "stale-while-revalidate", "must-revalidate", "no-cache"])
def test_every_value_of_cache_gives_the_same_true_answer(client: TestClient, cache: str) -> None:
    query = {"measures": ["orders.count"]}
    answer = post(client, query | {"cache": cache}, cache=cache)
    assert answer.json() == post(client, query).json()


def test_explain_answers_over_http(client: TestClient) -> None:
    body = {"query": {"measures": ["orders.total"], "dimensions": ["products.kind"]}, "ref": "dev"}
    found = client.post("/cubejs-api/v1/explain", json=body).json()
    assert found["ref"] == "dev"
    assert "distinct primary keys" in found["facts"][0]["why"]
    got = client.get("/cubejs-api/v1/explain", params={"query": json.dumps(body["query"]), "ref": "dev"})
    assert got.json() == found
