"""The record of runs."""

import pytest
from sqlalchemy import create_engine

from ingot.errors import NotFoundError
from ingot.pipeline import RunResult, RunStatus, RunStore, Step, StepStatus
from tests.lake.conftest import postgres_server, url

__all__ = ["postgres_server", "url"]  # each test runs on both databases


def result(run: str, status: RunStatus = RunStatus.RUNNING) -> RunResult:
    return RunResult(run, status, f"run/{run}", "a" * 64)


STEP = Step("gold.orders", "model", StepStatus.OK, 12_000, 500_000, 1.25, key="model.shop.orders")


def test_a_run_is_given_back_as_it_was_recorded(url: str) -> None:
    with RunStore(url) as store:
        begun = result("1")
        store.begin(begun, "fingerprint")
        store.add_steps("1", 0, [STEP])
        store.add_steps("1", 1, [Step("t", "test", StepStatus.FAILED, 3, error="no", rows_sql="select 1")])
        store.finish(RunResult("1", RunStatus.BLOCKED, "run/1", "b" * 64, 2.5, error="A check failed."))
    with RunStore(url) as store:
        found = store.get("1")
        assert (found.status, found.commit, found.seconds) == (RunStatus.BLOCKED, "b" * 64, 2.5)
        assert found.steps[0] == STEP
        assert [step.name for step in found.failures] == ["t"]
        assert found.failures[0].rows_sql == "select 1"
        assert found.started == begun.started
        assert store.fingerprint("1") == "fingerprint"


def test_runs_are_listed_newest_first_up_to_a_limit(url: str) -> None:
    with RunStore(url) as store:
        for run in ("20260101-1", "20260103-1", "20260102-1"):
            store.begin(result(run), "f")
        assert [each.run for each in store.recent(2)] == ["20260103-1", "20260102-1"]


def test_a_run_that_begins_again_starts_with_no_steps(url: str) -> None:
    with RunStore(url) as store:
        store.begin(result("1"), "f")
        store.add_steps("1", 0, [STEP])
        store.begin(result("1"), "g")
        assert store.get("1").steps == ()
        assert store.fingerprint("1") == "g"


def test_running_runs_of_dead_processes_are_marked_once(url: str) -> None:
    with RunStore(url) as store:
        store.begin(result("1"), "f")
        store.begin(result("2", RunStatus.MERGED), "f")
        assert store.mark_interrupted() == ["1"]
        assert store.mark_interrupted() == []
        assert store.get("1").status is RunStatus.INTERRUPTED
        assert store.get("2").status is RunStatus.MERGED


def test_an_unknown_run_is_refused_with_the_nearest_id(url: str) -> None:
    with RunStore(url) as store:
        store.begin(result("20261120-aaaa"), "f")
        with pytest.raises(NotFoundError, match="did you mean '20261120-aaaa'"):
            store.get("20261120-aaab")


def test_a_database_of_an_earlier_version_gets_the_columns_that_it_lacks(url: str) -> None:
    with RunStore(url) as store:
        store.begin(result("1"), "f")
        store.add_steps("1", 0, [STEP])
    engine = create_engine(url)
    with engine.begin() as con:
        con.exec_driver_sql("ALTER TABLE steps DROP COLUMN rows_sql")
        con.exec_driver_sql('ALTER TABLE steps DROP COLUMN "key"')
    engine.dispose()
    with RunStore(url) as store:
        [step] = store.get("1").steps
        assert (step.name, step.key, step.rows_sql) == ("gold.orders", None, None)
        store.add_steps("1", 1, [STEP])
        assert store.get("1").steps[1] == STEP
