"""Appends on both sides of a merge: the rows of both, the right numbers, and everything else a conflict."""

import io
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import duckdb
import fastavro
import pytest

from ingot.lake import CommitConflictError, ConflictType, Lake, files, manifests
from ingot.lake.rebase import SWITCH
from ingot.lake.types import Json

Con = duckdb.DuckDBPyConnection


def write(lake: Lake, con: Con, branch: str, query: str, mode: Any = "append", **more: Any) -> None:
    staged = lake.stage(con, "s.t", query, on=branch, mode=mode, **more)
    lake.commit(branch, [staged], message=f"{mode} on {branch}")


def rows(lake: Lake, con: Con, spec: str = "main") -> Counter[tuple[Any, ...]]:
    return Counter(con.execute(f"SELECT * FROM {lake.at(spec).scan('s.t')}").fetchall())


def entries(document: Json) -> list[Json]:
    """Every live entry of the current snapshot as Iceberg's rules of inheritance make it."""
    current = next(
        one for one in document["snapshots"] if one["snapshot-id"] == document["current-snapshot-id"]
    )
    found = []
    for row in manifests.read_list(current["manifest-list"]):
        for entry in fastavro.reader(io.BytesIO(files.read(row["manifest_path"]))):
            snapshot = entry["snapshot_id"] or row["added_snapshot_id"]
            sequence = entry["sequence_number"]
            assert sequence is not None or entry["status"] == 1
            sequence = row["sequence_number"] if sequence is None else sequence
            found.append({**entry["data_file"], "snapshot": snapshot, "sequence": sequence})
    return found


@pytest.fixture
def branched(lake: Lake, con: Con) -> Lake:
    """A table with one row on `main`, and `dev` at the same commit."""
    write(lake, con, "main", "SELECT 1::BIGINT AS i, 'base' AS n", "overwrite")
    lake.branch("dev")
    return lake


def test_rows_that_both_sides_appended_stand_together_in_one_new_snapshot(branched: Lake, con: Con) -> None:
    write(branched, con, "dev", "SELECT i, 'dev' AS n FROM range(10, 13) t(i)")
    write(branched, con, "dev", "SELECT 13 AS i, 'dev' AS n")
    write(branched, con, "main", "SELECT 20 AS i, 'main' AS n")
    expected = rows(branched, con) + rows(branched, con, "dev") - Counter([(1, "base")])
    before = branched.at("main").table("s.t").metadata
    result = branched.merge("dev")
    assert (result.applied, result.changed, result.rebased) == (True, (("s", "t"),), (("s", "t"),))
    assert rows(branched, con) == expected
    after = branched.at("main").table("s.t").metadata
    assert [one["snapshot-id"] for one in after["snapshots"][:-1]] == [
        one["snapshot-id"] for one in before["snapshots"]
    ]
    new = after["snapshots"][-1]
    assert new["parent-snapshot-id"] == before["current-snapshot-id"]
    assert new["sequence-number"] == after["last-sequence-number"] == before["last-sequence-number"] + 1
    assert branched.catalog.commit_of(result.hash).parents[1] == branched.catalog.ref("dev").hash


def test_sequence_numbers_snapshot_ids_and_totals_are_those_of_the_new_snapshot(
    branched: Lake, con: Con
) -> None:
    write(branched, con, "dev", "SELECT i, 'dev' AS n FROM range(3) t(i)")
    write(branched, con, "dev", "SELECT i, 'dev' AS n FROM range(4) t(i)")
    write(branched, con, "main", "SELECT i, 'main' AS n FROM range(5) t(i)")
    before = {one["file_path"]: one for one in entries(branched.at("main").table("s.t").metadata)}
    branched.merge("dev")
    table = branched.at("main").table("s.t")
    found = entries(table.metadata)
    new = table.metadata["snapshots"][-1]
    for one in found:
        old = before.get(one["file_path"])
        wanted = (old["snapshot"], old["sequence"]) if old else (new["snapshot-id"], new["sequence-number"])
        assert (one["snapshot"], one["sequence"]) == wanted
    assert len(found) == 4
    summary = new["summary"]
    assert summary["operation"] == "append"
    assert summary["added-records"] == "7"
    assert summary["added-data-files"] == "2"
    assert summary["total-records"] == "13" == str(sum(one["record_count"] for one in found))
    assert summary["total-data-files"] == "4"
    assert summary["total-files-size"] == str(sum(one["file_size_in_bytes"] for one in found))
    assert table.rows == 13


def test_column_statistics_survive_so_that_readers_still_skip_files(branched: Lake, con: Con) -> None:
    write(branched, con, "dev", "SELECT 70 AS i, 'dev' AS n")
    write(branched, con, "main", "SELECT 80 AS i, 'main' AS n")
    source = {one["file_path"]: one for one in entries(branched.at("dev").table("s.t").metadata)}
    branched.merge("dev")
    found = {one["file_path"]: one for one in entries(branched.at("main").table("s.t").metadata)}
    for path in source.keys() & found.keys():
        for statistic in (
            "lower_bounds",
            "upper_bounds",
            "null_value_counts",
            "value_counts",
            "column_sizes",
        ):
            assert found[path][statistic] == source[path][statistic]
    assert len(source.keys() & found.keys()) == 2


def test_a_table_that_was_empty_is_filled_from_both_sides(lake: Lake, con: Con) -> None:
    write(lake, con, "main", "SELECT 1 AS i WHERE false", "overwrite")
    lake.branch("dev")
    write(lake, con, "dev", "SELECT 2 AS i")
    write(lake, con, "main", "SELECT 3 AS i")
    lake.merge("dev")
    assert rows(lake, con) == Counter([(2,), (3,)])


def test_partitions_of_any_type_are_carried_over(lake: Lake, con: Con) -> None:
    query = "SELECT {i} AS i, DATE '{d}' AS d, TIMESTAMP '{d} 10:00' AS at, {i}.50::DECIMAL(9, 2) AS price"
    parts = ["day(d)", "hour(at)", "price", "bucket(4, i)"]
    write(lake, con, "main", query.format(i=1, d="2026-01-01"), "overwrite", partition_by=parts)
    lake.branch("dev")
    write(lake, con, "dev", query.format(i=2, d="2026-02-02"))
    write(lake, con, "dev", query.format(i=3, d="0044-03-15"))
    write(lake, con, "main", query.format(i=4, d="2026-04-04"))
    expected = rows(lake, con) + rows(lake, con, "dev") - rows(lake, con, "main~1")
    lake.merge("dev")
    assert rows(lake, con) == expected
    assert len(expected) == 4
    summary = lake.at("main").table("s.t").metadata["snapshots"][-1]["summary"]
    assert summary["changed-partition-count"] == "2"


def test_merging_again_brings_only_the_rows_that_are_new(branched: Lake, con: Con) -> None:
    for index in range(3):
        write(branched, con, "dev", f"SELECT {10 + index} AS i, 'dev' AS n")
        write(branched, con, "main", f"SELECT {20 + index} AS i, 'main' AS n")
        branched.merge("dev")
    expected = Counter([(1, "base")])
    expected += Counter((10 + index, "dev") for index in range(3))
    expected += Counter((20 + index, "main") for index in range(3))
    assert rows(branched, con) == expected
    assert not branched.merge("dev").applied


def test_a_dry_run_foresees_the_rebase_and_writes_nothing(branched: Lake, con: Con) -> None:
    write(branched, con, "dev", "SELECT 2 AS i, 'dev' AS n")
    write(branched, con, "main", "SELECT 3 AS i, 'main' AS n")
    head = branched.catalog.ref("main").hash
    there = stored(branched)
    result = branched.merge("dev", dry_run=True)
    assert (result.applied, result.conflicts) == (False, ())
    assert result.changed == result.rebased == (("s", "t"),)
    assert stored(branched) == there
    assert branched.catalog.ref("main").hash == head


def stored(lake: Lake) -> set[str]:
    return {str(path) for path in files.local(lake.warehouse).rglob("*") if path.is_file()}


def overwrites(lake: Lake, con: Con, branch: str) -> None:
    write(lake, con, branch, "SELECT 5::BIGINT AS i, 'x' AS n", "overwrite")


def evolves(lake: Lake, con: Con, branch: str) -> None:
    write(lake, con, branch, "SELECT 5 AS i, 'x' AS n, true AS more")


def switches_off(lake: Lake, con: Con, branch: str) -> None:
    lake.commit(branch, [lake.stage_properties("s.t", {SWITCH: "false"}, on=branch)], message="off")
    write(lake, con, branch, "SELECT 5 AS i, 'x' AS n")


def sets_a_property(lake: Lake, con: Con, branch: str) -> None:
    lake.commit(branch, [lake.stage_properties("s.t", {"owner": branch}, on=branch)], message="owner")
    write(lake, con, branch, "SELECT 5 AS i, 'x' AS n")


@pytest.mark.parametrize(
    ("ours", "theirs", "reason"),
    [
        (overwrites, None, "is no append but 'overwrite'"),
        (None, overwrites, "is no append but 'overwrite'"),
        (evolves, None, "the schemas changed"),
        (None, evolves, "the schemas changed"),
        (switches_off, None, f"{SWITCH} is false"),
        (None, switches_off, f"{SWITCH} is false"),
        (sets_a_property, sets_a_property, "the property 'owner' changed"),
    ],
)
def test_anything_but_pure_appends_conflicts_and_says_why(
    branched: Lake,
    con: Con,
    ours: Callable[..., None] | None,
    theirs: Callable[..., None] | None,
    reason: str,
) -> None:
    for change, branch in ((ours, "main"), (theirs, "dev")):
        write(branched, con, branch, "SELECT 9 AS i, 'append' AS n")
        if change:
            change(branched, con, branch)
    there, head = stored(branched), branched.catalog.ref("main").hash
    assert [one.key for one in branched.merge("dev", dry_run=True).conflicts] == [("s", "t")]
    with pytest.raises(CommitConflictError, match=reason) as error:
        branched.merge("dev")
    assert "'dev' was not merged into 'main'" in str(error.value)
    assert [(one.key, one.type) for one in error.value.conflicts] == [
        (("s", "t"), ConflictType.VALUE_DIFFERS)
    ]
    assert stored(branched) == there
    assert branched.catalog.ref("main").hash == head


def test_a_property_that_one_side_set_comes_along(branched: Lake, con: Con) -> None:
    sets_a_property(branched, con, "dev")
    write(branched, con, "main", "SELECT 6 AS i, 'main' AS n")
    branched.merge("dev")
    assert branched.at("main").table("s.t").properties["owner"] == "dev"


def test_one_table_that_cannot_be_rebased_keeps_the_whole_merge_back(branched: Lake, con: Con) -> None:
    for branch in ("main", "dev"):
        write(branched, con, branch, f"SELECT 9 AS i, '{branch}' AS n")
        staged = branched.stage(con, "s.u", f"SELECT '{branch}' AS n", on=branch)
        branched.commit(branch, [staged], message="u")
    there = stored(branched)
    with pytest.raises(CommitConflictError) as error:
        branched.merge("dev")
    assert [one.key for one in error.value.conflicts] == [("s", "u")]
    assert stored(branched) == there


def test_a_merge_that_names_its_inputs_is_never_rebased(branched: Lake, con: Con) -> None:
    """What a run computed from a table does not know of rows that were appended meanwhile."""
    write(branched, con, "dev", "SELECT 2 AS i, 'dev' AS n")
    write(branched, con, "main", "SELECT 3 AS i, 'main' AS n")
    with pytest.raises(CommitConflictError):
        branched.merge("dev", require=["s.t"])
    with pytest.raises(CommitConflictError):
        branched.merge("dev", require=["s.other"])
    with pytest.raises(CommitConflictError):
        branched.merge("dev", rebase=False)


def test_rows_that_were_taken_back_on_the_target_are_no_append(branched: Lake, con: Con) -> None:
    write(branched, con, "dev", "SELECT 2 AS i, 'dev' AS n")
    merged = branched.merge("dev")
    branched.catalog.revert("main", merged.hash)
    write(branched, con, "dev", "SELECT 3 AS i, 'dev' AS n")
    with pytest.raises(CommitConflictError, match="files were removed"):
        branched.merge("dev")


def test_a_target_that_moves_during_the_merge_is_taken_as_it_is_then(
    branched: Lake, con: Con, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(branched, con, "dev", "SELECT 2 AS i, 'dev' AS n")
    write(branched, con, "main", "SELECT 3 AS i, 'main' AS n")
    ask, tries = branched.catalog.merge, []

    def meanwhile(*args: Any, **options: Any) -> Any:
        tries.append(1)
        if len(tries) in (2, 3):
            write(branched, con, "main", f"SELECT {100 + len(tries)} AS i, 'meanwhile' AS n")
        return ask(*args, **options)

    monkeypatch.setattr(branched.catalog, "merge", meanwhile)
    assert branched.merge("dev").applied
    expected = [(1, "base"), (2, "dev"), (3, "main"), (102, "meanwhile"), (103, "meanwhile")]
    assert rows(branched, con) == Counter(expected)
    at = branched.at("main").table("s.t").metadata
    lists = {
        one["manifest-list"]
        for name in ("main", "dev")
        for one in branched.at(name).table("s.t").metadata["snapshots"]
    }
    assert {path for path in stored(branched) if "/snap-" in path} == lists
    assert len(at["snapshots"]) == 5


def test_branches_that_are_merged_at_once_bring_each_row_once(branched: Lake) -> None:
    """Each thread appends to its own branch and merges it; the log has each merge once, and no more."""
    merged: list[str] = []

    def publish(writer: int) -> None:
        with duckdb.connect() as con:
            for index in range(4):
                write(branched, con, f"b{writer}", f"SELECT {writer * 100 + index} AS i, 'x' AS n")
                result = branched.merge(f"b{writer}")
                assert result.applied
                merged.append(result.hash)

    for writer in range(4):
        branched.branch(f"b{writer}")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(publish, range(4)))
    with duckdb.connect() as con:
        expected = Counter((writer * 100 + index, "x") for writer in range(4) for index in range(4))
        assert rows(branched, con) == expected + Counter([(1, "base")])
    log = [one.hash for one in branched.catalog.log(branched.catalog.ref("main").hash)]
    assert sorted(log[:-1]) == sorted(merged)
    metadata = branched.at("main").table("s.t").metadata
    sequences = [one["sequence-number"] for one in metadata["snapshots"]]
    assert sequences == sorted(set(sequences))
