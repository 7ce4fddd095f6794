"""The door of the SQL port: who it is, by a password that he proves to know without telling it."""

import asyncio
import hashlib
import hmac
import logging
import os
import secrets
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from ingot.errors import IngotError
from ingot.pgwire import messages
from ingot.pgwire.attempts import Attempts
from ingot.pgwire.errors import PgError
from ingot.pgwire.login import Login, UserLogin
from ingot.pgwire.scram import PLAIN, PLUS, Exchange
from ingot.project.accounts import Accounts
from ingot.project.users import User
from ingot.project.verifier import Verifier

if TYPE_CHECKING:
    from ingot.pgwire.connection import Connection

log = logging.getLogger("ingot.login")

LONGEST = 1024
"""Bytes of a message of the login, as with PostgreSQL."""
SASL, CONTINUE, FINAL = 10, 11, 12


class TooOftenError(PgError):
    """Somebody has failed too often of late."""


class Door:
    """Lets users in. Without accounts everybody is let in, as nobody in particular."""

    def __init__(self, accounts: Accounts | None, *, secret: bytes = b"", needs_tls: bool = False) -> None:
        """`secret` makes up salts for those who are not there; `needs_tls` refuses other machines without TLS."""
        self._accounts = accounts
        self._secret = secret or secrets.token_bytes(32)
        self._needs_tls = needs_tls
        self._attempts = Attempts()

    async def authenticate(self, connection: "Connection", user: str, database: str) -> Login:
        """Who it is. Raises `PgError` 28P01 for a wrong password, and others; `GoneError`."""
        peer = connection.peer
        if self._needs_tls and not connection.is_encrypted and not _is_here(peer):
            raise PgError(
                "connections from other machines must be encrypted",
                sqlstate="28000",
                hint="Connect with sslmode=require.",
            )
        if self._accounts is None:
            return Login()
        try:
            self._has_turn(peer, user)
            if self._accounts.is_stale():
                await asyncio.to_thread(self._accounts.read)
            found = self._accounts.find(user)
            is_right = await self._ask(connection, found, user)
        except TooOftenError as error:
            _tell(connection, user, database, f"refused: {error.message}")
            raise
        except IngotError as error:
            self._attempts.failed(peer, user)
            _tell(connection, user, database, f"failed: {error.message}")
            raise
        if found is None or not is_right:
            later = self._attempts.failed(peer, user)
            _tell(connection, user, database, "failed: password")
            await asyncio.sleep(later)
            raise PgError(f'password authentication failed for user "{user}"', sqlstate="28P01")
        self._attempts.succeeded(peer, user)
        _tell(connection, user, database, None)
        return UserLogin(self._accounts, found)

    async def _ask(self, connection: "Connection", found: User | None, user: str) -> bool:
        binding = connection.binding
        offered = [PLUS, PLAIN] if binding is not None else [PLAIN]
        names = b"".join(each.encode() + b"\0" for each in offered)
        connection.send(messages.authentication(SASL, names + b"\0"))
        chosen, first = _initial(await _response(connection))
        if chosen not in offered:
            raise messages.broken("client selected an invalid SASL authentication mechanism")
        verifier = found.scram if found is not None else self._made_up(user)
        exchange = Exchange(verifier, is_known=found is not None, binding=binding, binds=chosen == PLUS)
        while first is None:  # it chose first and speaks when it is asked to
            connection.send(messages.authentication(CONTINUE))
            first = bytes(await _response(connection))
        connection.send(messages.authentication(CONTINUE, exchange.first(first)))
        last = bytes(await _response(connection))
        self._has_turn(connection.peer, user)  # of many logins at once no more are looked at than one by one
        answer = exchange.final(last)
        if answer is None:
            return False
        connection.wire.put(messages.authentication(FINAL, answer))
        return True

    def _has_turn(self, peer: str, user: str) -> None:
        if (seconds := self._attempts.wait(peer, user)) > 0:
            raise TooOftenError(
                f'too many failed logins of user "{user}", try again in {int(seconds) + 1} s',
                sqlstate="28000",
            )

    def _made_up(self, user: str) -> Verifier:
        """What somebody who is not there would have: always the same, and fitting no password."""
        assert self._accounts is not None
        salt = hmac.digest(self._secret, user.encode(errors="replace"), "sha256")[:16]
        key = hashlib.sha256(self._secret).digest()
        return Verifier(self._accounts.iterations, salt, key, key)


def server_secret(folder: Path) -> bytes:
    """The server's secret for salts that are made up, kept so that they do not change with a new start."""
    path = folder / "login.key"
    try:
        known = path.read_bytes()
        if len(known) == 32:
            return known
    except OSError:
        pass
    made = secrets.token_bytes(32)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.write(made)
    except FileExistsError:  # another server was first
        return path.read_bytes() or made
    except OSError:
        pass  # a folder that cannot be written to: the secret lasts as long as the server
    return made


async def _response(connection: "Connection") -> bytearray:
    kind, body = await connection.message(LONGEST)
    if kind != ord("p"):
        raise messages.broken(f"expected SASL response, got message type {kind}")
    return body


def _initial(body: bytearray) -> tuple[str, bytes | None]:
    """The mechanism of a first response, and what the client says with it; None for nothing yet."""
    end = body.find(0)
    if end < 0:
        raise messages.broken("invalid string in message")
    if end + 5 > len(body):
        raise messages.broken("insufficient data left in message")
    size = int.from_bytes(body[end + 1 : end + 5], signed=True)
    rest = bytes(body[end + 5 :])
    if size == -1:
        if rest:
            raise messages.broken("invalid message format")
        return body[:end].decode("latin-1"), None
    if size < 0 or size > len(rest):
        raise messages.broken("insufficient data left in message")
    if size < len(rest):
        raise messages.broken("invalid message format")
    return body[:end].decode("latin-1"), rest


def _is_here(peer: str) -> bool:
    try:
        found = ip_address(peer)
    except ValueError:
        return False
    # A socket for both kinds of addresses tells those of version 4 so.
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return (mapped or found).is_loopback


def _tell(connection: "Connection", user: str, database: str, failure: str | None) -> None:
    """One line for whoever looks after the server: who, from where, and how it went."""
    over = "tls" if connection.is_encrypted else "plain"
    line = "sql login user=%r database=%r from=%s over=%s %s"
    level = logging.INFO if failure is None else logging.WARNING
    log.log(level, line, user[:200], database[:200], connection.peer, over, failure or "ok")
