"""DDL of what is shown, and between two states of it."""

import random
from dataclasses import replace

import pytest

from ingot.pgwire.catalog import Column, Reference, Table
from ingot.pgwire.catalog.naming import postgres
from ingot.pgwire.catalog.schema import difference, tidy
from tests.pgwire.catalog.shadow import FACTS, LATEST, ORDERS, USERS, Shadow


def test_nothing_is_done_where_nothing_differs() -> None:
    tables = tidy((ORDERS, USERS, FACTS, LATEST))
    assert difference(tables, tables) == []


def test_a_reference_stays_only_where_postgresql_takes_it() -> None:
    key = Reference(("user_id",), "public", "users", ("id",))
    for users in (
        replace(USERS, key=()),
        replace(USERS, columns=(Column("id", "text"),)),
        replace(USERS, name="people"),
        replace(USERS, view=True, key=()),
    ):
        orders, _ = tidy((replace(ORDERS, references=(key,)), users))
        assert orders.references == ()
    orders, _ = tidy((replace(ORDERS, references=(key, key)), USERS))
    assert orders.references == (key,)


def test_what_postgresql_could_not_tell_apart_is_there_once() -> None:
    long = "x" * 70
    (table,) = tidy(
        (
            Table(
                "public",
                "t",
                (
                    Column(f"{long}1", "text"),
                    Column(f"{long}2", "integer"),
                    Column("", "text"),
                    Column("a\0b", "text"),
                ),
            ),
            Table("public", "t", (Column("other", "text"),)),
            Table("pg_catalog", "t", (Column("other", "text"),)),
            Table("information_schema", "t", (Column("other", "text"),)),
        )
    )
    assert table.columns == (Column("x" * 63, "text"),)
    (table,) = tidy((Table("public", "ü" * 40, (Column("a", "text"),)),))
    assert table.name == "ü" * 31


def test_names_and_comments_cannot_leave_their_quotes() -> None:
    evil = "x\"; DROP SCHEMA public CASCADE; --'"
    text = ";\n".join(difference((), tidy((Table(evil, evil, (Column(evil, "text", evil),), evil),))))
    assert '"x""; DROP SCHEMA public CASCADE; --\'"' in text
    assert "IS 'x\"; DROP SCHEMA public CASCADE; --'''" in text


@pytest.mark.parametrize(
    ("engine", "name"),
    [
        ("DECIMAL(14,2)", "numeric(14,2)"),
        ("DECIMAL(14, 2)[]", "numeric(14,2)[]"),
        ("INTEGER[3]", "integer[]"),
        ("VARCHAR[][]", "text[]"),
        ("STRUCT(a INTEGER)", "json"),
        ("STRUCT(a INTEGER)[]", "json"),
        ("MAP(VARCHAR, INTEGER)", "json"),
        ("TIMESTAMP WITH TIME ZONE", "timestamp with time zone"),
        ("HUGEINT", "numeric"),
        ("GEOMETRY", "text"),
    ],
)
def test_types_of_the_engine_have_names_in_postgresql(engine: str, name: str) -> None:
    assert postgres(engine) == name


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_any_change_leads_to_what_making_it_anew_gives(shadow: Shadow, seed: int) -> None:
    """Random models, one after the other in one database, beside the same in a new one."""
    chance = random.Random(seed)
    asked = (
        "SELECT n.nspname, c.relname, c.relkind, obj_description(c.oid), a.attname, format_type(a.atttypid, a.atttypmod),"
        " a.attnotnull, col_description(c.oid, a.attnum),"
        " (SELECT string_agg(pg_get_constraintdef(k.oid), ';' ORDER BY pg_get_constraintdef(k.oid))"
        " FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype IN ('p', 'f')),"
        " has_table_privilege(c.oid, 'SELECT'), has_table_privilege(c.oid, 'INSERT')"
        " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid"
        " WHERE n.nspname !~ '^pg_|^information_schema$' AND c.relkind IN ('r', 'v') AND a.attnum > 0 AND NOT attisdropped"
        " ORDER BY n.nspname, c.relname, a.attnum"
    )
    session = shadow.session(f"follower {seed}")
    for step in range(8):
        shadow.shown.show(*_drawn(chance))
        fresh = shadow.session(
            f"fresh {seed} {step}" if step % 4 == 3 else f"fresh {seed}", f"shop@c0ffee{step}"
        )
        assert shadow.rows(session, asked) == shadow.rows(fresh, asked)
        shadow.close(fresh)
    shadow.close(session)


def _drawn(chance: random.Random) -> list[Table]:
    names = chance.sample("abcdefg", 5)
    found = []
    for name in names:
        columns = (
            Column("id", chance.choice(("bigint", "text"))),
            *(Column(f"to_{other}", chance.choice(("bigint", "text"))) for other in names),
            *(
                Column(one, "numeric(9,2)", f"it's {one}")
                for one in chance.sample("xyz", chance.randint(0, 3))
            ),
        )
        references = tuple(
            Reference((f"to_{other}",), "public", other, ("id",))
            for other in chance.sample(names, chance.randint(0, 4))
        )
        key = ("id",) if chance.random() < 0.7 else ()
        schema = "public" if chance.random() < 0.8 else chance.choice(("gold", "silver"))
        found.append(Table(schema, name, columns, chance.choice((None, "said")), key, references))
    return found
