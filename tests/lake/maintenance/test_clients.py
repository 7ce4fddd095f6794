"""Tables that unmodified clients wrote over REST: compacted, they read the same for all of them."""

from collections.abc import Iterator

import duckdb
import pyarrow as pa
import pytest
from pyiceberg.catalog.rest import RestCatalog
from starlette.applications import Starlette
from starlette.routing import Mount

from ingot.engines.duckdb.connect import load_extension
from ingot.lake import Lake, metadata
from ingot.lake.maintenance import Outcome, Step, maintain
from ingot.lake.rest import routes
from tests.lake.rest.conftest import serving

from .conftest import NOTHING, numbers


@pytest.fixture
def address(lake: Lake) -> Iterator[str]:
    with serving(Starlette(routes=[Mount("/iceberg", routes=routes(lake))])) as served:
        yield f"{served}/iceberg"


@pytest.fixture
def theirs(address: str) -> Iterator[RestCatalog]:
    catalog = RestCatalog("lake", uri=address, warehouse="main")
    yield catalog
    catalog.close()


def seen(catalog: RestCatalog) -> list[int]:
    return sorted(catalog.load_table("s.t").scan().to_arrow().column("i").to_pylist())


def test_rows_that_duckdb_deleted_and_updated_stay_so(
    lake: Lake, con: duckdb.DuckDBPyConnection, address: str, theirs: RestCatalog
) -> None:
    load_extension(con, "httpfs")
    con.execute(f"ATTACH 'main' AS duck (TYPE iceberg, ENDPOINT '{address}', AUTHORIZATION_TYPE none)")
    con.execute("CREATE SCHEMA duck.s")
    con.execute("CREATE TABLE duck.s.t (i BIGINT, d DATE) PARTITIONED BY (month(d))")
    for first in (0, 30, 60):
        con.execute(
            f"INSERT INTO duck.s.t SELECT i, DATE '2026-01-01' + (i % 60)::INT FROM range({first}, {first + 30}) r(i)"
        )
    con.execute("DELETE FROM duck.s.t WHERE i % 7 = 0")
    con.execute("UPDATE duck.s.t SET i = i + 1000 WHERE i % 7 = 1")
    expected = sorted(i + 1000 if i % 7 == 1 else i for i in range(90) if i % 7)
    assert seen(theirs) == expected
    (done,) = maintain(lake, con, steps=[Step.COMPACT]).tables
    assert done.outcome is Outcome.DONE, done
    snapshot = metadata.current_snapshot(lake.at().table("s.t").metadata)
    assert snapshot is not None
    assert snapshot["summary"]["total-delete-files"] == "0"
    assert numbers(lake, con) == seen(theirs) == expected
    assert sorted(row[0] for row in con.execute("SELECT i FROM duck.s.t").fetchall()) == expected
    # Both go on writing to it.
    con.execute("DELETE FROM duck.s.t WHERE i > 1000")
    con.execute("INSERT INTO duck.s.t VALUES (5000, DATE '2026-03-01')")
    expected = [i for i in expected if i <= 1000] + [5000]
    assert numbers(lake, con) == seen(theirs) == expected
    report = maintain(lake, con, policy=NOTHING)
    assert report.files_freed > 10
    assert numbers(lake, con) == seen(theirs) == expected


def test_what_pyiceberg_appended_and_deleted_stays_so(
    lake: Lake, con: duckdb.DuckDBPyConnection, theirs: RestCatalog
) -> None:
    theirs.create_namespace("s")
    schema = pa.schema([("i", pa.int64()), ("name", pa.string()), ("tags", pa.list_(pa.string()))])
    table = theirs.create_table("s.t", schema=schema)
    for first in range(0, 50, 10):
        rows = [
            {"i": i, "name": None if i % 3 else f"n{i}", "tags": [str(i)]} for i in range(first, first + 10)
        ]
        table.append(pa.Table.from_pylist(rows, schema=schema))
    table.delete("i >= 45")
    with table.update_schema() as change:
        change.rename_column("name", "label")
        change.add_column("extra", table.schema().find_field("i").field_type)
    before = sorted(theirs.load_table("s.t").scan().to_arrow().to_pylist(), key=lambda row: row["i"])
    assert len(before) == 45
    (done,) = maintain(lake, con, steps=[Step.COMPACT]).tables
    assert (done.outcome, done.files_after) == (Outcome.DONE, 1), done
    after = sorted(theirs.load_table("s.t").scan().to_arrow().to_pylist(), key=lambda row: row["i"])
    assert after == before
    ours = con.execute(f"SELECT i, label, tags, extra FROM {lake.at().scan('s.t')} ORDER BY i").fetchall()
    assert ours == [(row["i"], row["label"], row["tags"], row["extra"]) for row in before]
    table.refresh()
    table.append(pa.table({"i": pa.array([99], pa.int64())}))
    assert seen(theirs) == [*range(45), 99]


def test_an_append_that_began_before_a_compaction_is_not_refused(
    lake: Lake, con: duckdb.DuckDBPyConnection, theirs: RestCatalog
) -> None:
    """The writer wins: PyIceberg tries again by itself."""
    theirs.create_namespace("s")
    rows = pa.table({"i": pa.array([1], pa.int64())})
    table = theirs.create_table("s.t", schema=rows.schema)
    table.append(rows)
    table.append(rows)
    stale = theirs.load_table("s.t")
    (done,) = maintain(lake, con, steps=[Step.COMPACT]).tables
    assert done.outcome is Outcome.DONE
    stale.append(pa.table({"i": pa.array([2], pa.int64())}))
    assert numbers(lake, con) == seen(theirs) == [1, 1, 2]
