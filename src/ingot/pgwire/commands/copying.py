"""COPY (query) TO STDOUT and COPY table TO STDOUT, in text, csv and binary."""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingot.pgwire import messages
from ingot.pgwire.commands.command import Plain, Words
from ingot.pgwire.commands.copy_rows import SIGNATURE, Options, begin, binary, header, lines
from ingot.pgwire.commands.scanning import Kind
from ingot.pgwire.errors import PgError
from ingot.pgwire.portals import Answer, Portal
from ingot.pgwire.ports import BINARY, TEXT

if TYPE_CHECKING:
    from ingot.pgwire.session import Session

LARGE = 4096
"""Rows from which on lines are made in a thread."""


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
        is_binary = self.options.form == "binary"
        rows = await statement.run(portal.values, (BINARY if is_binary else TEXT,))
        wire = session.wire
        turn = binary if is_binary else lines(self.options, rows.fields)
        # PostgreSQL sends a binary copy's head in one message with its first row, and clients expect it there.
        head = SIGNATURE if is_binary else b""
        count = 0
        try:
            wire.put(messages.copy_out(int(is_binary), len(rows.fields)))
            if self.options.header:
                wire.put(header(self.options, rows.fields))
            while (chunk := await session.fetch(rows, 0)) is not None:
                if chunk.rows > LARGE:
                    data = await asyncio.get_running_loop().run_in_executor(None, turn, bytes(chunk.data))
                else:
                    data = turn(bytes(chunk.data))
                if head and chunk.rows:
                    begin(data, head)
                    head = b""
                await wire.rows(data)
                count += chunk.rows
            if is_binary:
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
