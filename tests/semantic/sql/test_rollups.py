"""The questions in a statement are answered by rollups, as those of any query, with the same numbers."""

from pathlib import Path

import pytest

from tests.semantic.lakes import ROWS
from tests.semantic.rollups.shelf import shelf

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
