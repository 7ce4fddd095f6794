"""Numbers of a PostgreSQL that DuckDB cannot hold exactly: nothing is lost in silence."""

import asyncio
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from ingot.pgwire.errors import PgError
from ingot.pgwire.federation_shown import DatabaseTables
from ingot.pgwire.server import Server
from tests.pgwire.answering import Running
from tests.pgwire.lake.shop import Shop, answered, fetched, opened

pytestmark = pytest.mark.slow

LOSS = "numeric of no precision, read as double precision: digits beyond the 15th are lost, NaN is 0"


@pytest.fixture(scope="module")
def shop(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with psycopg.connect(postgres, autocommit=True) as con:
        con.execute("CREATE SCHEMA numbers")
        con.execute(
            "CREATE TABLE numbers.money (id int, free numeric, cents numeric(12,2), wide numeric(40,2), f float8, "
            'many numeric[], "Odd Name" numeric)'
        )
        con.execute(
            "INSERT INTO numbers.money VALUES (1, 1234567890.123456789, 1.25, 1.5, 0.1, '{1.5}', 2.5), "
            "(2, NULL, NULL, NULL, NULL, NULL, NULL)"
        )
        con.execute(
            "CREATE VIEW numbers.sums AS SELECT sum(cents) AS total, max(id) AS id FROM numbers.money"
        )
        con.execute('CREATE TABLE numbers."UPPER" ("A" numeric)')
        con.execute("CREATE TABLE numbers.rounded_there (a numeric(12,-2), b int)")
    sources = {"crm": "connector: postgres\nurl: ${CRM_URL}\nattach: true\n"}
    folder = tmp_path_factory.mktemp("rounded")
    with opened(folder / "shop", sources, CRM_URL=postgres) as made:
        yield made


def told(shop: Shop, *statements: str) -> list[str]:
    """What one session is warned of."""
    heard: list[Mapping[str, str]] = []
    source = shop.source()
    source.info = replace(source.info, notice=heard.append)

    async def ask() -> None:
        for sql in statements:
            await answered(source, sql)

    asyncio.run(ask())
    assert all(one["S"] == one["V"] == "WARNING" and one["C"] == "01000" and one["H"] for one in heard)
    assert all(one["M"].endswith(f" is a {LOSS}") for one in heard)
    return [one["M"].removesuffix(f" is a {LOSS}").removeprefix("crm.numbers.") for one in heard]


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("SELECT free FROM crm.numbers.money", ["money.free"]),
        ("SELECT id, cents, f FROM crm.numbers.money", []),
        ("SELECT count(*) FROM crm.numbers.money", []),
        ("SELECT * FROM crm.numbers.money", ["money.Odd Name", "money.free", "money.many", "money.wide"]),
        ("SELECT m.* FROM crm.numbers.money m", ["money.Odd Name", "money.free", "money.many", "money.wide"]),
        ("TABLE crm.numbers.sums", ["sums.total"]),
        ("SELECT count(*) FROM crm.numbers.money WHERE wide > 1", ["money.wide"]),
        ('SELECT "Odd Name" FROM "crm.numbers".MONEY', ["money.Odd Name"]),
        ('SELECT "A" FROM crm.numbers."UPPER"', ["UPPER.A"]),
        ("SELECT sum(a.free), sum(b.free) FROM crm.numbers.money a JOIN crm.numbers.money b USING (id)", ["money.free"]),
        ("SELECT 1 FROM crm.numbers.money JOIN crm.numbers.sums ON sums.total = money.cents", ["sums.total"]),
        ("SELECT o.amount FROM gold.orders o JOIN crm.numbers.money USING (id)", []),
        ("SELECT sum(a) FROM (SELECT many[1] AS a FROM crm.numbers.money) t", ["money.many"]),
    ],
)  # fmt: skip
def test_who_reads_such_a_column_is_warned(shop: Shop, sql: str, columns: list[str]) -> None:
    assert sorted(told(shop, sql)) == columns


def test_it_is_said_once_a_session(shop: Shop) -> None:
    one = "SELECT free FROM crm.numbers.money"
    assert told(shop, one, one, "SELECT free, wide FROM crm.numbers.money") == ["money.free", "money.wide"]
    assert told(shop, one) == ["money.free"]


def test_an_explain_tells_it(shop: Shop) -> None:
    lines = [row[0] for row in shop.ask("EXPLAIN SELECT free, cents FROM crm.numbers.money WHERE wide > 2")]
    assert lines[-1] == "Read as double precision: crm.numbers.money.free, crm.numbers.money.wide"
    lines = [row[0] for row in shop.ask("EXPLAIN SELECT cents FROM crm.numbers.money")]
    assert lines[-1] == "Databases: crm"


def test_the_catalog_tells_it(shop: Shop) -> None:
    assert shop.reader.federation is not None
    tables = DatabaseTables(shop.reader.federation)
    tables.list()
    found = {
        f"{table.name}.{one.name}": one.comment
        for table in tables.tables
        for one in table.columns
        if table.schema == "crm.numbers"
    }
    lossy = {name for name, comment in found.items() if comment == f"N{LOSS[1:]}."}
    assert lossy == {"money.Odd Name", "money.free", "money.many", "money.wide", "sums.total", "UPPER.A"}
    assert all(found[name] is None for name in found.keys() - lossy)


def test_a_number_that_would_be_another_one_is_not_read(shop: Shop) -> None:
    """DuckDB reads 1200 of a `numeric(12,-2)` as 1.2E-251."""
    with pytest.raises(PgError, match=r'column "a" of "crm\.numbers\.rounded_there"') as caught:
        shop.ask("SELECT a FROM crm.numbers.rounded_there")
    assert caught.value.sqlstate == "0A000"


def test_a_client_hears_it_before_its_rows(shop: Shop) -> None:
    """Through the protocol: a warning of a thread that plans."""
    server = Running(Server("shop", shop.reader.source))
    try:
        with psycopg.connect(server.dsn, autocommit=True) as con:
            heard: list[Any] = []
            con.add_notice_handler(lambda one: heard.append((threading.get_ident(), one.message_primary)))
            for _ in range(2):
                rows = con.execute("SELECT free, cents FROM crm.numbers.money WHERE id = %s", [1]).fetchall()
                assert [float(row[0]) for row in rows] == [1234567890.1234567]
            assert [said for _, said in heard] == [f"crm.numbers.money.free is a {LOSS}"]
            con.execute("SET client_min_messages = error")
            con.execute("SELECT wide FROM crm.numbers.money")
            assert len(heard) == 1
    finally:
        server.stop()


def test_rows_come_as_ever(shop: Shop) -> None:
    async def ask() -> list[tuple[str | None, ...]]:
        statement = await shop.source().prepare("SELECT id, cents, wide FROM crm.numbers.money ORDER BY id")
        return await fetched(await statement.run((), ()))

    assert asyncio.run(ask()) == [("1", "1.25", "1.5"), ("2", None, None)]
