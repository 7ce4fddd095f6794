"""Drivers that make columns of rows in native code: ADBC's for PostgreSQL, and connectorx; Polars and pandas on top.

Both read results by COPY in binary format; connectorx in three other ways as well.
"""

import threading
import time
from typing import Any

import connectorx
import pandas
import polars
import pyarrow
import pytest
from adbc_driver_postgresql import dbapi  # type: ignore[import-untyped]

from tests.pgwire.clients.questions import QUESTIONS, REFUSED, TYPED
from tests.pgwire.clients.sides import Side, Sides
from tests.pgwire.clients.test_drivers import VALUES

# ADBC 1.13 forgets to close what pandas and Polars leave to it.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::ResourceWarning")]

LARGE = "SELECT i.item_id, i.quantity, i.line_total, v.n FROM order_items i CROSS JOIN (VALUES (1), (2)) v(n) ORDER BY 1, 4"
PROTOCOLS = ("binary", "csv", "cursor", "simple")


def by_adbc(side: Side, text: str, values: tuple[Any, ...] | None = None) -> pyarrow.Table:
    with dbapi.connect(side.uri()) as con, con.cursor() as cursor:
        cursor.execute(text, values)
        return cursor.fetch_arrow_table()


def by_connectorx(side: Side, text: str, **options: Any) -> pyarrow.Table:
    return connectorx.read_sql(side.uri(), text, return_type="arrow", **options)


def _fetched(cursor: Any, text: str) -> None:
    cursor.execute(text)
    cursor.fetchall()


def same(judge: pyarrow.Table, ours: pyarrow.Table) -> None:
    assert ours.schema.equals(judge.schema, check_metadata=True)
    assert ours.to_pylist() == judge.to_pylist()


@pytest.mark.parametrize("name", [*QUESTIONS, "typed"])
def test_adbc_gets_the_same_columns(sides: Sides, name: str) -> None:
    same(*(by_adbc(side, {**QUESTIONS, "typed": TYPED}[name]) for side in sides))


@pytest.mark.parametrize(("text", "values"), [
    ("SELECT order_id FROM orders WHERE order_status = $1 AND order_id < $2 ORDER BY 1", ("completed", 30)),
    ("SELECT COUNT(*) FROM orders WHERE order_date < $1", (pandas.Timestamp("2026-01-01").to_pydatetime(),)),
    ("SELECT COUNT(*) FROM orders WHERE total_amount > $1 AND is_gift = $2", (100.5, True)),
    ("SELECT order_id FROM orders ORDER BY order_id LIMIT $1", (3,)),
])  # fmt: skip
def test_adbc_gives_parameters(sides: Sides, text: str, values: tuple[Any, ...]) -> None:
    same(*(by_adbc(side, text, values) for side in sides))


def test_values_of_every_type_arrive_by_adbc(sides: Sides) -> None:
    text = "SELECT " + ", ".join(f"{value} AS v{number}" for number, (value, _) in enumerate(VALUES))
    same(*(by_adbc(side, text) for side in sides))


@pytest.mark.parametrize("name", REFUSED)
def test_an_error_of_adbc_has_its_code(sides: Sides, name: str) -> None:
    text, state = REFUSED[name]
    for side in sides:
        with dbapi.connect(side.uri()) as con, con.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
            with pytest.raises(dbapi.Error) as raised:
                _fetched(cursor, text)
            assert raised.value.sqlstate == state
            con.rollback()
            cursor.execute("SELECT 1")
            assert cursor.fetchall() == [(1,)]


def test_adbc_lists_tables_columns_and_keys(sides: Sides) -> None:
    found = []
    for side in sides:
        with dbapi.connect(side.uri()) as con:
            catalogs = con.adbc_get_objects(depth="all", db_schema_filter="public").read_all().to_pylist()
            (here,) = (one for one in catalogs if one["catalog_name"] == "storefront")
            (public,) = here["catalog_db_schemas"]
            tables = sorted(public["db_schema_tables"], key=lambda table: str(table["table_name"]))
            for table in tables:
                table["table_columns"].sort(key=lambda column: column["ordinal_position"])
                table["table_constraints"].sort(key=lambda one: str(one["constraint_name"]))
            schema = con.adbc_get_table_schema("orders", db_schema_filter="public")
            found.append((tables, schema, sorted(con.adbc_get_table_types())))
    assert len(found[0][0]) == 11
    assert found[1] == found[0]


def test_adbc_tells_columns_before_there_are_rows(sides: Sides) -> None:
    found = []
    for side in sides:
        with dbapi.connect(side.uri()) as con, con.cursor() as cursor:
            found.append(cursor.adbc_execute_schema(TYPED))
    assert found[1].equals(found[0], check_metadata=True)


def test_adbc_cancels(sides: Sides) -> None:
    for side in sides:
        with dbapi.connect(side.uri()) as con, con.cursor() as cursor:
            timer = threading.Timer(0.5, cursor.adbc_cancel)
            begun = time.monotonic()
            timer.start()
            with pytest.raises(dbapi.OperationalError) as raised:
                _fetched(cursor, "SELECT pg_sleep(20)")
            timer.join()
            assert raised.value.sqlstate == "57014"
            assert time.monotonic() - begun < 3
            con.rollback()
            cursor.execute("SELECT 1")
            assert cursor.fetchall() == [(1,)]


def test_large_results_come_in_batches(sides: Sides) -> None:
    found = []
    for side in sides:
        with dbapi.connect(side.uri(), conn_kwargs={}) as con, con.cursor() as cursor:
            cursor.adbc_statement.set_options(**{"adbc.postgresql.batch_size_hint_bytes": "65536"})
            cursor.execute(LARGE)
            batches = list(cursor.fetch_record_batch())
            assert len(batches) > 10
            found.append(pyarrow.Table.from_batches(batches))
    assert found[0].num_rows == 2 * 30889
    same(*found)
    for protocol in PROTOCOLS:
        same(*(by_connectorx(side, LARGE, protocol=protocol) for side in sides))


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", [*QUESTIONS, "typed"])
def test_connectorx_gets_the_same_columns(sides: Sides, name: str, protocol: str) -> None:
    text = {**QUESTIONS, "typed": TYPED}[name]
    if name == "constants":
        text = text.replace("NULL AS nothing, ", "")  # it has no column for `unknown`
    same(*(by_connectorx(side, text, protocol=protocol) for side in sides))


def test_connectorx_reads_parts_side_by_side(sides: Sides) -> None:
    """It asks for the least and the greatest key, and then for ranges over four connections."""
    text = "SELECT item_id, order_id, quantity FROM order_items"
    found = [
        by_connectorx(side, text, partition_on="item_id", partition_num=4).sort_by("item_id")
        for side in sides
    ]
    assert found[0].num_rows == 30889
    same(*found)


@pytest.mark.parametrize("name", ["no table", "no column", "syntax", "division by zero", "bad number"])
def test_connectorx_raises_what_the_server_says(sides: Sides, name: str) -> None:
    for side in sides:
        with pytest.raises(RuntimeError, match="db error: ERROR"):
            by_connectorx(side, REFUSED[name][0])


@pytest.mark.parametrize("engine", ["adbc", "connectorx"])
def test_polars_reads_the_same_frame(sides: Sides, engine: Any) -> None:
    judge, ours = (polars.read_database_uri(TYPED, side.uri(), engine=engine) for side in sides)
    assert ours.height == 300
    assert ours.equals(judge)
    assert ours.schema == judge.schema


def test_pandas_reads_the_same_frame_by_adbc(sides: Sides) -> None:
    frames = []
    for side in sides:
        with dbapi.connect(side.uri()) as con:
            table = pandas.read_sql_table("campaigns", con, schema="public")
            frames.append((pandas.read_sql(TYPED, con), table.sort_values("campaign_id", ignore_index=True)))
    for judge, ours in zip(*frames, strict=True):
        assert len(ours)
        pandas.testing.assert_frame_equal(ours, judge)
