"""From the files of a plan to the parts that are read: unpacked, in UTF-8, one format, each scanned once.

A part is one physical file that a reader can open; a zip file has several. Everything that is written on
the way goes into a temporary folder of the load.
"""

import shutil
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from ingot.project.source import FileOptions
from ingot.sources.errors import SourceError
from ingot.sources.files.csv_text import to_utf8
from ingot.sources.files.excel import to_csv
from ingot.sources.files.formats import KNOWN, Format, compression, format_of, is_data
from ingot.sources.files.scan import Scan, scan
from ingot.sources.model import DataFile

MOST_UNPACKED = 64 << 30
"""Bytes that one zip file may unpack to."""
MOST_RATIO = 500
"""Times that a member may be larger than it is packed, above `RATIO_FROM` bytes; text stays far below."""
RATIO_FROM = 64 << 20


@dataclass(frozen=True, slots=True)
class Part:
    """One physical file to read."""

    path: Path
    shown: str
    file: DataFile
    scan: Scan
    rows_are_lines: bool = True
    """False where the text was made by us (Excel), so that a line of it means nothing to people."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The parts of one load."""

    format: Format
    parts: tuple[Part, ...]
    digests: dict[str, str]
    """SHA-256 of each file, by key."""


def open_parts(
    files: Iterable[DataFile], wanted: Format | None, options: FileOptions, folder: Path
) -> Opened:
    """Scans and unpacks `files` below `folder`. Raises `SourceError` for what cannot be read."""
    digests: dict[str, str] = {}
    parts: list[tuple[Format, Part]] = []
    for number, file in enumerate(files):
        if compression(file.path.name) == "zip":
            digests[file.key] = scan(file.path, file.shown, text=False).sha256
            members = _unzip(file, folder / f"zip{number}", wanted)
        else:
            members = [(file.path, file.shown)]
        for path, shown in members:
            kind = wanted or format_of(path.name)
            if kind is None:
                raise SourceError(
                    f"The format is not known (known: {KNOWN}).", file=shown, hint="Say `format:`."
                )
            part = _prepared(
                path, shown, file, kind=kind, options=options, copy=folder / f"text{number}-{len(parts)}.csv"
            )
            digests.setdefault(file.key, part.scan.sha256)
            parts.append((kind, part))
    kinds = {kind: part.shown for kind, part in parts}
    if len(kinds) > 1:
        listed = ", ".join(f"{shown} is {kind}" for kind, shown in kinds.items())
        raise SourceError(
            f"The files of one table have one format, but {listed}.", hint="Make a table of each."
        )
    found: Format = next(iter(kinds), wanted or "csv")
    return Opened("csv" if found == "excel" else found, tuple(part for _, part in parts), digests)


def _prepared(
    path: Path, shown: str, file: DataFile, *, kind: Format, options: FileOptions, copy: Path
) -> Part:
    if kind == "excel":
        digest = scan(path, shown, text=False)
        if digest.empty:
            return Part(path, shown, file, digest, rows_are_lines=False)
        written = to_csv(path, shown, options.sheet, copy)
        lines = scan(written, shown, text=True)
        return Part(written, shown, file, _of(digest, lines), rows_are_lines=False)
    known = scan(path, shown, text=kind == "csv")
    encoding = (options.encoding or "utf-8").casefold().replace("_", "-")
    if kind in ("csv", "json") and encoding not in ("utf-8", "utf8", "utf-8-sig") and not known.empty:
        if compression(path.name) == "zstd":
            raise SourceError(
                f"A zstd file in {encoding} cannot be read.", file=shown, hint="Unpack it first."
            )
        written = to_utf8(path, shown, encoding, copy.with_suffix(f".{kind}"))
        return Part(written, shown, file, _of(known, scan(written, shown, text=kind == "csv")))
    return Part(path, shown, file, known)


def _of(original: Scan, text: Scan) -> Scan:
    return replace(text, sha256=original.sha256, empty=original.empty or text.empty)


def _unzip(file: DataFile, folder: Path, wanted: Format | None) -> list[tuple[Path, str]]:
    """The data members of a zip file, extracted under names of our own."""
    try:
        with zipfile.ZipFile(file.path) as archive:
            members = [member for member in archive.infolist() if _is_wanted(member, file, wanted)]
            if not members:
                raise SourceError(f"The zip file holds no data file ({KNOWN}).", file=file.shown)
            folder.mkdir(parents=True)
            left = MOST_UNPACKED
            done = []
            for number, member in enumerate(members):
                suffixes = "".join(PurePosixPath(member.filename).suffixes[-2:])
                target = folder / f"{number}{suffixes}"
                left -= _extract(archive, member, target, file, left)
                done.append((target, f"{file.shown}!{member.filename}"))
            return done
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
        raise SourceError(f"The zip file cannot be read: {error}.", file=file.shown) from error


def _is_wanted(member: zipfile.ZipInfo, file: DataFile, wanted: Format | None) -> bool:
    path = PurePosixPath(member.filename)
    if member.is_dir() or path.name.startswith(".") or "__MACOSX" in path.parts:
        return False
    if path.is_absolute() or ".." in path.parts or "\\" in member.filename:
        raise SourceError(
            f"The zip file holds a path that leads out of it: {member.filename}.", file=file.shown
        )
    if member.flag_bits & 1:
        raise SourceError(
            f"The member {member.filename} is encrypted.", file=file.shown, hint="Unpack it first."
        )
    return (wanted is not None or is_data(path.name)) and compression(path.name) != "zip"


def _extract(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, file: DataFile, left: int
) -> int:
    """Bytes written. What the archive says of its sizes is not trusted: the bytes are counted."""
    limit = min(
        left, max(RATIO_FROM, member.compress_size * MOST_RATIO), shutil.disk_usage(target.parent).free
    )
    size = 0
    with archive.open(member) as packed, target.open("wb") as out:
        while block := packed.read(1 << 20):
            size += len(block)
            if size > limit:
                raise SourceError(
                    f"The member {member.filename} unpacks to more than {limit:,} bytes.",
                    file=file.shown,
                    hint="Unpack it yourself if it can be trusted.",
                )
            out.write(block)
    return size


def empty_parts(parts: Sequence[Part]) -> tuple[str, ...]:
    """The names of parts without any byte."""
    return tuple(part.shown for part in parts if part.scan.empty)
