"""The SQL port over a service of a test, in a thread; users are known by their names."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from ingot.pgwire.connection import Connection
from ingot.pgwire.login import Login
from ingot.pgwire.server import Limits, Server
from ingot.pgwire.sources import Sources
from ingot.semantic import Service
from ingot.semantic.context import ANYONE, Context
from tests.pgwire.answering import Running


@contextmanager
def serving(
    service: Service, users: Mapping[str, Context] | None = None, limits: Limits | None = None
) -> Iterator[Running]:
    """A server for project `shop`; `users` have the contexts of their names."""
    known = users or {}

    async def known_user(connection: Connection, user: str, database: str) -> Login:
        return Login(known.get(user, ANYONE))

    sources = Sources(service)
    running = Running(Server("shop", sources, authenticate=known_user, limits=limits))
    try:
        yield running
    finally:
        running.stop()
        sources.close()
