"""Policies and hooks over HTTP, with a login: each token sees its own, by REST and by GraphQL."""

from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from ingot.api import create_app
from ingot.cli.app import app
from ingot.project import load

SECRET = "the-secret-of-the-tests-with-32-characters"
MODEL = """
cubes:
  - name: orders
    sql_table: raw.orders
    dimensions:
      - {name: id, sql: id, type: number, primary_key: true}
      - {name: city, sql: city, type: string}
      - {name: email, sql: email, type: string, mask: "***"}
    measures: [{name: count, type: count}, {name: amount, sql: amount, type: sum}]
    access_policy:
      - group: boss
      - group: sales
        member_level: {includes: [count, city]}
        member_masking: {includes: [email]}
        row_level: {filters: [{member: city, operator: equals, values: ["{ security_context.city }"]}]}
"""
DASHBOARD = """
title: The shop
filters: [{member: orders.id, operator: set}]
tiles:
  - {type: kpi, title: Orders, measures: [orders.count]}
  - {type: kpi, title: Secret turnover, measures: [orders.amount]}
"""
HOOK = """
from cube import config

@config('query_rewrite')
def query_rewrite(query, ctx):
    if ctx['securityContext'].get('blocked'):
        raise PermissionError('your account is blocked')
    if ctx['securityContext'].get('broken'):
        return query['no such key']
    return query
"""


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    root = tmp_path_factory.mktemp("shop")
    (root / "ingot.yml").write_text("name: shop\nauth: {jwt: {secret: '${API_SECRET}'}}\n")
    (root / "orders.csv").write_text(
        "id,city,email,amount\n1,Rome,a@b.it,5\n2,Rome,c@d.it,6\n3,Oslo,e@f.no,7\n"
    )
    (root / "semantic").mkdir()
    (root / "semantic" / "orders.yml").write_text(MODEL)
    (root / "cube.py").write_text(HOOK)
    (root / "dashboards").mkdir()
    (root / "dashboards" / "shop.yml").write_text(DASHBOARD)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("API_SECRET", SECRET)
        done = CliRunner().invoke(app, ["run", "--project", str(root)])
        assert done.exit_code == 0, done.output
        project = load(root)
    with TestClient(create_app(project)) as made:
        yield made


def headers(**payload: Any) -> dict[str, str]:
    return {"authorization": jwt.encode(payload, SECRET, "HS256")}


SALES: dict[str, Any] = {"groups": ["sales"], "city": "Rome"}
COUNT = {"measures": ["orders.count"]}


def ask(client: TestClient, query: Any, verb: str = "load", **payload: Any) -> Any:
    return client.post(f"/cubejs-api/v1/{verb}", json={"query": query}, headers=headers(**payload))


def test_each_token_has_its_own_rows_also_from_the_cache(client: TestClient) -> None:
    for _ in range(3):
        assert ask(client, COUNT, groups=["boss"]).json()["data"] == [{"orders.count": "3"}]
        assert ask(client, COUNT, **SALES).json()["data"] == [{"orders.count": "2"}]
        assert ask(client, COUNT, groups="sales", city="Oslo").json()["data"] == [{"orders.count": "1"}]
        assert ask(client, COUNT, groups=["sales"]).json()["data"] == [{"orders.count": "0"}]


@pytest.mark.parametrize("verb", ["load", "sql", "dry-run", "explain"])
def test_a_hidden_member_is_unknown(client: TestClient, verb: str) -> None:
    for query in (
        {"measures": ["orders.amount"]},
        COUNT | {"filters": [{"member": "orders.id", "operator": "set"}]},
    ):
        answer = ask(client, query, verb, **SALES)
        assert answer.status_code == 400
        assert "There is no member" in answer.json()["error"]
    stranger = ask(client, COUNT, verb, groups=["other"])
    assert stranger.status_code == 400
    assert "There is no cube or view 'orders'" in stranger.json()["error"]


def test_meta_and_masks(client: TestClient) -> None:
    told = client.get("/cubejs-api/v1/meta?extended", headers=headers(**SALES)).json()["cubes"]
    names = [one["name"] for one in [*told[0]["measures"], *told[0]["dimensions"]]]
    assert names == ["orders.count", "orders.city", "orders.email"]
    assert "raw.orders" not in str(told)
    assert client.get("/cubejs-api/v1/meta", headers=headers()).json()["cubes"] == []
    rows = ask(client, {"dimensions": ["orders.email"]}, **SALES).json()["data"]
    assert rows == [{"orders.email": "***"}]


def test_a_dashboard_tells_nothing_of_what_is_hidden(client: TestClient) -> None:
    def dashboard(**payload: Any) -> Any:
        return client.get("/api/v1/dashboards/shop", headers=headers(**payload)).json()

    assert [tile["title"] for tile in dashboard(groups=["boss"])["tiles"]] == ["Orders", "Secret turnover"]
    seen = dashboard(**SALES)
    assert [tile["title"] for tile in seen["tiles"]] == ["Orders"]
    assert "amount" not in str(seen)
    assert "orders.id" not in str(seen)
    assert dashboard()["tiles"] == []


def test_graphql_knows_what_the_token_may_see(client: TestClient) -> None:
    def graphql(text: str, **payload: Any) -> Any:
        return client.post("/cubejs-api/graphql", json={"query": text}, headers=headers(**payload)).json()

    assert graphql("{ cube { orders { count email } } }", **SALES)["data"]["cube"] == [
        {"orders": {"count": 2, "email": "***"}}
    ]
    told = graphql("{ cube { orders { amount } } }", **SALES)
    assert "Cannot query field" in str(told)
    assert "orders" not in str(graphql("{ __schema { types { name } } }")).lower()


def test_a_hook_refuses_with_its_words_and_fails_without(client: TestClient) -> None:
    refused = ask(client, COUNT, blocked=True, **SALES)
    assert refused.status_code == 403
    assert "your account is blocked" in refused.json()["error"]
    failed = ask(client, COUNT, broken=True, **SALES)
    assert failed.status_code == 403
    assert "no such key" not in failed.text
    assert "Traceback" not in failed.text
