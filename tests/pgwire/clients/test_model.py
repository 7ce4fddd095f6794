"""What the catalog shows is the model as `/cubejs-api/v1/meta` tells it: names, kinds, comments and keys."""

import asyncio
from typing import Any

import asyncpg  # type: ignore[import-untyped]
import httpx2
import psycopg
import pytest

from tests.pgwire.clients.sides import Sides

pytestmark = pytest.mark.slow
Con = psycopg.Connection[tuple[Any, ...]]
Shown = dict[str, list[tuple[str, int, int]]]


@pytest.fixture(scope="module")
def meta(sides: Sides) -> dict[str, dict[str, Any]]:
    told = httpx2.get(f"{sides.http}/cubejs-api/v1/meta", timeout=30).json()
    return {cube["name"]: cube for cube in told["cubes"]}


def _asked(sides: Sides, text: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(sides.ours.uri(), autocommit=True) as con:
        return con.execute(text.encode()).fetchall()


def test_tables_are_cubes_and_views_with_their_descriptions(sides: Sides, meta: dict[str, Any]) -> None:
    told = dict(
        _asked(
            sides, "SELECT relname, obj_description(oid, 'pg_class') FROM pg_class WHERE relkind IN ('r', 'v') "
            "AND relnamespace = 'public'::regnamespace",
        )
    )  # fmt: skip
    assert set(told) == set(meta)
    assert all(cube["description"] in told[name] for name, cube in meta.items())


def test_columns_are_members_with_their_descriptions(sides: Sides, meta: dict[str, Any]) -> None:
    told = {
        (table, column): comment
        for table, column, comment in _asked(
            sides, "SELECT attrelid::regclass::text, attname, col_description(attrelid, attnum) FROM pg_attribute a "
            "JOIN pg_class c ON c.oid = attrelid WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v') AND attnum > 0",
        )
    }  # fmt: skip
    members = {
        (name, member["name"].split(".")[1]): (kind, member)
        for name, cube in meta.items()
        for kind in ("measures", "dimensions", "segments")
        for member in cube[kind]
    }
    assert set(told) == set(members)
    for key, (kind, member) in members.items():
        assert told[key].startswith(kind[:-1])
        assert member.get("description", "") in told[key]


def test_primary_keys_are_those_of_the_cubes(sides: Sides, meta: dict[str, Any]) -> None:
    # The views of information_schema show keys only to who may write; PostgreSQL's own tables show them to everybody.
    told = set(
        _asked(
            sides, "SELECT conrelid::regclass::text, attname FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND "
            "attnum = ANY(conkey) WHERE contype = 'p' AND connamespace = 'public'::regnamespace",
        )
    )  # fmt: skip
    wanted = {
        (name, one["name"].split(".")[1])
        for name, cube in meta.items()
        if cube["type"] == "cube"
        for one in cube["dimensions"]
        if one.get("primaryKey")
    }
    assert told == wanted


@pytest.fixture(scope="module")
def shown(sides: Sides) -> Shown:
    """Names, types and modifiers of the columns of each cube and view, in the catalog's order."""
    found: Shown = {}
    for table, name, kind, modifier in _asked(
        sides, "SELECT relname, attname, atttypid::int8, atttypmod FROM pg_attribute JOIN pg_class c ON c.oid = attrelid WHERE "
        "relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v') AND attnum > 0 ORDER BY relname, attnum",
    ):  # fmt: skip
        found.setdefault(table, []).append((name, kind, modifier))
    return found


def _given(con: Con, text: str, *, binary: bool) -> list[tuple[str, int, int]]:
    with con.cursor(binary=binary) as cursor:
        cursor.execute(text.encode())
        cursor.fetchall()
        told = cursor.pgresult
        assert told is not None
        return [((told.fname(n) or b"").decode(), told.ftype(n), told.fmod(n)) for n in range(told.nfields)]


@pytest.mark.parametrize("binary", [False, True])
def test_types_of_columns_are_types_of_answers(sides: Sides, shown: Shown, binary: bool) -> None:
    """A tool that was told columns by the catalog gets these, all of them, in their order."""
    with psycopg.connect(sides.ours.uri(), autocommit=True) as con:
        for table, columns in shown.items():
            assert _given(con, f"SELECT * FROM {table} LIMIT 5", binary=binary) == columns
            assert _given(con, f"SELECT * FROM (SELECT * FROM {table}) t LIMIT 1", binary=binary) == columns


def test_each_column_alone_is_what_the_catalog_says(sides: Sides, shown: Shown) -> None:
    wrong = []
    with psycopg.connect(sides.ours.uri(), autocommit=True) as con:
        for table, columns in shown.items():
            for column in columns:
                text = f'SELECT "{column[0]}" FROM {table} LIMIT 3'
                if any(_given(con, text, binary=binary) != [column] for binary in (False, True)):
                    wrong.append((table, column))
    assert wrong == []


def test_asyncpg_and_copy_read_all_that_is_shown(sides: Sides, shown: Shown) -> None:
    """COPY gives the values that a SELECT gives."""

    async def read() -> dict[str, list[tuple[str, int]]]:
        con = await asyncpg.connect(sides.ours.uri())
        try:
            found = {}
            for table in shown:
                statement = await con.prepare(f"SELECT * FROM {table} LIMIT 20")
                found[table] = [(one.name, one.type.oid) for one in statement.get_attributes()]
                assert len(await statement.fetch()) > 0
            return found
        finally:
            await con.close()

    assert asyncio.run(read()) == {table: [one[:2] for one in columns] for table, columns in shown.items()}
    with psycopg.connect(sides.ours.uri(), autocommit=True) as con:
        for table in ("campaigns", "products", "customers"):
            with con.cursor(binary=True) as cursor:
                rows = cursor.execute(f"SELECT * FROM {table}".encode()).fetchall()
            with con.cursor() as cursor, cursor.copy(f"COPY {table} TO STDOUT (FORMAT binary)") as copy:
                copy.set_types([one[1] for one in shown[table]])
                assert sorted(map(repr, copy.rows())) == sorted(map(repr, rows))
