"""What the SQL port says of the model equals the REST API's answer and plain SQL over the CSV files."""

from decimal import Decimal
from itertools import product
from typing import Any

import psycopg
import pytest

from tests.pgwire.model.conftest import Con
from tests.pgwire.model.store import Store

FROM = "FROM orders o LEFT JOIN customers c ON c.id = o.customer_id"
DIMENSIONS: dict[str, tuple[str, dict[str, Any], str]] = {
    # name: SQL over the model, REST, SQL over the files
    "none": ("", {}, ""),
    "status": ("orders.status", {"dimensions": ["orders.status"]}, "o.status"),
    "paid": ("orders.paid", {"dimensions": ["orders.paid"]}, "o.paid"),
    "city": ("customers.city", {"dimensions": ["customers.city"]}, "c.city"),
    **{
        unit: (
            f"date_trunc('{unit}', orders.created_at)",
            {"timeDimensions": [{"dimension": "orders.created_at", "granularity": unit}]},
            f"date_trunc('{unit}', o.created_at)::TIMESTAMP",
        )
        for unit in ("year", "month", "week", "day")
    },
}
MEASURES = {
    "count": ("COUNT(orders.count)", "count(o.id)"),
    "total": ("SUM(orders.total)", "sum(o.amount)"),
    "mean": ("MEASURE(orders.mean)", "avg(o.amount)"),
    "most": ("MAX(orders.most)", "max(o.amount)"),
    "buyers": ("COUNT(DISTINCT orders.buyers)", "count(DISTINCT o.customer_id)"),
}
FILTERS: dict[str, tuple[str, list[dict[str, Any]], str]] = {
    "all": ("", [], ""),
    "done": (
        "WHERE orders.status = 'done'",
        [{"member": "orders.status", "operator": "equals", "values": ["done"]}],
        "WHERE o.status = 'done'",
    ),
    "dear": (
        "WHERE orders.amount > 40.5 AND orders.created_at >= '2026-01-01'",
        [
            {"member": "orders.amount", "operator": "gt", "values": ["40.5"]},
            {"member": "orders.created_at", "operator": "afterOrOnDate", "values": ["2026-01-01"]},
        ],
        "WHERE o.amount > 40.5 AND o.created_at >= '2026-01-01'",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("measure", MEASURES)
def test_a_measure_by_each_dimension_and_filter_is_the_same_everywhere(
    measure: str, shop: Store, con: Con
) -> None:
    for dimension, filter_ in product(DIMENSIONS, FILTERS):
        by, asked, raw_by = DIMENSIONS[dimension]
        where, filters, raw_where = FILTERS[filter_]
        sql, raw_sql = MEASURES[measure]
        source = "orders CROSS JOIN customers" if dimension == "city" else "orders"
        listed = f"{by} AS d, " if by else ""
        group = "GROUP BY 1 ORDER BY 1" if by else ""
        over_port = con.execute(f"SELECT {listed}{sql} AS m FROM {source} {where} {group}").fetchall()
        raw_listed = f"{raw_by} AS d, " if raw_by else ""
        plain = shop.raw(f"SELECT {raw_listed}{raw_sql} AS m {FROM} {raw_where} {group}")
        name = f"orders.{measure}"
        answer = shop.service.load({"measures": [name], "filters": filters, **asked})["data"]
        rest = [
            (*(_shown(value) for key, value in row.items() if _wanted(key, dimension, name)), row[name])
            for row in answer
        ]
        assert _same(over_port) == _same(plain), (dimension, filter_)
        assert _same(over_port) == _same(rest), (dimension, filter_)
        assert over_port


def _wanted(key: str, dimension: str, measure: str) -> bool:
    unit = dimension in ("year", "month", "week", "day")
    return key != measure and (key.endswith(f".{dimension}") if unit else True)


def _shown(value: Any) -> Any:
    return value.replace("T", " ").removesuffix(".000") if isinstance(value, str) else value


def _same(rows: list[tuple[Any, ...]]) -> list[tuple[str, ...]]:
    """Rows whatever their order and the form of their numbers."""
    found = []
    for row in rows:
        *by, number = row
        rounded = "" if number is None else f"{Decimal(str(number)):.4f}"
        found.append((*("" if one is None else str(one) for one in by), rounded))
    return sorted(found)


STATEMENTS = [
    ("SELECT status, COUNT(*) FROM sales GROUP BY 1 HAVING COUNT(*) > 3 ORDER BY 2 DESC, 1 LIMIT 2",
     "SELECT status, count(*) FROM orders GROUP BY 1 HAVING count(*) > 3 ORDER BY 2 DESC, 1 LIMIT 2"),
    ("SELECT id, amount FROM orders WHERE paid AND amount BETWEEN 1 AND 9 ORDER BY id LIMIT 20",
     "SELECT id, amount FROM orders WHERE paid AND amount BETWEEN 1 AND 9 ORDER BY id LIMIT 20"),
    ("SELECT DISTINCT upper(status) FROM orders WHERE status LIKE '%o%' ORDER BY 1",
     "SELECT DISTINCT upper(status) FROM orders WHERE status LIKE '%o%' ORDER BY 1"),
    ("WITH m AS (SELECT date_trunc('month', created_at) AS month, SUM(total) AS t FROM orders GROUP BY 1) SELECT MAX(t), COUNT(*) FROM m",
     "WITH m AS (SELECT date_trunc('month', created_at) AS month, sum(amount) AS t FROM orders GROUP BY 1) SELECT max(t), count(*) FROM m"),
    ("SELECT status, SUM(total), SUM(SUM(total)) OVER (ORDER BY status) FROM orders WHERE status <> '' GROUP BY 1 ORDER BY 1",
     "SELECT status, sum(amount), sum(sum(amount)) OVER (ORDER BY status) FROM orders WHERE status <> '' GROUP BY 1 ORDER BY 1"),
    ("SELECT COUNT(*) FROM orders WHERE large",
     "SELECT count(*) FROM orders WHERE amount >= 50"),
    ("SELECT c.city, COUNT(*) FROM orders AS o CROSS JOIN customers AS c GROUP BY 1 ORDER BY 1",
     "SELECT c.city, count(*) FROM orders o LEFT JOIN customers c ON c.id = o.customer_id GROUP BY 1 ORDER BY 1"),
    ("SELECT COUNT(*), COUNT(DISTINCT c.city), MAX(c.id) FROM orders AS o CROSS JOIN customers AS c WHERE c.city <> ''",
     "SELECT count(*), count(DISTINCT c.city), max(c.id) FROM orders o LEFT JOIN customers c ON c.id = o.customer_id WHERE c.city <> ''"),
    ("SELECT c.city FROM orders AS o CROSS JOIN customers AS c ORDER BY 1 LIMIT 700",
     "SELECT c.city FROM orders o LEFT JOIN customers c ON c.id = o.customer_id ORDER BY 1 LIMIT 700"),
    ('SELECT "city", SUM("total") FROM "shop"."public"."sales" AS s GROUP BY 1 ORDER BY 1',
     "SELECT c.city, sum(o.amount) FROM orders o LEFT JOIN customers c ON c.id = o.customer_id GROUP BY 1 ORDER BY 1"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "plain"), STATEMENTS)
def test_a_statement_over_the_model_equals_plain_sql_over_the_files(
    text: str, plain: str, shop: Store, con: Con
) -> None:
    assert con.execute(text).fetchall() == shop.raw(plain) != []
    client = psycopg.ClientCursor(con)
    assert client.execute(text).fetchall() == shop.raw(plain)
