"""Node's driver of PostgreSQL, as its package lock says, in `.cache/pgwire-node`.

CI installs it there (`python -m tests.pgwire.clients.node.install`); elsewhere tests that need it skip and say how.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from tests.pgwire.clients.missing import missing

HERE = Path(__file__).parent
FOLDER = HERE.parents[3] / ".cache" / "pgwire-node"
FILES = ("package.json", "package-lock.json", ".npmrc")


def installed() -> Path:
    """The folder with `node_modules`; skips where there is none, or in CI installs it."""
    if shutil.which("node") is None:
        missing("node is not installed")
    if _said() != _wanted():
        if "CI" not in os.environ:
            missing("Node's driver is not installed: python -m tests.pgwire.clients.node.install")
        install()
    return FOLDER


def install() -> None:
    """Installs the driver, once, whoever asks at the same time."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER.parent / "pgwire-node.lock").open("w") as lock:
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
