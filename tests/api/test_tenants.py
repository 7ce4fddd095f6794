"""A server with a model for each tenant: every surface answers from the asker's, never from another's."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jwt
import pytest
from starlette.testclient import TestClient

from ingot.api import create_app
from ingot.engines.duckdb import connect
from ingot.lake import Lake
from ingot.project import load

SECRET = "the-secret-of-the-tests-with-32-characters"
TENANTS = {"acme": [1, 2], "bolt": [10, 20, 30], "cord": [500]}
TEMPLATE = """cubes:
  - name: orders
    sql_table: "gold.orders_{{ COMPILE_CONTEXT.securityContext.tenant }}"
    dimensions: [{name: id, sql: id, type: number, primary_key: true}]
    measures:
      - {name: total, type: sum, sql: amount}
{%- if COMPILE_CONTEXT.securityContext.tenant == "bolt" %}
      - {name: bolts, type: count}
{%- endif %}
"""
TOTAL = {"measures": ["orders.total"]}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    (root / "semantic").mkdir(parents=True)
    (root / "ingot.yml").write_text(
        "name: shop\nsemantic: {compile_context: {tenant: acme}}\nauth: {jwt: {secret: '${API_SECRET}'}}\n"
    )
    (root / "semantic" / "orders.yml").write_text(TEMPLATE)
    with Lake.open(load(root, environ={"API_SECRET": SECRET})) as lake, connect() as con:
        staged = [
            lake.stage(con, f"gold.orders_{name}", f"SELECT i AS id, v AS amount FROM (SELECT unnest({values}) v, "
                       f"generate_subscripts({values}, 1) i)", on="main")
            for name, values in TENANTS.items()
        ]  # fmt: skip
        lake.commit("main", staged, message="tenants")
    return root


@pytest.fixture
def client(root: Path) -> Iterator[TestClient]:
    app = create_app(load(root, environ={"API_SECRET": SECRET}))
    with TestClient(app, raise_server_exceptions=False) as made:
        yield made


def token(**claims: Any) -> dict[str, str]:
    return {"authorization": jwt.encode(claims, SECRET, "HS256")}


def total(client: TestClient, tenant: str, user: int = 0) -> int:
    answer = client.post(
        "/cubejs-api/v1/load", json={"query": TOTAL}, headers=token(tenant=tenant, user=user)
    )
    assert answer.status_code == 200, answer.text
    return int(answer.json()["data"][0]["orders.total"])


def test_each_tenant_asks_its_own_tables_kept_or_not(client: TestClient) -> None:
    for _ in range(2):
        assert {name: total(client, name) for name in TENANTS} == {
            name: sum(v) for name, v in TENANTS.items()
        }


def test_many_tenants_at_once_get_their_own(client: TestClient) -> None:
    asked = [(name, user) for user in range(10) for name in TENANTS]
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda one: total(client, *one), asked))
    assert found == [sum(TENANTS[name]) for name, _ in asked]


def test_what_only_one_tenant_has_does_not_exist_for_others(client: TestClient) -> None:
    def members(tenant: str) -> set[str]:
        meta = client.get("/cubejs-api/v1/meta", headers=token(tenant=tenant)).json()
        return {one["name"] for cube in meta["cubes"] for one in cube["measures"]}

    assert members("bolt") == {"orders.total", "orders.bolts"}
    assert members("acme") == {"orders.total"}
    query = {"query": {"measures": ["orders.bolts"]}}
    for path in ("load", "sql", "dry-run"):
        answer = client.post(f"/cubejs-api/v1/{path}", json=query, headers=token(tenant="acme"))
        assert (answer.status_code, "orders.bolts" in answer.json()["error"]) == (400, True), path
    assert client.post("/cubejs-api/v1/load", json=query, headers=token(tenant="bolt")).json()["data"] == [
        {"orders.bolts": "3"}
    ]


def test_sql_and_graphql_are_the_tenants(client: TestClient) -> None:
    sql = client.post("/cubejs-api/v1/sql", json={"query": TOTAL}, headers=token(tenant="cord")).text
    assert "orders_cord" in sql
    assert "orders_acme" not in sql
    asked = {"query": "{ cube { orders { total } } }"}
    answer = client.post("/cubejs-api/graphql", json=asked, headers=token(tenant="cord"))
    assert answer.json()["data"]["cube"] == [{"orders": {"total": 500}}]
    bolts = {"query": "{ cube { orders { bolts } } }"}
    assert "errors" in client.post("/cubejs-api/graphql", json=bolts, headers=token(tenant="cord")).json()


@pytest.mark.parametrize(
    "claims", [{}, {"tenant": None}, {"tenant": "nobody"}, {"tenant": "a\nb: c"}, {"tenant": ["acme"]}]
)
def test_a_token_without_a_usable_tenant_gets_no_rows(client: TestClient, claims: dict[str, Any]) -> None:
    assert total(client, "acme") == 3
    answer = client.post("/cubejs-api/v1/load", json={"query": TOTAL}, headers=token(**claims))
    assert answer.status_code in (400, 404)
    assert "data" not in answer.json()
    assert "semantic/orders.yml" not in answer.text
