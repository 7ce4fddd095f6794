"""Write, audit, publish on a small project: what fails, what is blocked, what goes on, what stays."""

import fcntl
import json
import shlex
from pathlib import Path

import pytest

from ingot.lake import Lake
from ingot.pipeline import Event, RunResult, run
from ingot.project import load
from tests.conftest import Ingot
from tests.main_job.small import make_small_project, orders_total

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small project after its first run; tests change it one after the other and put nothing back."""
    directory = make_small_project(tmp_path_factory.mktemp("small") / "project")
    assert execute(directory).status.value == "merged"
    return directory


def execute(directory: Path) -> RunResult:
    return run(load(directory))


def main_of(directory: Path) -> tuple[str, int]:
    with Lake.open(load(directory)) as lake:
        return lake.at("main").hash, orders_total(lake)


def test_a_failing_check_blocks_the_run_and_shows_the_rows(built: Path, ingot: Ingot) -> None:
    before = main_of(built)
    bad = built / "data" / "orders_bad.csv"
    bad.write_text("order_id,amount\n1,5\n2,5\n")
    try:
        done = ingot("run", "--json", cwd=built)
        result = json.loads(done.stdout)
        assert (done.returncode, result["status"]) == (1, "blocked")
        assert main_of(built) == before
        [failed] = [step for step in result["steps"] if step["status"] == "failed"]
        assert failed["kind"] == "test"
        assert failed["rows"] == 2
        steps = ingot("status", "--run", result["run"], cwd=built).stdout
        command = shlex.split(steps.split("see the rows: ingot ")[1])
        rows = ingot(*command, "--format", "json", cwd=built)
        assert rows.returncode == 0, rows.stderr
        assert {row["unique_field"] for row in json.loads(rows.stdout)} == {1, 2}
    finally:
        bad.unlink()
    again = ingot("run", "--json", cwd=built)
    assert json.loads(again.stdout)["status"] in ("merged", "unchanged"), again.stderr


def test_a_run_goes_on_from_the_failed_step_once_it_is_mended(tmp_path: Path) -> None:
    directory = make_small_project(tmp_path / "project", orders=3)
    model = directory / "transform" / "models" / "totals.sql"
    good = model.read_text()
    model.write_text("select no_such_column from {{ ref('orders') }}\n")
    failed = execute(directory)
    assert failed.status.value == "failed"
    assert [step.name for step in failed.failures] == ["totals"]
    model.write_text(good)
    events: list[Event] = []
    resumed = run(load(directory), resume=failed.run, on_event=events.append)
    assert (resumed.status.value, resumed.run) == ("merged", failed.run)
    assert not [step for step in resumed.steps if step.kind == "source"], "the files were loaded already"
    assert main_of(directory)[1] == 1 + 2 + 3


def test_an_unknown_run_cannot_be_resumed(built: Path, ingot: Ingot) -> None:
    done = ingot("run", "--resume", "20200101-000000-ffff", cwd=built)
    assert done.returncode == 2
    assert "There is no run '20200101-000000-ffff'" in done.stderr


def test_two_runs_at_once_are_refused(built: Path, ingot: Ingot) -> None:
    with (built / ".ingot" / "run.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = ingot("run", cwd=built)
    assert done.returncode == 1
    assert "Another run of this project is in progress" in done.stderr


def test_a_commit_of_somebody_else_to_an_input_stops_the_merge(tmp_path: Path) -> None:
    directory = make_small_project(tmp_path / "project", orders=3)
    assert execute(directory).status.value == "merged"
    (directory / "data" / "orders_more.csv").write_text("order_id,amount\n50,50\n")
    interfered = False

    def interfere(event: Event) -> None:
        nonlocal interfered
        if event.kind == "started" and event.name == "totals" and not interfered:
            interfered = True
            with Lake.open(load(directory)) as lake:
                lake.commit(
                    "main", [lake.stage_properties("raw.orders", {"note": "x"}, on="main")], message="x"
                )

    result = run(load(directory), on_event=interfere)
    assert interfered
    assert result.status.value == "failed"
    assert "raw.orders" in (result.error or "")
    assert main_of(directory)[1] == 1 + 2 + 3
    assert execute(directory).status.value == "merged"
    assert main_of(directory)[1] == 1 + 2 + 3 + 50


def test_a_folder_with_one_csv_is_a_project(tmp_path: Path, ingot: Ingot) -> None:
    (tmp_path / "ingot.yml").write_text("")
    (tmp_path / "sales.csv").write_text("day,amount\n2026-01-01,1.50\n2026-01-02,2.25\n")
    done = ingot("run", "--json", cwd=tmp_path)
    assert json.loads(done.stdout)["status"] == "merged", done.stderr
    sums = ingot("query", "select sum(amount) as total from raw.sales", "-f", "csv", cwd=tmp_path)
    assert sums.stdout == "total\n3.75\n"
