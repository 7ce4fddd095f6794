"""`MEASURE(x) FILTER (WHERE …)` beside plain SQL over the raw tables."""

from collections.abc import Iterator

import duckdb
import pytest

from ingot.engines.duckdb import connect
from ingot.semantic.sql.errors import SqlError
from tests.semantic import shop
from tests.semantic.lakes import ROWS, Served
from tests.semantic.sql.test_forms import JOINED, plain

FORMS: list[tuple[str, str]] = [
    ("SELECT SUM(total) FILTER (WHERE status = 'done') FROM orders", "SELECT sum(amount) FILTER (WHERE status = 'done') FROM gold.orders"),
    ("SELECT MEASURE(total) FILTER (WHERE amount > 100), MEASURE(count) FILTER (WHERE amount > 100) FROM orders", "SELECT NULL, 0"),
    ("SELECT status, MEASURE(count) FILTER (WHERE amount > 6), MEASURE(total) FILTER (WHERE amount > 6) FROM orders GROUP BY 1",
     "SELECT status, count(*) FILTER (WHERE amount > 6), sum(amount) FILTER (WHERE amount > 6) FROM gold.orders GROUP BY 1"),
    ("SELECT status, SUM(total), SUM(total) FILTER (WHERE amount > 6), AVG(mean) FILTER (WHERE paid), COUNT(DISTINCT buyers) FILTER (WHERE amount < 10) FROM orders GROUP BY 1",
     "SELECT status, sum(amount), sum(amount) FILTER (WHERE amount > 6), avg(amount) FILTER (WHERE paid), count(DISTINCT customer_id) FILTER (WHERE amount < 10) FROM gold.orders GROUP BY 1"),
    ("SELECT status, MAX(amount), SUM(total) FILTER (WHERE paid), COUNT(*) FILTER (WHERE amount > 6) FROM orders GROUP BY 1",
     "SELECT status, max(amount), sum(amount) FILTER (WHERE paid), count(*) FILTER (WHERE amount > 6) FROM gold.orders GROUP BY 1"),
    ("SELECT status, MAX(amount), SUM(total) FROM orders WHERE amount > 5 GROUP BY 1 HAVING SUM(total) FILTER (WHERE amount < 9) IS NULL OR MAX(amount) > 9",
     "SELECT status, max(amount), sum(amount) FROM gold.orders WHERE amount > 5 GROUP BY 1 HAVING sum(amount) FILTER (WHERE amount < 9) IS NULL OR max(amount) > 9"),
    ("SELECT 100.0 * SUM(total) FILTER (WHERE status = 'done') / SUM(total) AS share FROM orders", "SELECT 100.0 * sum(amount) FILTER (WHERE status = 'done') / sum(amount) FROM gold.orders"),
    ("SELECT date_trunc('month', created_at) AS m, SUM(total) FILTER (WHERE upper(status) = 'DONE' AND amount > id), SUM(total) FILTER (WHERE large) FROM orders GROUP BY 1",
     "SELECT date_trunc('month', created_at), sum(amount) FILTER (WHERE upper(status) = 'DONE' AND amount > id), sum(amount) FILTER (WHERE amount >= 5) FROM gold.orders GROUP BY 1"),
    ("SELECT status, SUM(total) FILTER (WHERE amount > 6) FROM orders GROUP BY ROLLUP (status)", "SELECT status, sum(amount) FILTER (WHERE amount > 6) FROM gold.orders GROUP BY ROLLUP (status)"),
    ("SELECT c.city, SUM(o.total) FILTER (WHERE c.size = 'big'), MEASURE(o.count) FILTER (WHERE o.amount > 6) FROM orders o CROSS JOIN customers c GROUP BY 1",
     f"SELECT c.city, sum(o.amount) FILTER (WHERE c.id = 1), count(*) FILTER (WHERE o.amount > 6) FROM {JOINED} GROUP BY 1"),
    ("SELECT customers_city, MEASURE(quantity) FILTER (WHERE status = 'done'), MEASURE(total) FROM sales GROUP BY 1",
     f"SELECT city, sum(q) FILTER (WHERE status = 'done'), sum(amount) FROM (SELECT c.city, o.status, o.amount, (SELECT sum(qty) FROM gold.items i WHERE i.order_id = o.id) q FROM {JOINED}) GROUP BY 1"),
    ("SELECT s, SUM(t) FILTER (WHERE a > 6) FROM (SELECT status AS s, total AS t, amount AS a FROM orders) x GROUP BY 1", "SELECT status, sum(amount) FILTER (WHERE amount > 6) FROM gold.orders GROUP BY 1"),
]  # fmt: skip


@pytest.fixture(scope="module")
def raw() -> Iterator[duckdb.DuckDBPyConnection]:
    with connect() as con:
        shop.fill(con, ROWS)
        yield con


@pytest.mark.parametrize(("text", "by_hand"), FORMS, ids=[text for text, _ in FORMS])
def test_a_measure_of_some_rows_is_what_plain_sql_gives(
    shop_served: Served, raw: duckdb.DuckDBPyConnection, text: str, by_hand: str
) -> None:
    assert plain(shop_served.service.query_sql(text).rows()) == plain(raw.execute(by_hand).fetchall())


def test_a_measure_with_a_filter_is_not_the_member_itself(shop_served: Served) -> None:
    found = shop_served.service.query_sql("SELECT SUM(total), SUM(total) FILTER (WHERE paid) FROM orders")
    assert [one.member for one in found.columns] == ["orders.total", None]


@pytest.mark.parametrize(
    ("text", "sqlstate"),
    [
        ("SELECT SUM(total) FILTER (WHERE total > 5) FROM orders", "42803"),
        ("SELECT SUM(total) FILTER (WHERE MAX(amount) > 5) FROM orders", "42803"),
        ("SELECT SUM(amount) FILTER (WHERE MEASURE(count) > 5) FROM orders", "42803"),
        ("SELECT MIN(total) FILTER (WHERE paid) FROM orders", "42803"),
        ("SELECT SUM(total) FILTER (WHERE nope) FROM orders", "42703"),
    ],
)
def test_a_condition_on_aggregates_is_refused(shop_served: Served, text: str, sqlstate: str) -> None:
    with pytest.raises(SqlError) as caught:
        shop_served.service.query_sql(text).rows()
    assert caught.value.sqlstate == sqlstate
