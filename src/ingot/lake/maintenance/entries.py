"""What a snapshot is made of, entry by entry: the raw records of its manifests, as their writers wrote them.

`lake.manifests` reads what readers need; to replace a file every field of its entry must survive, also those
of other writers. Sequence numbers and snapshot ids that an entry inherits are filled in here.
"""

import datetime as dt
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import fastavro

from ingot.lake import files, manifests
from ingot.lake.errors import MissingFileError
from ingot.lake.transforms import Term
from ingot.lake.types import Json

EXISTING, ADDED, DELETED = 0, 1, 2
DATA, POSITION_DELETES, EQUALITY_DELETES = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Entry:
    """A live file of a snapshot."""

    record: Json
    """The manifest's entry, with what it inherits written out."""
    spec_id: int

    @property
    def file(self) -> Json:
        """The entry's `data_file`."""
        found: Json = self.record["data_file"]
        return found

    @property
    def path(self) -> str:
        """Where the file is."""
        return str(self.file["file_path"])

    @property
    def content(self) -> int:
        """0 for rows, 1 for deletes by position, 2 for deletes by value."""
        return int(self.file.get("content") or DATA)

    @property
    def sequence(self) -> int:
        """The data sequence number, which says which deletes apply."""
        return int(self.record["sequence_number"])

    @property
    def bytes(self) -> int:
        """How large the file is."""
        return int(self.file["file_size_in_bytes"])

    @property
    def rows(self) -> int:
        """How many records the file holds."""
        return int(self.file["record_count"])

    @property
    def partition(self) -> tuple[Any, ...]:
        """The values of its partition, in the order of its spec."""
        return tuple((self.file.get("partition") or {}).values())


@dataclass(frozen=True, slots=True)
class Source:
    """One manifest of a snapshot: its row in the manifest list, its Avro schema and header, its live files."""

    row: Json
    schema: Json
    about: Mapping[str, str]
    entries: tuple[Entry, ...]

    @property
    def content(self) -> int:
        """0 for a manifest of data files, 1 for one of delete files."""
        return int(self.row["content"])


def read(snapshot: Json) -> list[Source]:
    """The manifests of a snapshot; raises `MissingFileError`."""
    return [_source(row) for row in manifests.list_rows(snapshot["manifest-list"])]


def _source(row: Json) -> Source:
    location = row["manifest_path"]
    try:
        reader = fastavro.reader(io.BytesIO(files.read(location)))
        records: list[Any] = list(reader)
    except (ValueError, EOFError, KeyError, IndexError) as error:
        message = f"The lake's file {location} is damaged: it is not an Iceberg manifest."
        raise MissingFileError(message) from error
    about = {name: value for name, value in reader.metadata.items() if not name.startswith("avro.")}
    schema: Json = json.loads(reader.metadata["avro.schema"])
    spec_id = int(row["partition_spec_id"])
    live = tuple(Entry(_whole(one, row), spec_id) for one in records if one["status"] != DELETED)
    return Source(row, schema, about, live)


def _whole(record: Json, row: Json) -> Json:
    done = dict(record)
    if done.get("snapshot_id") is None:
        done["snapshot_id"] = row["added_snapshot_id"]
    for name in ("sequence_number", "file_sequence_number"):
        if done.get(name) is None:
            done[name] = row["sequence_number"]
    return done


def takes_sequences(source: Source) -> bool:
    """Whether the manifest's schema has a place for sequence numbers; those of format version 1 do not."""
    return {"sequence_number", "file_sequence_number"} <= {field["name"] for field in source.schema["fields"]}


def written(schema: Json, records: Sequence[Json], about: Mapping[str, str]) -> bytes:
    """A manifest with the schema and header of another one."""
    out = io.BytesIO()
    fastavro.writer(out, schema, records, codec="deflate", metadata=dict(about))
    return out.getvalue()


def partition_values(entry: Entry, terms: Sequence[Term]) -> tuple[Any, ...]:
    """The partition as `manifests.DataFile` has it."""
    return tuple(_value(term.result, value) for term, value in zip(terms, entry.partition, strict=True))


_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def _value(kind: str, value: Any) -> Any:
    """A value as manifests are written from it; Avro's reader makes dates of numbers."""
    if isinstance(value, dt.datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=dt.UTC)
        return (moment - _EPOCH) // dt.timedelta(microseconds=1)
    if isinstance(value, dt.date):
        return (value - _EPOCH.date()).days
    if isinstance(value, dt.time):
        return ((value.hour * 60 + value.minute) * 60 + value.second) * 1_000_000 + value.microsecond
    if kind == "uuid" and isinstance(value, bytes):
        return UUID(bytes=value)
    return value


def manifests_of(manifest_list: str) -> list[str]:
    """The manifests of a manifest list; raises `MissingFileError`."""
    return [row["manifest_path"] for row in manifests.list_rows(manifest_list)]


def paths_of(manifest: str) -> list[str]:
    """The live data and delete files of a manifest; raises `MissingFileError`."""
    return [one.path for one in manifests.read(manifest).files]
