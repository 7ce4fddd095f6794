"""A server of ours with users, a real PostgreSQL with the same, and a client that says whatever it is told to."""

import base64
import hashlib
import hmac
import json
import socket
import ssl
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from ingot.pgwire.door import Door
from ingot.pgwire.ports import SessionInfo
from ingot.pgwire.server import Limits, Server
from ingot.pgwire.tls import Certificate
from ingot.project.accounts import Accounts
from ingot.project.verifier import Verifier
from tests.lake.postgres import server as postgres
from tests.pgwire.answering import Running, Small
from tests.pgwire.certificates import Files
from tests.pgwire.raw import Reply, message, startup

PLAIN, PLUS = b"SCRAM-SHA-256", b"SCRAM-SHA-256-PLUS"
USERS = {
    "ann": "pencil",
    'o\'neil "the" é': 'it\'s "quoted" \\ ; --',
    "jürgen": "pässwörd \u2168 \u00a0",
    "李": "密码🔑",
    "emoji": "\U0001f600" * 20,
    "odd": "\u0221\u2168",  # not allowed by SASLprep
}


def users_text(verifiers: dict[str, str]) -> str:
    """A `users.yml`; JSON is YAML."""
    entries = {
        name: {"verifier": verifier, "groups": ["sales"], "security": {"country": "IT"}}
        for name, verifier in verifiers.items()
    }
    return json.dumps({"users": entries}, ensure_ascii=False)


@contextmanager
def ours(
    folder: Path, tls: Files | None = None, *, needs_tls: bool = False, limits: Limits | None = None
) -> Iterator[Running]:
    """A server whose users are those of `users.yml` in a folder."""
    sources: list[Small] = []

    def opener(info: SessionInfo) -> Small:
        sources.append(Small(info))
        return sources[-1]

    door = Door(Accounts(folder / "users.yml", folder, {}), secret=b"x" * 32, needs_tls=needs_tls)
    certificate = Certificate(tls.certificate, tls.key) if tls is not None else None
    server = Running(
        Server(
            "shop",
            opener,
            authenticate=door.authenticate,
            tls=lambda: certificate.context() if certificate is not None else None,
            limits=limits,
        )
    )
    server.sources = sources
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def judge(tls: Files) -> Iterator[tuple[int, Any]]:
    """A PostgreSQL with the same users that asks for SCRAM: its port, and a connection of its owner."""
    with postgres() as address:
        uri = address.replace("+psycopg", "")
        port = int(uri.rpartition(":")[2].split("/", 1)[0])
        with psycopg.connect(uri, autocommit=True) as con:
            con.execute("CREATE DATABASE shop")
            for name, password in USERS.items():
                con.execute(
                    sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(
                        sql.Identifier(name), sql.Literal(password)
                    )
                )
            data = con.execute("SHOW data_directory").fetchone()[0]  # type: ignore[index]
            for source, target in ((tls.certificate, "server.crt"), (tls.key, "server.key")):
                _write(con, f"{data}/{target}", source.read_text())
            con.execute("ALTER SYSTEM SET ssl = on")
            _write(con, f"{data}/pg_hba.conf", "host all ingot all trust\nhost all all all scram-sha-256\n")
            con.execute("SELECT pg_reload_conf()")
            for _ in range(100):
                if con.execute("SELECT count(*) FROM pg_hba_file_rules").fetchone() == (2,) and _speaks_tls(
                    port
                ):
                    break
                con.execute("SELECT pg_sleep(0.05)")
            yield port, con


def _write(con: Any, path: str, text: str) -> None:
    """A file of the server's own user, who is not ours."""
    program = f"umask 077; base64 -d > '{path}'"
    encoded = base64.b64encode(text.encode()).decode()
    con.execute(sql.SQL("COPY (SELECT {}) TO PROGRAM {}").format(sql.Literal(encoded), sql.Literal(program)))


def _speaks_tls(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port)) as plain:
        plain.sendall(struct.pack("!ii", 8, 80877103))
        return plain.recv(1) == b"S"


class Talk:
    """A login by hand."""

    def __init__(self, port: int, user: str = "ann", *, tls: bool = False) -> None:
        self.sock: socket.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        if tls:
            self.sock.sendall(struct.pack("!ii", 8, 80877103))
            assert self.sock.recv(1) == b"S"
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            self.sock = context.wrap_socket(self.sock)
        self.sock.sendall(startup(user, database="shop"))

    def __enter__(self) -> "Talk":
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def say(self, body: bytes, kind: str = "p") -> None:
        self.sock.sendall(message(kind, body))

    def hear(self) -> Reply | None:
        """The next message; None where the server has hung up."""
        head = self._take(5)
        if head is None:
            return None
        body = self._take(int.from_bytes(head[1:]) - 4)
        return None if body is None else Reply(chr(head[0]), body)

    def _take(self, size: int) -> bytes | None:
        found = b""
        while len(found) < size:
            try:
                more = self.sock.recv(size - len(found))
            except ConnectionError:
                return None
            if not more:
                return None
            found += more
        return found


def initial(mechanism: bytes, said: bytes | None) -> bytes:
    """The body of the first response."""
    size = -1 if said is None else len(said)
    return mechanism + b"\0" + struct.pack("!i", size) + (said or b"")


def proof(password: str, challenge: bytes, bare: bytes, without_proof: bytes) -> bytes:
    """The client's proof, computed from the RFC alone."""
    parts = dict(part.split(b"=", 1) for part in challenge.split(b","))
    salt, count = base64.b64decode(parts[b"s"]), int(parts[b"i"])
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, count)
    key = hmac.new(salted, b"Client Key", hashlib.sha256).digest()
    said = bare + b"," + challenge + b"," + without_proof
    signature = hmac.new(hashlib.sha256(key).digest(), said, hashlib.sha256).digest()
    return base64.b64encode(bytes(a ^ b for a, b in zip(key, signature, strict=True)))


def verifiers() -> dict[str, str]:
    """The users' verifiers, as we make them."""
    return {name: str(Verifier.of(password)) for name, password in USERS.items()}


def connect(port: int, user: str = "ann", password: str = "pencil", **more: Any) -> psycopg.Connection[Any]:
    more = {"sslmode": "disable", **more}
    return psycopg.connect(host="localhost", port=port, user=user, password=password, dbname="shop", **more)


def final(challenge: bytes, bare: bytes, bound: bytes = b"biws", password: str = "pencil") -> bytes:
    """The right last message, or one with another binding or password."""
    without = b"c=" + bound + b"," + challenge.split(b",")[0]
    return without + b",p=" + proof(password, challenge, bare, without)
