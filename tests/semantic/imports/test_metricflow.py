"""dbt's semantic models as cubes, and the same numbers as SQL over the tables."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ingot import project
from ingot.engines.duckdb import connect
from ingot.errors import UsageError
from ingot.semantic import Service
from ingot.semantic.imports import files
from ingot.semantic.imports.metricflow import Found, convert
from tests.semantic import shop
from tests.semantic.lakes import ROWS, served

MODELS = """
semantic_models:
  - name: orders
    description: Orders, one row each.
    model: ref('orders')
    defaults: {agg_time_dimension: created_at}
    entities:
      - {name: order_id, type: primary, expr: id}
      - {name: customer, type: foreign, expr: customer_id}
    dimensions:
      - {name: status, type: categorical}
      - {name: created_at, type: time, type_params: {time_granularity: day}}
      - {name: large, type: categorical, expr: amount >= 7}
    measures:
      - {name: order_count, agg: count, expr: "1"}
      - {name: amount, agg: sum, label: Revenue}
      - {name: paid_orders, agg: sum_boolean, expr: paid}
      - {name: buyers, agg: count_distinct, expr: customer_id, create_metric: true}
      - {name: median_amount, agg: median, expr: amount, create_metric: true}
      - {name: p90, agg: percentile, expr: amount, agg_params: {percentile: 0.9, use_discrete_percentile: true}, create_metric: true}
  - name: customers
    model: "{{ ref('shop', 'customers') }}"
    entities: [{name: customer, type: primary, expr: id}]
    dimensions: [{name: city, type: categorical}]
    measures: [{name: customer_count, agg: count, expr: id}]
metrics:
  - {name: revenue, type: simple, label: Total revenue, type_params: {measure: amount}}
  - name: done_revenue
    type: simple
    type_params: {measure: {name: amount, filter: "{{ Dimension('order_id__status') }} = 'done'"}}
  - name: amount
    type: simple
    type_params: {measure: amount}
    filter: ["{{ Dimension('customer__city') }} = 'Rome'", "{{ TimeDimension('metric_time', 'month') }} < '2026-02-15'"]
  - name: share
    type: ratio
    type_params: {numerator: {name: revenue, filter: "{{ Dimension('order_id__status') }} = 'done'"}, denominator: revenue}
  - name: per_buyer
    type: derived
    type_params: {expr: "r / nullif(n, 0)", metrics: [{name: revenue, alias: r}, {name: people, alias: n}]}
  - {name: people, type: simple, type_params: {measure: buyers}}
  - {name: number_of_orders, type: simple, type_params: {measure: order_count}}
  - {name: paid, type: simple, type_params: {measure: paid_orders}}
  - {name: everybody, type: simple, type_params: {measure: customer_count}}
  - name: growth
    type: derived
    type_params: {expr: revenue - before, metrics: [revenue, {name: revenue, alias: before, offset_window: 1 month}]}
  - {name: week, type: cumulative, type_params: {measure: amount, window: 7 days}}
  - {name: to_date, type: cumulative, type_params: {measure: amount, cumulative_type_params: {grain_to_date: month}}}
  - {name: visits, type: conversion, type_params: {}}
"""
COLUMNS = {
    "id": "number",
    "amount": "number",
    "paid": "boolean",
    "created_at": "time",
    "customer_id": "number",
}


def find(model: str) -> Found:
    return Found(f"gold.{model}", COLUMNS)


def measures(made: Any, cube: str) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for each in made.cubes if each["name"] == cube for one in each["measures"]}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    root = tmp_path_factory.mktemp("imported")
    (root / "ingot.yml").write_text("name: imported\n")
    # What needs rolling windows and shifted times is looked at by its definition below.
    data = yaml.safe_load(MODELS)
    data["metrics"] = [
        one for one in data["metrics"] if one["name"] not in ("growth", "week", "to_date", "visits")
    ]
    made = files.imported({"models.yml": yaml.safe_dump(data)}, root / "semantic", find)
    assert made.notes == ()
    files.write(made.files, replace=False)
    with served(tmp_path_factory.mktemp("lake")) as shop_served:
        yield Service(project.load(root), shop_served.lake, shop_served.engine)


@pytest.mark.parametrize(
    ("metric", "sql"),
    [
        ("orders.number_of_orders", "SELECT count(*) FROM gold.orders"),
        ("orders.revenue", "SELECT sum(amount) FROM gold.orders"),
        ("orders.done_revenue", "SELECT sum(amount) FROM gold.orders WHERE status = 'done'"),
        (
            "orders.amount",
            """SELECT sum(amount) FROM gold.orders o JOIN gold.customers c ON c.id = o.customer_id
            WHERE city = 'Rome' AND date_trunc('month', created_at) < '2026-02-15'""",
        ),
        ("orders.paid", "SELECT count(*) FROM gold.orders WHERE paid"),
        ("orders.people", "SELECT count(DISTINCT customer_id) FROM gold.orders"),
        ("orders.median_amount", "SELECT median(amount) FROM gold.orders"),
        ("orders.p90", "SELECT quantile_disc(amount, 0.9) FROM gold.orders"),
        (
            "orders.share",
            "SELECT sum(amount) FILTER (status = 'done') / sum(amount)::DOUBLE FROM gold.orders",
        ),
        ("orders.per_buyer", "SELECT sum(amount) / count(DISTINCT customer_id) FROM gold.orders"),
        ("customers.everybody", "SELECT count(id) FROM gold.customers"),
    ],
)
def test_a_metric_is_what_sql_over_the_tables_says(service: Service, metric: str, sql: str) -> None:
    with connect() as con:
        shop.fill(con, ROWS)
        (expected,) = con.execute(sql).fetchone() or ()
    (row,) = service.load({"measures": [metric]})["data"]
    assert float(row[metric]) == pytest.approx(float(expected))


def test_an_entity_joins_the_models_that_share_it(service: Service) -> None:
    answer = service.load({"measures": ["orders.revenue"], "dimensions": ["customers.city"]})
    # Customer 1 lives in Rome and bought for 15, customer 2 in O'Hare for 7.
    assert {row["customers.city"]: row["orders.revenue"] for row in answer["data"]} == {
        "Rome": "15",
        "O'Hare": "7",
    }


def test_windows_and_offsets_become_rolling_windows_and_time_shifts() -> None:
    made = convert({"m.yml": MODELS}, find)
    found = measures(made, "orders")
    assert found["week"]["rolling_window"] == {"trailing": "7 day"}
    assert found["to_date"]["rolling_window"] == {"type": "to_date", "granularity": "month"}
    shifted = found["growth_part_2_shifted"]
    assert (shifted["sql"], shifted["time_shift"]) == (
        "{revenue}",
        [{"interval": "1 month", "type": "prior"}],
    )
    assert found["growth"]["sql"] == "{orders.revenue} - {orders.growth_part_2_shifted}"


def test_what_has_no_counterpart_is_a_note_and_never_silent() -> None:
    text = MODELS + "  - {name: lost, type: simple, type_params: {measure: nowhere}}\n"
    notes = "\n".join(convert({"m.yml": text}, find).notes)
    assert "metric visits: left out: metrics of type 'conversion' have no counterpart" in notes
    assert "metric lost: left out: there is no measure 'nowhere'" in notes


def test_titles_types_and_hidden_measures_come_along() -> None:
    made = convert({"m.yml": MODELS}, find)
    orders = next(one for one in made.cubes if one["name"] == "orders")
    kinds = {one["name"]: one["type"] for one in orders["dimensions"]}
    assert kinds == {
        "order_id": "number",
        "customer": "number",
        "status": "string",
        "created_at": "time",
        "large": "string",
    }
    found = measures(made, "orders")
    assert found["revenue"]["title"] == "Total revenue"
    assert found["order_count"]["public"] is False
    assert "public" not in found["buyers"]


def test_files_without_semantic_models_are_refused() -> None:
    with pytest.raises(UsageError, match="semantic_models"):
        convert({"schema.yml": "models: [{name: orders}]"}, find)
    with pytest.raises(UsageError, match=r"bad\.yml is not YAML"):
        convert({"bad.yml": "a: [1"}, find)


def test_nothing_is_written_where_a_file_is_there_already(tmp_path: Path) -> None:
    made = files.imported({"m.yml": MODELS}, tmp_path, find)
    (tmp_path / "cubes").mkdir()
    (tmp_path / "cubes" / "orders.yml").write_text("mine")
    with pytest.raises(UsageError, match=r"orders\.yml is there already"):
        files.write(made.files, replace=False)
    assert sorted(one.name for one in (tmp_path / "cubes").iterdir()) == ["orders.yml"]
    files.write(made.files, replace=True)
    assert (tmp_path / "cubes" / "orders.yml").read_text() != "mine"


def test_a_name_of_a_model_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    text = "semantic_models: [{name: ../../evil, model: ref('x')}]"
    made = files.imported({"m.yml": text}, tmp_path, find)
    assert [one.parent for one in made.files] == [tmp_path / "cubes"]
