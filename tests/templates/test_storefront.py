"""The storefront project: what its measures say, what its checks catch, and the history it keeps."""

import csv
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import UNTIL, Demo
from tests.templates.expected import REVENUE, opened

from ingot import pipeline
from ingot.engines.duckdb import DuckDBEngine
from ingot.lake import Lake
from ingot.project import Project, load
from ingot.semantic import Service
from ingot.templates import create, generate

pytestmark = pytest.mark.slow

SOLD = f"{REVENUE} AND NOT is_returned"
ITEMS = "order_items JOIN orders USING (order_id)"
MEASURES = {
    "customers.count": "count(*) FROM customers",
    "customers.active_customers": "count(*) FROM customers WHERE is_active",
    "customers.avg_lead_score": "avg(lead_score) FROM customers",
    "orders.count": "count(*) FROM orders",
    "orders.total_revenue": f"sum(total_amount) FROM orders WHERE {REVENUE}",
    "orders.avg_order_value": f"avg(total_amount) FROM orders WHERE {REVENUE}",
    "orders.completed_orders": "count(*) FROM orders WHERE order_status = 'completed'",
    "orders.cancelled_orders": "count(*) FROM orders WHERE order_status = 'cancelled'",
    "orders.total_discount": f"sum(discount_amount) FROM orders WHERE {REVENUE}",
    "orders.total_tax": f"sum(tax_amount) FROM orders WHERE {REVENUE}",
    "orders.unique_customers": "count(DISTINCT customer_id) FROM orders",
    "order_items.count": "count(*) FROM order_items",
    "order_items.total_quantity": f"sum(quantity) FROM {ITEMS} WHERE {SOLD}",
    "order_items.total_amount": f"sum(line_total) FROM {ITEMS} WHERE {SOLD}",
    "order_items.avg_quantity_per_item": f"avg(quantity) FROM {ITEMS} WHERE {SOLD}",
    "order_items.total_cost": f"sum(quantity * unit_cost) FROM {ITEMS} WHERE {SOLD}",
    "order_items.gross_profit": f"sum(line_total - quantity * unit_cost) FROM {ITEMS} WHERE {SOLD}",
    "products.count": "count(*) FROM products",
    "products.total_inventory_value": "sum(inventory_quantity * cost) FROM products",
    "products.avg_price": "avg(price) FROM products",
    "products.products_below_reorder": "count(*) FROM products WHERE is_active AND inventory_quantity < reorder_level",
    "products.total_inventory": "sum(inventory_quantity) FROM products",
    "products.avg_rating": "avg(rating) FROM products",
}

Load = Callable[[dict[str, Any]], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def shop_project(storefront: Demo) -> Project:
    return load(storefront.directory)


@pytest.fixture(scope="module")
def ask(shop_project: Project) -> Iterator[Load]:
    with Lake.open(shop_project) as lake:
        engine = DuckDBEngine(lake)
        service = Service(shop_project, lake, engine)
        yield lambda query: service.load(query)["data"]
        engine.close()


@pytest.mark.parametrize("measure", MEASURES)
def test_each_measure_says_what_sql_over_the_raw_files_says(
    ask: Load, storefront: Demo, measure: str
) -> None:
    with opened(storefront.data) as con:
        [(wanted,)] = con.execute(f"SELECT {MEASURES[measure]}").fetchall()
    [row] = ask({"measures": [measure]})
    assert float(row[measure]) == pytest.approx(float(wanted), rel=1e-12)
    assert wanted > 0


def test_measures_of_two_cubes_in_one_question_are_not_multiplied(ask: Load, storefront: Demo) -> None:
    query = {
        "measures": [
            "sales.orders_total_revenue",
            "sales.order_items_total_amount",
            "sales.customers_count",
            "sales.products_total_inventory",
        ],
        "dimensions": ["sales.customers_segment"],
    }
    with opened(storefront.data) as con:
        money = con.execute(
            f"SELECT segment, sum(total_amount), sum(items), count(DISTINCT customer_id) FROM ("
            f"  SELECT segment, customer_id, CASE WHEN {REVENUE} THEN total_amount END AS total_amount, "
            f"    (SELECT sum(line_total) FROM order_items i WHERE i.order_id = o.order_id "
            f"     AND {REVENUE} AND NOT is_returned) AS items "
            "  FROM orders o JOIN customers USING (customer_id)) GROUP BY 1"
        ).fetchall()
        stock = con.execute(
            "SELECT segment, sum(inventory_quantity) FROM (SELECT DISTINCT segment, product_id, inventory_quantity "
            "FROM order_items JOIN orders USING (order_id) JOIN customers USING (customer_id) "
            "JOIN products USING (product_id)) GROUP BY 1"
        ).fetchall()
    held = dict(stock)
    found = {row["sales.customers_segment"]: row for row in ask(query)}
    assert len(found) == len(money) == 3
    for segment, revenue, items, customers in money:
        row = found[segment]
        assert float(row["sales.orders_total_revenue"]) == pytest.approx(float(revenue), rel=1e-12)
        assert float(row["sales.order_items_total_amount"]) == pytest.approx(float(items), rel=1e-12)
        assert int(row["sales.customers_count"]) == customers
        assert int(row["sales.products_total_inventory"]) == held[segment]


def test_every_dimension_of_every_cube_and_view_can_be_asked(ask: Load, shop_project: Project) -> None:
    asked = 0
    for cube in shop_project.cubes:
        for dimension in cube.dimensions:
            if dimension.public:
                assert ask({"dimensions": [f"{cube.name}.{dimension.name}"], "limit": 1}), dimension.name
                asked += 1
    assert asked >= 30 + 32 + 11 + 20
    for name in (
        "sales.customers_segment",
        "customer_360.lifetime_value_churn_risk",
        "inventory_management.products_sku",
    ):
        assert ask({"dimensions": [name]})


def test_the_cubes_have_every_column_of_the_files(shop_project: Project, storefront: Demo) -> None:
    for name in ("customers", "orders", "order_items", "products"):
        with (storefront.data / f"{name}.csv").open(newline="") as file:
            columns = set(next(csv.reader(file)))
        [cube] = [cube for cube in shop_project.cubes if cube.name == name]
        assert columns <= {dimension.name for dimension in cube.dimensions}, name


def test_every_measure_says_in_one_sentence_what_it_counts(shop_project: Project) -> None:
    for cube in shop_project.cubes:
        for measure in cube.measures:
            text = measure.description or ""
            assert re.fullmatch(r"[A-Z].{15,}\.", text), f"{cube.name}.{measure.name}"
            assert ". " not in text, f"{cube.name}.{measure.name}"


def test_every_tile_of_every_page_has_something_to_show(ask: Load, shop_project: Project) -> None:
    tiles = 0
    for page in shop_project.dashboards:
        for tile in page.tiles:
            query: dict[str, Any] = {
                "measures": list(tile.measures),
                "dimensions": list(tile.dimensions),
                "segments": list(tile.segments),
            }
            if tile.time:
                query["timeDimensions"] = [
                    {
                        "dimension": tile.time,
                        "dateRange": ["2025-11-01", "2026-10-31"],
                        "granularity": "month",
                    }
                ]
            rows = ask(query)
            assert rows, f"{page.name}: {tile.title}"
            assert not tile.measures or any(
                row[measure] is not None for row in rows for measure in tile.measures
            )
            tiles += 1
    assert tiles >= 20


def test_order_items_are_partitioned_by_the_month_of_the_order(shop_project: Project) -> None:
    with Lake.open(shop_project) as lake:
        table = lake.at("main").table("gold.fact_order_items")
        metadata = json.loads(Path(table.metadata_location.removeprefix("file://")).read_text())
    [spec] = [spec for spec in metadata["partition-specs"] if spec["spec-id"] == metadata["default-spec-id"]]
    assert [field["transform"] for field in spec["fields"]] == ["month"]


def rewrite(file: Path, change: Callable[[list[dict[str, str]]], None]) -> None:
    """Change the rows of a CSV file in place."""
    with file.open(newline="") as source:
        rows = list(csv.DictReader(source))
    names = list(rows[0])
    change(rows)
    with file.open("w", newline="") as target:
        writer = csv.DictWriter(target, names)
        writer.writeheader()
        writer.writerows(rows)


def query_sql(project: Project, sql: str) -> list[tuple[Any, ...]]:
    with Lake.open(project) as lake:
        engine = DuckDBEngine(lake)
        try:
            return list(engine.query(sql, at=lake.at("main")).rows)
        finally:
            engine.close()


@pytest.mark.slow
def test_a_changed_customer_keeps_the_old_version_for_old_orders(tmp_path: Path) -> None:
    create("storefront", tmp_path)
    data = tmp_path / "data"
    generate(data, until=UNTIL)
    project = load(tmp_path)
    assert pipeline.run(project).status.value == "merged"
    later = datetime.now(UTC) + timedelta(days=1)
    copied: dict[str, str] = {}

    def move_up(rows: list[dict[str, str]]) -> None:
        [row] = [row for row in rows if row["customer_id"] == copied["customer_id"]]
        copied["was"] = row["segment"]
        row["segment"] = "Enterprise" if row["segment"] != "Enterprise" else "Consumer"
        copied["is"] = row["segment"]

    def order_again(rows: list[dict[str, str]]) -> None:
        old = next(row for row in rows if row["order_status"] == "completed")
        copied.update(customer_id=old["customer_id"], order_id=old["order_id"])
        nothing = dict.fromkeys(("paid_at", "shipped_at", "delivered_at", "tracking_number"), "")
        rows.append(
            old
            | nothing
            | {
                "order_id": "999999",
                "order_number": "ORD-NEW",
                "order_date": f"{later:%Y-%m-%d %H:%M:%S}",
                "order_status": "processing",
                "payment_status": "pending",
                "is_first_order": "false",
            }
        )

    def items_again(rows: list[dict[str, str]]) -> None:
        first = max(int(row["item_id"]) for row in rows) + 1
        again = [row for row in rows if row["order_id"] == copied["order_id"]]
        rows += [
            row | {"item_id": str(first + n), "order_id": "999999", "is_returned": "false"}
            for n, row in enumerate(again)
        ]

    rewrite(data / "orders.csv", order_again)
    rewrite(data / "order_items.csv", items_again)
    rewrite(data / "customers.csv", move_up)
    before = query_sql(project, "SELECT count(*) FROM gold.dim_customers")[0][0]
    result = pipeline.run(project)
    assert result.status.value == "merged", [step for step in result.steps if step.error]

    customer = copied["customer_id"]
    versions = query_sql(
        project,
        "SELECT segment, is_current, effective_date, expiry_date FROM gold.dim_customers "
        f"WHERE customer_id = {customer} ORDER BY effective_date",
    )
    assert [(segment, current) for segment, current, _, _ in versions] == [
        (copied["was"], False),
        (copied["is"], True),
    ]
    assert versions[0][2].year == 1900
    assert versions[0][3] == versions[1][2]
    assert versions[1][3].year == 9999
    assert query_sql(project, "SELECT count(*) FROM gold.dim_customers")[0][0] == before + 1
    assert query_sql(project, "SELECT count(*) FROM gold.dim_products WHERE NOT is_current") == [(0,)]

    segments = dict(
        query_sql(
            project,
            "SELECT order_id, segment FROM gold.fact_orders JOIN gold.dim_customers USING (customer_key) "
            f"WHERE order_id IN (999999, {copied['order_id']})",
        )
    )
    assert segments == {int(copied["order_id"]): copied["was"], 999_999: copied["is"]}


@pytest.mark.slow
def test_broken_data_is_caught_and_never_published(own_storefront: Demo) -> None:
    def break_products(rows: list[dict[str, str]]) -> None:
        rows[0]["price"] = "-1.00"

    def break_orders(rows: list[dict[str, str]]) -> None:
        rows[0]["total_amount"] = "0.01"
        rows[1]["order_status"] = "lost"
        rows[2]["customer_id"] = "987654321"
        rows[3]["order_id"] = rows[4]["order_id"]

    def break_items(rows: list[dict[str, str]]) -> None:
        rows[0]["quantity"] = "0"

    rewrite(own_storefront.data / "products.csv", break_products)
    rewrite(own_storefront.data / "orders.csv", break_orders)
    rewrite(own_storefront.data / "order_items.csv", break_items)
    project = load(own_storefront.directory)
    result = pipeline.run(project)

    assert result.status.value == "blocked"
    failed = {step.name for step in result.steps if step.status.value == "failed" and step.kind == "test"}
    for wanted in (
        "stg_products_price_and_cost_are_sane",
        "stg_orders_amounts_add_up",
        "relationships_stg_orders_order_status",
        "relationships_stg_orders_customer_id",
        "unique_stg_orders_order_id",
        "stg_order_items_line_total_adds_up",
    ):
        assert any(name.startswith(wanted) for name in failed), (wanted, failed)
    with Lake.open(project) as lake:
        assert lake.at("main").hash == own_storefront.run["commit"]
