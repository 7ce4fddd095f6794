"""Hostile SQL: whatever does more than read the lake's tables is refused, by two independent walls."""

from pathlib import Path

import duckdb
import pytest

from ingot.engines import QueryError, QueryRefusedError
from ingot.engines.duckdb import DuckDBEngine, connect, readonly
from ingot.engines.duckdb.readonly import check

from .conftest import FakeState


@pytest.mark.parametrize(
    "sql",
    [
        "COPY (SELECT 1) TO '/tmp/x.csv'",
        "COPY gold.fact_orders TO 'x.parquet'",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM READ_TEXT('/etc/passwd')",
        "SELECT (SELECT content FROM read_text('/etc/passwd'))",
        "WITH a AS (SELECT * FROM read_blob('/etc/passwd')) SELECT * FROM a",
        "SELECT * FROM glob('/*')",
        "SELECT * FROM sniff_csv('/etc/passwd')",
        "SELECT * FROM parquet_metadata('/etc/passwd')",
        "SELECT * FROM query('SELECT 1')",
        "SELECT * FROM duckdb_settings()",
        "SELECT * FROM duckdb_secrets()",
        "SELECT current_setting('allowed_directories')",
        "SELECT write_log('x')",
        "ATTACH '/tmp/x.db'",
        "ATTACH ':memory:' AS other",
        "DETACH memory",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET memory_limit = '100GB'",
        "SET TimeZone = 'Asia/Tokyo'",
        "RESET ALL",
        "USE memory",
        "PRAGMA version",
        "PRAGMA enable_profiling",
        "CALL pragma_version()",
        "CREATE TABLE t AS SELECT 1",
        "CREATE TEMP VIEW v AS SELECT 1",
        "CREATE OR REPLACE VIEW gold.fact_orders AS SELECT 1",
        "CREATE MACRO f(x) AS x",
        "DROP VIEW gold.fact_orders",
        "INSERT INTO gold.fact_orders VALUES (1, 2)",
        "UPDATE gold.fact_orders SET amount = 0",
        "DELETE FROM gold.fact_orders",
        "EXPORT DATABASE '/tmp/x'",
        "CHECKPOINT",
        "VACUUM",
        "BEGIN",
        "PREPARE p AS SELECT 1",
        "EXPLAIN COPY (SELECT 1) TO '/tmp/x.csv'",
        "EXPLAIN ANALYZE INSERT INTO gold.fact_orders VALUES (1, 2)",
        "EXPLAIN ANALYZE SELECT * FROM read_csv('/etc/passwd')",
        "SELECT 1; SELECT 2",
        "SELECT 1; DROP VIEW gold.fact_orders",
        "/* SELECT */ DROP VIEW gold.fact_orders -- SELECT",
        "DESCRIBE SELECT * FROM read_csv('/etc/passwd')",
        "SUMMARIZE SELECT * FROM read_csv('/etc/passwd')",
        "PIVOT gold.fact_orders ON id USING sum(amount)",
    ],
)
def test_it_is_refused(engine: DuckDBEngine, state: FakeState, sql: str) -> None:
    with pytest.raises(QueryRefusedError):
        engine.query(sql, at=state)
    assert engine.query("SELECT count(*) FROM gold.fact_orders", at=state).rows == [(10,)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "  -- a comment\n SELECT 1 ;",
        "(SELECT 1)",
        "WITH a AS (SELECT 1) SELECT * FROM a",
        "FROM gold.fact_orders LIMIT 1",
        "VALUES (1), (2)",
        "SELECT * FROM range(3)",
        "SELECT unnest([1, 2])",
        "DESCRIBE gold.fact_orders",
        "SUMMARIZE gold.fact_orders",
        "SHOW ALL TABLES",
        "EXPLAIN SELECT * FROM gold.fact_orders",
        "EXPLAIN ANALYZE SELECT * FROM gold.fact_orders",
        "SELECT 'DROP TABLE x; --'",
        "SELECT * FROM (PIVOT gold.fact_orders ON id IN (1, 2) USING sum(amount))",
        "SELECT table_name FROM information_schema.tables",
    ],
)
def test_it_is_allowed(engine: DuckDBEngine, state: FakeState, sql: str) -> None:
    assert engine.query(sql, at=state).rows


def test_a_file_is_not_a_table_even_inside_the_warehouse(
    engine: DuckDBEngine, state: FakeState, warehouse: Path
) -> None:
    for sql in (f"SELECT * FROM '{warehouse}/orders.parquet'", f"FROM read_parquet('{warehouse}/*.parquet')"):
        with pytest.raises(QueryRefusedError):
            engine.query(sql, at=state)


def test_the_second_wall_stands_without_the_first(tmp_path: Path) -> None:
    warehouse = tmp_path / "warehouse"
    warehouse.mkdir()
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    with connect(readable=[warehouse], threads=1) as con:
        for sql in (
            f"SELECT * FROM read_csv('{secret}')",
            f"SELECT * FROM '{secret}'",
            f"COPY (SELECT 1) TO '{tmp_path}/out.csv'",
            f"ATTACH '{tmp_path}/x.db'",
            "INSTALL httpfs",
            "SET enable_external_access = true",
            "SET allowed_directories = ['/']",
            "SET python_enable_replacements = true",
        ):
            with pytest.raises(duckdb.Error):
                con.execute(sql)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["secret.csv", "warehouse"]


def test_a_variable_of_the_caller_is_not_a_table(engine: DuckDBEngine, state: FakeState) -> None:
    rows = engine.query("SELECT 1", at=state)  # noqa: F841 - the name that the query tries to reach
    with engine.session(state) as cursor, pytest.raises(duckdb.CatalogException):
        cursor.execute("SELECT * FROM rows")


def test_the_check_is_remembered() -> None:
    readonly._check.cache_clear()
    check("SELECT 41 + 1")
    check("SELECT 41 + 1")
    assert readonly._check.cache_info().hits == 1


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('x') LIMIT 5",
        "SELECT 1; DROP TABLE a LIMIT 5",
        "DELETE FROM a LIMIT 5 OFFSET 2",
        "COPY a TO 'x' LIMIT 1",
    ],
)
def test_a_bound_at_the_end_changes_no_judgement(sql: str) -> None:
    check("SELECT * FROM a LIMIT 5")
    with pytest.raises((QueryRefusedError, QueryError)):
        check(sql)
