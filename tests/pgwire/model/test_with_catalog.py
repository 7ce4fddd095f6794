"""The whole port, with the catalog of a real PostgreSQL beside the model: routes, types, and what a clerk may know."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from ingot.pgwire.catalog import wheel
from tests.pgwire.answering import Running
from tests.pgwire.model.store import BOSS, USERS, store
from tests.pgwire.model.whole import whole

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(wheel.find() is None, reason="the wheel of the catalog's PostgreSQL is not installed"),
]


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with (
        store(tmp_path_factory.mktemp("whole"), policies=True) as shop,
        whole(shop, shop.files / "sql", USERS, lake=BOSS) as running,
    ):
        yield running


@pytest.fixture(scope="module")
def boss(port: Running) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(port.dsn.replace("user=ann", "user=boss"), autocommit=True) as made:
        yield made


@pytest.fixture(scope="module")
def clerk(port: Running) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(port.dsn.replace("user=ann", "user=clerk"), autocommit=True) as made:
        yield made


def error(con: psycopg.Connection[Any], text: str) -> tuple[Any, ...]:
    with pytest.raises(psycopg.Error) as caught:
        con.execute(text)
    one = caught.value.diag
    hint = one.message_hint or ""
    assert not any(name in hint for name in ("secret", "margin", "salaries"))
    # What is near to a name depends on its letters, whether it is there or not.
    return one.sqlstate, one.message_primary, one.message_detail, one.statement_position


def test_each_statement_is_answered_by_whom_it_belongs_to(boss: Any) -> None:
    assert boss.execute("SELECT 1").fetchone() == (1,)
    assert boss.execute("SELECT version()").fetchone()[0].startswith("PostgreSQL")
    assert boss.execute("SELECT COUNT(*) FROM orders").fetchone() == (2000,)
    assert boss.execute("SELECT count(*) FROM gold.orders").fetchone() == (2000,)
    names = boss.execute("SELECT relname FROM pg_class WHERE relname IN ('orders', 'salaries') AND relnamespace = 'public'::regnamespace ORDER BY 1")  # fmt: skip
    assert names.fetchall() == [("orders",), ("salaries",)]
    assert error(boss, "SELECT * FROM orders, pg_class")[0] == "0A000"
    assert boss.execute("SELECT count(*) FROM orders o, gold.orders g WHERE o.id = g.id").fetchone() == (
        2000,
    )
    assert error(boss, "INSERT INTO orders VALUES (1)")[0] == "25006"
    for text, what in (
        ("SELECT * INTO x FROM orders", "SELECT INTO"),
        ("SELECT * FROM orders FOR NO KEY UPDATE", "SELECT FOR NO KEY UPDATE"),
        ("WITH gone AS (DELETE FROM orders RETURNING *) SELECT * FROM gone", "DELETE"),
    ):
        assert error(boss, text)[:2] == ("25006", f"cannot execute {what} in a read-only transaction")
    assert error(boss, "SELECT * FROM orderz")[:2] == ("42P01", 'relation "orderz" does not exist')


def test_who_has_no_tables_learns_nothing_of_them_beside_cubes(clerk: Any) -> None:
    said = set()
    for text in (
        "SELECT 1 FROM orders o JOIN gold.{} g ON g.id = o.id",
        "EXPLAIN SELECT 1 FROM orders, gold.{}",
    ):
        for name in ("customers", "nothings1"):
            state, words, detail, _ = error(clerk, text.format(name))
            said.add((state, words.replace(name, "x"), detail))
    assert said == {("42P01", 'relation "gold.x" does not exist', None)}


def test_types_and_names_are_postgres_own(boss: Any) -> None:
    text = "SELECT COUNT(*), SUM(total), 1 + 1, date_trunc('month', created_at), upper(status), MEASURE(buyers) FROM orders GROUP BY 4, 5"
    found = boss.execute(text).description
    assert [(one.name, one.type_code) for one in found] == [
        ("count", 20), ("sum", 1700), ("?column?", 23), ("date_trunc", 1114), ("upper", 25), ("buyers", 20),
    ]  # fmt: skip


def test_parameters_without_types_get_those_that_postgres_sees(boss: Any) -> None:
    cursor = boss.cursor()
    text = "SELECT COUNT(*) FROM orders WHERE amount > %s AND status = %s AND created_at < %s"
    assert (
        cursor.execute(text, ["1.5", "done", "2026-02-01"]).fetchone()
        == cursor.execute(
            "SELECT COUNT(*) FROM orders WHERE amount > 1.5 AND status = 'done' AND created_at < '2026-02-01'"
        ).fetchone()
    )


@pytest.mark.parametrize(
    ("hidden", "unknown"),
    [
        ("SELECT * FROM salaries", "SELECT * FROM nobodys"),
        ("SELECT count(*) FROM public.salaries", "SELECT count(*) FROM public.nobodys"),
        ("SELECT secret FROM orders", "SELECT nobody FROM orders"),
        ("SELECT 'public.salaries'::regclass", "SELECT 'public.nobodys'::regclass"),
        (
            "SELECT has_table_privilege('salaries', 'SELECT')",
            "SELECT has_table_privilege('nobodys', 'SELECT')",
        ),
        ("SELECT * FROM gold.orders", "SELECT * FROM gold.nobody"),
        (
            "SELECT * FROM orders JOIN gold.orders g ON true",
            "SELECT * FROM orders JOIN gold.nobody g ON true",
        ),
        ("EXPLAIN SELECT * FROM salaries", "EXPLAIN SELECT * FROM nobodys"),
        ("TABLE salaries", "TABLE nobodys"),
    ],
)
def test_what_is_hidden_is_as_unknown_to_a_clerk_as_what_is_not_there(
    hidden: str, unknown: str, clerk: Any
) -> None:
    def plain(found: tuple[Any, ...]) -> list[Any]:
        return [
            str(part)
            .replace("salaries", "nobodys")
            .replace("secret", "nobody")
            .replace("gold.orders", "gold.nobody")
            for part in found
        ]

    assert plain(error(clerk, hidden)) == plain(error(clerk, unknown))


def test_the_catalog_of_a_clerk_has_nothing_that_is_hidden(clerk: Any) -> None:
    columns = clerk.execute("SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'").fetchall()  # fmt: skip
    assert ("orders", "status") in columns
    assert not {"secret", "margin", "salaries"} & {name for row in columns for name in row}
    schemas = clerk.execute("SELECT nspname FROM pg_namespace").fetchall()
    assert ("gold",) not in schemas


def test_what_postgresql_has_to_say_besides_reaches_the_client(boss: psycopg.Connection[Any]) -> None:
    said: list[tuple[Any, ...]] = []

    def hear(one: Any) -> None:
        said.append((one.severity_nonlocalized, one.sqlstate, one.message_primary))

    boss.add_notice_handler(hear)
    try:
        long = "m" * 70
        truncated = ("NOTICE", "42622", f'identifier "{long}" will be truncated to "{long[:63]}"')
        for level, heard in (("notice", True), ("warning", False), ("log", True)):
            boss.execute(f"SET client_min_messages = {level}")
            boss.execute(f'SELECT 1 AS "{long}"')
            assert said == [truncated] * heard
            said.clear()
            boss.execute(f"SELECT to_tsquery('english', 'the'), '{level}'")  # as it runs
            assert [one[:2] for one in said] == [("NOTICE", "00000")] * heard
            said.clear()
    finally:
        boss.execute("RESET client_min_messages")
        boss.remove_notice_handler(hear)


def test_errors_tell_what_they_are_about(boss: psycopg.Connection[Any]) -> None:
    with pytest.raises(psycopg.errors.CheckViolation) as caught:
        boss.execute("SELECT 'maybe'::text::information_schema.yes_or_no FROM pg_class")
    told = caught.value.diag
    assert (told.schema_name, told.datatype_name, told.constraint_name) == (
        "information_schema",
        "yes_or_no",
        "yes_or_no_check",
    )
    with pytest.raises(psycopg.errors.InvalidTextRepresentation) as wrong:
        boss.execute("SELECT '{1'::json")
    assert wrong.value.diag.context == "JSON data, line 1: {1"
    assert wrong.value.diag.source_file == "jsonfuncs.c"
