"""The programs of Go in `.cache/pgwire-go`, built once for what their sources and `go.sum` say."""

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from tests.pgwire.clients.missing import missing

HERE = Path(__file__).parent
FOLDER = HERE.parents[3] / ".cache" / "pgwire-go"
PROGRAMS = ("pq", "pgx")
LOGIN = "login"


def installed() -> Path:
    """The folder with the programs; skips where there are none, or in CI builds them."""
    if not _complete():
        if "CI" not in os.environ:
            missing("Go's drivers are not built: python -m tests.pgwire.clients.go.install")
        install()
    return FOLDER


def install() -> None:
    """Fetches the drivers and builds the programs, once, whoever asks at the same time. Needs Go 1.19."""
    if shutil.which("go") is None:
        missing("Go is not installed")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER.parent / "pgwire-go.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _complete():
            packages = [f"./{name}" for name in (*PROGRAMS, LOGIN)]
            command = ["go", "build", "-mod=readonly", "-o", f"{FOLDER}/", *packages]
            subprocess.run(command, cwd=HERE, check=True)
            (FOLDER / "complete").write_text(_wanted())


def _complete() -> bool:
    done = FOLDER / "complete"
    return done.exists() and done.read_text() == _wanted()


def _wanted() -> str:
    sources = (HERE / "go.mod", HERE / "go.sum", *sorted(HERE.glob("*/*.go")))
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in sources)).hexdigest()


if __name__ == "__main__":
    install()
