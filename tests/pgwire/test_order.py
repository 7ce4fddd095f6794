"""The order of messages: the same scripts to this server and to a real PostgreSQL, and the same replies."""

from collections.abc import Iterator
from itertools import pairwise

import psycopg
import pytest

from tests.lake import postgres
from tests.pgwire import raw
from tests.pgwire.answering import Running, running
from tests.pgwire.raw import FLUSH, SYNC, Client, bind, close, describe, execute, parse, query, words

pytestmark = pytest.mark.slow

SERIES = "select * from series({})"

SIMPLE = {
    "one": "select 1",
    "empty": "",
    "only semicolons": " ; ;; ",
    "only a comment": "-- nothing",
    "two": "select 1; select 2",
    "two with empty ones": "; select 1;; select 2;",
    "error first": "select * from missing_table; select 1",
    "error last": "select 1; select * from missing_table",
    "rows": SERIES.format(5),
    "no rows": SERIES.format(0),
    "begin": "begin",
    "begin twice": "begin; begin",
    "begin and commit": "begin; select 1; commit",
    "commit alone": "commit",
    "rollback alone": "rollback",
    "commit among others": "select 1; commit; select 2",
    "begin in the middle": "select 1; begin; select 2",
    "error in a block": "begin; select 1/(random()*0)::int; select 1",
    "start": "start transaction isolation level serializable, read only, not deferrable",
    "begin modes": "begin transaction isolation level repeatable read read only",
    "begin wrong mode": "begin isolation level none",
    "chain": "begin; commit and chain",
    "chain alone": "commit and chain",
    "savepoint alone": "savepoint a",
    "release alone": "release a",
    "rollback to alone": "rollback to a",
    "savepoint in implicit": "select 1; savepoint a",
    "savepoints": "begin; savepoint a; savepoint b; rollback to a; release a; commit",
    "unknown savepoint": "begin; rollback to nothing",
    "unknown release": "begin; release savepoint nothing",
    "set": "set application_name = 'x'",
    "set local alone": "set local application_name = 'x'",
    "set local in text": "set local application_name = 'x'; show application_name",
    "set to": "set search_path to public, pg_catalog",
    "set time zone": "set time zone 'Europe/Berlin'",
    "set time zone number": "set time zone -3",
    "set time zone interval": "set time zone interval '+02:00' hour to minute",
    "set time zone local": "set time zone local",
    "set names": "set names 'UTF8'",
    "set unknown": "set nothing_at_all = 1",
    "set unknown zone": "set timezone = 'Mars/Olympus'",
    "set wrong": "set statement_timeout = 'soon'",
    "set custom": "set my.own = 'x'; show my.own",
    "set two": "set statement_timeout = 1, 2",
    "set nothing": "set",
    "set characteristics": "set session characteristics as transaction isolation level serializable",
    "set transaction alone": "set transaction isolation level serializable",
    "set transaction": "begin; set transaction isolation level serializable; show transaction_isolation",
    "set fixed": "set server_version = '1'",
    "set role none": "set role none",
    "set session": "set session application_name to default",
    "reset": "reset application_name",
    "reset all": "reset all",
    "reset unknown": "reset nothing_at_all",
    "show": "show server_encoding",
    "show zone": "show time zone",
    "show unknown": "show nothing_at_all",
    "show isolation": "show transaction isolation level",
    "declare alone": "declare c cursor for select 1",
    "declare in text": "declare c cursor for select 1; fetch c",
    "declare broken": "begin; declare c cursor for select * from missing_table",
    "declare with hold": "declare c cursor with hold for select * from series(3)",
    "cursor": "begin; declare c cursor for select * from series(10); fetch 3 from c; fetch next c; move 2 in c; "
    "fetch all from c; fetch c; close c",
    "forward": "begin; declare c no scroll cursor for select * from series(10); fetch forward 2 c; "
    "fetch forward all in c; move forward all c",
    "cursor twice": "begin; declare c cursor for select 1; declare c cursor for select 1",
    "fetch unknown": "fetch all from nothing",
    "close unknown": "close nothing",
    "close all": "close all",
    "backward": "begin; declare c no scroll cursor for select * from series(3); fetch 2 c; fetch backward 1 c",
    "scroll": "begin; declare c scroll cursor for select * from series(10); fetch 4 c; fetch prior c; fetch first c; "
    "fetch last c; fetch absolute 3 c; fetch relative -1 c; fetch relative 0 c; fetch backward all c; "
    "fetch backward 2 c; fetch absolute -2 c; fetch 5 c; move absolute 0 c; move 3 c; move backward 2 c; fetch 0 c; "
    "fetch absolute 100 c; fetch prior c; fetch -2 c; move last c; move first c; fetch forward 0 c; move -1 c",
    "scroll then all": "begin; declare c scroll cursor for select * from series(10); fetch backward all c; "
    "fetch all c; fetch backward all c; fetch all c; fetch relative 2 c; fetch prior c; fetch prior c",
    "prepare": "prepare p as select 1; execute p; execute p; deallocate p",
    "prepare with a value": "prepare q(text) as select $1; execute q('x'); deallocate all",
    "prepare twice": "prepare p as select 1; prepare p as select 1",
    "execute unknown": "execute nothing",
    "execute too few": "prepare p(text) as select $1; execute p",
    "deallocate unknown": "deallocate nothing",
    "deallocate all": "deallocate prepare all",
    "prepare broken": "prepare p as select * from missing_table",
    "discard": "discard all",
    "discard others": "discard plans; discard sequences; discard temp; discard temporary",
    "discard in a block": "begin; discard all",
    "discard among others": "select 1; discard all",
    "listen": "listen a; unlisten a; unlisten *; notify a; notify a, 'payload'",
    "copy": "copy (select * from series(3)) to stdout",
    "copy csv": "copy (select * from series(3)) to stdout with (format csv, header)",
    "copy old": "copy (select * from series(3)) to stdout with csv header delimiter ';'",
    "copy and more": "select 1; copy (select * from series(2)) to stdout; select 2",
    "copy wrong option": "copy (select 1) to stdout (nothing true)",
    "copy wrong format": "copy (select 1) to stdout (format avro)",
    "copy wrong delimiter": "copy (select 1) to stdout (delimiter 'ab')",
    "copy broken": "copy (select * from missing_table) to stdout",
    "lock alone": "lock table pg_class in access share mode",
    "syntax error in set": "set 1 = 2",
    "syntax error": "selec 1",
    "unterminated": "select 'abc",
    "unterminated name": 'select "abc',
    "unterminated comment": "select 1 /* abc",
    "unterminated dollars": "select $a$ abc $b$",
    "create": "create table t (a int)",
    "create as": "create table t as select 1",
    "drop": "create temp table t (a int)",
    "create view": "create or replace view v as select 1",
    "parameter": "select $1::text",
    "parameter later": "select 1; select $1::text",
    "parameter in copy": "copy (select $1::text) to stdout",
    "parameter in declare": "begin; declare c cursor for select $1::text; fetch c",
    "set constraints": "set constraints all deferred",
    "prepared transaction": "begin; prepare transaction 'x'",
    "show datestyle": "show datestyle; show intervalstyle; show transaction_read_only; show client_encoding",
}

FAILED = "current transaction is aborted"

EXTENDED: dict[str, list[bytes]] = {
    "plain": [parse("select 1"), bind(), describe(), execute(), SYNC],
    "empty": [parse(""), describe("S"), bind(), describe(), execute(), SYNC],
    "two statements": [parse("select 1; select 2"), bind(), execute(), SYNC],
    "trailing semicolon": [parse("select 1;"), bind(), execute(), SYNC],
    "named": [parse("select 1", "a"), describe("S", "a"), bind("b", "a"), describe("P", "b"), execute("b"), SYNC],
    "name twice": [parse("select 1", "a"), parse("select 1", "a"), SYNC],
    "unnamed again": [parse("select 1"), parse("select 2"), bind(), execute(), SYNC],
    "unknown statement": [bind("", "nothing"), execute(), SYNC],
    "unknown portal": [execute("nothing"), SYNC],
    "unknown to describe": [describe("S", "nothing"), SYNC],
    "unknown portal to describe": [describe("P", "nothing"), SYNC],
    "no unnamed": [bind(), SYNC],
    "close unknown": [close("S", "nothing"), close("P", "nothing"), SYNC],
    "close": [parse("select 1", "a"), close("S", "a"), bind("", "a"), SYNC],
    "close portal": [parse("select 1"), bind("p"), close("P", "p"), execute("p"), SYNC],
    "portal twice": [parse("select 1"), bind("p"), bind("p"), SYNC],
    "parameters": [parse("select $1::text"), describe("S"), bind(values=("x",)), execute(), SYNC],
    "null": [parse("select $1::text"), bind(values=(None,)), execute(), SYNC],
    "too few values": [parse("select $1::text"), bind(), execute(), SYNC],
    "too many values": [parse("select 1"), bind(values=("x",)), SYNC],
    "formats": [parse("select $1::text"), bind(values=("x",), formats=(0, 0)), SYNC],
    "wrong format": [parse("select 1"), bind(results=(7,)), execute(), SYNC],
    "too many formats": [parse("select 1"), bind(results=(0, 0)), execute(), SYNC],
    "limit": [parse(SERIES.format(5)), bind(), execute(most=2), execute(most=2), execute(most=2), SYNC],
    "limit exact": [parse(SERIES.format(4)), bind(), execute(most=4), execute(most=4), execute(), SYNC],
    "limit none left": [parse(SERIES.format(0)), bind(), execute(most=4), execute(most=4), SYNC],
    "again after the end": [parse(SERIES.format(2)), bind(), execute(), execute(), SYNC],
    "utility again": [parse("begin"), bind(), execute(), execute(), SYNC],
    "limit over sync": [
        parse(SERIES.format(5)), bind("p"), execute("p", 2), SYNC, execute("p", 2), SYNC,
    ],
    "limit over sync in a block": [
        query("begin"), parse(SERIES.format(5)), bind("p"), execute("p", 2), SYNC, execute("p", 2), SYNC,
        execute("p", 0), SYNC, query("commit"), execute("p"), SYNC,
    ],
    "two portals": [
        query("begin"), parse(SERIES.format(5), "s"), bind("p", "s"), bind("q", "s"), execute("p", 2),
        execute("q", 3), execute("p", 2), execute("q", 3), execute("p", 0), SYNC,
    ],
    "pipeline": [parse("select 1"), bind(), execute(), parse("select 2"), bind(), execute(), SYNC],
    "pipeline with an error": [
        parse("select 1"), bind(), execute(), parse("select 1/(random()*0)::int"), bind(), execute(), parse("select 3"), bind(),
        execute(), SYNC, parse("select 4"), bind(), execute(), SYNC,
    ],
    "error then flush": [parse("select * from missing_table"), FLUSH, SYNC],
    "error then query": [parse("select * from missing_table"), bind(), SYNC, query("select 1")],
    "error in a block": [
        parse("begin"), bind(), execute(), parse("select 1/(random()*0)::int"), bind(), execute(), SYNC,
        parse("select 1"), SYNC, bind(), SYNC, parse("rollback"), bind(), execute(), SYNC,
    ],
    "prepared before the failure": [
        parse("select 1", "a"), query("begin; select 1/(random()*0)::int"), bind("", "a"), SYNC, describe("S", "a"), SYNC,
        parse("commit"), describe("S"), bind(), describe("P"), execute(), SYNC,
    ],
    "failed savepoint": [
        query("begin; savepoint a; select 1/(random()*0)::int"), parse("rollback to a"), bind(), execute(), SYNC, query("select 1"),
        query("commit"),
    ],
    "nothing": [SYNC],
    "two syncs": [SYNC, SYNC],
    "set in a pipeline": [parse("set application_name = 'y'"), describe("S"), bind(), describe(), execute(), SYNC],
    "show": [parse("show server_encoding"), describe("S"), bind(), describe(), execute(), SYNC],
    "show limited": [parse("show server_encoding"), bind(), execute(most=1), execute(most=1), SYNC],
    "declare": [parse("declare c cursor for select 1"), bind(), execute(), SYNC],
    "declare second": [
        parse("select 1"), bind(), execute(), parse("declare c cursor for select 1"), bind(), execute(), SYNC,
    ],
    "cursor": [
        query("begin"), parse("declare c cursor for select * from series(5)"), describe("S"), bind(), execute(), SYNC,
        describe("P", "c"), SYNC, parse("fetch 2 from c"), describe("S"), bind(), describe(), execute(), SYNC,
        execute("c", 2), SYNC, execute("c"), SYNC, close("P", "c"), SYNC,
    ],
    "declare with a value": [
        query("begin"), parse("declare c cursor for select $1::text"), describe("S"), bind(values=("x",)),
        execute(), SYNC, query("fetch all c"),
    ],
    "portal read by sql": [
        query("begin"), parse(SERIES.format(9)), bind("p"), execute("p", 2), SYNC, query("fetch 2 p"),
        query("move 1 p"), execute("p", 2), SYNC, query("fetch absolute 9 p"), query("fetch p"), execute("p"), SYNC,
        query("fetch prior p"),
    ],
    "portal closed by sql": [query("begin"), parse("select 1"), bind("p"), SYNC, query("close p"), execute("p"), SYNC],
    "portal at its end read by sql": [
        query("begin"), parse(SERIES.format(3)), bind("p"), execute("p"), SYNC, query("fetch p"), query("move all p"),
    ],
    "cursor read to its end by the protocol": [
        query("begin; declare c cursor for select * from series(3)"), execute("c"), SYNC, query("fetch c"),
        execute("c"), SYNC,
    ],
    "scroll cursor read by the protocol": [
        query("begin; declare c scroll cursor for select * from series(5)"), execute("c", 2), SYNC, query("fetch c"),
        execute("c"), SYNC, query("fetch backward 2 c"), query("fetch first c"), execute("c", 1), SYNC,
    ],
    "binary fetch": [
        query("begin; declare c binary cursor for select * from series(5)"), query("fetch 2 c"), SYNC,
    ],
    "fetch limited": [
        query("begin; declare c cursor for select * from series(5)"), parse("fetch all c"), bind(), execute(most=2),
        execute(most=2), execute(most=2), SYNC,
    ],
    "execute by sql": [
        query("prepare p as select * from series(3)"), parse("execute p"), describe("S"), bind(), describe(),
        execute(), SYNC, describe("S", "p"), SYNC, bind("", "p"), execute(), SYNC,
    ],
    "copy": [parse("copy (select * from series(3)) to stdout"), describe("S"), bind(), describe(), execute(), SYNC],
    "query forgets the unnamed": [parse("select 1"), query("select 2"), bind(), SYNC],
    "query closes the unnamed portal": [
        query("begin"), parse("select 1"), bind(), query("select 2"), execute(), SYNC,
    ],
    "commit ends portals": [
        query("begin"), parse(SERIES.format(5)), bind("p"), execute("p", 1), parse("commit"), bind(), execute(),
        execute("p"), SYNC,
    ],
    "hold": [
        query("begin; declare c cursor with hold for select * from series(5)"), query("fetch 2 c"), query("commit"),
        query("fetch 2 c"), query("close c"), query("fetch c"),
    ],
    "hold rolled back": [
        query("begin; declare c cursor with hold for select * from series(5)"), query("rollback"), query("fetch c"),
    ],
    "hold in autocommit": [
        query("declare c cursor with hold for select * from series(5)"), query("fetch 2 c"), query("select 1/(random()*0)::int"),
        query("fetch all c"), query("close all"), query("fetch c"),
    ],
    "savepoint and cursors": [
        query("begin; declare a cursor for select * from series(5); savepoint s; declare b cursor for select 1"),
        query("rollback to s"), query("fetch a"), query("fetch b"), query("rollback"),
    ],
    "released savepoint and cursors": [
        query("begin; savepoint s; declare b cursor for select * from series(5); release s"), query("fetch b"),
        query("commit"),
    ],
    "error closes portals": [
        query("begin"), parse(SERIES.format(5)), bind("p"), execute("p", 1), SYNC, query("savepoint s"),
        query("select 1/(random()*0)::int"), query("rollback to s"), execute("p", 1), SYNC,
    ],
    "copy messages in idle": [raw.message("d", b"x"), raw.message("c"), raw.message("f", b"x\0"), query("select 1")],
    "short parse": [raw.message("P", b"a"), SYNC, query("select 1")],
    "short bind": [parse("select 1"), raw.message("B", b"\0\0\0\5"), SYNC, query("select 1")],
    "describe what": [raw.message("D", b"X\0"), SYNC, query("select 1")],
    "close what": [raw.message("C", b"X\0"), SYNC, query("select 1")],
    "unknown message": [raw.message("?", b""), query("select 1")],
    "terminate": [raw.TERMINATE, query("select 1")],
    "prepared survives a rollback": [
        query("begin"), parse("select 1", "a"), SYNC, query("rollback"), bind("", "a"), execute(), SYNC,
    ],
    "set is taken back": [
        query("begin; set application_name = 'z'; rollback"), query("show application_name"),
    ],
    "bytes that are no text": [raw.message("Q", b"select '\xff'\0"), query("select 1")],
}  # fmt: skip


@pytest.fixture(scope="module")
def ours() -> Iterator[Running]:
    with running() as found:
        yield found


@pytest.fixture(scope="module")
def judge() -> Iterator[int]:
    """The port of a real PostgreSQL that only reads, with the tables that the scripts ask for."""
    with postgres.server() as url:
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as con:
            con.execute("create role ann login")
            con.execute("create database shop")
        with psycopg.connect(
            url.replace("+psycopg", "").replace("/postgres", "/shop"), autocommit=True
        ) as con:
            con.execute(
                "create function series(int) returns table(n int) language sql as 'select generate_series(0, $1 - 1)'"
            )
            con.execute("alter database shop set default_transaction_read_only = on")
            con.execute("alter database shop set timezone = 'UTC'")
            yield con.info.port


def _replies(port: int, messages: list[bytes]) -> list[str]:
    with Client(port) as client:
        client.log_in()
        client.send(*messages, raw.TERMINATE)
        replies = client.rest()
    found = [word for word in words(replies) if word != "S"]
    told = [_told(reply) for reply in replies if reply.kind in "EN"]
    # PostgreSQL says the columns before it finds out that a statement fails.
    kept = [
        word
        for word, following in pairwise([*found, ""])
        if not (word.startswith("T") and following.startswith("E"))
    ]
    return [*kept, *told]


def _told(reply: raw.Reply) -> str:
    """An error's or a notice's words and place."""
    return f"{reply.fields['M']} {reply.fields.get('P')} {reply.fields.get('D')}"


@pytest.mark.parametrize("name", SIMPLE)
def test_a_text_is_answered_like_postgresql(name: str, ours: Running, judge: int) -> None:
    script = [query(SIMPLE[name])]
    assert _replies(ours.port, script) == _replies(judge, script)


@pytest.mark.parametrize("name", EXTENDED)
def test_messages_are_answered_like_postgresql(name: str, ours: Running, judge: int) -> None:
    assert _replies(ours.port, EXTENDED[name]) == _replies(judge, EXTENDED[name])
