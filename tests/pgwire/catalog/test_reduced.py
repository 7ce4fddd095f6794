"""The smaller catalog, beside that of PostgreSQL."""

import asyncio
import json
import re
import subprocess
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from ingot.pgwire.catalog.ports import CatalogSource
from ingot.pgwire.catalog.reduced import ReducedCatalogs
from ingot.pgwire.errors import PgError
from ingot.pgwire.ports import SessionInfo
from ingot.semantic.context import Context
from tests.pgwire.catalog.shadow import ORDERS, USERS, Shadow, Shown, rows

T = TypeVar("T")
CAPTURED = Path(__file__).parents[1] / "clients" / "captured"


class Reduced:
    """A session of the smaller catalog."""

    def __init__(self, runner: asyncio.Runner, shown: Shown, source: CatalogSource) -> None:
        self._runner = runner
        self.shown = shown
        self.source = source

    def rows(self, text: str, *values: str | None) -> list[tuple[str | None, ...]]:
        """The rows of a statement, in text."""
        return self._runner.run(rows(self.source, text, *values))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs a coroutine."""
        return self._runner.run(work)

    def names(self, text: str) -> list[str]:
        """The columns of a statement."""
        described = self._runner.run(self.source.describe(text))
        return [one.name for one in described.fields or ()]


@pytest.fixture(scope="module")
def opened() -> Iterator[Reduced]:
    """For alice, who sees the lake."""
    shown = Shown()
    catalogs = ReducedCatalogs(shown)
    settings = {"search_path": "public", "timezone": "UTC"}
    source: CatalogSource = catalogs.source(SessionInfo("alice", "shop", "main", Context(), True, settings))
    with asyncio.Runner() as runner:
        yield Reduced(runner, shown, source)
    catalogs.close()


@pytest.fixture
def reduced(opened: Reduced) -> Reduced:
    """The session, where is shown what is shown at first."""
    fresh = Shown()
    if (opened.shown.groups, opened.shown.names) != (fresh.groups, fresh.names):
        opened.shown.groups, opened.shown.names = fresh.groups, fresh.names
        opened.shown.serial += 1
    return opened


def test_it_says_who_and_where_and_what(reduced: Reduced) -> None:
    ((one, user, also, database, version, schema),) = reduced.rows(
        "SELECT 1, current_user, session_user, current_database(), version(), current_schema()"
    )
    assert (one, user, also, database, schema) == ("1", "alice", "alice", "shop", "public")
    assert version is not None
    assert version.startswith("PostgreSQL 15.0")
    assert reduced.rows("SELECT pg_catalog.version() = version(), current_setting('timezone')") == [
        ("t", "UTC")
    ]
    assert reduced.names("SELECT 1, version(), current_database(), now()::date, 'a' || 'b' AS c") == [
        "?column?", "version", "current_database", "now", "c",
    ]  # fmt: skip


def test_tables_and_columns_are_listed(reduced: Reduced) -> None:
    tables = "SELECT table_schema, table_name, table_type FROM information_schema.tables ORDER BY 1, 2"
    assert reduced.rows(tables) == [
        ("gold", "facts", "BASE TABLE"),
        ("gold", "latest", "VIEW"),
        ("public", "orders", "BASE TABLE"),
        ("public", "users", "BASE TABLE"),
    ]
    asked = (
        "SELECT column_name, data_type, numeric_precision, numeric_scale, is_nullable FROM information_schema.columns"
        " WHERE table_name = 'orders' ORDER BY ordinal_position"
    )
    assert reduced.rows(asked) == [
        ("id", "bigint", "64", "0", "NO"),
        ("user_id", "bigint", "64", "0", "YES"),
        ("status", "text", None, None, "YES"),
        ("created_at", "timestamp without time zone", None, None, "YES"),
        ("revenue", "numeric", "14", "2", "YES"),
        ("large", "boolean", None, None, "YES"),
    ]
    assert reduced.rows("SELECT datname FROM pg_database ORDER BY 1") == [
        ("shop",),
        ("shop@dev",),
        ("shop@v1",),
    ]


def test_comments_and_keys_are_there(reduced: Reduced) -> None:
    assert reduced.rows("SELECT obj_description('orders'::regclass, 'pg_class')") == [("Orders",)]
    asked = "SELECT col_description('orders'::regclass, 3)"
    assert reduced.rows(asked) == [(ORDERS.columns[2].comment,)]
    asked = "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint ORDER BY 1"
    assert reduced.rows(asked) == [
        ("orders_pkey", "PRIMARY KEY (id)"),
        ("orders_user_id_fkey", "FOREIGN KEY (user_id) REFERENCES users(id)"),
        ("users_pkey", "PRIMARY KEY (id)"),
    ]


def test_values_take_the_place_of_parameters(reduced: Reduced) -> None:
    asked = "SELECT relname FROM pg_class WHERE relkind = ANY (ARRAY[$1, $2]::text[]) AND relname LIKE $3 ORDER BY 1"
    assert reduced.rows(asked, "r", "v", "%s") == [("facts",), ("orders",), ("users",)]
    assert reduced.rows("SELECT $1::text", "x'; DROP TABLE y; --") == [("x'; DROP TABLE y; --",)]


def test_it_follows_what_is_shown(reduced: Reduced) -> None:
    asked = "SELECT relname FROM pg_class WHERE relkind IN ('r', 'v') ORDER BY 1"
    assert len(reduced.rows(asked)) == 4
    reduced.shown.show(USERS)
    assert reduced.rows(asked) == [("facts",), ("latest",), ("users",)]
    reduced.shown.names.append("new")
    assert ("shop@new",) in reduced.rows("SELECT datname FROM pg_database")


@pytest.mark.parametrize(
    ("text", "sqlstate"),
    [
        ("INSERT INTO orders VALUES (1)", "25006"),
        ("CREATE TABLE x (a int)", "25006"),
        ("COPY orders TO '/tmp/x'", "0A000"),
        ("ATTACH '/tmp/x'", "42601"),
        ("PRAGMA database_list", "0A000"),
        ("SELECT * FROM orders", "42P01"),
        ("SELECT * FROM nope.nope", "42P01"),
        ("SELECT * FROM duckdb_settings()", "42883"),
        ("SELECT * FROM read_csv('/etc/passwd')", "42883"),
        ("SELECT * FROM read_text('/etc/passwd')", "42883"),
        ("SELECT * FROM '/etc/passwd'", "42P01"),
        ('SELECT * FROM "/etc/passwd"', "42P01"),
        ("SELECT * FROM ingot_pg.pg_class", "42P01"),
        ("SELECT getvariable('x')", "42883"),
        ("SELECT nope FROM pg_class", "42703"),
        ("SELECT 'x'::integer", "22P02"),
        ("SELECT 1; SELECT 2", "42601"),
        ("SELECT FROM WHERE", "42601"),
    ],
)
def test_what_it_does_not_answer_is_refused(reduced: Reduced, text: str, sqlstate: str) -> None:
    with pytest.raises(PgError) as caught:
        reduced.rows(text)
    assert caught.value.sqlstate == sqlstate
    assert reduced.rows("SELECT 1") == [("1",)]


def test_settings_of_the_planner_are_taken(reduced: Reduced) -> None:
    for text, value in (("SET work_mem TO '64MB'", "64MB"), ('set session "enable_seqscan" = off;', "off")):
        answer = reduced.run(reduced.source.setting(text))
        assert (answer.tag, list(answer.values.values())) == ("SET", [value])
    for text in ("SET nope = 1", "SET role = 'ingot'", "SHOW nope", "SET work_mem = 1; SELECT 1"):
        with pytest.raises(PgError) as caught:
            reduced.run(reduced.source.setting(text))
        assert caught.value.sqlstate == "42704"


@pytest.mark.slow
def test_what_psql_asks_is_answered_as_postgresql_answers_it(shadow: Shadow, reduced: Reduced) -> None:
    session = shadow.session("carol", lake=True)
    oid = shadow.rows(session, "SELECT 'orders'::regclass::oid")[0][0]
    other = reduced.rows("SELECT 'orders'::regclass::oid")[0][0]
    program = shadow.psql
    asked = []
    for command in (
        r"\d",
        r"\d orders",
        r"\d+ orders",
        r"\dt",
        r"\dv *.*",
        r"\dn",
        r"\l",
        r"\du",
        r"\di",
        r"\ds",
        r"\dm",
    ):
        said = subprocess.run(
            [program, "-X", "-E", "-h", str(shadow.home("carol").cluster._sockets), "-U", "carol", "-d", "shop", "-c", command],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        asked += re.findall(r"\*+ QUERY \*+/?\n(.*?)\n/?\*+", said, re.DOTALL)
    assert len(asked) > 25
    for text in asked:
        statement = text.strip().rstrip(";")
        theirs = statement.replace(f"'{oid}'", f"'{other}'")
        mine = shadow.rows(session, statement)
        found = reduced.rows(theirs)
        if "contype = 'n'" in statement:
            continue  # which PostgreSQL keeps since version 18
        if (
            "rolname" not in statement
            and "pg_database" not in statement
            and "oid," not in statement
            and "SELECT oid" not in statement
        ):
            assert [_plain(row) for row in found] == [
                _plain(row) for row in mine if "pg_catalog" not in row and "information_schema" not in row
            ], statement
    shadow.close(session)


def _plain(row: tuple[str | None, ...]) -> tuple[str | None, ...]:
    """Without what differs between any two servers: storage, sizes, access methods."""
    return tuple(
        None
        if value in ("", "p", "x", "m", "plain", "0 bytes", "8192 bytes", "16 kB", "0", "heap", "-1")
        else value
        for value in row
    )


@pytest.mark.slow
@pytest.mark.parametrize("client", ["psql", "sqlalchemy", "odbc", "superset", "jdbc"])
def test_most_of_what_clients_were_seen_to_ask_has_the_columns_of_postgresql(
    shadow: Shadow, reduced: Reduced, client: str
) -> None:
    session = shadow.session("carol", lake=True)
    asked = [one["sql"] for one in json.loads((CAPTURED / f"{client}.json").read_text())]
    asked = [
        one
        for one in asked
        if re.search(r"pg_catalog|pg_class|information_schema", one)
        and one.lstrip().upper().startswith("SELECT")
    ]
    right = total = 0
    for text in asked:
        try:
            described = shadow.do(session.describe(text))
        except PgError:
            continue
        total += 1
        try:
            right += reduced.names(text) == [one.name for one in described.fields or ()]
        except PgError:
            continue
    assert total > 0
    assert right / total >= {"sqlalchemy": 1, "superset": 1, "odbc": 0.9, "psql": 0.7}.get(client, 0.6), (
        f"{right} of {total}"
    )
    shadow.close(session)
