"""Cube's client for JavaScript, as its package lock says, in `.cache/cubejs`.

CI installs it there; elsewhere tests that need it skip and say how.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
FOLDER = HERE.parents[2] / ".cache" / "cubejs"
FILES = ("package.json", "package-lock.json", ".npmrc")


def installed() -> Path:
    """The folder with `node_modules`; skips where there is none, or in CI installs it."""
    if _said() != _wanted():
        if "CI" not in os.environ:
            pytest.skip("Cube's client is not installed: python -m tests.api.cubejs.install")
        install()
    if shutil.which("node") is None:
        pytest.skip("there is no node")
    return FOLDER


def install() -> None:
    """Installs the client, once, whoever asks at the same time."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER.parent / "cubejs.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _said() == _wanted():
            return
        for name in FILES:
            shutil.copyfile(HERE / name, FOLDER / name)
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=FOLDER, check=True)
        (FOLDER / "complete").write_text(_wanted())


def _wanted() -> str:
    return hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()


def _said() -> str:
    complete = FOLDER / "complete"
    return complete.read_text() if complete.exists() else ""


if __name__ == "__main__":
    install()
