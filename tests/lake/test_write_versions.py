"""Writing tables of format versions 1 and 3, which clients have made: what they and others read then."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import duckdb
import fastavro
import pyarrow as pa
import pytest
from pyiceberg.catalog.rest import RestCatalog
from starlette.applications import Starlette
from starlette.routing import Mount

from ingot.engines.duckdb import connect
from ingot.lake import Lake, SchemaError, Staged, avro, entries, files, manifest_list, manifests
from ingot.lake.maintenance import Outcome, Step, maintain
from ingot.lake.rest import routes
from ingot.lake.staged import table_content, write_metadata
from ingot.lake.types import Json
from tests.lake.files_only import url  # noqa: F401
from tests.lake.rest.conftest import serving

Con = duckdb.DuckDBPyConnection
Numbers = dict[int, tuple[str, int, int]]
"""Of each row by its key: a text, its number, and the sequence number of the snapshot that last changed it."""


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


def snapshot(lake: Lake) -> Json:
    found: Json = lake.at().table("s.t").metadata["snapshots"][-1]
    return found


def first(lake: Lake, con: Con, pyiceberg: RestCatalog, **more: Any) -> None:
    """A table of version 1 by PyIceberg: p = 0 and 1, i = 0 to 3."""
    pyiceberg.create_namespace_if_not_exists("s")
    rows = pa.table({"p": [0, 1, 0, 1], "i": [0, 1, 2, 3], "v": ["py"] * 4})
    table = pyiceberg.create_table("s.t", rows.schema, properties={"format-version": "1"}, **more)
    table.append(rows)
    assert lake.at().table("s.t").metadata["format-version"] == 1


def check_first(lake: Lake, con: Con, pyiceberg: RestCatalog, expected: list[tuple[int, int, str]]) -> None:
    """The same rows for Ingot, DuckDB's Iceberg reader and PyIceberg, and metadata as version 1 has it."""
    assert con.execute(f"SELECT p, i, v FROM {lake.at().scan('s.t')} ORDER BY ALL").fetchall() == expected
    assert con.execute("SELECT p, i, v FROM lake.s.t ORDER BY ALL").fetchall() == expected
    rows = pyiceberg.load_table("s.t").scan().to_arrow().to_pylist()
    assert sorted((row["p"], row["i"], row["v"]) for row in rows) == expected
    table = lake.at().table("s.t")
    assert table.rows == len(expected)
    assert table.metadata["format-version"] == 1
    assert snapshot(lake).get("sequence-number", 0) == 0
    for row in manifests.read_list(snapshot(lake)["manifest-list"]):
        with files.local(row["manifest_path"]).open("rb") as file:
            reader = fastavro.reader(file)
            assert reader.metadata["format-version"] == "1"
            assert all(entry["snapshot_id"] is not None for entry in reader)


def test_version_1_is_written_in_every_way(lake: Lake, con: Con, pyiceberg: RestCatalog) -> None:
    first(lake, con, pyiceberg)
    write(lake, con, "SELECT 0::BIGINT AS p, 4::BIGINT AS i, 'new' AS v", mode="append")
    rows = [(0, 0, "py"), (0, 2, "py"), (0, 4, "new"), (1, 1, "py"), (1, 3, "py")]
    check_first(lake, con, pyiceberg, rows)
    write(lake, con, "SELECT 1::BIGINT AS p, 3::BIGINT AS i, 'up' AS v", mode="upsert", by=["i"])
    rows[-1] = (1, 3, "up")
    check_first(lake, con, pyiceberg, rows)
    (done,) = maintain(lake, con, steps=[Step.COMPACT]).tables
    assert (done.outcome, done.files_after) == (Outcome.DONE, 1), done
    check_first(lake, con, pyiceberg, rows)
    table = pyiceberg.load_table("s.t")
    table.append(pa.table({"p": [9], "i": [9], "v": ["py"]}, table.schema().as_arrow()))
    check_first(lake, con, pyiceberg, [*rows, (9, 9, "py")])
    write(lake, con, "SELECT 5::BIGINT AS p, i, 'last' AS v FROM range(2) r(i)", mode="overwrite")
    check_first(lake, con, pyiceberg, [(5, 0, "last"), (5, 1, "last")])
    assert snapshot(lake)["summary"]["deleted-records"] == "6"


@pytest.mark.slow
def test_partitions_of_version_1_are_replaced(lake: Lake, con: Con, pyiceberg: RestCatalog) -> None:
    write(lake, con, "SELECT 0::BIGINT AS p, 0::BIGINT AS i, 'x' AS v", partition_by=["p"])
    spec = pyiceberg.load_table("s.t").spec()
    schema = pyiceberg.load_table("s.t").schema()
    lake.commit("main", [lake.stage_drop("s.t", on="main")], message="drop")
    first(lake, con, pyiceberg)
    lake.commit("main", [lake.stage_drop("s.t", on="main")], message="drop")
    table = pyiceberg.create_table("s.t", schema, partition_spec=spec, properties={"format-version": "1"})
    table.append(pa.table({"p": [0, 1, 0], "i": [0, 1, 2], "v": ["py"] * 3}, schema.as_arrow()))
    write(
        lake,
        con,
        "SELECT * FROM (VALUES (1::BIGINT, 10::BIGINT, 'new'), (2, 20, 'new')) t(p, i, v)",
        mode="overwrite_partitions",
    )
    check_first(lake, con, pyiceberg, [(0, 0, "py"), (0, 2, "py"), (1, 10, "new"), (2, 20, "new")])


def third(con: Con, how: str = "") -> None:
    """A table of version 3 by DuckDB: ten rows in two files, of which 3 and 7 are deleted by vectors."""
    con.execute("CREATE SCHEMA IF NOT EXISTS lake.s")
    con.execute(f"CREATE TABLE lake.s.t (i BIGINT, v VARCHAR) {how} WITH ('format-version' = '3')")
    con.execute("INSERT INTO lake.s.t SELECT i, 'duck' FROM range(5) r(i)")
    con.execute("INSERT INTO lake.s.t SELECT i, 'duck' FROM range(5, 10) r(i)")
    con.execute("DELETE FROM lake.s.t WHERE i IN (3, 7)")


THIRD = {i: ("duck", i, 1 if i < 5 else 2) for i in range(10) if i not in (3, 7)}


def numbers(lake: Lake, con: Con) -> Numbers:
    """Every row with its numbers, as DuckDB reads them; all else that must hold in version 3 holds."""
    found = con.execute("SELECT i, v, _row_id, _last_updated_sequence_number FROM lake.s.t").fetchall()
    plain = con.execute(f"SELECT i, v FROM {lake.at().scan('s.t')} ORDER BY ALL").fetchall()
    assert plain == sorted((i, v) for i, v, *_ in found)
    table = lake.at().table("s.t")
    everything = con.execute(f"SELECT * FROM {lake.at().scan('s.t')}").description
    assert [one[0] for one in everything or ()] == [one.name for one in table.schema]
    assert table.rows == len(found)
    if snapshot(lake)["summary"].get("engine-name") == "ingot":
        data = [one for one in entries.live(manifest_list.rows_of(snapshot(lake))) if one.content == 0]
        assert snapshot(lake)["summary"]["total-records"] == str(sum(one.rows for one in data))
    assert len({row for _, _, row, _ in found}) == len(found)
    assert all(row < table.metadata["next-row-id"] for _, _, row, _ in found)
    starts, upto = [], 0
    for one in table.metadata["snapshots"]:
        if "first-row-id" in one:
            assert one["first-row-id"] >= upto
            upto = one["first-row-id"] + one["added-rows"]
            starts.append(one["first-row-id"])
    assert upto == table.metadata["next-row-id"]
    rows = manifest_list.rows_of(snapshot(lake))
    assert all(row["first_row_id"] is not None for row in rows if row["content"] == 0)
    assert all(one.file["first_row_id"] is not None for one in entries.live(rows) if one.content == 0)
    return {i: (v, row, sequence) for i, v, row, sequence in found}


def test_an_append_to_version_3_numbers_its_rows_and_leaves_the_others(lake: Lake, con: Con) -> None:
    third(con)
    assert numbers(lake, con) == THIRD
    write(lake, con, "SELECT i, 'new' AS v FROM range(20, 23) r(i)", mode="append")
    expected = THIRD | {i: ("new", 10 + i - 20, 4) for i in range(20, 23)}
    assert numbers(lake, con) == expected
    assert (snapshot(lake)["first-row-id"], snapshot(lake)["added-rows"]) == (10, 3)
    con.execute("INSERT INTO lake.s.t VALUES (30, 'duck')")
    assert numbers(lake, con) == expected | {30: ("duck", 13, 5)}


@pytest.mark.slow
def test_an_overwrite_of_version_3_removes_the_vectors(lake: Lake, con: Con) -> None:
    third(con)
    write(lake, con, "SELECT i, 'new' AS v FROM range(3) r(i)", mode="overwrite")
    assert numbers(lake, con) == {i: ("new", 10 + i, 4) for i in range(3)}
    assert snapshot(lake)["summary"]["total-delete-files"] == "0"
    con.execute("DELETE FROM lake.s.t WHERE i = 1")
    assert numbers(lake, con).keys() == {0, 2}


def test_an_upsert_into_version_3_keeps_the_numbers_of_the_rows(lake: Lake, con: Con) -> None:
    third(con)
    new = "SELECT i, 'up' AS v FROM (VALUES (2::BIGINT), (7), (50)) r(i)"
    write(lake, con, new, mode="upsert", by=["i"])
    found = numbers(lake, con)
    assert {i: one for i, one in found.items() if i not in (2, 7, 50)} == {
        i: one for i, one in THIRD.items() if i != 2
    }
    # An updated row stays the row that it was; one that was deleted does not come back as itself.
    assert found[2] == ("up", 2, 4)
    assert all(found[i][0] == "up" and found[i][1] >= 10 and found[i][2] == 4 for i in (7, 50))
    write(lake, con, "SELECT 4::BIGINT AS i, 'again' AS v", mode="upsert", by=["i"])
    assert numbers(lake, con) == found | {4: ("again", 4, 5)}
    con.execute("UPDATE lake.s.t SET v = 'duck' WHERE i = 50")
    assert numbers(lake, con) == found | {4: ("again", 4, 5), 50: ("duck", found[50][1], 6)}


@pytest.mark.slow
def test_an_upsert_into_files_without_deletions_leaves_the_others_as_they_are(lake: Lake, con: Con) -> None:
    con.execute("CREATE SCHEMA lake.s")
    con.execute("CREATE TABLE lake.s.t (i BIGINT, v VARCHAR) WITH ('format-version' = '3')")
    for start in (0, 5):
        write(lake, con, f"SELECT i, 'new' AS v FROM range({start}, {start + 5}) r(i)", mode="append")
    kept = set(lake.at().table("s.t").files)
    write(lake, con, "SELECT 6::BIGINT AS i, 'up' AS v, 1 AS more", mode="upsert", by=["i"])
    expected = {i: ("new", i, 1 if i < 5 else 2) for i in range(10)} | {6: ("up", 6, 3)}
    assert numbers(lake, con) == expected
    assert len(kept & set(lake.at().table("s.t").files)) == 1
    assert con.execute("SELECT sum(more) FROM lake.s.t").fetchall() == [(1,)]


@pytest.mark.slow
def test_partitions_of_version_3_go_with_their_vectors_and_no_others(lake: Lake, con: Con) -> None:
    con.execute("CREATE SCHEMA lake.s")
    con.execute(
        "CREATE TABLE lake.s.t (i BIGINT, v VARCHAR) PARTITIONED BY (v) WITH ('format-version' = '3')"
    )
    con.execute("INSERT INTO lake.s.t SELECT i, ['a', 'b', 'c'][i % 3 + 1] FROM range(12) r(i)")
    con.execute("DELETE FROM lake.s.t WHERE i < 3")
    before = numbers(lake, con)
    assert before.keys() == set(range(3, 12))
    write(lake, con, "SELECT 100::BIGINT AS i, 'b' AS v", mode="overwrite_partitions")
    after = numbers(lake, con)
    assert {i: one for i, one in after.items() if i != 100} == {
        i: one for i, one in before.items() if one[0] != "b"
    }
    assert after[100][0] == "b"
    assert after[100][1] >= 12


def share_a_file(lake: Lake) -> None:
    """Puts all deletion vectors of the table into one file, as Spark writes them."""
    table = lake.at().table("s.t")
    shared, blob, rows = f"{table.location}/data/{uuid4()}.puffin", b"", []
    for row in manifest_list.rows_of(snapshot(lake)):
        if row["content"] == 0:
            rows.append(row)
            continue
        read = avro.read(row["manifest_path"])
        records = []
        for one in read.records:
            file = one["data_file"]
            offset = len(blob) + file["content_offset"]
            blob += files.read(file["file_path"])
            file = {**file, "file_path": shared, "content_offset": offset}
            records.append({**one, "data_file": file})
        content = avro.written(read.schema, records, read.about)
        at = f"{table.location}/metadata/{uuid4()}-m0.avro"
        files.write(at, content)
        rows.append({**row, "manifest_path": at, "manifest_length": len(content)})
    files.write(shared, blob)
    now = snapshot(lake)
    at = f"{table.location}/metadata/snap-1-{uuid4()}.avro"
    numbers = {"sequence": now["sequence-number"], "first_row_id": now["first-row-id"]}
    id = now["snapshot-id"]
    files.write(at, manifests.manifest_list(rows, snapshot_id=id, parent=None, version=3, **numbers))
    listed = [*table.metadata["snapshots"][:-1], {**now, "manifest-list": at}]
    document = {**table.metadata, "snapshots": listed}
    content_ = table_content(document, write_metadata(document, None), table.content.id)
    lake.commit("main", [Staged(("s", "t"), content_, table.content)], message="shared")


def test_vectors_in_one_file_are_told_apart(lake: Lake, con: Con) -> None:
    """Removing those of one partition must not bring back what was deleted from another."""
    con.execute("CREATE SCHEMA lake.s")
    con.execute(
        "CREATE TABLE lake.s.t (i BIGINT, v VARCHAR) PARTITIONED BY (v) WITH ('format-version' = '3')"
    )
    con.execute("INSERT INTO lake.s.t SELECT i, ['a', 'b', 'c'][i % 3 + 1] FROM range(12) r(i)")
    con.execute("DELETE FROM lake.s.t WHERE i < 3")
    before = numbers(lake, con)
    share_a_file(lake)
    assert numbers(lake, con) == before
    vectors = [one for one in entries.live(manifest_list.rows_of(snapshot(lake))) if one.content == 1]
    assert (len(vectors), len({one.path for one in vectors})) == (3, 1)
    write(lake, con, "SELECT 100::BIGINT AS i, 'b' AS v", mode="overwrite_partitions")
    after = numbers(lake, con)
    assert after.keys() == {3, 5, 6, 8, 9, 11, 100}
    assert after[3] == before[3]
    (done,) = maintain(lake, con, steps=[Step.COMPACT]).tables
    assert done.outcome is Outcome.DONE, done
    assert numbers(lake, con) == after


def test_compaction_of_version_3_keeps_every_number(lake: Lake, con: Con) -> None:
    third(con)
    write(lake, con, "SELECT i, 'new' AS v FROM range(20, 23) r(i)", mode="append")
    con.execute("UPDATE lake.s.t SET v = 'up' WHERE i = 4")
    before = numbers(lake, con)
    assert before[4] == ("up", 4, 5)
    for _ in range(2):
        (done,) = maintain(lake, con, steps=[Step.COMPACT]).tables
        assert (done.outcome, done.files_after) == (Outcome.DONE, 1), done
        assert numbers(lake, con) == before
        assert snapshot(lake)["summary"]["total-delete-files"] == "0"
        con.execute("INSERT INTO lake.s.t VALUES (30, 'duck')")
        con.execute("DELETE FROM lake.s.t WHERE i = 30")
    # Manifests that are joined keep the numbers of their files as well.
    for at in range(40, 52):
        write(lake, con, f"SELECT {at}::BIGINT AS i, 'more' AS v", mode="append")
    before = numbers(lake, con)
    done = maintain(lake, con, steps=[Step.MANIFESTS]).tables[0]
    assert done.outcome is Outcome.DONE
    assert numbers(lake, con) == before


@pytest.mark.slow
def test_branches_of_a_version_3_table_merge_across_a_compaction_with_numbers_of_their_own(
    lake: Lake, con: Con
) -> None:
    third(con)
    lake.branch("dev")
    staged = lake.stage(con, "s.t", "SELECT i, 'dev' AS v FROM range(20, 23) r(i)", on="dev", mode="append")
    lake.commit("dev", [staged], message="dev")
    write(lake, con, "SELECT i, 'main' AS v FROM range(30, 34) r(i)", mode="append")
    (done,) = maintain(lake, con, steps=[Step.COMPACT]).tables
    assert done.outcome is Outcome.SKIPPED  # because of the branch
    lake.merge("dev")
    before = numbers(lake, con)
    assert before == {
        **THIRD,
        **{i: ("main", 10 + i - 30, 4) for i in range(30, 34)},
        **{i: ("dev", 14 + i - 20, 5) for i in range(20, 23)},
    }


@pytest.mark.slow
def test_rows_from_before_the_upgrade_to_version_3_get_their_numbers_once(
    lake: Lake, con: Con, address: str
) -> None:
    for start in (0, 5):
        write(lake, con, f"SELECT i, 'old' AS v FROM range({start}, {start + 5}) r(i)", mode="append")
    upgrade = RestCatalog("lake", uri=f"{address}/iceberg")
    body = {
        "identifier": {"namespace": ["s"], "name": "t"},
        "requirements": [],
        "updates": [{"action": "upgrade-format-version", "format-version": 3}],
    }
    answer = upgrade._session.post(upgrade.url("namespaces/s/tables/t"), json=body)
    assert answer.status_code == 200, answer.text
    upgrade.close()
    (done,) = maintain(lake, con, steps=[Step.COMPACT]).tables
    assert done.outcome is Outcome.DONE, done
    found = numbers(lake, con)
    assert {i: (v, sequence) for i, (v, _, sequence) in found.items()} == {
        i: ("old", 1 if i < 5 else 2) for i in range(10)
    }
    write(lake, con, "SELECT 3::BIGINT AS i, 'up' AS v", mode="upsert", by=["i"])
    assert numbers(lake, con) == found | {3: ("up", found[3][1], 4)}


@pytest.mark.slow
def test_defaults_of_version_3_are_read_and_written(lake: Lake, con: Con) -> None:
    third(con)
    write(lake, con, "SELECT i, 'new' AS v FROM range(20, 22) r(i)", mode="overwrite")
    con.execute("ALTER TABLE lake.s.t ADD COLUMN d INTEGER DEFAULT 7")
    write(lake, con, "SELECT 30::BIGINT AS i, 'later' AS v", mode="append")
    expected = [(20, 7), (21, 7), (30, 7)]
    for table in ("lake.s.t", lake.at().scan("s.t")):
        assert con.execute(f"SELECT i, d FROM {table} ORDER BY i").fetchall() == expected
    numbers(lake, con)


def test_columns_that_ingot_cannot_write_are_refused_by_name(lake: Lake, con: Con) -> None:
    con.execute("CREATE SCHEMA lake.s")
    con.execute("CREATE TABLE lake.s.t (i BIGINT, o VARIANT) WITH ('format-version' = '3')")
    con.execute("INSERT INTO lake.s.t VALUES (1, 'x'::VARIANT)")
    con.execute("INSERT INTO lake.s.t VALUES (2, 'y'::VARIANT)")
    with pytest.raises(SchemaError, match=r"Column 'o' of s\.t has the type variant"):
        write(lake, con, "SELECT 2::BIGINT AS i", mode="append")
    (done,) = maintain(lake, con, steps=[Step.COMPACT]).tables
    assert done.outcome is Outcome.SKIPPED
    assert "'o' is a variant" in done.reason
