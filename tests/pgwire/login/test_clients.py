"""Who gets in at the SQL port: real clients, with and without TLS, and what is logged of them."""

import asyncio
import logging
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]
import psycopg
import pytest

from ingot.pgwire import door
from ingot.pgwire.certificate import signature_hash
from ingot.project.verifier import Verifier
from tests.pgwire import certificates
from tests.pgwire.answering import Running
from tests.pgwire.certificates import Files
from tests.pgwire.clients.missing import missing
from tests.pgwire.logins import (
    USERS,
    connect,
    ours,
    users_text,
)
from tests.pgwire.raw import startup


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
