"""`ingot serve` and its SQL port: what it prints, what it refuses, how it ends."""

import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from ingot.cli import serve
from ingot.errors import IngotError
from ingot.project import load

pytestmark = pytest.mark.slow


@pytest.fixture
def blank(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "ingot.yml").touch()
    return folder


@contextmanager
def _served(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    command = [sys.executable, "-m", "ingot", "serve", "--project", str(folder), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        lines: list[str] = []
        for line in process.stdout:
            lines.append(line.strip())
            if lines[-1] == "ready":
                break
        try:
            yield process, lines
        finally:
            process.kill()


def _dsn(lines: list[str]) -> str:
    (found,) = (hit[1] for line in lines if (hit := re.fullmatch(r"sql\s+(postgresql://\S+)", line)))
    return found.replace("localhost", "x@127.0.0.1")


def test_the_printed_address_answers_and_sigterm_ends_it_within_2_s(blank: Path) -> None:
    with (
        _served(blank, "--port", "0") as (process, lines),
        psycopg.connect(_dsn(lines), autocommit=True) as con,
    ):
        assert con.execute("select 1").fetchone() == (1,)
        assert con.execute("select current_database()").fetchone() == ("shop",)
        began = time.perf_counter()
        process.terminate()
        assert process.wait(timeout=10) == 0
        # The promise is 2 s; a busy machine must not turn a test red.
        assert time.perf_counter() - began < 4
        with pytest.raises(psycopg.errors.AdminShutdown):
            con.execute("select 1")


def test_settings_that_only_postgresql_knows_are_checked_by_it(blank: Path) -> None:
    with _served(blank, "--port", "0") as (_, lines):
        with psycopg.connect(_dsn(lines), autocommit=True, options="-c work_mem=8MB -c geqo=off") as con:

            def shown(name: str) -> object:
                return con.execute(f"show {name}").fetchone()

            assert (shown("work_mem"), shown("geqo")) == (("8MB",), ("off",))
            con.execute("begin; set local work_mem = 4096; set geqo = on")
            assert (shown("work_mem"), shown("geqo")) == (("4MB",), ("on",))
            con.execute("rollback")
            assert (shown("work_mem"), shown("geqo")) == (("8MB",), ("off",))
            for wrong, sqlstate in (("work_mem = 'much'", "22023"), ("nothing_at_all = 1", "42704")):
                with pytest.raises(psycopg.Error) as found:
                    con.execute(f"set {wrong}")
                assert found.value.sqlstate == sqlstate
            con.execute("set work_mem = '16MB'; reset work_mem")
            assert shown("work_mem") == ("8MB",)
        with pytest.raises(psycopg.OperationalError, match="nothing_at_all"):
            psycopg.connect(_dsn(lines), options="-c nothing_at_all=1")


def test_the_port_is_taken_from_the_options(blank: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with _served(blank, "--port", "0", "--sql-port", str(port)) as (_, lines):
        assert any(line.endswith(f"postgresql://localhost:{port}/shop") for line in lines)


def test_a_taken_sql_port_is_one_message(blank: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with _served(blank, "--port", "0", "--sql-port", str(port)) as (process, lines):
            assert process.wait(timeout=20) == 1
    said = "\n".join(lines)
    assert f"Cannot listen on 127.0.0.1:{port}" in said
    assert f"ingot serve --sql-port {port + 1}" in said
    assert "Traceback" not in said


def test_a_taken_sql_port_leaves_the_other_port_free(blank: Path) -> None:
    project = load(blank)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(IngotError, match="Cannot listen"):
            serve.listen_all(project, port=0, sql_port=taken.getsockname()[1])


def test_without_pyarrow_the_port_is_off_and_the_rest_is_served(
    blank: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    project = load(blank)
    listener, sql_listener = serve.listen_all(project, port=0)
    with listener:
        assert sql_listener is None
        serve._print_addresses(project, listener, None)
    assert "sql       off: pip install 'ingot[sql]'" in capsys.readouterr().out


def test_the_port_of_the_project_is_15432() -> None:
    command = [sys.executable, "-m", "ingot", "serve", "--help"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "15432" in shown
