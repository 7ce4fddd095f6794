"""The warehouse seen from above: its files one by one, and which of them may be removed at all.

Nothing outside of the warehouse is ever touched, links are never followed, and of what lies inside only the
folders of tables are Ingot's to tidy.
"""

import os
import re
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ingot.lake import files

_TABLE_FOLDER = re.compile(r".*-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Found:
    """A file of the warehouse."""

    path: str
    bytes: int
    modified: float
    """Seconds since 1970."""


def normal(location: str) -> str:
    """A location in the one way in which it is compared here: links on the way to it are resolved."""
    path = files.local(location).absolute()
    return f"{_real(path.parent)}/{path.name}"


@lru_cache(10_000)
def _real(folder: Path) -> str:
    return str(folder.resolve()).rstrip("/")


def table_folder(metadata_location: str) -> str:
    """The folder of the table or view whose metadata file this is."""
    return str(Path(normal(metadata_location)).parent.parent)


def below(path: str, folder: str) -> bool:
    """Whether a normal path lies in a normal folder."""
    return path.startswith(f"{folder.rstrip('/')}/")


def root(warehouse: str) -> str:
    """The warehouse's folder as a normal path."""
    return str(files.local(warehouse).resolve())


def look(path: str, warehouse: str) -> Found | None:
    """The plain file at a normal path, None where there is none that may be removed."""
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
    """Removes a file; whether it was there."""
    try:
        Path(path).unlink()
    except FileNotFoundError:
        return False
    return True


def walk(warehouse: str, tables: Collection[str]) -> Iterator[Found]:
    """Every plain file of a table's folder: one of `tables`, or one that is named as Ingot names them."""
    for folder in _table_folders(warehouse, tables):
        for entry in _entries(folder):
            if entry.is_file(follow_symlinks=False):
                found = entry.stat(follow_symlinks=False)
                yield Found(entry.path, found.st_size, found.st_mtime)


def remove_empty_folders(warehouse: str, tables: Collection[str], older_than: float) -> None:
    """Removes folders of tables that are empty and were last changed before `older_than` (since 1970)."""
    for folder in reversed(list(_table_folders(warehouse, tables))):
        try:
            if Path(folder).stat().st_mtime < older_than:
                Path(folder).rmdir()
        except OSError:
            continue  # not empty, or gone


def _table_folders(warehouse: str, tables: Collection[str]) -> Iterator[str]:
    """The folders of tables and all folders in them, outer ones first."""
    top = root(warehouse)
    # A warehouse that was copied from elsewhere has the folders of tables whose files are at the old place.
    elsewhere = {Path(folder).name for folder in tables}
    own = frozenset(folder for folder in tables if below(folder, top))
    todo = [(top, False)]
    while todo:
        folder, inside = todo.pop()
        name = Path(folder).name
        is_table = folder in own or (_TABLE_FOLDER.fullmatch(name) and name not in elsewhere)
        if inside or (is_table and folder != top):
            inside = True
            yield folder
        # A link to a folder is not walked into, for it may lead anywhere.
        todo += [(one.path, inside) for one in _entries(folder) if one.is_dir(follow_symlinks=False)]


def _entries(folder: str) -> "list[os.DirEntry[str]]":
    try:
        with os.scandir(folder) as found:
            return sorted(found, key=lambda entry: entry.name)
    except FileNotFoundError:
        return []
