"""Messages in any order, of any length, cut off anywhere: no crash, no hang, nothing left behind."""

import struct
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingot.pgwire.server import Limits
from tests.pgwire import raw
from tests.pgwire.answering import Running, running
from tests.pgwire.raw import Client, bind, close, describe, execute, parse, query

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running(Limits(message=100_000, login_seconds=1)) as found:
        yield found


_SQL = st.sampled_from(
    [
        "", ";", "select 1", "select * from series(5)", "select $1", "begin", "commit", "rollback", "savepoint a",
        "rollback to a", "release a", "declare c cursor for select * from series(5)", "fetch 2 c", "fetch all c",
        "declare s scroll cursor with hold for select * from series(5)", "fetch last s", "fetch backward 2 s",
        "move -1 s", "close c", "close all", "set application_name = 'x'", "set local timezone = 'Europe/Rome'",
        "show timezone", "reset all", "discard all", "prepare a as select 1", "execute a", "deallocate all",
        "copy (select * from series(3)) to stdout", "copy (select * from series(3)) to stdout (format binary)",
        "select 1/(random()*0)::int", "select * from missing_table", "selec", "select 'x", "set ingot.ref = 'dev'",
        "select 1; begin; select 2", "begin; select 1/(random()*0)::int", "insert into t values (1)", "select boom",
    ]
)  # fmt: skip
_NAME = st.sampled_from(["", "a", "c", "s"])
_FORMATS = st.lists(st.sampled_from([0, 1, 7]), max_size=2).map(tuple)
_ORDERLY = st.one_of(
    _SQL.map(query),
    st.builds(parse, _SQL, _NAME, st.lists(st.sampled_from([0, 23, 25, 2**31 - 1]), max_size=2).map(tuple)),
    st.builds(
        bind,
        _NAME,
        _NAME,
        st.lists(st.none() | st.text(max_size=3), max_size=2).map(tuple),
        _FORMATS,
        _FORMATS,
    ),
    st.builds(describe, st.sampled_from("SPX"), _NAME),
    st.builds(execute, _NAME, st.sampled_from([0, 1, 2, -1, 2**31 - 1])),
    st.builds(close, st.sampled_from("SPX"), _NAME),
    st.sampled_from([raw.SYNC, raw.FLUSH]),
)
_RANDOM = st.builds(raw.message, st.sampled_from("QPBDECSHFdcfpX?\0"), st.binary(max_size=40))
_LYING = st.builds(
    lambda kind, size, body: kind + struct.pack("!i", size) + body,
    st.binary(min_size=1, max_size=1),
    st.integers(-(2**31), 2**31 - 1) | st.integers(0, 40),
    st.binary(max_size=60),
)
_CALM = settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)


def _is_well(server: Running) -> None:
    """Another client is served, and of the one before nothing is left."""
    assert server.settles(), "a connection was left behind"
    assert server.server.sessions == 0
    assert all(source.closed for source in server.sources)
    assert all(source.open_rows == 0 for source in server.sources)
    server.sources.clear()
    with Client(server.port) as client:
        client.log_in()
        client.send(query("select 1"), raw.TERMINATE)
        assert raw.words(client.rest())[-2:] == ["C SELECT 1", "Z I"]


@given(st.lists(_ORDERLY, max_size=25))
@_CALM
def test_any_order_of_messages_ends_with_a_server_that_is_ready(
    server: Running, messages: list[bytes]
) -> None:
    with Client(server.port) as client:
        client.log_in()
        client.send(*messages, raw.SYNC, query("select 'the end'"), raw.TERMINATE)
        replies = client.rest()
    # Each Query and Sync is answered by one ReadyForQuery, whatever stands between.
    wanted = sum(message[:1] in (b"Q", b"S") for message in messages) + 2
    assert sum(reply.kind == "Z" for reply in replies) == wanted
    _is_well(server)


@given(st.lists(_ORDERLY | _RANDOM | _LYING, max_size=12), st.booleans())
@_CALM
def test_nonsense_is_answered_or_ends_the_connection(
    server: Running, messages: list[bytes], shut: bool
) -> None:
    with Client(server.port) as client:
        client.log_in()
        client.send(*messages)
        if shut:
            client.sock.shutdown(1)
            client.rest()
    _is_well(server)


@given(st.lists(_ORDERLY, min_size=1, max_size=10), st.floats(0, 1))
@_CALM
def test_a_client_may_break_off_anywhere(server: Running, messages: list[bytes], part: float) -> None:
    sent = raw.startup(database="shop") + b"".join(messages)
    with Client(server.port) as client:
        client.send(sent[: int(len(sent) * part)])
    _is_well(server)


@given(st.binary(max_size=200))
@_CALM
def test_any_first_bytes_are_survived(server: Running, sent: bytes) -> None:
    with Client(server.port) as client:
        client.send(sent)
    _is_well(server)


@given(
    st.binary(max_size=60),
    st.sampled_from([3 << 16, (3 << 16) | 2, (3 << 16) | 99, 80877102, 80877103, 80877104]),
)
@_CALM
def test_any_start_is_survived(server: Running, body: bytes, code: int) -> None:
    with Client(server.port) as client:
        client.send(struct.pack("!ii", len(body) + 8, code) + body)
    _is_well(server)


def test_an_endless_message_costs_no_more_than_the_limit(server: Running) -> None:
    with Client(server.port) as client:
        client.log_in()
        client.send(b"Q" + struct.pack("!i", 99_000) + b"select '" + b"x" * 50_000)
        assert server.settles(1)
        (connection,) = server.server._tasks
        assert connection.wire.waiting < 100_000
    _is_well(server)
