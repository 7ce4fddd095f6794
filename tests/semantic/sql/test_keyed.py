"""Cubes that are joined by the keys which the catalog shows, beside plain SQL over the raw tables."""

from collections.abc import Iterator

import duckdb
import pytest

from ingot.engines.duckdb import connect
from ingot.semantic import Service
from tests.semantic import shop
from tests.semantic.sql.keyed_shop import ALL, cubes, cubes_both_ways, served
from tests.semantic.sql.test_forms import plain


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with served(tmp_path_factory.mktemp("keyed"), cubes()) as found:
        yield found


@pytest.fixture(scope="module")
def both_ways(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with served(tmp_path_factory.mktemp("both"), cubes_both_ways()) as found:
        yield found


@pytest.fixture(scope="module")
def raw() -> Iterator[duckdb.DuckDBPyConnection]:
    with connect() as con:
        shop.fill(con, ALL)
        yield con


OC = "gold.orders o JOIN gold.customers c ON o.customer_id = c.id"
OLC = "gold.orders o LEFT JOIN gold.customers c ON o.customer_id = c.id"
ON = "ON o.customer_id = c.id"

SAME: list[tuple[str, str]] = [
    (f"SELECT c.city, SUM(o.total) FROM orders o INNER JOIN customers c {ON} GROUP BY 1", f"SELECT c.city, sum(amount) FROM {OC} GROUP BY 1"),
    ("SELECT c.city, SUM(o.total) FROM orders o JOIN customers c ON (c.id = o.customer_id) GROUP BY 1", f"SELECT c.city, sum(amount) FROM {OC} GROUP BY 1"),
    (f"SELECT c.city, SUM(o.total) FROM customers c JOIN orders o {ON} GROUP BY 1", f"SELECT c.city, sum(amount) FROM {OC} GROUP BY 1"),
    (f"SELECT c.city, SUM(o.total) FROM orders o LEFT JOIN customers c {ON} GROUP BY 1", f"SELECT c.city, sum(amount) FROM {OLC} GROUP BY 1"),
    (f"SELECT c.city, SUM(o.total) FROM orders o LEFT OUTER JOIN customers c {ON} GROUP BY 1", f"SELECT c.city, sum(amount) FROM {OLC} GROUP BY 1"),
    ('SELECT "customers"."city", SUM("orders"."total") FROM "public"."orders" INNER JOIN "public"."customers" ON ("orders"."customer_id" = "customers"."id") GROUP BY 1',
     f"SELECT c.city, sum(amount) FROM {OC} GROUP BY 1"),
    (f"SELECT SUM(o.total), COUNT(o.count) FROM orders o JOIN customers c {ON}", f"SELECT sum(amount), count(*) FROM {OC}"),
    (f"SELECT SUM(o.total), COUNT(o.count) FROM orders o LEFT JOIN customers c {ON}", "SELECT sum(amount), count(*) FROM gold.orders"),
    (f"SELECT COUNT(c.count), SUM(c.score) FROM orders o JOIN customers c {ON}", "SELECT count(*), sum(score) FROM gold.customers WHERE id IN (SELECT customer_id FROM gold.orders)"),
    (f"SELECT COUNT(c.count), SUM(c.score) FROM orders o LEFT JOIN customers c {ON}", "SELECT count(*), sum(score) FROM gold.customers WHERE id IN (SELECT customer_id FROM gold.orders)"),
    (f"SELECT o.status, COUNT(c.count), SUM(c.score), SUM(o.total) FROM orders o JOIN customers c {ON} GROUP BY 1",
     f"SELECT status, count(DISTINCT c.id), (SELECT sum(score) FROM gold.customers k WHERE k.id IN (SELECT customer_id FROM gold.orders p WHERE p.status = o.status)), sum(amount) FROM {OC} GROUP BY status"),
    (f"SELECT o.status, COUNT(c.count), SUM(c.score), SUM(o.total) FROM orders o LEFT JOIN customers c {ON} GROUP BY 1",
     f"SELECT status, count(DISTINCT c.id), (SELECT sum(score) FROM gold.customers k WHERE k.id IN (SELECT customer_id FROM gold.orders p WHERE p.status = o.status)), sum(amount) FROM {OLC} GROUP BY status"),
    (f"SELECT c.city, COUNT(*), SUM(o.total) FROM orders o JOIN customers c {ON} GROUP BY 1", f"SELECT c.city, count(*), sum(amount) FROM {OC} GROUP BY 1"),
    (f"SELECT c.city, COUNT(*), SUM(o.total), SUM(c.id) FROM orders o LEFT JOIN customers c {ON} GROUP BY 1", f"SELECT c.city, count(*), sum(amount), sum(c.id) FROM {OLC} GROUP BY 1"),
    (f"SELECT c.city, COUNT(*) FROM orders o JOIN customers c {ON} GROUP BY 1", f"SELECT c.city, count(*) FROM {OC} GROUP BY 1"),
    (f"SELECT o.id, o.total, c.city FROM orders o JOIN customers c {ON}", f"SELECT o.id, amount, c.city FROM {OC}"),
    (f"SELECT o.id, o.total, c.city FROM orders o LEFT JOIN customers c {ON}", f"SELECT o.id, amount, c.city FROM {OLC}"),
    (f"SELECT SUM(o.total) FROM orders o JOIN customers c {ON} WHERE c.city = 'Rome' OR o.amount > 6", f"SELECT sum(amount) FROM {OC} WHERE c.city = 'Rome' OR amount > 6"),
    (f"SELECT SUM(o.total) FROM orders o LEFT JOIN customers c {ON} WHERE c.city IS NULL", f"SELECT sum(amount) FROM {OLC} WHERE c.city IS NULL"),
    (f"SELECT c.city FROM orders o JOIN customers c {ON} GROUP BY 1 HAVING SUM(o.total) > 7", f"SELECT c.city FROM {OC} GROUP BY 1 HAVING sum(amount) > 7"),
    (f"SELECT r.name, SUM(o.total), COUNT(c.count), COUNT(r.count) FROM orders o JOIN customers c {ON} JOIN regions r ON r.id = c.region_id GROUP BY 1",
     f"SELECT r.name, sum(amount), count(DISTINCT c.id), count(DISTINCT r.id) FROM {OC} JOIN gold.regions r ON c.region_id = r.id GROUP BY 1"),
    (f"SELECT r.name, SUM(o.total), COUNT(c.count) FROM orders o JOIN customers c {ON} LEFT JOIN regions r ON r.id = c.region_id GROUP BY 1",
     f"SELECT r.name, sum(amount), count(DISTINCT c.id) FROM {OC} LEFT JOIN gold.regions r ON c.region_id = r.id GROUP BY 1"),
    (f"SELECT r.name, SUM(o.total) FROM orders o LEFT JOIN customers c {ON} LEFT JOIN regions r ON r.id = c.region_id GROUP BY 1",
     f"SELECT r.name, sum(amount) FROM {OLC} LEFT JOIN gold.regions r ON c.region_id = r.id GROUP BY 1"),
    ("SELECT r.name, SUM(o.total) FROM regions r JOIN customers c ON r.id = c.region_id JOIN orders o ON o.customer_id = c.id GROUP BY 1",
     f"SELECT r.name, sum(amount) FROM {OC} JOIN gold.regions r ON c.region_id = r.id GROUP BY 1"),
    ("SELECT o.status, SUM(i.quantity), SUM(o.total), COUNT(o.count) FROM orders o JOIN items i ON i.order_id = o.id GROUP BY 1",
     "SELECT status, (SELECT sum(qty) FROM gold.items i JOIN gold.orders p ON p.id = i.order_id WHERE p.status = o.status), sum(amount), count(*) FROM gold.orders o WHERE id IN (SELECT order_id FROM gold.items) GROUP BY status"),
    ("SELECT o.status, SUM(i.quantity), SUM(o.total), COUNT(o.count) FROM orders o LEFT JOIN items i ON i.order_id = o.id GROUP BY 1",
     "SELECT status, (SELECT sum(qty) FROM gold.items i JOIN gold.orders p ON p.id = i.order_id WHERE p.status = o.status), sum(amount), count(*) FROM gold.orders o GROUP BY status"),
    ("SELECT SUM(i.value), SUM(o.total) FROM items i JOIN orders o ON i.order_id = o.id", "SELECT (SELECT sum(qty * price) FROM gold.items i JOIN gold.orders ON orders.id = order_id LEFT JOIN gold.products p ON p.id = product_id), sum(amount) FROM gold.orders WHERE id IN (SELECT order_id FROM gold.items)"),
    ("SELECT COUNT(*) FROM orders o JOIN customers c ON o.customer_id < c.id", "SELECT count(*) FROM gold.orders o JOIN gold.customers c ON o.customer_id < c.id"),
    ("SELECT COUNT(*) FROM orders a JOIN orders b ON a.customer_id = b.customer_id", "SELECT count(*) FROM gold.orders a JOIN gold.orders b ON a.customer_id = b.customer_id"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "by_hand"), SAME, ids=[text for text, _ in SAME])
def test_a_join_by_its_keys_gives_what_plain_sql_gives(
    service: Service, raw: duckdb.DuckDBPyConnection, text: str, by_hand: str
) -> None:
    assert plain(service.query_sql(text).rows()) == plain(raw.execute(by_hand).fetchall())


WRITTEN_OTHERWISE: list[tuple[str, str]] = [
    ("SELECT x.city, SUM(x.total) FROM (SELECT o.*, c.city FROM orders o LEFT JOIN customers c ON o.customer_id = c.id) x WHERE x.status <> 'lost' GROUP BY 1",
     "SELECT city, sum(amount) FROM gold.orders o LEFT JOIN gold.customers c ON o.customer_id = c.id WHERE status <> 'lost' GROUP BY 1"),
    ("SELECT x.status, SUM(x.score) FROM (SELECT o.status, y.score FROM (SELECT status, customer_id FROM orders) o JOIN (SELECT * FROM customers) y ON y.id = o.customer_id) x GROUP BY 1",
     "SELECT status, (SELECT sum(score) FROM gold.customers k WHERE k.id IN (SELECT customer_id FROM gold.orders p WHERE p.status = o.status)) FROM gold.orders o JOIN gold.customers c ON o.customer_id = c.id GROUP BY 1"),
    ("SELECT c.city, SUM(o.total) FROM orders o, customers c WHERE o.customer_id = c.id GROUP BY 1",
     "SELECT city, sum(amount) FROM gold.orders o JOIN gold.customers c ON o.customer_id=c.id GROUP BY 1"),
    ("SELECT c.city, SUM(o.total) FROM customers c, orders o WHERE o.customer_id = c.id AND o.status <> 'lost' GROUP BY 1",
     "SELECT city, sum(amount) FROM gold.orders o JOIN gold.customers c ON o.customer_id=c.id WHERE status<>'lost' GROUP BY 1"),
    ("SELECT r.name, SUM(o.total) FROM customers c, orders o, regions r WHERE o.customer_id = c.id AND c.region_id = r.id GROUP BY 1",
     "SELECT name, sum(amount) FROM gold.orders o JOIN gold.customers c ON o.customer_id=c.id JOIN gold.regions r ON r.id=c.region_id GROUP BY 1"),
    ("SELECT customer_id, c.city, SUM(o.total) FROM orders o JOIN customers c USING (customer_id) GROUP BY 1, 2",
     "SELECT customer_id, city, sum(amount) FROM gold.orders o JOIN gold.customers c ON o.customer_id=c.id GROUP BY 1, 2"),
    ("SELECT customer_id, c.city, SUM(o.total) FROM orders o LEFT JOIN customers c USING (customer_id) GROUP BY 1, 2",
     "SELECT customer_id, city, sum(amount) FROM gold.orders o LEFT JOIN gold.customers c ON o.customer_id=c.id GROUP BY 1, 2"),
    ("SELECT customer_id, c.city, SUM(o.total) FROM customers c RIGHT JOIN orders o USING (customer_id) GROUP BY 1, 2",
     "SELECT customer_id, city, sum(amount) FROM gold.orders o LEFT JOIN gold.customers c ON o.customer_id=c.id GROUP BY 1, 2"),
    ("SELECT c.city, SUM(o.total) FROM customers c RIGHT JOIN orders o ON o.customer_id = c.id GROUP BY 1",
     "SELECT city, sum(amount) FROM gold.orders o LEFT JOIN gold.customers c ON o.customer_id=c.id GROUP BY 1"),
    ("SELECT c.city, SUM(o.total) FROM orders o JOIN customers c ON o.customer_id = c.id AND o.status = 'done' AND c.city LIKE 'R%' GROUP BY 1",
     "SELECT city, sum(amount) FROM gold.orders o JOIN gold.customers c ON o.customer_id=c.id WHERE status='done' AND city LIKE 'R%' GROUP BY 1"),
    ("SELECT c.city, SUM(o.total) FROM orders o JOIN customers c ON o.customer_id = c.id AND o.id = c.id GROUP BY 1",
     "SELECT city, sum(amount) FROM gold.orders o JOIN gold.customers c ON o.customer_id=c.id WHERE o.id=c.id GROUP BY 1"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "by_hand"), WRITTEN_OTHERWISE, ids=[text for text, _ in WRITTEN_OTHERWISE])
def test_the_models_join_is_seen_in_each_way_to_write_it(
    service: Service, raw: duckdb.DuckDBPyConnection, text: str, by_hand: str
) -> None:
    found = service.query_sql(text)
    assert plain(found.rows()) == plain(raw.execute(by_hand).fetchall())
    assert len(found.plan.queries) == 1, "the model answers it whole"


CLO = "gold.customers c LEFT JOIN gold.orders o ON o.customer_id = c.id"
BOTH: list[tuple[str, str]] = [
    (f"SELECT c.city, COUNT(c.count), SUM(c.score) FROM customers c LEFT JOIN orders o {ON} GROUP BY 1",
     f"SELECT c.city, count(DISTINCT c.id), (SELECT sum(score) FROM gold.customers k WHERE k.city IS NOT DISTINCT FROM c.city) FROM {CLO} GROUP BY 1"),
    (f"SELECT c.city, SUM(o.total), COUNT(c.count) FROM customers c JOIN orders o {ON} GROUP BY 1", f"SELECT c.city, sum(amount), count(DISTINCT c.id) FROM {OC} GROUP BY 1"),
    (f"SELECT o.status, COUNT(c.count), SUM(o.total) FROM orders o JOIN customers c {ON} GROUP BY 1", f"SELECT status, count(DISTINCT c.id), sum(amount) FROM {OC} GROUP BY 1"),
    (f"SELECT c.id, o.id, o.total FROM customers c LEFT JOIN orders o {ON}", f"SELECT c.id, o.id, amount FROM {CLO}"),
    ("SELECT r.name, SUM(o.total) FROM orders o JOIN regions r ON o.id = r.id GROUP BY 1", "SELECT r.name, sum(amount) FROM gold.orders o JOIN gold.regions r ON o.id = r.id GROUP BY 1"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "by_hand"), BOTH, ids=[text for text, _ in BOTH])
def test_the_side_that_keeps_its_rows_is_the_statements_where_the_model_knows_both_ways(
    both_ways: Service, raw: duckdb.DuckDBPyConnection, text: str, by_hand: str
) -> None:
    assert plain(both_ways.query_sql(text).rows()) == plain(raw.execute(by_hand).fetchall())
