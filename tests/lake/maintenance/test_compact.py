"""Compaction: the same rows in fewer files, for Ingot and for other engines."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pyiceberg.table import StaticTable

from ingot.errors import NotFoundError
from ingot.lake import Lake, metadata
from ingot.lake.maintenance import Outcome, Policy, Step, maintain
from ingot.lake.staged import Staged, table_content, write_metadata

from .conftest import Add, disk, numbers
from .deletes import delete_rows


def compacted(lake: Lake, con: duckdb.DuckDBPyConnection, **how: Any) -> list[Any]:
    return list(maintain(lake, con, steps=[Step.COMPACT], **how).tables)


def by_pyiceberg(lake: Lake, name: str = "s.t") -> list[int]:
    table = StaticTable.from_metadata(lake.at().table(name).metadata_location)
    return sorted(table.scan().to_arrow().column("i").to_pylist())


def test_small_files_become_one_and_every_reader_finds_the_same_rows(
    lake: Lake, con: duckdb.DuckDBPyConnection, add: Add
) -> None:
    for first in range(0, 100, 10):
        add(first, first + 10, sort_by=["i desc"])
    before = lake.at().table("s.t")
    (done,) = compacted(lake, con)
    assert (done.outcome, done.files_before, done.files_after) == (Outcome.DONE, 10, 1)
    after = lake.at().table("s.t")
    assert len(after.files) == 1
    assert after.rows == 100
    assert after.bytes == Path(after.files[0]).stat().st_size == done.bytes_after
    assert done.bytes_before == before.bytes
    assert numbers(lake, con) == by_pyiceberg(lake) == list(range(100))
    # The table's order within the file, and the log of the branch.
    assert [row[0] for row in con.execute(f"SELECT i FROM '{after.files[0]}'").fetchall()][:3] == [99, 98, 97]
    assert lake.catalog.commit_of(done.commit).message == "maintain: compact s.t"
    assert compacted(lake, con) == []


def test_a_replace_snapshot_says_exactly_what_it_replaced(
    lake: Lake, con: duckdb.DuckDBPyConnection, add: Add
) -> None:
    for first in (0, 10, 20):
        add(first, first + 10)
    before = lake.at().table("s.t")
    compacted(lake, con)
    table = StaticTable.from_metadata(lake.at().table("s.t").metadata_location)
    snapshot = table.current_snapshot()
    assert snapshot is not None
    assert snapshot.summary is not None
    assert snapshot.parent_snapshot_id == before.snapshot_id
    summary = {**snapshot.summary.additional_properties}
    assert snapshot.summary.operation.value == "replace"
    assert (summary["deleted-data-files"], summary["added-data-files"]) == ("3", "1")
    assert summary["deleted-records"] == summary["added-records"] == summary["total-records"] == "30"
    assert summary["removed-files-size"] == str(before.bytes)
    assert (summary["total-data-files"], summary["total-delete-files"]) == ("1", "0")
    entries = [
        entry
        for manifest in snapshot.manifests(table.io)
        for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=False)
    ]
    assert sorted(entry.status.name for entry in entries) == ["ADDED", "DELETED", "DELETED", "DELETED"]


def test_column_statistics_are_those_of_the_rows(
    lake: Lake, con: duckdb.DuckDBPyConnection, add: Add
) -> None:
    for first in (0, 10, 20):
        add(first, first + 10, name="s.many")
    compacted(lake, con)
    add(0, 30, name="s.one")

    def statistics(name: str) -> Any:
        table = StaticTable.from_metadata(lake.at().table(name).metadata_location)
        (task,) = table.scan().plan_files()
        file = task.file
        return (
            file.record_count,
            file.value_counts,
            file.null_value_counts,
            file.lower_bounds,
            file.upper_bounds,
        )

    assert statistics("s.many") == statistics("s.one")


def test_rows_stay_in_their_partitions(lake: Lake, con: duckdb.DuckDBPyConnection) -> None:
    query = (
        "SELECT i, TIMESTAMP '2026-01-30' + i * INTERVAL 1 HOUR AS at, (i % 2)::DECIMAL(9, 2) AS d, "
        "('00000000-0000-4000-8000-00000000000' || (i % 2))::UUID AS u, "
        "CASE WHEN i % 3 > 0 THEN TIME '00:00:01' + (i % 2) * INTERVAL 1 HOUR END AS tm, i % 2 = 0 AS b "
        "FROM range({}, {}) r(i)"
    )
    terms = ["month(at)", "day(at)", "d", "u", "tm", "b", "bucket(2, u)", "truncate(10, i)"]
    for first in range(0, 96, 16):
        staged = lake.stage(
            con, "s.t", query.format(first, first + 16), on="main", mode="append", partition_by=terms
        )
        lake.commit("main", [staged], message="append")

    def partitions() -> dict[str, tuple[str, int]]:
        table = StaticTable.from_metadata(lake.at().table("s.t").metadata_location)
        return {
            row: (str(task.file.partition), task.file.spec_id)
            for task in table.scan().plan_files()
            for (row,) in con.execute(f"SELECT i FROM '{task.file.file_path}'").fetchall()
        }

    before, count = partitions(), len(lake.at().table("s.t").files)
    (done,) = compacted(lake, con)
    assert done.outcome is Outcome.DONE, done
    assert partitions() == before
    assert len(lake.at().table("s.t").files) == len({value for value, _ in before.values()}) < count
    assert numbers(lake, con) == by_pyiceberg(lake) == list(range(96))
    pruned = StaticTable.from_metadata(lake.at().table("s.t").metadata_location).scan("b = true and i < 10")
    assert sorted(pruned.to_arrow().column("i").to_pylist()) == [0, 2, 4, 6, 8]
    assert len(list(pruned.plan_files())) < len(lake.at().table("s.t").files)


def test_only_the_chosen_partitions_are_compacted(
    lake: Lake, con: duckdb.DuckDBPyConnection, add: Add
) -> None:
    for first in (0, 12):
        add(first, first + 12, partition_by=["p"])
    before = set(lake.at().table("s.t").files)
    (done,) = compacted(lake, con, partitions=["p=1"])
    assert (done.files_before, done.files_after) == (2, 1)
    assert len(before & set(lake.at().table("s.t").files)) == 4
    assert numbers(lake, con) == list(range(24))


def test_files_end_near_the_target_size(lake: Lake, con: duckdb.DuckDBPyConnection) -> None:
    for first in range(4):
        query = f"SELECT i, hash(i)::VARCHAR || hash(i + 1)::VARCHAR AS s FROM range({first * 50_000}, {first * 50_000 + 50_000}) r(i)"
        lake.commit("main", [lake.stage(con, "s.t", query, on="main", mode="append")], message="append")
    sizes = [Path(file).stat().st_size for file in lake.at().table("s.t").files]
    target = sum(sizes) // 2
    (done,) = compacted(lake, con, policy=Policy(target_bytes=target))
    assert 2 <= done.files_after <= 3
    assert done.files_before == len(sizes)
    assert numbers(lake, con) == list(range(200_000))
    assert compacted(lake, con, policy=Policy(target_bytes=target)) == []


def test_a_large_file_waits_until_the_small_ones_are_worth_it(
    lake: Lake, con: duckdb.DuckDBPyConnection
) -> None:
    def append(first: int, last: int) -> None:
        query = f"SELECT i, hash(i) AS h FROM range({first}, {last}) r(i)"
        staged = lake.stage(con, "s.t", query, on="main", mode="append")
        lake.commit("main", [staged], message="append")

    append(0, 300_000)
    (large,) = lake.at().table("s.t").files
    append(300_000, 300_010)
    append(300_010, 300_020)
    policy = Policy(target_bytes=8 * Path(large).stat().st_size)
    (done,) = compacted(lake, con, policy=policy)
    assert done.files_before == 2
    assert large in lake.at().table("s.t").files
    assert numbers(lake, con) == list(range(300_020))


def test_deleted_rows_are_gone_and_their_delete_files_with_them(
    lake: Lake, con: duckdb.DuckDBPyConnection, add: Add
) -> None:
    add(0, 100, partition_by=["p"])
    add(100, 200)
    delete_rows(lake, con, "main", "s.t", "i % 10 = 3")
    delete_rows(lake, con, "main", "s.t", "p = 1 AND i > 150")
    kept = [i for i in range(200) if i % 10 != 3 and not (i % 3 == 1 and i > 150)]
    assert numbers(lake, con) == by_pyiceberg(lake) == kept
    (done,) = compacted(lake, con)
    assert done.outcome is Outcome.DONE, done
    after = lake.at().table("s.t")
    snapshot = metadata.current_snapshot(after.metadata)
    assert snapshot is not None
    assert snapshot["summary"]["total-delete-files"] == snapshot["summary"]["total-position-deletes"] == "0"
    assert snapshot["summary"]["total-records"] == str(len(kept)) == str(after.rows)
    assert "iceberg_scan" not in lake.at().scan("s.t")
    assert numbers(lake, con) == by_pyiceberg(lake) == kept


def test_a_table_all_of_whose_rows_are_deleted_becomes_empty(
    lake: Lake, con: duckdb.DuckDBPyConnection, add: Add
) -> None:
    add(0, 10)
    delete_rows(lake, con, "main", "s.t", "true")
    (done,) = compacted(lake, con)
    assert (done.outcome, done.files_after) == (Outcome.DONE, 0)
    assert numbers(lake, con) == by_pyiceberg(lake) == []
    assert lake.at().table("s.t").files == []
    add(10, 20)
    assert numbers(lake, con) == by_pyiceberg(lake) == list(range(10, 20))


def test_columns_that_were_renamed_dropped_and_widened_since_are_written_as_they_are_now(
    lake: Lake, con: duckdb.DuckDBPyConnection
) -> None:
    first = lake.stage(
        con, "s.t", "SELECT 1::INTEGER AS i, 'a' AS gone, {'x': 1} AS st", on="main", mode="append"
    )
    lake.commit("main", [first], message="first")
    widened = lake.stage(
        con, "s.t", "SELECT 5000000000 AS i, {'x': 2} AS st, 'new' AS n", on="main", mode="append"
    )
    lake.commit("main", [widened], message="widened")
    third = lake.stage(con, "s.t", "SELECT 3 AS i", on="main", mode="append")
    lake.commit("main", [third], message="third")
    columns = lake.at().table("s.t").schema
    before = con.execute(f"SELECT * FROM {lake.at().scan('s.t')} ORDER BY i").fetchall()
    (done,) = compacted(lake, con)
    assert done.outcome is Outcome.DONE, done
    assert con.execute(f"SELECT * FROM {lake.at().scan('s.t')} ORDER BY i").fetchall() == before
    assert lake.at().table("s.t").schema == columns
    assert by_pyiceberg(lake) == [1, 3, 5_000_000_000]


def test_many_manifests_become_one_and_prune_as_before(
    lake: Lake, con: duckdb.DuckDBPyConnection, add: Add
) -> None:
    for first in range(0, 60, 6):
        add(first, first + 6, partition_by=["truncate(6, i)"])
    (done,) = maintain(lake, con, steps=[Step.MANIFESTS]).tables
    assert (done.outcome, done.files_before, done.files_after) == (Outcome.DONE, 10, 1)
    table = StaticTable.from_metadata(lake.at().table("s.t").metadata_location)
    snapshot = table.current_snapshot()
    assert snapshot is not None
    (manifest,) = snapshot.manifests(table.io)
    assert (manifest.existing_files_count, manifest.existing_rows_count) == (10, 60)
    # The oldest of its files came with the first snapshot, and its partitions go from 0 to 54.
    assert manifest.min_sequence_number == 1
    assert [(one.lower_bound, one.upper_bound) for one in manifest.partitions or []] == [
        ((0).to_bytes(8, "little"), (54).to_bytes(8, "little"))
    ]
    assert len(list(table.scan("i = 20").plan_files())) == 1
    assert numbers(lake, con) == by_pyiceberg(lake) == list(range(60))
    assert maintain(lake, con, steps=[Step.MANIFESTS]).tables == ()


def test_a_dry_run_says_what_and_writes_nothing(
    lake: Lake, con: duckdb.DuckDBPyConnection, add: Add, warehouse: Path
) -> None:
    add(0, 10)
    add(10, 20)
    before, head = disk(warehouse), lake.at().hash
    (planned,) = compacted(lake, con, dry_run=True)
    assert (planned.outcome, planned.files_before) == (Outcome.PLANNED, 2)
    assert planned.bytes_before == lake.at().table("s.t").bytes
    assert (disk(warehouse), lake.at().hash) == (before, head)


def test_compaction_leaves_only_what_the_table_names(
    lake: Lake, con: duckdb.DuckDBPyConnection, add: Add, warehouse: Path
) -> None:
    """What it wrote to read with (a snapshot of the chosen files) is gone."""
    for first in range(0, 30, 10):
        add(first, first + 10)
    delete_rows(lake, con, "main", "s.t", "i = 4")
    before = disk(warehouse)
    compacted(lake, con)
    new = disk(warehouse).keys() - before.keys()
    assert sorted(Path(one).name.rpartition(".")[2] for one in new).count("parquet") == 1
    # The new manifest, the rewritten ones (three of data, one of deletes), the list; and the metadata.
    assert sum(one.endswith(".avro") for one in new) == 6
    assert sum(one.endswith(".json") for one in new) == 1
    assert len(new) == 8


def test_a_table_with_unmerged_changes_elsewhere_is_left_alone(
    lake: Lake, con: duckdb.DuckDBPyConnection, add: Add
) -> None:
    for name in ("s.t", "s.u"):
        add(0, 10, name=name)
        add(10, 20, name=name)
    lake.branch("dev")
    lake.branch("run/1")
    add(20, 30, on="dev")
    add(20, 30, on="run/1", name="s.u")
    skipped, done = compacted(lake, con, policy=Policy(passing=("run/",)))
    assert (skipped.table, skipped.outcome) == ("s.t", Outcome.SKIPPED)
    assert "'dev'" in skipped.reason
    assert (done.table, done.outcome) == ("s.u", Outcome.DONE)
    lake.merge("dev")
    assert numbers(lake, con) == list(range(30))
    assert [one.outcome for one in compacted(lake, con)] == [Outcome.DONE]


def test_a_table_that_cannot_be_written_is_skipped_and_the_others_are_done(
    lake: Lake, con: duckdb.DuckDBPyConnection, add: Add
) -> None:
    for name in ("s.a", "s.b"):
        add(0, 10, name=name)
        add(10, 20, name=name)
    old = lake.at().table("s.a")
    schema = metadata.current_schema(old.metadata)
    shape = {"id": 9, "name": "shape", "type": "geometry", "required": False}
    document = {
        **old.metadata,
        "format-version": 3,
        "next-row-id": 20,
        "schemas": [{**schema, "fields": [*schema["fields"], shape]}],
    }
    content = table_content(document, write_metadata(document, old.metadata_location), old.content.id)
    lake.commit("main", [Staged(("s", "a"), content, old.content)], message="version 3")
    skipped, done = compacted(lake, con)
    assert (skipped.table, skipped.outcome) == ("s.a", Outcome.SKIPPED)
    assert "'shape' is a geometry" in skipped.reason
    assert (done.table, done.outcome) == ("s.b", Outcome.DONE)


def test_a_damaged_table_is_reported_and_the_others_are_done(
    lake: Lake, con: duckdb.DuckDBPyConnection, add: Add
) -> None:
    for name in ("s.a", "s.b"):
        add(0, 10, name=name)
        add(10, 20, name=name)
    broken = Path(lake.at().table("s.a").files[0])
    broken.write_bytes(b"not Parquet" * 100)
    before = disk(broken.parent.parent)
    failed, done = compacted(lake, con)
    assert (failed.table, failed.outcome) == ("s.a", Outcome.FAILED)
    assert done.outcome is Outcome.DONE
    assert disk(broken.parent.parent) == before


def test_a_protected_branch_can_be_compacted(lake: Lake, con: duckdb.DuckDBPyConnection, add: Add) -> None:
    add(0, 10)
    add(10, 20)
    lake.catalog.protect("main")
    assert [one.outcome for one in compacted(lake, con)] == [Outcome.DONE]


def test_an_unknown_table_or_branch_is_named_with_the_nearest(
    lake: Lake, con: duckdb.DuckDBPyConnection, add: Add
) -> None:
    add(0, 10, name="gold.orders")
    with pytest.raises(NotFoundError, match=r"gold\.orders"):
        compacted(lake, con, tables=["gold.order"])
    with pytest.raises(NotFoundError, match="main"):
        compacted(lake, con, branch="mian")


def test_time_travel_reads_what_was_before_compaction(
    lake: Lake, con: duckdb.DuckDBPyConnection, add: Add
) -> None:
    first = add(0, 10)
    add(10, 20)
    lake.tag("v1")
    steps = list(Step)
    maintain(lake, con, steps=steps, policy=Policy(older_than=timedelta(days=7), orphan_age=timedelta(0)))
    assert numbers(lake, con, first.hash) == list(range(10))
    assert numbers(lake, con, "v1") == numbers(lake, con) == list(range(20))
    assert len(lake.at("v1").table("s.t").files) == 2
