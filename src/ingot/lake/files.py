"""The warehouse as files: the one place that touches storage, so that an object store can take its place.

What is written here is on disk before the call returns: a commit must never point at a file that a power
cut can take away. Locations are plain absolute paths; `file:` URIs of other writers are understood.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from ingot.lake.errors import LakeError, MissingFileError


def root(warehouse: str | Path) -> str:
    """The warehouse's location as tables write it; `LakeError` for a storage that is not supported."""
    text = str(warehouse)
    if "://" in text and not text.startswith("file:"):
        raise LakeError(f"The warehouse {text} is not on a local disk; other storage is not supported yet.")
    return str(local(text).absolute())


def local(location: str) -> Path:
    """A location as a path of this machine."""
    if location.startswith("file:"):
        return Path(unquote(urlsplit(location).path))
    return Path(location)


def read(location: str) -> bytes:
    """The bytes of a file; `MissingFileError` where it cannot be read."""
    try:
        return local(location).read_bytes()
    except OSError as error:
        raise MissingFileError(f"The lake's file {location} cannot be read: {error.strerror}.") from error


def write(location: str, content: bytes) -> None:
    """Writes a file whole or not at all, and to disk."""
    path = local(location)
    temporary = path.with_name(f".{path.name}.{uuid4().hex}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        _sync(path.parent)
    except OSError as error:
        raise LakeError(f"The file {location} cannot be written: {error.strerror}.") from error


def make_folder(location: str) -> None:
    """Makes a folder and the ones above it."""
    try:
        local(location).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LakeError(f"The folder {location} cannot be made: {error.strerror}.") from error


def sync(locations: Iterable[str]) -> None:
    """Puts files that another library wrote, and their folders' entries, on disk."""
    folders = set()
    try:
        for location in locations:
            path = local(location)
            _sync(path)
            folders.add(path.parent)
        for folder in folders:
            _sync(folder)
    except OSError as error:
        raise LakeError(f"The files of the warehouse cannot be put on disk: {error}.") from error


def remove(locations: Iterable[str]) -> None:
    """Removes files that are there."""
    for location in locations:
        local(location).unlink(missing_ok=True)


def remove_beginning(folder: str, prefix: str) -> None:
    """Removes the files of a folder whose names begin with `prefix`."""
    path = local(folder)
    if path.is_dir():
        for file in path.iterdir():
            if file.name.startswith(prefix):
                file.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
