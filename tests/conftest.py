"""What all tests share: the command line, and the storefront demo, built once for the whole session."""

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# A busy machine is no bug. CI asks the same questions each time; everybody else's machine asks new ones.
settings.register_profile("ingot", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("ingot")

UNTIL = date(2026, 10, 31)
"""Last day of the demo's data in tests: a fixed day, so that every session sees the same rows."""


@dataclass(frozen=True)
class Demo:
    """A built storefront project."""

    directory: Path
    run: dict[str, Any]
    """The object that `ingot demo --json` printed."""

    @property
    def data(self) -> Path:
        """Where the raw CSV files are."""
        return self.directory / "data"


Ingot = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def ingot() -> Ingot:
    """Runs the command line as a user does, in a process of its own; `ingot("run", "--json", cwd=...)`."""

    def call(*arguments: str, cwd: Path | None = None, **options: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "ingot", *arguments],
            cwd=cwd,
            text=True,
            capture_output=True,
            timeout=300,
            check=False,
            **options,
        )

    return call


@pytest.fixture(scope="session")
def storefront(tmp_path_factory: pytest.TempPathFactory, ingot: Ingot) -> Demo:
    """The storefront demo, built by the command line. Read it only."""
    base = tmp_path_factory.getbasetemp()
    # Under xdist each worker has its own base folder below one of the session's.
    shared = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "storefront-demo"
    with Path(f"{shared}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = shared / "run.json"
        if not result.exists():
            directory = shared / "project"
            made = ingot("demo", "--no-serve", "--dir", str(directory), "--until", str(UNTIL), "--json")
            assert made.returncode == 0, made.stderr
            result.write_text(made.stdout)
    return Demo(shared / "project", json.loads(result.read_text()))


@pytest.fixture
def own_storefront(tmp_path: Path, ingot: Ingot) -> Demo:
    """A storefront demo that a test may change; made anew, because tables name their files in full."""
    directory = tmp_path / "storefront"
    made = ingot("demo", "--no-serve", "--dir", str(directory), "--until", str(UNTIL), "--json")
    assert made.returncode == 0, made.stderr
    return Demo(directory, json.loads(made.stdout))
