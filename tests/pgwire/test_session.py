"""What psycopg sees of the server."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

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


def test_a_session_has_a_number_by_which_its_user_cancels_it(
    con: psycopg.Connection[tuple[object, ...]], server: Running
) -> None:
    with psycopg.connect(server.dsn, autocommit=True) as other:
        for form in (False, True):
            cursor = other.cursor(binary=form)
            own = "select pg_catalog.pg_backend_pid() as pid"
            assert cursor.execute(own, prepare=True).fetchone() == (other.info.backend_pid,)
        ends: list[object] = []

        def work() -> None:
            try:
                other.execute("select sleep(30)")
            except psycopg.errors.QueryCanceled as error:
                ends.append(error.sqlstate)

        thread = threading.Thread(target=work)
        thread.start()
        time.sleep(0.1)
        done = con.execute(f"select pg_cancel_backend({other.info.backend_pid})").fetchone()
        thread.join(5)
        assert (done, ends) == ((True,), ["57014"])
        assert other.execute("select 1").fetchone() == ("1",)
        done = con.execute(f"select pg_terminate_backend({other.info.backend_pid})").fetchone()
        assert done == (True,)
        with pytest.raises(psycopg.errors.AdminShutdown):
            other.execute("select 1")


@pytest.mark.parametrize("binary", [False, True])
def test_sessions_are_cancelled_by_the_name_of_their_program(server: Running, binary: bool) -> None:
    with ExitStack() as stack:
        first, second, third = (
            stack.enter_context(psycopg.connect(server.dsn, application_name=name, autocommit=True))
            for name in ("it's one", "it's one", "another")
        )
        ends: list[str | None] = []

        def sleep(con: psycopg.Connection[tuple[object, ...]]) -> None:
            with pytest.raises(psycopg.errors.QueryCanceled) as raised:
                con.execute("select sleep(20)")
            ends.append(raised.value.sqlstate)

        threads = [threading.Thread(target=sleep, args=(con,)) for con in (first, second)]
        for thread in threads:
            thread.start()
        time.sleep(0.3)
        text = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'it''s one'"
        assert third.execute(text.replace("one", "none").encode(), binary=binary).fetchall() == []
        assert third.execute(text.encode(), binary=binary).fetchall() == [(True,), (True,)]
        for thread in threads:
            thread.join(5)
        assert ends == ["57014", "57014"]


def test_nobody_cancels_what_others_run(con: psycopg.Connection[tuple[object, ...]], server: Running) -> None:
    with psycopg.connect(server.dsn.replace("user=ann", "user=bob")) as other:
        for function in ("pg_cancel_backend", "pg_terminate_backend"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                con.execute(f"select {function}({other.info.backend_pid})")
            assert con.execute(f"select {function}(1)").fetchone() == (False,)
        other.execute("set application_name = 'theirs'")
        named = "select pg_cancel_backend(pid) from pg_stat_activity where application_name = 'theirs'"
        assert con.execute(named).fetchall() == []
        assert other.execute("select 1").fetchone() == ("1",)


def test_a_text_that_nobody_would_write_is_refused(con: psycopg.Connection[tuple[object, ...]]) -> None:
    with pytest.raises(psycopg.errors.ProgramLimitExceeded):
        con.execute("select '" + "x" * 1_000_000 + "'")
    assert con.execute("select '" + "x" * 60_000 + "'").fetchall() == [("'" + "x" * 60_000 + "'",)]


def test_cursors_that_are_read_at_a_time_have_a_limit(server: Running) -> None:
    with psycopg.connect(server.dsn) as con:
        for number in range(100):
            con.execute(f"declare c{number} cursor for select * from series(10)")
            con.execute(f"fetch 1 c{number}")
        con.execute("declare more cursor for select * from series(10)")
        con.execute("savepoint a")
        with pytest.raises(psycopg.errors.ConfigurationLimitExceeded):
            con.execute("fetch 1 more")
        con.execute("rollback to a")
        con.execute("close c7")
        assert con.execute("fetch 1 more").fetchall() == [(0,)]
