"""The questions in a statement are answered by rollups, as those of any query, with the same numbers."""

from pathlib import Path

import pytest

from ingot.semantic import Service
from tests.semantic import shop
from tests.semantic.lakes import ROWS
from tests.semantic.rollups.shelf import shelf
from tests.semantic.sql.keyed_shop import cubes

BY_DAY = {
    "name": "by_day",
    "measures": ["count", "total"],
    "dimensions": ["CUBE.status"],
    "time_dimension": "created_at",
    "granularity": "day",
}


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("SELECT status, SUM(total) FROM orders GROUP BY 1 ORDER BY 1", True),
        ("SELECT date_trunc('month', created_at), COUNT(*) FROM orders WHERE created_at >= '2026-02-01' GROUP BY 1", True),
        ("SELECT date_trunc('month', created_at)::date, SUM(total) / COUNT(*) FROM orders WHERE status <> 'x' GROUP BY 1 ORDER BY 1", True),
        ("SELECT m, SUM(total) FROM (SELECT date_trunc('month', created_at) AS m, total FROM orders) x GROUP BY 1 ORDER BY 1", True),
        ("SELECT upper(status), SUM(total) FROM orders GROUP BY 1 ORDER BY 1", False),
        ("SELECT SUM(total) FROM orders WHERE coalesce(status, 'x') = 'done'", False),
        ("SELECT status FROM orders ORDER BY 1", False),
        ("SELECT SUM(total) FROM orders WHERE created_at >= CAST('2026-02-01' AS timestamp) AND created_at < '2026-03-01'::date", True),
        ("SELECT SUM(total) FROM orders WHERE date_trunc('month', created_at) = '2026-02-01'", True),
        ("SELECT SUM(total) FROM orders WHERE EXTRACT(year FROM created_at) = 2026 AND created_at::date <> '2026-02-01'", True),
        ("SELECT SUM(total) FROM orders WHERE created_at >= current_date - 40000 AND created_at < date_trunc('day', now()) + interval '10 years'", True),
        ("SELECT SUM(total) FROM orders WHERE created_at >= timestamp '2026-03-01' - interval '1 month' AND 1 = 1", True),
        ("SELECT SUM(total) FROM orders WHERE created_at >= '2026-01-31 12:00'", False),
        ("SELECT SUM(total) FROM orders WHERE status = ANY ('{done,new}') AND status <> ALL (ARRAY['x'])", True),
        ("SELECT status, SUM(total), GROUPING(status) FROM orders GROUP BY ROLLUP (status) ORDER BY 3, 1", True),
        ("SELECT to_char(date_trunc('month', created_at), 'YYYY-MM'), SUM(total) FROM orders GROUP BY date_trunc('month', created_at) ORDER BY 1", True),
        ("SELECT SUM(orders.total) FROM orders JOIN (SELECT status, COUNT(*) AS n FROM orders GROUP BY 1 ORDER BY 2 DESC LIMIT 1) t ON orders.status = t.status", True),
    ],
)  # fmt: skip
def test_a_rollup_answers_what_it_can(tmp_path: Path, text: str, stored: bool) -> None:
    with shelf(tmp_path, [ROWS]) as made:
        plain, service = made.plain(), made.service([BY_DAY])
        made.built(service)
        plan = service.sql_plan(text)
        assert bool(plan.held) is stored
        assert ("#rollups" in plan.sql) is stored
        assert service.query_sql(text).rows() == plain.query_sql(text).rows() != []


BY_CITY = {
    "name": "by_city",
    "measures": ["count", "total"],
    "dimensions": ["CUBE.status", "CUBE.customer_id", "customers.city", "customers.id"],
}


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("SELECT c.city, SUM(o.total) FROM orders o LEFT JOIN customers c ON o.customer_id = c.id WHERE o.status <> 'x' GROUP BY 1 ORDER BY 1", True),
        ("SELECT c.city, SUM(o.total) FROM customers c RIGHT JOIN orders o ON o.customer_id = c.id GROUP BY 1 ORDER BY 1", True),
        ("SELECT o.status, SUM(o.total) FROM orders o LEFT JOIN customers c ON o.customer_id = c.id LEFT JOIN regions r ON c.region_id = r.id GROUP BY 1 ORDER BY 1", True),
        ("SELECT x.city, SUM(x.total) FROM (SELECT o.*, c.city FROM orders o LEFT JOIN customers c ON o.customer_id = c.id) x GROUP BY 1 ORDER BY 1", True),
        ("SELECT c.city, SUM(o.total) FROM orders o JOIN customers c ON o.customer_id = c.id GROUP BY 1 ORDER BY 1", True),
        ("SELECT c.city, COUNT(c.count) FROM orders o LEFT JOIN customers c ON o.customer_id = c.id GROUP BY 1 ORDER BY 1", False),
        ("SELECT c.city, SUM(o.total) FROM customers c LEFT JOIN orders o ON o.customer_id = c.id GROUP BY 1 ORDER BY 1", False),
    ],
)  # fmt: skip
def test_a_rollup_answers_joins_by_keys(tmp_path: Path, text: str, stored: bool) -> None:
    own, bare = cubes(), cubes()
    own[0]["pre_aggregations"] = [BY_CITY]
    with shelf(tmp_path, [ROWS]) as made:
        service = Service(shop.project(own, []), made.lake, made.engine, rollups=made.root)
        made.built(service)
        assert bool(service.sql_plan(text).held) is stored
        plain = Service(shop.project(bare, []), made.lake, made.engine)
        assert service.query_sql(text).rows() == plain.query_sql(text).rows() != []
