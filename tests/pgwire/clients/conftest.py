"""The storefront, served by us, and a real PostgreSQL 15 with the same tables and rows, for every client."""

import fcntl
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ingot.engines.duckdb import DuckDBEngine
from ingot.lake import Lake
from ingot.project import load
from tests.conftest import UNTIL, Ingot
from tests.pgwire.clients.judge import exported, loaded
from tests.pgwire.clients.sides import Side, Sides


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory, ingot: Ingot) -> Path:
    """A folder with a storefront of our own, because it has the branch `dev`, and what PostgreSQL is filled with."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "pgwire-clients"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "ready").exists():
            project = folder / "storefront"
            made = ingot("demo", "--no-serve", "--dir", str(project), "--until", str(UNTIL), "--json")
            assert made.returncode == 0, made.stderr
            _branch(project)
            exported(project, folder)
            (folder / "ready").touch()
    return folder


@pytest.fixture(scope="session")
def sides(shop: Path) -> Iterator[Sides]:
    """Both servers, running."""
    with loaded(shop) as judge, serving(shop / "storefront") as (http, port, _):
        yield Sides(Side("ours", port), judge, http, str(shop / "storefront"))


@contextmanager
def serving(project: Path, *options: str) -> Iterator[tuple[str, int, int]]:
    """A server of its own process: where its page is, its SQL port, its process id."""
    command = [sys.executable, "-m", "ingot", "serve", "--project", str(project)]
    command += ["--port", "0", "--sql-port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        said = ""
        for line in server.stdout:
            said += line
            if line.strip() == "ready":
                break
        page = re.search(r"page\s+(http://\S+)", said)
        port = re.search(r"sql\s+postgresql://\S*?:(\d+)/", said)
        try:
            assert page is not None, said
            assert port is not None, said
            yield page[1], int(port[1]), server.pid
        finally:
            server.terminate()


def _branch(project: Path) -> None:
    """The branch `dev` has only the orders of the web."""
    with Lake.open(load(project)) as lake:
        engine = DuckDBEngine(lake)
        try:
            lake.branch("dev")
            web = "SELECT * FROM gold.fact_orders WHERE channel = 'web'"
            with engine.session(lake.at("dev")) as con:
                staged = lake.stage(con, "gold.fact_orders", web, on="dev")
            lake.commit("dev", [staged], message="only orders of the web")
        finally:
            engine.close()
