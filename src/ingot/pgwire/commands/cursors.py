"""DECLARE, FETCH, MOVE and CLOSE."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ingot.pgwire.commands.command import Plain, Words
from ingot.pgwire.commands.scanning import Kind
from ingot.pgwire.commands.transactions import NO_TRANSACTION
from ingot.pgwire.errors import PgError
from ingot.pgwire.portals import Answer, Portal
from ingot.pgwire.ports import Chunk, Field, Rows

if TYPE_CHECKING:
    from ingot.pgwire.session import Session

ALL = -1


@dataclass
class Declare(Plain):
    """DECLARE … CURSOR FOR a query."""

    name: str
    inner: tuple[str, int]
    binary: bool
    scroll: bool
    hold: bool
    tag: str = "DECLARE CURSOR"

    @property
    def query(self) -> tuple[str, int]:
        return self.inner

    async def run(self, session: "Session", portal: Portal) -> Answer:
        if not self.hold and not session.transaction.is_block:
            raise PgError("DECLARE CURSOR can only be used in transaction blocks", sqlstate=NO_TRANSACTION)
        if self.name in session.portals:
            raise PgError(f'cursor "{self.name}" already exists', sqlstate="42P03")
        session.portals[self.name] = Portal(
            self.name,
            portal.prepared,
            portal.values,
            (1,) if self.binary else (),
            hold=self.hold,
            level=session.transaction.level,
            is_cursor=True,
        )
        return Answer(self.tag)


@dataclass
class Fetch(Plain):
    """FETCH and MOVE."""

    cursor: str
    count: int
    tag: str

    def fields(self, session: "Session") -> tuple[Field, ...] | None:
        portal = session.portals.get(self.cursor)
        if self.tag == "MOVE" or portal is None or portal.prepared.statement is None:
            return None
        return portal.prepared.statement.fields

    async def run(self, session: "Session", portal: Portal) -> Answer:
        cursor = session.portals.get(self.cursor)
        if cursor is None:
            raise PgError(f'cursor "{self.cursor}" does not exist', sqlstate="34000")
        rows = await session.opened(cursor, portal.formats)
        portal.formats = cursor.formats
        part = Part(rows, cursor, self.count)
        if self.tag == "FETCH":
            return Answer(self.tag, part, counted=True)
        moved = 0
        while chunk := await part.fetch(0):
            moved += chunk.rows
        return Answer(f"MOVE {moved}")


@dataclass
class Part:
    """Some rows of a cursor, which stays open behind them."""

    rows: Rows
    cursor: Portal
    left: int

    @property
    def fields(self) -> tuple[Field, ...]:
        return self.rows.fields

    async def fetch(self, most: int) -> Chunk | None:
        """The next rows, while the cursor has some and the count is not reached."""
        if self.left == 0 or self.cursor.at_end:
            return None
        wanted = most if self.left == ALL else min(most, self.left) if most else self.left
        chunk = await self.rows.fetch(wanted)
        if chunk is None:
            self.cursor.at_end = True
        elif self.left != ALL:
            self.left -= chunk.rows
        return chunk

    async def close(self) -> None:
        """The cursor stays open."""


@dataclass
class Close(Plain):
    """CLOSE of one cursor, or of all."""

    name: str | None
    tag: str = field(default="CLOSE CURSOR")

    async def run(self, session: "Session", portal: Portal) -> Answer:
        if self.name is None:
            for name in [each.name for each in session.portals.values() if each is not portal]:
                await session.close_portal(name)
            return Answer("CLOSE CURSOR ALL")
        if self.name not in session.portals:
            raise PgError(f'cursor "{self.name}" does not exist', sqlstate="34000")
        await session.close_portal(self.name)
        return Answer(self.tag)


def declare(words: Words) -> Declare:
    """DECLARE, behind its first word."""
    name = words.name()
    binary = scroll = hold = False
    while option := words.word("binary", "asensitive", "insensitive", "scroll", "no"):
        if option == "no":
            words.expect("scroll")
        binary = binary or option == "binary"
        scroll = scroll or option == "scroll"
    words.expect("cursor")
    if words.word("with"):
        words.expect("hold")
        hold = True
    elif words.word("without"):
        words.expect("hold")
    words.expect("for")
    return Declare(name, words.rest(), binary, scroll, hold)


def fetch(words: Words, first: str) -> Fetch:
    """FETCH or MOVE, behind the first word."""
    count = 1
    if words.word("next"):
        pass
    elif words.word("all"):
        count = ALL
    elif words.word("forward") or _is_number(words):
        count = _count(words, 1)
    elif (
        (token := words.next) is not None
        and token.kind is Kind.WORD
        and token.value in _BACK
        and words.ahead(1) is not None
    ):
        raise _forward_only()
    words.word("from", "in")
    name = words.name()
    words.end()
    return Fetch(name, count, first.upper())


def _is_number(words: Words) -> bool:
    token = words.next
    return token is not None and token.kind in (Kind.NUMBER, Kind.SYMBOL)


_BACK = ("prior", "first", "last", "absolute", "relative", "backward")


def _count(words: Words, default: int) -> int:
    if words.word("all"):
        return ALL
    if words.symbol("-"):
        raise _forward_only()
    token = words.next
    if token is None or token.kind is not Kind.NUMBER:
        return default
    words.take(Kind.NUMBER)
    try:
        count = int(token.value)
    except ValueError:
        raise words.wrong() from None
    if count == 0:
        raise _forward_only()
    return count


def _forward_only() -> PgError:
    return PgError("cursor can only scan forward", sqlstate="55000")


def close(words: Words) -> Close:
    """CLOSE, behind its first word."""
    name = None if words.word("all") else words.name()
    words.end()
    return Close(name)
