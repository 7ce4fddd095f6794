"""The seam between the protocol and what answers: a statement goes in, encoded rows come out.

The protocol side (`session`) owns portals, cursors, transactions and formats; a `Source` owns one kind of
statement: the shadow catalog, the semantic model, the tables of the lake.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ingot.semantic.context import Context

TEXT, BINARY = 0, 1
"""Formats of a value on the wire."""


def _unheard(_fields: Mapping[str, str]) -> None:
    """Nobody is told."""


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """Who is connected, to what."""

    user: str
    database: str
    """As the client wrote it: `project` or `project@ref`."""
    ref: str
    """What is read: the part behind `@`, the default branch without one, or what `SET ingot.ref` says."""
    context: Context
    lake: bool
    """Whether this user may read tables of the lake."""
    settings: Mapping[str, str]
    """What SET has set (`timezone`, `search_path`, …), names in lower case. It is live: read it at each use."""
    notice: Callable[[Mapping[str, str]], None] = field(default=_unheard, repr=False, compare=False)
    """Tells the client something beside the answer: the fields of a NoticeResponse. From any thread."""
    warned: set[str] = field(default_factory=set, repr=False, compare=False)
    """What the client was warned of, which is said once a session."""


@dataclass(frozen=True, slots=True)
class Field:
    """A column as RowDescription tells it."""

    name: str
    oid: int
    """The type, by its OID in PostgreSQL."""
    modifier: int = -1
    """Of `numeric(p, s)`: `((p << 16) | s) + 4`; -1 for none."""
    table: int = field(default=0, compare=False)
    """The OID of the table whose column it is as it stands; 0 for anything else."""
    number: int = field(default=0, compare=False)
    """Which column of that table it is, from 1."""


@dataclass(frozen=True, slots=True)
class Value:
    """A parameter as the client sent it; `raw` None is NULL."""

    raw: bytes | None
    format: int = TEXT


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows: whole DataRow messages in one buffer, and how many they are."""

    data: bytes | bytearray | memoryview
    rows: int


class Rows(Protocol):
    """A statement under way. Not safe to use from several tasks."""

    @property
    def fields(self) -> tuple[Field, ...]:
        """The columns, known before a row is there."""

    async def fetch(self, most: int) -> Chunk | None:
        """The next rows, at most `most` of them (0: as many as are handy); None after the last.

        Raises `IngotError`; the statement is over then.
        """

    async def close(self) -> None:
        """Stops what still runs. Harmless where it has ended."""


class Statement(Protocol):
    """A statement that was parsed and checked."""

    @property
    def parameters(self) -> tuple[int, ...]:
        """The type of `$1`, `$2`, …"""

    @property
    def fields(self) -> tuple[Field, ...] | None:
        """The columns; None where it gives no rows."""

    async def run(self, values: Sequence[Value], formats: Sequence[int]) -> Rows:
        """Its rows for these values. `formats`: none (all text), one for all columns, or one a column.

        Raises `IngotError`.
        """


class Source(Protocol):
    """Answers one kind of statement for one session."""

    async def prepare(self, text: str, parameters: Sequence[int] = ()) -> Statement:
        """One statement, ready to run. `parameters`: types that the client gives; 0 where it leaves one open.

        Raises `IngotError`, best a `PgError` with SQLSTATE and position.
        """

    def cancel(self) -> None:
        """Stops what runs now, which then raises `57014`. Never waits."""

    async def close(self) -> None:
        """Gives everything back."""


class Opener(Protocol):
    """Gives each session its source."""

    def __call__(self, info: SessionInfo, /) -> Source:
        """The source of one session. It opens nothing that takes time; that waits for the first statement.

        Raises `IngotError` where the ref is not there.
        """
