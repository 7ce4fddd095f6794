"""A lake whose folder was moved, copied or linked: refused in one sentence, or the same as before."""

import shutil
from pathlib import Path

import duckdb
import pytest

from ingot.lake import Lake, LakeError, SqlCatalog
from ingot.lake.errors import MovedError
from tests.conftest import Ingot
from tests.main_job.small import make_small_project


def opened(folder: Path, warehouse: Path | str | None = None) -> Lake:
    return Lake(f"sqlite:///{folder}/lake.db", warehouse or folder / "warehouse")


def filled(folder: Path, con: duckdb.DuckDBPyConnection) -> Path:
    folder.mkdir()
    with opened(folder) as lake:
        lake.commit("main", [lake.stage(con, "s.t", "SELECT 1 AS a", on="main")], message="t")
    return folder


def forget(folder: Path) -> None:
    """Makes the catalog one from before it remembered its place."""
    catalog = SqlCatalog(f"sqlite:///{folder}/lake.db")
    with catalog._store._engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM lake_info WHERE name = 'warehouse'")
    catalog.close()


@pytest.mark.parametrize("remembered", [True, False])
@pytest.mark.parametrize("how", [shutil.move, shutil.copytree])
def test_a_lake_that_was_moved_or_copied_names_both_places(
    tmp_path: Path, con: duckdb.DuckDBPyConnection, how: object, remembered: bool
) -> None:
    old, new = filled(tmp_path / "old", con), tmp_path / "new"
    if not remembered:
        forget(old)
    assert callable(how)
    how(old, new)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json")}
    for _ in range(2):
        with pytest.raises(MovedError) as error:
            opened(new)
        assert f"were written to {old / 'warehouse'}, but its warehouse is now {new / 'warehouse'}" in str(
            error.value
        )
        assert "Move it back" in str(error.value)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json")} == before


def test_a_lake_that_was_moved_back_works_again(tmp_path: Path, con: duckdb.DuckDBPyConnection) -> None:
    old, new = filled(tmp_path / "old", con), tmp_path / "new"
    shutil.move(old, new)
    with pytest.raises(LakeError):
        opened(new)
    shutil.move(new, old)
    with opened(old) as lake:
        assert con.execute(f"SELECT a FROM {lake.at().scan('s.t')}").fetchall() == [(1,)]


def test_a_link_to_the_folder_is_the_same_place(tmp_path: Path, con: duckdb.DuckDBPyConnection) -> None:
    old, link = filled(tmp_path / "old", con), tmp_path / "link"
    link.symlink_to(old)
    with opened(link) as lake:
        assert con.execute(f"SELECT a FROM {lake.at().scan('s.t')}").fetchall() == [(1,)]
    moved = tmp_path / "elsewhere"
    shutil.move(old, moved)
    old.symlink_to(moved)
    with opened(moved) as lake:
        assert con.execute(f"SELECT a FROM {lake.at().scan('s.t')}").fetchall() == [(1,)]


def test_an_empty_lake_may_move(tmp_path: Path, con: duckdb.DuckDBPyConnection) -> None:
    (tmp_path / "old").mkdir()
    opened(tmp_path / "old").close()
    shutil.move(tmp_path / "old", tmp_path / "new")
    with opened(tmp_path / "new") as lake:
        lake.commit("main", [lake.stage(con, "s.t", "SELECT 1 AS a", on="main")], message="t")
    with pytest.raises(MovedError):
        opened(tmp_path / "new", tmp_path / "other")


def test_a_table_that_only_a_branch_has_counts_too(tmp_path: Path, con: duckdb.DuckDBPyConnection) -> None:
    (tmp_path / "old").mkdir()
    with opened(tmp_path / "old") as lake:
        lake.branch("dev")
        lake.commit("dev", [lake.stage(con, "a.b.t", "SELECT 1 AS a", on="dev")], message="t")
    with pytest.raises(MovedError):
        opened(tmp_path / "old", tmp_path / "other")


def test_an_older_catalog_learns_its_place(tmp_path: Path, con: duckdb.DuckDBPyConnection) -> None:
    old = filled(tmp_path / "old", con)
    forget(old)
    opened(old).close()
    with pytest.raises(MovedError, match=str(old)):
        opened(old, "s3://bucket/warehouse")


@pytest.mark.slow
def test_the_command_line_says_so_for_a_moved_project(tmp_path: Path, ingot: Ingot) -> None:
    old = make_small_project(tmp_path / "old")
    assert ingot("run", cwd=old).returncode == 0
    new = tmp_path / "new"
    shutil.move(old, new)
    for command in (("query", "select 1 as a from gold.orders"), ("run",), ("status",), ("log",)):
        done = ingot(*command, cwd=new)
        assert done.returncode == 1, (command, done.stdout, done.stderr)
        text = " ".join((done.stdout + done.stderr).split())
        assert "remove the folder .ingot" in text
        assert "Traceback" not in text
