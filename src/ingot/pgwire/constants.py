"""What a session says of itself beside cubes and tables: `current_user`, `current_setting('x')`, `version()`, …

The catalog answers these, which knows the session. Here they are written into a statement as values, so that who
answers it needs nothing of the session, and equal texts of different sessions are different statements.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from struct import unpack_from
from typing import TYPE_CHECKING

from ingot.errors import IngotError
from ingot.pgwire.commands.scanning import Kind, Token, tokens
from ingot.pgwire.errors import PgError
from ingot.pgwire.ports import Field, Rows, Statement, Value
from ingot.pgwire.shape import LONGEST
from ingot.semantic.sql.errors import SqlError

if TYPE_CHECKING:
    from ingot.pgwire.catalog.ports import CatalogSource

_WORDS = {
    "current_user": "name", "session_user": "name", "user": "name", "current_role": "name",
    "current_catalog": "name", "current_schema": "name",
}  # fmt: skip
_CALLS = {
    "current_database": "name", "current_schema": "name", "version": "text",
    "current_setting": "text",
}  # fmt: skip
_BEFORE = frozenset({"select", ",", "distinct", "all"})
_BEHIND = frozenset(
    {",", ")", ";", "from", "where", "group", "having", "order", "limit", "offset", "fetch", "union", "except", "intersect"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Constant:
    """One of them in a text."""

    said: str
    """As it is asked of the catalog."""
    type: str
    start: int
    end: int
    name: str = ""
    """What the column is called that it is alone; empty where it is none, or has a name."""


async def constants_of(text: str) -> tuple[Constant, ...]:
    """As `constants`, in a thread where the text is long, so that nobody else waits for it."""
    return tuple(constants(text) if len(text) <= LONGEST else await asyncio.to_thread(constants, text))


def constants(text: str) -> list[Constant]:
    """All of them in a text. Raises `PgError` 42601 for a string, name or comment that does not end."""
    lowered = text.lower()
    if not any(word in lowered for word in ("current_", "user", "version")):
        return []
    found = tokens(text)
    lists = [False]
    """Whether the columns of a SELECT stand between these brackets."""
    made: list[Constant] = []
    for at, token in enumerate(found):
        if token.kind is Kind.SYMBOL:
            if token.value == "(":
                lists.append(False)
            elif token.value == ")" and len(lists) > 1:
                lists.pop()
        elif token.kind is Kind.WORD:
            if token.value == "select":
                lists[-1] = True
            elif token.value in _BEHIND:
                lists[-1] = False
            one = _constant(text, found, at)
            if one is not None:
                made.append(_called(one, found, at, in_list=lists[-1]))
    return made


def _constant(text: str, found: list[Token], at: int) -> Constant | None:  # noqa: PLR0911 - one for each form
    token = found[at]
    begin = token.start
    if _value(found, at - 1) == ".":
        if _value(found, at - 2) != "pg_catalog" or _value(found, at - 3) == ".":
            return None
        begin = found[at - 2].start
    elif _value(found, at - 1) == "as":
        return None
    behind = _value(found, at + 1)
    if behind == "(" and token.value in _CALLS:
        given = found[at + 2 : at + 8]
        end = next((n for n, one in enumerate(given) if one.value == ")" and one.kind is Kind.SYMBOL), None)
        if end is None or any(one.kind in (Kind.PARAMETER, Kind.NAME) for one in given[:end]):
            return None
        if (token.value == "current_setting") != bool(end):
            return None
        last = given[end].end
        return Constant(text[begin:last], _CALLS[token.value], begin, last)
    if begin == token.start and token.value in _WORDS and behind not in ("(", "."):
        return Constant(token.value, _WORDS[token.value], begin, token.end)
    return None


def _called(one: Constant, found: list[Token], at: int, *, in_list: bool) -> Constant:
    """With its name, where it is a column alone."""
    first = next(n for n in range(at, -1, -1) if found[n].start <= one.start)
    last = next(n for n in range(len(found) - 1, -1, -1) if found[n].end <= one.end)
    before, behind = _value(found, first - 1), _value(found, last + 1)
    alone = in_list and before in _BEFORE and (behind in _BEHIND or last + 1 == len(found))
    return Constant(one.said, one.type, one.start, one.end, found[at].value if alone else "")


def _value(found: list[Token], at: int) -> str:
    """A word or sign; nothing for what is quoted, and outside of the text."""
    if not 0 <= at < len(found) or found[at].kind not in (Kind.WORD, Kind.SYMBOL):
        return ""
    return found[at].value


def written(text: str, found: Sequence[Constant], values: Sequence[str | None]) -> str:
    """A text with values in the places of its constants."""
    made, at = [], 0
    for one, value in zip(found, values, strict=True):
        said = "NULL" if value is None else "'" + value.replace("'", "''") + "'"
        if value is not None and "\\" in value:
            said = "E" + said.replace("\\", "\\\\")
        name = f' AS "{one.name}"' if one.name else ""
        made += [text[at : one.start], f"CAST({said} AS {one.type}){name}"]
        at = one.end
    return "".join([*made, text[at:]])


Prepare = Callable[[str], Awaitable[Statement]]


@dataclass(frozen=True, slots=True)
class Said:
    """A text with constants, who knows these, and what prepares the text that has their values."""

    text: str
    found: tuple[Constant, ...]
    catalog: "CatalogSource"
    prepare: Prepare

    async def prepared(self) -> Statement:
        """The statement. Raises `IngotError`."""
        values = await _asked(self.found, self.catalog)
        return WithConstants(self, values, await self.placed(values))

    async def placed(self, values: tuple[str | None, ...]) -> Statement:
        """The statement with these values. Raises `IngotError`, whose place is one in the text."""
        try:
            return await self.prepare(written(self.text, self.found, values))
        except IngotError as error:
            if isinstance(error, PgError | SqlError) and error.position is not None:
                error.position = _place(error.position, self.found, values)
            raise


class WithConstants:
    """A checked statement; see `ports.Statement`. What its constants are is asked before each run."""

    def __init__(self, said: Said, values: tuple[str | None, ...], made: Statement) -> None:
        self._said = said
        self._values = values
        self._made = made

    @property
    def parameters(self) -> tuple[int, ...]:
        """See `Statement.parameters`."""
        return self._made.parameters

    @property
    def fields(self) -> tuple[Field, ...] | None:
        """See `Statement.fields`."""
        return self._made.fields

    async def run(self, values: Sequence[Value], formats: Sequence[int]) -> Rows:
        """See `Statement.run`."""
        now = await _asked(self._said.found, self._said.catalog)
        if now != self._values:
            self._made = await self._said.placed(now)
            self._values = now
        return await self._made.run(values, formats)


def _place(position: int, found: Sequence[Constant], values: tuple[str | None, ...]) -> int:
    """Where in the text it stands that stands at `position` once the values are written."""
    moved = 0
    for one, value in zip(found, values, strict=True):
        longer = len(written(one.said, [_alone(one)], [value])) - (one.end - one.start)
        if position - 1 - moved < one.start:
            break
        if position - 1 - moved < one.end + longer:
            return one.start + 1
        moved += longer
    return position - moved


def _alone(one: Constant) -> Constant:
    return Constant(one.said, one.type, 0, len(one.said), one.name)


async def _asked(found: Sequence[Constant], catalog: "CatalogSource") -> tuple[str | None, ...]:
    """The values of constants, as texts. Raises what the catalog raises, as for a setting that is not there."""
    asked = list(dict.fromkeys(one.said for one in found))
    items = ", ".join(f"CAST({said} AS text)" for said in asked)
    statement = await catalog.prepare(f"SELECT {items}")
    rows = await statement.run((), ())
    try:
        chunk = await rows.fetch(0)
    finally:
        await rows.close()
    row = _texts(bytes(chunk.data)) if chunk is not None else []
    known = dict(zip(asked, row, strict=True))
    return tuple(known[one.said] for one in found)


def _texts(message: bytes) -> list[str | None]:
    """The values of a DataRow message."""
    (count,) = unpack_from(">h", message, 5)
    at, made = 7, []
    for _ in range(count):
        (size,) = unpack_from(">i", message, at)
        at += 4
        made.append(None if size < 0 else message[at : at + size].decode())
        at += max(size, 0)
    return made
