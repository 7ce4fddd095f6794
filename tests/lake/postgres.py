"""A PostgreSQL server of our own for the tests, where its programs are installed."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

_PLACES = ("/usr/lib/postgresql/*/bin", "/usr/local/bin", "/opt/homebrew/opt/postgresql*/bin", "/usr/bin")


def programs() -> Path | None:
    """The folder of `initdb` and `postgres`."""
    found = [path.parent for place in _PLACES for path in Path("/").glob(f"{place.lstrip('/')}/initdb")]
    return max(found, default=None)


@contextlib.contextmanager
def server() -> Iterator[str]:
    """The URL of a new, empty server on a free port of this machine; skips where there is none to start."""
    found = programs()
    if found is None or find_spec("psycopg") is None:
        missing = "PostgreSQL or its driver is not installed"
        if os.environ.get("CI"):
            pytest.fail(f"{missing}, and in CI it must be tested.")
        pytest.skip(missing)
    with tempfile.TemporaryDirectory(prefix="ingot-pg-") as folder:
        user = _prepared(folder)
        data = f"{folder}/data"
        initdb = [f"{found}/initdb", "--no-sync", "-A", "trust", "-U", "ingot", "-E", "UTF8", "-D", data]
        subprocess.run([*user, *initdb], check=True, stdout=subprocess.DEVNULL, cwd=folder)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        options = f"-p {port} -h 127.0.0.1 -k {folder}"
        control = [*user, f"{found}/pg_ctl", "-D", data, "-w", "-l", f"{folder}/log"]
        subprocess.run([*control, "-o", options, "start"], check=True, stdout=subprocess.DEVNULL, cwd=folder)
        try:
            yield f"postgresql+psycopg://ingot@127.0.0.1:{port}/postgres"
        finally:
            stop = [*control, "-m", "immediate", "stop"]
            subprocess.run(stop, check=True, stdout=subprocess.DEVNULL, cwd=folder)


def _prepared(folder: str) -> list[str]:
    """What to put before a command, because PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return []
    runuser = shutil.which("runuser")
    if runuser is None:
        pytest.skip("PostgreSQL does not run as root")
    shutil.chown(folder, "postgres")
    return [runuser, "-u", "postgres", "--"]
