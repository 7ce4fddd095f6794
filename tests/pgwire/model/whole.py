"""The whole port over a service of a test: its catalog is a real PostgreSQL's, and tables of the lake are there."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ingot.pgwire.catalog.catalogs import Catalogs
from ingot.pgwire.catalog.showing import ProjectShowing
from ingot.pgwire.connection import Connection
from ingot.pgwire.lake_source import LakeReader
from ingot.pgwire.login import Login
from ingot.pgwire.server import Server
from ingot.pgwire.sources import Sources
from ingot.semantic.context import ANYONE, Context
from tests.pgwire.answering import Running


class _Port(Server):
    """A server that starts its catalogs as well."""

    def __init__(self, shop: Any, folder: Path, users: Mapping[str, Context], lake: Context) -> None:
        async def known(connection: Connection, user: str, database: str) -> Login:
            return Login(users.get(user, ANYONE))

        showing = ProjectShowing("shop", shop.service, shop.lake)
        self.catalogs = Catalogs(showing, folder=folder)
        tables = LakeReader(shop.engine, shop.service.states)
        self.sources = Sources(shop.service, catalogs=self.catalogs, tables=tables)
        super().__init__("shop", self.sources, authenticate=known, may_read_lake=lambda who: who == lake)

    async def start(self, listener: socket.socket) -> None:
        await self.catalogs.start()
        await super().start(listener)

    async def stop(self, seconds: float = 0.5) -> None:
        await super().stop(seconds)
        await self.catalogs.stop()
        self.sources.close()


@contextmanager
def whole(
    shop: Any, folder: Path, users: Mapping[str, Context] | None = None, lake: Context = ANYONE
) -> Iterator[Running]:
    """A server for project `shop`, of which `shop` has service, lake and engine; `lake` may read the lake's tables."""
    running = Running(_Port(shop, folder, users or {}, lake))
    try:
        yield running
    finally:
        running.stop()
