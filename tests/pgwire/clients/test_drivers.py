# ruff: noqa: DTZ001 - times in tables have no zone
"""Drivers of Python against us and against PostgreSQL: psycopg 3, psycopg 2, asyncpg, and pandas on top."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg  # type: ignore[import-untyped]
import pandas
import psycopg
import psycopg2  # type: ignore[import-untyped]
import psycopg2.extras  # type: ignore[import-untyped]
import pytest
import sqlalchemy
from psycopg import pq
from psycopg.rows import dict_row

from tests.pgwire.clients.questions import QUESTIONS, REFUSED, TYPED
from tests.pgwire.clients.sides import Side, Sides

pytestmark = pytest.mark.slow

Row = tuple[Any, ...]
Told = tuple[list[tuple[str, int]], list[Row]]
"""The columns with the OIDs of their types, and the rows."""


def asked(
    side: Side, text: str, *, binary: bool = False, values: Any = None, prepare: bool | None = None
) -> Told:
    """A statement's columns and rows by psycopg 3."""
    with psycopg.connect(side.uri(), autocommit=True) as con:
        cursor = con.execute(text.encode(), values, binary=binary, prepare=prepare)
        assert cursor.description is not None
        return [(one.name, one.type_code) for one in cursor.description], cursor.fetchall()


def of_numbers(told: Told) -> list[tuple[str, str]]:
    """Columns with one word for all types of numbers: which of them a measure has is the model's choice."""
    kinds = {20: "number", 21: "number", 23: "number", 700: "number", 701: "number", 1700: "number"}
    kinds |= {25: "text", 1043: "text"}
    return [(name, kinds.get(oid, str(oid))) for name, oid in told[0]]


def same(ours: list[Row], judge: list[Row]) -> None:
    assert len(ours) == len(judge)
    for here, there in zip(ours, judge, strict=True):
        assert [_plain(value) for value in here] == [_plain(value) for value in there]


def _plain(value: Any) -> Any:
    # 3.0 and 3.00 are one number; how many digits an average has is told by no standard.
    if isinstance(value, float | Decimal) and not isinstance(value, bool):
        return round(Decimal(value), 6).normalize()
    return value


@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
@pytest.mark.parametrize("name", QUESTIONS)
def test_psycopg_gets_the_same_rows(sides: Sides, name: str, binary: bool) -> None:
    judge, ours = (asked(side, QUESTIONS[name], binary=binary) for side in sides)
    assert of_numbers(ours) == of_numbers(judge)
    same(ours[1], judge[1])


@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
def test_types_of_dimensions_are_those_of_the_columns(sides: Sides, binary: bool) -> None:
    judge, ours = (asked(side, TYPED, binary=binary) for side in sides)
    assert ours == judge


PARAMETERS: list[tuple[str, tuple[Any, ...]]] = [
    ("SELECT order_id, total_amount FROM orders WHERE order_id = %s", (17,)),
    ("SELECT COUNT(*) FROM orders WHERE order_status = %s AND total_amount > %s", ("completed", Decimal("99.5"))),
    ("SELECT COUNT(*) FROM orders WHERE order_date BETWEEN %s AND %s", (datetime(2026, 1, 1), date(2026, 6, 30))),
    ("SELECT COUNT(*) FROM orders WHERE order_status = ANY(%s)", (["completed", "shipped"],)),
    ("SELECT COUNT(*) FROM orders WHERE is_gift = %s", (True,)),
    ("SELECT COUNT(*) FROM orders WHERE coupon_code IS NOT DISTINCT FROM %s", (None,)),
    ("SELECT COUNT(*) FROM customers WHERE last_name LIKE %s", ("O'%",)),
    ("SELECT customer_id FROM customers ORDER BY customer_id LIMIT %s OFFSET %s", (3, 10)),
    ("SELECT %s::text, %s::int, %s::float8, %s::date", ("Ä'x\\", 7, 1.5, date(2026, 2, 3))),
    ("SELECT COUNT(*) FROM orders WHERE total_amount > %s", (100.5,)),
    ("SELECT COUNT(*) FROM orders WHERE order_date > %s::timestamp - %s::interval", (datetime(2026, 9, 1), timedelta(days=7))),
]  # fmt: skip


@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
@pytest.mark.parametrize(("text", "values"), PARAMETERS)
def test_psycopg_gives_parameters(sides: Sides, text: str, values: tuple[Any, ...], binary: bool) -> None:
    format_ = "b" if binary else "s"
    text = text.replace("%s", f"%{format_}")
    if binary and not all(isinstance(value, str | int | list | type(None)) for value in values):
        text = text.replace("%b", "%t")
    judge, ours = (asked(side, text, values=values, binary=binary, prepare=binary) for side in sides)
    assert of_numbers(ours) == of_numbers(judge)
    same(ours[1], judge[1])


@pytest.mark.parametrize("name", REFUSED)
def test_psycopg_raises_the_same_error(sides: Sides, name: str) -> None:
    text, state = REFUSED[name]
    for side in sides:
        with psycopg.connect(side.uri()) as con:
            con.read_only = True
            with pytest.raises(psycopg.Error) as raised:
                con.execute(text.encode())
            assert raised.value.sqlstate == state
            with pytest.raises(psycopg.errors.InFailedSqlTransaction):
                con.execute("SELECT 1")
            con.rollback()
            assert con.execute("SELECT 1").fetchone() == (1,)


def test_psycopg_has_cursors_of_the_server(sides: Sides) -> None:
    found = []
    for side in sides:
        with psycopg.connect(side.uri()) as con:
            with con.cursor("some rows") as cursor:
                cursor.execute("SELECT order_id, order_date FROM orders ORDER BY order_id LIMIT 1000")
                rows = [cursor.fetchone(), *cursor.fetchmany(10), *cursor.fetchmany(100)]
                cursor.itersize = 333
                rows += list(cursor)
            with con.cursor("back and forth", scrollable=True) as cursor:
                cursor.execute("SELECT order_id FROM orders ORDER BY order_id LIMIT 20")
                rows += cursor.fetchmany(5)
                cursor.scroll(0, mode="absolute")
                rows += cursor.fetchmany(2)
                cursor.scroll(3)
                rows += cursor.fetchall()
            found.append(rows)
    assert found[0] == found[1]


def test_psycopg_streams_rows(sides: Sides) -> None:
    text = "SELECT item_id, quantity FROM order_items ORDER BY item_id"
    found = []
    for side in sides:
        with psycopg.connect(side.uri(), autocommit=True) as con, con.cursor(binary=True) as cursor:
            found.append(list(cursor.stream(text)))
            if pq.version() >= 170000:
                assert list(cursor.stream(text, size=500)) == found[-1]
            assert con.execute("SELECT 1").fetchone() == (1,)
    assert len(found[0]) == 30889
    assert found[0] == found[1]


def test_psycopg_leaves_a_stream_half_way(sides: Sides) -> None:
    with psycopg.connect(sides.ours.uri(), autocommit=True) as con:
        with con.cursor() as cursor:
            for number, _ in enumerate(cursor.stream("SELECT * FROM order_items")):
                if number == 10:
                    break
        assert con.execute("SELECT COUNT(*) FROM campaigns").fetchone() == (25,)


def test_psycopg_sends_a_pipeline(sides: Sides) -> None:
    found = []
    for side in sides:
        with psycopg.connect(side.uri(), autocommit=True) as con, con.pipeline():
            cursors = [
                con.execute("SELECT COUNT(*) FROM orders WHERE order_id %% 7 = %s", (n,)) for n in range(7)
            ]
            found.append([cursor.fetchone() for cursor in cursors])
        with psycopg.connect(side.uri(), autocommit=True) as con:
            # The error may be there at the next statement already, or at the end.
            with pytest.raises(psycopg.errors.UndefinedColumn):
                _pipelined(con, "SELECT nothing_here FROM orders", "SELECT 1", "SELECT 2")
            assert con.execute("SELECT 2").fetchone() == (2,)
    assert found[0] == found[1]


def _pipelined(con: psycopg.Connection[Any], *texts: str) -> None:
    with con.pipeline():
        for text in texts:
            con.execute(text.encode())


@pytest.mark.parametrize("options", ["", "(FORMAT csv, HEADER)", "(FORMAT binary)"])
def test_psycopg_copies_out(sides: Sides, options: str) -> None:
    text = f"COPY (SELECT order_id, order_date, notes FROM orders ORDER BY order_id LIMIT 3000) TO STDOUT {options}"
    found = []
    for side in sides:
        with psycopg.connect(side.uri()) as con, con.cursor() as cursor, cursor.copy(text) as copy:
            found.append(b"".join(bytes(block) for block in copy))
    assert len(found[0]) > 50_000
    assert found[0] == found[1]


def test_psycopg_prepares_what_comes_again(sides: Sides) -> None:
    with psycopg.connect(sides.ours.uri(), autocommit=True, prepare_threshold=2) as con:
        answers = [
            con.execute("SELECT order_number FROM orders WHERE order_id = %s", (n,)).fetchone()
            for n in (5, 6, 5, 7, 5)
        ]
        assert answers[0] == answers[2] == answers[4]


def test_psycopg_transactions_are_as_expected(sides: Sides) -> None:
    for side in sides:
        with psycopg.connect(side.uri()) as con:
            con.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            con.read_only = True
            states = [con.info.transaction_status]
            con.execute("SELECT COUNT(*) FROM orders")
            states.append(con.info.transaction_status)
            with pytest.raises(psycopg.Error), con.transaction():
                con.execute("SELECT nothing_here")
            states.append(con.info.transaction_status)
            idle, busy = pq.TransactionStatus.IDLE, pq.TransactionStatus.INTRANS
            assert states == [idle, busy, busy]
            con.commit()
            assert con.info.parameter_status("server_encoding") == "UTF8"
            assert con.info.parameter_status("integer_datetimes") == "on"


@pytest.mark.parametrize("text", [
    "SELECT pg_sleep(30)",
    """SELECT COUNT(*) FROM (SELECT a.order_id + b.order_id * c.order_id AS x FROM (SELECT order_id FROM orders LIMIT 9000) a
    CROSS JOIN (SELECT order_id FROM orders LIMIT 9000) b CROSS JOIN (SELECT order_id FROM orders LIMIT 900) c) t WHERE x % 7 = 3""",
])  # fmt: skip
def test_psycopg_cancels(sides: Sides, text: str) -> None:
    for side in sides:
        with psycopg.connect(side.uri(), autocommit=True) as con:
            timer = threading.Timer(0.5, con.cancel)
            begun = time.monotonic()
            timer.start()
            with pytest.raises(psycopg.errors.QueryCanceled):
                con.execute(text.encode())
            assert time.monotonic() - begun < 2
            timer.join()
            assert con.execute("SELECT 1").fetchone() == (1,)


def test_psycopg_is_stopped_by_its_own_time_limit(sides: Sides) -> None:
    for side in sides:
        with psycopg.connect(side.uri(), autocommit=True, options="-c statement_timeout=200") as con:
            assert con.execute("SHOW statement_timeout").fetchone() == ("200ms",)
            with pytest.raises(psycopg.errors.QueryCanceled):
                con.execute("SELECT pg_sleep(20)")


def test_psycopg_learns_types_from_the_catalog(sides: Sides) -> None:
    from psycopg.types import TypeInfo  # noqa: PLC0415

    for side in sides:
        with psycopg.connect(side.uri()) as con:
            found = TypeInfo.fetch(con, "numeric")
            assert found is not None
            assert (found.oid, found.array_oid) == (1700, 1231)


VALUES = [
    ("1::int2", 1), ("-7::int4", -7), ("9007199254740993::int8", 9007199254740993), ("1.25::float4", 1.25), ("'-0.1'::float8", -0.1),
    ("123456789012345678.123456789::numeric", Decimal("123456789012345678.123456789")), ("true", True),
    ("'Ä€ \U0001f600'::text", "Ä€ \U0001f600"), ("DATE '2026-02-28'", date(2026, 2, 28)),
    ("TIMESTAMP '2026-02-28 23:59:59.123456'", datetime(2026, 2, 28, 23, 59, 59, 123456)),
    ("INTERVAL '3 days 04:05:06'", timedelta(days=3, hours=4, minutes=5, seconds=6)),
    ("'\\xdeadbeef'::bytea", b"\xde\xad\xbe\xef"), ("'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid", UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")),
    ("ARRAY[1,NULL,3]", [1, None, 3]), ("ARRAY['a','b c']", ["a", "b c"]), ("'{\"a\": [1]}'::json", {"a": [1]}),
]  # fmt: skip


@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
@pytest.mark.parametrize(("text", "value"), VALUES)
def test_values_of_every_type_arrive(sides: Sides, text: str, value: Any, binary: bool) -> None:
    for side in sides:
        assert asked(side, f"SELECT {text} AS v", binary=binary)[1] == [(value,)]


def test_psycopg_2_gets_the_same_rows(sides: Sides) -> None:
    found = []
    for side in sides:
        rows: list[Any] = []
        con = psycopg2.connect(side.uri())
        try:
            with con.cursor() as cursor:
                for text in QUESTIONS.values():
                    cursor.execute(text)
                    rows.append(
                        (
                            [one.name for one in cursor.description],
                            [tuple(map(_plain, row)) for row in cursor.fetchall()],
                        )
                    )
                cursor.execute("SELECT order_id FROM orders WHERE order_status = %(s)s AND order_date < %(d)s ORDER BY 1 LIMIT 5",
                               {"s": "completed", "d": datetime(2026, 1, 1)})  # fmt: skip
                rows.append(cursor.fetchall())
            with con.cursor("named", cursor_factory=psycopg2.extras.DictCursor) as cursor:
                cursor.execute("SELECT order_id, order_date FROM orders ORDER BY order_id LIMIT 700")
                cursor.itersize = 100
                rows.append([tuple(row) for row in cursor])
            con.rollback()
            con.set_session(readonly=True, isolation_level="REPEATABLE READ")
            with con.cursor() as cursor, pytest.raises(psycopg2.errors.ReadOnlySqlTransaction):
                cursor.execute("INSERT INTO orders (order_id) VALUES (1)")
            con.rollback()
        finally:
            con.close()
        found.append(rows)
    assert found[1] == found[0]


def _by_asyncpg(side: Side, ask: Callable[[asyncpg.Connection], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        con = await asyncpg.connect(side.uri())
        try:
            return await ask(con)
        finally:
            await con.close()

    return asyncio.run(run())


@pytest.mark.parametrize("name", [name for name in QUESTIONS if name != "constants"])
def test_asyncpg_gets_the_same_rows(sides: Sides, name: str) -> None:
    async def ask(con: asyncpg.Connection) -> Any:
        statement = await con.prepare(QUESTIONS[name])
        return [one.name for one in statement.get_attributes()], [
            tuple(row) for row in await statement.fetch()
        ]

    judge, ours = (_by_asyncpg(side, ask) for side in sides)
    assert ours[0] == judge[0]
    same(ours[1], judge[1])


def test_asyncpg_gives_parameters_in_binary(sides: Sides) -> None:
    async def ask(con: asyncpg.Connection) -> Any:
        return [
            await con.fetchval("SELECT COUNT(*) FROM orders WHERE order_id < $1", 100),
            await con.fetchval("SELECT COUNT(*) FROM orders WHERE order_date >= $1 AND order_status = $2", datetime(2026, 3, 1), "completed"),
            await con.fetchval("SELECT COUNT(*) FROM orders WHERE total_amount > $1", Decimal("250.75")),
            await con.fetchval("SELECT COUNT(*) FROM orders WHERE is_gift = $1", True),
            await con.fetchval("SELECT COUNT(*) FROM orders WHERE order_status = ANY($1::text[])", ["completed", "shipped"]),
            await con.fetchval("SELECT $1::text || 'x'", "ä"),
            await con.fetchrow("SELECT $1::int + 1 AS n, $2::date AS d, $3::uuid AS u", 41, date(2026, 2, 3), UUID(int=7)),
            [tuple(row) for row in await con.fetch("SELECT order_id FROM orders ORDER BY order_id LIMIT $1 OFFSET $2", 5, 10)],
        ]  # fmt: skip

    judge, ours = (_by_asyncpg(side, ask) for side in sides)
    assert ours == judge


def test_asyncpg_has_cursors_and_transactions(sides: Sides) -> None:
    async def ask(con: asyncpg.Connection) -> Any:
        found = []
        async with con.transaction(readonly=True, isolation="repeatable_read"):
            rows = con.cursor("SELECT order_id FROM orders ORDER BY order_id LIMIT 500", prefetch=37)
            found += [row[0] async for row in rows]
            cursor = await con.cursor("SELECT order_id FROM orders ORDER BY order_id")
            found += [row[0] for row in await cursor.fetch(3)]
            await cursor.forward(5)
            found += [row[0] for row in await cursor.fetch(3)]
        with pytest.raises(asyncpg.UndefinedTableError):
            await con.fetch("SELECT * FROM nothing_here")
        out: list[bytes] = []

        async def take(data: bytes) -> None:
            out.append(data)

        await con.copy_from_query(
            "SELECT campaign_id, budget FROM campaigns ORDER BY 1", output=take, format="csv"
        )
        await con.execute("SET TIME ZONE 'Europe/Berlin'")
        await con.reset()
        return found, b"".join(out), await con.fetchval("SHOW timezone") != "Europe/Berlin"

    judge, ours = (_by_asyncpg(side, ask) for side in sides)
    assert ours == judge


def test_asyncpg_looks_types_up(sides: Sides) -> None:
    async def ask(con: asyncpg.Connection) -> Any:
        await con.set_type_codec(
            "json", encoder=str, decoder=lambda text: ("decoded", text), schema="pg_catalog"
        )
        # Types that the driver does not know by heart are asked for in the catalog.
        kind = await con.fetchval("SELECT ARRAY['a'::information_schema.sql_identifier]")
        return kind, await con.fetchval("""SELECT '{"a": 1}'::json""")

    judge, ours = (_by_asyncpg(side, ask) for side in sides)
    assert ours == judge == (["a"], ("decoded", '{"a": 1}'))


def test_asyncpg_stops_at_its_time_limit(sides: Sides) -> None:
    async def ask(con: asyncpg.Connection) -> Any:
        with pytest.raises(TimeoutError):
            await con.fetch("SELECT pg_sleep(20)", timeout=0.3)
        return await con.fetchval("SELECT 7")

    assert [_by_asyncpg(side, ask) for side in sides] == [7, 7]


def test_asyncpg_has_a_pool(sides: Sides) -> None:
    async def run(side: Side) -> list[Any]:
        async with asyncpg.create_pool(side.uri(), min_size=2, max_size=5) as pool:
            return list(await asyncio.gather(
                *(pool.fetchval("SELECT COUNT(*) FROM orders WHERE order_id % 10 = $1", n) for n in range(10))
            ))  # fmt: skip

    judge, ours = (asyncio.run(run(side)) for side in sides)
    assert ours == judge


@pytest.mark.parametrize("driver", ["postgresql+psycopg", "postgresql+psycopg2"])
def test_pandas_gets_the_same_frame(sides: Sides, driver: str) -> None:
    frames = []
    for side in sides:
        engine = sqlalchemy.create_engine(side.uri(driver))
        with engine.connect() as con:
            frames.append([pandas.read_sql(sqlalchemy.text(TYPED), con)])
            frames[-1] += [
                pandas.read_sql(sqlalchemy.text(QUESTIONS["by month"]), con, parse_dates=["month"])
            ]
            parts = pandas.read_sql(
                sqlalchemy.text("SELECT item_id, quantity FROM order_items ORDER BY item_id LIMIT 1000"),
                con.execution_options(stream_results=True),
                chunksize=300,
            )
            frames[-1] += [pandas.concat(parts)]
            frames[-1] += [
                pandas.read_sql_table("campaigns", con, schema="public").sort_values("campaign_id")
            ]
        engine.dispose()
    for judge, ours in zip(*frames, strict=True):
        pandas.testing.assert_frame_equal(
            ours.reset_index(drop=True), judge.reset_index(drop=True), check_dtype=False
        )


def test_rows_come_as_dictionaries(sides: Sides) -> None:
    for side in sides:
        with psycopg.connect(side.uri(), row_factory=dict_row) as con:
            assert con.execute("SELECT 1 AS a, 2 AS b").fetchone() == {"a": 1, "b": 2}
