"""Metadata documents as files: read once, written whole, and only ever inside the warehouse.

A document never changes after it is written, so what was read is kept.
"""

from collections.abc import Iterable
from uuid import uuid4

from ingot.lake import files
from ingot.lake.lru import Lru
from ingot.lake.metadata.document import Json
from ingot.lake.model import Key
from ingot.lake.names import folder
from ingot.lake.rest.answer import RestError
from ingot.lake.rest.ports import Lake
from ingot.lake.staged import read_json, write_metadata

_KEPT: Lru[str, Json] = Lru(100_000, weigh=lambda document: 10 + len(document.get("snapshots") or ()))


def read(location: str) -> Json:
    """The document at the location; raises `MissingFileError`."""
    return _KEPT.get(location) or _KEPT.put(location, read_json(location))


def write(document: Json, previous: str | None) -> str:
    """Writes the document into the folder `metadata` of its table; returns where.

    `previous` is where the document that it follows is kept: the number in its name goes up by one.
    """
    location = write_metadata(document, previous)
    _KEPT.put(location, document)
    return location


def discard(locations: Iterable[str]) -> None:
    """Removes documents that no commit refers to."""
    files.remove(locations)


def new_location(lake: Lake, key: Key) -> str:
    """A place for a new table, view or namespace entry that nothing else on any ref has ever used."""
    return f"{namespace_location(lake, key[:-1])}/{folder(key[-1])}-{uuid4()}"


def namespace_location(lake: Lake, key: Key) -> str:
    """The folder in which a namespace's tables get theirs."""
    return "/".join([files.root(lake.warehouse), *map(folder, key)])


def check_inside(lake: Lake, location: str) -> None:
    """Raises a 403 for a location outside the warehouse, where clients have no business."""
    if not files.inside(lake.warehouse, location):
        raise RestError(
            403,
            "ForbiddenException",
            f"The location {location!r} is outside the warehouse; leave it out, and the catalog chooses one.",
        )


def make_folders(location: str) -> None:
    """The folders that a writer expects below a new table's location."""
    files.make_folder(f"{location}/data")
    files.make_folder(f"{location}/metadata")
