"""Statements over the model with parameters, cursors, cancels and EXPLAIN, as drivers send them."""

import threading
import time
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from ingot.semantic.sql.parsing import parsed
from tests.pgwire.answering import Running
from tests.pgwire.model.conftest import Con
from tests.pgwire.model.store import Store


@pytest.mark.parametrize(
    ("text", "values", "plain"),
    [
        ("SELECT COUNT(*) FROM orders WHERE status = %s", ["done"], "SELECT count(*) FROM orders WHERE status = 'done'"),
        ("SELECT COUNT(*) FROM orders WHERE amount > %s", [Decimal("12.5")], "SELECT count(*) FROM orders WHERE amount > 12.5"),
        ("SELECT COUNT(*) FROM orders WHERE amount > %s AND paid = %s", [-3, True], "SELECT count(*) FROM orders WHERE amount > -3 AND paid"),
        ("SELECT COUNT(*) FROM orders WHERE created_at >= %s", [datetime(2026, 1, 5, 3, 4)], "SELECT count(*) FROM orders WHERE created_at >= '2026-01-05 03:04'"),  # noqa: DTZ001
        ("SELECT COUNT(*) FROM orders WHERE created_at < %s", [date(2026, 1, 5)], "SELECT count(*) FROM orders WHERE created_at < '2026-01-05'"),
        ("SELECT COUNT(*) FROM orders WHERE status IN (%s, %s)", ["done", "o'clock"], "SELECT count(*) FROM orders WHERE status = 'done'"),
        ("SELECT COUNT(*) FROM orders WHERE status LIKE %s", ["%o%"], "SELECT count(*) FROM orders WHERE status LIKE '%o%'"),
        ("SELECT COUNT(*) FROM orders WHERE status = %s", [None], "SELECT 0"),
        ("SELECT id FROM orders ORDER BY id LIMIT %s OFFSET %s", [3, 2], "SELECT id FROM orders ORDER BY id LIMIT 3 OFFSET 2"),
        ("SELECT status, SUM(total) FROM orders GROUP BY 1 HAVING SUM(total) > %s ORDER BY 1", [Decimal(100)], "SELECT status, sum(amount) FROM orders GROUP BY 1 HAVING sum(amount) > 100 ORDER BY 1"),
        ("SELECT COUNT(*) FROM orders WHERE amount + %s > %s", [1, 20], "SELECT count(*) FROM orders WHERE amount + 1 > 20"),
        ("SELECT COUNT(*) FROM orders WHERE date_trunc('month', created_at) = %s", [datetime(2026, 1, 1)], "SELECT count(*) FROM orders WHERE date_trunc('month', created_at) = '2026-01-01'"),  # noqa: DTZ001
    ],
)  # fmt: skip
@pytest.mark.parametrize("binary", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_parameters_are_values_of_their_types(
    text: str, values: list[Any], plain: str, binary: bool, shop: Store, con: Con
) -> None:
    expected = shop.raw(plain)
    mark = "%b" if binary else "%t"
    assert con.execute(text, values, binary=binary).fetchall() == expected
    assert con.execute(text.replace("%s", mark), values).fetchall() == expected


def test_a_hostile_value_is_only_a_value(con: Con) -> None:
    for value in ("' OR 1 = 1 --", "'; DROP TABLE orders", "\\", "$1", "{city}", "é😀"):
        assert con.execute("SELECT COUNT(*) FROM orders WHERE status = %s", [value]).fetchone() == (0,)
        found = con.execute(
            "SELECT status || %s AS s FROM orders WHERE status = 'done' LIMIT 1", [value]
        ).fetchone()
        assert found == ("done" + value,)


def test_a_limit_that_is_null_is_none(shop: Store, con: Con) -> None:
    found = con.execute("SELECT id FROM orders ORDER BY id LIMIT %s OFFSET %s", [None, None]).fetchall()
    assert found == shop.raw("SELECT id FROM orders ORDER BY id")


def test_a_large_value_is_not_kept(shop: Store, con: Con) -> None:
    plans = shop.service._statements._plans  # what it holds
    text = "SELECT COUNT(*) FROM orders WHERE status = %s"
    con.execute(text, ["x"])
    before = len(plans)
    for length in (20_000, 90_000):
        assert con.execute(text, ["x" * length]).fetchone() == (0,)
    assert len(plans) == before


def test_a_prepared_statement_is_read_once_for_all_values(
    shop: Store, con: Con, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def reading(text: str) -> Any:
        read.append(text)
        return parsed(text)

    monkeypatch.setattr("ingot.semantic.sql.statements.parsed", reading)
    text = "SELECT COUNT(*) FROM orders WHERE amount > %s AND amount < 77"
    counts = [con.execute(text, [Decimal(n)]).fetchone() for n in range(12)]
    assert counts == [
        shop.raw(f"SELECT count(*) FROM orders WHERE amount > {n} AND amount < 77")[0] for n in range(12)
    ]
    assert len(read) == 1


def test_a_cursor_reads_as_many_rows_as_it_is_asked_for(shop: Store, con: Con) -> None:
    with con.transaction(), con.cursor("reading") as cursor:
        cursor.execute("SELECT id, amount FROM orders ORDER BY id")
        first = cursor.fetchmany(3)
        rest = cursor.fetchall()
    assert first + rest == shop.raw("SELECT id, amount FROM orders ORDER BY id")


def test_fields_have_postgres_names_and_types(con: Con) -> None:
    text = "SELECT COUNT(*), SUM(total), 1 + 1, date_trunc('month', created_at), status, upper(status), MEASURE(mean) FROM orders GROUP BY 4, 5, 6"
    found = con.execute(text).description
    assert found is not None
    assert [one.name for one in found][:6] == ["count", "sum", "?column?", "date_trunc", "status", "upper"]
    assert [one.type_code for one in found][:6] == [20, 1700, 23, 1114, 25, 25]
    assert con.execute("SELECT paid, created_at, id FROM orders LIMIT 0").fetchall() == []


def test_an_error_has_its_code_and_place(con: Con) -> None:
    cases = [
        ("SELECT nothing FROM orders", "42703", 8),
        ("SELECT status FROM orders WHERE nothing = 1", "42703", 33),
        ("SELECT status FROM orderz", "42P01", None),
        ("SELECT SUM(total) FROM orders WHERE", "42601", None),
        ("EXPLAIN SELECT nothing FROM orders", "42703", 16),
    ]
    for text, code, place in cases:
        with pytest.raises(psycopg.Error) as caught:
            con.execute(text)
        assert caught.value.sqlstate == code
        if place is not None:
            assert caught.value.diag.statement_position == str(place)


def test_an_explain_names_questions_rollups_and_sql(con: Con) -> None:
    text = "SELECT status, SUM(total) FROM orders WHERE paid AND created_at >= '2026-01-01' GROUP BY 1"
    lines = [row[0] for row in con.execute(f"EXPLAIN {text}").fetchall()]
    said = "\n".join(str(one) for one in lines)
    assert str(lines[0]).startswith("Semantic Query")
    for part in (
        "Measures: orders.total",
        "Dimensions: orders.status",
        "orders.paid = 'true'",
        "gold.orders",
        "  SQL:\n    SELECT\n",
        "\n        FROM gold.orders",
    ):
        assert part in said
    assert "Execution Time" not in said
    again = "\n".join(str(row[0]) for row in con.execute(f"EXPLAIN ANALYZE {text}").fetchall())
    assert "rows=" in again
    assert "Execution Time" in again
    after = "\n".join(str(row[0]) for row in con.execute(f"EXPLAIN {text}").fetchall())
    assert "Cache: kept" in after
    found = con.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {text}").fetchone()
    assert found is not None
    plan: Any = found[0]
    assert plan[0]["Plan"]["Questions"][0]["Measures"] == ["orders.total"]
    assert plan[0]["Plan"]["Actual Rows"] > 0


SLOW = (
    "SELECT COUNT(*) FROM (SELECT id FROM orders) a JOIN (SELECT id FROM orders) b ON a.id <> b.id + 1 "
    "JOIN (SELECT id FROM orders) c ON c.id * b.id <> a.id + 3"
)


@pytest.mark.slow
def test_a_cancel_stops_a_statement_within_a_tenth_of_a_second(server: Running, con: Con) -> None:
    said: list[float] = []

    def cancel() -> None:
        time.sleep(0.4)
        said.append(time.monotonic())
        con.cancel_safe()

    thread = threading.Thread(target=cancel)
    thread.start()
    with pytest.raises(psycopg.errors.QueryCanceled):
        con.execute(SLOW)
    took = time.monotonic() - said[0]
    thread.join()
    assert took < 0.3  # a cancel is a connection of its own
    assert con.execute("SELECT COUNT(*) > 0 FROM orders").fetchone() == (True,)


@pytest.mark.slow
def test_a_statement_timeout_stops_it_in_the_engine_as_well(shop: Store, con: Con) -> None:
    con.execute("SET statement_timeout TO '150ms'")
    began = time.monotonic()
    with pytest.raises(psycopg.errors.QueryCanceled, match="statement timeout"):
        con.execute(SLOW.replace("+ 3", "+ 4"))
    assert time.monotonic() - began < 0.6
    con.execute("SET statement_timeout TO 0")
    execution: Any = shop.service._execution
    end = time.monotonic() + 2
    while len(execution._statements) and time.monotonic() < end:
        time.sleep(0.01)
    assert len(execution._statements) == 0
