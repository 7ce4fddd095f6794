"""Each form of SQL over the model beside plain SQL over the raw tables, joined by hand."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import duckdb
import pytest

from ingot.engines.duckdb import connect
from tests.semantic import shop
from tests.semantic.lakes import ROWS, Served

JOINED = "gold.orders o LEFT JOIN gold.customers c ON o.customer_id = c.id"

FORMS: list[tuple[str, str]] = [
    ("SELECT status, MEASURE(total) FROM orders GROUP BY status", "SELECT status, sum(amount) FROM gold.orders GROUP BY 1"),
    ("SELECT status, SUM(total), COUNT(*), COUNT(count), AVG(mean), MIN(least), MAX(most), COUNT(DISTINCT buyers) FROM orders GROUP BY 1",
     "SELECT status, sum(amount), count(*), count(*), avg(amount), min(amount), max(amount), count(DISTINCT customer_id) FROM gold.orders GROUP BY 1"),
    ("SELECT o.status AS s FROM orders AS o GROUP BY s", "SELECT DISTINCT status FROM gold.orders"),
    ("SELECT DISTINCT status FROM orders", "SELECT DISTINCT status FROM gold.orders"),
    ("SELECT DISTINCT lower(status) FROM orders", "SELECT DISTINCT lower(status) FROM gold.orders"),
    ("SELECT DISTINCT MEASURE(count) > 1 AS many FROM orders GROUP BY status", "SELECT DISTINCT n > 1 FROM (SELECT count(*) n FROM gold.orders GROUP BY status)"),
    ("SELECT count(*) FROM orders", "SELECT count(*) FROM gold.orders"),
    ('SELECT "orders"."status", SUM("orders"."total") FROM "public"."orders" AS "orders" GROUP BY 1', "SELECT status, sum(amount) FROM gold.orders GROUP BY 1"),
    ("SELECT date_trunc('month', created_at) AS m, SUM(total) FROM orders GROUP BY 1", "SELECT date_trunc('month', created_at), sum(amount) FROM gold.orders GROUP BY 1"),
    ("SELECT date_trunc('month', created_at)::date AS m, SUM(total) FROM orders GROUP BY 1", "SELECT date_trunc('month', created_at)::date, sum(amount) FROM gold.orders GROUP BY 1"),
    ("SELECT extract(month FROM created_at), SUM(total) FROM orders GROUP BY 1", "SELECT extract(month FROM created_at), sum(amount) FROM gold.orders GROUP BY 1"),
    ("SELECT extract(year FROM date_trunc('month', created_at)), SUM(total) FROM orders GROUP BY date_trunc('month', created_at)",
     "SELECT extract(year FROM date_trunc('month', created_at)), sum(amount) FROM gold.orders GROUP BY date_trunc('month', created_at)"),
    ("SELECT SUM(total) FROM orders WHERE status = 'done'", "SELECT sum(amount) FROM gold.orders WHERE status = 'done'"),
    ("SELECT SUM(total) FROM orders WHERE status <> 'done' OR amount >= 10", "SELECT sum(amount) FROM gold.orders WHERE status <> 'done' OR amount >= 10"),
    ("SELECT SUM(total) FROM orders WHERE NOT (status = 'done' AND amount > 8)", "SELECT sum(amount) FROM gold.orders WHERE NOT (status = 'done' AND amount > 8)"),
    ("SELECT SUM(total) FROM orders WHERE status IN ('done', 'x') AND amount NOT IN (7)", "SELECT sum(amount) FROM gold.orders WHERE status IN ('done') AND amount <> 7"),
    ("SELECT SUM(total) FROM orders WHERE amount BETWEEN 6 AND 10", "SELECT sum(amount) FROM gold.orders WHERE amount BETWEEN 6 AND 10"),
    ("SELECT SUM(total) FROM orders WHERE status LIKE 'd%e'", "SELECT sum(amount) FROM gold.orders WHERE status LIKE 'd%e'"),
    ("SELECT SUM(total) FROM orders WHERE status ILIKE '%ON%'", "SELECT sum(amount) FROM gold.orders WHERE status ILIKE '%ON%'"),
    ("SELECT SUM(total) FROM orders WHERE status IS NOT NULL AND paid", "SELECT sum(amount) FROM gold.orders WHERE status IS NOT NULL AND paid"),
    ("SELECT SUM(total) FROM orders WHERE paid IS NOT TRUE", "SELECT sum(amount) FROM gold.orders WHERE paid IS NOT TRUE"),
    ("SELECT SUM(total) FROM orders WHERE large IS TRUE", "SELECT sum(amount) FROM gold.orders WHERE amount >= 5"),
    ("SELECT SUM(total) FROM orders WHERE large OR status = 'new'", "SELECT sum(amount) FROM gold.orders WHERE amount >= 5 OR status = 'new'"),
    ("SELECT SUM(total) FROM orders WHERE created_at >= '2026-02-01' AND created_at < '2026-03-01'", "SELECT sum(amount) FROM gold.orders WHERE created_at >= '2026-02-01' AND created_at < '2026-03-01'"),
    ("SELECT SUM(total) FROM orders WHERE created_at BETWEEN '2026-01-01'::timestamp AND '2026-02-01 00:00:00'", "SELECT sum(amount) FROM gold.orders WHERE created_at BETWEEN '2026-01-01' AND '2026-02-01'"),
    ("SELECT SUM(total) FROM orders WHERE created_at <= DATE '2026-02-01'", "SELECT sum(amount) FROM gold.orders WHERE created_at <= '2026-02-01'"),
    ("SELECT SUM(total) FROM orders WHERE date_trunc('month', created_at) = '2026-02-01'", "SELECT sum(amount) FROM gold.orders WHERE date_trunc('month', created_at) = '2026-02-01'"),
    ("SELECT SUM(total) FROM orders WHERE upper(status) = 'DONE' AND amount > id * 2", "SELECT sum(amount) FROM gold.orders WHERE upper(status) = 'DONE' AND amount > id * 2"),
    ("SELECT upper(status) AS s, SUM(total) FROM orders GROUP BY s", "SELECT upper(status), sum(amount) FROM gold.orders GROUP BY 1"),
    ("SELECT CASE WHEN amount > 6 THEN 'big' ELSE 'small' END, COUNT(*) FROM orders GROUP BY 1", "SELECT CASE WHEN amount > 6 THEN 'big' ELSE 'small' END, count(*) FROM gold.orders GROUP BY 1"),
    ("SELECT status, SUM(total) FROM orders GROUP BY 1 HAVING SUM(total) > 6", "SELECT status, sum(amount) FROM gold.orders GROUP BY 1 HAVING sum(amount) > 6"),
    ("SELECT status FROM orders GROUP BY 1 HAVING COUNT(*) = 1 OR status = 'x'", "SELECT status FROM gold.orders GROUP BY 1 HAVING count(*) = 1 OR status = 'x'"),
    ("SELECT status, SUM(total) / COUNT(*) FROM orders GROUP BY 1", "SELECT status, sum(amount) / count(*) FROM gold.orders GROUP BY 1"),
    ("SELECT COUNT(*) / 2, 7 / 2, -7 / 2 FROM orders", "SELECT count(*) // 2, 3, -3 FROM gold.orders"),
    ("SELECT status, CASE WHEN SUM(total) > 6 THEN 'many' END FROM orders GROUP BY 1", "SELECT status, CASE WHEN sum(amount) > 6 THEN 'many' END FROM gold.orders GROUP BY 1"),
    ("SELECT status, amount FROM orders", "SELECT status, amount FROM gold.orders"),
    ("SELECT status, total, count FROM orders", "SELECT status, amount, 1 FROM gold.orders"),
    ("SELECT id, buyers, unknown FROM orders", "SELECT id, CASE WHEN customer_id IS NOT NULL THEN 1 END, CASE WHEN status IS NULL THEN 1 END FROM gold.orders"),
    ("SELECT lower(status) || '!' AS s, amount * 2 FROM orders WHERE amount > 5", "SELECT lower(status) || '!', amount * 2 FROM gold.orders WHERE amount > 5"),
    ("SELECT customers_city, MEASURE(total), MEASURE(quantity) FROM sales GROUP BY 1",
     "SELECT city, sum(amount), sum(q) FROM (SELECT c.city, o.amount, (SELECT sum(qty) FROM gold.items i WHERE i.order_id = o.id) q FROM " + JOINED + ") GROUP BY 1"),
    ("SELECT city, SUM(orders.total) FROM orders CROSS JOIN customers GROUP BY 1", f"SELECT c.city, sum(amount) FROM {JOINED} GROUP BY 1"),
    ("SELECT c.city, SUM(o.total) FROM orders o JOIN customers c ON o.__cubeJoinField = c.__cubeJoinField GROUP BY 1", f"SELECT c.city, sum(amount) FROM {JOINED} GROUP BY 1"),
    ("SELECT c.city, SUM(o.total) FROM orders o, customers c GROUP BY 1", f"SELECT c.city, sum(amount) FROM {JOINED} GROUP BY 1"),
    ("SELECT s, SUM(t) FROM (SELECT status AS s, total AS t FROM orders WHERE amount > 5) x GROUP BY s", "SELECT status, sum(amount) FROM gold.orders WHERE amount > 5 GROUP BY 1"),
    ("SELECT s, SUM(t) FROM (SELECT upper(status) AS s, total AS t FROM (SELECT * FROM orders) y) x WHERE s = 'DONE' GROUP BY s", "SELECT upper(status), sum(amount) FROM gold.orders WHERE upper(status) = 'DONE' GROUP BY 1"),
    ("WITH a AS (SELECT status, total FROM orders) SELECT status, SUM(total) FROM a GROUP BY 1", "SELECT status, sum(amount) FROM gold.orders GROUP BY 1"),
    ("WITH a AS (SELECT status, SUM(total) AS t FROM orders GROUP BY 1), b (x) AS (SELECT t FROM a) SELECT MAX(x), COUNT(*), COUNT(*) / 4 FROM b", "SELECT max(t), count(*), count(*) // 4 FROM (SELECT sum(amount) t FROM gold.orders GROUP BY status)"),
    ("SELECT AVG(n), SUM(n) / 2 FROM (SELECT status, COUNT(*) AS n FROM orders GROUP BY 1) x", "SELECT avg(n), sum(n) / 2 FROM (SELECT count(*) n FROM gold.orders GROUP BY status)"),
    ("SELECT n / 2 FROM (SELECT status, COUNT(*) AS n FROM orders GROUP BY 1) x", "SELECT count(*) // 2 FROM gold.orders GROUP BY status"),
    ("SELECT status, SUM(total), RANK() OVER (ORDER BY SUM(total) DESC), SUM(SUM(total)) OVER () FROM orders GROUP BY 1", "SELECT status, sum(amount), rank() OVER (ORDER BY sum(amount) DESC), sum(sum(amount)) OVER () FROM gold.orders GROUP BY 1"),
    ("SELECT id, AVG(amount) FILTER (WHERE paid) OVER (), SUM(total) FILTER (WHERE paid) OVER (PARTITION BY status) FROM orders",
     "SELECT id, avg(amount) FILTER (WHERE paid) OVER (), sum(amount) FILTER (WHERE paid) OVER (PARTITION BY status) FROM gold.orders"),
    ("SELECT status, SUM(SUM(total)) FILTER (WHERE status = 'done') OVER () FROM orders GROUP BY 1", "SELECT status, sum(sum(amount)) FILTER (WHERE status = 'done') OVER () FROM gold.orders GROUP BY 1"),
    ("SELECT id, ROW_NUMBER() OVER (PARTITION BY status ORDER BY amount DESC) FROM orders", "SELECT id, row_number() OVER (PARTITION BY status ORDER BY amount DESC) FROM gold.orders"),
    ("SELECT status FROM orders UNION SELECT city FROM customers", "SELECT status FROM gold.orders UNION SELECT city FROM gold.customers"),
    ("SELECT a.status, a.t, b.n FROM (SELECT status, SUM(total) t FROM orders GROUP BY 1) a LEFT JOIN (SELECT status, COUNT(*) n FROM orders WHERE amount > 6 GROUP BY 1) b ON a.status = b.status",
     "SELECT status, sum(amount), nullif(count(*) FILTER (WHERE amount > 6), 0) FROM gold.orders GROUP BY 1"),
    ("SELECT c.city, o.t FROM customers c JOIN (SELECT city, SUM(orders.total) AS t FROM orders CROSS JOIN customers GROUP BY 1) o ON o.city = c.city", f"SELECT c.city, sum(amount) FROM {JOINED} GROUP BY 1"),
    ("SELECT SUM(total) FROM orders WHERE status IN (SELECT status FROM orders WHERE amount < 6)", "SELECT sum(amount) FROM gold.orders WHERE status IN (SELECT status FROM gold.orders WHERE amount < 6)"),
    ("SELECT id FROM orders WHERE amount = (SELECT MAX(most) FROM orders)", "SELECT id FROM gold.orders WHERE amount = (SELECT max(amount) FROM gold.orders)"),
    ("SELECT status, SUM(total) / (SELECT SUM(total) FROM orders) FROM orders GROUP BY 1", "SELECT status, sum(amount) / (SELECT sum(amount) FROM gold.orders) FROM gold.orders GROUP BY 1"),
    ("SELECT COUNT(DISTINCT status), MAX(amount), SUM(amount * 2) FROM orders", "SELECT count(DISTINCT status), max(amount), sum(amount * 2) FROM gold.orders"),
    ("SELECT status, COUNT(DISTINCT paid), MEASURE(total) FROM orders GROUP BY 1", "SELECT status, count(DISTINCT paid), sum(amount) FROM gold.orders GROUP BY 1"),
    ("SELECT SUM(amount) FILTER (WHERE status = 'done') FROM orders", "SELECT sum(amount) FILTER (WHERE status = 'done') FROM gold.orders"),
    ("SELECT EXISTS (SELECT 1 FROM orders WHERE amount > 100)", "SELECT EXISTS (SELECT 1 FROM gold.orders WHERE amount > 100)"),
    ("SELECT ratio FROM (SELECT status, MEASURE(ratio) AS ratio FROM orders GROUP BY 1) x", "SELECT sum(amount) / count(*) FROM gold.orders GROUP BY status"),
    ("SELECT 1 AS one, 'a' || 'b' AS ab, NULL AS nothing", "SELECT 1, 'ab', NULL"),
]  # fmt: skip


@pytest.fixture(scope="module")
def raw() -> Iterator[duckdb.DuckDBPyConnection]:
    with connect() as con:
        shop.fill(con, ROWS)
        yield con


def plain(rows: list[tuple[Any, ...]]) -> list[str]:
    """Rows whose order nobody asked for, with numbers compared as numbers."""
    return sorted(str(tuple(float(v) if _is_number(v) else v for v in row)) for row in rows)


def _is_number(value: Any) -> bool:
    return not isinstance(value, bool) and hasattr(value, "__float__")


@pytest.mark.parametrize(("text", "by_hand"), FORMS, ids=[text for text, _ in FORMS])
def test_a_form_gives_what_plain_sql_gives(
    shop_served: Served, raw: duckdb.DuckDBPyConnection, text: str, by_hand: str
) -> None:
    found = shop_served.service.query_sql(text)
    rows = found.rows()
    expected = raw.execute(by_hand).fetchall()
    assert plain(rows) == plain(expected)
    assert all(len(row) == len(found.columns) for row in rows)


ORDERED: list[tuple[str, list[Any]]] = [
    ("SELECT id FROM orders ORDER BY amount", [2, 3, 1]),
    ("SELECT id FROM orders ORDER BY amount DESC LIMIT 2", [1, 3]),
    ("SELECT id FROM orders ORDER BY 1 DESC OFFSET 1", [2, 1]),
    ("SELECT city FROM customers ORDER BY city", ["O'Hare", "Rome", None]),
    ("SELECT city FROM customers ORDER BY city DESC", [None, "Rome", "O'Hare"]),
    ("SELECT city FROM customers ORDER BY city DESC NULLS LAST", ["Rome", "O'Hare", None]),
    ("SELECT status AS s FROM orders GROUP BY 1 ORDER BY SUM(total)", ["new", "done"]),
    ("SELECT status FROM orders UNION ALL SELECT city FROM customers ORDER BY status LIMIT 2", ["O'Hare", "Rome"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), ORDERED, ids=[text for text, _ in ORDERED])
def test_order_limit_and_offset_are_postgresqls(shop_served: Served, text: str, expected: list[Any]) -> None:
    assert [row[0] for row in shop_served.service.query_sql(text).rows()] == expected


def test_columns_are_known_before_a_row_is_there(shop_served: Served) -> None:
    text = "SELECT status, date_trunc('month', created_at) AS m, MEASURE(count), SUM(total) * 1.5 AS x, paid, 1 FROM orders GROUP BY 1, 2, 5"
    columns = shop_served.service.query_sql(text).columns
    assert [(one.name, one.type, one.member) for one in columns][:3] == [
        ("status", "text", "orders.status"),
        ("m", "timestamp without time zone", "orders.created_at"),
        ("count", "bigint", "orders.count"),
    ]
    assert [one.name for one in columns][3:] == ["x", "paid", "?column?"]
    assert [one.type for one in columns][4:] == ["boolean", "integer"]


ORDERS = ["id", "status", "created_at", "paid", "amount", "count", "total", "done_total", "mean", "least", "most", "buyers",
          "ratio", "spread", "flat", "unknown", "large"]  # fmt: skip
CUSTOMERS = ["id", "city", "size", "count", "score", "flat", "per_order"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("SELECT * FROM orders", ORDERS),
        ("TABLE orders", ORDERS),
        ("SELECT o.*, 1 AS x, o.* FROM orders o", [*ORDERS, "x", *ORDERS]),
        ("SELECT * FROM (SELECT * FROM orders) o", ORDERS),
        ("WITH o AS (SELECT * FROM orders LIMIT 2) SELECT x.* FROM o x", ORDERS),
        ("SELECT * FROM orders UNION ALL SELECT * FROM orders", ORDERS),
        ("SELECT DISTINCT * FROM orders", ORDERS),
        ("SELECT c.*, o.* FROM orders o CROSS JOIN customers c", [*CUSTOMERS, *ORDERS]),
        ("SELECT * FROM orders o LEFT JOIN customers c ON o.__cubeJoinField = c.__cubeJoinField", [*ORDERS, *CUSTOMERS]),
        ("SELECT * FROM orders o JOIN customers c ON o.id = c.id", [*ORDERS, *CUSTOMERS]),
        ("SELECT * FROM orders o JOIN (SELECT id, 1 AS one FROM customers) c USING (id)", [*ORDERS, "one"]),
    ],
)  # fmt: skip
def test_a_star_is_every_column_that_the_model_shows(
    shop_served: Served, text: str, names: list[str]
) -> None:
    assert [one.name for one in shop_served.service.query_sql(text).columns] == names


def test_a_star_over_a_view_is_its_members_in_their_order(shop_served: Served) -> None:
    names = [one.name for one in shop_served.service.query_sql("SELECT * FROM sales").columns]
    view = shop_served.service.model.views["sales"]
    assert names == [name for name, one in view.members.items() if one.label.public]
    assert {"large", "ratio", "customers_per_order", "products_count"} < set(names)


def test_a_star_keeps_the_rows_of_a_cube_and_shows_what_each_has_of_measures(shop_served: Served) -> None:
    """A measure made of other cubes' rows, or aggregated by the author's SQL, is null of a row."""
    rows = shop_served.service.query_sql("SELECT * FROM customers ORDER BY id").rows()
    assert rows == [(1, "Rome", "big", 1, 7, 7, None), (2, "O'Hare", "none", 1, None, 1, None), (3, None, "small", 1, 2, 2, None)]  # fmt: skip
    row = shop_served.service.query_sql("SELECT * FROM orders WHERE id = 2").rows()[0]
    assert dict(zip(ORDERS, row, strict=True)) == {
        "id": 2, "status": "new", "created_at": datetime(2026, 2, 1), "paid": False, "amount": 5, "count": 1, "total": 5,  # noqa: DTZ001 - no zone
        "done_total": None, "mean": 5, "least": 5, "most": 5, "buyers": 1, "ratio": 5, "spread": None, "flat": 1,
        "unknown": None, "large": True,
    }  # fmt: skip


def test_a_joined_star_has_what_each_row_has(shop_served: Served) -> None:
    text = "SELECT o.*, c.city FROM orders o JOIN (SELECT id, city FROM customers LIMIT 10) c ON o.id = c.id ORDER BY o.id"
    alone = shop_served.service.query_sql("SELECT *, id FROM orders ORDER BY id").rows()
    cities = dict(shop_served.service.query_sql("SELECT id, city FROM customers").rows())
    assert shop_served.service.query_sql(text).rows() == [(*row[:-1], cities[row[-1]]) for row in alone]


def test_a_measure_of_a_star_is_still_one_around_it(shop_served: Served) -> None:
    text = "SELECT MEASURE(spread), MEASURE(ratio) FROM (SELECT * FROM orders WHERE large) o"
    whole = shop_served.service.query_sql(
        "SELECT MEASURE(spread), MEASURE(ratio) FROM orders WHERE large"
    ).rows()
    assert shop_served.service.query_sql(text).rows() == whole == [(5, 22 / 3)]


def test_a_measure_of_other_cubes_is_asked_of_their_rows_where_it_is_named(shop_served: Served) -> None:
    text = "SELECT id, per_order FROM customers ORDER BY id"
    assert shop_served.service.query_sql(text).rows() == [(1, 1.0), (1, 1.0), (2, 1.0)]


def test_times_are_those_of_the_zone(shop_served: Served) -> None:
    text = "SELECT date_trunc('month', created_at) AS m, MEASURE(count) FROM orders WHERE created_at < '2026-02-01 12:00' GROUP BY 1 ORDER BY 1"
    rows = shop_served.service.query_sql(text, timezone="Europe/Berlin").rows()
    assert [(f"{time:%Y-%m}", n) for time, n in rows] == [("2026-02", 2)]
    rows = shop_served.service.query_sql(text).rows()
    assert [(f"{time:%Y-%m}", n) for time, n in rows] == [("2026-01", 1), ("2026-02", 1)]


def test_a_branch_has_its_own_rows(shop_served: Served) -> None:
    text = "SELECT SUM(total) FROM orders"
    assert shop_served.service.query_sql(text).rows() == [(22,)]
    assert shop_served.service.query_sql(text, ref="dev").rows() == [(122,)]
