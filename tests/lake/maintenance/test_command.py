"""`ingot maintain` as a user runs it."""

import fcntl
import json
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from ingot.cli.maintain import age, size
from ingot.errors import UsageError
from ingot.lake import Lake
from tests.conftest import Ingot
from tests.main_job.small import make_small_project

from .conftest import disk, numbers

pytestmark = pytest.mark.slow


@pytest.fixture
def project(tmp_path: Path, con: duckdb.DuckDBPyConnection) -> Path:
    """A project whose lake has a table of five small files and a run's tag."""
    (tmp_path / "ingot.yml").write_text("")
    with lake_of(tmp_path) as lake:
        for first in range(0, 50, 10):
            query = f"SELECT i FROM range({first}, {first + 10}) r(i)"
            staged = lake.stage(con, "gold.orders", query, on="main", mode="append")
            lake.commit("main", [staged], message="append")
    return tmp_path


def lake_of(project: Path) -> Lake:
    return Lake(f"sqlite:///{project}/.ingot/lake.db", project / ".ingot" / "warehouse")


def test_it_says_what_it_would_do_then_does_it_and_frees_what_it_said(
    ingot: Ingot, project: Path, con: duckdb.DuckDBPyConnection
) -> None:
    before = disk(project / ".ingot" / "warehouse")
    planned = ingot("maintain", "--dry-run", cwd=project)
    assert planned.returncode == 0, planned.stderr
    assert "compact" in planned.stdout
    assert "gold.orders" in planned.stdout
    assert "5 files" in planned.stdout
    assert disk(project / ".ingot" / "warehouse") == before
    done = json.loads(ingot("maintain", "--json", cwd=project).stdout)
    assert [(one["step"], one["outcome"]) for one in done["tables"]] == [("compact", "done")]
    assert done["bytes_freed"] == 0
    freeing = ["maintain", "--older-than", "0d", "--keep", "1", "--orphan-age", "0m", "--only", "gc"]
    middle = disk(project / ".ingot" / "warehouse")
    freed = json.loads(ingot(*freeing, "--json", cwd=project).stdout)
    after = disk(project / ".ingot" / "warehouse")
    assert freed["bytes_freed"] == sum(middle.values()) - sum(after.values()) > 0
    with lake_of(project) as lake:
        assert numbers(lake, con, name="gold.orders") == list(range(50))
        assert lake.catalog.commit_of(lake.at().hash).message == "maintain: compact gold.orders"


def test_ages_and_sizes_are_read_as_people_write_them() -> None:
    assert age("90m", "--older-than") == timedelta(minutes=90)
    assert age(" 4W ", "--older-than") == timedelta(weeks=4)
    assert size("256MB") == 256_000_000
    assert size("256 MiB") == 256 * 1024 * 1024
    assert size("1gb") == 1_000_000_000
    for text in ("soon", "-1d", "7", "", "1.5d", "9999999d"):
        with pytest.raises(UsageError, match="is not a length of time for --older-than: write 30m"):
            age(text, "--older-than")
    for text in ("big", "0MB", "-1MB", "", "1TB", "1e9"):
        with pytest.raises(UsageError, match="is not a size for --target-size"):
            size(text)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--older-than", "soon"], "'soon' is not a length of time for --older-than"),
        (["--table", "gold.order"], "did you mean 'gold.orders'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_one_message_and_changes_nothing(
    ingot: Ingot, project: Path, arguments: list[str], message: str
) -> None:
    before = disk(project / ".ingot" / "warehouse")
    done = ingot("maintain", *arguments, cwd=project)
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert disk(project / ".ingot" / "warehouse") == before


def test_it_does_not_work_beside_a_run(ingot: Ingot, project: Path) -> None:
    with (project / ".ingot" / "run.lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = ingot("maintain", cwd=project)
        assert done.returncode == 1
        assert "Another run of this project is in progress" in done.stderr
        assert ingot("maintain", "--dry-run", cwd=project).returncode == 0


def test_a_run_after_maintenance_finds_nothing_to_do(
    ingot: Ingot, tmp_path: Path, con: duckdb.DuckDBPyConnection
) -> None:
    project = make_small_project(tmp_path / "project")

    def run() -> str:
        done = ingot("run", "--json", cwd=project)
        assert done.returncode == 0, done.stdout + done.stderr
        found: str = json.loads(done.stdout.splitlines()[-1])["status"]
        return found

    assert run() == "merged"
    (project / "data" / "orders_2.csv").write_text("order_id,amount\n1000,79\n")
    assert run() == "merged"
    assert run() == "unchanged"
    steps = ["maintain", "--older-than", "0d", "--keep", "1", "--orphan-age", "0m", "--json"]
    done = json.loads(ingot(*steps, cwd=project).stdout)
    assert "compact" in [one["step"] for one in done["tables"] if one["outcome"] == "done"]
    assert run() == "unchanged"
    (project / "data" / "orders_3.csv").write_text("order_id,amount\n1001,80\n")
    assert run() == "merged"
