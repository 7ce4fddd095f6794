"""The first messages of a connection, cancelling, limits, and how sessions end."""

import socket
import struct
import time
from collections.abc import Iterator
from contextlib import suppress

import psycopg
import pytest

from ingot.pgwire.server import Limits
from tests.pgwire import raw
from tests.pgwire.answering import Running, running
from tests.pgwire.raw import SYNC, Client, bind, describe, execute, parse, query, startup, words

SSL, GSS = struct.pack("!ii", 8, 80877103), struct.pack("!ii", 8, 80877104)


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running() as found:
        yield found


def _key(replies: list[raw.Reply]) -> tuple[int, bytes]:
    (body,) = (reply.body for reply in replies if reply.kind == "K")
    return struct.unpack("!i", body[:4])[0], body[4:]


def _cancel(port: int, process: int, key: bytes) -> bytes:
    """Asks to cancel; gives back what the server says, which is nothing."""
    with Client(port) as client:
        client.send(struct.pack("!iii", 12 + len(key), 80877102, process) + key)
        return client.sock.recv(100)


def _said(replies: list[raw.Reply]) -> tuple[str, str]:
    return replies[-1].fields["S"], replies[-1].fields["C"]


def test_a_client_is_told_what_it_wants_to_know(server: Running) -> None:
    with Client(server.port) as client:
        replies = client.log_in(application_name="me", DateStyle="ISO, DMY")
    told = dict(reply.body[:-1].decode().split("\0") for reply in replies if reply.kind == "S")
    assert told["application_name"] == "me"
    assert told["DateStyle"] == "ISO, DMY"
    assert told["client_encoding"] == told["server_encoding"] == "UTF8"
    assert told["standard_conforming_strings"] == told["integer_datetimes"] == "on"
    assert told["session_authorization"] == "ann"
    assert [word for word in words(replies) if word != "S"] == ["R", "K", "Z I"]
    assert len(_key(replies)[1]) == 4


def test_tls_and_gss_are_declined_where_there_is_none(server: Running) -> None:
    with Client(server.port) as client:
        for request in (SSL, GSS):
            client.send(request)
            assert client.sock.recv(10) == b"N"
        assert words(client.log_in())[-1] == "Z I"


def test_bytes_behind_an_ssl_request_are_refused(server: Running) -> None:
    with Client(server.port) as client:
        client.send(SSL + startup(database="shop"))
        assert _said(client.rest()) == ("FATAL", "08P01")


@pytest.mark.parametrize(("version", "size"), [((3 << 16) | 2, 32), (3 << 16, 4)])
def test_protocol_3_2_has_longer_keys(version: int, size: int, server: Running) -> None:
    with Client(server.port) as client:
        client.send(startup("ann", version, database="shop"))
        assert len(_key(client.until_ready())[1]) == size


def test_a_newer_protocol_and_unknown_options_are_negotiated(server: Running) -> None:
    with Client(server.port) as client:
        client.send(startup("ann", (3 << 16) | 9, database="shop", **{"_pq_.magic": "1"}))
        replies = client.until_ready()
    assert replies[0].kind == "v"
    assert replies[0].body == struct.pack("!ii", (3 << 16) | 2, 1) + b"_pq_.magic\0"
    assert replies[-1].word == "Z I"


@pytest.mark.parametrize(
    ("message", "sqlstate"),
    [
        (startup("ann", 2 << 16, database="shop"), "0A000"),
        (startup("ann", 4 << 16, database="shop"), "0A000"),
        (startup("", database="shop"), "28000"),
        (startup("ann", database="other"), "3D000"),
        (startup("ann", database="shop@"), "3D000"),
        (startup("ann", database="shop@missing"), "3D000"),
        (startup("ann", database="shop", replication="true"), "0A000"),
        (startup("ann", database="shop", client_encoding="LATIN1"), "22023"),
        (startup("ann", database="shop", nothing_at_all="1"), "42704"),
        (startup("ann", database="shop", options="-c nothing_at_all=1"), "42704"),
        (startup("ann", database="shop", options="nonsense"), "42601"),
        (startup("ann", database="shop", options="-c"), "42601"),
        (startup("ann", database="shop", server_version="1"), "55P02"),
        (struct.pack("!ii", 13, 3 << 16) + b"user\0", "08P01"),
        (struct.pack("!ii", 14, 3 << 16) + b"\xff\xfe\0a\0\0", "22021"),
    ],
)
def test_a_start_that_is_not_possible_is_said(message: bytes, sqlstate: str, server: Running) -> None:
    with Client(server.port) as client:
        client.send(message)
        assert _said(client.rest()) == ("FATAL", sqlstate)


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
        struct.pack("!i", 0),
        struct.pack("!i", 7),
        struct.pack("!i", -1),
        struct.pack("!ii", 2**31 - 1, 3 << 16),
        struct.pack("!ii", 10_001 + 4, 3 << 16),
    ],
)
def test_what_is_no_start_of_a_client_is_not_answered(sent: bytes, server: Running) -> None:
    with Client(server.port) as client:
        client.send(sent)
        assert client.rest() == []


def test_settings_may_come_as_options(server: Running) -> None:
    with psycopg.connect(
        f"{server.dsn} options='-c statement_timeout=7s --search_path=a\\\\ b -capplication_name=x'"
    ) as con:
        for name, value in {
            "statement_timeout": "7s",
            "search_path": "a b",
            "application_name": "x",
        }.items():
            assert con.execute(f"show {name}").fetchone() == (value,)
            con.execute(f"set {name} to default")
            assert con.execute(f"show {name}").fetchone() == (value,)


@pytest.mark.parametrize(
    ("database", "ref"),
    [("shop", "main"), ("shop@dev", "dev"), ("shop@run/7", "run/7"), ("postgres", "main"), ("", "main")],
)
def test_the_database_is_the_ref(database: str, ref: str, server: Running) -> None:
    with Client(server.port) as client:
        client.log_in(database=database)
        client.send(query("select ref"))
        assert words(client.until_ready())[1] == f"D {ref}"


def test_set_moves_a_session_to_another_ref_until_it_is_taken_back(server: Running) -> None:
    with Client(server.port) as client:
        client.log_in()
        client.send(parse("select ref", "s"), SYNC, query("set ingot.ref = 'dev'; select ref"))
        assert "D dev" in words(client.until_ready(2))
        client.send(bind("", "s"), execute(), SYNC)
        assert "D dev" in words(client.until_ready())
        client.send(query("begin; set ingot.ref = 'old'; select ref"), query("rollback"), query("select ref"))
        found = words(client.until_ready(3))
        assert [word for word in found if word.startswith("D ")] == ["D old", "D dev"]
        client.send(
            query("set ingot.ref = 'missing'"), query("select ref"), query("reset ingot.ref; select ref")
        )
        found = words(client.until_ready(3))
        assert found[0] == "E ERROR 3D000"
        assert [word for word in found if word.startswith("D ")] == ["D dev", "D main"]


def test_a_cancel_stops_what_runs_within_100_ms(server: Running) -> None:
    for version in (3 << 16, (3 << 16) | 2):
        with Client(server.port) as client:
            client.send(startup("ann", version, database="shop"))
            process, key = _key(client.until_ready())
            client.send(query("select sleep(30)"))
            time.sleep(0.05)
            began = time.perf_counter()
            assert _cancel(server.port, process, key) == b""
            assert words(client.until_ready())[-2:] == ["E ERROR 57014", "Z I"]
            assert time.perf_counter() - began < 0.1
            client.send(query("select 1"))
            assert words(client.until_ready())[-1] == "Z I"


@pytest.mark.slow
def test_a_cancel_stops_a_stream(server: Running) -> None:
    with Client(server.port) as client:
        process, key = _key(client.log_in())
        client.send(query("select * from series(2000000000)"))
        assert client.read() is not None
        _cancel(server.port, process, key)
        began = time.perf_counter()
        replies = client.until_ready()
        assert words(replies[-2:]) == ["E ERROR 57014", "Z I"]
        assert time.perf_counter() - began < 5
        client.send(query("select 1"))
        assert words(client.until_ready()) == ["T 1", "D 1", "C SELECT 1", "Z I"]


def test_a_wrong_key_cancels_nothing(server: Running) -> None:
    with Client(server.port) as client:
        process, key = _key(client.log_in())
        client.send(query("select sleep(0.3)"))
        time.sleep(0.05)
        for wrong in (bytes(4), b"", key + b"x", key[:3], bytes(32)):
            _cancel(server.port, process, wrong)
        _cancel(server.port, process + 1, key)
        assert words(client.until_ready())[-2:] == ["C SELECT 1", "Z I"]


def test_a_cancel_between_statements_is_forgotten(server: Running) -> None:
    with Client(server.port) as client:
        process, key = _key(client.log_in())
        _cancel(server.port, process, key)
        client.send(query("select 1"))
        assert words(client.until_ready())[-2:] == ["C SELECT 1", "Z I"]


def test_a_statement_stops_at_its_timeout(server: Running) -> None:
    with psycopg.connect(server.dsn, autocommit=True) as con:
        con.execute("set statement_timeout = 50")
        began = time.perf_counter()
        with pytest.raises(psycopg.errors.QueryCanceled, match="statement timeout"):
            con.execute("select sleep(30)")
        assert time.perf_counter() - began < 1
        con.execute("reset statement_timeout")
        con.execute("select sleep(0.1)")


def test_the_server_has_a_timeout_that_no_client_lengthens() -> None:
    with (
        running(Limits(statement_seconds=0.1)) as server,
        psycopg.connect(server.dsn, autocommit=True) as con,
    ):
        for value in ("0", "1h"):
            con.execute(f"set statement_timeout = '{value}'")
            with pytest.raises(psycopg.errors.QueryCanceled):
                con.execute("select sleep(30)")


def test_idle_sessions_end_where_the_client_says_so(server: Running) -> None:
    for setting, before, sqlstate in (
        ("idle_session_timeout", "select 1", "57P05"),
        ("idle_in_transaction_session_timeout", "begin", "25P03"),
        ("idle_in_transaction_session_timeout", "begin; selec", "25P03"),
    ):
        with Client(server.port) as client:
            client.log_in()
            client.send(query(f"set {setting} = 50"), query(before))
            client.until_ready(2)
            assert _said(client.rest()) == ("FATAL", sqlstate)


def test_more_clients_than_there_is_room_for_are_refused_with_53300() -> None:
    with running(Limits(connections=2)) as server:
        with Client(server.port) as one, Client(server.port) as two, Client(server.port) as three:
            process, key = _key(one.log_in())
            two.log_in()
            assert _said(three.log_in()) == ("FATAL", "53300")
            one.send(query("select sleep(30)"))
            time.sleep(0.05)
            _cancel(server.port, process, key)
            assert words(one.until_ready())[-2] == "E ERROR 57014"
        assert server.settles()
        with Client(server.port) as four:
            assert words(four.log_in())[-1] == "Z I"


def test_who_does_not_log_in_has_to_go() -> None:
    with running(Limits(login_seconds=0.1)) as server, Client(server.port) as client:
        client.send(b"\0")
        assert _said(client.rest()) == ("FATAL", "08006")


def test_a_message_over_the_limit_ends_the_connection() -> None:
    with running(Limits(message=10_000)) as server:
        with Client(server.port) as client:
            client.log_in()
            client.send(query("select '" + "x" * 9_000 + "'"))
            assert words(client.until_ready())[-1] == "Z I"
            client.send(b"Q" + struct.pack("!i", 1_000_000))
            assert _said(client.rest()) == ("FATAL", "54000")
        with Client(server.port) as client:
            client.log_in()
            client.send(b"Q" + struct.pack("!i", 3))
            assert _said(client.rest()) == ("FATAL", "08P01")


def test_more_rows_than_are_given_are_an_error() -> None:
    with running(Limits(rows=100)) as server, Client(server.port) as client:
        client.log_in()
        client.send(query("select * from series(100)"), query("select * from series(101)"))
        found = words(client.until_ready(2))
        assert "C SELECT 100" in found
        assert found[-2:] == ["E ERROR 53400", "Z I"]


def test_an_unforeseen_error_tells_nothing_and_the_session_goes_on(
    server: Running, caplog: pytest.LogCaptureFixture
) -> None:
    with Client(server.port) as client:
        client.log_in()
        client.send(
            query("select boom"), parse("select boom"), bind(), describe(), execute(), SYNC, query("select 1")
        )
        replies = client.until_ready(3)
    assert [word for word in words(replies) if word.startswith("E")] == ["E ERROR XX000"] * 2
    assert not any(b"secret" in reply.body for reply in replies)
    assert words(replies)[-2:] == ["C SELECT 1", "Z I"]
    assert caplog.text.count("RuntimeError: a bug, with something secret in it") == 2


def test_idle_sessions_hear_that_the_server_stops_and_busy_ones_are_stopped() -> None:
    with (
        running() as server,
        Client(server.port) as idle,
        Client(server.port) as busy,
        Client(server.port) as deaf,
    ):
        for client in (idle, busy, deaf):
            client.log_in()
        busy.send(query("select sleep(30)"))
        deaf.send(query("select wide(1000000)"))
        time.sleep(0.1)
        began = time.perf_counter()
        server.stop(0.2)
        assert time.perf_counter() - began < 1
        assert _said(idle.rest()) == ("FATAL", "57P01")
        assert words(busy.rest()) == ["E FATAL 57P01"]
        assert all(source.closed for source in server.sources)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", server.port), 1)


def test_a_short_statement_ends_before_the_server_does() -> None:
    with running() as server, Client(server.port) as client:
        client.log_in()
        client.send(query("select sleep(0.1)"))
        time.sleep(0.03)
        server.stop(1)
        assert [word for word in words(client.rest()) if word != "S"] == [
            "T 1",
            "D ",
            "C SELECT 1",
            "Z I",
            "E FATAL 57P01",
        ]


@pytest.mark.slow
@pytest.mark.parametrize("abruptly", [True, False])
def test_what_a_client_runs_that_has_gone_is_stopped(abruptly: bool, server: Running) -> None:
    before = len(server.sources)
    client = Client(server.port)
    client.log_in()
    client.send(query("select sleep(30)"))
    time.sleep(0.05)
    if abruptly:
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.sock.close()
    assert server.settles(seconds=4)
    assert server.sources[before].closed
    assert server.sources[before].cancels >= 1
    assert server.server.sessions == 0


def test_a_client_that_says_all_and_then_stops_sending_gets_its_answers(server: Running) -> None:
    with Client(server.port) as client:
        client.send(startup(database="shop"), query("select 1"), query("select 2"))
        client.sock.shutdown(socket.SHUT_WR)
        assert [word for word in words(client.rest()) if word.startswith("D")] == ["D 1", "D 2"]


@pytest.mark.slow
def test_a_client_that_does_not_read_makes_the_server_wait() -> None:
    """Some megabytes are underway at most, whatever the answer's size."""
    with running() as server, Client(server.port) as client:
        client.log_in()
        client.send(query("select wide(100000)"))
        time.sleep(0.5)
        (connection,) = server.server._tasks
        transport = connection.wire.transport
        assert transport is not None
        assert 0 < transport.get_write_buffer_size() < 25_000_000
        replies = client.until_ready()
        assert sum(reply.kind == "D" for reply in replies) == 100_000


def test_a_statement_is_over_at_its_timeout_though_its_client_does_not_read() -> None:
    with running() as server, Client(server.port) as client:
        client.log_in()
        client.send(query("set statement_timeout = 200"), query("select wide(100000)"), query("select 1"))
        time.sleep(0.6)
        assert server.sources[0].open_rows == 0
        found = words(client.until_ready(3))
        assert "E ERROR 57014" in found
        assert found[-3:] == ["D 1", "C SELECT 1", "Z I"]


@pytest.mark.slow
def test_a_connection_ends_though_its_client_does_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingot.pgwire.connection.LINGER", 0.2)
    with running() as server, Client(server.port) as client:
        client.log_in()
        client.send(query("select wide(100000)"))
        (connection,) = server.server._tasks
        wire = connection.wire
        client.sock.shutdown(socket.SHUT_WR)
        end = time.monotonic() + 5
        while not wire.lost and time.monotonic() < end:
            time.sleep(0.02)
        assert wire.lost
        assert server.settles()


def test_a_client_that_only_sends_is_made_to_wait(server: Running) -> None:
    with Client(server.port) as client:
        client.log_in()
        client.send(query("select sleep(0.6)"))
        client.sock.settimeout(0.2)
        sent = 0
        with suppress(TimeoutError):
            while sent < 200_000_000:
                sent += client.sock.send(SYNC * 100_000)
        assert sent < 50_000_000
