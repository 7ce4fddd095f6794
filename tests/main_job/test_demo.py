"""The main job from CSV files to answers: every number is compared with plain SQL over the raw files."""

import csv
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from starlette.testclient import TestClient

from ingot import pipeline
from ingot.api import create_app
from ingot.project import load
from ingot.transform.dbt import DbtTransform
from tests.conftest import Demo, Ingot
from tests.templates import expected


@pytest.fixture(scope="module")
def client(storefront: Demo) -> Iterator[TestClient]:
    with TestClient(create_app(load(storefront.directory))) as client:
        yield client


def rows_of(path: Path) -> int:
    """Records of a CSV file, counted by Python's own reader."""
    with path.open(encoding="utf-8", newline="") as file:
        return sum(1 for _ in csv.reader(file)) - 1


def ask(client: TestClient, query: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    answer = client.post("/cubejs-api/v1/load", json={"query": query, **more})
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()["data"]
    return rows


def test_the_run_object_has_the_fields_of_the_design(storefront: Demo) -> None:
    run = storefront.run
    assert run["status"] == "merged"
    assert run["branch"] == f"run/{run['run']}"
    assert len(run["commit"]) == 64
    assert {"name", "kind", "status", "rows", "bytes", "seconds", "error"} == set(run["steps"][0])
    assert {step["kind"] for step in run["steps"]} >= {"source", "model", "test", "snapshot", "merge"}
    assert not [step for step in run["steps"] if step["status"] != "ok"]


def test_every_row_of_every_file_is_loaded(storefront: Demo) -> None:
    loaded = {s["name"]: s["rows"] for s in storefront.run["steps"] if s["kind"] == "source"}
    assert loaded == {f"raw.{path.stem}": rows_of(path) for path in storefront.data.glob("*.csv")}


def test_total_revenue_equals_sql_over_the_raw_files(client: TestClient, storefront: Demo) -> None:
    [row] = ask(client, {"measures": ["orders.total_revenue"]})
    assert Decimal(row["orders.total_revenue"]) == expected.revenue_total(storefront.data)


def test_revenue_by_month_equals_sql_over_the_raw_files(client: TestClient, storefront: Demo) -> None:
    rows = ask(
        client,
        {
            "measures": ["orders.total_revenue"],
            "timeDimensions": [{"dimension": "orders.order_date", "granularity": "month"}],
        },
    )
    months = {row["orders.order_date.month"][:7]: Decimal(row["orders.total_revenue"] or 0) for row in rows}
    assert months == expected.revenue_by_month(storefront.data)


def test_revenue_by_segment_equals_sql_over_the_raw_files(client: TestClient, storefront: Demo) -> None:
    rows = ask(
        client, {"measures": ["sales.orders_total_revenue"], "dimensions": ["sales.customers_segment"]}
    )
    found = {row["sales.customers_segment"]: Decimal(row["sales.orders_total_revenue"]) for row in rows}
    assert found == expected.revenue_by_segment(storefront.data)


def test_a_tag_of_the_run_answers_like_main(client: TestClient, storefront: Demo) -> None:
    query = {"measures": ["orders.total_revenue", "orders.count"]}
    assert ask(client, query, ref=storefront.run["branch"]) == ask(client, query)


def test_a_second_run_does_no_work_and_does_not_start_dbt(
    storefront: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object, **_options: object) -> None:
        raise AssertionError("dbt was started")

    monkeypatch.setattr(DbtTransform, "start", refuse)
    monkeypatch.setattr(DbtTransform, "build", refuse)
    result = pipeline.run(load(storefront.directory))
    assert (result.status.value, result.steps, result.commit) == (
        "unchanged",
        (),
        storefront.run["commit"],
    )


def test_the_command_line_asks_sql_and_metrics(ingot: Ingot, storefront: Demo) -> None:
    sql = ingot(
        "query", "select count(*) as n from gold.fact_orders", "--format", "csv", cwd=storefront.directory
    )
    assert sql.stdout == f"n\n{rows_of(storefront.data / 'orders.csv')}\n", sql.stderr
    metric = ingot("query", '{"measures": ["orders.total_revenue"]}', "--json", cwd=storefront.directory)
    [row] = json.loads(metric.stdout)
    assert Decimal(row["orders.total_revenue"]) == expected.revenue_total(storefront.data)


def test_parquet_out_holds_the_rows_of_the_query(ingot: Ingot, storefront: Demo, tmp_path: Path) -> None:
    out = tmp_path / "orders.parquet"
    done = ingot("query", "from gold.fact_orders", "-f", "parquet", "-o", str(out), cwd=storefront.directory)
    assert done.returncode == 0, done.stderr
    with duckdb.connect() as con:
        [(count,)] = con.execute("select count(*) from read_parquet(?)", [str(out)]).fetchall()
    assert count == rows_of(storefront.data / "orders.csv")
