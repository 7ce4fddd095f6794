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
