"""Superset in `.cache/superset`: an environment of its own, and a state in which it has been set up.

CI installs it there (`python -m tests.pgwire.clients.superset.install`); elsewhere tests that need it skip and say how.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.pgwire.clients.missing import missing

HERE = Path(__file__).parent
FOLDER = HERE.parents[3] / ".cache" / "superset"
PARTS = ("apache-superset==6.1.0", "psycopg2-binary==2.9.13", "flask-caching<2.4", "rich", "cachetools")
"""Superset 6.1 imports rich and cachetools without naming them, and does not start with a newer flask-caching."""


def installed() -> Path:
    """The folder with `bin/python`; skips where there is none, or in CI installs it."""
    if not _complete():
        if "CI" not in os.environ:
            missing("Superset is not installed: python -m tests.pgwire.clients.superset.install")
        install()
    return FOLDER


def environment(state: Path) -> dict[str, str]:
    """What Superset's programs need in their environment; `state` is the file of its own database."""
    return {
        **os.environ,
        "SUPERSET_CONFIG_PATH": str(HERE / "config.py"),
        "SUPERSET_HOME": str(state.parent),
        "INGOT_SUPERSET_STATE": str(state),
        "PYTHONWARNINGS": "ignore",
    }


def install() -> None:
    """Installs Superset and makes its state, once, whoever asks at the same time."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER.parent / "superset.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _complete():
            return
        shutil.rmtree(FOLDER)
        subprocess.run([sys.executable, "-m", "venv", FOLDER], check=True)
        pip = [f"{FOLDER}/bin/python", "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*pip, *PARTS], check=True)
        told = environment(FOLDER / "state.db")
        person = ["--username", "admin", "--password", "admin", "--email", "a@example.org"]
        person += ["--firstname", "A", "--lastname", "B"]
        for arguments in (["db", "upgrade"], ["init"], ["fab", "create-admin", *person]):
            command = [f"{FOLDER}/bin/superset", *arguments]
            done = subprocess.run(command, env=told, check=False, capture_output=True, text=True)
            if done.returncode:
                raise RuntimeError(f"superset {arguments[0]}: {done.stdout}{done.stderr}")
        (FOLDER / "complete").write_text(str(PARTS))


def _complete() -> bool:
    done = FOLDER / "complete"
    return done.exists() and done.read_text() == str(PARTS)


if __name__ == "__main__":
    install()
