"""What has lost or damaged data with other catalogs, and must not here.

T1 lost update, T2 answer lost after a commit, T3 partial commit, T4 error after success, T5 deletes after
the partitioning changed. The numbers are those of the project's notes on catalogs.
"""

from collections.abc import Callable, Iterator
from typing import Any

import duckdb
import httpx2
import pyarrow as pa
import pytest
from pyiceberg.catalog.rest import RestCatalog
from starlette.applications import Starlette
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ingot.engines.duckdb import connect
from ingot.lake import Lake

pytestmark = pytest.mark.slow

Attach = Callable[..., duckdb.DuckDBPyConnection]


class LosesAnswers:
    """Between client and server: while armed, the server does its work and the client hears of a failure."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.left = 0
        self.lost = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        commits = scope["type"] == "http" and scope["method"] == "POST" and self.left > 0
        if not commits:
            await self.app(scope, receive, send)
            return
        self.left -= 1
        self.lost += 1

        async def swallow(_: Message) -> None:
            return

        await self.app(scope, receive, swallow)
        await send({"type": "http.response.start", "status": 503, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def flaky(app: Starlette) -> LosesAnswers:
    return LosesAnswers(app)


@pytest.fixture
def address(flaky: LosesAnswers, serve: Callable[[ASGIApp], str]) -> str:
    return serve(flaky)


@pytest.fixture
def other(address: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """A second writer."""
    with connect(extensions=("avro", "httpfs", "iceberg")) as con:
        con.execute(
            f"ATTACH 'main' AS lake (TYPE iceberg, ENDPOINT '{address}/iceberg', AUTHORIZATION_TYPE none)"
        )
        yield con


def values(con: duckdb.DuckDBPyConnection, table: str) -> list[Any]:
    return [row[0] for row in con.execute(f"SELECT i FROM {table} ORDER BY i").fetchall()]


def test_t1_rows_of_another_writer_survive_a_commit_that_forgot_its_requirements(
    attach: Attach, other: duckdb.DuckDBPyConnection
) -> None:
    con = attach("main")
    con.execute("CREATE SCHEMA lake.s")
    con.execute("CREATE TABLE lake.s.t (i INTEGER)")
    con.execute("BEGIN")
    con.execute("INSERT INTO lake.s.t VALUES (1)")
    con.execute("CREATE TABLE lake.s.new (i INTEGER)")
    other.execute("INSERT INTO lake.s.t VALUES (10), (11)")
    con.execute("COMMIT")
    assert values(other, "lake.s.t") == [1, 10, 11]


def test_t1_a_change_that_forgot_its_requirements_is_refused_where_it_is_no_append(
    attach: Attach, other: duckdb.DuckDBPyConnection
) -> None:
    con = attach("main")
    con.execute("CREATE SCHEMA lake.s")
    con.execute("CREATE TABLE lake.s.t AS SELECT 1 AS i")
    con.execute("BEGIN")
    con.execute("UPDATE lake.s.t SET i = 2")
    con.execute("CREATE TABLE lake.s.new (i INTEGER)")
    other.execute("INSERT INTO lake.s.t VALUES (10), (11)")
    with pytest.raises(duckdb.Error):
        con.execute("COMMIT")
    assert values(other, "lake.s.t") == [1, 10, 11]


def test_t2_a_commit_whose_answer_is_lost_is_applied_once_and_readable(
    attach: Attach, flaky: LosesAnswers, other: duckdb.DuckDBPyConnection, lake: Lake
) -> None:
    con = attach("main")
    con.execute("CREATE SCHEMA lake.s")
    con.execute("CREATE TABLE lake.s.t AS SELECT 1 AS i")
    flaky.left = 1
    con.execute("INSERT INTO lake.s.t VALUES (2)")
    assert flaky.lost == 1
    assert values(con, "lake.s.t") == values(other, "lake.s.t") == [1, 2]
    assert len(lake.at("main").table("s.t").metadata["snapshots"]) == 2


def test_t2_a_table_whose_creation_is_answered_late_is_there_once(
    attach: Attach, flaky: LosesAnswers, other: duckdb.DuckDBPyConnection
) -> None:
    con = attach("main")
    con.execute("CREATE SCHEMA lake.s")
    con.execute("BEGIN")
    con.execute("CREATE TABLE lake.s.t AS SELECT 1 AS i")
    flaky.left = 1
    con.execute("COMMIT")
    assert flaky.lost == 1
    assert values(other, "lake.s.t") == [1]


def test_t2_the_same_request_sent_again_by_hand_gets_the_same_answer(
    address: str, http: httpx2.Client, lake: Lake
) -> None:
    seen: list[bytes] = []
    catalog = RestCatalog("lake", uri=f"{address}/iceberg", warehouse="main")
    catalog.create_namespace("s")
    table = catalog.create_table("s.t", pa.schema({"i": pa.int64()}))
    session: Any = catalog._session
    send = session.send

    def watched(request: Any, **rest: Any) -> Any:
        seen.append(request.body or b"")
        return send(request, **rest)

    session.send = watched
    table.append(pa.table({"i": [1]}))
    catalog.close()
    body = next(sent for sent in seen if b"add-snapshot" in sent)
    head = lake.catalog.ref("main").hash
    again = http.post("/main/namespaces/s/tables/t", content=body)
    assert again.status_code == 200
    assert again.json()["metadata"]["current-snapshot-id"] == lake.at("main").table("s.t").snapshot_id
    assert lake.catalog.ref("main").hash == head


def test_t3_tables_that_exist_move_together_or_not_at_all(
    attach: Attach, other: duckdb.DuckDBPyConnection
) -> None:
    con = attach("main")
    con.execute("CREATE SCHEMA lake.s")
    for name in ("a", "b"):
        con.execute(f"CREATE TABLE lake.s.{name} AS SELECT 1 AS i")
    con.execute("BEGIN")
    con.execute("INSERT INTO lake.s.a VALUES (2)")
    con.execute("UPDATE lake.s.b SET i = 2")
    other.execute("INSERT INTO lake.s.b VALUES (3)")
    with pytest.raises(duckdb.Error):
        con.execute("COMMIT")
    assert values(other, "lake.s.a") == [1]
    assert values(other, "lake.s.b") == [1, 3]


def test_t3_and_t4_on_a_branch_hurt_nobody(
    attach: Attach, other: duckdb.DuckDBPyConnection, lake: Lake
) -> None:
    """DuckDB reports an error after it has renamed: main shows nothing of it until the branch is merged."""
    con = attach("main")
    con.execute("CREATE SCHEMA lake.s")
    con.execute("CREATE TABLE lake.s.t AS SELECT 1 AS i")
    lake.branch("run/1")
    attach("run/1", "run")
    con.execute("BEGIN")
    con.execute("CREATE TABLE run.s.t__tmp AS SELECT 2 AS i")
    swap = "ALTER TABLE run.s.t RENAME TO t__bk; ALTER TABLE run.s.t__tmp RENAME TO t; COMMIT"
    with pytest.raises(duckdb.Error):
        con.execute(swap)
    assert values(other, "lake.s.t") == [1]
    assert lake.at("main").tables == ("s.t",)


def test_t5_duckdb_cannot_hide_deletions_from_other_engines(
    attach: Attach, address: str, other: duckdb.DuckDBPyConnection
) -> None:
    """DuckDB 1.5.5 files them under the new partitioning, where nobody but itself would find them."""
    con = attach("main")
    con.execute("CREATE SCHEMA lake.s")
    con.execute("CREATE TABLE lake.s.t (i INTEGER, d TIMESTAMP) PARTITIONED BY (day(d))")
    con.execute("INSERT INTO lake.s.t VALUES (1, '2026-01-01'), (2, '2026-01-02')")
    con.execute("DELETE FROM lake.s.t WHERE i = 1")
    con.execute("ALTER TABLE lake.s.t SET PARTITIONED BY (hour(d))")
    con.execute("INSERT INTO lake.s.t VALUES (3, '2026-01-03')")
    for statement in ("DELETE FROM lake.s.t WHERE i = 2", "UPDATE lake.s.t SET i = 4 WHERE i = 2"):
        with pytest.raises(duckdb.Error, match="other engines would still see them"):
            con.execute(statement)
    assert values(other, "lake.s.t") == [2, 3]
    catalog = RestCatalog("lake", uri=f"{address}/iceberg", warehouse="main")
    assert sorted(catalog.load_table("s.t").scan().to_arrow().column("i").to_pylist()) == [2, 3]
    catalog.close()


def test_t5_a_table_whose_rows_all_have_the_new_partitioning_takes_deletions(
    attach: Attach, address: str
) -> None:
    con = attach("main")
    con.execute("CREATE SCHEMA lake.s")
    con.execute("CREATE TABLE lake.s.t (i INTEGER)")
    con.execute("ALTER TABLE lake.s.t SET PARTITIONED BY (bucket(2, i))")
    con.execute("INSERT INTO lake.s.t VALUES (1), (2), (3)")
    con.execute("DELETE FROM lake.s.t WHERE i = 2")
    assert values(con, "lake.s.t") == [1, 3]
    catalog = RestCatalog("lake", uri=f"{address}/iceberg", warehouse="main")
    assert sorted(catalog.load_table("s.t").scan().to_arrow().column("i").to_pylist()) == [1, 3]
    catalog.close()
