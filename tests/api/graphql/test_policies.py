"""Who asks decides what the schema has and which rows there are."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from ingot.api.cube import CubeApi
from ingot.api.requests import CONTEXT
from ingot.semantic import Service
from ingot.semantic.context import Context
from tests.semantic import shop
from tests.semantic.lakes import served

POLICY = [
    {"group": "boss"},
    {
        "group": "clerk",
        "member_level": {"excludes": ["amount", "total"]},
        "row_level": {"filters": [{"member": "status", "operator": "equals", "values": ["done"]}]},
    },
]


def cubes() -> list[dict[str, Any]]:
    made = copy.deepcopy(shop.CUBES)
    for cube in made:
        if cube["name"] == "orders":
            cube["access_policy"] = POLICY
    return made


class Asking:
    """Says who asks, as the door does."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.group = "boss"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app({**scope, CONTEXT: Context({}, (self.group,))}, receive, send)


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    with served(tmp_path_factory.mktemp("shop")) as made:
        service = Service(shop.project(cubes(), []), made.lake, made.engine)
        api = CubeApi(service)
        yield Asking(Starlette(routes=api.routes()))
        api.close()
        service.close()


def post(asking: Asking, group: str, text: str) -> Any:
    asking.group = group
    with TestClient(asking) as client:
        return client.post("/cubejs-api/graphql", json={"query": text}).json()


def test_each_asker_gets_his_rows(asking: Asking) -> None:
    text = "{ cube { orders { count } } }"
    for _ in range(2):
        assert post(asking, "boss", text)["data"] == {"cube": [{"orders": {"count": 3}}]}
        assert post(asking, "clerk", text)["data"] == {"cube": [{"orders": {"count": 2}}]}


def test_what_is_hidden_is_not_in_the_schema_nor_suggested(asking: Asking) -> None:
    assert post(asking, "boss", "{ cube { orders { total } } }")["data"]["cube"] == [
        {"orders": {"total": 22}}
    ]
    for text in (
        "{ cube { orders { total } } }",
        "{ cube { orders { totl } } }",
        "{ cube(where: {orders: {amount: {gt: 1}}}) { orders { count } } }",
        "{ cube { orders(orderBy: {total: asc}) { count } } }",
    ):
        answer = post(asking, "clerk", text)
        assert "data" not in answer
        _, _, suggested = str(answer["errors"]).partition("Did you mean")
        assert "total" not in suggested.partition("?")[0]
        assert "amount" not in suggested.partition("?")[0]
    types = '{ __type(name: "OrdersMembers") { fields { name } } }'
    seen = {one["name"] for one in post(asking, "clerk", types)["data"]["__type"]["fields"]}
    assert "count" in seen
    assert not {"total", "amount"} & seen
    assert {"total", "amount"} <= {
        one["name"] for one in post(asking, "boss", types)["data"]["__type"]["fields"]
    }


def test_who_sees_nothing_of_a_cube_cannot_name_it(asking: Asking) -> None:
    answer = post(asking, "stranger", "{ cube { orders { count } } }")
    assert "Cannot query field 'orders'" in answer["errors"][0]["message"]
