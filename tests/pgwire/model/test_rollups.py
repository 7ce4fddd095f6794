"""Rollups answer statements over the wire; EXPLAIN says which, and a new build is read at once."""

import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from ingot.pgwire.federation import Federation
from ingot.pgwire.lake_source import LakeReader
from ingot.project.loading import load
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


@pytest.mark.slow
def test_a_rollup_is_read_beside_somebody_elses_database(tmp_path: Path) -> None:
    (tmp_path / ".ingot").mkdir()
    (tmp_path / "sources").mkdir()
    (tmp_path / "ingot.yml").write_text("name: shop\n")
    (tmp_path / "sources" / "till.yml").write_text("connector: sqlite\npath: till.db\nattach: true\n")
    with closing(sqlite3.connect(tmp_path / "till.db")) as con, con:
        con.execute("CREATE TABLE ranks (status TEXT, place INTEGER)")
        con.execute("INSERT INTO ranks VALUES ('new', 2), ('done', 1)")
    text = (
        f"SELECT r.place, q.status, q.t FROM ({TEXT}) q JOIN till.ranks r ON r.status = q.status ORDER BY 1"
    )
    with shelf(tmp_path / ".ingot", [ROWS]) as made:
        expected = [
            (place, *row)
            for place, status in ((1, "done"), (2, "new"))
            for row in made.plain().query_sql(TEXT).rows()
            if row[0] == status
        ]
        service = made.service([BY_DAY])
        made.built(service)
        federation = Federation(load(tmp_path, environ={}), made.lake)
        tables = LakeReader(made.engine, service.states, federation)
        try:
            with (
                serving(service, tables=tables) as running,
                psycopg.connect(running.dsn, autocommit=True) as asking,
            ):
                assert asking.execute(text).fetchall() == expected
                assert len(expected) == 2
                said = [row[0].strip() for row in asking.execute(f"EXPLAIN {text}").fetchall()]
                assert "Rollup: orders.by_day" in said
                assert "Databases: till" in said
        finally:
            federation.close()
