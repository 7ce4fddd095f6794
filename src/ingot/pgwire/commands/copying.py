"""COPY (query) TO STDOUT and COPY table TO STDOUT, in text, csv and binary."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from struct import Struct
from typing import TYPE_CHECKING

from ingot.pgwire import messages
from ingot.pgwire.commands.command import Plain, Words
from ingot.pgwire.commands.scanning import Kind
from ingot.pgwire.errors import PgError
from ingot.pgwire.portals import Answer, Portal
from ingot.pgwire.ports import BINARY, TEXT, Field

if TYPE_CHECKING:
    from ingot.pgwire.session import Session

_SIZE = Struct("!I")
_FIELD = Struct("!i")
SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
LARGE = 4096
"""Rows from which on lines are made in a thread."""


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


@dataclass
class Copy(Plain):
    """COPY … TO STDOUT."""

    inner: tuple[str, int]
    options: Options
    tag: str = "COPY"

    @property
    def query(self) -> tuple[str, int]:
        return self.inner

    async def run(self, session: "Session", portal: Portal) -> Answer:
        statement = await session.runnable(portal)
        if statement.fields is None:
            raise PgError("COPY query must return rows", sqlstate="0A000")
        binary = self.options.form == "binary"
        rows = await statement.run(portal.values, (BINARY if binary else TEXT,))
        wire = session.wire
        turn = _binary if binary else _lines(self.options, rows.fields)
        # PostgreSQL sends a binary copy's head in one message with its first row, and clients expect it there.
        head = SIGNATURE if binary else b""
        count = 0
        try:
            wire.put(messages.copy_out(int(binary), len(rows.fields)))
            if self.options.header:
                wire.put(_header(self.options, rows.fields))
            while (chunk := await session.fetch(rows, 0)) is not None:
                if chunk.rows > LARGE:
                    data = await asyncio.get_running_loop().run_in_executor(None, turn, bytes(chunk.data))
                else:
                    data = turn(bytes(chunk.data))
                if head and chunk.rows:
                    data[1:5] = _SIZE.pack(_SIZE.unpack_from(data, 1)[0] + len(head))
                    data[5:5] = head
                    head = b""
                await wire.rows(data)
                count += chunk.rows
            if binary:
                wire.put(messages.copy_data(head + b"\xff\xff"))
            wire.put(messages.COPY_DONE)
        finally:
            await rows.close()
        return Answer(f"COPY {count}")


def copy(words: Words) -> Copy:
    """COPY, behind its first word. Raises `PgError` for COPY FROM and for anything but STDOUT."""
    if words.symbol("("):
        depth = 1
        first = words.next
        last = first
        while depth:
            last = words.next
            if last is None:
                raise words.wrong()
            words.take(*Kind)
            if last.kind is Kind.SYMBOL:
                depth += (last.value == "(") - (last.value == ")")
        assert first is not None
        assert last is not None
        inner = words.text[first.start : last.start], first.start
        if words.next is not None and words.next.value == "from":
            raise words.wrong()
    else:
        inner = _table(words)
    if words.word("from"):
        raise PgError("cannot execute COPY FROM in a read-only transaction", sqlstate="25006")
    words.expect("to")
    if words.word("program"):
        raise PgError("permission denied to COPY to or from an external program", sqlstate="42501")
    if words.next is not None and words.next.kind is Kind.STRING:
        raise PgError(
            "permission denied to COPY to a file",
            sqlstate="42501",
            hint="COPY … TO STDOUT gives the rows to the client; psql's \\copy writes them to a file.",
        )
    words.expect("stdout")
    return Copy(inner, _checked(_options(words)))


def _table(words: Words) -> tuple[str, int]:
    token = words.next
    if token is None:
        raise words.wrong()
    start = token.start
    parts = [_quoted(words.name())]
    while words.symbol("."):
        parts.append(_quoted(words.name()))
    columns = "*"
    if words.symbol("("):
        names = [_quoted(words.name())]
        while words.symbol(","):
            names.append(_quoted(words.name()))
        words.expect_symbol(")")
        columns = ", ".join(names)
    return f"SELECT {columns} FROM {'.'.join(parts)}", start


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _options(words: Words) -> Options:
    options = Options()
    words.word("with")
    if words.symbol("("):
        while True:
            _option(words, options)
            if words.symbol(")"):
                break
            words.expect_symbol(",")
        words.end()
        return options
    while words.next is not None:  # the form of before 9.0, which clients still send
        if form := words.word("csv", "binary"):
            options.form = form
        elif words.word("header"):
            options.header = True
        elif words.word("force"):
            words.expect("quote")
            options.force = True if words.symbol("*") else frozenset(_names(words))
        else:
            name = words.expect("delimiter", "null", "quote", "escape", "encoding")
            words.word("as")
            _put(options, name, words.take(Kind.STRING).value)
    return options


def _option(words: Words, options: Options) -> None:
    place = words.next
    name = words.name()
    match name:
        case "format":
            options.form = words.take(Kind.WORD, Kind.NAME, Kind.STRING).value.lower()
            if options.form not in ("text", "csv", "binary"):
                at = None if place is None else place.start + 1
                raise PgError(f'COPY format "{options.form}" not recognized', sqlstate="22023", position=at)
        case "header":
            value = words.word("true", "false", "on", "off")
            if value is None and words.next is not None and words.next.kind is not Kind.SYMBOL:
                value = words.take(Kind.NUMBER, Kind.STRING).value
            options.header = value not in ("false", "off", "0")
        case "force_quote":
            if words.symbol("*"):
                options.force = True
            else:
                words.expect_symbol("(")
                options.force = frozenset(_names(words))
                words.expect_symbol(")")
        case "delimiter" | "null" | "quote" | "escape" | "encoding":
            _put(options, name, words.take(Kind.STRING, Kind.WORD).value)
        case _:
            at = None if place is None else place.start + 1
            raise PgError(f'option "{name}" not recognized', sqlstate="42601", position=at)


def _names(words: Words) -> list[str]:
    found = [words.name()]
    while words.symbol(","):
        found.append(words.name())
    return found


def _put(options: Options, name: str, value: str) -> None:
    if name == "encoding":
        if value.replace("-", "").upper() not in ("UTF8", "UNICODE"):
            raise PgError('argument to option "encoding" must be UTF8', sqlstate="22023")
    else:
        setattr(options, name, value)


def _checked(options: Options) -> Options:  # noqa: PLR0912 - one rule a branch
    csv = options.form == "csv"
    if options.form == "binary":
        for name, value in (
            ("DELIMITER", options.delimiter),
            ("NULL", options.null),
            ("HEADER", options.header or None),
        ):
            if value is not None:
                sqlstate = "0A000" if name == "HEADER" else "42601"
                raise PgError(f"cannot specify {name} in BINARY mode", sqlstate=sqlstate)
    if options.delimiter is None:
        options.delimiter = "," if csv else "\t"
    if options.null is None:
        options.null = "" if csv else "\\N"
    single = "must be a single one-byte character"
    if len(options.delimiter.encode()) != 1:
        raise PgError(f"COPY delimiter {single}", sqlstate="0A000")
    if options.delimiter in "\r\n":
        raise PgError("COPY delimiter cannot be newline or carriage return", sqlstate="22023")
    if set(options.null) & set("\r\n"):
        raise PgError("COPY null representation cannot use newline or carriage return", sqlstate="22023")
    if not csv:
        if options.delimiter in "\\.abcdefghijklmnopqrstuvwxyz0123456789":
            raise PgError(f'COPY delimiter cannot be "{options.delimiter}"', sqlstate="22023")
        for name, given in (
            ("QUOTE", options.quote),
            ("ESCAPE", options.escape),
            ("FORCE_QUOTE", options.force),
        ):
            if given:
                raise PgError(f"COPY {name} requires CSV mode", sqlstate="0A000")
    options.quote = options.quote or '"'
    options.escape = options.escape or options.quote
    for name, value in (("quote", options.quote), ("escape", options.escape)):
        if len(value.encode()) != 1:
            raise PgError(f"COPY {name} {single}", sqlstate="0A000")
    if csv and options.delimiter == options.quote:
        raise PgError("COPY delimiter and quote must be different", sqlstate="22023")
    if options.delimiter in options.null:
        raise PgError("COPY delimiter character must not appear in the NULL specification", sqlstate="0A000")
    return options


def _binary(data: bytes) -> bytearray:
    """A DataRow is a row of binary COPY as it is; only the message has another name."""
    turned = bytearray(data)
    at, end = 0, len(turned)
    unpack = _SIZE.unpack_from
    while at < end:
        turned[at] = 100
        at += 1 + unpack(turned, at + 1)[0]
    return turned


_SPECIAL = {8: b"\\b", 9: b"\\t", 10: b"\\n", 11: b"\\v", 12: b"\\f", 13: b"\\r", 92: b"\\\\"}


def _header(options: Options, fields: tuple[Field, ...]) -> bytes:
    write = _csv(options, forced=False, alone=len(fields) == 1) if options.form == "csv" else _text(options)
    line = str(options.delimiter).encode().join(write(field.name.encode()) for field in fields)
    return messages.copy_data(line + b"\n")


def _lines(options: Options, fields: tuple[Field, ...]) -> Callable[[bytes], bytearray]:
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

    def lines(data: bytes) -> bytearray:
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

    return lines


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
