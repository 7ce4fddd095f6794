"""Where the parts of Java are that `.ci/java` fetches, and the Javas of this machine."""

import os
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

_DEFAULT = Path(__file__).parents[3] / ".cache" / "java"


def part(name: str) -> Path:
    """The folder of the newest part whose name starts with `name`; without it the test skips, and fails in CI."""
    folder = Path(os.environ.get("INGOT_JAVA_PARTS") or _DEFAULT).absolute()
    found = sorted(folder.glob(f"{name}-*"))
    if not found:
        _missing(f"{name.capitalize()} is not in {folder}; .ci/java fetches it")
    return found[-1]


def java(least: int, most: int = 1000) -> Path:
    """The home of a Java from version `least` to `most`; without one the test skips, and fails in CI."""
    homes = [Path(os.environ["JAVA_HOME"])] if os.environ.get("JAVA_HOME") else []
    homes += sorted(home for home in Path("/usr/lib/jvm").glob("*") if not home.is_symlink())
    homes += sorted(Path("/Library/Java/JavaVirtualMachines").glob("*/Contents/Home"))
    for home in homes:
        if least <= _version(home) <= most:
            return home
    return _missing(f"No Java of version {least} or later was found; JAVA_HOME can name one")


@cache
def _version(home: Path) -> int:
    program = home / "bin" / "java"
    if not program.exists():
        return 0
    told = subprocess.run([program, "-version"], capture_output=True, text=True, timeout=30, check=False)
    found = re.search(r'version "(\d+)', told.stderr)
    return int(found[1]) if found else 0


def _missing(reason: str) -> Path:
    if os.environ.get("CI"):
        pytest.fail(f"{reason}, and in CI it must be tested.")
    pytest.skip(reason)
