"""What the catalog needs of others, and what it gives to a session."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ingot.pgwire.catalog.shown import Table
from ingot.pgwire.ports import Field, SessionInfo, Source


class Showing(Protocol):
    """Says what a session may see. Called from several threads."""

    @property
    def project(self) -> str:
        """The name of the database of the default branch."""

    @property
    def default(self) -> str:
        """The default branch."""

    def at_hand(self, info: SessionInfo) -> Hashable | None:
        """`mark` where it is known without waiting, else None. Asked on the event loop before each statement."""

    def mark(self, info: SessionInfo) -> Hashable:
        """Something else whenever `tables` may say something else; cheap.

        Raises `NotFoundError` where the ref is not there.
        """

    def tables(self, info: SessionInfo) -> Sequence[Table]:
        """All tables that this session may see at its ref. May take some milliseconds."""

    def refs(self) -> Sequence[str]:
        """The names of branches and tags, those that are listed as databases."""


@dataclass(frozen=True, slots=True)
class Described:
    """A statement as PostgreSQL understands it: its parameters, its columns (None: it gives no rows)."""

    parameters: tuple[int, ...]
    fields: tuple[Field, ...] | None
    notices: tuple[Mapping[str, str], ...] = ()
    """What it has to say of the statement besides, as of names that are too long."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What SET, RESET or SHOW came to."""

    tag: str
    values: Mapping[str, str] = field(default_factory=dict)
    """What differs from the defaults after it, as SHOW tells it, by names in lower case."""
    reported: Mapping[str, str] = field(default_factory=dict)
    """What clients are to be told in ParameterStatus, by PostgreSQL's own spelling (`TimeZone`)."""
    fields: tuple[Field, ...] = ()
    rows: bytes = b""
    """Of SHOW: its DataRow messages."""


class CatalogSource(Source, Protocol):
    """Answers what is about the catalog, or about nothing, for one session."""

    async def describe(self, text: str, parameters: Sequence[int] = ()) -> Described:
        """A statement's parameters and columns, without running it. Raises `PgError` where PostgreSQL refuses it."""

    async def setting(self, text: str) -> Answer:
        """Runs one SET, RESET or SHOW, which holds for this session from now on. Raises `PgError`."""

    async def parameters(self) -> Mapping[str, str]:
        """What a client is told in ParameterStatus at the start."""
