"""Measures over joins that a statement writes itself, beside plain SQL over the raw tables: each row counts once."""

from collections.abc import Iterator

import duckdb
import pytest

from ingot.engines.duckdb import connect
from ingot.semantic import QueryError, Service
from tests.semantic import shop
from tests.semantic.sql.keyed_shop import ALL, cubes, cubes_both_ways, served
from tests.semantic.sql.test_forms import plain


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with served(tmp_path_factory.mktemp("joins"), cubes(), shop.VIEWS) as found:
        yield found


@pytest.fixture(scope="module")
def both_ways(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with served(tmp_path_factory.mktemp("ways"), cubes_both_ways()) as found:
        yield found


@pytest.fixture(scope="module")
def raw() -> Iterator[duckdb.DuckDBPyConnection]:
    with connect() as con:
        shop.fill(con, ALL)
        yield con


SAME: list[tuple[str, str]] = [
    ("SELECT SUM(o.total) FROM orders o JOIN customers c ON o.id = c.id",
     "SELECT sum(amount) FROM gold.orders o JOIN gold.customers c ON o.id=c.id"),
    ("SELECT SUM(o.total), COUNT(*), COUNT(o.count) FROM orders o JOIN customers c ON o.customer_id < c.id",
     "SELECT sum(amount), (SELECT count(*) FROM gold.orders o JOIN gold.customers c ON o.customer_id<c.id), count(*) FROM gold.orders o WHERE EXISTS (FROM gold.customers c WHERE o.customer_id<c.id)"),
    ("SELECT SUM(o.total) FROM orders o JOIN customers c ON o.customer_id = c.id AND c.city = 'Rome'",
     "SELECT sum(amount) FROM gold.orders o JOIN gold.customers c ON o.customer_id=c.id AND c.city='Rome'"),
    ("SELECT c.city, SUM(o.total), COUNT(o.count), COUNT(c.count), SUM(c.score), COUNT(*) FROM customers c LEFT JOIN orders o ON o.customer_id = c.id GROUP BY 1",
     "SELECT city, (SELECT sum(amount) FROM gold.orders o JOIN gold.customers k ON k.id=o.customer_id WHERE k.city IS NOT DISTINCT FROM c.city),(SELECT count(*) FROM gold.orders o JOIN gold.customers k ON k.id=o.customer_id WHERE k.city IS NOT DISTINCT FROM c.city), count(*), sum(score), (SELECT count(*) FROM gold.customers k LEFT JOIN gold.orders o ON k.id=o.customer_id WHERE k.city IS NOT DISTINCT FROM c.city) FROM gold.customers c GROUP BY 1"),
    ("SELECT c.city, SUM(o.total) FROM orders o RIGHT JOIN customers c ON o.customer_id = c.id GROUP BY 1 HAVING SUM(o.total) > 5 ORDER BY 2 DESC",
     "SELECT city, sum(amount) FROM gold.customers c LEFT JOIN gold.orders o ON o.customer_id=c.id GROUP BY 1 HAVING sum(amount)>5"),
    ("SELECT SUM(o.total), COUNT(c.count), COUNT(*) FROM orders o FULL JOIN customers c ON o.customer_id = c.id",
     "SELECT (SELECT sum(amount) FROM gold.orders),(SELECT count(*) FROM gold.customers),(SELECT count(*) FROM gold.orders o FULL JOIN gold.customers c ON o.customer_id=c.id)"),
    ("SELECT SUM(a.total), COUNT(b.count), COUNT(*) FROM orders a JOIN orders b ON a.customer_id = b.customer_id AND a.id < b.id",
     "SELECT (SELECT sum(amount) FROM gold.orders a WHERE EXISTS(FROM gold.orders b WHERE a.customer_id=b.customer_id AND a.id<b.id)),(SELECT count(*) FROM gold.orders b WHERE EXISTS(FROM gold.orders a WHERE a.customer_id=b.customer_id AND a.id<b.id)),(SELECT count(*) FROM gold.orders a JOIN gold.orders b ON a.customer_id=b.customer_id AND a.id<b.id)"),
    ("SELECT a.status, SUM(a.total), SUM(b.total) FROM orders a JOIN orders b ON a.customer_id = b.customer_id GROUP BY 1",
     "SELECT status, (SELECT sum(amount) FROM gold.orders k WHERE k.status=a.status AND customer_id IS NOT NULL),(SELECT sum(amount) FROM gold.orders b WHERE EXISTS(FROM gold.orders k WHERE k.status=a.status AND k.customer_id=b.customer_id)) FROM gold.orders a WHERE customer_id IS NOT NULL GROUP BY 1"),
    ("SELECT SUM(o.total), SUM(t.hours) FROM orders o JOIN tickets t ON o.customer_id = t.customer_id",
     "SELECT (SELECT sum(amount) FROM gold.orders WHERE customer_id IN (SELECT customer_id FROM gold.tickets)),(SELECT sum(hours) FROM gold.tickets WHERE customer_id IN (SELECT customer_id FROM gold.orders))"),
    ("SELECT MEASURE(c.per_order) FROM customers c LEFT JOIN orders o ON o.customer_id = c.id",
     "SELECT (SELECT count(*) FROM gold.orders WHERE customer_id IN (SELECT id FROM gold.customers))/(SELECT count(*) FROM gold.customers)"),
    ("SELECT MEASURE(o.spread), MEASURE(o.ratio), AVG(o.mean), COUNT(DISTINCT o.buyers) FROM customers c LEFT JOIN orders o ON o.customer_id = c.id",
     "SELECT max(amount)-min(amount), sum(amount)/count(*), avg(amount), count(distinct customer_id) FROM gold.orders WHERE customer_id IN (SELECT id FROM gold.customers)"),
    ("SELECT SUM(i.value), COUNT(o.count) FROM orders o LEFT JOIN items i ON i.order_id = o.id AND i.qty > 1",
     "SELECT (SELECT sum(qty*price) FROM gold.items i JOIN gold.orders o ON o.id=i.order_id JOIN gold.products p ON p.id=i.product_id WHERE qty>1), count(*) FROM gold.orders"),
    ("SELECT c.city, SUM(x.total) FROM (SELECT * FROM orders WHERE amount > 5) x RIGHT JOIN customers c ON x.customer_id = c.id GROUP BY 1",
     "SELECT c.city, sum(amount) FROM gold.customers c LEFT JOIN (SELECT * FROM gold.orders WHERE amount>5) o ON o.customer_id=c.id GROUP BY 1"),
    ("SELECT x.city, SUM(x.total), COUNT(*) FROM (SELECT c.city, o.total, o.status FROM orders o LEFT JOIN customers c ON o.customer_id = c.id) x WHERE x.status <> 'lost' GROUP BY 1",
     "SELECT c.city, sum(amount), count(*) FROM gold.orders o LEFT JOIN gold.customers c ON o.customer_id=c.id WHERE status<>'lost' GROUP BY 1"),
    ("SELECT x.status, SUM(x.score) FROM (SELECT c.score, o.status FROM orders o JOIN customers c ON o.customer_id = c.id) x GROUP BY 1",
     "SELECT status, (SELECT sum(score) FROM gold.customers WHERE id IN (SELECT customer_id FROM gold.orders k WHERE k.status=o.status)) FROM gold.orders o JOIN gold.customers c ON o.customer_id=c.id GROUP BY 1"),
    ("SELECT r.name, SUM(x.score) FROM (SELECT c.score, c.region_id, o.status FROM orders o JOIN customers c ON o.customer_id = c.id) x RIGHT JOIN regions r ON r.id = x.region_id GROUP BY 1",
     "SELECT name, (SELECT sum(score) FROM gold.customers c WHERE c.region_id=r.id AND id IN (SELECT customer_id FROM gold.orders k)) FROM gold.regions r"),
    ("SELECT SUM(o.total), COUNT(*) FROM orders o JOIN (VALUES (1), (2), (2)) v (n) ON o.id >= v.n",
     "SELECT (SELECT sum(amount) FROM gold.orders WHERE id>=1), (SELECT count(*) FROM gold.orders o JOIN (VALUES (1),(2),(2)) v(n) ON o.id>=v.n)"),
    ("SELECT customer_id, SUM(orders.total) FROM orders JOIN tickets USING (customer_id) GROUP BY 1",
     "SELECT customer_id, sum(amount) FROM gold.orders WHERE customer_id IN (SELECT customer_id FROM gold.tickets) GROUP BY 1"),
    ("SELECT g.n, SUM(o.total) FROM generate_series(1, 6) AS g (n) LEFT JOIN orders o ON o.id = g.n GROUP BY 1",
     "SELECT g.n, sum(amount) FROM generate_series(1,6) g(n) LEFT JOIN gold.orders o ON o.id=g.n GROUP BY 1"),
    ("SELECT o.status, c.city, SUM(o.total), GROUPING(c.city) FROM customers c LEFT JOIN orders o ON o.customer_id = c.id GROUP BY ROLLUP (1, 2)",
     "SELECT o.status, c.city, sum(amount), GROUPING(c.city) FROM gold.customers c LEFT JOIN gold.orders o ON o.customer_id = c.id GROUP BY ROLLUP (1, 2)"),
    ("SELECT o.id, o.total, c.city FROM orders o RIGHT JOIN customers c ON o.customer_id = c.id",
     "SELECT o.id, amount, city FROM gold.orders o RIGHT JOIN gold.customers c ON o.customer_id=c.id"),
    ("SELECT s.status, SUM(s.total), COUNT(c.count), SUM(s.quantity) FROM sales s JOIN customers c ON s.customers_id = c.id GROUP BY 1",
     "SELECT status, sum(amount), count(distinct customer_id), (SELECT sum(qty) FROM gold.items i JOIN gold.orders k ON k.id=i.order_id JOIN gold.customers cc ON cc.id=k.customer_id WHERE k.status=o.status) FROM gold.orders o JOIN gold.customers c ON c.id=o.customer_id GROUP BY 1"),
    ("SELECT date_trunc('month', o.created_at), COUNT(c.count), SUM(SUM(o.total)) OVER (ORDER BY date_trunc('month', o.created_at)) FROM customers c LEFT JOIN orders o ON o.customer_id = c.id GROUP BY 1",
     "SELECT m, count(DISTINCT cid), sum(sum(a)) OVER (ORDER BY m) FROM (SELECT date_trunc('month', created_at) m, c.id cid, amount a FROM gold.customers c LEFT JOIN gold.orders o ON o.customer_id=c.id) GROUP BY 1"),
    ("SELECT c.city, SUM(o.total) FROM customers c LEFT JOIN orders o ON o.customer_id = c.id WHERE c.id IN (SELECT id FROM customers WHERE city IS NOT NULL) GROUP BY 1",
     "SELECT city, sum(amount) FROM gold.customers c LEFT JOIN gold.orders o ON o.customer_id=c.id WHERE city IS NOT NULL GROUP BY 1"),
    ("SELECT SUM(o.total) FROM orders o JOIN customers c ON o.customer_id = c.id OR o.id = c.id",
     "SELECT sum(amount) FROM gold.orders o WHERE EXISTS (FROM gold.customers c WHERE o.customer_id = c.id OR o.id = c.id)"),
    ("SELECT SUM(a.total) FROM orders a JOIN customers c ON a.customer_id = c.id JOIN orders b ON b.customer_id = c.id",
     "SELECT sum(amount) FROM gold.orders WHERE customer_id IN (SELECT id FROM gold.customers)"),
    ("SELECT SUM(o.total), SUM(t.hours), COUNT(*) FROM orders o JOIN customers c ON o.customer_id = c.id JOIN tickets t ON t.customer_id = c.id",
     "SELECT (SELECT sum(amount) FROM gold.orders JOIN gold.customers c ON c.id = customer_id WHERE customer_id IN (SELECT customer_id FROM gold.tickets)), (SELECT sum(hours) FROM gold.tickets WHERE customer_id IN (SELECT customer_id FROM gold.orders)), (SELECT count(*) FROM gold.orders o JOIN gold.tickets t USING (customer_id) JOIN gold.customers c ON c.id = customer_id)"),
    ("SELECT c.size, r.name, SUM(o.total) FROM (regions r LEFT JOIN customers c ON r.id = c.region_id) LEFT JOIN orders o ON o.customer_id = c.id GROUP BY 1, 2",
     "SELECT CASE WHEN score >= 5 THEN 'big' WHEN score < 5 THEN 'small' ELSE 'none' END AS size, name, sum(amount) FROM gold.regions r JOIN gold.customers c ON r.id = c.region_id LEFT JOIN gold.orders o ON o.customer_id = c.id GROUP BY 1, 2 UNION ALL SELECT NULL, name, NULL FROM gold.regions WHERE id NOT IN (SELECT region_id FROM gold.customers WHERE region_id IS NOT NULL)"),
    ("SELECT x.s, COUNT(*), COUNT(c.count) FROM (SELECT customer_id, coalesce(status, 'none') AS s FROM orders) x RIGHT JOIN customers c ON x.customer_id = c.id GROUP BY 1",
     "SELECT s, count(*), count(DISTINCT c.id) FROM (SELECT customer_id, coalesce(status, 'none') AS s FROM gold.orders) o RIGHT JOIN gold.customers c ON o.customer_id = c.id GROUP BY s"),
    ("SELECT SUM(o.total), SUM(t.hours) FROM orders o, tickets t WHERE o.customer_id = t.customer_id",
     "SELECT 15, 4"),
    ("SELECT COUNT(*) FROM orders a, orders b WHERE a.customer_id = b.customer_id AND a.id < b.id",
     "SELECT count(*) FROM gold.orders a, gold.orders b WHERE a.customer_id=b.customer_id AND a.id<b.id"),
    ("SELECT customer_id, c.city, SUM(o.total) FROM orders o RIGHT JOIN customers c USING (customer_id) GROUP BY 1, 2",
     "SELECT c.id, city, sum(amount) FROM gold.orders o RIGHT JOIN gold.customers c ON o.customer_id=c.id GROUP BY 1, 2"),
    ("SELECT customer_id, c.city, SUM(o.total) FROM orders o FULL JOIN customers c USING (customer_id) GROUP BY 1, 2",
     "SELECT coalesce(c.id,customer_id), city, sum(amount) FROM gold.orders o FULL JOIN gold.customers c ON o.customer_id=c.id GROUP BY 1, 2"),
    ("SELECT c.city, SUM(o.total) FROM orders o LEFT JOIN customers c ON o.customer_id = c.id AND c.city = 'Rome' GROUP BY 1",
     "SELECT city, sum(amount) FROM gold.orders o LEFT JOIN gold.customers c ON o.customer_id=c.id AND city='Rome' GROUP BY 1"),
    ("SELECT c.city, SUM(o.total) FROM orders o JOIN customers c ON o.customer_id = c.id AND c.id IN (SELECT customer_id FROM tickets) GROUP BY 1",
     "SELECT city, sum(amount) FROM gold.orders o JOIN gold.customers c ON o.customer_id=c.id WHERE c.id IN (SELECT customer_id FROM gold.tickets) GROUP BY 1"),
    ("SELECT SUM(o.total) FROM orders o NATURAL JOIN customers c",
     "SELECT sum(amount) FROM gold.orders o JOIN gold.customers c ON o.id=c.id AND o.customer_id=c.id"),
    ("SELECT SUM(t.hours) FROM tickets t NATURAL JOIN customers c",
     "SELECT sum(hours) FROM gold.tickets o JOIN gold.customers c ON o.id=c.id AND o.customer_id=c.id"),
    ("SELECT x.* FROM (SELECT o.id, o.total, c.city FROM orders o RIGHT JOIN customers c ON o.customer_id = c.id) x",
     "SELECT o.id, amount, city FROM gold.orders o RIGHT JOIN gold.customers c ON o.customer_id=c.id"),
    ("SELECT city, SUM(total), COUNT(*) FROM (SELECT * FROM orders LEFT JOIN tickets USING (customer_id) LEFT JOIN (SELECT id AS customer_id, city FROM customers) c USING (customer_id)) x GROUP BY 1",
     "SELECT city, (SELECT sum(amount) FROM gold.orders k LEFT JOIN gold.customers z ON z.id=k.customer_id WHERE z.city IS NOT DISTINCT FROM c.city), count(*) FROM gold.orders o LEFT JOIN gold.tickets t USING (customer_id) LEFT JOIN gold.customers c ON c.id=o.customer_id GROUP BY city"),
    ("SELECT c.id, (SELECT SUM(o.total) FROM orders o WHERE o.customer_id = c.id), (SELECT MEASURE(o.ratio) FROM orders o WHERE o.customer_id = c.id) FROM customers c",
     "SELECT c.id, (SELECT sum(amount) FROM gold.orders o WHERE o.customer_id = c.id), (SELECT sum(amount) / count(*) FROM gold.orders o WHERE o.customer_id = c.id) FROM gold.customers c"),
    ("SELECT c.id, (SELECT SUM(o.total) FROM orders o JOIN items i ON i.order_id = o.id WHERE o.customer_id = c.id) FROM customers c",
     "SELECT c.id, (SELECT sum(amount) FROM gold.orders o WHERE o.customer_id = c.id AND o.id IN (SELECT order_id FROM gold.items)) FROM gold.customers c"),
    ("SELECT c.id, (SELECT COUNT(o.count) FROM orders o LEFT JOIN items i ON i.order_id = o.id AND i.qty > 1 WHERE o.customer_id = c.id AND i.id IS NULL) FROM customers c",
     "SELECT c.id, (SELECT count(*) FROM gold.orders o LEFT JOIN gold.items i ON i.order_id = o.id AND i.qty > 1 WHERE o.customer_id = c.id AND i.id IS NULL) FROM gold.customers c"),
    ("SELECT city FROM customers c WHERE EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.id GROUP BY o.status HAVING SUM(o.total) > 6 AND MAX(o.amount) > 6)",
     "SELECT city FROM gold.customers c WHERE EXISTS (SELECT 1 FROM gold.orders o WHERE o.customer_id = c.id AND amount > 6)"),
    ("SELECT c.id, (SELECT SUM(o.total) + MAX(o.amount) + COUNT(*) FROM orders o WHERE o.customer_id = c.id) FROM customers c",
     "SELECT c.id, (SELECT sum(amount) + max(amount) + count(*) FROM gold.orders o WHERE o.customer_id = c.id) FROM gold.customers c"),
    ("SELECT status, SUM(total), COUNT(*) FROM orders o WHERE EXISTS (SELECT 1 FROM customers c WHERE c.id = o.customer_id AND c.city = 'Rome') GROUP BY 1",
     "SELECT status, sum(amount), count(*) FROM gold.orders o WHERE EXISTS (SELECT 1 FROM gold.customers c WHERE c.id = o.customer_id AND c.city = 'Rome') GROUP BY 1"),
    ("SELECT c.city, SUM(c.score) FROM customers c LEFT JOIN orders o ON o.customer_id = c.id WHERE NOT EXISTS (SELECT 1 FROM tickets t WHERE t.customer_id = c.id AND t.id < o.id) GROUP BY 1",
     "SELECT city, sum(score) FROM (SELECT DISTINCT c.id, city, score FROM gold.customers c LEFT JOIN gold.orders o ON o.customer_id = c.id WHERE NOT EXISTS (SELECT 1 FROM gold.tickets t WHERE t.customer_id = c.id AND t.id < o.id)) GROUP BY 1"),
    ("SELECT city FROM customers c WHERE (SELECT COUNT(DISTINCT o.buyers) FROM orders o WHERE o.customer_id = c.id HAVING SUM(o.total) > 8) = 1",
     "SELECT city FROM gold.customers c WHERE (SELECT sum(amount) FROM gold.orders o WHERE o.customer_id = c.id) > 8"),
    ("SELECT c.id, l.t FROM customers c, LATERAL (SELECT SUM(o.total) AS t FROM orders o LEFT JOIN items i ON i.order_id = o.id WHERE o.customer_id = c.id) l",
     "SELECT c.id, (SELECT sum(amount) FROM gold.orders o WHERE o.customer_id = c.id) FROM gold.customers c"),
    ("SELECT city FROM customers WHERE id IN (SELECT x.customer_id FROM orders x JOIN (SELECT id FROM customers WHERE size = 'big') y ON y.id = x.customer_id GROUP BY 1 HAVING SUM(x.total) > 5)",
     "SELECT city FROM gold.customers WHERE score >= 5 AND id IN (SELECT customer_id FROM gold.orders GROUP BY 1 HAVING sum(amount) > 5)"),
    ("SELECT o.status, SUM(o.total), (SELECT COUNT(*) FROM customers) FROM orders o JOIN items i ON o.id < i.id GROUP BY 1",
     "SELECT status, sum(amount), (SELECT count(*) FROM gold.customers) FROM gold.orders o WHERE EXISTS (FROM gold.items i WHERE o.id < i.id) GROUP BY 1"),
    ("SELECT o.id, SUM(o.total) OVER (PARTITION BY c.city), MAX(c.score) OVER (PARTITION BY c.city) FROM customers c LEFT JOIN orders o ON o.customer_id = c.id",
     "SELECT o.id, sum(amount) OVER (PARTITION BY city), max(score) OVER (PARTITION BY city) FROM gold.customers c LEFT JOIN gold.orders o ON o.customer_id = c.id"),
    ("SELECT o.id, SUM(o.total) OVER (PARTITION BY c.city), LAG(c.score) OVER (ORDER BY o.id) FROM orders o LEFT JOIN customers c ON o.customer_id = c.id",
     "SELECT o.id, sum(amount) OVER (PARTITION BY city), lag(score) OVER (ORDER BY o.id) FROM gold.orders o LEFT JOIN gold.customers c ON o.customer_id = c.id"),
    ("SELECT COUNT(*), SUM(x.score) FROM (SELECT * FROM tickets t RIGHT JOIN customers c ON t.customer_id = c.id) x",
     "SELECT count(*), (SELECT sum(score) FROM gold.customers) FROM gold.tickets t RIGHT JOIN gold.customers c ON t.customer_id = c.id"),
    ("SELECT c.city, SUM(o.total), COUNT(*) FILTER (WHERE o.paid), SUM(o.total) FILTER (WHERE o.large) FROM customers c LEFT JOIN orders o ON o.customer_id = c.id AND o.id > 0 GROUP BY ROLLUP (c.city)",
     "SELECT city, sum(amount), count(*) FILTER (WHERE paid), sum(amount) FILTER (WHERE amount >= 5) FROM gold.customers c LEFT JOIN gold.orders o ON o.customer_id = c.id GROUP BY ROLLUP (city)"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "by_hand"), SAME, ids=[text for text, _ in SAME])
def test_a_measure_counts_each_of_its_rows_once_in_each_group(
    service: Service, raw: duckdb.DuckDBPyConnection, text: str, by_hand: str
) -> None:
    assert plain(service.query_sql(text).rows()) == plain(raw.execute(by_hand).fetchall())


OTHERWISE: list[tuple[str, str]] = [
    ("SELECT c.city, SUM(o.total) FROM customers c LEFT JOIN orders o ON o.customer_id = c.id GROUP BY 1",
     "SELECT city, sum(amount) FROM gold.customers c LEFT JOIN gold.orders o ON o.customer_id = c.id GROUP BY 1"),
    ("SELECT r.name, SUM(o.total) FROM orders o JOIN customers c ON o.customer_id = c.id JOIN regions r ON c.region_id = r.id GROUP BY 1",
     "SELECT r.name, sum(amount) FROM gold.orders o JOIN gold.customers c ON o.customer_id = c.id JOIN gold.regions r ON c.region_id = r.id GROUP BY 1"),
    ("SELECT c.city, r.name, SUM(o.total) FROM orders o JOIN customers c ON o.customer_id = c.id LEFT JOIN regions r ON c.region_id = r.id GROUP BY 1, 2",
     "SELECT c.city, r.name, sum(amount) FROM gold.orders o JOIN gold.customers c ON o.customer_id = c.id LEFT JOIN gold.regions r ON c.region_id = r.id GROUP BY 1, 2"),
    ("SELECT o.id, o.total, r.name FROM orders o LEFT JOIN customers c ON o.customer_id = c.id LEFT JOIN regions r ON c.region_id = r.id",
     "SELECT o.id, amount, r.name FROM gold.orders o LEFT JOIN gold.customers c ON o.customer_id = c.id LEFT JOIN gold.regions r ON c.region_id = r.id"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "by_hand"), OTHERWISE, ids=[text for text, _ in OTHERWISE])
def test_what_the_planner_would_join_in_another_way_is_joined_as_it_is_written(
    both_ways: Service, raw: duckdb.DuckDBPyConnection, text: str, by_hand: str
) -> None:
    assert plain(both_ways.query_sql(text).rows()) == plain(raw.execute(by_hand).fetchall())


REFUSED: list[tuple[str, str]] = [
    ("SELECT MEASURE(c.per_order), SUM(t.hours) FROM tickets t JOIN customers c ON t.customer_id = c.id", "computed from another cube"),
    ("SELECT MEASURE(c.per_order) FROM customers c LEFT JOIN orders a ON a.customer_id = c.id LEFT JOIN orders b ON b.customer_id = c.id", "computed from another cube"),
    ("SELECT SUM(o.total) FROM customers c LEFT JOIN orders o ON o.customer_id = c.id WHERE o.total > 5", "HAVING"),
    ("SELECT SUM(o.total) FROM customers c LEFT JOIN orders o ON o.customer_id = c.id AND o.total > 5", "is a measure"),
    ("SELECT AVG(o.total) FROM customers c LEFT JOIN orders o ON o.customer_id = c.id", "doesn't match"),
    ("SELECT SUM(o.total * 2) FROM customers c LEFT JOIN orders o ON o.customer_id = c.id", "aggregated before"),
    ("SELECT SUM(x.twice) FROM (SELECT customer_id, total * 2 AS twice FROM orders) x JOIN customers c ON x.customer_id = c.id", "computed from a measure"),
    ("SELECT c.city, o.total, COUNT(*) FROM customers c LEFT JOIN orders o ON o.customer_id = c.id GROUP BY 1", "must appear in GROUP BY"),
    ("SELECT SUM(total) FROM orders a JOIN orders b ON a.id = b.id", "ambiguous"),
    ("SELECT SUM(c.score) OVER () FROM orders o JOIN customers c ON o.customer_id = c.id", "added up once for each row"),
    ("SELECT o.id, SUM(c.score) OVER (PARTITION BY c.city) FROM customers c LEFT JOIN orders o ON o.customer_id = c.id", "added up once for each row"),
    ("SELECT SUM(o.total) FILTER (WHERE o.paid) OVER () FROM orders o, items i WHERE i.order_id = o.id", "added up once for each row"),
    ("SELECT SUM(x.score) OVER () FROM (SELECT c.score FROM customers c JOIN orders o ON c.id < o.id) x", "added up once for each row"),
    ("SELECT SUM(o.totl) FROM orders o JOIN customers c ON o.customer_id = c.id", "did you mean 'total'"),
    ("SELECT MEASURE(o.totl) FROM orders o JOIN customers c ON o.customer_id > c.id", "total"),
    ("SELECT MEASURE(totl) FROM orders o LEFT JOIN customers c ON o.customer_id > c.id", "total"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), REFUSED, ids=[text for text, _ in REFUSED])
def test_what_has_no_right_meaning_is_refused_in_words_that_help(
    service: Service, text: str, said: str
) -> None:
    with pytest.raises(QueryError) as caught:
        service.query_sql(text).rows()
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "chosen",
    ["SELECT id FROM customers ORDER BY random() LIMIT 2", "SELECT id, random() AS dice FROM customers", "SELECT DISTINCT ON (city) id FROM customers ORDER BY city, random()"],
)  # fmt: skip
def test_a_sub_query_that_asks_for_chance_is_computed_once(service: Service, chosen: str) -> None:
    """Measures that are computed in several parts are those of the same rows."""
    text = (
        f"SELECT x.id, COUNT(*), COUNT(o.count), SUM(o.total), SUM(o.total) FILTER (WHERE o.id IS NOT NULL), COUNT(o.id) "
        f"FROM ({chosen}) AS x LEFT JOIN orders o ON o.customer_id = x.id GROUP BY 1"
    )
    for _ in range(5):
        for whole in (text, f"SELECT * FROM ({text}) AS y", f"{text} UNION ALL {text}"):
            found = service.query_sql(whole).rows()
            assert len(found) >= 2
            for _, rows, orders, total, filtered, known in found:
                assert orders == known <= rows
                assert total == filtered
