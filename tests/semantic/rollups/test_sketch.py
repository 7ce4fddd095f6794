"""Approximate counts of distinct values: close, the same however they are put together, exact for few."""

from collections.abc import Iterator

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from ingot.engines.duckdb import connect
from ingot.semantic.rollups import sketch


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with connect() as made:
        yield made


def direct(con: duckdb.DuckDBPyConnection, source: str, of: str = "APPROX_DISTINCT(x)") -> int:
    tree = sketch.computed(sqlglot.parse_one(f"SELECT {of} FROM {source}", dialect="duckdb"))
    (found,) = con.execute(tree.sql(dialect="duckdb")).fetchone() or (None,)
    assert isinstance(found, int)
    return found


@pytest.mark.parametrize("many", [0, 1, 2, 5, 20])
def test_few_values_are_counted_exactly(con: duckdb.DuckDBPyConnection, many: int) -> None:
    assert direct(con, f"(SELECT range % greatest({many}, 1) AS x FROM range({many * 3}))") == many


@pytest.mark.parametrize("many", [300, 3_000, 8_000, 60_000, 400_000])
def test_the_error_is_within_four_standard_errors(con: duckdb.DuckDBPyConnection, many: int) -> None:
    found = direct(con, f"(SELECT range * 7 AS x FROM range({many}))")
    assert abs(found - many) <= 4 * 0.023 * many + 1


def test_parts_put_together_give_what_the_whole_gives(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        "CREATE OR REPLACE TABLE visits AS SELECT hash(range) % 20000 AS x, range % 90 AS day FROM range(60000)"
    )
    state = sketch.stated(sqlglot.parse_one("APPROX_DISTINCT(x)", dialect="duckdb")).sql(dialect="duckdb")
    con.execute(f"CREATE OR REPLACE TABLE stored AS SELECT day, {state} AS state FROM visits GROUP BY day")
    merged = sketch.merged(exp.column("state")).sql(dialect="duckdb")
    assert con.execute(f"SELECT {merged} FROM stored").fetchone() == (direct(con, "visits"),)


def test_nulls_and_what_a_filter_leaves_out_do_not_count(con: duckdb.DuckDBPyConnection) -> None:
    rows = "(VALUES (1, true), (2, true), (NULL, true), (3, false)) AS t(x, kept)"
    assert direct(con, rows) == 3
    assert direct(con, rows, "APPROX_DISTINCT(x) FILTER (WHERE kept)") == 2
