"""The warehouse seen from above: its files one by one, and which of them may be removed at all.

Nothing outside of the warehouse is ever touched, links are never followed, and of what lies inside only the
folders of tables are Ingot's to tidy.
"""

import os
import re
import stat
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path, PurePosixPath

from ingot.lake import files, objects
from ingot.lake.objects import is_remote

_TABLE_FOLDER = re.compile(r".*-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Found:
    """A file of the warehouse."""

    path: str
    bytes: int
    modified: float
    """Seconds since 1970."""


Look = Callable[[str], Found | None]


def normal(location: str) -> str:
    """A location in the one way in which it is compared here: links on the way to it are resolved."""
    if is_remote(location):
        return location
    path = files.local(location).absolute()
    return f"{_real(path.parent)}/{path.name}"


@lru_cache(10_000)
def _real(folder: Path) -> str:
    return str(folder.resolve()).rstrip("/")


def table_folder(metadata_location: str) -> str:
    """The folder of the table or view whose metadata file this is."""
    return normal(metadata_location).rpartition("/")[0].rpartition("/")[0]


def below(path: str, folder: str) -> bool:
    """Whether a normal path lies in a normal folder."""
    return path.startswith(f"{folder.rstrip('/')}/")


def root(warehouse: str) -> str:
    """The warehouse's folder as a normal path."""
    return warehouse.rstrip("/") if is_remote(warehouse) else str(files.local(warehouse).resolve())


def looker(warehouse: str) -> Look:
    """What tells the plain file at a normal path, and None where there is none that may be removed.

    An object store is listed once, which costs less than to ask it of each file.
    """
    if is_remote(warehouse):
        top = root(warehouse)
        return {one.path: one for one in _objects(top) if below(one.path, top)}.get
    return partial(_look, warehouse)


def _objects(top: str) -> Iterator[Found]:
    for one in objects.listed(top):
        yield Found(one.location, one.bytes, one.modified.timestamp())


def _look(warehouse: str, path: str) -> Found | None:
    file = Path(path)
    # Asked anew each time: a folder may have become a link since the path was made normal.
    if file.parent.resolve() != file.parent or not below(path, root(warehouse)):
        return None
    try:
        found = file.lstat()
    except OSError:
        return None
    return Found(path, found.st_size, found.st_mtime) if stat.S_ISREG(found.st_mode) else None


def remove(path: str) -> bool:
    """Removes a file; whether it was there, as far as the storage tells."""
    if is_remote(path):
        objects.remove([path])
        return True
    try:
        Path(path).unlink()
    except FileNotFoundError:
        return False
    return True


def walk(warehouse: str, tables: Collection[str]) -> Iterator[Found]:
    """Every plain file of a table's folder: one of `tables`, or one that is named as Ingot names them."""
    top = root(warehouse)
    if is_remote(top):
        owned = _Owned(top, tables)
        yield from (one for one in _objects(top) if below(one.path, top) and owned.holds(one.path))
        return
    for folder in _table_folders(warehouse, tables):
        for entry in _entries(folder):
            if entry.is_file(follow_symlinks=False):
                try:
                    found = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue  # a writer's temporary file
                yield Found(entry.path, found.st_size, found.st_mtime)


def remove_empty_folders(warehouse: str, tables: Collection[str], older_than: float) -> None:
    """Removes folders of tables that are empty and were last changed before `older_than` (since 1970)."""
    if is_remote(warehouse):
        return
    for folder in reversed(list(_table_folders(warehouse, tables))):
        try:
            if Path(folder).stat().st_mtime < older_than:
                Path(folder).rmdir()
        except OSError:
            continue  # not empty, or gone


def _table_folders(warehouse: str, tables: Collection[str]) -> Iterator[str]:
    """The folders of tables and all folders in them, outer ones first."""
    owned = _Owned(root(warehouse), tables)
    todo = [(owned.top, False)]
    while todo:
        folder, inside = todo.pop()
        if inside or owned.is_table(folder):
            inside = True
            yield folder
        # A link to a folder is not walked into, for it may lead anywhere.
        todo += [(one.path, inside) for one in _entries(folder) if one.is_dir(follow_symlinks=False)]


class _Owned:
    """Which folders of a warehouse are those of tables."""

    def __init__(self, top: str, tables: Collection[str]) -> None:
        self.top = top
        self._known = frozenset(folder for folder in tables if below(folder, top))
        # A warehouse that was copied from elsewhere has the folders of tables whose files are at the old place.
        self._elsewhere = {PurePosixPath(folder).name for folder in tables}

    def is_table(self, folder: str) -> bool:
        """Whether it is a known table's folder, or one that is named as Ingot names them."""
        name = PurePosixPath(folder).name
        like_one = _TABLE_FOLDER.fullmatch(name) is not None and name not in self._elsewhere
        return folder in self._known or (like_one and folder != self.top)

    def holds(self, path: str) -> bool:
        """Whether a file lies in a table's folder."""
        folder = path
        while below(folder, self.top):
            folder = folder.rpartition("/")[0]
            if folder != self.top and self.is_table(folder):
                return True
        return False


def _entries(folder: str) -> "list[os.DirEntry[str]]":
    try:
        with os.scandir(folder) as found:
            return sorted(found, key=lambda entry: entry.name)
    except FileNotFoundError:
        return []
