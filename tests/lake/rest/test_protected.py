"""A protected branch as clients meet it: they read it, write beside it, and it moves by merges."""

from collections.abc import Callable
from typing import Any

import duckdb
import httpx2
import pyarrow as pa
import pytest
from pyiceberg.catalog.rest import RestCatalog
from pyiceberg.exceptions import ForbiddenError

from ingot.lake import Lake

Attach = Callable[..., duckdb.DuckDBPyConnection]


@pytest.fixture
def con(attach: Attach, lake: Lake) -> duckdb.DuckDBPyConnection:
    """`lake` is the protected `main` with one table, `dev` a branch of it."""
    con = attach("main")
    con.execute("CREATE SCHEMA lake.s")
    con.execute("CREATE TABLE lake.s.t AS SELECT 1 AS i")
    lake.branch("dev")
    lake.catalog.protect("main")
    return attach("dev", "dev")


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO lake.s.t VALUES (2)",
        "DELETE FROM lake.s.t",
        "CREATE TABLE lake.s.u AS SELECT 1 AS i",
        "DROP TABLE lake.s.t",
        "ALTER TABLE lake.s.t RENAME TO u",
        "CREATE SCHEMA lake.other",
    ],
)
def test_statements_on_it_are_refused_and_change_nothing(
    con: duckdb.DuckDBPyConnection, lake: Lake, statement: str
) -> None:
    head = lake.catalog.ref("main").hash
    with pytest.raises(duckdb.Error, match="protected"):
        con.execute(statement)
    assert lake.catalog.ref("main").hash == head
    assert con.execute("FROM lake.s.t").fetchall() == [(1,)]


def test_what_was_written_beside_it_comes_by_a_merge(con: duckdb.DuckDBPyConnection, lake: Lake) -> None:
    con.execute("INSERT INTO dev.s.t VALUES (2)")
    lake.merge("dev")
    assert con.execute("FROM lake.s.t ORDER BY i").fetchall() == [(1,), (2,)]


def test_other_clients_are_told_in_the_words_of_the_specification(
    con: duckdb.DuckDBPyConnection, address: str, http: httpx2.Client
) -> None:
    catalog = RestCatalog("lake", uri=f"{address}/iceberg", warehouse="main")
    with pytest.raises(ForbiddenError, match="moves only by merges"):
        catalog.load_table("s.t").append(pa.table({"i": pa.array([2], pa.int32())}))
    catalog.close()
    answer = http.delete("/main/namespaces/s/tables/t")
    error: dict[str, Any] = answer.json()["error"]
    assert (answer.status_code, error["code"], error["type"]) == (403, 403, "ForbiddenException")
