"""Random questions to the storefront, against SQL of a tiny generator of its own over the gold tables.

Each measure is asked of DuckDB alone: over the rows of its table, each once in every group that it belongs to.
"""

import random
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple

import pytest

import ingot
from ingot.session import Session
from tests.conftest import Demo
from tests.semantic.audit.bench import number, shown


class Asked(NamedTuple):
    cube: str
    sql: str
    counts: bool = False


MEASURES = {
    "order_items.count": Asked("order_items", "count(*)", counts=True),
    "order_items.total_amount": Asked("order_items", "sum(line_total) FILTER (is_sale)"),
    "order_items.avg_quantity_per_item": Asked("order_items", "avg(quantity) FILTER (is_sale)"),
    "order_items.returned_items": Asked("order_items", "count(*) FILTER (is_returned)", counts=True),
    "order_items.margin": Asked(
        "order_items",
        "100.0 * sum(line_profit) FILTER (is_sale) / nullif(sum(line_total) FILTER (is_sale), 0)",
    ),
    "orders.count": Asked("orders", "count(*)", counts=True),
    "orders.total_revenue": Asked("orders", "sum(total_amount) FILTER (is_revenue)"),
    "orders.avg_order_value": Asked("orders", "avg(total_amount) FILTER (is_revenue)"),
    "orders.unique_customers": Asked("orders", "count(DISTINCT customer_id)", counts=True),
    "customers.count": Asked("customers", "count(*)", counts=True),
    "customers.avg_lead_score": Asked("customers", "avg(lead_score)"),
}
DIMENSIONS = [
    "orders.channel", "orders.order_status", "orders.is_gift", "orders.coupon_code", "customers.segment",
    "customers.country", "customers.loyalty_tier", "products.category", "products.brand", "order_items.is_returned",
]  # fmt: skip
KEYS = {"order_items": "item_id", "orders": "order_id", "customers": "customer_id"}
TABLES = {
    "order_items": "gold.fact_order_items",
    "orders": "gold.fact_orders",
    "customers": "(SELECT * FROM gold.dim_customers WHERE is_current)",
    "products": "(SELECT * FROM gold.dim_products WHERE is_current)",
}
FILTERS: list[tuple[dict[str, Any], str]] = [
    ({"member": "orders.channel", "operator": "equals", "values": ["web", "email"]}, "orders.channel IN ('web', 'email')"),
    ({"member": "orders.order_status", "operator": "notEquals", "values": ["completed"]},
     "(orders.order_status <> 'completed' OR orders.order_status IS NULL)"),
    ({"member": "orders.coupon_code", "operator": "notSet"}, "orders.coupon_code IS NULL"),
    ({"member": "orders.total_amount", "operator": "gt", "values": ["120.5"]}, "orders.total_amount > 120.5"),
    ({"member": "customers.country", "operator": "contains", "values": ["an"]}, "customers.country ILIKE '%an%'"),
    ({"member": "order_items.quantity", "operator": "gte", "values": ["2"]}, "order_items.quantity >= 2"),
    ({"member": "products.category", "operator": "startsWith", "values": ["s"]}, "products.category ILIKE 's%'"),
]  # fmt: skip
ZONES = ["UTC", "America/Los_Angeles", "Asia/Kolkata", "Australia/Lord_Howe"]
RANGES = [("2026-01-01", "2026-03-31"), ("2026-03-08", "2026-03-08"), ("2025-12-29", "2026-01-04")]


@pytest.fixture(scope="module")
def session(storefront: Demo) -> Iterator[Session]:
    with ingot.open(storefront.directory) as opened:
        yield opened


def joined(cube: str, needed: set[str]) -> str:
    """The tables from `cube` on, as far as `needed` asks; every row of `cube` stays."""
    text = f"FROM {TABLES[cube]} AS {cube}"
    items = " LEFT JOIN gold.fact_order_items AS order_items ON order_items.order_id = orders.order_id"
    orders = f" LEFT JOIN {TABLES['orders']} AS orders ON "
    customers = f" LEFT JOIN {TABLES['customers']} AS customers ON customers.customer_id = orders.customer_id"
    if cube == "order_items" and needed & {"orders", "customers"}:
        text += orders + "orders.order_id = order_items.order_id"
    if cube == "customers" and needed - {"customers"}:
        text += orders + "orders.customer_id = customers.customer_id"
    if cube != "order_items" and needed & {"order_items", "products"}:
        text += items
    if cube != "customers" and "customers" in needed:
        text += customers
    if "products" in needed:
        text += f" LEFT JOIN {TABLES['products']} AS products ON products.product_id = order_items.product_id"
    return text


def question(chance: random.Random) -> tuple[dict[str, Any], list[str], list[str]]:
    """A query, its groups and its conditions in SQL."""
    measures = chance.sample(sorted(MEASURES), chance.choice([1, 1, 2, 3]))
    dimensions = chance.sample(DIMENSIONS, chance.choice([0, 1, 1, 2]))
    zone = chance.choice(ZONES)
    query: dict[str, Any] = {
        "measures": measures, "dimensions": dimensions, "timezone": zone, "limit": 50_000, "filters": [],
    }  # fmt: skip
    groups, tests = list(dimensions), []
    local = f"(orders.order_date::TIMESTAMP AT TIME ZONE 'UTC' AT TIME ZONE '{zone}')"
    if chance.random() < 0.6:
        unit = chance.choice(["day", "week", "month", "quarter", "year"])
        time: dict[str, Any] = {"dimension": "orders.order_date", "granularity": unit}
        groups.append(f"date_trunc('{unit}', {local})::TIMESTAMP")
        if chance.random() < 0.6:
            first, last = chance.choice(RANGES)
            time["dateRange"] = [first, last]
            tests.append(f"{local} >= '{first}' AND {local} < TIMESTAMP '{last}' + INTERVAL 1 DAY")
        query["timeDimensions"] = [time]
    for _ in range(chance.choice([0, 0, 1, 2])):
        one, sql = chance.choice(FILTERS)
        query["filters"].append(one)
        tests.append(sql)
    if chance.random() < 0.3:
        some = chance.sample(FILTERS, 2)
        query["filters"].append({"or": [one for one, _ in some]})
        tests.append(f"({' OR '.join(sql for _, sql in some)})")
    return query, groups, tests


def expected(
    session: Session, query: dict[str, Any], groups: list[str], tests: list[str]
) -> dict[Any, list[Any]]:
    """The values of each group, measure by measure."""
    found: dict[Any, list[Any]] = {}
    blank = ["0" if MEASURES[name].counts else None for name in query["measures"]]
    for at, name in enumerate(query["measures"]):
        asked = MEASURES[name]
        words = " ".join((*groups, *tests))
        needed = {cube for cube in TABLES if f"{cube}." in words} | {asked.cube}
        where = f" WHERE {' AND '.join(tests)}" if tests else ""
        columns = "".join(f"{sql} AS g{n}, " for n, sql in enumerate(groups))
        names = "".join(f"k.g{n}, " for n in range(len(groups)))
        key = KEYS[asked.cube]
        end = f" GROUP BY {names.removesuffix(', ')}" if groups else ""
        sql = (
            f"SELECT {names}{asked.sql} FROM (SELECT DISTINCT {columns}{asked.cube}.{key} AS id "
            f"{joined(asked.cube, needed)}{where}) k JOIN {TABLES[asked.cube]} r ON r.{key} = k.id{end}"
        )
        for row in _tuples(session, sql):
            found.setdefault(row[:-1], list(blank))[at] = row[-1]
    return found


def _tuples(session: Session, sql: str) -> list[tuple[Any, ...]]:
    table = session.sql(sql).arrow()
    columns = [column.to_pylist() for column in table.columns]
    return [tuple(shown(value) for value in row) for row in zip(*columns, strict=True)]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_random_questions_have_the_numbers_of_plain_sql(session: Session, seed: int) -> None:
    chance = random.Random(seed)
    service = session._backend._service  # type: ignore[attr-defined]
    for _ in range(30):
        query, groups, tests = question(chance)
        keys = list(query["dimensions"])
        keys += [f"{one['dimension']}.{one['granularity']}" for one in query.get("timeDimensions", [])]
        answer = service.load(query)["data"]
        got = {
            tuple(row[key] for key in keys): [
                None if row[name] is None else number(Decimal(row[name])) for name in query["measures"]
            ]
            for row in answer
        }
        assert len(got) == len(answer)
        assert got == expected(session, query, groups, tests), query
