"""What is ready to be committed: one table, view or deletion whose files are on disk, on no ref yet."""

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from uuid import uuid4

from ingot.lake import files, names
from ingot.lake.errors import MissingFileError
from ingot.lake.model import Content, ContentType, Delete, Key, Put

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Staged:
    """One change, prepared against the content that the key held (`before`)."""

    key: Key
    content: Content | None
    """What the key shall hold; None where it shall be deleted."""
    before: Content | None
    rows: int = 0
    """Rows that were written."""
    bytes: int = 0
    """Bytes of Parquet that were written."""
    files: tuple[str, ...] = ()
    """Every file that was written for this change, to be removed where it is given up."""

    @property
    def name(self) -> str:
        """The table's or view's name."""
        return names.dotted(self.key)

    @property
    def operation(self) -> Put | Delete:
        """The same for the catalog."""
        if self.content is None:
            return Delete(self.key, self.before)
        return Put(self.key, self.content, self.before)


def read_json(location: str) -> Json:
    """A metadata file as JSON; `MissingFileError` where it is gone or damaged."""
    import orjson  # noqa: PLC0415

    try:
        found = orjson.loads(files.read(location))
    except orjson.JSONDecodeError as error:
        raise MissingFileError(f"The lake's file {location} is damaged: {error}.") from error
    if not isinstance(found, dict):
        raise MissingFileError(f"The lake's file {location} is damaged: it is not Iceberg metadata.")
    return found


def write_metadata(document: Json, previous: str | None) -> str:
    """Stores a metadata file under the next number and gives back where it is."""
    import orjson  # noqa: PLC0415

    number = 0
    if previous is not None:
        head = PurePosixPath(previous).name.partition("-")[0].lstrip("v")
        number = int(head) + 1 if head.isdecimal() else 1
    at = f"{document['location']}/metadata/{number:05d}-{uuid4()}.metadata.json"
    files.write(at, orjson.dumps(document))
    return at


def table_content(metadata: Json, location: str, content_id: str) -> Content:
    """The catalog's record of a table whose metadata is stored at `location`."""
    return Content(
        ContentType.TABLE,
        content_id,
        location,
        snapshot_id=metadata.get("current-snapshot-id", -1),
        schema_id=metadata.get("current-schema-id", 0),
        spec_id=metadata.get("default-spec-id", 0),
        sort_order_id=metadata.get("default-sort-order-id", 0),
    )


def view_content(metadata: Json, location: str, content_id: str) -> Content:
    """The catalog's record of a view whose metadata is stored at `location`."""
    version = next(one for one in metadata["versions"] if one["version-id"] == metadata["current-version-id"])
    return Content(
        ContentType.VIEW,
        content_id,
        location,
        snapshot_id=metadata["current-version-id"],
        schema_id=version["schema-id"],
    )
