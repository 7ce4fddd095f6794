"""Avro files as Iceberg's manifests are: read with the values as they are stored, and written.

Dates and times stay numbers, for they may be of any year; what a value means is for those who ask to say.
"""

import io
import zlib
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import fastavro

from ingot.lake import files
from ingot.lake.errors import MissingFileError
from ingot.lake.lru import Lru
from ingot.lake.types import Json

_DAMAGED = (ValueError, EOFError, KeyError, IndexError, OverflowError, zlib.error)


_known: Lru[str, tuple[Json, Any]] = Lru(1_000)


@dataclass(frozen=True, slots=True)
class Avro:
    """A file: the schema and the header that it was written with, and its records."""

    schema: Json
    about: Mapping[str, str]
    records: tuple[Json, ...]


def read(location: str) -> Avro:
    """A manifest or manifest list; raises `MissingFileError` where it is not there or is no such file."""
    content = io.BytesIO(files.read(location))
    try:
        reader: Any = fastavro.block_reader(content)
        schema, plain = _schemas(reader)
        records: list[Any] = []
        for block in reader:
            records += [
                fastavro.schemaless_reader(block.bytes_, plain, None) for _ in range(block.num_records)
            ]
    except _DAMAGED as error:
        message = f"The lake's file {location} is damaged: it is not an Iceberg manifest."
        raise MissingFileError(message) from error
    about = {name: value for name, value in reader.metadata.items() if not name.startswith("avro.")}
    return Avro(schema, about, tuple(records))


def _schemas(reader: Any) -> tuple[Json, Any]:
    """The schema as it was written, and as it is read; a table's manifests have few, and parsing them takes longer than the rest."""
    text = reader.metadata["avro.schema"]
    if (found := _known.get(text)) is not None:
        return found
    schema: Json = _without(reader.writer_schema, deep=False)
    plain = fastavro.parse_schema(_without(deepcopy(reader.writer_schema), deep=True))
    return _known.put(text, (schema, plain))


def written(schema: Json, records: Sequence[Json], about: Mapping[str, str]) -> bytes:
    """The bytes of a file; values as `read` gives them, or as Python's types."""
    out = io.BytesIO()
    fastavro.writer(out, schema, records, codec="deflate", metadata=dict(about))
    return out.getvalue()


def _without(schema: Any, *, deep: bool) -> Any:
    """The schema without the marks of the library and, `deep`, without what numbers mean."""
    if isinstance(schema, list):
        return [_without(one, deep=deep) for one in schema] if deep else schema
    if isinstance(schema, dict):
        return {
            name: _without(value, deep=deep) if deep else value
            for name, value in schema.items()
            if not name.startswith("__") and not (deep and name == "logicalType")
        }
    return schema
