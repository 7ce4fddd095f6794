"""The SQL port: accepts connections, counts them, cancels what they run, and lets them go at the end."""

import asyncio
import hmac
import secrets
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ingot.errors import did_you_mean
from ingot.pgwire.connection import Connection
from ingot.pgwire.errors import PgError
from ingot.pgwire.login import Login
from ingot.pgwire.ports import Opener
from ingot.pgwire.session import Session
from ingot.pgwire.wire import Wire
from ingot.semantic.context import Context

Authenticate = Callable[[Connection, str, str], Awaitable[Login]]
"""Connection, user and database -> who it is. Raises `PgError` 28P01 or 28000."""
EVERY = 1.0
"""Seconds between two looks whether those who are connected still may be."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What clients may take."""

    connections: int = 1000
    message: int = 64 * 1024 * 1024
    """Bytes of one message."""
    startup: int = 10_000
    """Bytes of what is said before the login."""
    login_seconds: float = 10
    statement_seconds: float = 0
    """The longest that a statement may take, whatever `statement_timeout` says; 0 for no limit."""
    rows: int = 0
    """The most rows of one answer; 0 for no limit."""


async def trust(connection: Connection, user: str, database: str) -> Login:  # noqa: ARG001 - the port's form
    """Anybody, as anybody: for servers without a login."""
    return Login()


class Server:
    """The listener, and all connections that it has."""

    def __init__(
        self,
        project: str,
        opener: Opener,
        *,
        authenticate: Authenticate = trust,
        may_read_lake: Callable[[Context], bool] = lambda _: True,
        tls: Callable[[], ssl.SSLContext | None] = lambda: None,
        branch: str = "main",
        limits: Limits | None = None,
        version: str = "18.0",
    ) -> None:
        self.opener = opener
        self.authenticate = authenticate
        self.may_read_lake = may_read_lake
        self.tls = tls
        self.limits = limits or Limits()
        self.version = version
        self._project = project
        self._branch = branch
        self._listener: asyncio.Server | None = None
        self._tasks: dict[Connection, asyncio.Task[None]] = {}
        self._processes: dict[int, Connection] = {}
        self._next: asyncio.TimerHandle | None = None
        self._looks: set[asyncio.Task[None]] = set()

    # --- the listener

    async def start(self, listener: socket.socket) -> None:
        """Accepts connections at a socket that is bound; returns at once."""
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(lambda: Wire(self._accept), sock=listener, backlog=256)
        self._next = loop.call_later(EVERY, self._look)

    async def stop(self, seconds: float = 0.5) -> None:
        """Ends every session: idle ones are told at once, others after their statement or after some time."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        if self._next is not None:
            self._next.cancel()
            self._next = None
        await asyncio.gather(*self._looks, return_exceptions=True)
        connections = list(self._tasks)
        for connection in connections:
            connection.leave()
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=seconds)
        for connection in list(self._tasks):
            if connection.session is not None:
                connection.session.running.stop(
                    "terminating connection due to administrator command", "57P01"
                )
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=min(seconds, 0.25))
        rest = list(self._tasks.items())
        for connection, task in rest:
            connection.wire.abort()
            task.cancel()
        if rest:
            await asyncio.gather(*(task for _, task in rest), return_exceptions=True)
        await asyncio.sleep(0)
        for connection in connections:
            connection.wire.abort()  # what lingers

    @property
    def sessions(self) -> int:
        """How many clients are connected."""
        return len(self._processes)

    def _accept(self, wire: Wire) -> None:
        if len(self._tasks) >= 2 * self.limits.connections + 100 or self._listener is None:
            wire.abort()  # more than could ever log in, cancels included
            return
        connection = Connection(self, wire)
        self._tasks[connection] = asyncio.get_running_loop().create_task(connection.run())

    def forget(self, connection: Connection) -> None:
        """A connection is at its end."""
        self._tasks.pop(connection, None)
        if self._processes.get(connection.process) is connection:
            del self._processes[connection.process]

    def _look(self) -> None:
        """Has those looked at who perhaps may not be here any more: they need not say anything themselves."""
        loop = asyncio.get_running_loop()
        for connection in self._processes.values():
            if connection.login.is_stale:
                task = loop.create_task(connection.look())
                self._looks.add(task)
                task.add_done_callback(self._looks.discard)
        self._next = loop.call_later(EVERY, self._look)

    # --- what connections ask

    def is_full(self, connection: Connection) -> bool:  # noqa: ARG002 - later who it is may count
        """Whether there is no room for one more session."""
        return len(self._processes) >= self.limits.connections

    def register(self, connection: Connection) -> int:
        """A number for a session, by which it can be cancelled."""
        while True:
            number = secrets.randbelow(2**31 - 2) + 1
            if number not in self._processes:
                self._processes[number] = connection
                return number

    def find(self, process: int) -> Session | None:
        """The session with a number."""
        connection = self._processes.get(process)
        return connection.session if connection is not None else None

    def named(self, application: str) -> list[Session]:
        """The sessions whose `application_name` is this."""
        sessions = (connection.session for connection in self._processes.values())
        return [
            each for each in sessions if each is not None and each.settings["application_name"] == application
        ]

    def cancel(self, process: int, key: bytes) -> None:
        """Stops what a session runs, where the key is right."""
        connection = self._processes.get(process)
        known = connection.key if connection is not None else b"\0" * len(key)
        if hmac.compare_digest(known, key) and connection is not None and connection.session is not None:
            connection.session.running.stop()

    def find_database(self, name: str) -> tuple[str, str]:
        """The database that a name means, in full, and its ref. Raises `PgError` 3D000."""
        project, at, ref = name.partition("@")
        if project in ("", "postgres", self._project) and (ref or not at):
            return (f"{self._project}@{ref}" if ref else self._project), ref or self._branch
        raise PgError(
            f'database "{name}" does not exist',
            sqlstate="3D000",
            hint=f"The database is the project: {self._project}, or {self._project}@<branch, tag or hash>"
            f"{did_you_mean(project, [self._project])}.",
        )
