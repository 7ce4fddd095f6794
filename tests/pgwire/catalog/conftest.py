"""One shadow PostgreSQL for the tests that do not end it."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingot.pgwire.catalog import users, wheel
from ingot.pgwire.catalog.schema import difference, tidy
from tests.pgwire.catalog.shadow import Shadow, Shown, shadowed


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shadow]:
    """Catalogs of a module's tests."""
    with shadowed(tmp_path_factory.mktemp("sql")) as shadow:
        yield shadow


@pytest.fixture
def shadow(running: Shadow) -> Shadow:
    """The catalogs, showing what they show at first."""
    fresh = Shown()
    shown = running.shown
    shown.groups, shown.names, shown.lake = fresh.groups, fresh.names, fresh.lake
    shown.serial += 1
    return running


@pytest.fixture(scope="module")
def judge() -> Iterator[Path]:
    """The folder of the socket of an ordinary PostgreSQL of the same version, where `shop` has the same tables."""
    found = wheel.find()
    assert found is not None
    user = users.Unprivileged(65534) if os.geteuid() == 0 else users.Unprivileged(0)
    with tempfile.TemporaryDirectory(prefix="ingot-judge-") as name:
        user.own(Path(name))
        data = f"{name}/data"
        for command in (
            [
                found.path("initdb"),
                "-D",
                data,
                "-U",
                "ingot",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C",
                "--no-sync",
            ],
            [found.path("pg_ctl"), "-D", data, "-w", "-l", f"{name}/log", "-o", f"-h '' -k {name}", "start"],
        ):
            subprocess.run(user.launched(command, memory=0), check=True, stdout=subprocess.DEVNULL)
        try:
            psql = [found.path("psql"), "-X", "-q", "-h", name, "-U", "ingot", "-v", "ON_ERROR_STOP=1"]
            subprocess.run([*psql, "-d", "template1", "-c", "CREATE DATABASE shop"], check=True)
            shown = Shown()
            tables = tidy((*shown.groups[""], *shown.lake))
            text = ";\n".join(("CREATE ROLE alice LOGIN", *difference((), tables)))
            subprocess.run([*psql, "-d", "shop"], input=text, text=True, check=True)
            yield Path(name)
        finally:
            stop = [found.path("pg_ctl"), "-D", data, "-m", "immediate", "-w", "stop"]
            subprocess.run(user.launched(stop, memory=0), check=True, stdout=subprocess.DEVNULL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a server keeps its template."""
    return tmp_path / "sql"
