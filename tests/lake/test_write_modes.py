"""Replacing partitions, upserting by key, deletions on record, and Arrow as what is written."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import fastavro
import pyarrow as pa
import pytest
from pyiceberg.table import StaticTable

from ingot.lake import Lake, LakeError, SchemaError, Staged, WriteError
from ingot.lake.manifests import list_rows
from tests.lake.files_only import url  # noqa: F401

Con = duckdb.DuckDBPyConnection


def write(lake: Lake, con: Con, source: Any, **options: Any) -> Staged:
    staged = lake.stage(con, "s.t", source, on="main", **options)
    lake.commit("main", [staged], message="write")
    return staged


def rows(lake: Lake, con: Con, spec: str = "main") -> list[tuple[Any, ...]]:
    return con.execute(f"SELECT * FROM {lake.at(spec).scan('s.t')} ORDER BY ALL").fetchall()


def theirs(lake: Lake) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (
        StaticTable.from_metadata(lake.at().table("s.t").metadata_location).scan().to_arrow().to_pylist()
    )
    return found


def entries(lake: Lake) -> list[tuple[int, str, int | None, int]]:
    """Status, path, sequence number and snapshot of each entry of the current snapshot, read anew from disk."""
    document = lake.at().table("s.t").metadata
    snapshot = document["snapshots"][-1]
    found = []
    for row in list_rows(snapshot["manifest-list"]):
        with Path(row["manifest_path"]).open("rb") as file:
            for one in fastavro.reader(file):
                assert isinstance(one, dict)
                sequence = (
                    row["sequence_number"] if one["sequence_number"] is None else one["sequence_number"]
                )
                found.append((one["status"], one["data_file"]["file_path"], sequence, one["snapshot_id"]))
    return sorted(found)


def summary(lake: Lake) -> dict[str, str]:
    found: dict[str, str] = lake.at().table("s.t").metadata["snapshots"][-1]["summary"]
    return found


def test_an_overwrite_records_every_file_that_it_removes_as_deleted(lake: Lake, con: Con) -> None:
    write(lake, con, "SELECT 1 AS a", mode="append")
    write(lake, con, "SELECT 2 AS a", mode="append")
    old = set(lake.at().table("s.t").files)
    write(lake, con, "SELECT 3 AS a")
    table = lake.at().table("s.t")
    found = entries(lake)
    assert sorted((status, sequence, snapshot) for status, _, sequence, snapshot in found) == [
        (1, 3, table.snapshot_id),
        (2, 1, table.snapshot_id),
        (2, 2, table.snapshot_id),
    ]
    assert {path for status, path, *_ in found if status == 2} == old
    assert {path for status, path, *_ in found if status == 1} == set(table.files)
    assert summary(lake)["deleted-data-files"] == "2"
    assert summary(lake)["deleted-records"] == "2"
    assert (summary(lake)["total-data-files"], summary(lake)["total-records"]) == ("1", "1")
    assert theirs(lake) == [{"a": 3}]
    write(lake, con, "SELECT 4 AS a", mode="append")
    assert [status for status, *_ in entries(lake)] == [1, 1]
    assert rows(lake, con) == [(3,), (4,)]


def test_an_overwrite_of_many_appends_writes_one_manifest_of_what_went(lake: Lake, con: Con) -> None:
    for part in range(5):
        write(lake, con, f"SELECT {part} AS a", mode="append")
    write(lake, con, "SELECT 9 AS a")
    snapshot = lake.at().table("s.t").metadata["snapshots"][-1]
    listed = list_rows(snapshot["manifest-list"])
    assert [
        (row["added_files_count"], row["deleted_files_count"], row["deleted_rows_count"]) for row in listed
    ] == [
        (1, 0, 0),
        (0, 5, 5),
    ]
    assert {row["sequence_number"] for row in listed} == {6}


def test_only_the_partitions_of_the_new_rows_are_replaced(lake: Lake, con: Con) -> None:
    first = "SELECT i % 4 AS p, i FROM range(12) r(i)"
    write(lake, con, first, partition_by=["p"])
    before = set(lake.at().table("s.t").files)
    write(
        lake,
        con,
        "SELECT * FROM (VALUES (1::BIGINT, 100::BIGINT), (7, 700)) v(p, i)",
        mode="overwrite_partitions",
    )
    expected = sorted([*((i % 4, i) for i in range(12) if i % 4 != 1), (1, 100), (7, 700)])
    assert rows(lake, con) == expected
    assert sorted((row["p"], row["i"]) for row in theirs(lake)) == expected
    table = lake.at().table("s.t")
    assert len(before & set(table.files)) == 3
    assert summary(lake)["operation"] == "overwrite"
    assert (summary(lake)["deleted-records"], summary(lake)["added-records"]) == ("3", "2")
    assert table.rows == len(expected)
    status = [one[0] for one in entries(lake)]
    assert (status.count(0), status.count(1), status.count(2)) == (3, 2, 1)


@pytest.mark.parametrize(
    "term",
    ["month(d)", "bucket(3, i)", "truncate(5, i)", "truncate(2, s)", "dec", "s", "u", "ts", "b", "hour(ts)"],
)
def test_replacing_partitions_agrees_with_doing_it_in_sql(lake: Lake, con: Con, term: str) -> None:
    columns = """i, DATE '1969-11-20' + (i * 9)::INTEGER AS d, CASE WHEN i % 5 > 0 THEN 'é' || i % 3 END AS s,
        ((i % 4) / 4.0)::DECIMAL(12, 3) AS dec, TIMESTAMP '1969-12-31 23:00:00.5' + i * INTERVAL 31 MINUTE AS ts,
        ('00000000-0000-4000-8000-00000000000' || i % 4)::UUID AS u, encode('b' || i % 3) AS b"""
    write(lake, con, f"SELECT {columns}, 'old' AS v FROM range(30) r(i)", partition_by=[term])
    files = {one.path: one for one in _live(lake)}
    write(lake, con, f"SELECT {columns}, 'new' AS v FROM range(10, 13) r(i)", mode="overwrite_partitions")
    replaced = {str(one.partition) for one in _live(lake) if one.path not in files}
    gone = [path for path, one in files.items() if str(one.partition) in replaced]
    lost = con.execute(f"SELECT i FROM read_parquet({gone})").fetchall() if gone else []
    expected = sorted(
        {(i, "old") for i in range(30)} - {(i, "old") for (i,) in lost} | {(i, "new") for i in range(10, 13)}
    )
    assert con.execute(f"SELECT i, v FROM {lake.at().scan('s.t')} ORDER BY ALL").fetchall() == expected
    # The partitions must be those that the values themselves have, by Iceberg's own reckoning.
    table = StaticTable.from_metadata(lake.at().table("s.t").metadata_location)
    partitions = [task.file.partition for task in table.scan().plan_files()]
    assert len(partitions) == len(set(map(str, partitions)))
    assert lost


def _live(lake: Lake) -> Any:
    from ingot.lake.scan import live_entries  # noqa: PLC0415

    return live_entries(lake.at().table("s.t").metadata)


def test_partitions_cannot_be_replaced_where_it_is_unclear_which(lake: Lake, con: Con) -> None:
    with pytest.raises(SchemaError, match="not partitioned"):
        lake.stage(con, "s.t", "SELECT 1 AS a", on="main", mode="overwrite_partitions")
    write(lake, con, "SELECT 1 AS a, 2 AS b", partition_by=["a"])
    with pytest.raises(SchemaError, match="partitioned in another way"):
        lake.stage(
            con, "s.t", "SELECT 1 AS a, 2 AS b", on="main", mode="overwrite_partitions", partition_by=["b"]
        )
    assert len(list(Path(lake.warehouse).rglob("*.parquet"))) == 1


def test_a_new_table_can_be_made_by_replacing_partitions_or_by_upsert(lake: Lake, con: Con) -> None:
    write(lake, con, "SELECT 1 AS a", mode="overwrite_partitions", partition_by=["a"])
    assert rows(lake, con) == [(1,)]
    lake.commit(
        "main", [lake.stage(con, "s.u", "SELECT 1 AS a", on="main", mode="upsert", by=["a"])], message="u"
    )
    assert con.execute(f"SELECT * FROM {lake.at().scan('s.u')}").fetchall() == [(1,)]


def test_an_upsert_rewrites_only_the_files_that_hold_its_keys(lake: Lake, con: Con) -> None:
    for part in range(4):
        write(
            lake, con, f"SELECT i, 'old' AS v FROM range({part * 10}, {part * 10 + 10}) r(i)", mode="append"
        )
    before = set(lake.at().table("s.t").files)
    staged = write(
        lake, con, "SELECT * FROM (VALUES (12::BIGINT, 'new'), (99, 'new')) v(i, v)", mode="upsert", by=["I"]
    )
    expected = [(i, "new" if i == 12 else "old") for i in range(40)] + [(99, "new")]
    assert rows(lake, con) == expected
    assert sorted((row["i"], row["v"]) for row in theirs(lake)) == expected
    assert len(before & set(lake.at().table("s.t").files)) == 3
    assert staged.rows == 11
    assert lake.at().table("s.t").rows == 41
    assert con.execute("SELECT count(*) FROM duckdb_tables() WHERE temporary").fetchall() == [(0,)]


def test_a_file_whose_bounds_allow_a_key_but_does_not_hold_it_stays(lake: Lake, con: Con) -> None:
    write(lake, con, "SELECT i * 2 AS i, 1 AS v FROM range(10) r(i)")
    (path,) = lake.at().table("s.t").files
    write(lake, con, "SELECT 5::BIGINT AS i, 2 AS v", mode="upsert", by=["i"])
    assert path in lake.at().table("s.t").files
    assert summary(lake).get("deleted-data-files") is None
    assert summary(lake)["operation"] == "overwrite"


@pytest.mark.parametrize("seed", range(6))
def test_random_upserts_agree_with_a_dictionary(lake: Lake, con: Con, seed: int) -> None:
    rng = random.Random(seed)
    kinds: dict[str, Callable[[], Any]] = {
        "i": lambda: rng.randrange(60),
        "s": lambda: (
            rng.choice(["ä", "a very long text that is cut in bounds ", "z"]) + str(rng.randrange(9))
        ),
    }
    by = [["i"], ["s"], ["i", "s"]][seed % 3]
    model: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    con.execute("CREATE TABLE fresh (i BIGINT, s VARCHAR, v BIGINT)")
    for step in range(6):
        con.execute("DELETE FROM fresh")
        new: dict[tuple[Any, ...], tuple[Any, ...]] = {}
        for _ in range(rng.randrange(1, 30)):
            row = (kinds["i"](), kinds["s"](), step)
            new[tuple(row["is".index(column)] for column in by)] = row
        con.executemany("INSERT INTO fresh VALUES (?, ?, ?)", list(new.values()))
        terms = [["bucket(4, i)"], ["truncate(3, s)"], []][seed % 3]
        write(lake, con, "SELECT * FROM fresh", mode="upsert", by=by, partition_by=terms)
        model |= new
        assert rows(lake, con) == sorted(model.values())
    assert sorted((row["i"], row["s"], row["v"]) for row in theirs(lake)) == sorted(model.values())


def test_more_keys_than_are_looked_for_one_by_one(lake: Lake, con: Con) -> None:
    for part in range(3):
        write(
            lake, con, f"SELECT i, 0 AS v FROM range({part * 5000}, {part * 5000 + 5000}) r(i)", mode="append"
        )
    before = set(lake.at().table("s.t").files)
    write(lake, con, "SELECT i, 1 AS v FROM range(6000, 8000) r(i)", mode="upsert", by=["i"])
    assert con.execute(
        f"SELECT v, count(*), sum(i) FROM {lake.at().scan('s.t')} GROUP BY v ORDER BY v"
    ).fetchall() == [
        (0, 13000, sum(range(15000)) - sum(range(6000, 8000))),
        (1, 2000, sum(range(6000, 8000))),
    ]
    assert len(before & set(lake.at().table("s.t").files)) == 2


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("DATE", ["0044-03-15 (BC)", "infinity", "12024-01-01", "2024-02-29"]),
        ("DOUBLE", ["nan", "-0.0", "inf", "1.5"]),
        ("DECIMAL(38, 4)", ["1234567890123456789012345678901234.5678", "-0.0001"]),
        ("TIMESTAMPTZ", ["2024-03-31 01:30:00+02", "1969-12-31 23:59:59.999999+00"]),
        ("UUID", ["ffffffff-ffff-4fff-8fff-ffffffffffff", "00000000-0000-4000-8000-000000000000"]),
        ("BLOB", ["\\xFF\\xFF", "abc"]),
        ("BOOLEAN", ["true", "false"]),
    ],
)
def test_keys_of_every_type_find_their_rows(lake: Lake, con: Con, kind: str, values: list[str]) -> None:
    for value in values:
        write(lake, con, f"SELECT '{value}'::{kind} AS k, 0 AS v", mode="append")
    for number, value in enumerate(values):
        write(lake, con, f"SELECT '{value}'::{kind} AS k, {number + 1} AS v", mode="upsert", by=["k"])
    found = con.execute(f"SELECT k::VARCHAR, v FROM {lake.at().scan('s.t')} ORDER BY v").fetchall()
    expected = [con.execute(f"SELECT '{value}'::{kind}::VARCHAR").fetchall()[0][0] for value in values]
    assert found == [(text, number + 1) for number, text in enumerate(expected)]


def test_an_upsert_widens_and_adds_columns_and_keeps_earlier_rows(lake: Lake, con: Con) -> None:
    write(lake, con, "SELECT 1::INTEGER AS i, 'a' AS v UNION ALL SELECT 2, 'b'")
    write(
        lake,
        con,
        "SELECT 3000000000 AS i, 'c' AS v, 1.5 AS extra UNION ALL SELECT 2, 'B', 2.5",
        mode="upsert",
        by=["i"],
    )
    found = con.execute(f"SELECT i, v, extra::DOUBLE FROM {lake.at().scan('s.t')} ORDER BY i").fetchall()
    assert found == [(1, "a", None), (2, "B", 2.5), (3000000000, "c", 1.5)]


def test_rows_without_a_key_in_the_table_are_left_alone(lake: Lake, con: Con) -> None:
    write(lake, con, "SELECT * FROM (VALUES (NULL, 'x'), (1, 'y')) v(i, v)")
    write(lake, con, "SELECT 1 AS i, 'z' AS v", mode="upsert", by=["i"])
    assert rows(lake, con) == [(1, "z"), (None, "x")]


@pytest.mark.parametrize(
    ("query", "by", "message"),
    [
        ("SELECT 7 AS i, 1 AS v UNION ALL SELECT 7, 2", ["i"], "1 key more than once: i = 7"),
        (
            "SELECT i % 5 AS i, 1 AS v FROM range(10) r(i)",
            ["i"],
            "5 keys more than once: i = 0; i = 1; i = 2 and 2 more",
        ),
        ("SELECT NULL::BIGINT AS i, 1 AS v", ["i"], "no value in 'i'"),
        ("SELECT 1::BIGINT AS i, 1 AS v", ["j"], "no column 'j'"),
        ("SELECT 1::BIGINT AS i, 1 AS v", [], "needs the columns of its key"),
        ("SELECT 1::BIGINT AS i, 1 AS v", ["i", "I"], "twice"),
        ("SELECT 1::BIGINT AS i", ["i"], "no column 'v', whose values"),
        ("SELECT error('boom') AS i, 1 AS v", ["i"], "boom"),
    ],
)
def test_a_refused_upsert_says_why_and_leaves_nothing(
    lake: Lake, con: Con, query: str, by: list[str], message: str
) -> None:
    write(lake, con, "SELECT i, 0 AS v FROM range(3) r(i)")
    before = {path for path in Path(lake.warehouse).rglob("*") if path.is_file()}
    with pytest.raises((SchemaError, WriteError), match=message):
        lake.stage(con, "s.t", query, on="main", mode="upsert", by=by)
    assert {path for path in Path(lake.warehouse).rglob("*") if path.is_file()} == before
    assert con.execute("SELECT count(*) FROM duckdb_tables() WHERE temporary").fetchall() == [(0,)]


def test_an_unknown_mode_and_a_key_without_an_upsert_are_refused(lake: Lake, con: Con) -> None:
    mode: Any = "upserted"
    with pytest.raises(LakeError, match="did you mean 'upsert'"):
        lake.stage(con, "s.t", "SELECT 1 AS a", on="main", mode=mode)
    with pytest.raises(LakeError, match="Only an upsert"):
        lake.stage(con, "s.t", "SELECT 1 AS a", on="main", by=["a"])


@pytest.mark.parametrize("mode", ["overwrite", "append", "upsert"])
def test_arrow_tables_and_streams_are_written_as_queries_are(lake: Lake, con: Con, mode: Any) -> None:
    table = pa.table({"i": pa.array([1, 2, None], pa.int64()), "s": ["a", None, "c"]}).slice(0, 2)
    options: Any = {"mode": mode, **({"by": ["i"]} if mode == "upsert" else {})}
    con.execute("SET python_enable_replacements = false")
    write(lake, con, table, **options)
    assert rows(lake, con) == [(1, "a"), (2, None)]
    reader = pa.RecordBatchReader.from_batches(table.schema, table.slice(1).to_batches())
    write(lake, con, reader, **options)
    expected = {
        "overwrite": [(2, None)],
        "append": [(1, "a"), (2, None), (2, None)],
        "upsert": [(1, "a"), (2, None)],
    }
    assert rows(lake, con) == expected[mode]
    assert con.execute("SELECT count(*) FROM duckdb_views() WHERE NOT internal").fetchall() == [(0,)]


def test_statistics_are_those_of_the_rows(lake: Lake, con: Con) -> None:
    write(
        lake,
        con,
        pa.table(
            {
                "i": [3, 1, None],
                "f": [1.5, float("nan"), None],
                "g": [2.5, -1.0, None],
                "s": ["b" * 30, "a", None],
            }
        ),
    )
    (one,) = _live(lake)
    numbers = {column.name: column.id for column in lake.at().table("s.t").schema}
    counts = {name: one.statistic("null_value_counts", number) for name, number in numbers.items()}
    assert counts == {"i": 1, "f": 1, "g": 1, "s": 1}
    assert one.statistic("nan_value_counts", numbers["g"]) == 0
    assert one.statistic("nan_value_counts", numbers["f"]) is None
    assert one.statistic("lower_bounds", numbers["i"]) == (1).to_bytes(8, "little")
    assert one.statistic("upper_bounds", numbers["s"]) == b"b" * 15 + b"c"
    assert one.statistic("upper_bounds", numbers["f"]) is None
