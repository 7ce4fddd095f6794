"""Concurrent appends of real clients: every commit succeeds, and no row is lost or there twice."""

import io
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import duckdb
import fastavro
import httpx2
import pyarrow as pa
import pytest
from pyiceberg.catalog.rest import RestCatalog
from starlette.applications import Starlette
from starlette.types import ASGIApp

from ingot.engines.duckdb import connect
from ingot.lake import Lake, files, manifests
from ingot.lake.rebase import FROM, SWITCH

from ..conftest import url  # noqa: F401 - on both databases
from .test_traps import LosesAnswers

pytestmark = pytest.mark.slow

Attach = Callable[..., duckdb.DuckDBPyConnection]

WRITER = """
import sys
from ingot.engines.duckdb import connect
address, table, writer, count = sys.argv[1:]
with connect(extensions=("avro", "httpfs", "iceberg")) as con:
    con.execute(f"ATTACH 'main' AS lake (TYPE iceberg, ENDPOINT '{address}/iceberg', AUTHORIZATION_TYPE none)")
    for index in range(int(count)):
        con.execute(f"INSERT INTO lake.{table} VALUES ({writer}, {index})")
"""


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


@pytest.fixture
def main(attach: Attach) -> duckdb.DuckDBPyConnection:
    con = attach("main")
    con.execute("CREATE SCHEMA lake.s")
    con.execute("CREATE TABLE lake.s.t (w INTEGER, i INTEGER)")
    return con


def rows(con: duckdb.DuckDBPyConnection, table: str = "lake.s.t") -> list[tuple[Any, ...]]:
    return con.execute(f"SELECT w, i FROM {table} ORDER BY ALL").fetchall()


def begun(con: duckdb.DuckDBPyConnection, *statements: str) -> None:
    """A transaction that has seen the table and is not committed yet."""
    con.execute("BEGIN")
    for statement in statements:
        con.execute(statement)


def test_duckdb_processes_append_to_one_table_and_every_commit_succeeds(
    main: duckdb.DuckDBPyConnection, address: str, lake: Lake
) -> None:
    """DuckDB does not try again, so each refusal would end a process."""
    command = [sys.executable, "-c", WRITER, address, "s.t"]
    writers = [subprocess.Popen([*command, str(number), "8"]) for number in range(4)]
    assert [one.wait(60) for one in writers] == [0] * 4
    assert rows(main) == [(writer, index) for writer in range(4) for index in range(8)]
    metadata = lake.at("main").table("s.t").metadata
    sequences = [one["sequence-number"] for one in metadata["snapshots"]]
    assert sequences == list(range(1, 33))
    assert metadata["snapshots"][-1]["summary"]["total-records"] == "32"
    parents = [one.get("parent-snapshot-id") for one in metadata["snapshots"]]
    assert parents[1:] == [one["snapshot-id"] for one in metadata["snapshots"]][:-1]
    log = list(lake.catalog.log(lake.catalog.ref("main").hash))
    assert len([one for one in log if one.message == "Commit to s.t"]) == 33  # with its creation


@pytest.mark.slow
def test_pyiceberg_and_duckdb_append_side_by_side(main: duckdb.DuckDBPyConnection, address: str) -> None:
    def append(writer: int) -> None:
        catalog = RestCatalog("lake", uri=f"{address}/iceberg", warehouse="main")
        table = catalog.load_table("s.t")
        for index in range(6):
            row = {"w": pa.array([writer], pa.int32()), "i": pa.array([index], pa.int32())}
            table.append(pa.table(row))
        catalog.close()

    def insert(writer: int) -> None:
        subprocess.run(
            [sys.executable, "-c", WRITER, address, "s.t", str(writer), "6"], check=True, timeout=60
        )

    with ThreadPoolExecutor(4) as pool:
        done = [
            pool.submit(append, 0),
            pool.submit(append, 1),
            pool.submit(insert, 2),
            pool.submit(insert, 3),
        ]
        for one in done:
            one.result()
    assert rows(main) == [(writer, index) for writer in range(4) for index in range(6)]
    catalog = RestCatalog("lake", uri=f"{address}/iceberg", warehouse="main")
    assert catalog.load_table("s.t").scan().to_arrow().num_rows == 24
    catalog.close()


def test_a_transaction_of_several_inserts_keeps_its_snapshots(
    main: duckdb.DuckDBPyConnection, other: duckdb.DuckDBPyConnection, lake: Lake
) -> None:
    begun(main, "INSERT INTO lake.s.t VALUES (1, 1)", "INSERT INTO lake.s.t VALUES (1, 2)")
    other.execute("INSERT INTO lake.s.t VALUES (2, 1)")
    main.execute("COMMIT")
    assert rows(main) == rows(other) == [(1, 1), (1, 2), (2, 1)]
    snapshots = lake.at("main").table("s.t").metadata["snapshots"]
    assert [one["summary"]["total-records"] for one in snapshots] == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        ("UPDATE lake.s.t SET i = 7", "INSERT INTO lake.s.t VALUES (2, 2)"),
        ("DELETE FROM lake.s.t WHERE w = 0", "INSERT INTO lake.s.t VALUES (2, 2)"),
        ("INSERT INTO lake.s.t VALUES (2, 2)", "UPDATE lake.s.t SET i = 7"),
        ("INSERT INTO lake.s.t VALUES (2, 2)", "DELETE FROM lake.s.t WHERE w = 0"),
        (
            "INSERT INTO lake.s.t VALUES (2, 2)",
            "ALTER TABLE lake.s.t ADD c INT; INSERT INTO lake.s.t VALUES (3, 3, 3)",
        ),
        ("INSERT INTO lake.s.t VALUES (2, 2)", "DROP TABLE lake.s.t"),
    ],
)
def test_what_is_no_plain_append_on_both_sides_is_refused(
    main: duckdb.DuckDBPyConnection, other: duckdb.DuckDBPyConnection, lake: Lake, mine: str, theirs: str
) -> None:
    main.execute("INSERT INTO lake.s.t VALUES (0, 0), (1, 1)")
    begun(main, mine)
    other.execute(theirs)
    head = lake.catalog.ref("main").hash
    with pytest.raises(duckdb.Error):
        main.execute("COMMIT")
    assert lake.catalog.ref("main").hash == head


def test_an_insert_after_a_delete_of_the_same_transaction_is_refused(
    main: duckdb.DuckDBPyConnection, other: duckdb.DuckDBPyConnection
) -> None:
    main.execute("INSERT INTO lake.s.t VALUES (0, 0), (1, 1)")
    begun(main, "INSERT INTO lake.s.t VALUES (2, 2)", "DELETE FROM lake.s.t WHERE w = 0")
    other.execute("INSERT INTO lake.s.t VALUES (3, 3)")
    with pytest.raises(duckdb.Error):
        main.execute("COMMIT")
    assert rows(other) == [(0, 0), (1, 1), (3, 3)]


def test_a_table_can_refuse_to_be_rebased(
    main: duckdb.DuckDBPyConnection, other: duckdb.DuckDBPyConnection, lake: Lake
) -> None:
    staged = lake.stage_properties("s.t", {SWITCH: "false"}, on="main")
    lake.commit("main", [staged], message="strict")
    begun(main, "INSERT INTO lake.s.t VALUES (1, 1)")
    other.execute("INSERT INTO lake.s.t VALUES (2, 2)")
    with pytest.raises(duckdb.Error, match=SWITCH):
        main.execute("COMMIT")
    assert rows(other) == [(2, 2)]


def test_version_3_rows_get_numbers_that_nobody_else_has(
    main: duckdb.DuckDBPyConnection, other: duckdb.DuckDBPyConnection, lake: Lake
) -> None:
    main.execute("CREATE TABLE lake.s.v (w INTEGER, i INTEGER) WITH ('format-version' = '3')")
    main.execute("INSERT INTO lake.s.v VALUES (0, 0), (0, 1)")
    begun(main, "INSERT INTO lake.s.v VALUES (1, 0), (1, 1), (1, 2)")
    other.execute("INSERT INTO lake.s.v VALUES (2, 0), (2, 1), (2, 2), (2, 3)")
    main.execute("COMMIT")
    other.execute("INSERT INTO lake.s.v VALUES (3, 0)")
    metadata = lake.at("main").table("s.v").metadata
    given = [(one["first-row-id"], one["added-rows"]) for one in metadata["snapshots"]]
    assert given == [(0, 2), (2, 4), (6, 3), (9, 1)]
    assert metadata["next-row-id"] == 10
    ranges: list[int] = []
    for row in manifests.read_list(metadata["snapshots"][-1]["manifest-list"]):
        for entry in fastavro.reader(io.BytesIO(files.read(row["manifest_path"]))):
            assert entry["data_file"].get("first_row_id") is None
        ranges += range(row["first_row_id"], row["first_row_id"] + row["added_rows_count"])
    assert sorted(ranges) == list(range(10))
    assert len(rows(main, "lake.s.v")) == 10


def test_an_append_whose_answer_was_lost_after_a_rebase_is_there_once(
    main: duckdb.DuckDBPyConnection, other: duckdb.DuckDBPyConnection, flaky: LosesAnswers, lake: Lake
) -> None:
    begun(main, "INSERT INTO lake.s.t VALUES (1, 1)")
    other.execute("INSERT INTO lake.s.t VALUES (2, 2)")
    flaky.left = 1
    main.execute("COMMIT")
    assert flaky.lost == 1
    assert rows(main) == rows(other) == [(1, 1), (2, 2)]
    snapshots = lake.at("main").table("s.t").metadata["snapshots"]
    assert [FROM in one["summary"] for one in snapshots] == [False, True]


def test_a_merge_that_only_inserts_is_an_append_whose_keys_nobody_compares(
    main: duckdb.DuckDBPyConnection, other: duckdb.DuckDBPyConnection
) -> None:
    """DuckDB sends the same commit as for INSERT. Tables that need their keys unique switch this off."""
    statement = (
        "MERGE INTO lake.s.t USING (VALUES (1, 1)) s(w, i) ON t.w = s.w "
        "WHEN NOT MATCHED THEN INSERT VALUES (s.w, s.i)"
    )
    begun(main, statement)
    other.execute(statement)
    main.execute("COMMIT")
    assert rows(other) == [(1, 1), (1, 1)]


def test_locations_outside_of_the_warehouse_are_not_read(
    main: duckdb.DuckDBPyConnection, http: httpx2.Client, lake: Lake
) -> None:
    main.execute("INSERT INTO lake.s.t VALUES (1, 1)")
    head = lake.catalog.ref("main").hash
    for place, status in (("/etc/passwd", 403), (f"{lake.warehouse}/nothing.avro", 409)):
        snapshot = {
            "snapshot-id": 7,
            "sequence-number": 1,
            "timestamp-ms": 1,
            "manifest-list": place,
            "summary": {"operation": "append"},
            "schema-id": 0,
        }
        updates = [
            {"action": "add-snapshot", "snapshot": snapshot},
            {"action": "set-snapshot-ref", "ref-name": "main", "type": "branch", "snapshot-id": 7},
        ]
        answer = http.post("/main/namespaces/s/tables/t", json={"requirements": [], "updates": updates})
        assert answer.status_code == status
    assert lake.catalog.ref("main").hash == head


def test_files_that_are_no_manifests_are_refused(
    main: duckdb.DuckDBPyConnection, http: httpx2.Client, lake: Lake
) -> None:
    main.execute("INSERT INTO lake.s.t VALUES (1, 1)")
    table = lake.at("main").table("s.t")
    good = manifests.list_rows(table.metadata["snapshots"][-1]["manifest-list"])[0]
    schema = {"type": "record", "name": "r", "fields": [{"name": "a", "type": "int"}]}
    stray = f"{table.location}/metadata/stray.avro"
    files.write(stray, avro(schema, [{"a": 1}]))
    fake = f"{table.location}/metadata/fake.avro"
    row = {**good, "manifest_path": stray}
    files.write(fake, manifests.manifest_list([row], snapshot_id=7, parent=None, sequence=1))
    head = lake.catalog.ref("main").hash
    for number, place in enumerate((stray, fake)):
        snapshot = {
            "snapshot-id": 7 + number,
            "sequence-number": 1,
            "timestamp-ms": 1,
            "manifest-list": place,
            "summary": {"operation": "append"},
        }
        updates = [
            {"action": "add-snapshot", "snapshot": snapshot},
            {"action": "set-snapshot-ref", "ref-name": "main", "type": "branch", "snapshot-id": 7 + number},
        ]
        answer = http.post("/main/namespaces/s/tables/t", json={"requirements": [], "updates": updates})
        assert answer.status_code == 409
    assert lake.catalog.ref("main").hash == head


def avro(schema: dict[str, Any], records: list[dict[str, Any]]) -> bytes:
    out = io.BytesIO()
    fastavro.writer(out, schema, records)
    return out.getvalue()
