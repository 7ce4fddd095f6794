"""CSV as Python reads it: the dialect and header before loading, and the line of a value after a failure.

Loading itself is DuckDB's (`reading`); what is decided here is decided from the file's own first record and
from the source's options, never guessed from a sample of the data.
"""

import codecs
import csv
import gzip
import io
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from duckdb import DuckDBPyConnection

from ingot.engines.sql import quote_literal
from ingot.project.source import FileOptions
from ingot.sources.errors import SourceError
from ingot.sources.files.formats import compression

_DELIMITERS = ",;\t|"
_BY_NAME = {".tsv": "\t", ".psv": "|"}
_BOMS = ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True, slots=True)
class Head:
    """How one CSV file is written, and its columns."""

    columns: tuple[str, ...]
    delimiter: str
    lines: int
    """Physical lines before the first row of data."""


def read_head(con: DuckDBPyConnection, path: Path, shown: str, options: FileOptions) -> Head:
    """The dialect and columns of a UTF-8 file. Raises `SourceError` for names that are empty or used twice."""
    text = _first_lines_by_duckdb(con, path) if compression(path.name) == "zstd" else None
    try:
        with _opened(path) if text is None else io.StringIO(text, newline="") as lines:
            for _ in range(options.skip):
                lines.readline()
            delimiter = options.delimiter or _delimiter(lines.readline(), path.name)
            lines.seek(0)
            for _ in range(options.skip):
                lines.readline()
            reader = _reader(lines, delimiter, options)
            names: list[str] = next(filter(None, reader), [])
            used = reader.line_num
    except UnicodeDecodeError as error:
        raise bad_encoding(path, shown) from error
    except csv.Error as error:
        raise SourceError(
            f"The header cannot be read: {error}.", file=shown, line=options.skip + 1
        ) from error
    if options.header is False:
        return Head(tuple(f"column{n}" for n in range(1, len(names) + 1)), delimiter, options.skip)
    columns = tuple(name.strip().removeprefix("\ufeff") for name in names)
    _check_names(columns, shown, options.skip + used)
    return Head(columns, delimiter, options.skip + used)


def to_utf8(path: Path, shown: str, encoding: str, target: Path) -> Path:
    """A copy of the file in UTF-8. Raises `SourceError` with the line where a byte is not in `encoding`."""
    try:
        codecs.lookup(encoding)
    except LookupError as error:
        raise SourceError(
            f"There is no encoding '{encoding}'.",
            file=shown,
            hint="Known are utf-8, latin-1, cp1252, utf-16, ...",
        ) from error
    raw = _raw(path)
    line = 1
    with raw, target.open("w", encoding="utf-8", newline="") as out:
        decoder = codecs.getincrementaldecoder(encoding)("strict")
        while True:
            block = raw.read(1 << 20)
            try:
                piece = decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                line += error.object[: error.start].decode(encoding, "replace").count("\n")
                raise SourceError(
                    f"The bytes are not {encoding}: {error.reason}.",
                    file=shown,
                    line=line,
                    hint="Say the right one: options: {encoding: ...}.",
                ) from error
            out.write(piece)
            line += piece.count("\n")
            if not block:
                return target


def bad_encoding(path: Path, shown: str) -> SourceError:
    """The error for a file that is not UTF-8, with the line and offset of the first byte that is not."""
    with _raw(path) as raw:
        start = raw.read(4)
        for bom, name in _BOMS:
            if start.startswith(bom):
                return SourceError(
                    f"The file is {name.upper()}, not UTF-8.",
                    file=shown,
                    line=1,
                    hint=f"options: {{encoding: {name}}}",
                )
        rest = start + raw.read()
    try:
        rest.decode("utf-8")
    except UnicodeDecodeError as error:
        line = rest.count(b"\n", 0, error.start) + 1
        return SourceError(
            f"The file is not UTF-8: byte 0x{rest[error.start]:02x} at offset {error.start} cannot be read.",
            file=shown,
            line=line,
            hint="If it is a file of Windows or of Western Europe: options: {encoding: cp1252} or {encoding: latin-1}.",
        )
    return SourceError("The file is not UTF-8.", file=shown, hint="options: {encoding: latin-1}")


def line_of(path: Path, head: Head, column: str, value: str, options: FileOptions) -> int | None:
    """The line where the record begins in which `column` first has this text; None where it is not found."""
    if column not in head.columns or compression(path.name) == "zstd":
        return None
    index = head.columns.index(column)
    limit = csv.field_size_limit(sys.maxsize)
    try:
        with _opened(path) as lines:
            for _ in range(head.lines):
                lines.readline()
            reader = _reader(lines, head.delimiter, options)
            before = 0
            for record in reader:
                if index < len(record) and record[index] == value:
                    return head.lines + before + 1
                before = reader.line_num
    except (csv.Error, UnicodeDecodeError, OSError):
        return None
    finally:
        csv.field_size_limit(limit)
    return None


def long_line(path: Path, most: int) -> int | None:
    """The first line that is longer than `most` bytes."""
    with _raw(path) as raw:
        return next((number for number, line in enumerate(raw, 1) if len(line) > most), None)


def mixed_line_ends(path: Path, shown: str) -> SourceError | None:
    """The error for a file whose lines do not all end alike; None where they do."""
    with _raw(path) as raw:
        first: bytes | None = None
        for number, line in enumerate(raw, 1):
            end = b"\r\n" if line.endswith(b"\r\n") else b"\n" if line.endswith(b"\n") else None
            first = first or end
            if end and end != first:
                names = {b"\n": "LF", b"\r\n": "CR LF"}
                return SourceError(
                    f"Lines end with {names[first or end]} before and with {names[end]} here.",
                    file=shown,
                    line=number,
                    hint="Convert the file, for example with dos2unix.",
                )
    return None


def _check_names(columns: Sequence[str], shown: str, line: int) -> None:
    empty = [str(number) for number, name in enumerate(columns, 1) if not name]
    if empty:
        raise SourceError(
            f"The header has no name for column {', '.join(empty[:10])}{' ...' if len(empty) > 10 else ''}.",
            file=shown,
            line=line,
            hint="Name every column, or say options: {header: false} if the file has no header.",
        )
    seen: dict[str, str] = {}
    for name in columns:
        first = seen.get(name.casefold())
        seen[name.casefold()] = name
        if first is not None:
            same = (
                f"'{name}' twice" if first == name else f"'{first}' and '{name}', which differ only by case"
            )
            raise SourceError(
                f"The header has {same}.", file=shown, line=line, column=name, hint="Rename one of them."
            )


def _delimiter(line: str, name: str) -> str:
    for end, delimiter in _BY_NAME.items():
        if end in name.casefold():
            return delimiter
    outside = "".join(line.split('"')[::2])
    return max(_DELIMITERS, key=outside.count)


def _reader(lines: io.TextIOBase, delimiter: str, options: FileOptions) -> "csv._reader":  # type: ignore[name-defined]
    quote = '"' if options.quote is None else options.quote
    escape = options.escape or quote
    return csv.reader(
        lines,
        delimiter=delimiter,
        quotechar=quote or None,
        quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
        doublequote=escape == quote,
        escapechar=None if escape == quote else escape,
        strict=True,
    )


@contextmanager
def _opened(path: Path) -> Iterator[io.TextIOWrapper]:
    with _raw(path) as raw, io.TextIOWrapper(raw, encoding="utf-8-sig", newline="") as text:
        yield text


def _raw(path: Path) -> BinaryIO:
    opened = gzip.open(path) if compression(path.name) == "gzip" else path.open("rb")  # noqa: SIM115 - callers do
    return cast("BinaryIO", opened)


def _first_lines_by_duckdb(con: DuckDBPyConnection, path: Path) -> str:
    rows = con.execute(
        f"SELECT line FROM read_csv({quote_literal(str(path))}, auto_detect = false, header = false, delim = '\x1f', "
        "quote = '', escape = '', columns = {'line': 'VARCHAR'}, max_line_size = 16000000, buffer_size = 33554432) LIMIT 50"
    ).fetchall()
    return "\n".join(line or "" for (line,) in rows)
