"""Expiry and collection: what may go goes to the last byte, and what any ref may ask for stays."""

import os
import shutil
import time
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest
from sqlalchemy import create_engine

from ingot.lake import Commit, Lake, MissingFileError, Put, RefKind, SqlCatalog, metadata
from ingot.lake.maintenance import USUAL, Outcome, Policy, Step, maintain, sweep
from ingot.lake.staged import Staged, table_content, write_metadata

from .conftest import NOTHING, Add, disk, forget, numbers

WEEK = Policy(older_than=timedelta(days=7), keep=1, orphan_age=timedelta(0))


def age_everything(url: str, days: float) -> None:
    """Makes all commits and moves of refs so far `days` older, as if time had passed."""
    micros = int(days * 86_400_000_000)
    engine = create_engine(url)
    with engine.begin() as state:
        state.exec_driver_sql(f"UPDATE lake_commits SET committed_at = committed_at - {micros}")
        state.exec_driver_sql(f"UPDATE lake_ref_moves SET moved_at = moved_at - {micros}")
    engine.dispose()


def reopened(lake: Lake, url: str) -> Lake:
    """The same lake without what this process remembers of it."""
    return Lake(url, lake.warehouse)


def test_bytes_freed_are_what_the_disk_has_gained(
    lake: Lake, con: duckdb.DuckDBPyConnection, add: Add, warehouse: Path
) -> None:
    for first in range(0, 50, 10):
        add(first, first + 10)
        add(first, first + 10, name="s.u", mode="overwrite")
    planned = maintain(lake, con, steps=[Step.GC], policy=NOTHING, dry_run=True)
    before = disk(warehouse)
    report = maintain(lake, con, steps=[Step.GC], policy=NOTHING)
    after = disk(warehouse)
    assert report.bytes_freed == planned.bytes_freed == sum(before.values()) - sum(after.values()) > 0
    assert report.files_freed == len(before) - len(after)
    assert {one.table for one in report.removed} == {"s.t", "s.u"}
    assert numbers(lake, con) == list(range(50))
    assert numbers(lake, con, name="s.u") == list(range(40, 50))
    assert maintain(lake, con, steps=[Step.GC], policy=NOTHING).files_freed == 0


def test_a_dry_run_foresees_what_expiry_will_free(
    lake: Lake, con: duckdb.DuckDBPyConnection, add: Add, warehouse: Path
) -> None:
    for first in range(0, 50, 10):
        add(first, first + 10, mode="overwrite")
    time.sleep(0.01)
    planned = maintain(lake, con, policy=NOTHING, dry_run=True)
    assert [(one.step, one.snapshots) for one in planned.tables] == [(Step.EXPIRE, 4)]
    before = disk(warehouse)
    report = maintain(lake, con, policy=NOTHING)
    assert [(one.step, one.snapshots) for one in report.tables] == [(Step.EXPIRE, 4)]
    gone = {name: size for name, size in before.items() if not Path(name).exists()}
    assert report.bytes_freed == sum(gone.values())
    # Expiry itself replaced the metadata file, which a dry run cannot know.
    assert 0 <= report.files_freed - planned.files_freed <= 1
    assert len([name for name in disk(warehouse) if name.endswith(".parquet")]) == 1
    snapshots = lake.at().table("s.t").metadata["snapshots"]
    assert [one["snapshot-id"] for one in snapshots] == [lake.at().table("s.t").snapshot_id]


def test_expiry_keeps_the_newest_the_young_and_what_the_table_itself_names(
    lake: Lake, con: duckdb.DuckDBPyConnection, add: Add
) -> None:
    for first in range(6):
        add(first, first + 1)
        time.sleep(0.002)
    table = lake.at().table("s.t")
    ids = [one["snapshot-id"] for one in table.metadata["snapshots"]]
    assert maintain(lake, con, steps=[Step.EXPIRE], policy=WEEK).tables == ()
    update = {"action": "set-snapshot-ref", "ref-name": "audit", "type": "tag", "snapshot-id": ids[1]}
    document = metadata.apply(table.metadata, [], [update], now_ms=table.metadata["last-updated-ms"] + 1)
    content = table_content(document, write_metadata(document, table.metadata_location), table.content.id)
    lake.commit("main", [Staged(("s", "t"), content, table.content)], message="tag within the table")
    policy = Policy(older_than=timedelta(0), keep=2, orphan_age=timedelta(0))
    (done,) = maintain(lake, con, steps=[Step.EXPIRE, Step.GC], policy=policy).tables
    assert (done.outcome, done.snapshots) == (Outcome.DONE, 3)
    left = lake.at().table("s.t")
    assert [one["snapshot-id"] for one in left.metadata["snapshots"]] == [ids[1], ids[4], ids[5]]
    for id, count in ((ids[1], 2), (ids[4], 5), (ids[5], 6)):
        scan = f"iceberg_scan('{left.metadata_location}', snapshot_from_id = {id}::UBIGINT)"
        assert con.execute(f"SELECT count(*) FROM {scan}").fetchall() == [(count,)]


def test_a_tag_stays_readable_byte_for_byte(lake: Lake, con: duckdb.DuckDBPyConnection, add: Add) -> None:
    add(0, 10)
    add(10, 20)
    lake.tag("v1")
    held = lake.at("v1").table("s.t")
    files = {path: Path(path).read_bytes() for path in [*held.files, held.metadata_location]}
    add(0, 3, mode="overwrite")
    lake.commit("main", [lake.stage_drop("s.t", on="main")], message="drop")
    maintain(lake, con, policy=NOTHING)
    assert {path: Path(path).read_bytes() for path in files} == files
    forget()
    assert numbers(lake, con, "v1") == list(range(20))
    lake.delete_ref("v1")
    report = maintain(lake, con, steps=[Step.GC], policy=NOTHING)
    # Nothing but the last state that the branch had within a window that ends now is left.
    assert report.files_freed > 0
    assert not any(Path(path).exists() for path in files)


def test_every_state_within_the_window_stays_readable_and_what_was_before_goes(
    lake: Lake, con: duckdb.DuckDBPyConnection, add: Add, url: str
) -> None:
    old = add(0, 10, mode="overwrite")
    age_everything(url, 10)
    entered = add(0, 20, mode="overwrite")
    lake.branch("short")
    short = add(0, 40, mode="overwrite", on="short")
    age_everything(url, 5)
    lake.delete_ref("short")
    within = add(0, 30, mode="overwrite")
    age_everything(url, 4)
    now = add(0, 50, mode="overwrite")
    # Ages by now: 19, 9, 9 (left 4 days ago), 4 and 0 days.
    fresh = reopened(lake, url)
    try:
        report = maintain(fresh, con, steps=[Step.GC], policy=WEEK)
        assert report.files_freed > 0
        forget()
        for commit, count in ((entered, 20), (short, 40), (within, 30), (now, 50)):
            assert numbers(fresh, con, commit.hash) == list(range(count))
        assert not metadata_file(old).exists()
    finally:
        fresh.close()


def metadata_file(of: Commit) -> Path:
    """The metadata file of the one table that a commit changed."""
    (put,) = [one for one in of.operations if isinstance(one, Put) and one.content.metadata_location]
    return Path(put.content.metadata_location)


def test_the_newest_commits_of_a_branch_stay_however_old(
    lake: Lake, con: duckdb.DuckDBPyConnection, add: Add, url: str
) -> None:
    made = [add(0, count, mode="overwrite") for count in range(1, 7)]
    age_everything(url, 100)
    fresh = reopened(lake, url)
    try:
        maintain(fresh, con, steps=[Step.GC], policy=Policy(keep=3, orphan_age=timedelta(0)))
        forget()
        for commit, count in zip(made[3:], (4, 5, 6), strict=True):
            assert numbers(fresh, con, commit.hash) == list(range(count))
    finally:
        fresh.close()


def test_tags_of_old_runs_are_dropped_only_when_asked_and_newest_kept(
    lake: Lake, con: duckdb.DuckDBPyConnection, add: Add, url: str
) -> None:
    for number in range(4):
        add(number, number + 1)
        lake.tag(f"run/{number}")
    lake.tag("release")
    age_everything(url, 30)
    add(9, 10)
    lake.tag("run/9")
    policy = Policy(keep=2, passing=("run/",))
    assert maintain(lake, con, policy=policy).tags == ()
    planned = maintain(lake, con, steps=[*USUAL, Step.TAGS], policy=policy, dry_run=True)
    report = maintain(lake, con, steps=[*USUAL, Step.TAGS], policy=policy)
    assert sorted(report.tags) == sorted(planned.tags) == ["run/0", "run/1", "run/2"]
    kept = [ref.name for ref in lake.catalog.refs() if ref.kind is RefKind.TAG]
    assert kept == ["release", "run/3", "run/9"]


def test_files_that_nobody_names_go_when_they_are_old(
    lake: Lake, con: duckdb.DuckDBPyConnection, add: Add, warehouse: Path
) -> None:
    add(0, 10)
    given_up = lake.stage(con, "s.t", "SELECT 1 AS i", on="main", mode="append")
    never = lake.stage(con, "s.never", "SELECT 1 AS i", on="main")
    left = {*given_up.files, *never.files}
    policy = Policy(orphan_age=timedelta(days=3))
    assert maintain(lake, con, policy=policy).files_freed == 0
    long_ago = time.time() - 4 * 86400
    for path in left:
        os.utime(path, (long_ago, long_ago))
    size = sum(Path(path).stat().st_size for path in left)
    report = maintain(lake, con, steps=[Step.ORPHANS], policy=policy)
    assert (report.files_freed, report.bytes_freed) == (len(left), size)
    assert sorted(one.table for one in report.removed) == ["", "s.t"]
    assert not any(Path(path).exists() for path in left)
    assert numbers(lake, con) == list(range(10))
    # The folders that are empty now go another window later.
    folder = next(warehouse.glob("s/never-*"))
    for one in (folder / "data", folder / "metadata", folder):
        os.utime(one, (long_ago, long_ago))
    maintain(lake, con, steps=[Step.ORPHANS], policy=policy)
    assert not (folder / "data").exists()
    os.utime(folder, (long_ago, long_ago))
    maintain(lake, con, steps=[Step.ORPHANS], policy=policy)
    assert not folder.exists()


def test_files_that_are_not_of_a_table_and_links_are_left_alone(
    lake: Lake, con: duckdb.DuckDBPyConnection, add: Add, warehouse: Path, tmp_path: Path
) -> None:
    add(0, 10)
    outside = tmp_path / "outside"
    (outside / "data").mkdir(parents=True)
    mine = [warehouse / "notes.txt", warehouse / "s" / "input.csv", outside / "data" / "x.parquet"]
    for path in mine:
        path.write_text("mine")
    table = Path(lake.at().table("s.t").location)
    (table / "data" / "link.parquet").symlink_to(mine[0])
    (table / "elsewhere").symlink_to(outside)
    (warehouse / "s" / "u-00000000-0000-4000-8000-000000000000").symlink_to(outside)
    assert maintain(lake, con, policy=NOTHING).files_freed == 0
    assert all(path.read_text() == "mine" for path in mine)
    assert (table / "data" / "link.parquet").is_symlink()


def test_a_commit_that_names_files_outside_of_the_warehouse_cannot_have_them_removed(
    lake: Lake, con: duckdb.DuckDBPyConnection, add: Add, tmp_path: Path
) -> None:
    """What a client once put into metadata decides nothing about other folders."""
    add(0, 10)
    with Lake(f"sqlite:///{tmp_path}/other.db", tmp_path / "elsewhere") as other:
        other.commit("main", [other.stage(con, "s.x", "SELECT 1 AS i", on="main")], message="x")
        content = other.at().table("s.x").content
        lake.catalog.commit("main", [Put(("s", "x"), content)], message="registered")
        lake.commit("main", [lake.stage_drop("s.x", on="main")], message="dropped")
        time.sleep(0.01)
        maintain(lake, con, policy=NOTHING)
        maintain(lake, con, policy=NOTHING)
        assert numbers(other, con, name="s.x") == [1]


def test_a_warehouse_that_is_reached_through_a_link_is_the_same_warehouse(
    lake: Lake, con: duckdb.DuckDBPyConnection, add: Add, warehouse: Path, tmp_path: Path, url: str
) -> None:
    add(0, 10)
    (tmp_path / "link").symlink_to(warehouse)
    with Lake(url, tmp_path / "link") as again:
        assert maintain(again, con, policy=NOTHING).files_freed == 0
        again.commit("main", [again.stage(con, "s.t", "SELECT 5 AS i", on="main")], message="by the link")
        again.commit("main", [again.stage(con, "s.v", "SELECT 6 AS i", on="main")], message="by the link")
        time.sleep(0.01)
        assert maintain(again, con, policy=NOTHING).files_freed > 0
    assert numbers(lake, con) == [5]
    assert numbers(lake, con, name="s.v") == [6]


def test_a_copied_warehouse_whose_tables_are_at_the_old_place_is_left_alone(
    lake: Lake, con: duckdb.DuckDBPyConnection, add: Add, warehouse: Path, tmp_path: Path
) -> None:
    add(0, 10)
    shutil.copytree(warehouse, tmp_path / "copy")
    # Opening it is refused as long as the lake knows where its tables were; this is the second barrier.
    lake.warehouse = str(tmp_path / "copy")
    before = disk(tmp_path / "copy")
    assert maintain(lake, con, policy=NOTHING).files_freed == 0
    shutil.rmtree(warehouse)
    assert maintain(lake, con, steps=[Step.GC, Step.ORPHANS], policy=NOTHING).files_freed == 0
    assert disk(tmp_path / "copy") == before


def test_nothing_of_a_table_that_cannot_be_read_is_removed(
    lake: Lake, con: duckdb.DuckDBPyConnection, add: Add, tmp_path: Path, url: str
) -> None:
    for name in ("s.t", "s.u"):
        add(0, 10, name=name)
        add(0, 5, name=name, mode="overwrite")
    time.sleep(0.01)
    location = Path(lake.at().table("s.t").metadata_location)
    folder = location.parent.parent
    location.rename(tmp_path / "aside")
    fresh = reopened(lake, url)
    try:
        forget()
        before = disk(folder)
        report = maintain(fresh, con, steps=[Step.GC, Step.ORPHANS], policy=NOTHING)
        assert str(location) in report.warnings[0]
        assert disk(folder) == before
        assert {one.table for one in report.removed} == {"s.u"}
        (tmp_path / "aside").rename(location)
        assert numbers(fresh, con) == list(range(5))
    finally:
        fresh.close()


def test_a_branch_made_at_an_old_commit_during_a_sweep_keeps_what_is_still_there(
    lake: Lake, con: duckdb.DuckDBPyConnection, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = [add(0, count, mode="overwrite", name=f"s.t{count}") for count in (10, 20)]
    for count in (10, 20):
        lake.commit("main", [lake.stage_drop(f"s.t{count}", on="main")], message="drop")
    time.sleep(0.01)
    monkeypatch.setattr(sweep, "_BATCH", 1)
    standing_still = SqlCatalog.standing_still
    calls: list[int] = []

    def racing(self: SqlCatalog, mark: int, work: object) -> object:
        if not calls:
            lake.branch("rescue", old[0].hash)
        calls.append(mark)
        return standing_still(self, mark, work)  # type: ignore[arg-type]

    monkeypatch.setattr(SqlCatalog, "standing_still", racing)
    report = maintain(lake, con, steps=[Step.GC, Step.ORPHANS], policy=NOTHING)
    assert len(calls) > 3
    assert {one.table for one in report.removed} == {"s.t20"}
    forget()
    assert numbers(lake, con, "rescue", "s.t10") == list(range(10))


def test_a_table_alone_can_be_collected(lake: Lake, con: duckdb.DuckDBPyConnection, add: Add) -> None:
    for name in ("s.t", "s.u"):
        add(0, 10, name=name)
        add(0, 5, name=name, mode="overwrite")
    time.sleep(0.01)
    report = maintain(lake, con, tables=["s.u"], policy=NOTHING)
    assert {one.table for one in report.removed} == {"s.u"}
    rest = maintain(lake, con, steps=[Step.GC], policy=NOTHING)
    assert "s.t" in {one.table for one in rest.removed}


def test_reading_a_collected_commit_names_the_missing_file(
    lake: Lake, con: duckdb.DuckDBPyConnection, add: Add, tmp_path: Path
) -> None:
    old = add(0, 10)
    lake.commit("main", [lake.stage_drop("s.t", on="main")], message="drop")
    time.sleep(0.01)
    maintain(lake, con, policy=NOTHING)
    forget()
    with pytest.raises(MissingFileError, match=r"metadata\.json"):
        lake.at(old.hash).scan("s.t")
