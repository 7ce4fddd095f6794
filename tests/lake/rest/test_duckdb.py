"""DuckDB as a client: attached refs, DDL, DML, and what one ref sees of another."""

from collections.abc import Callable
from typing import Any

import duckdb
import pytest

from ingot.engines.duckdb import connect
from ingot.lake import Lake

pytestmark = pytest.mark.slow

Attach = Callable[..., duckdb.DuckDBPyConnection]


def rows(con: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    return con.execute(query).fetchall()


def scanned(lake: Lake, ref: str, name: str, order: str) -> list[tuple[Any, ...]]:
    """The rows that the lake itself finds in a table."""
    with connect(extensions=("avro", "iceberg")) as con:
        return rows(con, f"SELECT * FROM {lake.at(ref).scan(name)} ORDER BY {order}")


@pytest.fixture
def main(attach: Attach) -> duckdb.DuckDBPyConnection:
    con = attach("main")
    con.execute("CREATE SCHEMA lake.s")
    con.execute("CREATE TABLE lake.s.t AS SELECT i, 'x' || i AS n FROM range(5) t(i)")
    return con


def test_rows_are_inserted_updated_deleted_and_merged(main: duckdb.DuckDBPyConnection, lake: Lake) -> None:
    main.execute("INSERT INTO lake.s.t VALUES (10, 'y')")
    main.execute("UPDATE lake.s.t SET n = 'z' WHERE i = 3")
    main.execute("DELETE FROM lake.s.t WHERE i = 0")
    main.execute(
        "MERGE INTO lake.s.t USING (VALUES (1, 'm'), (99, 'new')) s(i, n) ON t.i = s.i "
        "WHEN MATCHED THEN UPDATE SET n = s.n WHEN NOT MATCHED THEN INSERT VALUES (s.i, s.n)"
    )
    expected = [(1, "m"), (2, "x2"), (3, "z"), (4, "x4"), (10, "y"), (99, "new")]
    assert rows(main, "FROM lake.s.t ORDER BY i") == expected
    assert scanned(lake, "main", "s.t", "i") == expected


def test_each_statement_is_one_commit_in_the_log(main: duckdb.DuckDBPyConnection, lake: Lake) -> None:
    before = len(list(lake.catalog.log(lake.catalog.ref("main").hash)))
    main.execute("BEGIN")
    main.execute("INSERT INTO lake.s.t VALUES (10, 'y')")
    main.execute("INSERT INTO lake.s.t VALUES (11, 'y')")
    main.execute("COMMIT")
    log = list(lake.catalog.log(lake.catalog.ref("main").hash))
    assert len(log) == before + 1
    assert log[0].message == "Commit to s.t"


def test_columns_are_added_renamed_widened_and_dropped(main: duckdb.DuckDBPyConnection, lake: Lake) -> None:
    main.execute("ALTER TABLE lake.s.t ADD COLUMN c INTEGER")
    main.execute("ALTER TABLE lake.s.t RENAME COLUMN n TO name")
    main.execute("ALTER TABLE lake.s.t ALTER COLUMN c TYPE BIGINT")
    main.execute("INSERT INTO lake.s.t VALUES (7, 'seven', 1099511627776)")
    assert rows(main, "SELECT name, c FROM lake.s.t WHERE i IN (1, 7) ORDER BY i") == [
        ("x1", None),
        ("seven", 1099511627776),
    ]
    main.execute("ALTER TABLE lake.s.t DROP COLUMN name")
    main.execute("ALTER TABLE lake.s.t ADD COLUMN name VARCHAR")
    assert rows(main, "SELECT DISTINCT name FROM lake.s.t") == [(None,)]
    assert [column.name for column in lake.at("main").table("s.t").schema] == ["i", "c", "name"]


def test_tables_are_renamed_and_dropped(main: duckdb.DuckDBPyConnection, lake: Lake) -> None:
    main.execute("ALTER TABLE lake.s.t RENAME TO u")
    assert lake.at("main").tables == ("s.u",)
    with pytest.raises(duckdb.Error):
        main.execute("DROP SCHEMA lake.s")
    main.execute("DROP TABLE lake.s.u")
    main.execute("DROP SCHEMA lake.s")
    assert lake.at("main").tables == ()
    assert lake.at("main").namespaces == ()


def test_partitioned_tables_are_written_and_pruned(main: duckdb.DuckDBPyConnection, lake: Lake) -> None:
    main.execute("CREATE TABLE lake.s.p (d DATE, r VARCHAR, n INTEGER) PARTITIONED BY (month(d), r)")
    main.execute(
        "INSERT INTO lake.s.p SELECT DATE '2026-01-01' + i::INT, 'r' || (i % 2), i FROM range(60) t(i)"
    )
    main.execute("DELETE FROM lake.s.p WHERE d = DATE '2026-02-03'")
    assert rows(main, "SELECT count(*), sum(n) FROM lake.s.p WHERE d >= DATE '2026-02-01'") == [
        (28, sum(range(31, 60)) - 33)
    ]
    # Two regions in January and in February, one on the first of March.
    assert len(lake.at("main").table("s.p").files) == 5
    assert len(scanned(lake, "main", "s.p", "d")) == 59


def test_a_table_that_becomes_partitioned_can_still_be_written(main: duckdb.DuckDBPyConnection) -> None:
    """DuckDB refuses a target file size on partitioned tables, and keeps the one it was shown before."""
    main.execute("ALTER TABLE lake.s.t SET PARTITIONED BY (bucket(4, i))")
    main.execute("INSERT INTO lake.s.t VALUES (100, 'later')")
    assert rows(main, "SELECT count(*) FROM lake.s.t") == [(6,)]


def test_version_3_tables_have_defaults_variants_and_deletes(main: duckdb.DuckDBPyConnection) -> None:
    main.execute("CREATE TABLE lake.s.v (a INTEGER DEFAULT 5, v VARIANT) WITH ('format-version' = '3')")
    main.execute("INSERT INTO lake.s.v (v) VALUES (1::VARIANT), ('two'::VARIANT)")
    main.execute("DELETE FROM lake.s.v WHERE v::VARCHAR = '1'")
    main.execute("INSERT INTO lake.s.v VALUES (6, NULL)")
    assert rows(main, "SELECT a, v::VARCHAR FROM lake.s.v ORDER BY a") == [(5, "two"), (6, None)]


def test_a_branch_is_attached_beside_main_and_keeps_its_changes_to_itself(
    main: duckdb.DuckDBPyConnection, attach: Attach, lake: Lake
) -> None:
    lake.branch("feature/new-prices")
    attach("feature/new-prices", "dev")
    main.execute("UPDATE dev.s.t SET n = 'changed' WHERE i = 2")
    main.execute("CREATE TABLE dev.s.only_here AS SELECT 1 AS one")
    assert rows(main, "FROM dev.s.t EXCEPT FROM lake.s.t") == [(2, "changed")]
    assert rows(main, "FROM lake.s.t EXCEPT FROM dev.s.t") == [(2, "x2")]
    assert lake.at("main").tables == ("s.t",)
    assert lake.at("feature/new-prices").tables == ("s.only_here", "s.t")


def test_a_merged_branch_is_what_main_shows_next(
    main: duckdb.DuckDBPyConnection, attach: Attach, lake: Lake
) -> None:
    lake.branch("dev")
    attach("dev", "dev")
    main.execute("DELETE FROM dev.s.t WHERE i < 4")
    lake.merge("dev")
    assert rows(main, "FROM lake.s.t") == [(4, "x4")]


def test_tags_and_commits_are_read_and_never_written(
    main: duckdb.DuckDBPyConnection, attach: Attach, lake: Lake
) -> None:
    lake.tag("v1")
    head = lake.catalog.ref("main").hash
    main.execute("DELETE FROM lake.s.t")
    attach("v1", "v1")
    attach(f"main@{head}", "past")
    assert rows(main, "SELECT count(*) FROM v1.s.t") == [(5,)]
    assert rows(main, "SELECT count(*) FROM past.s.t") == [(5,)]
    for catalog in ("v1", "past"):
        with pytest.raises(duckdb.Error, match="never changes"):
            main.execute(f"INSERT INTO {catalog}.s.t VALUES (1, 'no')")
    assert lake.catalog.ref("v1").hash == head


def test_a_mistyped_ref_is_refused_when_it_is_attached(
    main: duckdb.DuckDBPyConnection, attach: Attach
) -> None:
    with pytest.raises(duckdb.Error, match="404"):
        attach("mian", "typo")


def test_the_server_makes_duckdb_write_files_of_a_good_size(
    main: duckdb.DuckDBPyConnection, lake: Lake
) -> None:
    """By itself it would cut these rows, which it cannot compress, into more than one file."""
    main.execute(
        "CREATE TABLE lake.s.big AS SELECT md5(i::VARCHAR) || md5((i + 1)::VARCHAR) AS h FROM range(600_000) t(i)"
    )
    assert len(lake.at("main").table("s.big").files) == 1


def test_tables_of_the_lake_are_read_and_written_by_duckdb(
    attach: Attach, lake: Lake, duck: duckdb.DuckDBPyConnection
) -> None:
    with connect() as con:
        staged = lake.stage(
            con, "gold.orders", "SELECT i AS id, i * 2.5 AS amount FROM range(4) t(i)", on="main"
        )
    lake.commit("main", [staged], message="orders")
    attach("main")
    duck.execute("INSERT INTO lake.gold.orders VALUES (9, 1.5)")
    duck.execute("DELETE FROM lake.gold.orders WHERE id = 0")
    assert [row[0] for row in scanned(lake, "main", "gold.orders", "id")] == [1, 2, 3, 9]


def test_a_ref_in_the_address_is_the_one_that_is_attached(
    main: duckdb.DuckDBPyConnection, address: str, lake: Lake
) -> None:
    lake.branch("dev")
    main.execute("DROP TABLE lake.s.t")
    main.execute(
        f"ATTACH '' AS dev (TYPE iceberg, ENDPOINT '{address}/iceberg/dev', AUTHORIZATION_TYPE none)"
    )
    assert rows(main, "SELECT count(*) FROM dev.s.t") == [(5,)]
