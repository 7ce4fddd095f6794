# ruff: noqa: DTZ001 - times in tables have no zone
"""pg8000, PostgreSQL's protocol in pure Python, which Google's connectors use; by itself and below SQLAlchemy."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pg8000.dbapi  # type: ignore[import-untyped]
import pg8000.native  # type: ignore[import-untyped]
import pytest
import sqlalchemy

from tests.pgwire.clients.questions import QUESTIONS, REFUSED, TYPED
from tests.pgwire.clients.sides import Side, Sides
from tests.pgwire.clients.test_drivers import VALUES

pytestmark = pytest.mark.slow


@contextmanager
def connected(side: Side) -> Iterator[Any]:
    con = pg8000.native.Connection(side.user, host=side.host, port=side.port, database=side.database)
    try:
        yield con
    finally:
        con.close()


def asked(side: Side, text: str, **values: Any) -> tuple[list[tuple[str, int, int]], list[Sequence[Any]]]:
    """The columns with their types, and the rows."""
    with connected(side) as con:
        rows = con.run(text, **values)
        return [(one["name"], one["type_oid"], one["type_modifier"]) for one in con.columns], rows


@pytest.mark.parametrize("name", [*QUESTIONS, "typed"])
def test_a_question_is_answered_as_by_postgresql(sides: Sides, name: str) -> None:
    judge, ours = (asked(side, {**QUESTIONS, "typed": TYPED}[name]) for side in sides)
    assert ours == judge


@pytest.mark.parametrize(("text", "values"), [
    ("SELECT order_id FROM orders WHERE order_status = :s AND order_id < :n ORDER BY 1", {"s": "completed", "n": 30}),
    ("SELECT COUNT(*) FROM orders WHERE order_date < :d AND total_amount > :a AND is_gift = :g",
     {"d": datetime(2026, 1, 1), "a": Decimal("100.5"), "g": True}),
    ("SELECT COUNT(*) FROM orders WHERE order_status = ANY(:s)", {"s": ["completed", "shipped"]}),
    ("SELECT COUNT(*) FROM orders WHERE total_amount > :a", {"a": 100.5}),
    ("SELECT COUNT(*) FROM orders WHERE coupon_code IS NOT DISTINCT FROM :c", {"c": None}),
    ("SELECT COUNT(*) FROM orders WHERE order_date::date = :d", {"d": date(2026, 1, 5)}),
    ("SELECT order_id FROM orders ORDER BY order_id LIMIT :n", {"n": 3}),
])  # fmt: skip
def test_parameters_mean_what_they_mean_to_postgresql(
    sides: Sides, text: str, values: dict[str, Any]
) -> None:
    judge, ours = (asked(side, text, **values) for side in sides)
    assert judge[1]
    assert ours == judge


@pytest.mark.parametrize("name", REFUSED)
def test_an_error_has_its_code(sides: Sides, name: str) -> None:
    text, state = REFUSED[name]
    for side in sides:
        with connected(side) as con:
            con.run("BEGIN READ ONLY")
            with pytest.raises(pg8000.native.DatabaseError) as raised:
                con.run(text)
            assert raised.value.args[0]["C"] == state
            con.run("ROLLBACK")
            assert con.run("SELECT 1") == [[1]]


@pytest.mark.parametrize(("text", "_value"), VALUES)
def test_values_of_every_type_arrive(sides: Sides, text: str, _value: object) -> None:
    judge, ours = (asked(side, f"SELECT {text} AS v") for side in sides)
    assert ours == judge


def test_statements_are_prepared_copied_and_read_in_one_go(sides: Sides) -> None:
    found = []
    for side in sides:
        with connected(side) as con:
            prepared = con.prepare("SELECT order_number FROM orders WHERE order_id = :n")
            rows = [prepared.run(n=number) for number in (5, 6, 5)]
            prepared.close()
            out = io.BytesIO()
            con.run("COPY (SELECT order_id, notes FROM orders ORDER BY 1) TO STDOUT (FORMAT csv)", stream=out)
            large = con.run(
                "SELECT item_id, n FROM order_items CROSS JOIN (VALUES (1), (2)) v(n) ORDER BY 1, 2"
            )
            found.append((rows, out.getvalue(), large))
    assert len(found[0][2]) == 2 * 30889
    assert found[1] == found[0]


def test_its_database_api_has_cursors(sides: Sides) -> None:
    found = []
    for side in sides:
        con = pg8000.dbapi.connect(side.user, host=side.host, port=side.port, database=side.database)
        try:
            cursor = con.cursor()
            cursor.execute("SELECT order_id, order_date FROM orders WHERE order_id < %s ORDER BY 1", (500,))
            found.append((cursor.fetchmany(7), cursor.fetchall(), cursor.description, cursor.rowcount))
            con.commit()
        finally:
            con.close()
    assert found[1] == found[0]


def test_sqlalchemy_reflects_asks_and_streams(sides: Sides) -> None:
    found = []
    for side in sides:
        engine = sqlalchemy.create_engine(side.uri("postgresql+pg8000"))
        told = sqlalchemy.inspect(engine)
        orders = sqlalchemy.Table("orders", sqlalchemy.MetaData(), autoload_with=engine)
        by_status = (
            sqlalchemy.select(orders.c.order_status, sqlalchemy.func.count())
            .where(orders.c.channel.in_(["web", "app"]), orders.c.order_date >= datetime(2026, 1, 1))
            .group_by(orders.c.order_status)
            .order_by(orders.c.order_status)
        )
        with engine.connect() as con:
            rows = [tuple(row) for row in con.execute(by_status)]
            all_of_it = con.execution_options(stream_results=True, yield_per=1000).execute(
                sqlalchemy.text("SELECT item_id, quantity FROM order_items ORDER BY 1")
            )
            items = [tuple(row) for part in all_of_it.partitions() for row in part]
        found.append([
            sorted(told.get_table_names()), str(told.get_columns("orders")), told.get_pk_constraint("orders"),
            told.get_foreign_keys("order_items"), told.get_table_comment("orders"), rows, items,
        ])  # fmt: skip
        engine.dispose()
    assert len(found[0][-1]) == 30889
    assert found[1] == found[0]
