"""The command line's manners: help, exit codes, one message for each mistake."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Demo, Ingot
from tests.main_job.small import make_small_project

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with nothing in it."""
    directory = tmp_path_factory.mktemp("empty")
    (directory / "ingot.yml").write_text("")
    return directory


def test_importing_the_package_and_asking_for_help_loads_nothing_heavy() -> None:
    code = (
        "import sys, ingot, ingot.cli.app; "
        "heavy = {'duckdb', 'dbt', 'sqlalchemy', 'pyarrow', 'sqlglot', 'starlette', 'pydantic', 'numpy'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_help_names_every_command_with_exit_code_0(ingot: Ingot) -> None:
    done = ingot("--help")
    assert done.returncode == 0
    for command in [
        "demo",
        "init",
        "run",
        "serve",
        "query",
        "branch",
        "tag",
        "log",
        "merge",
        "status",
        "maintain",
        "schema",
    ]:
        assert f"\n  {command} " in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["qurey"], "Did you mean 'query'"),
        (["run", "--no-such-option"], "No such option"),
        (["query"], "Missing argument"),
        (["log", "-n", "0"], "greater than or equal to 1"),
        (["init", "--template", "storefrnt", "x"], "did you mean 'storefront'"),
        (["query", "select 1", "--ref", "mian"], "did you mean 'main'"),
        (["branch", "a b", "--at", "main"], "a b"),
        (["branch", "-d", "main"], "main cannot be deleted"),
        (["tag", "v1", "--at", "nowhere"], "nowhere"),
        (["status", "--run", "x"], "There is no run 'x'"),
        (["query", "{not json"], "not JSON"),
        (["query", '{"measures": ["a.b"]}'], "a"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_in_a_command_is_one_message_and_exit_code_2(
    ingot: Ingot, empty: Path, arguments: list[str], message: str
) -> None:
    done = ingot(*arguments, cwd=empty)
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_folder_without_a_project_says_how_to_make_one(ingot: Ingot, tmp_path: Path) -> None:
    done = ingot("run", cwd=tmp_path)
    assert done.returncode == 2
    assert "ingot.yml" in done.stderr
    assert "ingot init" in done.stderr


def test_all_mistakes_of_all_files_are_reported_at_once(ingot: Ingot, tmp_path: Path) -> None:
    directory = make_small_project(tmp_path / "p")
    (directory / "ingot.yml").write_text("nmae: small\nserve: {port: eighty}\n")
    (directory / "semantic/cubes/orders.yml").write_text(
        "cubes:\n  - name: orders\n    sql_table: gold.orders\n    measures:\n      - {name: n, type: cuont}\n"
    )
    done = ingot("run", cwd=directory)
    assert done.returncode == 2
    for place in ("ingot.yml:1", "ingot.yml:2", "semantic/cubes/orders.yml:5"):
        assert place in done.stderr, done.stderr
    assert "name" in done.stderr
    assert "'count'" in done.stderr


def test_a_member_that_a_dashboard_misspells_is_found_before_the_run(ingot: Ingot, tmp_path: Path) -> None:
    directory = make_small_project(tmp_path / "p")
    (directory / "dashboards").mkdir()
    (directory / "dashboards/shop.yml").write_text("tiles:\n  - {type: kpi, measures: [orders.totl]}\n")
    done = ingot("run", cwd=directory)
    assert done.returncode == 2
    assert "dashboards/shop.yml:2" in done.stderr
    assert "'orders.total'" in done.stderr
    assert not (directory / ".ingot").exists()


def test_errors_are_json_with_the_json_option(ingot: Ingot, empty: Path) -> None:
    done = ingot("query", "select * from raw.nothing", "--json", cwd=empty)
    assert done.returncode != 0
    assert json.loads(done.stderr)["error"]


def test_the_stack_trace_needs_debug(ingot: Ingot, empty: Path) -> None:
    assert "Traceback" in ingot("query", "select", "--debug", cwd=empty).stderr


def test_init_makes_a_project_that_runs_and_leaves_files_alone(ingot: Ingot, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    assert ingot("init", cwd=tmp_path).returncode == 0
    assert (tmp_path / "notes.txt").read_text() == "mine"
    (tmp_path / "data").mkdir(exist_ok=True)
    (tmp_path / "data" / "a.csv").write_text("x\n1\n")
    assert ingot("run", cwd=tmp_path).returncode == 0
    again = ingot("init", cwd=tmp_path)
    assert (again.returncode, "is a project already" in again.stderr) == (2, True)


@pytest.mark.slow
def test_branches_merge_and_log_like_git(ingot: Ingot, empty: Path) -> None:
    assert ingot("branch", "dev", cwd=empty).returncode == 0
    taken = ingot("branch", "dev", cwd=empty)
    assert (taken.returncode, "dev" in taken.stderr) == (1, True)
    assert "holds everything" in ingot("merge", "dev", cwd=empty).stdout
    assert ingot("tag", "v1", "--at", "dev", cwd=empty).returncode == 0
    tags = json.loads(ingot("tag", "--json", cwd=empty).stdout)["refs"]
    assert [tag["name"] for tag in tags] == ["v1"]
    assert ingot("branch", "-d", "dev", cwd=empty).returncode == 0
    assert [ref["name"] for ref in json.loads(ingot("branch", "--json", cwd=empty).stdout)["refs"]] == [
        "main"
    ]


@pytest.mark.skipif(os.geteuid() != 0 and sys.platform != "linux", reason="needs file modes")
def test_a_folder_that_cannot_be_written_is_one_message(ingot: Ingot, tmp_path: Path) -> None:
    directory = make_small_project(tmp_path / "p")
    command: list[str] = [sys.executable, "-m", "ingot", "run"]
    if os.geteuid() == 0:
        # root ignores file modes; without its capabilities it does not.
        command = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", *command]
    directory.chmod(0o555)
    try:
        done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    finally:
        directory.chmod(0o755)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert "ermission denied" in done.stderr or "read-only" in done.stderr


@pytest.fixture
def server(storefront: Demo) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A served demo and its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "ingot", "serve", "--port", "0", "--project", str(storefront.directory)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line.strip())
        if line.strip() == "ready":
            break
    page = next((line.split()[-1] for line in lines if line.startswith("page")), "")
    try:
        yield process, page.replace("localhost", "127.0.0.1")
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_the_server_says_ready_answers_and_stops_on_sigterm(
    server: tuple[subprocess.Popen[str], str],
) -> None:
    process, address = server
    with urllib.request.urlopen(f"{address}/health", timeout=10) as answer:
        assert json.load(answer)["status"] == "ok"
    began = time.perf_counter()
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=10) == 0
    assert time.perf_counter() - began < 5  # the promise is 2 s; a busy machine must not turn a test red


def test_a_port_in_use_is_one_message(ingot: Ingot, empty: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = ingot("serve", "--port", str(port), cwd=empty)
    assert done.returncode == 1
    assert f"Cannot listen on 127.0.0.1:{port}" in done.stderr
    assert "--port" in done.stderr
