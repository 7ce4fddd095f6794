"""dbt-postgres with our tables as its sources: everything that dbt does without writing."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.pgwire.clients.sides import Side, Sides

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

FILES = {
    "dbt_project.yml": "name: reports\nprofile: reports\nmodels: {reports: {+materialized: ephemeral}}\n",
    "models/sources.yml": """
sources:
  - name: metrics
    schema: public
    tables:
      - name: orders
        columns:
          - {name: order_id, data_tests: [unique, not_null]}
          - {name: order_status, data_tests: [{accepted_values: {arguments: {values: [completed]}}}]}
          - name: campaign_id
            data_tests: [{relationships: {arguments: {to: "source('metrics', 'campaigns')", field: campaign_id}}}]
      - name: campaigns
""",
    "models/by_status.sql": "SELECT order_status, COUNT(*) AS n, SUM(total_revenue) AS revenue "
    "FROM {{ source('metrics', 'orders') }} GROUP BY 1",
    "models/large.sql": "SELECT * FROM {{ ref('by_status') }} WHERE n > 20 ORDER BY n",
    "tests/none_is_negative.sql": "SELECT * FROM {{ source('metrics', 'orders') }} WHERE total_amount < 0",
    "written/as_table.sql": "{{ config(materialized='table') }} SELECT 1 AS one",
}
INLINE = "SELECT channel, COUNT(*) AS n FROM {{ source('metrics', 'orders') }} GROUP BY 1"
STEPS = {
    "debug": ["debug"],
    "compile": ["compile"],
    "list": ["list"],
    "inline": ["show", "--inline", f"{INLINE} ORDER BY 1"],
    "model": ["show", "-s", "large", "--limit", "3"],
    "tests": ["test"],
    "docs": ["docs", "generate"],
    "run": ["run"],
    "table": ["run", "--vars", "{}", "-s", "as_table"],
}
PROGRAM = """
import json, sys
from dbt.cli.main import dbtRunner

out = {}
for name, step in json.loads(sys.argv[1]).items():
    done = dbtRunner().invoke([*step, "--quiet", "--no-use-colors", "--no-partial-parse"])
    told = [done.success, repr(done.exception)]
    for one in sorted(getattr(done.result, "results", None) or [], key=lambda one: getattr(getattr(one, "node", None), "name", "")):
        table = getattr(one, "agate_table", None)
        rows = [[str(value) for value in row] for row in table.rows] if table is not None else []
        told.append([getattr(getattr(one, "node", None), "name", ""), str(getattr(one, "status", "")), str(getattr(one, "message", "")), rows])
    out[name] = told
print("told " + json.dumps(out))
"""


@pytest.fixture(scope="module")
def answers(sides: Sides, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What dbt said of PostgreSQL and of us."""
    return [_told(side, tmp_path_factory.mktemp("dbt")) for side in sides]


def _told(side: Side, folder: Path) -> dict[str, Any]:
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    target = {
        "type": "postgres", "host": side.host, "port": side.port, "user": side.user, "password": "x",
        "dbname": side.database, "schema": "public", "threads": 2,
    }  # fmt: skip
    profile = {"reports": {"target": "it", "outputs": {"it": target}}}
    (folder / "profiles.yml").write_text(json.dumps(profile))
    reading = {name: step for name, step in STEPS.items() if name != "table"}
    told = _run(folder, reading)
    told["catalog"] = json.loads((folder / "target" / "catalog.json").read_text())["sources"]
    told["compiled"] = (folder / "target/compiled/reports/models/large.sql").read_text()
    (folder / "written" / "as_table.sql").rename(folder / "models" / "as_table.sql")
    return {**told, **_run(folder, {"table": STEPS["table"]})}


def _run(folder: Path, steps: dict[str, list[str]]) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM, json.dumps(steps)],
        cwd=folder, capture_output=True, text=True, timeout=200, check=False,
        env={**os.environ, "DBT_PROFILES_DIR": str(folder), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("told "))
    told: dict[str, Any] = json.loads(line.removeprefix("told "))
    return told


@pytest.mark.parametrize("step", ["debug", "compile", "list", "inline", "model", "tests", "docs", "run"])
def test_what_writes_nothing_works_as_with_postgresql(answers: list[dict[str, Any]], step: str) -> None:
    judge, ours = (told[step] for told in answers)
    assert judge[0] is (step != "tests")  # there are orders of other statuses, and so one test fails
    assert ours == judge


def test_rows_are_shown_and_tests_count(answers: list[dict[str, Any]]) -> None:
    ours = answers[1]
    assert [row[0] for row in ours["inline"][2][3]] == sorted(row[0] for row in ours["inline"][2][3])
    assert len(ours["model"][2][3]) == 3
    failed = {one[0]: one[2] for one in ours["tests"][2:] if one[1] == "fail"}
    assert list(failed.values()) == ["Got 5 results, configured to fail if != 0"]
    assert len(ours["tests"][2:]) == 5


def test_the_documented_columns_are_those_of_the_tables(answers: list[dict[str, Any]]) -> None:
    judge, ours = (told["catalog"] for told in answers)
    assert ours == judge
    assert ours["source.reports.metrics.orders"]["columns"]["total_amount"]["type"] == "numeric(12,2)"
    assert answers[1]["compiled"] == answers[0]["compiled"]


def test_a_table_is_refused_as_to_who_may_only_read(answers: list[dict[str, Any]]) -> None:
    judge, ours = (told["table"] for told in answers)
    assert judge[0] is ours[0] is False
    assert "cannot execute CREATE TABLE AS in a read-only transaction" in ours[2][2]
