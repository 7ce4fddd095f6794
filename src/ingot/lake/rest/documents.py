"""Metadata documents as files: read once, written whole, and only ever inside the warehouse.

A document never changes after it is written, so what was read is kept.
"""

import os
import re
from collections.abc import Iterable
from uuid import uuid4

import orjson

from ingot.lake import files
from ingot.lake.errors import MissingFileError
from ingot.lake.lru import Lru
from ingot.lake.metadata.document import Json
from ingot.lake.model import Key
from ingot.lake.names import folder
from ingot.lake.rest.answer import RestError
from ingot.lake.rest.ports import Lake

_KEPT: Lru[str, tuple[int, Json]] = Lru(64 * 1024 * 1024, weigh=lambda kept: kept[0])
_VERSION = re.compile(r"(\d{1,9})-[^/]*\.metadata\.json")


def read(location: str) -> Json:
    """The document at the location; raises `MissingFileError`."""
    kept = _KEPT.get(location)
    if kept is None:
        content = files.read(location)
        try:
            document = orjson.loads(content)
        except orjson.JSONDecodeError as error:
            raise MissingFileError(f"The metadata file {location} is damaged: {error}") from error
        kept = _KEPT.put(location, (len(content), document))
    return kept[1]


def write(document: Json, previous: str | None) -> str:
    """Writes the document into the folder `metadata` of its table; returns where.

    `previous` is where the document that it follows is kept: the number in its name goes up by one.
    """
    found = _VERSION.search(previous or "")
    number = int(found[1]) + 1 if found else 0
    location = f"{document['location']}/metadata/{number:05d}-{uuid4()}.metadata.json"
    content = orjson.dumps(document)
    files.write(location, content)
    _KEPT.put(location, (len(content), document))
    return location


def discard(locations: Iterable[str]) -> None:
    """Removes documents that no commit refers to."""
    files.remove(locations)


def new_location(lake: Lake, key: Key) -> str:
    """A place for a new table, view or namespace entry that nothing else on any ref has ever used."""
    return "/".join(
        [files.root(lake.warehouse), *map(folder, key[:-1]), f"{folder(key[-1])}-{uuid4().hex[:12]}"]
    )


def check_inside(lake: Lake, location: str) -> None:
    """Raises a 403 for a location outside the warehouse, where clients have no business."""
    inside = os.path.normpath(files.root(lake.warehouse))
    # A link must not lead out either, hence the real path; the file itself need not exist yet.
    wanted = "" if "\0" in location or not _local(location) else os.path.realpath(files.local(location))
    if os.path.commonpath([os.path.realpath(inside), wanted or "/"]) != os.path.realpath(inside):
        raise RestError(
            403,
            "ForbiddenException",
            f"The location {location!r} is outside the warehouse; leave it out, and the catalog chooses one.",
        )


def make_folders(location: str) -> None:
    """The folders that a writer expects below a new table's location."""
    files.make_folder(f"{location}/data")
    files.make_folder(f"{location}/metadata")


def _local(location: str) -> bool:
    return location.startswith(("/", "file:/"))
