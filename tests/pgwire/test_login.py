"""Who gets in at the SQL port, and what everybody else hears: of real clients, by hand, and as PostgreSQL has it."""

import asyncio
import base64
import hashlib
import hmac
import logging
import os
import shutil
import socket
import ssl
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]
import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import sql

from ingot.errors import IngotError
from ingot.pgwire import door
from ingot.pgwire.attempts import FREE, LONGEST, MOST_USER, WINDOW, Attempts
from ingot.pgwire.certificate import signature_hash
from ingot.pgwire.errors import PgError
from ingot.pgwire.server import Limits
from ingot.pgwire.tls import Certificate
from ingot.project.verifier import Verifier
from tests.pgwire import certificates
from tests.pgwire.answering import Running
from tests.pgwire.certificates import Files
from tests.pgwire.clients.missing import missing
from tests.pgwire.logins import USERS, Talk, initial, judge, ours, proof, users_text, verifiers
from tests.pgwire.raw import Reply, startup

PLAIN, PLUS = b"SCRAM-SHA-256", b"SCRAM-SHA-256-PLUS"


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return certificates.made(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, tls: Files) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("users")
    (folder / "users.yml").write_text(users_text(verifiers()))
    with ours(folder, tls, limits=Limits(login_seconds=5)) as found:
        yield found


@pytest.fixture(autouse=True)
def _without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wrong logins of one test do not slow down the next."""
    monkeypatch.setattr("ingot.pgwire.attempts.WINDOW", 0.0)


def connect(port: int, user: str = "ann", password: str = "pencil", **more: Any) -> psycopg.Connection[Any]:
    more = {"sslmode": "disable", **more}
    return psycopg.connect(host="localhost", port=port, user=user, password=password, dbname="shop", **more)


@pytest.mark.parametrize("user", USERS)
def test_everybody_logs_in_with_his_password_and_nobody_with_another(server: Running, user: str) -> None:
    with connect(server.port, user, USERS[user]) as con:
        assert con.execute("select hello").fetchone() == ("hello",)
    context = server.sources[-1].info.context
    assert dict(context.security) == {"user": user, "country": "IT"}
    assert context.groups == ("sales",)
    for wrong in (USERS[user] + "x", USERS[user][:-1], " "):
        with pytest.raises(psycopg.OperationalError, match="password authentication failed for user"):
            connect(server.port, user, wrong)


def test_a_password_is_found_however_its_characters_are_composed(server: Running) -> None:
    with connect(server.port, "jürgen", "pa\u0308sswo\u0308rd IX  ") as con:
        assert con.info.user == "jürgen"


@pytest.mark.parametrize("user", USERS)
def test_asyncpg_logs_in(server: Running, user: str) -> None:
    async def run() -> None:
        con = await asyncpg.connect(
            host="127.0.0.1", port=server.port, user=user, password=USERS[user], database="shop", ssl=False
        )
        await con.close()
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(
                host="127.0.0.1", port=server.port, user=user, password="x", database="shop", ssl=False
            )

    asyncio.run(run())


@pytest.mark.parametrize("more", [{}, {"channel_binding": "require"}, {"channel_binding": "disable"}])
def test_tls_is_checked_to_the_end_and_bound_to_the_login(
    server: Running, tls: Files, more: dict[str, str]
) -> None:
    for mode in ("require", "verify-full"):
        with connect(server.port, sslmode=mode, sslrootcert=str(tls.certificate), **more) as con:
            assert con.execute("select hello").fetchone() == ("hello",)
            assert con.pgconn.ssl_in_use


@pytest.mark.parametrize("more", [{}, {"channel_binding": "require"}])
def test_a_client_may_begin_with_tls(server: Running, tls: Files, more: dict[str, str]) -> None:
    told = {"sslmode": "verify-full", "sslrootcert": str(tls.certificate), "sslnegotiation": "direct"}
    for _ in range(10):
        with connect(server.port, **told, **more) as con:
            assert con.execute("select hello").fetchone() == ("hello",)


@pytest.mark.slow
@pytest.mark.parametrize("negotiation", ["postgres", "direct"])
def test_rows_and_cancelling_go_through_tls(server: Running, negotiation: str) -> None:
    with connect(
        server.port, sslmode="require", sslnegotiation=negotiation, channel_binding="require"
    ) as con:
        assert len(con.execute("select * from series(50000)").fetchall()) == 50_000
        timer = threading.Timer(0.1, con.cancel_safe)
        timer.start()
        started = time.monotonic()
        with pytest.raises(psycopg.errors.QueryCanceled):
            con.execute("select sleep(10)")
        assert time.monotonic() - started < 3
        timer.join()


@pytest.mark.parametrize("names", [None, ["http/1.1"]])
def test_who_begins_with_tls_says_that_he_means_postgresql(server: Running, names: list[str] | None) -> None:
    """So that nobody lets a browser's request end here (as PostgreSQL 17)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if names is not None:
        context.set_alpn_protocols(names)
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=5) as plain,
        context.wrap_socket(plain) as sock,
    ):
        with suppress(ConnectionError):
            sock.sendall(startup("ann", database="shop"))
        with suppress(ConnectionError):
            assert sock.recv(1) == b""


@pytest.mark.parametrize("rest", [b"", b"\x03\x01\x00\x05abcde", b"\x03\x01\xff\xff" + b"x" * 70_000])
def test_what_only_begins_like_tls_is_hung_up_on(server: Running, rest: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as plain:
        with suppress(ConnectionError):
            plain.sendall(b"\x16" + rest)
            plain.shutdown(socket.SHUT_WR)
        with suppress(ConnectionError):
            while plain.recv(1000):
                pass
    connect(server.port).close()


def test_channel_binding_needs_tls(server: Running) -> None:
    with pytest.raises(psycopg.OperationalError, match="channel binding"):
        connect(server.port, channel_binding="require")


def test_old_tls_is_not_spoken(server: Running) -> None:
    with pytest.raises(psycopg.OperationalError):
        connect(
            server.port,
            sslmode="require",
            ssl_max_protocol_version="TLSv1.1",
            ssl_min_protocol_version="TLSv1",
        )


def test_psql_logs_in_over_tls(server: Running, tls: Files) -> None:
    if shutil.which("psql") is None:
        missing("psql is not installed")
    told = f"host=localhost port={server.port} user=ann dbname=shop sslmode=verify-full sslrootcert={tls.certificate}"
    for password, code in (("pencil", 0), ("pen", 2)):
        done = subprocess.run(
            ["psql", f"{told} channel_binding=require", "-Atc", "select hello"],
            env={**os.environ, "PGPASSWORD": password},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code
        assert done.stdout == ("hello\n" if code == 0 else "")


@pytest.mark.parametrize(
    ("kind", "signed"),
    [
        ("rsa", "sha384"),
        ("rsa", "sha512"),
        ("rsa", "sha224"),
        ("pss", "sha512"),
        ("pss", "sha256"),
        ("ec", "sha384"),
    ],
)
def test_binding_uses_the_hash_that_the_certificate_is_signed_with(
    tmp_path: Path, kind: str, signed: str
) -> None:
    files = certificates.made(tmp_path, kind=kind, signed=signed)
    assert signature_hash(files.der) == signed
    (tmp_path / "users.yml").write_text(users_text({"ann": str(Verifier.of("pencil"))}))
    with ours(tmp_path, files) as found, connect(found.port, sslmode="require", channel_binding="require"):
        pass


def test_a_certificate_without_a_hash_of_its_own_is_not_bound_to(tmp_path: Path) -> None:
    files = certificates.made(tmp_path, kind="ed25519")
    assert signature_hash(files.der) is None
    (tmp_path / "users.yml").write_text(users_text({"ann": str(Verifier.of("pencil"))}))
    with ours(tmp_path, files) as found, connect(found.port, sslmode="require") as con:
        assert con.pgconn.ssl_in_use


@pytest.mark.parametrize("cut", [0, 1, 5, 50, 300])
def test_what_is_no_certificate_has_no_hash(tls: Files, cut: int) -> None:
    assert signature_hash(tls.der[:cut]) is None


# --- as PostgreSQL


@pytest.fixture(scope="module")
def real(tls: Files) -> Iterator[tuple[int, Any]]:
    with judge(tls) as found:
        yield found


@pytest.mark.slow
@pytest.mark.parametrize("user", USERS)
def test_verifiers_of_postgresql_and_ours_are_the_same_thing(
    real: tuple[int, Any], tmp_path: Path, user: str
) -> None:
    port, owner = real
    row = owner.execute("SELECT rolpassword FROM pg_authid WHERE rolname = %s", [user]).fetchone()
    theirs, password = row[0], USERS[user]
    (tmp_path / "users.yml").write_text(users_text({user: theirs}))
    with ours(tmp_path) as found, connect(found.port, user, password):
        pass
    owner.execute(
        "UPDATE pg_authid SET rolpassword = %s WHERE rolname = %s", [str(Verifier.of(password)), user]
    )
    with connect(port, user, password):
        pass
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connect(port, user, password + "x")


_odd = st.sampled_from(
    "\u00a0\u00ad\u200b\u2028\u0627\u05d0\u0221\u2168\ufb01\u0301\ufffd\u0600\ue000\U000e0001\ufeff1aé "
)


@pytest.mark.slow
@given(
    st.text(
        st.one_of(st.characters(codec="utf-8", exclude_characters="\0"), _odd),
        min_size=1,
        max_size=8,
    )
)
@settings(max_examples=150)
def test_any_password_has_the_verifier_that_postgresql_makes_of_it(
    real: tuple[int, Any], password: str
) -> None:
    owner = real[1]
    owner.execute(sql.SQL("ALTER ROLE ingot PASSWORD {}").format(sql.Literal(password)))
    row = owner.execute("SELECT rolpassword FROM pg_authid WHERE rolname = 'ingot'").fetchone()
    theirs = Verifier.read(row[0])
    assert theirs is not None
    assert theirs.fits(password)
    assert Verifier.of(password, salt=theirs.salt) == theirs


@pytest.mark.slow
def test_salts_and_iterations_of_postgresql_are_taken(real: tuple[int, Any], tmp_path: Path) -> None:
    (tmp_path / "users.yml").write_text(
        users_text({"ann": str(Verifier.of("pencil", iterations=12_345, salt=b"short"))})
    )
    with ours(tmp_path) as found, connect(found.port):
        pass


def final(challenge: bytes, bare: bytes, bound: bytes = b"biws", password: str = "pencil") -> bytes:
    """The right last message, or one with another binding or password."""
    without = b"c=" + bound + b"," + challenge.split(b",")[0]
    return without + b",p=" + proof(password, challenge, bare, without)


FIRSTS = {
    "nothing": b"",
    "a zero": b"n,,n=,r=a\0b",
    "only a zero": b"\0",
    "unknown flag": b"x,,n=,r=abc",
    "no comma": b"nn,n=,r=abc",
    "another identity": b"n,a=root,n=,r=abc",
    "no second comma": b"n,n=,r=abc",
    "an extension": b"n,,m=x,n=,r=abc",
    "no name": b"n,,r=abc",
    "no equals": b"n,,n,r=abc",
    "no nonce": b"n,,n=",
    "another attribute": b"n,,n=,x=abc",
    "odd nonce": b"n,,n=,r=a b",
    "odd attribute": b"n,,n=,r=abc,1=x",
    "attribute without a value": b"n,,n=,r=abc,x",
    "high byte": b"\xff,,n=,r=abc",
    "flag y": b"y,,n=,r=abc",
    "binding without PLUS": b"p=tls-server-end-point,,n=,r=abc",
    "unknown binding": b"p=tls-unique,,n=,r=abc",
    "odd binding": b"p=\xff,,n=,r=abc",
    "end after the flag": b"n",
    "long": b"n,,n=,r=" + b"a" * 900,
}
LASTS = {
    "right": lambda challenge: final(challenge, b"n=,r=abc"),
    "wrong password": lambda challenge: final(challenge, b"n=,r=abc", password="pen"),
    "another binding": lambda challenge: final(challenge, b"n=,r=abc", b"eSws"),
    "odd binding": lambda challenge: final(challenge, b"n=,r=abc", b"AAAA"),
    "another nonce": lambda challenge: final(challenge, b"n=,r=abc").replace(b"r=abc", b"r=abd"),
    "no proof": lambda challenge: final(challenge, b"n=,r=abc").split(b",p=")[0],
    "short proof": lambda challenge: final(challenge, b"n=,r=abc")[:-5],
    "odd proof": lambda challenge: final(challenge, b"n=,r=abc")[:-5] + b"!!!!=",
    "garbage": lambda challenge: final(challenge, b"n=,r=abc") + b",x=y",
    "extension before the proof": lambda challenge: final(challenge, b"n=,r=abc").replace(b",p=", b",x=y,p="),
    "nothing": lambda _: b"",
    "a zero": lambda _: b"c=biws,r=\0",
    "no attribute": lambda _: b"xyz",
}  # fmt: skip


def heard(reply: Reply | None, user: str = "ann") -> Any:
    """What matters of a reply."""
    if reply is None:
        return "gone"
    if reply.kind == "E":
        return {key: value for key, value in reply.fields.items() if key in "SVCMD"}
    code = struct.unpack("!i", reply.body[:4])[0]
    return (reply.kind, code, reply.body[4:] if code == 10 else b"")


def first_of(port: int, mechanism: bytes, said: bytes | None, *, tls: bool) -> list[Any]:
    with Talk(port, tls=tls) as talk:
        told = [heard(talk.hear())]
        talk.say(initial(mechanism, said))
        told.append(heard(talk.hear()))
        return told


@pytest.mark.slow
@pytest.mark.parametrize("encrypted", [False, True])
@pytest.mark.parametrize("mechanism", [PLAIN, PLUS, b"SCRAM-SHA-1", b""])
@pytest.mark.parametrize("said", FIRSTS.values(), ids=FIRSTS)
def test_first_messages_are_answered_as_by_postgresql(
    real: tuple[int, Any], server: Running, said: bytes, mechanism: bytes, encrypted: bool
) -> None:
    theirs = first_of(real[0], mechanism, said, tls=encrypted)
    assert first_of(server.port, mechanism, said, tls=encrypted) == theirs


@pytest.mark.slow
@pytest.mark.parametrize("last", LASTS.values(), ids=LASTS)
def test_last_messages_are_answered_as_by_postgresql(
    real: tuple[int, Any], server: Running, last: Any
) -> None:
    told = []
    for port in (real[0], server.port):
        with Talk(port) as talk:
            talk.hear()
            talk.say(initial(PLAIN, b"n,,n=,r=abc"))
            challenge = talk.hear()
            assert challenge is not None
            talk.say(last(challenge.body[4:]))
            told.append(heard(talk.hear()))
    assert told[1] == told[0]


BODIES = {
    "no zero": (b"SCRAM-SHA-256", "p"),
    "no length": (b"SCRAM-SHA-256\0", "p"),
    "short length": (b"SCRAM-SHA-256\0\0\0", "p"),
    "too long a length": (b"SCRAM-SHA-256\0\0\0\0\x20n,,n=,r=abc", "p"),
    "too short a length": (b"SCRAM-SHA-256\0\0\0\0\x03n,,n=,r=abc", "p"),
    "nothing and something": (b"SCRAM-SHA-256\0\xff\xff\xff\xffabc", "p"),
    "a query": (b"select 1\0", "Q"),
    "nothing": (b"", "p"),
}


@pytest.mark.slow
@pytest.mark.parametrize(("body", "kind"), BODIES.values(), ids=BODIES)
def test_broken_messages_are_refused_as_by_postgresql(
    real: tuple[int, Any], server: Running, body: bytes, kind: str
) -> None:
    told = []
    for port in (real[0], server.port):
        with Talk(port) as talk:
            talk.hear()
            talk.say(body, kind)
            told.append(heard(talk.hear()))
    assert told[1] == told[0]


@pytest.mark.slow
def test_who_is_not_there_hears_what_postgresql_says(real: tuple[int, Any], server: Running) -> None:
    for user in ("ann", "nobody", 'no"body', "x" * 60):
        told = []
        for port in (real[0], server.port):
            with pytest.raises(psycopg.OperationalError) as caught:
                connect(port, user, "wrong")
            told.append(str(caught.value).partition("FATAL")[2].strip())
        assert told[0] == told[1]
        assert told[0] == f':  password authentication failed for user "{user}"'


# --- who is not there


def _challenge(port: int, user: str) -> tuple[bytes, dict[bytes, bytes]]:
    with Talk(port, user) as talk:
        offered = talk.hear()
        talk.say(initial(PLAIN, b"n,,n=,r=abc"))
        reply = talk.hear()
        assert offered is not None
        assert reply is not None
        return offered.body, dict(part.split(b"=", 1) for part in reply.body[4:].split(b","))


def test_who_is_not_there_cannot_be_told_from_who_is(server: Running) -> None:
    known, unknown = _challenge(server.port, "ann"), _challenge(server.port, "nobody")
    assert known[0] == unknown[0]
    assert [(key, len(value)) for key, value in known[1].items()] == [
        (key, len(value)) for key, value in unknown[1].items()
    ]
    assert known[1][b"i"] == unknown[1][b"i"]
    assert _challenge(server.port, "nobody")[1][b"s"] == unknown[1][b"s"]
    assert _challenge(server.port, "nobody2")[1][b"s"] != unknown[1][b"s"]


def test_made_up_iterations_are_those_of_most_users(tmp_path: Path) -> None:
    made = {name: str(Verifier.of("x", iterations=5000)) for name in "abc"} | {"d": str(Verifier.of("x"))}
    (tmp_path / "users.yml").write_text(users_text(made))
    with ours(tmp_path) as found:
        assert _challenge(found.port, "nobody")[1][b"i"] == b"5000"


def test_made_up_salts_outlast_the_server(tmp_path: Path) -> None:
    first = door.server_secret(tmp_path / "state")
    assert len(first) == 32
    assert door.server_secret(tmp_path / "state") == first
    assert (tmp_path / "state" / "login.key").stat().st_mode & 0o777 == 0o600
    (tmp_path / "state" / "login.key").write_bytes(b"cut")
    assert len(door.server_secret(tmp_path / "state")) == 32


def test_which_databases_there_are_is_told_to_users_only(server: Running) -> None:
    where: dict[str, Any] = {
        "host": "localhost",
        "port": server.port,
        "dbname": "other",
        "sslmode": "disable",
        "user": "ann",
    }
    for password, said in (
        ("wrong", "password authentication failed"),
        ("pencil", 'database "other" does not exist'),
    ):
        with pytest.raises(psycopg.OperationalError, match=said):
            psycopg.connect(**where, password=password)


# --- how often


def test_failures_slow_down_and_then_shut_out_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingot.pgwire.attempts.WINDOW", WINDOW or 60.0)
    now = 1000.0
    attempts = Attempts(lambda: now)
    waits = [attempts.failed("10.0.0.1", "ann") for _ in range(MOST_USER)]
    assert waits[:FREE] == [0.0] * FREE
    assert waits[FREE : FREE + 3] == [0.25, 0.5, 1.0]
    assert max(waits) == LONGEST
    assert attempts.wait("10.0.0.1", "ann") > 50
    assert attempts.wait("10.0.0.1", "bob") == 0
    assert attempts.wait("10.0.0.2", "ann") == 0
    now += 61
    assert attempts.wait("10.0.0.1", "ann") == 0
    assert attempts.failed("10.0.0.1", "ann") == 0


def test_one_address_cannot_try_all_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingot.pgwire.attempts.WINDOW", 60.0)
    attempts = Attempts(lambda: 1000.0)
    for number in range(20_000):
        attempts.failed("10.0.0.1", f"user{number}")
    assert attempts.wait("10.0.0.1", "ann") > 0
    assert attempts.wait("10.0.0.2", "ann") == 0
    assert len(attempts._failed) <= 10_000


def test_who_fails_too_often_is_refused_before_his_password_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingot.pgwire.attempts.WINDOW", 60.0)
    monkeypatch.setattr("ingot.pgwire.attempts.STEP", 0.0)
    (tmp_path / "users.yml").write_text(users_text(verifiers()))
    with ours(tmp_path) as found:
        for user in ("ann", "nobody"):
            for _ in range(MOST_USER):
                with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
                    connect(found.port, user, "wrong")
            with pytest.raises(psycopg.OperationalError, match="too many failed logins"):
                connect(found.port, user, "pencil")
        with connect(found.port, "李", USERS["李"]):
            pass


def test_guessing_at_the_same_time_is_no_faster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingot.pgwire.attempts.WINDOW", 60.0)
    monkeypatch.setattr("ingot.pgwire.attempts.STEP", 0.0)
    (tmp_path / "users.yml").write_text(users_text(verifiers()))
    with ours(tmp_path) as found, ExitStack() as stack:
        talks = [stack.enter_context(Talk(found.port)) for _ in range(MOST_USER + 5)]
        told = []
        for talk in talks:
            talk.hear()
            talk.say(initial(PLAIN, b"n,,n=,r=abc"))
        challenges = [talk.hear() for talk in talks]
        for number, (talk, challenge) in enumerate(zip(talks, challenges, strict=True)):
            assert challenge is not None
            # The last ones know the password, and learn nothing of it.
            password = "guess" if number < MOST_USER else "pencil"
            talk.say(final(challenge.body[4:], b"n=,r=abc", password=password))
            reply = talk.hear()
            assert reply is not None
            told.append((reply.kind, reply.fields["C"]))
    assert told == [("E", "28P01")] * MOST_USER + [("E", "28000")] * 5


# --- the file while the server runs


def test_edits_of_the_file_hold_for_the_next_connection(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "users.yml"
    ann, bob = str(Verifier.of("a")), str(Verifier.of("b"))
    with ours(tmp_path) as found:
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            connect(found.port, "ann", "a")
        file.write_text(users_text({"ann": ann}))
        connect(found.port, "ann", "a").close()
        file.write_text(users_text({"ann": bob, "bob": bob}))
        connect(found.port, "ann", "b").close()
        connect(found.port, "bob", "b").close()
        with pytest.raises(psycopg.OperationalError):
            connect(found.port, "ann", "a")
        file.write_text("users: {ann: {verifier: oops}}")
        connect(found.port, "ann", "b").close()
        assert "kept as they were" in caplog.text
        assert "oops" not in caplog.text
        file.unlink()
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            connect(found.port, "ann", "b")


def test_a_new_certificate_is_shown_and_a_broken_one_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingot.pgwire.tls.EVERY", 0.0)
    (tmp_path / "users.yml").write_text(users_text({"ann": str(Verifier.of("pencil"))}))
    files = certificates.made(tmp_path)

    def shown(port: int) -> bytes:
        connect(port, sslmode="require", channel_binding="require").close()
        with Talk(port, tls=True) as talk:
            assert isinstance(talk.sock, ssl.SSLSocket)
            return talk.sock.getpeercert(binary_form=True) or b""

    with ours(tmp_path, files) as found:
        assert shown(found.port) == files.der
        new = certificates.made(tmp_path, signed="sha512")
        assert shown(found.port) == new.der != files.der
        files.certificate.write_text("nonsense")
        assert shown(found.port) == new.der


def test_a_key_with_a_password_or_of_another_certificate_is_refused_at_the_start(tmp_path: Path) -> None:
    locked = certificates.made(tmp_path / "locked", password=b"x")
    one, other = certificates.made(tmp_path / "one"), certificates.made(tmp_path / "other")
    for certificate, key in (
        (locked.certificate, locked.key),
        (one.certificate, other.key),
        (one.key, one.key),
        (tmp_path / "missing", one.key),
    ):
        with pytest.raises(IngotError, match=r"serve\.sql_tls"):
            Certificate(certificate, key)


# --- and the rest


def test_logins_are_logged_without_secrets(server: Running, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "ingot.login")
    connect(server.port).close()
    for user, password in (("ann", "hunter2"), ("nobody\nsql login user='root'", "hunter3")):
        with pytest.raises(psycopg.OperationalError):
            connect(server.port, user, password)
    lines = [record.getMessage() for record in caplog.records if record.name == "ingot.login"]
    assert len(lines) == 3
    assert lines[0].endswith("from=127.0.0.1 over=plain ok") or lines[0].endswith("from=::1 over=plain ok")
    assert [record.levelname for record in caplog.records if record.name == "ingot.login"] == [
        "INFO",
        "WARNING",
        "WARNING",
    ]
    assert not any("\n" in line or "hunter" in line or "pencil" in line for line in lines)


def test_other_machines_need_tls_where_the_project_says_so(
    tmp_path: Path, tls: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "users.yml").write_text(users_text({"ann": str(Verifier.of("pencil"))}))
    with ours(tmp_path, tls, needs_tls=True) as found:
        connect(found.port).close()
        monkeypatch.setattr(door, "_is_here", lambda _: False)
        with pytest.raises(psycopg.OperationalError, match="must be encrypted") as caught:
            connect(found.port)
        assert "sslmode=require" in str(caught.value)
        connect(found.port, sslmode="require").close()


@pytest.mark.parametrize(
    ("peer", "here"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("::ffff:10.0.0.1", False),
        ("10.0.0.1", False),
        ("", False),
        ("127.0.0.1.example.com", False),
    ],
)
def test_only_loopback_is_this_machine(peer: str, here: bool) -> None:
    assert door._is_here(peer) is here


def test_a_client_that_says_nothing_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "users.yml").write_text(users_text({"ann": str(Verifier.of("pencil"))}))
    with ours(tmp_path, limits=Limits(login_seconds=0.2)) as found, Talk(found.port) as talk:
        talk.hear()
        started = time.monotonic()
        reply = talk.hear()
        assert reply is None or reply.fields["C"] == "08006"
        assert time.monotonic() - started < 3


def test_a_message_that_is_too_long_is_not_read(server: Running) -> None:
    with Talk(server.port) as talk:
        talk.hear()
        talk.sock.sendall(b"p" + struct.pack("!i", 1 << 30))
        reply = talk.hear()
        assert reply is None or reply.kind == "E"


@given(st.binary(max_size=60))
def test_any_first_response_is_read_or_refused(body: bytes) -> None:
    try:
        mechanism, said = door._initial(bytearray(body))
    except PgError as error:
        assert error.sqlstate == "08P01"  # noqa: PT017
    else:
        assert initial(mechanism.encode("latin-1"), said) == body


_responses = st.lists(
    st.tuples(
        st.sampled_from("pppppQXdS"),
        st.one_of(
            st.binary(max_size=40),
            st.sampled_from(
                [initial(PLAIN, b"n,,n=,r=abc"), initial(PLAIN, None), initial(PLUS, b"y,,n=,r=a")]
            ),
            st.sampled_from([b"n,,n=,r=abc", b"c=biws,r=abc,p=AAAA", b"", b"\0"]),
        ),
    ),
    min_size=1,
    max_size=4,
)


@pytest.mark.slow
@given(_responses)
@settings(max_examples=150)
def test_whatever_is_said_instead_of_a_password_opens_nothing(
    server: Running, said: list[tuple[str, bytes]]
) -> None:
    with Talk(server.port) as talk:
        for kind, body in said:
            with suppress(ConnectionError):
                talk.say(body, kind)
        with suppress(OSError):
            talk.sock.shutdown(socket.SHUT_WR)
        heard = []
        while (reply := talk.hear()) is not None:
            heard.append(reply)
    assert {reply.kind for reply in heard} <= {"R", "E"}
    assert not any(reply.kind == "R" and reply.body[:4] == bytes(4) for reply in heard)
    assert server.settles()


def test_who_hears_first_speaks_second(server: Running) -> None:
    """A client may choose the mechanism before it says anything."""
    with Talk(server.port) as talk:
        talk.hear()
        talk.say(initial(PLAIN, None))
        empty = talk.hear()
        assert empty is not None
        assert empty.body == struct.pack("!i", 11)
        talk.say(b"n,,n=,r=abc")
        challenge = talk.hear()
        assert challenge is not None
        talk.say(final(challenge.body[4:], b"n=,r=abc"))
        done = talk.hear()
        assert done is not None
        assert done.body[:4] == struct.pack("!i", 12)


def test_the_server_proves_that_it_knows_the_verifier(server: Running) -> None:
    with Talk(server.port) as talk:
        talk.hear()
        talk.say(initial(PLAIN, b"n,,n=,r=abc"))
        challenge = talk.hear()
        assert challenge is not None
        said = final(challenge.body[4:], b"n=,r=abc")
        talk.say(said)
        done = talk.hear()
        assert done is not None
    parts = dict(part.split(b"=", 1) for part in challenge.body[4:].split(b","))
    salted = hashlib.pbkdf2_hmac("sha256", b"pencil", base64.b64decode(parts[b"s"]), 4096)
    key = hmac.new(salted, b"Server Key", hashlib.sha256).digest()
    signed = b"n=,r=abc," + challenge.body[4:] + b"," + said.split(b",p=")[0]
    assert done.body[4:] == b"v=" + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())
