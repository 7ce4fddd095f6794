"""A shadow PostgreSQL under test: what it shows is up to the test, and coroutines are run where it lives."""

import asyncio
from collections.abc import Coroutine, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from ingot.errors import NotFoundError
from ingot.pgwire.catalog import Catalogs, CatalogSource, Column, Reference, Table
from ingot.pgwire.catalog.backend import texts
from ingot.pgwire.catalog.home import Home
from ingot.pgwire.catalog.place import Place
from ingot.pgwire.ports import SessionInfo, Value
from ingot.semantic.context import Context

T = TypeVar("T")

USERS = Table(
    "public",
    "users",
    (
        Column("id", "bigint", "dimension: Id"),
        Column("city", "text"),
        Column("count", "bigint", "measure: Count"),
    ),
    "Users: who bought",
    ("id",),
)
ORDERS = Table(
    "public",
    "orders",
    (
        Column("id", "bigint", "dimension: Id"),
        Column("user_id", "bigint"),
        Column("status", "text", 'dimension: Status. It\'s what "state" \\ it is in; ünï'),
        Column("created_at", "timestamp"),
        Column("revenue", "numeric(14,2)", "measure: Revenue"),
        Column("large", "boolean", "segment: Large"),
    ),
    "Orders",
    ("id",),
    (Reference(("user_id",), "public", "users", ("id",)),),
)
FACTS = Table(
    "gold",
    "facts",
    (Column("id", "bigint"), Column("tags", "text[]"), Column("at", "timestamp with time zone")),
)
LATEST = Table("gold", "latest", (Column("id", "bigint"),), view=True)


@dataclass
class Shown:
    """What sessions see: by the groups of their context, more for those who may read the lake."""

    groups: dict[str, tuple[Table, ...]] = field(default_factory=lambda: {"": (ORDERS, USERS)})
    lake: tuple[Table, ...] = (FACTS, LATEST)
    names: list[str] = field(default_factory=lambda: ["main", "dev", "v1"])
    project: str = "shop"
    default: str = "main"
    serial: int = 0
    asked: int = 0

    def at_hand(self, info: SessionInfo) -> Hashable | None:
        return (self.serial, info.ref) if info.ref in self.names else None

    def mark(self, info: SessionInfo) -> Hashable:
        if info.ref not in self.names and not info.ref.startswith("c0ffee"):
            raise NotFoundError("ref", info.ref, self.names)
        return self.serial, info.ref

    def tables(self, info: SessionInfo) -> Sequence[Table]:
        self.asked += 1
        group = info.context.groups[0] if info.context.groups else ""
        return self.groups[group] + (self.lake if info.lake else ())

    def refs(self) -> Sequence[str]:
        return list(self.names)

    def show(self, *tables: Table, group: str = "") -> None:
        """From now on these."""
        self.groups[group] = tables
        self.serial += 1


class Shadow:
    """Catalogs under test."""

    def __init__(self, runner: asyncio.Runner, catalogs: Catalogs, shown: Shown) -> None:
        self._runner = runner
        self.catalogs = catalogs
        self.shown = shown

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs a coroutine."""
        return self._runner.run(work)

    def session(
        self,
        user: str = "alice",
        database: str = "shop",
        *,
        group: str = "",
        lake: bool = False,
        settings: dict[str, str] | None = None,
        heard: list[Mapping[str, str]] | None = None,
    ) -> CatalogSource:
        """A session as the protocol side opens it; notices are added to `heard`."""
        ref = database.partition("@")[2] or self.shown.default
        context = Context(groups=(group,) if group else ())
        return self.catalogs.open(
            SessionInfo(
                user,
                database,
                ref,
                context,
                lake,
                settings if settings is not None else {},
                notice=(heard if heard is not None else []).append,
            )
        )

    def rows(self, session: CatalogSource, text: str, *values: str | None) -> list[tuple[str | None, ...]]:
        """The rows of a statement, in text."""
        return self.do(rows(session, text, *values))

    def home(self, user: str = "alice") -> Home:
        """Where a user's sessions are."""
        return next(home for key, home in self.catalogs._homes.items() if key[0] == user)

    @property
    def place(self) -> Place:
        """The folders of what runs."""
        assert self.catalogs._ground is not None
        return self.catalogs._ground.place

    @property
    def psql(self) -> str:
        """PostgreSQL's own psql, of the same version."""
        assert self.catalogs._programs is not None
        return self.catalogs._programs.path("psql")

    def close(self, *sessions: CatalogSource) -> None:
        """Ends sessions."""
        for one in sessions:
            self.do(one.close())


async def rows(session: CatalogSource, text: str, *values: str | None) -> list[tuple[str | None, ...]]:
    """The rows of a statement, in text."""
    statement = await session.prepare(text)
    found = await statement.run([Value(None if one is None else one.encode()) for one in values], ())
    kept: list[tuple[str | None, ...]] = []
    while (chunk := await found.fetch(0)) is not None:
        part = texts(bytes(chunk.data))
        assert len(part) == chunk.rows
        kept += part
    await found.close()
    return kept


@contextmanager
def shadowed(folder: Path, shown: Shown | None = None) -> Iterator[Shadow]:
    """Catalogs that run, and are stopped."""
    shown = shown or Shown()
    with asyncio.Runner() as runner:
        catalogs = Catalogs(shown, folder=folder)
        runner.run(catalogs.start())
        try:
            yield Shadow(runner, catalogs, shown)
        finally:
            runner.run(catalogs.stop())
