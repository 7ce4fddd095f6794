"""Whether a zstd file is whole: DuckDB takes one that ends too early for a short one.

Follows the lengths of the frames and blocks (RFC 8878) without unpacking them.
"""

from pathlib import Path
from typing import BinaryIO

_MAGIC = 0xFD2FB528
_SKIPPABLE = 0x184D2A50
_RLE = 1


def check(path: Path) -> None:
    """Returns for a whole file. Raises `ValueError` where it is no zstd or ends within a frame."""
    size = path.stat().st_size
    with path.open("rb") as opened:
        while opened.tell() < size:
            magic = _number(opened, 4)
            if magic & ~0xF == _SKIPPABLE:
                opened.seek(_number(opened, 4), 1)
            elif magic == _MAGIC:
                _frame(opened)
            else:
                raise ValueError("it is not in zstd format")
            if opened.tell() > size:
                raise ValueError("it ends too early")


def _frame(opened: BinaryIO) -> None:
    descriptor = _number(opened, 1)
    single, checksum = descriptor >> 5 & 1, descriptor >> 2 & 1
    content = (single, 2, 4, 8)[descriptor >> 6]
    dictionary = (0, 1, 2, 4)[descriptor & 3]
    opened.seek((1 - single) + dictionary + content, 1)
    last = 0
    while not last:
        block = _number(opened, 3)
        last, kind, length = block & 1, block >> 1 & 3, block >> 3
        opened.seek(1 if kind == _RLE else length, 1)
    opened.seek(4 * checksum, 1)


def _number(opened: BinaryIO, length: int) -> int:
    read = opened.read(length)
    if len(read) < length:
        raise ValueError("it ends too early")
    return int.from_bytes(read, "little")
