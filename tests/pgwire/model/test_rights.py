"""Statements that were prepared before their user got other rights."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]
import pytest

from ingot.pgwire.connection import Connection
from ingot.pgwire.login import Login
from ingot.pgwire.server import Server
from ingot.pgwire.sources import Sources
from tests.pgwire.answering import Running
from tests.pgwire.model.store import BOSS, CLERK, Store, store


class Changing(Login):
    """Somebody whose rights are what the test says."""

    @property
    def is_stale(self) -> bool:
        return self.context != self.now

    async def look(self) -> None:
        self.context = self.now

    now = BOSS


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Store]:
    with store(tmp_path, orders=60, policies=True) as made:
        yield made


@pytest.fixture
def who() -> Changing:
    return Changing(BOSS)


@pytest.fixture
def server(shop: Store, who: Changing) -> Iterator[Running]:
    async def known(connection: Connection, user: str, database: str) -> Login:
        return who

    sources = Sources(shop.service)
    running = Running(Server("shop", sources, authenticate=known))
    try:
        yield running
    finally:
        running.stop()
        sources.close()


def during(server: Running, work: Callable[[Any], Awaitable[None]]) -> None:
    """Runs it with a client that goes by the description that it got when it prepared a statement."""

    async def run() -> None:
        where = {"host": "127.0.0.1", "port": server.port, "user": "ann", "database": "shop"}
        con = await asyncpg.connect(**where, ssl=False)
        try:
            await work(con)
        finally:
            await con.close()

    asyncio.run(run())


def test_a_prepared_statement_gives_the_rows_of_the_new_rights(
    server: Running, who: Changing, shop: Store
) -> None:
    async def ask(con: Any) -> None:
        statement = await con.prepare("SELECT count(*) FROM orders WHERE amount > $1")
        for context, where in ((BOSS, ""), (CLERK, " AND status = 'new'"), (BOSS, "")):
            who.now = context
            ((count,),) = shop.raw(f"SELECT count(*) FROM orders WHERE amount > 20{where}")
            assert await statement.fetchval(20) == count

    during(server, ask)


def test_columns_that_were_told_do_not_become_others(server: Running, who: Changing) -> None:
    """A client that goes by the description would read one column for another."""

    async def ask(con: Any) -> None:
        statement = await con.prepare("SELECT * FROM orders LIMIT 1")
        assert len(await statement.fetch()) == 1
        told = len(statement.get_attributes())
        who.now = CLERK
        with pytest.raises(asyncpg.InvalidCachedStatementError):
            await statement.fetch()
        # What the driver has prepared by itself it prepares again.
        who.now = BOSS
        assert len((await con.fetch("SELECT * FROM orders LIMIT 1"))[0]) == told
        who.now = CLERK
        assert len((await con.fetch("SELECT * FROM orders LIMIT 1"))[0]) < told
        again = await con.prepare("SELECT * FROM orders LIMIT 1")
        assert len(await again.fetch()) == 1
        assert len(again.get_attributes()) < told

    during(server, ask)


def test_what_is_hidden_now_is_not_there_for_what_was_prepared(server: Running, who: Changing) -> None:
    async def ask(con: Any) -> None:
        statement = await con.prepare("SELECT count(*) FROM salaries")
        who.now = CLERK
        with pytest.raises(asyncpg.UndefinedTableError):
            await statement.fetch()
        who.now = BOSS
        assert await statement.fetchval() == 40

    during(server, ask)
