"""The warehouse as files: the one place that touches storage, a local disk or an object store.

What is written here is durable before the call returns: a commit must never point at a file that a power
cut can take away. Locations are plain absolute paths or `s3://` URIs; `file:` URIs of other writers are
understood.
"""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from ingot.lake import objects
from ingot.lake.errors import LakeError, MissingFileError
from ingot.lake.objects import is_remote


def root(warehouse: str | Path) -> str:
    """The warehouse's location as tables write it; `LakeError` for a storage that is not supported."""
    text = str(warehouse)
    if is_remote(text):
        objects.split(text)
        place = text.rstrip("/")
        if not _regular(place):
            raise LakeError(f"The warehouse {text} has an empty or relative part in its path.")
        return place
    if "://" in text and not text.startswith("file:"):
        raise LakeError(
            f"The warehouse {text} is in a storage that is not supported.",
            hint="Use a folder, or an S3-compatible store as s3://bucket/prefix.",
        )
    return str(local(text).absolute())


def inside(warehouse: str, location: str) -> bool:
    """Whether a location is in the warehouse; a link on the disk that leads out of it is not."""
    top = root(warehouse)
    if is_remote(top):
        return location.startswith(top + "/") and _regular(location)
    if "\0" in location or not location.startswith(("/", "file:/")):
        return False
    real = os.path.realpath(top)
    # The file itself need not exist yet.
    return os.path.commonpath([real, os.path.realpath(local(location))]) == real


def _regular(location: str) -> bool:
    # A client of the store may squash `..` and so leave the folder that was checked.
    parts = location.removeprefix(objects.SCHEME).split("/")
    return not any(part in ("", ".", "..") for part in parts) and location.isprintable()


def local(location: str) -> Path:
    """A location as a path of this machine."""
    if location.startswith("file:"):
        return Path(unquote(urlsplit(location).path))
    return Path(location)


def as_read(location: str) -> str:
    """A location as DuckDB opens it and tells it of a row's file."""
    return location if is_remote(location) else str(local(location))


def read(location: str) -> bytes:
    """The bytes of a file; `MissingFileError` where it cannot be read."""
    if is_remote(location):
        return objects.read(location)
    try:
        return local(location).read_bytes()
    except OSError as error:
        raise MissingFileError(f"The lake's file {location} cannot be read: {error.strerror}.") from error


def write(location: str, content: bytes) -> None:
    """Writes a file whole or not at all, and to disk."""
    if is_remote(location):
        objects.write(location, content)
        return
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
    """Makes a folder and the ones above it; an object store has none."""
    if is_remote(location):
        return
    try:
        local(location).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LakeError(f"The folder {location} cannot be made: {error.strerror}.") from error


def sync(locations: Iterable[str]) -> None:
    """Puts files that another library wrote, and their folders' entries, on disk."""
    folders = set()
    try:
        for location in locations:
            if is_remote(location):
                continue
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
        if is_remote(location):
            objects.remove([location])
        else:
            local(location).unlink(missing_ok=True)


def missing(locations: Iterable[str]) -> set[str]:
    """Those of the files that are not there."""
    wanted = set(locations)
    remote = {one for one in wanted if is_remote(one)}
    folders = {one.rpartition("/")[0] for one in remote}
    there = {one.location for folder in folders for one in objects.listed(folder)}
    return (remote - there) | {one for one in wanted - remote if not local(one).is_file()}


def remove_beginning(folder: str, prefix: str) -> None:
    """Removes the files of a folder whose names begin with `prefix`, after a write that failed.

    Where the object store cannot be reached, they stay: the failure itself is what has to be told.
    """
    if is_remote(folder):
        start = f"{folder}/{prefix}"
        with suppress(LakeError):
            found = [one.location for one in objects.listed(folder)]
            objects.remove(one for one in found if one.startswith(start))
        return
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
