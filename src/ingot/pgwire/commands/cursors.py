"""DECLARE, FETCH, MOVE and CLOSE."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ingot.pgwire.commands.command import Plain, Words
from ingot.pgwire.commands.scanning import Kind
from ingot.pgwire.commands.transactions import NO_TRANSACTION
from ingot.pgwire.errors import PgError
from ingot.pgwire.portals import Answer, Portal, Prepared
from ingot.pgwire.ports import Chunk, Field
from ingot.pgwire.scrolling import ALL, Reading

if TYPE_CHECKING:
    from ingot.pgwire.session import Session


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
        await session.runnable(portal)
        inner = portal.prepared
        query = Prepared(inner.text, inner.offset, "SELECT", None, inner.given, inner.statement, inner.source)
        session.portals[self.name] = Portal(
            self.name,
            query,
            portal.values,
            (1,) if self.binary else (),
            hold=self.hold,
            level=session.transaction.level,
            reads="to and fro" if self.scroll else "onwards",
        )
        return Answer(self.tag)


@dataclass
class Fetch(Plain):
    """FETCH and MOVE."""

    cursor: str
    way: str
    """`step`, or where to go first: `absolute`, `relative`."""
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
        reading = await session.read_cursor(cursor, portal.formats)
        portal.formats = cursor.formats
        part = Part(reading, await self._placed(reading))
        if self.tag == "FETCH":
            return Answer(self.tag, part, counted=True)
        moved = 0
        while chunk := await session.fetch(part, 0):
            moved += chunk.rows
        return Answer(f"MOVE {moved}")

    async def _placed(self, reading: Reading) -> int | None:
        """Goes where the rows are read from; gives back how many are read there, None for none."""
        count = self.count
        if self.way == "absolute":
            if count == 0:
                if reading.position:
                    await reading.seek(1)
                return None
            await reading.seek(abs(count), from_end=count < 0)
            return 1
        if self.way == "relative" and count:
            if reading.position + count <= 0:
                await reading.seek(1)
                return None
            await reading.seek(reading.position + count)
            return 1
        return count


@dataclass
class Part:
    """Some rows of a cursor, which stays open behind them."""

    reading: Reading
    left: int | None
    """How many more, backwards where it is negative, the same row where it is 0; None when done."""

    @property
    def fields(self) -> tuple[Field, ...]:
        return self.reading.fields

    async def fetch(self, most: int) -> Chunk | None:
        """The next rows, while the cursor has some and the count is not reached."""
        if self.left is None:
            return None
        chunk = await self.reading.step(self.left, most)
        if chunk is None or self.left == 0:
            self.left = None
        elif abs(self.left) != ALL:
            self.left -= chunk.rows if self.left > 0 else -chunk.rows
            self.left = self.left or None
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
    way, count = "step", 1
    if _is_way(words) and words.word("prior"):
        count = -1
    elif _is_way(words) and words.word("all"):
        count = ALL
    elif words.word("forward") or _is_number(words):
        count = _count(words)
    elif _is_way(words) and (named := words.word("backward", "absolute", "relative", "first", "last")):
        if named == "backward":
            count = -_count(words)
        elif named in ("first", "last"):
            way, count = "absolute", 1 if named == "first" else -1
        else:
            way, count = named, _count(words)
    else:
        words.word("next")
    words.word("from", "in")
    name = words.name()
    words.end()
    return Fetch(name, way, count, first.upper())


def _is_number(words: Words) -> bool:
    token = words.next
    return token is not None and token.kind in (Kind.NUMBER, Kind.SYMBOL)


def _is_way(words: Words) -> bool:
    """Whether the next word is no cursor's name: something follows it."""
    return words.ahead(1) is not None


def _count(words: Words) -> int:
    if words.word("all"):
        return ALL
    sign = -1 if words.symbol("-") else 1
    words.symbol("+")
    token = words.next
    if token is None or token.kind is not Kind.NUMBER:
        return 1
    if not token.value.isdigit():
        raise words.wrong()
    words.take(Kind.NUMBER)
    return sign * int(token.value)


def close(words: Words) -> Close:
    """CLOSE, behind its first word."""
    name = None if words.word("all") else words.name()
    words.end()
    return Close(name)
