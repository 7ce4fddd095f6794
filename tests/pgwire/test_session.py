"""What psycopg sees of the server."""

from collections.abc import Iterator

import psycopg
import pytest

from tests.pgwire.answering import Running, running


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running() as found:
        yield found


@pytest.fixture
def con(server: Running) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with psycopg.connect(server.dsn, autocommit=True) as found:
        yield found


def test_a_statement_is_answered(con: psycopg.Connection[tuple[object, ...]]) -> None:
    assert con.execute("select 1").fetchall() == [("1",)]


def test_rows_stream(con: psycopg.Connection[tuple[object, ...]]) -> None:
    rows = con.execute("select * from series(25000)").fetchall()
    assert rows == [(n,) for n in range(25000)]


def test_rows_are_binary_where_asked(con: psycopg.Connection[tuple[object, ...]]) -> None:
    with con.cursor(binary=True) as cursor:
        assert cursor.execute("select * from series(3)").fetchall() == [(0,), (1,), (2,)]


def test_a_parameter_reaches_the_source(con: psycopg.Connection[tuple[object, ...]]) -> None:
    assert con.execute("select %s", ["a'b"]).fetchall() == [("a'b",)]
