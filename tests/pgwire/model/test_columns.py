"""What the catalog shows of a cube or view is exactly what statements over it give: names, order, types, modifiers, places."""

import asyncio
import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]
import psycopg
import pytest

from ingot.pgwire.catalog import wheel
from ingot.semantic.context import Context
from ingot.semantic.sql.questions.columns import cut
from tests.pgwire.answering import Running
from tests.pgwire.model.kinds import ONLY_MEASURES, kinds
from tests.pgwire.model.store import store
from tests.pgwire.model.whole import whole
from tests.semantic.lakes import served

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(wheel.find() is None, reason="the wheel of the catalog's PostgreSQL is not installed"),
]
Con = psycopg.Connection[tuple[Any, ...]]
Column = tuple[str, int, int]
"""Name, type and modifier."""
TOTALS = ONLY_MEASURES["name"][:63]
MAKERS: dict[str, Callable[[Path], AbstractContextManager[Any]]] = {
    "kinds": kinds,
    "shop": served,
    "store": store,
}


@pytest.fixture(scope="module", params=MAKERS)
def port(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp(request.param)
    with MAKERS[request.param](folder) as made, whole(made, folder / "sql") as running:
        yield running


@pytest.fixture(scope="module")
def con(port: Running) -> Iterator[Con]:
    with psycopg.connect(port.dsn, autocommit=True) as made:
        yield made


@pytest.fixture(scope="module")
def shown(con: Con) -> dict[str, list[Column]]:
    return catalog(con)


def catalog(con: Con) -> dict[str, list[Column]]:
    """The columns of all cubes and views, as a client's catalog query finds them."""
    found: dict[str, list[Column]] = {}
    for table, *column in con.execute(
        "SELECT relname, attname, atttypid::int8, atttypmod FROM pg_attribute JOIN pg_class c ON c.oid = attrelid "
        "WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v') AND attnum > 0 ORDER BY relname, attnum"
    ):
        found.setdefault(table, []).append((column[0], column[1], column[2]))
    return found


def given(con: Con, text: str, *, binary: bool = False) -> list[Column]:
    """The columns of a statement's answer; its rows are read, too."""
    with con.cursor(binary=binary) as cursor:
        cursor.execute(text.encode())
        cursor.fetchall()
        told = cursor.pgresult
        assert told is not None
        return [((told.fname(n) or b"").decode(), told.ftype(n), told.fmod(n)) for n in range(told.nfields)]


def test_each_column_that_is_shown_can_be_asked_for_alone(con: Con, shown: dict[str, list[Column]]) -> None:
    """Row by row, in both formats, with the type and the modifier of the catalog."""
    assert shown
    wrong = []
    for table, columns in shown.items():
        for column in columns:
            text = f'SELECT "{column[0]}" FROM {table} LIMIT 3'
            found = [given(con, text, binary=binary) for binary in (False, True)]
            if found != [[column], [column]]:
                wrong.append((table, column, found))
    assert wrong == []


def test_each_column_of_an_answer_says_of_which_table_it_is(con: Con, shown: dict[str, list[Column]]) -> None:
    for table, columns in shown.items():
        with con.cursor() as cursor:
            cursor.execute(f"SELECT 1, t.* FROM {table} t LIMIT 1".encode())
            told = cursor.pgresult
            assert told is not None
            found = [(told.ftable(n), told.ftablecol(n)) for n in range(told.nfields)]
        told_oid = con.execute("SELECT %s::regclass::oid::int8", [table]).fetchone()
        assert told_oid is not None
        assert found == [(0, 0), *((told_oid[0], n) for n in range(1, len(columns) + 1))]


STARS = (
    "SELECT * FROM {0}",
    "SELECT x.* FROM public.{0} AS x",
    "TABLE {0}",
    "SELECT * FROM (SELECT * FROM {0}) x",
    "SELECT * FROM (SELECT * FROM {0} LIMIT 2) x",
    "WITH x AS (SELECT * FROM {0}) SELECT * FROM x",
    "WITH x AS (TABLE {0} LIMIT 2) SELECT y.* FROM x AS y",
    "SELECT DISTINCT * FROM {0}",
    "SELECT * FROM {0} UNION ALL SELECT * FROM {0}",
    "SELECT * FROM {0} WHERE false",
    "SELECT * FROM {0} ORDER BY 1 DESC LIMIT 1",
)


JOINS = (
    "SELECT * FROM things t CROSS JOIN parts p",
    "SELECT * FROM things t, parts p LIMIT 2",
    "SELECT * FROM things t LEFT JOIN parts p ON t.__cubeJoinField = p.__cubeJoinField",
    "SELECT t.*, p.* FROM things t JOIN parts p ON t.part = p.name",
    "SELECT * FROM things t LEFT JOIN (SELECT * FROM parts LIMIT 1) p ON t.id = p.id",
    "SELECT * FROM (SELECT * FROM things t CROSS JOIN parts p) x LIMIT 2",
    "WITH p AS (SELECT * FROM parts) SELECT t.*, p.* FROM things t CROSS JOIN p",
)


@pytest.mark.parametrize("text", JOINS)
@pytest.mark.parametrize("port", ["kinds"], indirect=True)
def test_a_star_over_joined_cubes_is_the_columns_of_both(
    con: Con, shown: dict[str, list[Column]], text: str
) -> None:
    for binary in (False, True):
        assert given(con, text, binary=binary) == shown["things"] + shown["parts"]


@pytest.mark.parametrize("text", STARS)
def test_a_star_is_the_columns_of_the_catalog(con: Con, shown: dict[str, list[Column]], text: str) -> None:
    for table, columns in shown.items():
        for binary in (False, True):
            assert given(con, text.format(table), binary=binary) == columns, table


def test_a_star_with_more_beside_it_keeps_its_types(con: Con, shown: dict[str, list[Column]]) -> None:
    for table, columns in shown.items():
        found = given(con, f"SELECT 7 AS seven, *, x.*, 'a' AS letter FROM {table} x LIMIT 1")
        assert found == [("seven", 23, -1), *columns, *columns, ("letter", 25, -1)]


def test_a_cursor_and_a_prepared_statement_give_the_columns_of_the_catalog(
    con: Con, shown: dict[str, list[Column]]
) -> None:
    for table, columns in shown.items():
        with con.transaction():
            con.execute(f"DECLARE reader CURSOR FOR SELECT * FROM {table}".encode())
            assert given(con, "FETCH 2 FROM reader") == columns
        con.execute(f"PREPARE again AS SELECT * FROM {table} LIMIT 2".encode())
        assert given(con, "EXECUTE again") == columns
        con.execute("DEALLOCATE again")


def test_copy_gives_the_values_of_the_columns(con: Con, shown: dict[str, list[Column]]) -> None:
    for table, columns in shown.items():
        names = ", ".join(f'"{one[0]}"' for one in columns)
        with con.cursor(binary=True) as cursor:
            rows = cursor.execute(f"SELECT * FROM {table} ORDER BY {names}".encode()).fetchall()
        for source in (table, f"(SELECT * FROM {table})"):
            with con.cursor() as cursor, cursor.copy(f"COPY {source} TO STDOUT (FORMAT binary)") as copy:
                copy.set_types([one[1] for one in columns])
                assert sorted(map(repr, copy.rows())) == sorted(map(repr, rows))
        with con.cursor() as cursor, cursor.copy(f"COPY {table} TO STDOUT (FORMAT csv, HEADER)") as copy:
            header = io.BytesIO(b"".join(copy)).readline().decode().rstrip("\n")
        assert header.split(",") == [one[0] for one in columns]


def test_asyncpg_reads_every_column(port: Running, con: Con, shown: dict[str, list[Column]]) -> None:
    """It asks for types by the catalog, and takes values in binary only."""

    async def read() -> dict[str, list[Any]]:
        there = await asyncpg.connect(
            host="127.0.0.1", port=port.port, user="ann", database="shop", password="x"
        )
        try:
            return {table: await there.fetch(f"SELECT * FROM {table} LIMIT 3") for table in shown}
        finally:
            await there.close()

    for table, rows in asyncio.run(read()).items():
        assert rows
        assert [list(row.keys()) for row in rows] == [[one[0] for one in shown[table]]] * len(rows)


DIVIDED = [
    ("SELECT seven / 2 FROM things LIMIT 1", 20, 3),
    ("SELECT MEASURE(sum_of_one) / 3 FROM things", 20, 2),
    ("SELECT MEASURE(sum_by_name) / 3 FROM things", 20, 9),
    ("SELECT SUM(sum_small) / 3 FROM things", 1700, Decimal(28) / 3),
    ("SELECT sum_small / 2 FROM things WHERE id = 3", 20, 1),
    ("SELECT thin / 2 FROM things WHERE id = 3", 701, 1.875),
    ("SELECT MEASURE(avg_small) / 3 FROM things", 701, 4 / 3),
    ("SELECT MEASURE(sum_price) / 2 FROM things", 1700, Decimal("172.76")),
    ("SELECT wide::text FROM things WHERE id = 3", 25, "0.30000000000000004"),
]


@pytest.mark.parametrize(("text", "kind", "value"), DIVIDED)
@pytest.mark.parametrize("port", ["kinds"], indirect=True)
def test_expressions_read_members_by_the_types_of_the_catalog(
    con: Con, text: str, kind: int, value: object
) -> None:
    """As PostgreSQL would with these types: whole numbers are divided as whole numbers."""
    assert [one[1] for one in given(con, text)] == [kind]
    found = con.execute(text.encode()).fetchall()[0][0]
    assert found == (pytest.approx(value) if kind == 1700 else value)


def test_without_postgresql_the_types_are_those_that_the_smaller_catalog_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wheel, "find", lambda: None)
    nobody = Context({}, ("nobody",))
    with (
        kinds(tmp_path) as made,
        whole(made, tmp_path / "sql", lake=nobody) as running,
        psycopg.connect(running.dsn, autocommit=True) as con,
    ):
        shown = catalog(con)
        assert set(shown) == {"everything", "others", "parts", "things", TOTALS}
        for table, columns in shown.items():
            for text in (*STARS[:8], "SELECT * FROM {0} t LEFT JOIN (SELECT 1 AS one) o ON false LIMIT 1"):
                assert given(con, text.format(table))[: len(columns)] == columns, text.format(table)
            over_http = made.service.query_sql(f"SELECT * FROM {table}").columns
            assert [cut(one.name) for one in over_http] == [one[0] for one in columns]


@pytest.mark.parametrize("port", ["kinds"], indirect=True)
def test_types_can_be_asked_for_over_cubes_and_tables(con: Con) -> None:
    text = "SELECT pg_typeof(price), pg_typeof(moment), pg_typeof(count), pg_typeof(is_even) FROM ONLY things LIMIT 1"
    for binary in (False, True):
        with con.cursor(binary=binary) as cursor:
            told = cursor.execute(text.encode()).fetchall()
        assert told == [("numeric", "timestamp without time zone", "bigint", "boolean")]
    text = "SELECT pg_typeof(t.price), pg_typeof(t.day), pg_typeof(t.numbers) FROM ONLY gold.things t LIMIT 1"
    assert con.execute(text.encode()).fetchall() == [("numeric", "date", "bigint[]")]


@pytest.mark.parametrize("port", ["kinds"], indirect=True)
@pytest.mark.parametrize("value", ["t", "row_to_json(t)", "count(t)", "to_jsonb(t)"])
@pytest.mark.parametrize("table", ["things", "gold.things", "(SELECT id FROM things)"])
def test_a_whole_row_is_no_value_and_that_is_said(con: Con, value: str, table: str) -> None:
    with pytest.raises(psycopg.errors.FeatureNotSupported, match="row"):
        con.execute(f"SELECT {value} FROM {table} t".encode())


@pytest.mark.parametrize("port", ["kinds"], indirect=True)
def test_values_are_of_the_types_that_the_model_gives_them(con: Con) -> None:
    names = ["even_as_number", "number_of_text", "number_as_boolean", "text_as_boolean", "span_as_text", "cast_to_digits",
             "latest_letter", "latest_even", "latest_day", "latest_cast", "least_text"]  # fmt: skip
    wanted = (
        1,
        2,
        True,
        True,
        "2 mons 25:00:00",
        Decimal("0.200"),
        "B",
        True,
        date(2026, 2, 1),
        datetime(2026, 2, 1),  # noqa: DTZ001 - it has no zone
        "2",
    )
    for binary in (False, True):
        with con.cursor(binary=binary) as cursor:
            cursor.execute(f"SELECT {', '.join(names)} FROM things WHERE id = 2".encode())
            assert cursor.fetchall() == [wanted]
    measures = ", ".join(f"MEASURE({one})" for one in names[6:])
    told = con.execute(f"SELECT {measures}, MAX(latest_day) FROM things".encode()).fetchall()
    assert told == [("G", True, date(2026, 2, 6), datetime(2026, 2, 6), "1", date(2026, 2, 6))]  # noqa: DTZ001
