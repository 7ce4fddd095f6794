"""Cube's endpoints of pre-aggregations over a real lake."""

from collections.abc import Iterator
from time import sleep
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from ingot.api.rollups import RollupsApi
from ingot.semantic.rollups.keeping import Keeping
from tests.semantic.lakes import ROWS
from tests.semantic.rollups.shelf import shelf

PREFIX = "/cubejs-api/v1/pre-aggregations"
BY_STATUS = {"name": "by_status", "measures": ["count"], "dimensions": ["status"]}
QUERY = {"measures": ["orders.count"], "dimensions": ["orders.status"]}


@pytest.fixture
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with shelf(tmp_path_factory.mktemp("api"), [ROWS]) as made:
        service = made.service([BY_STATUS])
        assert service.rollups is not None
        api = RollupsApi(service, Keeping(service.rollups, service.states, made.lake, made.engine))
        with TestClient(Starlette(routes=api.routes())) as found:
            yield found
        api.close()
        service.close()


def post(client: TestClient, path: str, **body: Any) -> Any:
    return client.post(f"{PREFIX}/{path}", json=body)


def test_jobs_build_and_tell_when_they_are_done(client: TestClient) -> None:
    before = post(client, "can-use", query=QUERY).json()
    assert "is not built yet" in before["rollupMatchResults"][0]["reasons"][0]
    tokens = post(
        client, "jobs", action="post", selector={"contexts": [{}], "timezones": ["UTC"], "cubes": ["orders"]}
    ).json()
    assert len(tokens) == 1
    for _ in range(200):
        (line,) = post(client, "jobs", action="get", tokens=tokens).json()
        if line["status"] == "done":
            break
        sleep(0.02)
    assert line["status"] == "done"
    assert line["selector"]["preAggregation"] == "by_status"
    assert post(client, "jobs", action="get", tokens=tokens, resType="object").json()[tokens[0]] == line
    after = post(client, "can-use", query=QUERY).json()
    assert after["canUsePreAggregationForTransformedQuery"] is True
    assert after["rollupMatchResults"][0]["used"] is True


def test_a_token_that_nobody_gave_is_not_found(client: TestClient) -> None:
    assert post(client, "jobs", action="get", tokens=["x"]).json() == [{"token": "x", "status": "not_found"}]


def test_a_selector_may_leave_nothing(client: TestClient) -> None:
    assert post(client, "jobs", action="post", selector={"cubes": ["items"]}).json() == []


@pytest.mark.parametrize(
    ("references", "expected"),
    [
        ({"measures": ["o.n"], "dimensions": ["o.s"], "timeDimensions": [{"dimension": "o.t", "granularity": "day"}]}, True),
        ({"measures": ["o.n"], "dimensions": [], "timeDimensions": [{"dimension": "o.t", "granularity": "day"}]}, False),
        ({"measures": [], "dimensions": ["o.s"], "timeDimensions": [{"dimension": "o.t", "granularity": "day"}]}, False),
        ({"measures": ["o.n"], "dimensions": ["o.s"], "timeDimensions": [{"dimension": "o.t", "granularity": "week"}]}, False),
    ],
)  # fmt: skip
def test_can_use_answers_as_cube_does(client: TestClient, references: Any, expected: bool) -> None:
    transformed = {
        "leafMeasures": ["o.n"],
        "sortedDimensions": ["o.s"],
        "sortedTimeDimensions": [["o.t", "month"]],
    }
    answer = post(client, "can-use", transformedQuery=transformed, references=references)
    assert answer.json() == {"canUsePreAggregationForTransformedQuery": expected}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("can-use", {}),
        ("can-use", {"transformedQuery": {"sortedTimeDimensions": [1]}, "references": {}}),
        ("can-use", {"transformedQuery": {}, "references": {"timeDimensions": "x"}}),
        ("can-use", {"query": {"measures": ["orders.nope"]}}),
        ("jobs", {}),
        ("jobs", {"action": "get"}),
        ("jobs", {"action": "post", "selector": []}),
        ("jobs", {"action": "post", "selector": {"preAggregations": ["orders.nope"]}}),
        ("jobs", {"action": "post", "selector": {"cubes": "orders"}}),
        ("jobs", {"action": "post", "selector": {"ref": "no such branch"}}),
    ],
)
def test_what_makes_no_sense_is_refused(client: TestClient, path: str, body: Any) -> None:
    answer = post(client, path, **body)
    assert 400 <= answer.status_code < 500
    assert answer.json()["error"]
