"""Refs as databases, and how they follow the model and the lake."""

import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

from ingot.errors import NotFoundError
from ingot.pgwire.catalog import Column, Reference, Table, catalogs
from tests.pgwire.catalog.shadow import FACTS, LATEST, ORDERS, USERS, Shadow

pytestmark = pytest.mark.slow

NAMES = "SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY 1"


def _psql(shadow: Shadow, user: str, database: str, command: str) -> str:
    """What PostgreSQL's own psql shows, connected to the shadow itself."""
    program = shadow.psql
    sockets = str(shadow.home(user).cluster._sockets)
    said = subprocess.run(
        [program, "-X", "-h", sockets, "-U", user, "-d", database, "-c", command],
        capture_output=True,
        text=True,
        check=True,
    )
    return said.stdout


def test_branches_and_tags_are_databases(shadow: Shadow) -> None:
    session = shadow.session()
    assert shadow.rows(session, NAMES) == [("shop",), ("shop@dev",), ("shop@v1",)]
    shadow.shown.names.append("feature/new")
    assert shadow.rows(session, NAMES) == [("shop",), ("shop@dev",), ("shop@feature/new",), ("shop@v1",)]
    other = shadow.session(database="shop@feature/new")
    assert shadow.rows(other, "SELECT current_database()") == [("shop@feature/new",)]
    assert shadow.rows(session, NAMES) == [("shop",), ("shop@dev",), ("shop@feature/new",), ("shop@v1",)]
    shadow.shown.names.remove("feature/new")
    assert shadow.rows(session, NAMES) == [("shop",), ("shop@dev",), ("shop@v1",)]
    shadow.close(session, other)


def test_psql_lists_them_whether_real_or_not(shadow: Shadow) -> None:
    session = shadow.session()
    shadow.rows(session, NAMES)
    for command in (r"\l", r"\l+"):
        lines = _psql(shadow, "alice", "shop", command).splitlines()
        found = [line.split("|")[0].strip() for line in lines[3:] if "UTF8" in line]
        assert found == ["shop", "shop@dev", "shop@v1", "template1"]
    shadow.close(session)


def test_a_commit_can_be_connected_to(shadow: Shadow) -> None:
    session = shadow.session(database="shop@c0ffee42")
    assert shadow.rows(
        session, "SELECT current_database(), count(*) FROM pg_class WHERE relname = 'orders'"
    ) == [("shop@c0ffee42", "1")]
    assert ("shop@c0ffee42",) in shadow.rows(session, NAMES)  # tools look for themselves in the list
    for user in ("alice", "bob"):
        other = shadow.session(user)
        assert shadow.rows(other, NAMES) == [("shop",), ("shop@dev",), ("shop@v1",)]
        shadow.close(other)
    assert shadow.rows(session, "SELECT current_database()") == [("shop@c0ffee42",)]
    shadow.close(session)


def test_a_ref_that_is_not_there_is_said_so(shadow: Shadow) -> None:
    session = shadow.session(database="shop@nope")
    with pytest.raises(NotFoundError) as caught:
        shadow.rows(session, "SELECT 1")
    assert caught.value.name == "nope"
    shadow.close(session)


def test_a_thousand_branches_cost_little(shadow: Shadow) -> None:
    session = shadow.session("many")
    shadow.rows(session, NAMES)
    shadow.shown.names += [f"branch-{n}" for n in range(1_000)]
    begun = time.monotonic()
    assert len(shadow.rows(session, NAMES)) == 1_003
    taken = time.monotonic() - begun
    for n in range(0, 1_000, 50):  # more than are kept real at a time
        other = shadow.session("many", f"shop@branch-{n}")
        assert shadow.rows(other, "SELECT current_database()") == [(f"shop@branch-{n}",)]
        shadow.close(other)
    assert len(shadow.rows(session, NAMES)) == 1_003
    assert len(shadow.rows(session, "SELECT * FROM pg_database WHERE pg_database_size(oid) > 0")) <= 14
    assert taken < 1
    shadow.close(session)


def test_names_longer_than_postgresql_keeps_stay_apart(shadow: Shadow) -> None:
    long = "b" * 80
    shadow.shown.names += [f"{long}1", f"{long}2"]
    shadow.shown.lake = (FACTS,)
    for n in "12":
        session = shadow.session(database=f"shop@{long}{n}")
        ((name,),) = shadow.rows(session, "SELECT current_database()")
        assert name is not None
        assert name.startswith("shop@bbbb")
        shadow.close(session)


def test_the_catalog_follows_the_model_under_open_sessions(shadow: Shadow) -> None:
    session = shadow.session()
    asked = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY 1"
    keys = "SELECT count(*) FROM pg_constraint WHERE contype = 'f'"
    assert shadow.rows(session, asked) == [("orders",), ("users",)]
    (oid,) = shadow.rows(session, "SELECT 'users'::regclass::oid")
    tags = Table("public", "tags", (Column("name", "text"),), "Tags", ("name",))
    wider = replace(
        ORDERS,
        columns=(*ORDERS.columns, Column("tag", "text")),
        references=(*ORDERS.references, Reference(("tag",), "public", "tags", ("name",))),
    )
    shadow.shown.show(wider, USERS, tags)
    assert shadow.rows(session, asked) == [("orders",), ("tags",), ("users",)]
    assert shadow.rows(session, keys) == [("2",)]
    assert shadow.rows(session, "SELECT 'users'::regclass::oid") == [oid]
    # The other end of a foreign key is made anew.
    shadow.shown.show(wider, replace(USERS, comment="changed"), tags)
    assert shadow.rows(session, keys) == [("2",)]
    assert shadow.rows(session, "SELECT obj_description('users'::regclass)") == [("changed",)]
    # One that is not declared any more goes, the table stays.
    shadow.shown.show(replace(wider, references=()), USERS)
    assert shadow.rows(session, keys) == [("0",)]
    shadow.shown.show()
    assert shadow.rows(session, asked) == []
    shadow.shown.show(ORDERS, USERS)
    assert shadow.rows(session, asked) == [("orders",), ("users",)]
    assert shadow.rows(session, keys) == [("1",)]
    shadow.close(session)


def test_a_description_is_not_kept_longer_than_what_it_describes(shadow: Shadow) -> None:
    session = shadow.session()
    text = "SELECT status FROM orders"
    assert shadow.do(session.describe(text)).fields[0].oid == 25  # type: ignore[index]
    shadow.shown.show(Table("public", "orders", (Column("status", "integer"),)))
    assert shadow.do(session.describe(text)).fields[0].oid == 23  # type: ignore[index]
    shadow.close(session)


def test_nothing_is_asked_again_while_nothing_moves(shadow: Shadow) -> None:
    session = shadow.session()
    shadow.rows(session, "SELECT 1")
    before = shadow.shown.asked
    for _ in range(10):
        shadow.rows(session, "SELECT count(*) FROM pg_class")
    assert shadow.shown.asked == before
    shadow.close(session)


def test_lake_tables_are_in_schemas_for_those_allowed(shadow: Shadow) -> None:
    session, other = shadow.session(lake=True), shadow.session()
    asked = "SELECT table_schema, table_name, table_type FROM information_schema.tables WHERE table_schema = 'gold' ORDER BY 2"
    assert shadow.rows(session, asked) == [("gold", "facts", "BASE TABLE"), ("gold", "latest", "VIEW")]
    assert shadow.rows(other, asked) == []
    shadow.shown.lake = (
        replace(LATEST, schema='odd "schema"', columns=(*LATEST.columns, Column('x"y', "json"))),
    )
    shadow.shown.serial += 1
    asked = "SELECT table_schema, column_name, data_type FROM information_schema.columns WHERE table_schema LIKE 'odd%' ORDER BY 2"
    assert shadow.rows(session, asked) == [('odd "schema"', "id", "bigint"), ('odd "schema"', 'x"y', "json")]
    shadow.close(session, other)


def test_psql_shows_a_shadow_as_it_shows_any_postgresql(shadow: Shadow, judge: Path) -> None:
    """`\\d` and its family, beside an ordinary PostgreSQL with the same DDL."""
    session = shadow.session("carol", lake=True)
    shadow.rows(session, "SELECT 1")
    for command in (
        r"\d",
        r"\d+",
        r"\d orders",
        r"\d+ users",
        r"\d gold.*",
        r"\dt *.facts",
        r"\dn",
        r"\dv gold.*",
        r"\di",
        r"\ds",
        r"\df",
        r"\dT",
        r"\dm",
        r"\det",
        r"\dp",
        r"\ddp",
        r"\dd",
        r"\db",
        r"\dx",
        r"\dL",
        r"\do",
        r"\dy",
    ):
        assert shadow.rows(session, "SELECT 1")
        mine = _psql(shadow, "carol", "shop", command)
        theirs = subprocess.run(
            [
                shadow.psql,
                "-X",
                "-h",
                str(judge),
                "-U",
                "ingot",
                "-d",
                "shop",
                "-c",
                command,
            ],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert mine == theirs, command
    shadow.close(session)


def test_only_so_many_clusters_run_at_a_time(shadow: Shadow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogs, "_MOST", 3)
    sessions = {name: shadow.session(name) for name in ("one", "two", "three", "four")}
    for _ in range(2):
        for name, session in sessions.items():
            assert shadow.rows(session, "SELECT current_user") == [(name,)]
            assert len([one for one in shadow.catalogs._homes.values() if one.cluster.alive]) <= 3
    shadow.close(*sessions.values())
