"""Rollups answer statements over the wire; EXPLAIN says which, and a new build is read at once."""

from pathlib import Path

import psycopg
import pytest

from tests.pgwire.model.serving import serving
from tests.semantic.lakes import ROWS
from tests.semantic.rollups.shelf import shelf

BY_DAY = {
    "name": "by_day",
    "measures": ["count", "total"],
    "dimensions": ["CUBE.status"],
    "time_dimension": "created_at",
    "granularity": "day",
}
TEXT = "SELECT status, SUM(total) AS t FROM orders GROUP BY 1 ORDER BY 1"


@pytest.mark.slow
def test_an_explain_tells_which_rollup_is_read_and_why_another_is_not(tmp_path: Path) -> None:
    with shelf(tmp_path, [ROWS]) as made:
        plain, service = made.plain(), made.service([BY_DAY])
        with serving(service) as running, psycopg.connect(running.dsn, autocommit=True) as con:

            def explained(text: str) -> str:
                return "\n".join(row[0] for row in con.execute(f"EXPLAIN {text}").fetchall())

            before = con.execute(TEXT).fetchall()
            assert "Rollup: none is read" in explained(TEXT)
            made.built(service)
            assert "Rollup: orders.by_day" in explained(TEXT)
            assert "Cache: not yet kept" in explained(TEXT)
            assert con.execute(TEXT).fetchall() == before == plain.query_sql(TEXT).rows()
            assert "Cache: kept" in explained(TEXT)
            other = explained("SELECT MAX(most) FROM orders")
            assert "Rollups Not Read: rollup orders.by_day" in other
        assert service.rollups is not None
        service.rollups.log.flush()
        asked = [one["query"]["measures"] for one in service.rollups.log.entries()]
        assert ["orders.total"] in asked
