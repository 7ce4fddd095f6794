"""Maintenance beside writers and readers in other processes; killed, it is in `tests/lake/crash`."""

import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from ingot.lake import Lake
from ingot.lake.maintenance import Outcome, Policy, Step, maintain
from ingot.lake.maintenance import tables as steps_on_tables

from .conftest import NOTHING, Add, numbers
from .deletes import delete_rows

WORKER = Path(__file__).with_name("worker.py")


def start(url: str, warehouse: Path, *what: str) -> "subprocess.Popen[str]":
    command = [sys.executable, str(WORKER), url, str(warehouse), *what]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def rows(lake: Lake, con: duckdb.DuckDBPyConnection) -> list[tuple[int, str]]:
    return sorted(con.execute(f"SELECT i, writer FROM {lake.at().scan('s.t')}").fetchall())


@pytest.mark.slow
def test_writers_lose_nothing_while_their_table_is_compacted_and_collected(
    lake: Lake, con: duckdb.DuckDBPyConnection, url: str, warehouse: Path
) -> None:
    con.execute("CREATE TEMP TABLE begin AS SELECT -1 AS i, 'me' AS writer")
    lake.commit("main", [lake.stage(con, "s.t", "FROM begin", on="main")], message="start")
    tending = start(url, warehouse, "maintain")
    assert tending.stdout is not None
    assert tending.stdout.readline() == "ready\n"
    writers = [start(url, warehouse, "write", name, "25") for name in ("a", "b")]
    try:
        acknowledged = {}
        for name, writer in zip("ab", writers, strict=True):
            out, err = writer.communicate(timeout=100)
            assert writer.returncode == 0, err
            acknowledged[name] = [int(line) for line in out.split()]
    finally:
        tending.send_signal(signal.SIGKILL)
    out, err = tending.communicate()
    assert "Traceback" not in err
    # A line is the number of a round; anything behind it is a warning or a failure.
    assert all(line.isdigit() for line in out.splitlines()), out
    assert acknowledged == {"a": list(range(25)), "b": list(range(25))}
    expected = sorted([(-1, "me"), *((i, name) for name in "ab" for i in range(25))])
    assert rows(lake, con) == expected
    messages = [commit.message for commit in lake.catalog.log(lake.at().hash)]
    assert any(message.startswith("maintain: ") for message in messages)
    assert sorted(one for one in messages if one[0] in "ab") == sorted(
        f"{name} {i}" for name in "ab" for i in range(25)
    )
    maintain(lake, con, policy=NOTHING)
    assert rows(lake, con) == expected


@pytest.fixture
def first(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object], int], list[int]]:
    """Lets another writer be faster than maintenance, a number of times."""
    commit = steps_on_tables.Tables._commit

    def install(work: Callable[[], object], times: int) -> list[int]:
        raced: list[int] = []

        def racing(self: steps_on_tables.Tables, *arguments: object) -> object:
            if len(raced) < times:
                raced.append(1)
                work()
            return commit(self, *arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(steps_on_tables.Tables, "_commit", racing)
        return raced

    return install


First = Callable[[Callable[[], object], int], list[int]]


def nothing_is_left(lake: Lake, con: duckdb.DuckDBPyConnection) -> bool:
    """Whether there is no file that nothing names."""
    report = maintain(lake, con, steps=[Step.ORPHANS], policy=Policy(orphan_age=timedelta(0)))
    return report.files_freed == 0


def test_rows_that_were_added_during_a_compaction_stand_beside_the_compacted_ones(
    lake: Lake, con: duckdb.DuckDBPyConnection, add: Add, first: First
) -> None:
    for number in range(0, 30, 10):
        add(number, number + 10)
    first(lambda: add(100, 101), 2)
    (done,) = maintain(lake, con, steps=[Step.COMPACT]).tables
    assert (done.outcome, done.files_before, done.files_after) == (Outcome.DONE, 3, 1)
    assert numbers(lake, con) == [*range(30), 100, 100]
    assert len(lake.at().table("s.t").files) == 3
    assert nothing_is_left(lake, con)


def test_rows_that_were_deleted_during_a_compaction_stay_deleted(
    lake: Lake, con: duckdb.DuckDBPyConnection, add: Add, first: First
) -> None:
    for number in range(0, 30, 10):
        add(number, number + 10)
    first(lambda: delete_rows(lake, con, "main", "s.t", "i % 10 = 4"), 1)
    (done,) = maintain(lake, con, steps=[Step.COMPACT]).tables
    # Done again from the beginning: three data files and three delete files.
    assert (done.outcome, done.files_before) == (Outcome.DONE, 6)
    assert numbers(lake, con) == [i for i in range(30) if i % 10 != 4]
    assert nothing_is_left(lake, con)


def test_an_overwrite_or_a_drop_during_a_compaction_wins(
    lake: Lake, con: duckdb.DuckDBPyConnection, add: Add, first: First
) -> None:
    for number in range(0, 30, 10):
        add(number, number + 10)
        add(number, number + 10, name="s.u")
    works: list[Callable[[], object]] = [
        lambda: add(7, 8, mode="overwrite"),
        lambda: lake.commit("main", [lake.stage_drop("s.u", on="main")], message="drop"),
    ]
    first(lambda: works.pop(0)(), 2)  # noqa: PLW0108 (another one each time)
    assert maintain(lake, con, steps=[Step.COMPACT]).tables == ()
    assert numbers(lake, con) == [7]
    assert lake.at().tables == ("s.t",)
    assert nothing_is_left(lake, con)


def test_a_table_that_never_rests_is_left_for_the_next_time(
    lake: Lake, con: duckdb.DuckDBPyConnection, add: Add, first: First, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps_on_tables, "_HASTE", 2)
    for number in range(0, 30, 10):
        add(number, number + 10)
    raced = first(lambda: add(1000, 1001), 1000)
    (skipped,) = maintain(lake, con, steps=[Step.COMPACT]).tables
    assert (skipped.outcome, skipped.reason) == (Outcome.SKIPPED, "other writers were faster each time")
    assert numbers(lake, con) == [*range(30), *[1000] * len(raced)]
    assert nothing_is_left(lake, con)
