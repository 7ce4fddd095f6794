"""A run that is killed leaves `main` at its commit and readable, and the next run needs no cleaning."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ingot.lake import Lake
from ingot.pipeline import RunStore, run
from ingot.project import Project, load
from tests.main_job.small import make_small_project, orders_total

KILLS = 20


def head_of(project: Project) -> tuple[str, int]:
    """The commit of main, and the sum over a gold table read there by plain SQL."""
    with Lake.open(project) as lake:
        return lake.at("main").hash, orders_total(lake)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_kill_9_at_twenty_random_moments(tmp_path: Path) -> None:
    random_moment = random.Random(20261120)
    directory = make_small_project(tmp_path / "project", orders=200)
    project = load(directory)
    first = time.perf_counter()
    assert run(project).status.value == "merged"
    length = time.perf_counter() - first
    before = head_of(project)
    unfinished = 0
    for kill in range(KILLS):
        # Every attempt has something to do: one more file, so load, build, test and merge all happen.
        (directory / "data" / f"orders_{kill}.csv").write_text(f"order_id,amount\n{100_000 + kill},1\n")
        process = subprocess.Popen(
            [sys.executable, "-m", "ingot", "run", "--json"],
            cwd=directory,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(random_moment.uniform(0, length * 1.2))
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        merged = bool(output) and json.loads(output)["status"] == "merged"
        after = head_of(load(directory))
        if merged:
            before = after
        elif after != before:
            # The merge had happened, only its report had not: then all of it is there.
            assert after[1] == expected_total(directory)
            before = after
        else:
            unfinished += 1
    assert unfinished >= KILLS // 4, "the kills came too late to test anything"
    last = run(load(directory))
    assert last.status.value in ("merged", "unchanged")
    assert head_of(load(directory))[1] == expected_total(directory)
    with RunStore.open(project) as store:
        assert not [each for each in store.recent(100) if each.status.value == "running"]


def expected_total(directory: Path) -> int:
    """The sum of all amounts in the CSV files, added up by hand."""
    total = 0
    for path in (directory / "data").glob("orders*.csv"):
        total += sum(int(line.split(",")[1]) for line in path.read_text().splitlines()[1:])
    return total
