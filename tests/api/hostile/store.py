# ruff: noqa: DTZ001 - times in tables have no zone
"""A small store as a project on disk, with one of everything that a request's text could reach."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import jwt
import pytest
from starlette.testclient import TestClient

from ingot.api import create_app
from ingot.engines.duckdb import DuckDBEngine, connect
from ingot.lake import Lake
from ingot.project import load
from tests.semantic import shop
from tests.semantic.lakes import ROWS

SECRET = "the-secret-of-the-tests-with-32-characters"
MARK = "Zq7xMarkOfAValue"
"""Stands in every hostile value, so that a statement that holds it is known for what it is."""

HANGS = 30.0
"""Seconds after which a request counts as one that is never answered."""

CONFIG = "name: store\n"
LOGIN = CONFIG + "auth: {jwt: {secret: '${API_SECRET}'}, groups_claim: groups, lake_groups: [engineers]}\n"
HOOKS = """from cube import config

@config('query_rewrite')
def query_rewrite(query, ctx):
    return query
"""
MODEL = """
cubes:
  - name: orders
    sql: >
      SELECT * FROM gold.orders
      WHERE {FILTER_PARAMS.orders.status.filter('status')}
        AND {FILTER_PARAMS.orders.created_at.filter(lambda x, y: f"created_at >= {x}::timestamp AND created_at <= {y}::timestamp")}
        AND {SECURITY_CONTEXT.state.filter('status')}
    joins:
      - {name: customers, relationship: many_to_one, sql: "{CUBE}.customer_id = {customers.id}"}
      - {name: items, relationship: one_to_many, sql: "{CUBE}.id = {items}.order_id"}
    dimensions:
      - {name: id, type: number, sql: id, primary_key: true, public: true}
      - {name: status, type: string, sql: status}
      - {name: created_at, type: time, sql: created_at, granularities: [{name: fiscal, interval: 1 year, origin: "2025-04-06"}]}
      - {name: paid, type: boolean, sql: paid}
      - {name: amount, type: number, sql: "{CUBE}.amount"}
      - {name: secret, type: string, sql: status, public: false}
      - {name: asker, type: string, sql: "{SECURITY_CONTEXT.name.unsafe_value()}"}
    measures:
      - {name: count, type: count}
      - {name: total, type: sum, sql: "{amount}"}
      - {name: rolling, type: sum, sql: amount, rolling_window: {trailing: 2 month}}
      - {name: cumulative, type: count, rolling_window: {trailing: unbounded}}
      - {name: ytd, type: sum, sql: amount, rolling_window: {type: to_date, granularity: year}}
      - {name: month_ago, multi_stage: true, type: number, sql: "{total}", time_shift: [{interval: 1 month, type: prior}]}
      - {name: place, multi_stage: true, type: rank, order_by: [{sql: "{total}", dir: desc}], reduce_by: [status]}
    segments:
      - {name: large, sql: "{amount} >= 5"}
    pre_aggregations:
      - {name: by_status, measures: [count, total], dimensions: [status], time_dimension: created_at, granularity: day}
  - name: customers
    sql_table: gold.customers
    joins:
      - {name: regions, relationship: many_to_one, sql: "{CUBE}.region_id = {regions.id}"}
    dimensions:
      - {name: id, type: number, sql: id, primary_key: true}
      - {name: city, type: string, sql: city}
      - {name: spent, type: number, sql: "{orders.total}", sub_query: true}
    measures: [{name: count, type: count}]
    access_policy:
      - {group: "*", conditions: [{if: "{ security_context.suspended != true }"}]}
  - name: regions
    sql_table: gold.regions
    dimensions: [{name: id, type: number, sql: id, primary_key: true}, {name: name, type: string, sql: name}]
    measures: [{name: count, type: count}]
  - name: items
    sql_table: gold.items
    joins:
      - {name: products, relationship: many_to_one, sql: "{CUBE}.product_id = {products.id}"}
    dimensions: [{name: id, type: number, sql: id, primary_key: true}, {name: qty, type: number, sql: qty}]
    measures: [{name: count, type: count}, {name: quantity, type: sum, sql: "{CUBE}.qty"}]
  - name: products
    sql_table: gold.products
    dimensions: [{name: id, type: number, sql: id, primary_key: true}, {name: kind, type: string, sql: kind}]
    measures: [{name: count, type: count}]
  - name: tickets
    sql_table: gold.tickets
    joins:
      - {name: customers, relationship: many_to_one, sql: "{CUBE}.customer_id = {customers.id}"}
    dimensions:
      - {name: id, type: number, sql: id, primary_key: true}
      - {name: topic, type: string, sql: topic}
      - {name: opened_at, type: time, sql: opened_at}
    measures: [{name: count, type: count}]
    access_policy:
      - {group: support}
      - group: clerk
        member_level: {includes: [count, id]}
        row_level: {filters: [{member: topic, operator: equals, values: ["{ security_context.topic }"]}]}
views:
  - name: sales
    cubes:
      - {join_path: orders, includes: "*", excludes: [asker]}
      - {join_path: orders.customers, includes: "*", prefix: true}
"""


@dataclass
class Store:
    """A server over the store, and what it did."""

    client: TestClient
    root: Path
    lake: Lake
    watched: ThreadPoolExecutor
    statements: list[str] = field(default_factory=list)
    """The SQL of everything that the engine was asked to execute."""

    def send(self, method: str, path: str, **more: Any) -> Any:
        """The answer, which fails the test where there is none in time."""
        return self.watched.submit(self.client.request, method, path, **more).result(timeout=HANGS)

    def post(self, path: str, body: Any, **more: Any) -> Any:
        return self.send("POST", path, json=body, **more)

    def load(self, query: Any, *, headers: Any = None, **more: Any) -> Any:
        return self.post("/cubejs-api/v1/load", {"query": query, **more}, headers=headers)


def token(**claims: Any) -> str:
    return jwt.encode(claims | {"exp": int(time.time()) + 3600}, SECRET, "HS256")


@contextmanager
def opened(folder: Path, *, login: bool = False, hooks: bool = False, model: str = MODEL) -> Iterator[Store]:
    """A server of the store in a new folder."""
    root = folder / "project-folder"
    (root / "semantic").mkdir(parents=True)
    (root / "ingot.yml").write_text(LOGIN if login else CONFIG)
    (root / "semantic" / "model.yml").write_text(model)
    if hooks:
        (root / "cube.py").write_text(HOOKS)
    project = load(root, environ={"API_SECRET": SECRET} if login else {})
    with Lake.open(project) as lake, pytest.MonkeyPatch.context() as patch:
        _filled(lake)
        statements: list[str] = []
        _spied(patch, statements)
        app = create_app(project)
        with (
            TestClient(app, raise_server_exceptions=False, base_url="http://localhost") as client,
            ThreadPoolExecutor(8) as watched,
        ):
            yield Store(client, root, lake, watched, statements)


def _filled(lake: Lake) -> None:
    more = {
        "id": 4,
        "customer_id": 3,
        "status": MARK,
        "created_at": datetime(2026, 3, 1),
        "paid": False,
        "amount": 1,
    }
    with connect() as con:
        shop.fill(con, ROWS | {"orders": [*ROWS["orders"], more]})
        staged = [
            lake.stage(con, f"gold.{name}", f"SELECT * FROM gold.{name}", on="main") for name in shop.TABLES
        ]
        lake.commit("main", staged, message="the store")
    lake.branch("dev", "main")


def _spied(patch: pytest.MonkeyPatch, statements: list[str]) -> None:
    for name in ("query", "export"):
        true = getattr(DuckDBEngine, name)

        def spy(self: DuckDBEngine, sql: str, *arguments: Any, true: Any = true, **named: Any) -> Any:
            statements.append(sql)
            return true(self, sql, *arguments, **named)

        patch.setattr(DuckDBEngine, name, spy)
