"""The mark phase: every file that a state needs which must stay readable.

Of a table at a commit that is its metadata file, the present snapshot, the snapshots of the table's own refs
and those made within the window; where a branch is, every snapshot that the table lists, for writers build on
it. A table whose files cannot be read is not guessed at: its folder is left alone.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from ingot.lake import manifests
from ingot.lake.errors import MissingFileError
from ingot.lake.maintenance import storage
from ingot.lake.maintenance.clock import millis
from ingot.lake.model import Content, ContentType
from ingot.lake.state import document_of
from ingot.lake.types import Json


class Live:
    """Files that must stay; grows as more contents are added."""

    def __init__(self, cutoff: datetime, forgotten: Mapping[str, frozenset[int]]) -> None:
        self._cutoff = millis(cutoff)
        self._forgotten = forgotten
        """Per metadata file: snapshots that expiry would take off its list (a dry run)."""
        self.files: set[str] = set()
        self.protected: set[str] = set()
        """Folders of tables that could not be read."""
        self.warnings: list[str] = []
        self._done: set[tuple[str, bool]] = set()
        self._snapshots: set[str] = set()

    def add(self, contents: Iterable[Content], *, heads: bool) -> None:
        """Marks what these contents need; `heads`: a branch holds them now."""
        for content in contents:
            at = content.metadata_location
            if not at or (at, heads) in self._done or (at, True) in self._done:
                continue
            self._done.add((at, heads))
            self.files.add(storage.normal(at))
            if content.type is ContentType.TABLE:
                try:
                    self._add_table(document_of(content), at, heads=heads)
                except MissingFileError as error:
                    folder = storage.table_folder(at)
                    self.protected.add(folder)
                    self.warnings.append(f"{error.message} Nothing below {folder} is removed.")

    def holds(self, path: str) -> bool:
        """Whether the file at a normal path must stay."""
        return path in self.files or any(storage.below(path, folder) for folder in self.protected)

    def _add_table(self, document: Json, at: str, *, heads: bool) -> None:
        named = {ref["snapshot-id"] for ref in document["refs"].values()}
        named.add(document.get("current-snapshot-id"))
        gone = self._forgotten.get(at, frozenset())
        wanted = set()
        for snapshot in document["snapshots"]:
            id = snapshot["snapshot-id"]
            listed = heads and id not in gone
            if id in named or listed or snapshot["timestamp-ms"] >= self._cutoff:
                wanted.add(id)
                self._add_snapshot(snapshot)
        for kind in ("statistics", "partition-statistics"):
            self.files |= {
                storage.normal(one["statistics-path"])
                for one in document.get(kind, [])
                if one["snapshot-id"] in wanted
            }

    def _add_snapshot(self, snapshot: Json) -> None:
        """All of a snapshot or, where one of its files cannot be read, an error."""
        at = snapshot.get("manifest-list", f"v1 {snapshot['snapshot-id']}")
        if at not in self._snapshots:
            self.files |= {storage.normal(one) for one in named_by(snapshot)}
            self._snapshots.add(at)


def named_by(snapshot: Json) -> list[str]:
    """Every file that a snapshot is made of, those first that others do not lead to."""
    listed = snapshot.get("manifest-list")
    if listed is None:
        found = list(snapshot.get("manifests", ()))
    else:
        found = [row["manifest_path"] for row in manifests.list_rows(listed)]
    data = [one.path for at in found for one in manifests.read(at).files]
    return [*data, *found, *([] if listed is None else [listed])]


def statistics_of(document: Mapping[str, Any]) -> list[str]:
    """The statistics files that a table's metadata names."""
    return [
        one["statistics-path"]
        for kind in ("statistics", "partition-statistics")
        for one in document.get(kind, [])
    ]
