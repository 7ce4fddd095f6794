"""Where rollups are kept: one folder a definition, in it Parquet files named by what they were made from.

`<definition>/<partition>-<inputs>.parquet` holds the rows of one partition, and `<definition>/<inputs>.json`
lists the files that together are the rollup at one state of its inputs. Files are written under another name
and renamed, and never changed: several builders may work at once, and a killed one leaves nothing half done.
"""

import hashlib
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson

_GRACE = 3600.0
"""How long a file that nothing refers to stays: its builder may still be at work."""
_CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class File:
    """The rows of one partition."""

    partition: str
    path: str
    rows: int
    bytes: int


@dataclass(frozen=True)
class Build:
    """A rollup at one state of its inputs: complete, and right for ever."""

    name: str
    definition: str
    inputs: str
    columns: Mapping[str, str]
    """The columns by name, with the types that the SELECT gave them."""
    files: tuple[File, ...]
    first: datetime | None
    last: datetime | None
    window: tuple[datetime, datetime] | None
    built: datetime
    seconds: float
    made: int
    """How many of the files this build wrote; it found the others."""

    @property
    def rows(self) -> int:
        return sum(one.rows for one in self.files)

    @property
    def bytes(self) -> int:
        return sum(one.bytes for one in self.files)

    @property
    def table(self) -> str:
        """The name under which engines hold it: another one for other files, as after a build range has moved."""
        files = hashlib.sha256("\0".join(one.path for one in self.files).encode()).hexdigest()
        return f"{self.definition[:16]}_{files[:16]}"


@dataclass
class Removed:
    """What a clean-up took away."""

    definitions: int = 0
    builds: int = 0
    files: int = 0
    bytes: int = 0
    names: list[str] = field(default_factory=list)


class Store:
    """The rollups of a project below one folder. Safe to use from several threads and processes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._read: dict[Path, Build] = {}
        self._seen = 0

    def generation(self) -> int:
        """A number that changes when something was built or dropped, by whatever process."""
        try:
            return (self.root / _CHANGED).stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    def build(self, definition: str, inputs: str) -> Build | None:
        """The finished build of a definition for these inputs."""
        path = self.root / definition / f"{inputs}.json"
        generation = self.generation()
        if generation != self._seen:
            # Another process may have dropped files, or built for another range.
            self._read.clear()
            self._seen = generation
        found = self._read.get(path)
        if found is None:
            found = _read(path)
            if found is None:
                return None
            if len(self._read) > 5_000:
                self._read.clear()
            self._read[path] = found
        return found

    def builds(self, definition: str) -> list[Build]:
        """All finished builds of a definition, the newest first."""
        found = [_read(path) for path in sorted((self.root / definition).glob("*.json"))]
        return sorted((one for one in found if one is not None), key=lambda one: one.built, reverse=True)

    def definitions(self) -> list[str]:
        """The definitions of which there is a folder."""
        if not self.root.is_dir():
            return []
        return sorted(one.name for one in self.root.iterdir() if one.is_dir())

    def path(self, definition: str, partition: str, inputs: str) -> Path:
        """Where the rows of a partition are, or would be."""
        return self.root / definition / f"{partition}-{inputs[:32]}.parquet"

    def scratch(self, definition: str) -> Path:
        """A new name below a definition's folder to write to."""
        folder = self.root / definition
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f".{uuid4().hex}.writing"

    def publish(self, build: Build) -> None:
        """Makes a build known; its files must be there."""
        scratch = self.scratch(build.definition)
        scratch.write_bytes(orjson.dumps(asdict(build)))
        target = self.root / build.definition / f"{build.inputs}.json"
        scratch.replace(target)
        self._read.pop(target, None)
        self._touch()

    def _touch(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        path = self.root / _CHANGED
        path.touch()
        # Two changes within one tick of the clock must still differ.
        os.utime(path, ns=(time.time_ns(), max(time.time_ns(), self.generation() + 1)))

    def drop(self, definitions: Iterable[str]) -> Removed:
        """Removes all that is kept of the definitions."""
        removed = Removed()
        for definition in definitions:
            folder = self.root / definition
            for path in [*folder.glob("*.json"), *folder.glob("*.parquet"), *folder.glob(".*.writing")]:
                _remove(path, removed)
            _remove_folder(folder, removed)
        self._read.clear()
        self._touch()
        return removed

    def keep(self, needed: Mapping[str, set[str]], *, grace: float = _GRACE) -> Removed:
        """Removes what none of the `needed` inputs (by definition) uses and is older than `grace` seconds."""
        removed = Removed()
        for definition in self.definitions():
            folder = self.root / definition
            wanted = needed.get(definition, set())
            used: set[str] = set()
            for path in folder.glob("*.json"):
                build = _read(path)
                if path.stem in wanted and build is not None:
                    used |= {Path(one.path).name for one in build.files}
                elif _age(path) > grace:
                    _remove(path, removed)
                elif build is not None:
                    used |= {Path(one.path).name for one in build.files}
            for path in [*folder.glob("*.parquet"), *folder.glob(".*.writing")]:
                if path.name not in used and _age(path) > grace:
                    _remove(path, removed)
            _remove_folder(folder, removed)
        self._read.clear()
        if removed.builds or removed.files:
            self._touch()
        return removed


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _remove(path: Path, removed: Removed) -> None:
    try:
        size = path.stat().st_size
        path.unlink()
    except FileNotFoundError:
        return  # another one was faster
    removed.bytes += size
    if path.suffix == ".json":
        removed.builds += 1
    else:
        removed.files += 1


def _remove_folder(folder: Path, removed: Removed) -> None:
    try:
        folder.rmdir()
    except OSError:
        return  # not empty, or already gone
    removed.definitions += 1


def _read(path: Path) -> Build | None:
    try:
        data: dict[str, Any] = orjson.loads(path.read_bytes())
        return Build(
            data["name"],
            data["definition"],
            data["inputs"],
            data["columns"],
            tuple(File(**one) for one in data["files"]),
            _time(data["first"]),
            _time(data["last"]),
            _window(data["window"]),
            datetime.fromisoformat(data["built"]).astimezone(UTC),
            data["seconds"],
            data["made"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        # Not there, or of an older Ingot: as good as not built.
        return None


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _window(pair: Any) -> tuple[datetime, datetime] | None:
    return None if pair is None else (datetime.fromisoformat(pair[0]), datetime.fromisoformat(pair[1]))
