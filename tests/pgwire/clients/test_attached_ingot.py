"""One Ingot reads another's cubes and tables: a source whose address is an SQL port, with a password over TLS."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from ingot.project.verifier import Verifier
from tests.pgwire import certificates
from tests.pgwire.clients.conftest import serving
from tests.pgwire.clients.sides import Sides

pytestmark = pytest.mark.slow

MODEL = """
cubes:
  - name: stock
    sql_table: raw.stock
    dimensions:
      - {name: id, sql: id, type: number, primary_key: true}
      - {name: city, sql: city, type: string}
      - {name: price, sql: price, type: number}
    measures:
      - {name: count, type: count}
      - {name: worth, sql: "{CUBE}.price * {CUBE}.pieces", type: sum}
    access_policy:
      - group: sales
        row_level: {filters: [{member: city, operator: equals, values: [Rome]}]}
  - name: endless
    sql: >
      SELECT count(*) AS id FROM range(200000) a(x), range(200000) b(y), range(2000) c(z) WHERE (x * y + z) % 1000003 = 7
    dimensions:
      - {name: id, sql: id, type: number, primary_key: true}
"""
PASSWORD = "p4ss w'ord @:/%"


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory, sides: Sides) -> Iterator[tuple[int, int]]:
    """The port of an Ingot to which the storefront and another one, with users, are attached; the other's process."""
    with ExitStack() as stack:
        inner = tmp_path_factory.mktemp("inner") / "inner"
        inner.mkdir()
        tls = certificates.made(inner)
        _project(inner, "name: inner\nauth: {users: users.yml, lake_groups: engineers}\n"
                 "serve: {sql_tls: {certificate: server.crt, key: server.key}}\n")  # fmt: skip
        (inner / "users.yml").write_text(
            f"users: {{ann: {{groups: [sales], verifier: '{Verifier.of(PASSWORD)}'}}}}\n"
        )
        _, sql, process = stack.enter_context(serving(inner))
        outer = tmp_path_factory.mktemp("outer") / "outer"
        outer.mkdir()
        _project(outer, "name: outer\n")
        (outer / "sources").mkdir()
        address = f"postgresql://ann:{quote(PASSWORD, safe='')}@localhost:{sql}/inner?sslmode=verify-full&sslrootcert={tls.certificate}"
        urls = {"branch": address, "shop": sides.ours.uri(), "dev": sides.ours.uri(database="storefront@dev")}
        environment = stack.enter_context(pytest.MonkeyPatch.context())
        for name, url in urls.items():
            environment.setenv(f"URL_OF_{name.upper()}", url)
            text = f"connector: postgres\nurl: ${{URL_OF_{name.upper()}}}\nattach: true\nschemas: [public, gold]\n"
            (outer / "sources" / f"{name}.yml").write_text(text)
        _, mine, _ = stack.enter_context(serving(outer))
        yield mine, process


def _project(folder: Path, settings: str) -> None:
    (folder / "ingot.yml").write_text(settings)
    (folder / "stock.csv").write_text("id,city,price,pieces\n1,Rome,2.50,4\n2,Oslo,9.00,1\n3,Rome,1.25,2\n")
    (folder / "semantic").mkdir()
    (folder / "semantic" / "stock.yml").write_text(MODEL)
    run = [sys.executable, "-m", "ingot", "run", "--project", str(folder)]
    subprocess.run(run, check=True, capture_output=True)


@pytest.fixture
def con(ports: tuple[int, int]) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(f"postgresql://me@127.0.0.1:{ports[0]}/outer", autocommit=True) as made:
        yield made


def test_the_other_ones_cubes_are_joined_with_tables_of_ones_own(con: psycopg.Connection[Any]) -> None:
    rows = con.execute(
        "SELECT s.id, s.city, b.city, b.price FROM raw.stock s LEFT JOIN branch.public.stock b ON b.id = s.id ORDER BY 1"
    ).fetchall()
    # The other one's policy holds: the user of the address may see Rome.
    assert [(row[0], row[1], row[2], None if row[3] is None else float(row[3])) for row in rows] == [
        (1, "Rome", "Rome", 2.5), (2, "Oslo", None, None), (3, "Rome", "Rome", 1.25),
    ]  # fmt: skip


def test_measures_are_columns_of_single_rows(con: psycopg.Connection[Any]) -> None:
    row = con.execute("SELECT sum(worth), sum(count) FROM branch.stock").fetchone()
    assert row is not None
    assert (float(row[0]), int(row[1])) == (12.5, 2)


def test_rows_are_those_that_the_other_one_gives_itself(sides: Sides, con: psycopg.Connection[Any]) -> None:
    for text in (
        "SELECT order_status, count(*), sum(total_amount) FROM {}orders WHERE order_date >= '2026-01-01' GROUP BY 1 ORDER BY 1",
        "SELECT order_id, order_number, order_date, total_amount, is_gift, notes FROM {}orders ORDER BY order_id LIMIT 300",
        "SELECT count(*), sum(quantity) FROM {}order_items",
        "SELECT c.campaign_name, count(*) FROM {0}orders o JOIN {0}campaigns c USING (campaign_id) GROUP BY 1 ORDER BY 1",
    ):
        with psycopg.connect(sides.judge.uri()) as judge:
            wanted = judge.execute(text.format("public.").encode()).fetchall()
        assert con.execute(text.format("shop.public.").encode()).fetchall() == wanted


def test_the_other_ones_lake_and_branches_are_read(sides: Sides, con: psycopg.Connection[Any]) -> None:
    count = "SELECT count(*) FROM {}gold.fact_orders"
    for name, database in (("shop", "storefront"), ("dev", "storefront@dev")):
        with psycopg.connect(sides.ours.uri(database=database)) as there:
            wanted = there.execute(count.format("").encode()).fetchall()
        assert con.execute(count.format(f"{name}.").encode()).fetchall() == wanted


def test_conditions_are_sent_and_the_catalog_shows_its_tables(con: psycopg.Connection[Any]) -> None:
    plan = "\n".join(
        row[0]
        for row in con.execute("EXPLAIN SELECT order_id FROM shop.orders WHERE channel = 'web' LIMIT 3")
    )
    assert "channel='web'" in plan
    tables = [row[0] for row in con.execute("SHOW TABLES FROM shop.public")]
    assert {"orders", "campaigns", "sales"} <= set(tables)
    columns = (
        "SELECT data_type FROM information_schema.columns WHERE table_schema = 'shop.public' AND table_name = 'orders' "
        "AND column_name IN ('order_id', 'total_amount') ORDER BY column_name"
    )
    until = time.monotonic() + 20  # they are listed beside what goes on
    while not (shown := con.execute(columns.encode()).fetchall()) and time.monotonic() < until:
        time.sleep(0.2)
    assert shown == [("bigint",), ("numeric",)]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="it is seen in /proc")
def test_a_cancel_reaches_the_other_one(ports: tuple[int, int], con: psycopg.Connection[Any]) -> None:
    """What the other one computes would take hours; nothing that it does goes on."""
    inner, stopped = ports[1], []

    def stop() -> None:
        """When the other one has been computing for a while."""
        until = time.monotonic() + 30
        while min(_seconds(inner, 0.5), _seconds(inner, 0.5)) < 0.1 and time.monotonic() < until:
            pass
        stopped.append(time.monotonic())
        con.cancel()

    thread = threading.Thread(target=stop)
    thread.start()
    with pytest.raises(psycopg.errors.QueryCanceled):
        con.execute("SELECT * FROM branch.endless")
    ended = time.monotonic()
    thread.join()
    assert ended - stopped[0] < 2
    until = time.monotonic() + 10
    while (busy := _seconds(inner, 0.5)) > 0.05 and time.monotonic() < until:
        pass
    assert busy <= 0.05
    assert con.execute("SELECT count(*) FROM shop.campaigns").fetchone() == (25,)


def _seconds(process: int, during: float) -> float:
    """How long a process computes during some seconds."""

    def now() -> float:
        words = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    before = now()
    time.sleep(during)
    return now() - before


def test_a_password_that_is_wrong_is_told_without_it(sides: Sides, con: psycopg.Connection[Any]) -> None:
    with pytest.raises(psycopg.Error) as raised:
        con.execute("SELECT * FROM branch.public.nothing_here")
    assert raised.value.sqlstate == "42P01"
    assert PASSWORD not in str(raised.value)
