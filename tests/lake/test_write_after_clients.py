"""Replacing, upserting and pruning in tables that other clients wrote to, and what those clients read then."""

from collections.abc import Iterator
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from pyiceberg.catalog.rest import RestCatalog
from starlette.applications import Starlette
from starlette.routing import Mount

from ingot.engines.duckdb import connect
from ingot.lake import Lake
from ingot.lake.conditions import Condition
from ingot.lake.rest import routes
from tests.lake.files_only import url  # noqa: F401
from tests.lake.rest.conftest import serving

Con = duckdb.DuckDBPyConnection


@pytest.fixture
def address(lake: Lake) -> Iterator[str]:
    with serving(Starlette(routes=[Mount("/iceberg", routes=routes(lake))])) as served:
        yield served


@pytest.fixture
def con(address: str) -> Iterator[Con]:
    made = connect(extensions=("avro", "httpfs", "iceberg"))
    made.execute(
        f"ATTACH 'main' AS lake (TYPE iceberg, ENDPOINT '{address}/iceberg', AUTHORIZATION_TYPE none)"
    )
    yield made
    made.close()


@pytest.fixture
def pyiceberg(address: str) -> Iterator[RestCatalog]:
    catalog = RestCatalog("lake", uri=f"{address}/iceberg")
    yield catalog
    catalog.close()


def write(lake: Lake, con: Con, source: Any, **options: Any) -> None:
    lake.commit("main", [lake.stage(con, "s.t", source, on="main", **options)], message="write")


def check(lake: Lake, con: Con, pyiceberg: RestCatalog, expected: list[tuple[Any, ...]]) -> None:
    """The same rows for Ingot, for DuckDB's Iceberg reader and for PyIceberg, and the same count in the metadata."""
    assert con.execute(f"SELECT p, i, v FROM {lake.at().scan('s.t')} ORDER BY ALL").fetchall() == expected
    assert con.execute("SELECT p, i, v FROM lake.s.t ORDER BY ALL").fetchall() == expected
    rows = pyiceberg.load_table("s.t").scan().to_arrow().to_pylist()
    assert sorted((row["p"], row["i"], row["v"]) for row in rows) == expected
    assert lake.at().table("s.t").rows == len(expected)


def start(lake: Lake, con: Con, pyiceberg: RestCatalog) -> None:
    """Partition 0 and 1 by Ingot, rows of partition 1 and 2 by PyIceberg, one row deleted by DuckDB."""
    write(lake, con, "SELECT i % 2 AS p, i, 'ingot' AS v FROM range(6) r(i)", partition_by=["p"])
    theirs = pa.table(
        {"p": [1, 2], "i": [10, 20], "v": ["py", "py"]}, pyiceberg.load_table("s.t").schema().as_arrow()
    )
    pyiceberg.load_table("s.t").append(theirs)
    con.execute("DELETE FROM lake.s.t WHERE i IN (0, 3)")


START = [(0, 2, "ingot"), (0, 4, "ingot"), (1, 1, "ingot"), (1, 5, "ingot"), (1, 10, "py"), (2, 20, "py")]


def test_partitions_of_other_writers_are_replaced_with_their_deletions(
    lake: Lake, con: Con, pyiceberg: RestCatalog
) -> None:
    start(lake, con, pyiceberg)
    check(lake, con, pyiceberg, START)
    write(lake, con, "SELECT 1::BIGINT AS p, 3::BIGINT AS i, 'new' AS v", mode="overwrite_partitions")
    check(lake, con, pyiceberg, [(0, 2, "ingot"), (0, 4, "ingot"), (1, 3, "new"), (2, 20, "py")])
    write(
        lake,
        con,
        "SELECT * FROM (VALUES (0::BIGINT, 0::BIGINT, 'x'), (2, 0, 'x')) v(p, i, v)",
        mode="overwrite_partitions",
    )
    check(lake, con, pyiceberg, [(0, 0, "x"), (1, 3, "new"), (2, 0, "x")])
    # Nobody's deletions are left, so the plain reader takes over again.
    assert "iceberg_scan" not in lake.at().scan("s.t")


def test_an_upsert_does_not_bring_deleted_rows_back(lake: Lake, con: Con, pyiceberg: RestCatalog) -> None:
    start(lake, con, pyiceberg)
    write(
        lake,
        con,
        "SELECT 1::BIGINT AS p, i, 'new' AS v FROM (VALUES (5::BIGINT), (0)) r(i)",
        mode="upsert",
        by=["i"],
    )
    expected = [row for row in START if row[1] != 5] + [(1, 5, "new"), (1, 0, "new")]
    check(lake, con, pyiceberg, sorted(expected))
    assert "iceberg_scan" not in lake.at().scan("s.t")


def test_an_upsert_rewrites_files_of_other_writers(lake: Lake, con: Con, pyiceberg: RestCatalog) -> None:
    write(lake, con, "SELECT 0::BIGINT AS p, i, 'ingot' AS v FROM range(3) r(i)")
    table = pyiceberg.load_table("s.t")
    table.append(pa.table({"p": [0, 0], "i": [10, 11], "v": ["py", "py"]}, table.schema().as_arrow()))
    kept = set(lake.at().table("s.t").files)
    write(lake, con, "SELECT 0::BIGINT AS p, 11::BIGINT AS i, 'new' AS v", mode="upsert", by=["p", "i"])
    check(
        lake,
        con,
        pyiceberg,
        [(0, 0, "ingot"), (0, 1, "ingot"), (0, 2, "ingot"), (0, 10, "py"), (0, 11, "new")],
    )
    assert len(kept & set(lake.at().table("s.t").files)) == 1
    write(lake, con, "SELECT 0::BIGINT AS p, 1::BIGINT AS i, 'last' AS v")
    check(lake, con, pyiceberg, [(0, 1, "last")])


def test_files_of_other_writers_are_left_out_by_their_partition_and_bounds(lake: Lake, con: Con) -> None:
    write(
        lake,
        con,
        "SELECT DATE '2024-01-05' AS d, 'a' AS s, 1::BIGINT AS i",
        partition_by=["month(d)", "bucket(4, s)"],
    )
    con.execute(
        f"""INSERT INTO lake.s.t VALUES (DATE '2024-03-18', '{"b" * 20}', 5), (DATE '2024-06-26', 'c', NULL),
            (DATE '1969-11-22', 'd', 7), (NULL, NULL, 8)"""
    )
    for where in (
        Condition("s", "=", "b" * 20),
        Condition("s", ">", "b" * 19),
        Condition("i", "between", (2, 6)),
        Condition("d", "is null"),
        Condition("i", "is null"),
    ):
        pruned = lake.at().scan("s.t", where=[where])
        assert 0 < pruned.count(".parquet") < 5
        value = list(where.value) if where.op == "between" else [] if where.op == "is null" else [where.value]
        text = {"between": "BETWEEN ? AND ?", "is null": "IS NULL"}.get(where.op, f"{where.op} ?")
        query = f"SELECT * FROM {{}} WHERE {where.column} {text} ORDER BY ALL"
        found = con.execute(query.format(pruned), value).fetchall()
        assert found == con.execute(query.format(lake.at().scan("s.t")), value).fetchall()
        assert found
