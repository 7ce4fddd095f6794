"""Databases that are added, changed, removed and spoiled while they are read."""

import asyncio
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from starlette.testclient import TestClient

from ingot.api import create_app, live
from ingot.errors import IngotError
from ingot.pgwire.errors import PgError
from ingot.pgwire.federation import Federation
from ingot.pgwire.federation_shown import DatabaseTables
from ingot.project import load
from ingot.project.loading import databases
from ingot.semantic.sql.errors import SqlError
from tests.pgwire.lake.shop import Shop, opened

TILL = "connector: sqlite\npath: ../till.db\nattach: true\n"


def database(path: Path, *names: str) -> None:
    """A SQLite file with one table of these names, in place of the one that is there."""
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as con:
        con.execute("CREATE TABLE people (name text)")
        con.executemany("INSERT INTO people VALUES (?)", [(one,) for one in names])
    con.close()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    database(tmp_path / "till.db", "ann", "bob")
    database(tmp_path / "other.db", "cid")
    with opened(tmp_path / "shop", {"till": TILL}) as made:
        yield made


def federation(shop: Shop) -> Federation:
    found = shop.reader.federation
    assert found is not None
    return found


def attached(shop: Shop, folder: Path) -> bool:
    """Takes what the files say now, as `ingot serve` does."""
    return federation(shop).attach(databases(folder / "shop", "dev"))


def refused(shop: Shop, sql: str, sqlstate: str) -> IngotError:
    with pytest.raises(IngotError) as caught:
        shop.ask(sql)
    assert getattr(caught.value, "sqlstate", None) == sqlstate, caught.value
    return caught.value


def test_a_new_file_is_a_new_catalog_and_a_removed_one_is_none(shop: Shop, tmp_path: Path) -> None:
    sources = tmp_path / "shop" / "sources"
    assert not attached(shop, tmp_path), "nothing has changed"
    (sources / "shed.yml").write_text(TILL.replace("till.db", "other.db"))
    assert attached(shop, tmp_path)
    assert shop.ask("SELECT t.name, s.name FROM till.people t, shed.people s ORDER BY 1") == [
        ("ann", "cid"),
        ("bob", "cid"),
    ]
    assert shop.ask("SHOW CATALOGS") == [("lake",), ("model",), ("shed",), ("till",)]
    (sources / "till.yml").unlink()
    assert attached(shop, tmp_path)
    assert shop.ask("SELECT name FROM shed.people") == [("cid",)]
    error = refused(shop, "SELECT name FROM till.main.people", "3D000")
    assert "attach: true" in str(error.hint)
    (sources / "till.yml").write_text(TILL.replace("attach: true", "attach: false"))
    assert not attached(shop, tmp_path)


def test_a_changed_file_is_read_and_what_was_prepared_before_follows(shop: Shop, tmp_path: Path) -> None:
    async def ask() -> list[Any]:
        source = shop.source()
        statement = await source.prepare("SELECT count(*) FROM till.people")
        found = []
        for path in ("till.db", "other.db"):
            (tmp_path / "shop" / "sources" / "till.yml").write_text(TILL.replace("till.db", path))
            attached(shop, tmp_path)
            rows = await statement.run((), ())
            chunk = await rows.fetch(0)
            assert chunk is not None
            found.append(bytes(chunk.data)[-1:])
            await rows.close()
        (tmp_path / "shop" / "sources" / "till.yml").unlink()
        attached(shop, tmp_path)
        with pytest.raises(SqlError) as caught:
            await statement.run((), ())
        assert caught.value.sqlstate == "42P01"
        return found

    assert asyncio.run(ask()) == [b"2", b"1"]


def test_a_prepared_statement_says_that_its_columns_are_others_now(shop: Shop, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "other.db") as con:
        con.execute("DROP TABLE people")
        con.execute("CREATE TABLE people (name integer)")
    con.close()

    async def ask() -> None:
        statement = await shop.source().prepare("SELECT name FROM till.people")
        (tmp_path / "shop" / "sources" / "till.yml").write_text(TILL.replace("till.db", "other.db"))
        attached(shop, tmp_path)
        with pytest.raises(PgError, match="must not change result type"):
            await statement.run((), ())

    asyncio.run(ask())


def test_a_statement_under_way_ends_on_what_it_began_with(shop: Shop, tmp_path: Path) -> None:
    attached_ = federation(shop)
    with attached_.session(frozenset({"till"})) as cursor:
        (tmp_path / "shop" / "sources" / "till.yml").unlink()
        assert attached(shop, tmp_path)
        assert cursor.execute("SELECT count(*) FROM till.main.people").fetchall() == [(2,)]
    assert not attached_._attached._idle, "nobody has it after that"
    assert not attached_._attached._used


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (TILL + "pasword: x\n", "pasword"),
        ("connector: sqlite\nattach: true\n", "needs 'path'"),
        ("{", "till.yml"),
        ("connector: postgres\nurl: ${NOT_SET}\nattach: true\n", "NOT_SET"),
    ],
)
def test_a_wrong_file_is_an_error_of_the_statements_that_name_it(
    shop: Shop, tmp_path: Path, text: str, said: str
) -> None:
    sources = tmp_path / "shop" / "sources"
    (sources / "shed.yml").write_text(TILL.replace("till.db", "other.db"))
    (sources / "till.yml").write_text(text)
    assert attached(shop, tmp_path)
    for sql in (
        "SELECT * FROM till.people",
        'SELECT * FROM "till.main".people',
        "SELECT * FROM shed.people, TILL.main.people",
    ):
        error = refused(shop, sql, "F0000")
        assert error.message == 'the database "till" cannot be read: its file has 1 mistake'
        assert said in str(getattr(error, "detail", None))
    assert shop.ask("SELECT name FROM shed.people") == [("cid",)]
    assert shop.ask("SELECT count(*) FROM gold.orders") == [("5",)]
    (sources / "till.yml").write_text(TILL)
    assert attached(shop, tmp_path)
    assert shop.ask("SELECT count(*) FROM till.people") == [("2",)]


def test_mistakes_are_not_shown_where_people_log_in(tmp_path: Path) -> None:
    with opened(tmp_path / "shop") as shop:
        (tmp_path / "shop" / "sources" / "till.yml").write_text("connector: sqlite\nattach: true\n")
        found = federation(shop)
        found._is_open_to_all = False
        found.attach(databases(tmp_path / "shop", "dev"))
        assert getattr(refused(shop, "SELECT * FROM till.people", "F0000"), "detail", None) is None


def test_the_catalog_lists_what_there_is_now(shop: Shop, tmp_path: Path) -> None:
    tables = DatabaseTables(federation(shop))
    tables.list()
    assert [one.schema for one in tables.tables] == ["till.main"]
    (tmp_path / "shop" / "sources" / "till.yml").rename(tmp_path / "shop" / "sources" / "shed.yml")
    assert attached(shop, tmp_path)
    tables.look()  # at once, and not after a minute
    until = time.monotonic() + 10
    while [one.schema for one in tables.tables] != ["shed.main"]:
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.mark.slow
def test_a_server_takes_them_over_while_the_model_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(live, "EVERY", 0.05)
    monkeypatch.setattr(live, "SETTLED", 0.01)
    database(tmp_path / "till.db", "ann", "bob")
    folder = tmp_path / "shop"
    (folder / "sources").mkdir(parents=True)
    (folder / "semantic").mkdir()
    (folder / "ingot.yml").write_text("name: shop\n")

    def until(holds: Callable[[], bool]) -> None:
        end = time.monotonic() + 10
        while not holds():
            assert time.monotonic() < end
            time.sleep(0.05)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        app = create_app(load(folder), local=True, watch=True, sql_listener=listener)
        with (
            TestClient(app),
            psycopg.connect(
                f"host=127.0.0.1 port={listener.getsockname()[1]} user=ann dbname=shop", autocommit=True
            ) as con,
        ):

            def catalogs() -> list[str]:
                return [one for (one,) in con.execute("SHOW CATALOGS").fetchall()]

            assert catalogs() == ["lake", "model"]
            (folder / "semantic" / "wrong.yml").write_text("cubes: [{name: 1}]\n")
            (folder / "sources" / "till.yml").write_text(TILL)
            until(lambda: catalogs() == ["lake", "model", "till"])
            assert con.execute("SELECT count(*) FROM till.people").fetchone() == (2,)
            (folder / "sources" / "till.yml").write_text(TILL.replace("path", "pth"))
            until(lambda: catalogs() == ["lake", "model"])
            with pytest.raises(psycopg.Error) as caught:
                con.execute("SELECT * FROM till.people")
            assert caught.value.sqlstate == "F0000"
            assert "pth" in str(caught.value.diag.message_detail)
    said = capsys.readouterr().err
    assert "databases  read anew: till\n" in said
    assert "databases  read anew: none\n" in said
    assert "model  kept as it was" in said
