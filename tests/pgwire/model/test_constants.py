"""What a session says of itself, beside cubes and tables: as alone, in every place, for each session its own."""

import asyncio
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from ingot.pgwire.catalog import wheel
from ingot.pgwire.constants import constants, written
from tests.pgwire.answering import Running
from tests.pgwire.model.store import BOSS, USERS, store
from tests.pgwire.model.whole import whole

ALONE = [
    "current_user", "session_user", "user", "current_role", "current_catalog", "current_schema", "current_schema()",
    "current_database()", "version()", "pg_catalog.version()", "current_setting('TimeZone')",
    "current_setting('my.mark', true)", "pg_catalog.current_setting('server_version_num')", "CURRENT_USER",
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT current_user FROM o", "SELECT CAST('v' AS name) AS \"current_user\" FROM o"),
        ("SELECT a, version() FROM o", "SELECT a, CAST('v' AS text) AS \"version\" FROM o"),
        ("SELECT version() AS v FROM o", "SELECT CAST('v' AS text) AS v FROM o"),
        ("SELECT coalesce(a, user) FROM o", "SELECT coalesce(a, CAST('v' AS name)) FROM o"),
        ("SELECT 1 FROM o WHERE a = current_user", "SELECT 1 FROM o WHERE a = CAST('v' AS name)"),
        ("SELECT 1 AS user FROM o", "SELECT 1 AS user FROM o"),
        ('SELECT "current_user", o.user FROM o', 'SELECT "current_user", o.user FROM o'),
        ("SELECT 'current_user' /* version() */ FROM o -- user", "SELECT 'current_user' /* version() */ FROM o -- user"),
        ("SELECT other.version() FROM o", "SELECT other.version() FROM o"),
        ("SELECT current_setting($1), current_setting(), version(1) FROM o", "SELECT current_setting($1), current_setting(), version(1) FROM o"),
        ("SELECT (SELECT user) FROM o", "SELECT (SELECT CAST('v' AS name) AS \"user\") FROM o"),
    ],
)  # fmt: skip
def test_a_constant_is_found_where_it_is_one(text: str, expected: str) -> None:
    found = constants(text)
    assert written(text, found, ["v"] * len(found)) == expected


@pytest.mark.parametrize("value", ["it's", "back\\slash'", "", "ä$1"])
def test_a_value_is_written_as_a_text_that_means_it(value: str) -> None:
    from ingot.pgwire.commands.scanning import Kind, tokens  # noqa: PLC0415 - beside its only use

    made = written("SELECT user", constants("SELECT user"), [value])
    assert [one.value for one in tokens(made) if one.kind is Kind.STRING] == [value]


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with (
        store(tmp_path_factory.mktemp("constants"), policies=True) as shop,
        whole(shop, shop.files / "sql", USERS, lake=BOSS) as running,
    ):
        yield running


@pytest.fixture
def boss(port: Running) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(port.dsn.replace("user=ann", "user=boss"), autocommit=True) as made:
        made.execute("SET my.mark = 'it''s'")
        yield made


pg = [
    pytest.mark.slow,
    pytest.mark.skipif(wheel.find() is None, reason="the wheel of the catalog's PostgreSQL is not installed"),
]


@pytest.mark.parametrize("said", ALONE)
@pytest.mark.parametrize("table", ["orders", "gold.orders"])
class TestBesideRows:
    pytestmark = pg

    def test_it_is_what_it_is_alone(self, boss: Any, said: str, table: str) -> None:
        alone = boss.execute(f"SELECT {said}")
        beside = boss.execute(f"SELECT {said} FROM {table} LIMIT 1")
        assert beside.fetchone() == alone.fetchone()
        assert [(one.name, one.type_code) for one in beside.description] == [
            (one.name, one.type_code) for one in alone.description
        ]
        text = f"SELECT count(*) FROM {table} WHERE CAST({said} AS text) = (SELECT CAST({said} AS text))"
        assert boss.execute(text).fetchone() == (2000,)


class TestSessions:
    pytestmark = pg

    def test_each_has_its_own_user_and_settings(self, port: Running, boss: Any) -> None:
        text = "SELECT current_user, current_setting('my.mark', true), count(*) > 0 FROM orders GROUP BY 1, 2"
        assert boss.execute(text).fetchone() == ("boss", "it's", True)
        with psycopg.connect(port.dsn.replace("user=ann", "user=clerk"), autocommit=True) as clerk:
            assert clerk.execute(text).fetchone() == ("clerk", None, True)

    def test_a_prepared_statement_says_what_holds_when_it_runs(self, boss: Any) -> None:
        text = "SELECT current_setting('my.mark'), count(*) FROM orders WHERE id > %s GROUP BY 1"
        for mark in ("a", "b"):
            boss.execute(f"SET my.mark = '{mark}'")
            assert boss.execute(text, (-1,), prepare=True).fetchone() == (mark, 2000)

    def test_a_setting_that_is_not_there_is_the_error_that_it_is_alone(self, boss: Any) -> None:
        with pytest.raises(psycopg.errors.UndefinedObject):
            boss.execute("SELECT current_setting('no.such') FROM orders")

    def test_the_place_of_an_error_is_one_in_what_was_written(self, boss: Any) -> None:
        text = "SELECT current_user, nope FROM orders WHERE session_user = 'x'"
        with pytest.raises(psycopg.errors.UndefinedColumn) as caught:
            boss.execute(text)
        assert int(caught.value.diag.statement_position or 0) == text.index("nope") + 1

    def test_an_explained_statement_has_them_too(self, boss: Any) -> None:
        rows = boss.execute("EXPLAIN SELECT current_user, count(*) FROM orders GROUP BY 1").fetchall()
        assert any("boss" in row[0] for row in rows)


def test_long_texts_are_read_elsewhere() -> None:
    from ingot.pgwire.constants import constants_of  # noqa: PLC0415 - beside its only use

    text = "SELECT user FROM o WHERE a IN (" + ", ".join(["'x'"] * 20_000) + ")"
    assert len(asyncio.run(constants_of(text))) == 1
