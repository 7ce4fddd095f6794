"""The words of loading as immutable data: a file, what is to be done, what was done, what is remembered."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ingot.project import Project, Source
    from ingot.project.source import SourceTable

STATE_PROPERTY = "ingot.source-state"
"""The Iceberg table property that remembers what was loaded, in the same commit as the rows."""


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file as it was found."""

    path: Path
    key: str
    """Its path below the source's folder: what the load state knows it by."""
    shown: str
    """How people are told of it: relative to the project, or `package:name/...`."""
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class LoadedFile:
    """A file as it was when it was loaded."""

    size: int
    mtime_ns: int
    sha256: str
    rows: int


@dataclass(frozen=True, slots=True)
class LoadState:
    """What a table remembers of its loads."""

    spec: str
    """Fingerprint of everything in the project's file that decides how the data is read."""
    files: Mapping[str, LoadedFile] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    """The DuckDB type of each column, kept from the first load on."""
    open: tuple[str, ...] = ()
    """Columns that had no value yet: VARCHAR until the first one says what they are."""

    def dump(self) -> str:
        """As text for the table property."""
        files = {key: list(asdict(each).values()) for key, each in sorted(self.files.items())}
        document = {
            "version": 1,
            "spec": self.spec,
            "files": files,
            "types": dict(self.types),
            "open": self.open,
        }
        return json.dumps(document, separators=(",", ":"), ensure_ascii=False)

    @classmethod
    def parse(cls, text: str) -> "LoadState | None":
        """The state in a table property; None where this is no state that this version can read."""
        try:
            document = json.loads(text)
            if document["version"] != 1:
                return None
            files = {key: LoadedFile(*values) for key, values in document["files"].items()}
            return cls(document["spec"], files, document["types"], tuple(document["open"]))
        except (ValueError, KeyError, TypeError, AttributeError):
            return None


@dataclass(frozen=True, slots=True)
class Plan:
    """What has to be done for one table, and why."""

    kind: Literal["nothing", "append", "reload"]
    target: str
    """The table in the lake, `raw.orders`."""
    reason: str
    files: tuple[DataFile, ...]
    """The files to load."""
    present: tuple[DataFile, ...]
    """All files that the table's paths mean now."""
    state: LoadState | None
    """What the table remembers; None where it is not there yet."""
    spec: str
    project: "Project" = field(repr=False)
    source: "Source" = field(repr=False)
    table: "SourceTable" = field(repr=False)


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What a load did."""

    rows: int
    bytes: int
    """Of the source files."""
    files: int
    seconds: float
    kind: Literal["nothing", "append", "reload"]
    warnings: tuple[str, ...] = ()
