"""One pass over a file's bytes: its digest, its lines, and whether it is whole.

Independent of the reader that loads the data, so that the number of lines can be held against the number
of rows. The files are in the system's cache afterwards, so the load does not read the disk again.
"""

import gzip
import hashlib
import zlib
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ingot.sources.errors import SourceError
from ingot.sources.files import zstd
from ingot.sources.files.formats import compression

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Scan:
    """What the bytes of a file say about it."""

    sha256: str
    """Of the file as it lies on the disk."""
    lines: int | None
    """Lines of the unpacked text; None where it cannot be unpacked here (zstd, zip)."""
    nul_line: int | None
    """The first line that holds a zero byte."""
    empty: bool
    simple: bool
    """Every line seems to be a row: there is no quote that could hold a line end, and no blank line at the end."""
    long: bool
    """There may be a line of more than a megabyte, for which the reader needs larger and slower buffers."""


def scan(path: Path, shown: str, *, text: bool) -> Scan:
    """Reads the file once; `text` asks for lines. Raises `SourceError` for a damaged or unreadable file."""
    packed = compression(path.name)
    try:
        digest = hashlib.sha256()
        size = 0
        counted = _Lines()
        count = text and packed is None
        with path.open("rb") as opened, ThreadPoolExecutor(1) as other:
            hashed: Future[None] | None = None
            while block := opened.read(_BLOCK):
                if hashed is not None:
                    hashed.result()
                # Hashing leaves the interpreter free, so both take as long as one: 50 ms for 65 MB, not 90.
                hashed = other.submit(digest.update, block)
                size += len(block)
                if count:
                    counted.add(block)
        if text and packed == "gzip" and size:
            # DuckDB takes a gzip file that ends too early for a short one; Python checks length and CRC.
            with gzip.open(path) as unpacked:
                while block := unpacked.read(_BLOCK):
                    counted.add(block)
        if packed == "zstd" and size:
            zstd.check(path)
    except ValueError as error:
        raise SourceError(
            f"The zstd file is damaged: {error}.", file=shown, hint="Fetch the file again."
        ) from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise SourceError(
            f"The gzip file is damaged: {error}.", file=shown, hint="Fetch the file again."
        ) from error
    except OSError as error:
        raise SourceError(f"The file cannot be read: {error.strerror or error}.", file=shown) from error
    known = text and packed in (None, "gzip")
    empty = size == 0 or (known and counted.lines == 0)
    return Scan(
        digest.hexdigest(),
        counted.lines if known else None,
        counted.nul_line,
        empty,
        counted.simple,
        counted.long or not known,
    )


class _Lines:
    """Counts line ends as blocks go by."""

    def __init__(self) -> None:
        self.ends = 0
        self.nul_line: int | None = None
        self.simple = True
        self.long = False
        self._last = b"\n"

    def add(self, block: bytes) -> None:
        if self.nul_line is None and (at := block.find(b"\0")) >= 0:
            self.nul_line = self.ends + block.count(b"\n", 0, at) + 1
        ends = block.count(b"\n")
        self.long = self.long or not ends
        # Files that hide a blank line in their middle are found out when the rows are counted.
        if self.simple:
            self.simple = b'"' not in block and not block.endswith((b"\n\n", b"\n\r\n"))
            if self.ends == 0:
                self.simple = self.simple and (ends > 0 or b"\r" not in block)
        self.ends += ends
        self._last = block[-1:]

    @property
    def lines(self) -> int:
        return self.ends + (self._last != b"\n")
