"""How COPY writes rows: DataRow messages turned into lines of text or csv, or into rows of its binary form."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from struct import Struct

from ingot.pgwire import messages
from ingot.pgwire.errors import PgError
from ingot.pgwire.ports import Field

_SIZE = Struct("!I")
_FIELD = Struct("!i")
SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)


@dataclass
class Options:
    """How values are written."""

    form: str = "text"
    delimiter: str | None = None
    null: str | None = None
    header: bool = False
    quote: str | None = None
    escape: str | None = None
    force: frozenset[str] | bool = False
    """Columns whose values are always quoted; True for all."""


def binary(data: bytes) -> bytearray:
    """A DataRow is a row of binary COPY as it is; only the message has another name."""
    turned = bytearray(data)
    at, end = 0, len(turned)
    unpack = _SIZE.unpack_from
    while at < end:
        turned[at] = 100
        at += 1 + unpack(turned, at + 1)[0]
    return turned


def begin(rows: bytearray, head: bytes) -> None:
    """Puts something into the first message of some rows, before what it holds."""
    rows[1:5] = _SIZE.pack(_SIZE.unpack_from(rows, 1)[0] + len(head))
    rows[5:5] = head


_SPECIAL = {8: b"\\b", 9: b"\\t", 10: b"\\n", 11: b"\\v", 12: b"\\f", 13: b"\\r", 92: b"\\\\"}


def header(options: Options, fields: tuple[Field, ...]) -> bytes:
    """The line of the columns' names."""
    write = _csv(options, forced=False, alone=len(fields) == 1) if options.form == "csv" else _text(options)
    line = str(options.delimiter).encode().join(write(field.name.encode()) for field in fields)
    return messages.copy_data(line + b"\n")


def lines(options: Options, fields: tuple[Field, ...]) -> Callable[[bytes], bytearray]:
    """What turns DataRow messages into lines. Raises `PgError` where FORCE_QUOTE names no column."""
    delimiter = str(options.delimiter).encode()
    null = str(options.null).encode()
    alone = len(fields) == 1
    if options.form == "csv":
        known = {field.name for field in fields}
        if not isinstance(options.force, bool) and (missing := sorted(options.force - known)):
            raise PgError(f'column "{missing[0]}" does not exist', sqlstate="42703")
        writers = [
            _csv(
                options,
                forced=options.force if isinstance(options.force, bool) else field.name in options.force,
                alone=alone,
            )
            for field in fields
        ]
    else:
        writers = [_text(options)] * len(fields)

    def turned(data: bytes) -> bytearray:
        out = bytearray()
        at, end = 0, len(data)
        length_of = _FIELD.unpack_from
        while at < end:
            at += 7
            values = []
            for write in writers:
                length = length_of(data, at)[0]
                at += 4
                if length < 0:
                    values.append(null)
                else:
                    values.append(write(data[at : at + length]))
                    at += length
            line = delimiter.join(values)
            out += b"d"
            out += _SIZE.pack(len(line) + 5)
            out += line
            out += b"\n"
        return out

    return turned


def _text(options: Options) -> Callable[[bytes], bytes]:
    delimiter = str(options.delimiter).encode()
    special = re.compile(b"[\x08\t\n\x0b\x0c\r\\\\" + re.escape(delimiter) + b"]")

    def one(hit: re.Match[bytes]) -> bytes:
        return _SPECIAL.get(hit[0][0], b"\\" + hit[0])

    def write(value: bytes) -> bytes:
        return special.sub(one, value) if special.search(value) else value

    return write


def _csv(options: Options, *, forced: bool, alone: bool) -> Callable[[bytes], bytes]:
    quote, escape = str(options.quote).encode(), str(options.escape).encode()
    null = str(options.null).encode()
    needs = re.compile(b"[\r\n" + re.escape(str(options.delimiter).encode()) + re.escape(quote) + b"]")
    inside = re.compile(b"[" + re.escape(quote) + re.escape(escape) + b"]")

    def write(value: bytes) -> bytes:
        # A lone `\.` would end the data for some readers.
        if forced or value == null or (alone and value == b"\\.") or needs.search(value):
            return quote + inside.sub(lambda hit: escape + hit[0], value) + quote
        return value

    return write
