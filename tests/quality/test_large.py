"""A small change to a large table is found exactly, and an append without reading the table."""

import time

import duckdb
import pytest

from ingot import quality
from ingot.lake import Lake

WIDE = (
    "SELECT i AS id, i % 1000 AS customer, {status} AS status, (i * 1.25)::DECIMAL(18, 2) AS amount, "
    "TIMESTAMP '2026-01-01' + INTERVAL (i) SECOND AS at, md5(i::VARCHAR) AS note, i * 0.5 AS f FROM range({rows}) r(i)"
)


@pytest.mark.slow
def test_ten_changed_rows_of_a_million_are_found(lake: Lake, con: duckdb.DuckDBPyConnection) -> None:
    def write(branch: str, query: str, mode: str = "overwrite") -> None:
        staged = lake.stage(con, "s.t", query, on=branch, mode=mode)  # type: ignore[arg-type]
        lake.commit(branch, [staged], message=mode)

    write("main", WIDE.format(status="'new'", rows="1000000"))
    for branch in ("appended", "rewritten"):
        lake.branch(branch)
    write("appended", WIDE.format(status="'new'", rows="1000000, 1000010"), "append")
    write(
        "rewritten", WIDE.format(status="CASE WHEN i % 100000 = 5 THEN 'paid' ELSE 'new' END", rows="1000000")
    )
    took = {}
    counted = {}
    for branch in ("appended", "rewritten"):
        began = time.perf_counter()
        rows = quality.diff(lake, "main", branch, key=["id"]).tables[0].rows
        took[branch] = time.perf_counter() - began
        assert rows is not None
        counted[branch] = (rows.added, rows.removed, rows.changed, dict(rows.changed_columns))
    assert counted == {"appended": (10, 0, 0, {}), "rewritten": (0, 0, 10, {"status": 10})}
    assert took["appended"] < took["rewritten"] / 2, took
