"""Prepared statements and portals: what a session has ready to run, and what it is reading."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ingot.pgwire.ports import Chunk, Field, Rows, Source, Statement, Value

if TYPE_CHECKING:
    from ingot.pgwire.commands.command import Command


@dataclass(slots=True)
class Prepared:
    """A statement that was prepared by the client, by PREPARE, or a moment ago."""

    text: str
    """What the source is given: for a command with a query inside (DECLARE, COPY) that query; empty for none."""
    offset: int
    """Characters before it in what the client sent."""
    tag: str
    """What CommandComplete says; for rows, in front of their number."""
    command: "Command | None" = None
    given: tuple[int, ...] = ()
    """The types of parameters that the client has named."""
    statement: Statement | None = None
    source: Source | None = None
    """Who prepared it: after `SET ingot.ref` it has to be prepared again."""
    by_sql: bool = False

    @property
    def parameters(self) -> tuple[int, ...]:
        """The types of its parameters."""
        return self.statement.parameters if self.statement is not None else ()


@dataclass(slots=True)
class Portal:
    """A statement with its values, and the place in its rows."""

    name: str
    prepared: Prepared
    values: Sequence[Value] = ()
    formats: Sequence[int] = ()
    rows: Rows | None = None
    """What is read; None before the first row was asked for."""
    tag: str = ""
    counted: bool = True
    """Whether the tag has the number of rows behind it."""
    at_end: bool = False
    position: int = 0
    """Rows that the protocol has read."""
    hold: bool = False
    """Whether it outlives its transaction."""
    level: int = 0
    """The savepoint at which it was made."""
    reads: Literal["", "onwards", "to and fro"] = ""
    """How DECLARE wants it read; empty where the protocol made it."""
    is_new: bool = True
    """Whether its transaction is still under way."""

    async def close(self) -> None:
        """Stops reading."""
        rows, self.rows = self.rows, None
        self.at_end = True
        if rows is not None:
            await rows.close()


class FixedRows:
    """Rows that are there already, as of SHOW."""

    def __init__(self, fields: tuple[Field, ...], messages: Sequence[bytes]) -> None:
        self._fields = fields
        self._messages = list(messages)

    @property
    def fields(self) -> tuple[Field, ...]:
        return self._fields

    async def fetch(self, most: int) -> Chunk | None:
        """The next of them."""
        if not self._messages:
            return None
        count = most or len(self._messages)
        taken, self._messages = self._messages[:count], self._messages[count:]
        return Chunk(b"".join(taken), len(taken))

    async def close(self) -> None:
        """Nothing runs."""


@dataclass(slots=True)
class Answer:
    """What executing a command gives."""

    tag: str
    rows: Rows | None = None
    counted: bool = False
    """Whether the number of rows is put behind the tag."""
