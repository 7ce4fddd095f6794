"""A whole project with its state in PostgreSQL, through the command line."""

import json
import os
from pathlib import Path

import pytest

from tests.conftest import Ingot
from tests.main_job.small import make_small_project

pytestmark = pytest.mark.slow

SECRET = "Hunter2-s3cret"
PROFILE = """name: small
lake: {protected: main}
profiles:
  dev:
    state: ${STATE}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    directory = make_small_project(tmp_path / "small")
    (directory / "ingot.yml").write_text(PROFILE)
    return directory


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_project_is_run_looked_at_taken_back_and_tidied(project: Path, ingot: Ingot, url: str) -> None:
    # The server trusts everybody, so any password will do: it must be nowhere.
    environ = {**os.environ, "STATE": url.replace("ingot@", f"ingot:{SECRET}@")}
    said: list[str] = []

    def call(*arguments: str, code: int = 0) -> str:
        done = ingot(*arguments, cwd=project, env=environ)
        said.extend((done.stdout, done.stderr))
        assert done.returncode == code, done.stderr
        return done.stdout

    def total() -> int:
        (row,) = json.loads(call("query", '{"measures": ["orders.total"]}', "--json"))
        return int(row["orders.total"])

    run = json.loads(call("run", "--json"))
    assert (run["status"], total()) == ("merged", sum(range(1, 21)))
    assert json.loads(call("run", "--json"))["status"] == "unchanged"
    (project / "data" / "orders_2.csv").write_text("order_id,amount\n21,1000\n")
    assert json.loads(call("run", "--json"))["status"] == "merged"
    assert total() == sum(range(1, 21)) + 1000
    status = json.loads(call("status", "--json"))
    assert [one["status"] for one in status["runs"]] == ["merged", "merged"]
    assert json.loads(call("status", "--run", run["run"], "--json"))["steps"]

    call("rollback", "main~1")
    assert total() == sum(range(1, 21))
    call("branch", "dev", "--at", "main~1")
    call("merge", "dev", "--dry-run")
    call("maintain", "--older-than", "0d", "--keep", "1", "--orphan-age", "0d")
    assert total() == sum(range(1, 21))
    (project / "data" / "orders_3.csv").write_text("order_id,amount\n1,1\n")
    call("run", code=1)  # an order that is there twice
    call("branch", "nothing", "--at", "nowhere", code=2)

    kept = [file for file in (project / ".ingot").rglob("*") if file.is_file()]
    assert not [file.name for file in kept if file.suffix == ".db"]
    assert SECRET not in "".join(said)
    assert not [file for file in kept if SECRET.encode() in file.read_bytes()]


@pytest.mark.parametrize("written", ["${STATE}", "literal"])
@pytest.mark.parametrize("command", ["status", "run", "branch", "tables", "serve", "maintain"])
def test_a_server_that_cannot_be_reached_is_one_message_without_the_password(
    project: Path, ingot: Ingot, command: str, written: str
) -> None:
    url = f"postgresql://ingot:{SECRET}@127.0.0.1:1/db"
    text = PROFILE if written == "${STATE}" else PROFILE.replace("${STATE}", url)
    (project / "ingot.yml").write_text(text)
    for options in ([], ["--json"]) if command != "serve" else ([],):
        done = ingot(command, *options, cwd=project, env={**os.environ, "STATE": url})
        assert done.returncode == 1, done.stdout
        assert "127.0.0.1:1/db cannot be used" in done.stderr
        assert "Traceback" not in done.stderr
        assert SECRET not in done.stdout + done.stderr
    shown = ingot("--debug", command, cwd=project, env={**os.environ, "STATE": url})
    assert SECRET not in shown.stdout + shown.stderr
