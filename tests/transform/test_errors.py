"""What is wrong with a dbt project, said with file and line; and a worker that dies."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from ingot.transform import DbtProjectError, NodeEvent, TransformError
from ingot.transform.dbt import DbtTransform
from ingot.transform.process import WorkerProcess
from tests.transform.conftest import BRANCH, Project, Shop, Transform, by_name, dbt_project

pytestmark = pytest.mark.slow


def test_a_template_that_does_not_parse_is_named_with_its_line(shop: Shop, tmp_path: Path) -> None:
    dbt = dbt_project(tmp_path, {"models/bad.sql": "select 1 as x\n\n{% if %}\nselect 2"})
    with pytest.raises(DbtProjectError) as caught:
        shop.build(dbt=dbt)
    assert (caught.value.file, caught.value.line, caught.value.exit_code) == ("models/bad.sql", 3, 2)
    assert "\x1b" not in str(caught.value)


def test_a_model_that_is_not_there_comes_with_the_nearest_name(shop: Shop, tmp_path: Path) -> None:
    files = {"models/orders.sql": "select 1 as x", "models/b.sql": "select *\nfrom {{ ref('ordesr') }}"}
    with pytest.raises(DbtProjectError) as caught:
        shop.build(dbt=dbt_project(tmp_path, files))
    assert str(caught.value) == (
        "models/b.sql:2: There is no model, seed or snapshot 'ordesr' (did you mean 'orders'?)"
    )


def test_a_source_that_is_not_declared_is_named_with_its_line(shop: Shop, tmp_path: Path) -> None:
    dbt = dbt_project(tmp_path, {"models/b.sql": "select * from\n{{ source('raw', 'nothing') }}"})
    with pytest.raises(DbtProjectError) as caught:
        shop.build(dbt=dbt)
    assert (caught.value.file, caught.value.line) == ("models/b.sql", 2)
    assert "source 'raw.nothing'" in str(caught.value)


def test_a_cycle_is_named(shop: Shop, tmp_path: Path) -> None:
    files = {
        f"models/{a}.sql": f"select * from {{{{ ref('{b}') }}}}"
        for a, b in (("a", "b"), ("b", "c"), ("c", "a"))
    }
    with pytest.raises(DbtProjectError, match="cycle") as caught:
        shop.build(dbt=dbt_project(tmp_path, files))
    assert all(f"model.small.{name}" in str(caught.value) for name in "abc")


def test_a_yaml_mistake_is_named_with_file_and_line(shop: Shop, tmp_path: Path) -> None:
    dbt = dbt_project(tmp_path, {"models/schema.yml": "models:\n  - name: a\n   description: x\n"})
    with pytest.raises(DbtProjectError) as caught:
        shop.build(dbt=dbt)
    assert str(caught.value).startswith("models/schema.yml:3: This is not YAML: ")


def test_sql_that_does_not_run_is_a_failed_node_with_its_file_and_line(shop: Shop, tmp_path: Path) -> None:
    files = {
        "models/a.sql": "select 1 as amount,\n  missing_column\nfrom {{ source('raw', 'orders') }}",
        "models/b.sql": "select * from {{ ref('a') }}",
        "models/sources.yml": "sources: [{name: raw, tables: [{name: orders}]}]",
    }
    result = shop.build(
        dbt=dbt_project(
            tmp_path, {"dbt_project.yml": "name: small\nmodels: {+materialized: table}\n", **files}
        )
    )
    nodes = by_name(result)
    assert (nodes["a"].status, nodes["a"].file, nodes["b"].status) == ("failed", "models/a.sql", "skipped")
    assert "missing_column" in (nodes["a"].error or "")
    assert "LINE 2:" in (nodes["a"].error or "")
    assert not (nodes["a"].error or "").startswith("Runtime Error")
    assert "analytics.a" not in shop.lake.at(BRANCH).tables


def test_rows_that_cannot_be_computed_leave_the_table_as_it_was(shop: Shop, tmp_path: Path) -> None:
    sql = "{{ config(materialized='table') }} select (CASE WHEN i = 90000 THEN '%s' ELSE '1' END)::int as x from range(100000) r(i)"
    shop.build(dbt=dbt_project(tmp_path, {"models/m.sql": sql % "7"}))
    before = shop.lake.at(BRANCH).hash
    files = set(shop.project.warehouse.rglob("*.parquet"))
    (failed,) = shop.build(dbt=dbt_project(tmp_path, {"models/m.sql": sql % "seven"})).failures
    assert "seven" in (failed.error or "")
    assert shop.lake.at(BRANCH).hash == before
    assert set(shop.project.warehouse.rglob("*.parquet")) == files


def test_a_materialization_that_cannot_be_published_is_refused_by_name(shop: Shop) -> None:
    (failed,) = shop.build("external_model", variables={"unsupported": True}).failures
    assert "'external'" in (failed.error or "")
    assert "incremental" in (failed.error or "")


def test_a_folder_without_a_dbt_project_is_named(shop: Shop, tmp_path: Path) -> None:
    with pytest.raises(DbtProjectError, match=re.escape(f"no dbt_project.yml in {tmp_path / 'none'}")):
        shop.build(dbt=tmp_path / "none")


def test_packages_that_are_not_installed_come_with_the_command(shop: Shop, tmp_path: Path) -> None:
    dbt = dbt_project(tmp_path, {"packages.yml": "packages: [{package: a/b, version: 1.0.0}]"})
    with pytest.raises(DbtProjectError) as caught:
        shop.build(dbt=dbt)
    assert caught.value.hint == f"dbt deps --project-dir {dbt}"


def test_a_killed_worker_is_one_clear_error_and_the_branch_stays_readable(shop: Shop, tmp_path: Path) -> None:
    slow = "{{ config(materialized='table') }} select count(*) as n from range(200000) a, range(200000) b, {{ ref('quick') }}"
    files = {"models/quick.sql": "{{ config(materialized='table') }} select 1 as x", "models/slow.sql": slow}
    project = Project(shop.project.root, Transform(dbt_project(tmp_path, files)))
    worker = WorkerProcess(tmp_path / "worker.log")

    def kill_in_slow(event: NodeEvent) -> None:
        if event.name == "slow" and event.what == "started":
            threading.Timer(0.1, os.kill, (worker.pid, signal.SIGKILL)).start()

    with DbtTransform(project, worker=worker) as transform, pytest.raises(TransformError) as caught:  # type: ignore[arg-type]
        transform.build(shop.lake, BRANCH, on_event=kill_in_slow)
    worker.close()
    assert "was ended by SIGKILL while it built slow" in str(caught.value)
    assert shop.rows("from analytics.quick") == [(1,)]
    assert "analytics.slow" not in shop.lake.at(BRANCH).tables


def test_a_worker_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    code = (
        "import os, signal; from pathlib import Path; from ingot.transform.process import WorkerProcess\n"
        f"print(WorkerProcess(Path({str(tmp_path / 'worker.log')!r})).pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    ended = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=False)
    assert ended.returncode == -signal.SIGKILL
    status = Path(f"/proc/{int(ended.stdout)}/stat")
    for _ in range(200):
        if not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.05)
    raise AssertionError("the worker is still there")


def test_a_worker_ends_with_its_parent_s_end_of_the_channel(tmp_path: Path) -> None:
    worker = WorkerProcess(tmp_path / "worker.log")
    worker.close()
    with pytest.raises(ProcessLookupError):
        os.kill(worker.pid, 0)
