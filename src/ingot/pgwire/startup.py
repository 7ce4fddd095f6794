"""The first messages of a connection: encryption, cancel requests, and who wants what."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingot.pgwire import messages
from ingot.pgwire.errors import PgError
from ingot.pgwire.tls import PROTOCOL
from ingot.pgwire.wire import GoneError

if TYPE_CHECKING:
    from ingot.pgwire.connection import Connection
    from ingot.pgwire.server import Server


_HANDSHAKE = 0x16
"""The first byte of TLS; the length of a start-up message never has it."""


@dataclass(frozen=True, slots=True)
class Startup:
    """What a client wants."""

    user: str
    database: str
    """Empty where it names none."""
    settings: dict[str, str]
    unknown: tuple[str, ...]
    """Options of the protocol that nobody here knows."""
    newer: bool
    """Whether it asked for a newer protocol."""
    has_long_keys: bool
    """Whether it takes keys for cancelling of more than four bytes (3.2)."""


async def read_startup(connection: "Connection", server: "Server") -> Startup | None:
    """The start-up message, behind what may come before it; None after a cancel request, which is done then.

    Raises `PgError` and `GoneError`.
    """
    asked_ssl = asked_gss = False
    wire = connection.wire
    while True:
        head = await wire.take(4)
        context = server.tls() if head[0] == _HANDSHAKE and not asked_ssl and not asked_gss else None
        if context is not None and not connection.is_encrypted:
            await wire.encrypt_at_once(head, context, server.limits.login_seconds, PROTOCOL)
            connection.is_encrypted = asked_ssl = asked_gss = True
            continue
        size = int.from_bytes(head) - 4
        if not 4 <= size <= server.limits.startup:
            raise GoneError  # no client of PostgreSQL: whatever is said back would not be understood
        body = await wire.take(size)
        code = int.from_bytes(body[:4])
        if code == messages.CANCEL:
            if size >= 12:
                server.cancel(int.from_bytes(body[4:8]), bytes(body[8:]))
            return None
        if code == messages.SSL and not asked_ssl and not connection.is_encrypted:
            asked_ssl = True
            _nothing_more(wire.waiting, "SSL")
            context = server.tls()
            if context is None:
                connection.send(b"N")
            else:
                await wire.encrypt(context, server.limits.login_seconds)
                connection.is_encrypted = True
        elif code == messages.GSS and not asked_gss:
            asked_gss = True
            _nothing_more(wire.waiting, "GSSAPI")
            connection.send(b"N")
        else:
            return _startup(code, body)


def _nothing_more(waiting: int, what: str) -> None:
    """Bytes behind the request came from somebody in between, who wants them taken for the client's."""
    if waiting:
        raise PgError(
            f"received unencrypted data after {what} request",
            sqlstate="08P01",
            detail="This could be either a client-software bug or evidence of an attempted man-in-the-middle attack.",
        )


def _startup(code: int, body: bytearray) -> Startup:
    major, minor = code >> 16, code & 0xFFFF
    if major != 3:
        raise PgError(
            f"unsupported frontend protocol {major}.{minor}: server supports 3.0 to 3.2", sqlstate="0A000"
        )
    given = messages.read_parameters(body[4:])
    user = given.pop("user", "")
    if not user:
        raise PgError("no PostgreSQL user name specified in startup packet", sqlstate="28000")
    database = given.pop("database", "")
    if given.pop("replication", "false").lower() not in ("false", "off", "no", "0"):
        raise PgError("replication is not offered", sqlstate="0A000")
    unknown = tuple(name for name in given if name.startswith("_pq_."))
    settings = _options(given.pop("options", ""))
    settings.update({name.lower(): value for name, value in given.items() if name not in unknown})
    return Startup(user, database, settings, unknown, newer=minor > 2, has_long_keys=minor >= 2)


def _options(text: str) -> dict[str, str]:
    """The settings of `options`: `-c name=value` and `--name=value`, with backslashes before spaces."""
    found: dict[str, str] = {}
    words = iter(_words(text))
    for word in words:
        if word == "-c":
            setting = next(words, "")
        elif word.startswith(("-c", "--")):
            setting = word[2:]
        else:
            raise PgError(f"invalid command-line argument for server process: {word}", sqlstate="42601")
        name, equals, value = setting.partition("=")
        if not equals:
            raise PgError(f"-c {setting} requires a value", sqlstate="42601")
        found[name.replace("-", "_").lower()] = value
    return found


def _words(text: str) -> list[str]:
    words: list[str] = []
    current: list[str] = []
    characters = iter(text)
    for each in characters:
        if each.isspace():
            if current:
                words.append("".join(current))
                current = []
        else:
            current.append(next(characters, "") if each == "\\" else each)
    if current:
        words.append("".join(current))
    return words
