"""JSON and Parquet parts as a DuckDB relation: formats whose values have types of their own."""

import gzip
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import orjson
from duckdb import DuckDBPyConnection

from ingot.engines.sql import quote_identifier, quote_literal
from ingot.sources.errors import SourceError
from ingot.sources.files.formats import Format, compression
from ingot.sources.files.parts import Part

_JSON_PLACE = re.compile(
    r'in file "(?P<file>[^"]+)"(?:, at byte \d+)?,? in (?P<unit>line|record/value) (?P<number>\d+)'
)
_ALL_OBJECTS = 1 << 30
_WIDER = {
    "TINYINT": {"SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "DOUBLE"},
    "UTINYINT": {"SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "DOUBLE"},
    "SMALLINT": {"INTEGER", "BIGINT", "HUGEINT", "DOUBLE"},
    "USMALLINT": {"INTEGER", "BIGINT", "HUGEINT", "DOUBLE"},
    "INTEGER": {"BIGINT", "HUGEINT", "DOUBLE"},
    "UINTEGER": {"BIGINT", "HUGEINT", "DOUBLE"},
    "BIGINT": {"HUGEINT"},
    "FLOAT": {"DOUBLE"},
    "DATE": {"TIMESTAMP"},
}


def types_of(con: DuckDBPyConnection, kind: Format, parts: Sequence[Part]) -> dict[str, str]:
    """Each column's type over all rows of all parts. Raises `SourceError` for a damaged file."""
    try:
        described = con.execute(f"DESCRIBE SELECT * FROM {_read(kind, parts, {})}").fetchall()
    except duckdb.Error as error:
        raise explain(error, parts) from error
    return {str(row[0]): str(row[1]) for row in described}


def relation(kind: Format, parts: Sequence[Part], types: Mapping[str, str]) -> str:
    """A table expression with the columns of `types`; `types` are given to the JSON reader as they are."""
    chosen = ", ".join(_stored(name, each) for name, each in types.items())
    if kind == "json":
        return f"(SELECT {chosen} FROM {_read(kind, parts, types)})"
    return f"(SELECT {chosen} FROM {_read(kind, parts, {})})"


def stored_type(kind: str) -> str:
    """The type that a column of this type gets in the table."""
    return "VARCHAR" if kind == "JSON" else kind


def counts(con: DuckDBPyConnection, kind: Format, parts: Sequence[Part]) -> dict[str, int]:
    """Rows of each part by its path, by another way than the load reads them."""
    if kind == "parquet":
        paths = quote_literal([str(part.path) for part in parts])
        rows = con.execute(f"SELECT file_name, num_rows FROM parquet_file_metadata({paths})").fetchall()
    else:
        rows = con.execute(
            f"SELECT filename, count(*) FROM {_read(kind, parts, {}, named=True)} GROUP BY ALL"
        ).fetchall()
    return {str(path): int(number) for path, number in rows}


def accepts(kept: str, found: str) -> bool:
    """Whether a column of type `found` can be stored as `kept` without any value changing."""
    return kept == found or kept in _WIDER.get(found, ())


def explain(error: duckdb.Error, parts: Sequence[Part]) -> SourceError:
    """DuckDB's complaint about JSON or Parquet in the words of the files that people have."""
    text = str(error)
    by_path = {str(part.path): part.shown for part in parts}
    place = _JSON_PLACE.search(text)
    for path, shown in by_path.items():
        if path in text or (place and place["file"] == path):
            line = int(place["number"]) if place else None
            if "Malformed JSON" in text:
                # The reader counts lines by its buffers there.
                line = _damaged_line(Path(path))
            message = re.sub(
                r"(, at byte \d+)?,? in (line|record/value) \d+", "", _sentence(text).replace(path, shown)
            )
            hint = "JSON is UTF-8, or say options: {encoding: ...}." if "UTF-8" in text else None
            return SourceError(message, file=shown, line=line, hint=hint)
    return SourceError(_sentence(text), file=parts[0].shown if len(parts) == 1 else None)


def _damaged_line(path: Path) -> int | None:
    """The line of the first mistake in a JSON file, of lines or as a whole; None where it cannot be told."""
    with gzip.open(path) if compression(path.name) == "gzip" else path.open("rb") as raw:
        for number, line in enumerate(raw, 1):
            try:
                orjson.loads(line.strip() or b"0")
            except orjson.JSONDecodeError:
                if number > 1:
                    return number
                break
        raw.seek(0)
        try:
            json.loads(raw.read())
        except json.JSONDecodeError as error:
            return error.lineno
        except UnicodeDecodeError as error:
            return error.object.count(b"\n", 0, error.start) + 1
    return None


def _stored(name: str, kind: str) -> str:
    quoted = quote_identifier(name)
    if kind == "JSON":
        return f"CAST({quoted} AS VARCHAR) AS {quoted}"
    if kind == "TIMESTAMP_NS":
        # Tables hold microseconds; a value that has more must not lose it without a word.
        lost = f"error('{quoted} has nanoseconds, which a table cannot hold: ' || {quoted}::VARCHAR)"
        return f"CASE WHEN epoch_ns({quoted}) % 1000 = 0 THEN {quoted}::TIMESTAMP WHEN {quoted} IS NOT NULL THEN {lost} END AS {quoted}"
    return f"CAST({quoted} AS {kind}) AS {quoted}"


def _read(kind: Format, parts: Sequence[Part], types: Mapping[str, str], *, named: bool = False) -> str:
    paths = quote_literal([str(part.path) for part in parts])
    if kind == "parquet":
        return f"read_parquet({paths}, union_by_name = true, hive_partitioning = false, filename = {named})"
    settings: dict[str, object] = {
        "format": "auto",
        "sample_size": -1,
        "maximum_sample_files": max(len(parts), 32),
        "maximum_object_size": _ALL_OBJECTS,
        "hive_partitioning": False,
        "filename": named,
    }
    if types:
        settings["columns"] = dict(types)
    else:
        settings["union_by_name"] = True
    return f"read_json({paths}, {', '.join(f'{key} = {quote_literal(value)}' for key, value in settings.items())})"


def _sentence(text: str) -> str:
    return text.splitlines()[0].partition(": ")[2].strip() or text
