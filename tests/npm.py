"""Packages of npm that tests use, as a lock file beside the tests says, installed once into a folder of `.cache`.

CI installs them; elsewhere tests that need them skip and say how.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

CACHE = Path(__file__).parents[1] / ".cache"
FILES = ("package.json", "package-lock.json", ".npmrc")


@dataclass(frozen=True)
class Packages:
    """What the lock file in `here` names, installed as `name` by `python -m <module>`."""

    here: Path
    name: str
    module: str

    @property
    def folder(self) -> Path:
        """Where `node_modules` is."""
        return CACHE / self.name

    def installed(self) -> Path:
        """The folder with `node_modules`; skips where there is none, or in CI installs it."""
        if shutil.which("node") is None:
            _missing("node is not installed")
        if self._said() != self._wanted():
            if "CI" not in os.environ:
                _missing(f"{self.name} is not installed: python -m {self.module}")
            self.install()
        return self.folder

    def install(self) -> None:
        """Installs the packages, once, whoever asks at the same time."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (CACHE / f"{self.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self._said() == self._wanted():
                return
            for name in FILES:
                shutil.copyfile(self.here / name, self.folder / name)
            command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            subprocess.run(command, cwd=self.folder, check=True)
            (self.folder / "complete").write_text(self._wanted())

    def _wanted(self) -> str:
        return hashlib.sha256((self.here / "package-lock.json").read_bytes()).hexdigest()

    def _said(self) -> str:
        complete = self.folder / "complete"
        return complete.read_text() if complete.exists() else ""


def _missing(what: str) -> None:
    if "CI" in os.environ:
        pytest.fail(f"{what}, and in CI nothing may be skipped")
    pytest.skip(what)
