# ruff: noqa: DTZ001 - times in tables have no zone
"""DuckDB attaches us as a PostgreSQL: it reads the catalog, then COPYs in binary what its filters leave."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import duckdb
import pytest

from ingot.engines.duckdb import connect
from tests.pgwire.clients.questions import REFUSED
from tests.pgwire.clients.sides import Side, Sides

pytestmark = pytest.mark.slow


@contextmanager
def attached(side: Side) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB in which `pg` is the database."""
    with connect(extensions=["postgres_scanner"], threads=2) as con:
        con.execute(f"ATTACH '{side.uri()}' AS pg (TYPE postgres, READ_ONLY)")
        yield con


@pytest.fixture(scope="module")
def both(sides: Sides) -> Iterator[list[duckdb.DuckDBPyConnection]]:
    with ExitStack() as stack:
        yield [stack.enter_context(attached(side)) for side in sides]


def told(con: duckdb.DuckDBPyConnection, text: str) -> tuple[list[tuple[str, str]], list[tuple[Any, ...]]]:
    done = con.execute(text)
    return [(name, str(kind)) for name, kind, *_ in done.description or ()], done.fetchall()


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM pg.campaigns ORDER BY campaign_id",
        "SELECT order_id, order_number, order_date, total_amount, is_gift, notes FROM pg.public.orders ORDER BY order_id LIMIT 50",
        "SELECT COUNT(*) FROM pg.orders",
        """SELECT order_status, COUNT(*), SUM(total_amount) FROM pg.orders WHERE order_date >= TIMESTAMP '2026-01-01'
        AND channel IN ('web', 'mobile_app') AND total_amount > 100.5 GROUP BY 1 ORDER BY 1""",
        "SELECT COUNT(*) FROM pg.orders WHERE coupon_code IS NULL",
        "SELECT COUNT(*) FROM pg.orders WHERE coupon_code IS NOT NULL AND NOT is_gift",
        "SELECT order_id FROM pg.orders WHERE order_id = 5 OR order_id > 11990 ORDER BY 1",
        "SELECT campaign_name FROM pg.campaigns WHERE campaign_name LIKE 'S%' OR campaign_name = 'it''s' ORDER BY 1",
        "SELECT order_date::DATE AS day, COUNT(*) FROM pg.orders WHERE order_date BETWEEN '2026-02-01' AND '2026-02-20' GROUP BY 1 ORDER BY 1",
        "SELECT c.campaign_name, COUNT(*) FROM pg.orders o JOIN pg.campaigns c USING (campaign_id) GROUP BY 1 ORDER BY 1",
        "SELECT products_category, SUM(order_items_line_total) FROM pg.sales GROUP BY 1 ORDER BY 1",
        "SELECT COUNT(*), SUM(item_id * quantity), SUM(line_total) FROM pg.order_items, range(2)",
        "SELECT * FROM postgres_query('pg', 'SELECT order_status, COUNT(*) AS n, MEASURE(total_revenue) AS r FROM orders GROUP BY 1 ORDER BY 1')",
        "SELECT * FROM postgres_query('pg', 'SELECT date_trunc(''month'', order_date) AS m, COUNT(*) AS n FROM orders GROUP BY 1') ORDER BY 1",
        "SELECT COUNT(*) FROM pg.orders WHERE order_id < 0",
    ],
)
def test_rows_are_those_of_postgresql(both: list[duckdb.DuckDBPyConnection], text: str) -> None:
    judge, ours = (told(con, text) for con in both)
    assert judge[1]
    assert ours == judge


def test_all_rows_of_a_table_come(both: list[duckdb.DuckDBPyConnection]) -> None:
    text = "SELECT item_id, order_id, quantity, line_total FROM pg.order_items ORDER BY item_id"
    judge, ours = (told(con, text) for con in both)
    assert len(ours[1]) == 30889
    assert ours == judge


def test_tables_columns_and_comments_are_listed(both: list[duckdb.DuckDBPyConnection]) -> None:
    here = "database_name = 'pg' AND schema_name = 'public'"
    for text in (
        f"SELECT table_name, comment FROM duckdb_tables() WHERE {here} ORDER BY 1",
        f"SELECT table_name, column_name, data_type, is_nullable, comment FROM duckdb_columns() WHERE {here} ORDER BY 1, column_index",
        f"SELECT table_name, constraint_type, constraint_column_names FROM duckdb_constraints() WHERE {here} ORDER BY ALL",
    ):
        judge, ours = (told(con, text) for con in both)
        assert judge[1] or "constraints" in text
        assert ours == judge


VALUES: dict[str, Any] = {
    "1::int2": 1, "2::int4": 2, "9007199254740993::int8": 9007199254740993, "1.5::float4": 1.5, "'NaN'::float8 = 'NaN'": True,
    "1.25::numeric(5,2)": Decimal("1.25"), "false": False, "'Ä€ \U0001f600'::text": "Ä€ \U0001f600", "DATE '2026-01-02'": date(2026, 1, 2),
    "TIMESTAMP '2026-01-02 03:04:05.678'": datetime(2026, 1, 2, 3, 4, 5, 678000), "TIME '01:02:03'": time(1, 2, 3),
    "INTERVAL '2 days 03:04:05'": timedelta(days=2, hours=3, minutes=4, seconds=5), "'\\xdeadbeef'::bytea": b"\xde\xad\xbe\xef",
    "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid": UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
    "ARRAY[1,NULL,3]": [1, None, 3], "ARRAY['a','b c']": ["a", "b c"], "'{\"a\": 1}'::json": '{"a": 1}', "NULL::int": None,
}  # fmt: skip


@pytest.mark.parametrize("text", [False, True], ids=["binary", "text"])
@pytest.mark.parametrize("value", VALUES)
def test_values_of_every_type_arrive(both: list[duckdb.DuckDBPyConnection], value: str, text: bool) -> None:
    quoted = f"SELECT {value} AS v".replace("'", "''")
    for con in both:
        con.execute(f"SET pg_use_text_protocol = {text}")
        try:
            assert told(con, f"SELECT * FROM postgres_query('pg', '{quoted}')")[1] == [(VALUES[value],)]
        finally:
            con.execute("RESET pg_use_text_protocol")


def test_a_transaction_reads_several_tables(both: list[duckdb.DuckDBPyConnection]) -> None:
    for con in both:
        con.execute("BEGIN")
        counts = [told(con, f"SELECT COUNT(*) FROM pg.{table}")[1] for table in ("orders", "customers")]
        con.execute("COMMIT")
        assert counts == [[(12000,)], [(2500,)]]


def test_nothing_is_written(sides: Sides) -> None:
    """Attached for writing, too: then it is us who say no."""
    with attached(sides.ours) as con, pytest.raises(duckdb.InvalidInputException, match="read-only mode"):
        con.execute("INSERT INTO pg.orders (order_id) VALUES (1)")
    with connect(extensions=["postgres_scanner"]) as con:
        con.execute(f"ATTACH '{sides.ours.uri()}' AS pg (TYPE postgres)")
        for text in ("CREATE TABLE pg.made (i INTEGER)", "INSERT INTO pg.campaigns (campaign_id) VALUES (1)",
                     "CALL postgres_execute('pg', 'DROP TABLE orders')"):  # fmt: skip
            with pytest.raises(duckdb.Error, match=r"cannot execute .* in a read-only transaction"):
                con.execute(text)
        assert told(con, "SELECT COUNT(*) FROM pg.campaigns")[1] == [(25,)]


@pytest.mark.parametrize("name", ["no table", "no column", "syntax"])
def test_what_is_wrong_is_an_error_and_the_next_statement_works(
    both: list[duckdb.DuckDBPyConnection], name: str
) -> None:
    for con in both:
        with pytest.raises(duckdb.Error):
            con.execute(f"SELECT * FROM postgres_query('pg', '{REFUSED[name][0]}')")
        assert told(con, "SELECT COUNT(*) FROM pg.campaigns")[1] == [(25,)]


def test_tables_of_the_lake_are_attached_as_well(sides: Sides) -> None:
    with attached(sides.ours) as con:
        found = told(
            con, "SELECT channel, COUNT(*), SUM(total_amount) FROM pg.gold.fact_orders GROUP BY 1 ORDER BY 1"
        )
        plain = told(con, f"""
            SELECT channel, COUNT(*), SUM(total_amount::DECIMAL(12, 2)) FROM
            read_csv('{sides.project}/data/orders*.csv', all_varchar = true) GROUP BY 1 ORDER BY 1""")  # fmt: skip
    assert found[1] == plain[1]
