"""One connection from its first byte to its last: start-up, login, the loop over messages, and how it ends."""

import asyncio
import logging
import secrets
import socket
from functools import partial
from typing import TYPE_CHECKING

from ingot.errors import IngotError
from ingot.pgwire import messages
from ingot.pgwire.dialogue import Dialogue
from ingot.pgwire.errors import PgError
from ingot.pgwire.login import Login
from ingot.pgwire.ports import SessionInfo
from ingot.pgwire.session import Session
from ingot.pgwire.setting_values import milliseconds
from ingot.pgwire.settings import Settings
from ingot.pgwire.sqlstates import fields
from ingot.pgwire.startup import read_startup
from ingot.pgwire.tls import binding_of
from ingot.pgwire.wire import LINGER, GoneError, Wire

if TYPE_CHECKING:
    from ingot.pgwire.server import Server

log = logging.getLogger(__name__)

PATIENCE = 1.0
"""Seconds that a statement goes on after its client has stopped sending, who may still read."""


TURN = 50
"""Messages after which it is others' turn."""
_ASKS = frozenset(b"QPBDE")
"""Messages that ask for something: who sends them must still be allowed to."""


class Connection:
    """A client's connection."""

    def __init__(self, server: "Server", wire: Wire) -> None:
        self._server = server
        self.wire = wire
        self.process = 0
        self.key = b""
        self.session: Session | None = None
        self.login = Login()
        """Who it is."""
        self.is_encrypted = False
        self._is_leaving = False
        wire.on_end = self._left

    @property
    def peer(self) -> str:
        """The address of the client; empty where it is gone."""
        transport = self.wire.transport
        found = transport.get_extra_info("peername") if transport is not None else None
        return str(found[0]) if found else ""

    @property
    def binding(self) -> bytes | None:
        """What a login is bound to where the connection is encrypted: a hash of the server's certificate."""
        transport = self.wire.transport
        found = transport.get_extra_info("ssl_object") if transport is not None else None
        return binding_of(found.context) if found is not None else None

    def send(self, data: bytes) -> None:
        """Sends messages now."""
        self.wire.put(data)
        self.wire.flush()

    async def message(self, most: int) -> tuple[int, bytearray]:
        """The next message: kind and body. Raises `PgError` where it is longer than `most`, `GoneError`."""
        return await self.wire.message(most)

    # --- from the first byte to the last

    async def run(self) -> None:
        """Serves the client until one of both has enough."""
        try:
            _keep_alive(self.wire)
            try:
                async with asyncio.timeout(self._server.limits.login_seconds):
                    session = await self._log_in()
            except TimeoutError:
                raise PgError("canceling authentication due to timeout", sqlstate="08006") from None
            if session is not None:
                await self._serve(session)
        except GoneError:
            pass
        except IngotError as error:
            self.wire.put(messages.problem(b"E", fields(error, severity="FATAL")))
        except Exception:
            log.exception("SQL port: a connection failed in an unforeseen way")
            said = PgError("internal error; the server's log says more", sqlstate="XX000")
            self.wire.put(messages.problem(b"E", fields(said, severity="FATAL")))
        finally:
            self._server.forget(self)
            try:
                if self.session is not None:
                    await self.session.close()
            finally:
                self.wire.close()

    def leave(self) -> None:
        """The server stops: says so where no statement is under way."""
        self._is_leaving = True
        if self.session is None or not self.session.running.is_busy:
            self.end("terminating connection due to administrator command", "57P01")

    def terminate(self, said: str, sqlstate: str) -> None:
        """Ends the session from outside, with what it runs."""
        self._is_leaving = True
        if self.session is not None and self.session.running.is_busy:
            self.session.running.stop(said, sqlstate)
        else:
            self.end(said, sqlstate)

    async def look(self) -> None:
        """Ends the session where who it is may not be here any more."""
        try:
            await self.login.look()
        except PgError as error:
            if not self._is_leaving:
                self.terminate(error.message, error.sqlstate)

    def end(self, said: str, sqlstate: str) -> None:
        """Says a last word and closes."""
        told = {"S": "FATAL", "V": "FATAL", "C": sqlstate, "M": said}
        self.wire.put(messages.problem(b"E", told))
        self.wire.close()

    def _left(self) -> None:
        session = self.session
        if session is not None and session.running.is_busy:
            if self.wire.lost:
                session.running.stop()
            else:
                asyncio.get_running_loop().call_later(PATIENCE, self._give_up)

    def _give_up(self) -> None:
        if self.session is not None:
            self.session.running.stop()
        asyncio.get_running_loop().call_later(LINGER, self.wire.abort)

    # --- the start

    async def _log_in(self) -> Session | None:
        startup = await read_startup(self, self._server)
        if startup is None:
            return None
        server = self._server
        if server.is_full(self):
            raise PgError("sorry, too many clients already", sqlstate="53300")
        if startup.newer or startup.unknown:
            self.wire.put(messages.negotiate(startup.unknown))
        self.login = await server.authenticate(self, startup.user, startup.database)
        context = self.login.context
        database, ref = server.find_database(startup.database)  # who is nobody does not hear what there is
        self.wire.put(messages.AUTHENTICATED)
        settings = Settings(
            {
                "server_version": server.version,
                "server_version_num": _number(server.version),
                "session_authorization": startup.user,
                "ingot.ref": ref,
            }
        )
        info = SessionInfo(startup.user, database, ref, context, server.may_read_lake(context), settings)
        session = Session(
            self.wire,
            info,
            settings,
            server.opener,
            most_seconds=server.limits.statement_seconds,
            most_rows=server.limits.rows,
            find=server.find,
            named=server.named,
        )
        session.terminate = self.terminate
        self.session = session
        await session.open(startup.settings)
        session.tell_settings()
        self.key = secrets.token_bytes(32 if startup.has_long_keys else 4)
        self.process = session.process = server.register(self)
        self.wire.put(messages.backend_key(self.process, self.key))
        Dialogue(session).ready_for_query()
        return session

    # --- the loop

    async def _serve(self, session: Session) -> None:  # noqa: PLR0912 - one kind a branch
        most, dialogue = self._server.limits.message, Dialogue(session)
        count = 0
        while not self._is_leaving:
            count += 1
            if count % TURN == 0:
                await asyncio.sleep(0)  # who sends thousands of messages at once does not keep others waiting
            if self.wire.waiting:
                kind, body = await self.wire.message(most)
            else:
                kind, body = await self._idle(session, most)
            if kind in _ASKS and self.login.is_stale:
                await self._look(session)
            match kind:
                case 81:  # Q
                    await dialogue.query(body)
                case 80:  # P
                    await dialogue.extended(dialogue.parse, body)
                case 66:  # B
                    await dialogue.extended(dialogue.bind, body)
                case 68:  # D
                    await dialogue.extended(dialogue.describe, body)
                case 69:  # E
                    await dialogue.extended(dialogue.execute, body)
                case 67:  # C
                    await dialogue.extended(dialogue.close, body)
                case 83:  # S
                    await dialogue.sync()
                case 72:  # H
                    self.wire.flush()
                case 88:  # X
                    return
                case 70:  # F
                    await dialogue.refuse_call()
                case 100 | 99 | 102:  # d c f: what is left of a COPY that has failed
                    pass
                case _:
                    raise PgError(f"invalid frontend message type {kind}", sqlstate="08P01")
            await self.wire.drain()
        self.end("terminating connection due to administrator command", "57P01")

    async def _look(self, session: Session) -> None:
        """Other rights hold from the next statement on. Raises `PgError` 57P01 for who has none."""
        await self.login.look()
        context = self.login.context
        if context != session.refs.info.context:
            await session.become(context, lake=self._server.may_read_lake(context))

    async def _idle(self, session: Session, most: int) -> tuple[int, bytearray]:
        status = session.transaction.status
        name = "idle_session_timeout" if status == b"I" else "idle_in_transaction_session_timeout"
        limit = session.settings[name]
        if limit == "0":
            return await self.wire.message(most)
        said, sqlstate = (
            ("terminating connection due to idle-session timeout", "57P05")
            if status == b"I"
            else ("terminating connection due to idle-in-transaction timeout", "25P03")
        )
        loop = asyncio.get_running_loop()
        alarm = loop.call_later(milliseconds(limit) / 1000, partial(self.end, said, sqlstate))
        try:
            return await self.wire.message(most)
        finally:
            alarm.cancel()


def _number(version: str) -> str:
    """`180004` for `18.4`."""
    major, _, minor = version.partition(".")
    return str(int(major) * 10_000 + int(minor or 0))


def _keep_alive(wire: Wire) -> None:
    """Finds clients that are gone without a word, and sends small replies at once."""
    transport = wire.transport
    found = transport.get_extra_info("socket") if transport is not None else None
    if found is None or found.family not in (socket.AF_INET, socket.AF_INET6):
        return
    found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 6)):
        if hasattr(socket, option):
            found.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
