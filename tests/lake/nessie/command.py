"""The `nessie` command, installed on its own: what it depends on does not go together with our own locks.

It is looked for in `.cache/nessie`. CI installs it there; elsewhere tests that need it skip and say how.
"""

import fcntl
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[3] / ".cache" / "nessie"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
_INSTALL = [
    sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes",
    "--no-deps", "--target", str(FOLDER), "-r", str(REQUIREMENTS),
]  # fmt: skip
_RUN = "import sys; from pynessie.cli import cli; sys.exit(cli(prog_name='nessie'))"


def installed() -> Path:
    """Where the command is; skips, or in CI installs it."""
    if not (FOLDER / "complete").exists():
        if "CI" not in os.environ:
            pytest.skip("the nessie command is not installed: python -m tests.lake.nessie.command")
        install()
    return FOLDER


def install() -> None:
    """Installs the command into `.cache/nessie`, once, whoever asks at the same time."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER.parent / "nessie.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (FOLDER / "complete").exists():
            subprocess.run(_INSTALL, check=True)
            (FOLDER / "complete").touch()


@dataclass(frozen=True)
class Nessie:
    """The command, with an endpoint and a configuration folder of its own."""

    endpoint: str | None
    """None: what `nessie remote add` has set."""
    home: Path

    def run(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Runs the command in a process of its own, as in a shell."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith("NESSIE")}
        # Its `config --add` writes into the folder that NESSIEDIR names; a pager would wait for a key.
        environment |= {
            "PYTHONPATH": str(FOLDER),
            "NESSIEDIR": str(self.home),
            "HOME": str(self.home),
            "PAGER": "cat",
        }
        endpoint = () if self.endpoint is None else ("--endpoint", self.endpoint)
        return subprocess.run(
            [sys.executable, "-W", "ignore", "-c", _RUN, *endpoint, *arguments],
            env=environment,
            input=stdin,
            text=True,
            capture_output=True,
            timeout=60,
            check=False,
        )

    def __call__(self, *arguments: str, stdin: str | None = None) -> str:
        """What the command prints; it must succeed."""
        done = self.run(*arguments, stdin=stdin)
        assert done.returncode == 0, f"nessie {' '.join(arguments)}\n{done.stdout}{done.stderr}"
        return done.stdout


if __name__ == "__main__":
    install()
