"""COPY … TO STDOUT writes what PostgreSQL writes, byte for byte."""

from collections import deque
from collections.abc import Iterator

import psycopg
import pytest

from tests.lake import postgres
from tests.pgwire.answering import HARD, Running, running
from tests.pgwire.raw import SYNC, Client, bind, describe, execute, parse, query, words

FORMS = [
    "",
    "(format text)",
    "(delimiter '|')",
    "(delimiter ' ')",
    "(null 'NULL')",
    "(null '')",
    "(format 'text', delimiter ',', null 'none')",
    "(format csv)",
    "(format csv, header)",
    "(format csv, header true)",
    "(format csv, header false)",
    "(format csv, delimiter ';')",
    "(format csv, delimiter E'\\t', null 'NULL')",
    "(format csv, quote '''')",
    "(format csv, escape '\\')",
    "(format csv, quote '|', escape '\"')",
    "(format csv, force_quote *)",
    "(format csv, force_quote (b), header on)",
    "(format csv, null 'plain')",
    "(format csv, encoding 'UTF8')",
    "(header)",
    "csv",
    "with csv header",
    "csv quote as '''' force quote b",
    "csv force quote *",
    "with delimiter as ';' null as 'x'",
    "binary",
    "(format binary)",
    # what cannot be
    "(format csv, delimiter 'ab')",
    "(delimiter E'\\n')",
    "(null E'\\n')",
    "(delimiter 'a')",
    "(delimiter '\\')",
    "(format csv, delimiter '\"')",
    "(format csv, quote 'ab')",
    "(format csv, escape 'ab')",
    "(quote '|')",
    "(escape '|')",
    "(force_quote *)",
    "(null 'a|b', delimiter '|')",
    "(format binary, header)",
    "(format binary, delimiter ',')",
    "(format binary, null 'x')",
    "(format avro)",
    "(unknown 1)",
    "(format csv, force_quote (nothing))",
    "(format csv",
    "(format csv) more",
    "(encoding 'nothing')",
]


@pytest.fixture(scope="module")
def ours() -> Iterator[Running]:
    with running() as found:
        yield found


@pytest.fixture(scope="module")
def judge() -> Iterator[int]:
    with postgres.server() as url:
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as con:
            con.execute("create role ann login superuser")
            con.execute("create database shop")
        with psycopg.connect(
            url.replace("+psycopg", "").replace("/postgres", "/shop"), autocommit=True
        ) as con:
            con.execute("create table texts (a text, b text)")
            for row in HARD:
                con.execute("insert into texts values (%s, %s)", row)
            con.execute("alter database shop set default_transaction_read_only = on")
            yield con.info.port


def _copied(port: int, sql: str) -> list[str]:
    """What is said, and all that is copied as one."""
    with Client(port) as client:
        client.log_in()
        client.send(query(sql))
        replies = client.until_ready()
    data = b"".join(reply.body for reply in replies if reply.kind == "d")
    shape = [reply.body.hex() for reply in replies if reply.kind == "H"]
    return [repr(data), *shape, *(word for word in words(replies) if word[0] in "CEZ")]


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_a_copy_is_that_of_postgresql(form: str, ours: Running, judge: int) -> None:
    for what in ("(select * from texts)", "texts", "texts (b)"):
        sql = f"copy {what} to stdout {form}"
        assert _copied(ours.port, sql) == _copied(judge, sql), sql


@pytest.mark.slow
@pytest.mark.parametrize(
    "sql",
    [
        "copy texts from stdin",
        "copy texts",
        "copy",
        "copy texts to",
        "copy texts to nowhere",
        "copy (select 1 to stdout",
        "copy (select * from missing_table) to stdout",
        "copy texts (a to stdout",
        "copy (select 1) from stdin",
    ],
)
def test_a_copy_that_cannot_be_is_refused_like_by_postgresql(sql: str, ours: Running, judge: int) -> None:
    assert _copied(ours.port, sql) == _copied(judge, sql)


def test_no_copy_leads_to_a_file_or_a_program(ours: Running) -> None:
    for to in ("'/tmp/x'", "program 'cat'"):
        assert _copied(ours.port, f"copy texts to {to}")[1:] == ["E ERROR 42501", "Z I"]


def test_a_copy_runs_by_the_extended_protocol_too(ours: Running) -> None:
    with Client(ours.port) as client:
        client.log_in()
        client.send(parse("copy (select * from series(2)) to stdout"), describe("S"), bind(), execute(), SYNC)
        found = words(client.until_ready())
    assert found == ["1", "t 0", "n", "2", "H", r"d 0" + "\n", "d 1\n", "c", "C COPY 2", "Z I"]


def test_psycopg_reads_a_copy(ours: Running) -> None:
    with psycopg.connect(ours.dsn) as con, con.cursor() as cursor:
        with cursor.copy("copy (select * from texts) to stdout") as copy:
            assert list(copy.rows()) == HARD
        with cursor.copy("copy (select * from series(20000)) to stdout (format binary)") as copy:
            copy.set_types(["int4"])
            assert list(copy.rows()) == [(n,) for n in range(20_000)]


def test_a_copy_of_many_rows_is_cancelled(ours: Running) -> None:
    with psycopg.connect(ours.dsn, autocommit=True) as con:
        con.execute("set statement_timeout = 100")
        with (
            pytest.raises(psycopg.errors.QueryCanceled),
            con.cursor() as cursor,
            cursor.copy("copy (select * from series(2000000000)) to stdout") as copy,
        ):
            deque(copy, 0)
        assert con.execute("select 1").fetchone() == ("1",)
