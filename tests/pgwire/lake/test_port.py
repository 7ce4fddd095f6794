"""Through the port, with a real driver: tables, databases beside them, and what stops them."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from ingot.engines.duckdb import DuckDBEngine
from ingot.lake import Lake
from ingot.pgwire.port import SqlPort
from ingot.project.loading import load
from ingot.semantic import Service
from tests.pgwire.cancelling import until_cancelled
from tests.pgwire.lake.shop import fill, sqlite

pytestmark = pytest.mark.slow


CUBE = """
cubes:
  - name: sales
    sql_table: gold.orders
    dimensions:
      - {name: id, sql: id, type: number, primary_key: true}
      - {name: customer_id, sql: customer_id, type: number}
      - {name: ordered, sql: ordered, type: time}
    measures:
      - {name: total, sql: amount, type: sum}
"""


@pytest.fixture(scope="module")
def port(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where psycopg connects."""
    folder: Path = tmp_path_factory.mktemp("port") / "shop"
    (folder / "sources").mkdir(parents=True)
    sqlite(folder / "till.db")
    (folder / "ingot.yml").write_text("name: shop\n")
    (folder / "semantic").mkdir()
    (folder / "semantic" / "sales.yml").write_text(CUBE)
    (folder / "sources" / "till.yml").write_text("connector: sqlite\npath: till.db\nattach: true\n")
    (folder / "sources" / "crm.yml").write_text("connector: postgres\nurl: ${CRM_URL}\nattach: true\n")
    with psycopg.connect(postgres, autocommit=True) as con:
        con.execute("CREATE OR REPLACE VIEW public.sleepy AS SELECT pg_sleep(30)::text AS slept, 1 AS one")
    project = load(folder, environ={"CRM_URL": postgres})
    with Lake.open(project) as lake:
        fill(lake)
        engine = DuckDBEngine(lake, threads=2)
        service = Service(project, lake, engine)
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, daemon=True)
        thread.start()
        listener = socket.create_server(("127.0.0.1", 0))
        sql = SqlPort(project, service, lake, engine)
        asyncio.run_coroutine_threadsafe(sql.start(listener), loop).result(30)
        try:
            yield f"host=127.0.0.1 port={listener.getsockname()[1]} user=ann"
        finally:
            asyncio.run_coroutine_threadsafe(sql.stop(), loop).result(30)
            loop.call_soon_threadsafe(loop.stop)
            thread.join(10)
            loop.close()
            service.close()
            engine.close()


JOIN = (
    "SELECT g.name, t.name, sum(o.amount) AS total FROM gold.orders o JOIN crm.raw.customers g ON g.id = o.customer_id "
    "JOIN till.customers t ON t.id = g.id WHERE o.qty > %s GROUP BY 1, 2 ORDER BY 1"
)


@pytest.mark.parametrize("binary", [False, True])
def test_a_driver_joins_the_lake_with_databases(port: str, binary: bool) -> None:
    with psycopg.connect(f"{port} dbname=shop") as con, con.cursor(binary=binary) as cursor:
        assert cursor.execute(JOIN, [0]).fetchall() == [("ann", "ann", Decimal("24.90"))]
        assert cursor.execute(JOIN, [-8]).fetchall() == [
            ("ann", "ann", Decimal("24.90")),
            ("bob", "bob", Decimal("100.00")),
        ]
        assert [one.name for one in cursor.description or ()] == ["name", "name", "total"]


def test_refs_and_commands_of_a_session(port: str) -> None:
    with psycopg.connect(f"{port} dbname=shop@dev", autocommit=True) as con:
        assert con.execute("SELECT count(*) FROM gold.orders").fetchone() == (6,)
        con.execute("SET ingot.ref = 'main'")
        assert con.execute("SELECT count(*) FROM gold.orders").fetchone() == (5,)
        assert con.execute("SHOW CATALOGS").fetchall() == [("lake",), ("model",), ("crm",), ("till",)]
        assert con.execute("SHOW TABLES FROM till.main").fetchall()[0] == ("countries",)
        con.execute("SET search_path = raw")
        assert con.execute("SELECT count(*) FROM customers").fetchone() == (3,)
        with pytest.raises(psycopg.errors.UndefinedTable) as wrong:
            con.execute("SELECT * FROM gold.ordrs")
        assert "gold.orders" in str(wrong.value)
        with pytest.raises(psycopg.errors.FeatureNotSupported):
            con.execute("SELECT * FROM till.customers c JOIN pg_class p ON true")
        with con.transaction(), con.cursor("named") as cursor:
            cursor.execute("SELECT id FROM till.orders ORDER BY id")
            assert cursor.fetchmany(2) == [(1,), (2,)]
            assert cursor.fetchall() == [(3,), (4,), (5,)]
        with (
            con.cursor() as plain,
            plain.copy("COPY (SELECT id, name FROM till.customers ORDER BY 1) TO STDOUT") as rows,
        ):
            assert b"".join(bytes(row) for row in rows) == b"10\tann\n11\tbob\n13\tcid\n"


def test_a_slow_database_is_cancelled_through_the_port(port: str) -> None:
    with psycopg.connect(f"{port} dbname=shop", autocommit=True) as con:
        con.execute("SELECT count(*) FROM crm.raw.customers")
        took = until_cancelled(con, "SELECT one FROM crm.public.sleepy WHERE slept = 'x'")
        assert took < 0.5  # with what the cancel's own connection takes on a busy machine
        assert con.execute("SELECT count(*) FROM crm.raw.customers").fetchone() == (3,)
        con.execute("SET statement_timeout = '300ms'")
        with pytest.raises(psycopg.errors.QueryCanceled):
            con.execute("SELECT one FROM crm.public.sleepy WHERE slept = 'x'")


def test_the_catalog_lists_tables_of_databases(port: str) -> None:
    with psycopg.connect(f"{port} dbname=shop", autocommit=True) as con:
        until = time.monotonic() + 20
        asked = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'till.main' ORDER BY 1"
        while time.monotonic() < until:
            found = con.execute(asked).fetchall()
            if found:
                break
            time.sleep(0.2)
        assert found == [("countries",), ("customers",), ("events",), ("orders",)]
        assert con.execute('SELECT count(*) FROM "till.main".customers').fetchone() == (3,)


MIXED = (
    "SELECT g.name, t.name, MEASURE(s.total) AS total FROM sales s JOIN crm.raw.customers g ON g.id = s.customer_id "
    "JOIN till.customers t ON t.id = g.id JOIN gold.orders o ON o.id = s.id AND o.qty > %s GROUP BY 1, 2 ORDER BY 1"
)


@pytest.mark.parametrize("binary", [False, True])
def test_a_cube_is_joined_with_the_lake_and_with_databases(port: str, binary: bool) -> None:
    with psycopg.connect(f"{port} dbname=shop") as con, con.cursor(binary=binary) as cursor:
        assert cursor.execute(MIXED, [0]).fetchall() == [("ann", "ann", Decimal("24.90"))]
        assert cursor.execute(MIXED, [-8]).fetchall() == [
            ("ann", "ann", Decimal("24.90")),
            ("bob", "bob", Decimal("100.00")),
        ]
        assert [(one.name, one.type_code) for one in cursor.description or ()] == [
            ("name", 25),
            ("name", 25),
            ("total", 1700),
        ]
        found = cursor.execute(
            'SELECT name FROM "crm.raw".customers WHERE id IN (SELECT customer_id FROM sales WHERE ordered < %s) ORDER BY 1',
            [date(2026, 2, 1)],
        ).fetchall()
        assert found == [("ann",)]


def test_cubes_and_databases_are_read_at_the_ref(port: str) -> None:
    text = "SELECT count(*) FROM sales s JOIN till.customers t ON t.id = s.customer_id"
    with psycopg.connect(f"{port} dbname=shop@dev", autocommit=True) as con:
        assert con.execute(text).fetchone() == (4,)
        con.execute("SET ingot.ref = 'main'")
        assert con.execute(text).fetchone() == (3,)
        con.execute("SET search_path = gold, public")
        assert con.execute("SELECT count(*) FROM sales s JOIN orders o ON o.id = s.id").fetchone() == (5,)
        with pytest.raises(psycopg.errors.UndefinedTable) as wrong:
            con.execute("SELECT 1 FROM sales JOIN till.custmers c ON true")
        assert "customers" in str(wrong.value)
        with con.transaction(), con.cursor("named") as cursor:
            cursor.execute("SELECT s.id FROM sales s JOIN till.orders o ON o.id = s.id ORDER BY 1")
            assert cursor.fetchmany(2) == [(1,), (2,)]
            assert cursor.fetchall() == [(3,), (4,), (5,)]


def test_a_slow_database_beside_a_cube_is_cancelled(port: str) -> None:
    text = "SELECT s.one FROM crm.public.sleepy s JOIN sales o ON o.id = s.one WHERE s.slept = 'x'"
    with psycopg.connect(f"{port} dbname=shop", autocommit=True) as con:
        con.execute("SELECT count(*) FROM crm.raw.customers")
        assert until_cancelled(con, text) < 0.5
        con.execute("SET statement_timeout = '300ms'")
        with pytest.raises(psycopg.errors.QueryCanceled):
            con.execute(text)
        con.execute("RESET statement_timeout")
        assert con.execute("SELECT count(*) FROM sales").fetchone() == (5,)
