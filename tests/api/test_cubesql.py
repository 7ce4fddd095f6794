"""SQL over HTTP: lines as they are computed, errors in Cube's shape, clients that leave."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from ingot.api import cube
from tests.semantic.lakes import Served, served

PATH = "/cubejs-api/v1/cubesql"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("shop")) as made:
        yield made


@pytest.fixture(scope="module")
def client(shop: Served) -> Iterator[TestClient]:
    api = cube.CubeApi(shop.service)
    with TestClient(Starlette(routes=api.routes())) as made:
        yield made
    api.close()


def lines(client: TestClient, query: str, **more: Any) -> list[Any]:
    answer = client.post(PATH, json={"query": query, **more})
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def test_the_first_line_names_the_columns_and_the_others_bring_rows(client: TestClient) -> None:
    text = "SELECT status, date_trunc('month', created_at) m, SUM(total) t, COUNT(*) n, paid, AVG(mean) a FROM orders GROUP BY 1, 2, 5 ORDER BY 2, 3"
    schema, data = lines(client, text)
    assert [one["column_type"] for one in schema["schema"]] == [
        "String", "Timestamp", "Double", "Int64", "Boolean", "Double",
    ]  # fmt: skip
    assert [one["name"] for one in schema["schema"]] == ["status", "m", "t", "n", "paid", "a"]
    assert schema["lastRefreshTime"].endswith("Z")
    assert data == {
        "data": [
            ["done", "2026-01-01T00:00:00.000", "10", "1", True, "10"],
            ["new", "2026-02-01T00:00:00.000", "5", "1", False, "5"],
            ["done", "2026-02-01T00:00:00.000", "7", "1", True, "7"],
        ]
    }


def test_no_rows_are_a_schema_alone(client: TestClient) -> None:
    assert len(lines(client, "SELECT status FROM orders WHERE status = 'nothing'")) == 1


def test_many_rows_come_in_several_lines(client: TestClient) -> None:
    pairs = " CROSS JOIN ".join(f"(SELECT id AS a{n} FROM orders LIMIT 3) x{n}" for n in range(8))
    found = lines(client, f"SELECT a0 FROM {pairs}")
    assert len(found) > 2
    assert sum(len(one["data"]) for one in found[1:]) == 3**8


def test_ref_and_timezone_stand_beside_the_query(client: TestClient) -> None:
    assert lines(client, "SELECT SUM(total) FROM orders", ref="dev")[1] == {"data": [["122"]]}
    text = "SELECT MAX(date_trunc('day', created_at)) FROM orders"
    assert lines(client, text, timezone="Asia/Tokyo")[1] == {"data": [["2026-03-01T00:00:00.000"]]}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, '"query" is missing'),
        ({"query": 5}, '"query" is missing'),
        ({"query": "SELECT x FROM nowhere"}, "There is no cube or view 'nowhere'"),
        ({"query": "SELECT statsu FROM orders"}, "did you mean 'status'?). (line 1, column 8)"),
        ({"query": "SELECT AVG(total) FROM orders"}, "Measure aggregation type doesn't match"),
        ({"query": "SELECT MEASURE(count) FROM orders", "timezone": "Mars"}, "IANA"),
        ({"query": "SELECT MEASURE(count) FROM orders", "timezone": 5}, "IANA"),
        ({"query": "SELECT status::int FROM orders"}, "invalid input"),
        ({"query": "SELECT MEASURE(count) FROM orders", "ref": "nobranch"}, "nobranch"),
    ],
)
def test_mistakes_are_errors_in_cubes_shape(client: TestClient, body: Any, said: str) -> None:
    answer = client.post(PATH, json=body)
    assert 400 <= answer.status_code < 500
    assert said in answer.json()["error"]


def test_sql_of_a_statement_is_told_in_cubes_shape(client: TestClient, shop: Served) -> None:
    text = "SELECT status, MEASURE(total) FROM orders WHERE status = 'it''s' GROUP BY 1"
    for answer in (
        client.get("/cubejs-api/v1/sql", params={"format": "sql", "query": text}),
        client.post("/cubejs-api/v1/sql", json={"format": "sql", "query": text}),
    ):
        found = answer.json()["sql"]
        assert (found["status"], found["query_type"]) == ("ok", "regular")
        sql, parameters = found["sql"]
        assert parameters == ["it's"]
        assert "it's" not in sql
        assert shop.engine.query(sql, at=shop.lake.at("main"), parameters=parameters).rows == []
    window = client.get(
        "/cubejs-api/v1/sql",
        params={"format": "sql", "query": "SELECT RANK() OVER (ORDER BY MEASURE(total)) FROM orders"},
    )
    assert window.json()["sql"]["query_type"] == "pushdown"


def test_get_is_not_allowed(client: TestClient) -> None:
    assert client.get(PATH, params={"query": "SELECT 1"}).status_code == 405
