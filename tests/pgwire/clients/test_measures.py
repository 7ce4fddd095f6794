"""Measures over the storefront's joins, also beside tables: PostgreSQL joins the same rows, and counts each of them once.

`M(o.total_revenue)` and `M(o.count | o.is_gift |)` stand for a measure, the second of the rows that pass. PostgreSQL has
the value of each row, and aggregates those of different keys.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from tests.pgwire.clients.sides import Sides

pytestmark = pytest.mark.slow
Con = psycopg.Connection[tuple[Any, ...]]
CUBES = {"o": "order_id", "c": "customer_id", "i": "item_id", "p": "product_id", "g": "campaign_id"}
"""Aliases, which are the same in all statements, and the keys of their cubes."""
AVERAGES = frozenset({"avg_order_value", "avg_lead_score", "avg_price", "avg_quantity_per_item"})
COUNTS = frozenset({"count", "completed_orders", "cancelled_orders", "active_customers", "returned_items"})
TABLES = {"gold.dim_customers": "customers", "gold.dim_products": "products", "gold.fact_order_items": "order_items", "gold.fact_orders": "orders"}  # fmt: skip
STATEMENTS = """
SELECT c.country, M(o.total_revenue), M(c.count) FROM customers c LEFT JOIN orders o ON o.customer_id = c.customer_id GROUP BY 1
SELECT c.country, M(o.total_revenue), M(c.avg_lead_score), count(*) FROM orders o RIGHT JOIN customers c ON o.customer_id = c.customer_id GROUP BY 1
SELECT p.category, M(i.gross_profit), M(o.avg_order_value), M(c.count), M(p.avg_price) FROM order_items i JOIN orders o ON i.order_id = o.order_id JOIN customers c ON c.customer_id = o.customer_id JOIN products p ON p.product_id = i.product_id GROUP BY 1
SELECT p.category, M(i.gross_profit), M(o.avg_order_value), M(o.cancelled_orders) FROM products p LEFT JOIN order_items i ON p.product_id = i.product_id LEFT JOIN orders o ON i.order_id = o.order_id GROUP BY 1
SELECT g.channel, o.channel, M(o.total_revenue), M(g.total_budget) FROM orders o FULL JOIN campaigns g ON o.campaign_id = g.campaign_id AND g.budget > 10000 GROUP BY 1, 2
SELECT campaign_id, M(o.count), M(g.count) FROM orders o FULL JOIN campaigns g USING (campaign_id) GROUP BY campaign_id
SELECT M(o.count), M(g.count) FROM orders o LEFT JOIN campaigns g ON o.campaign_id IS NOT DISTINCT FROM g.campaign_id
SELECT count(*), M(o.count), M(c.count), M(g.count) FROM orders o FULL JOIN customers c ON o.customer_id = c.customer_id FULL JOIN campaigns g ON g.campaign_id = o.campaign_id
SELECT count(*), M(o.count), M(c.count), M(g.count) FROM campaigns g LEFT JOIN (orders o JOIN customers c ON o.customer_id = c.customer_id AND c.country = 'CA') ON g.campaign_id = o.campaign_id
SELECT o.channel, M(o.count), M(i.count), M(p.count), M(c.avg_lead_score), M(g.total_budget), sum(i.quantity), avg(o.total_amount), count(*) FROM orders o JOIN order_items i ON i.order_id = o.order_id JOIN products p ON p.product_id = i.product_id JOIN customers c ON c.customer_id = o.customer_id JOIN campaigns g ON g.campaign_id = o.campaign_id GROUP BY 1
SELECT M(o.count), M(c.count), M(o.total_revenue), count(*), sum(c.lead_score) FROM orders o JOIN customers c ON c.customer_id = o.customer_id AND c.country = 'ZZ'
SELECT c.country, M(o.count) FROM customers c LEFT JOIN orders o ON c.customer_id = o.customer_id AND false GROUP BY 1
SELECT M(o.count), M(c.count), count(*) FROM orders o JOIN customers c ON o.customer_id = c.customer_id OR c.customer_id = 1
SELECT M(o.count), M(c.count), count(*) FROM orders o LEFT JOIN customers c ON o.customer_id = c.customer_id AND o.total_amount > c.lead_score * 10
SELECT c.country, o.ship_country, M(o.count), M(c.count) FROM customers c FULL JOIN orders o ON o.customer_id = c.customer_id AND o.ship_country = c.country GROUP BY 1, 2
SELECT c.country, o.channel, M(c.avg_lead_score), M(o.count) FROM orders o RIGHT JOIN customers c ON c.customer_id = o.customer_id GROUP BY GROUPING SETS ((1), (2), ())
SELECT c.country, o.channel, M(o.count | o.is_gift |), M(c.count | NOT o.is_gift |) FROM customers c LEFT JOIN orders o USING (customer_id) GROUP BY ROLLUP (c.country, o.channel)
SELECT o.channel, M(o.count | o.order_status IN ('completed', NULL) |), M(o.count | o.order_status NOT IN ('completed', NULL) |), M(o.total_revenue | NULL |) FROM orders o GROUP BY 1
SELECT p.category, M(o.total_revenue | i.quantity > 2 |), M(i.total_amount | o.is_gift |), M(c.count | o.is_gift AND i.quantity > 1 |) FROM products p LEFT JOIN order_items i ON i.product_id = p.product_id LEFT JOIN orders o ON o.order_id = i.order_id LEFT JOIN customers c ON c.customer_id = o.customer_id GROUP BY 1
SELECT c.loyalty_tier, M(c.count | o.order_id IS NULL |), M(c.count), count(*) FILTER (WHERE o.order_id IS NULL) FROM customers c LEFT JOIN orders o USING (customer_id) GROUP BY 1
SELECT o.channel, M(o.count | o.customer_id IN (SELECT customer_id FROM customers WHERE country = 'CA') |) FROM orders o GROUP BY 1
SELECT c.country, o.order_status, M(o.total_revenue), rank() OVER (PARTITION BY c.country ORDER BY M(o.total_revenue) DESC NULLS LAST) FROM orders o JOIN customers c ON c.customer_id = o.customer_id GROUP BY 1, 2
SELECT DISTINCT ON (c.country) c.country, o.order_status, M(o.count) FROM orders o JOIN customers c ON c.customer_id = o.customer_id GROUP BY 1, 2 ORDER BY c.country, M(o.count) DESC
SELECT c.country, M(c.count), sum(x.n), avg(x.n) FROM customers c LEFT JOIN (SELECT customer_id, count(*) AS n FROM orders GROUP BY 1) x ON x.customer_id = c.customer_id GROUP BY 1
SELECT c.country, M(c.count), M(o.count) FROM customers c JOIN orders o USING (customer_id) WHERE NOT EXISTS (SELECT 1 FROM order_items i WHERE i.order_id = o.order_id AND i.is_returned) GROUP BY 1
SELECT c.country, M(c.count), M(o.count) FROM customers c JOIN orders o USING (customer_id) WHERE o.total_amount > (SELECT avg(x.total_amount) FROM orders x WHERE x.customer_id = c.customer_id) GROUP BY 1
SELECT k.n, M(o.count), M(c.count) FROM (VALUES (1, 'a'), (1, 'b'), (2, NULL)) k (r, n) JOIN customers c ON c.customer_id % 3 = k.r LEFT JOIN orders o ON o.customer_id = c.customer_id GROUP BY 1
SELECT d.country, M(o.total_revenue), M(o.count), count(*) FROM orders o RIGHT JOIN gold.dim_customers d ON d.customer_id = o.customer_id AND o.total_amount > 300 GROUP BY 1
SELECT d.product_id % 7, M(o.count), M(o.total_revenue), count(*) FROM orders o FULL JOIN gold.fact_order_items d ON d.order_id = o.order_id AND o.channel = 'web' AND d.quantity = 2 GROUP BY 1
SELECT d.channel, M(c.count | d.is_gift |), M(c.active_customers), count(*) FILTER (WHERE c.is_active) FROM gold.fact_orders d FULL JOIN customers c ON c.customer_id = d.customer_id GROUP BY ROLLUP (1)
SELECT d.country, M(o.total_revenue) FROM gold.dim_customers d JOIN orders o ON d.customer_id = o.customer_id WHERE d.lead_score > 50 GROUP BY d.country HAVING sum(d.lead_score) > 100
SELECT M(o.count), M(o.total_revenue) FROM orders o WHERE o.customer_id NOT IN (SELECT customer_id FROM gold.dim_customers WHERE country = 'US')
WITH big AS (SELECT o.customer_id, M(o.count) AS n FROM orders o GROUP BY 1 HAVING M(o.count) > 20) SELECT c.country, M(c.count), sum(b.n) FROM big b LEFT JOIN customers c ON c.customer_id = b.customer_id GROUP BY 1
""".strip().splitlines()
_MEASURE = re.compile(r"M\((\w)\.(\w+)(?:\s*\|\s*([^|]*?)\s*\|)?\)")


@pytest.fixture(scope="module")
def ours(sides: Sides) -> Iterator[Con]:
    with psycopg.connect(sides.ours.uri(), autocommit=True) as con:
        yield con


@pytest.fixture(scope="module")
def judge(sides: Sides) -> Iterator[Con]:
    """With what aggregates the values of different keys, for this session alone."""
    with psycopg.connect(sides.judge.uri().replace("reader@", "ingot@"), autocommit=True) as con:
        con.execute("CREATE TYPE pg_temp.keyed AS (key bigint, value numeric)")
        for name in ("sum", "avg"):
            con.execute(
                f"CREATE FUNCTION pg_temp.{name}_of(pg_temp.keyed[]) RETURNS numeric LANGUAGE sql "
                f"AS 'SELECT {name}(value) FROM unnest($1)'".encode()
            )
        yield con


def by_key(found: re.Match[str]) -> str:
    """A measure as PostgreSQL computes it."""
    alias, name, test = found.groups()
    key, value = f"{alias}.{CUBES[alias]}", f"{alias}.{name}"
    passes = f"{key} IS NOT NULL AND {value} IS NOT NULL AND ({test or 'true'})"
    if name in COUNTS:
        return f"count(DISTINCT {key}) FILTER (WHERE {passes})"
    how = "avg" if name in AVERAGES else "sum"
    return f"pg_temp.{how}_of(array_agg(DISTINCT ROW({key}, {value})::pg_temp.keyed) FILTER (WHERE {passes}))"


def by_name(found: re.Match[str]) -> str:
    alias, name, test = found.groups()
    return f"MEASURE({alias}.{name})" + (f" FILTER (WHERE {test})" if test else "")


def rows(con: Con, text: str) -> list[tuple[Any, ...]]:
    found = [tuple(map(_near, row)) for row in con.execute(text.encode()).fetchall()]
    return sorted(found, key=lambda row: tuple((one is not None, str(one)) for one in row))


def _near(value: Any) -> Any:
    """Numbers of either side, as far as double precision goes."""
    return float(f"{value:.10g}") if isinstance(value, int | float | Decimal) and value is not True else value


@pytest.mark.parametrize("text", STATEMENTS)
def test_a_row_counts_once_in_each_group_whatever_it_is_joined_with(ours: Con, judge: Con, text: str) -> None:
    plain = _MEASURE.sub(by_key, text)
    for table, same in TABLES.items():
        plain = plain.replace(table, same)
    expected = rows(judge, plain)
    assert expected
    assert rows(ours, _MEASURE.sub(by_name, text)) == expected
