"""The SQL port over a service of a test, in a thread; users are known by their names."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from ingot.pgwire.connection import Connection
from ingot.pgwire.lake_source import LakeReader
from ingot.pgwire.login import Login
from ingot.pgwire.server import Limits, Server
from ingot.pgwire.sources import Sources
from ingot.semantic import Service
from ingot.semantic.context import ANYONE, Context
from tests.pgwire.answering import Running


@contextmanager
def serving(
    service: Service,
    users: Mapping[str, Context] | None = None,
    limits: Limits | None = None,
    *,
    tables: LakeReader | None = None,
    may_read_lake: Callable[[Context], bool] = lambda _: True,
) -> Iterator[Running]:
    """A server for project `shop`; `users` have the contexts of their names, `tables` are there beside the model."""
    known = users or {}

    async def known_user(connection: Connection, user: str, database: str) -> Login:
        return Login(known.get(user, ANYONE))

    sources = Sources(service, tables=tables)
    server = Server("shop", sources, authenticate=known_user, may_read_lake=may_read_lake, limits=limits)
    running = Running(server)
    try:
        yield running
    finally:
        running.stop()
        sources.close()
