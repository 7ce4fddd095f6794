"""One running PostgreSQL: started from the template, without TCP, ended with the server, renewed when it dies."""

import asyncio
import shutil
import signal
import subprocess
import time
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

from ingot.pgwire.catalog.backend import Backend, LostError, ShadowError
from ingot.pgwire.catalog.hardening import OWNER
from ingot.pgwire.catalog.place import Place
from ingot.pgwire.catalog.template import ClusterError, copy
from ingot.pgwire.catalog.users import Unprivileged
from ingot.pgwire.catalog.wheel import Programs

_PATIENCE = 30.0
"""Seconds in which PostgreSQL must be there."""
_MINE = {
    "application_name": "ingot",
    "options": "-c default_transaction_read_only=off -c allow_system_table_mods=on -c statement_timeout=0"
    " -c lock_timeout=10s -c client_min_messages=error",
}


@dataclass(frozen=True, slots=True)
class Ground:
    """What all clusters of a server are made of."""

    programs: Programs
    template: Path
    place: Place
    user: Unprivileged
    nurse: Executor
    """Runs in one thread that lives as long as this process: the kernel ends PostgreSQL with it."""


class Cluster:
    """A PostgreSQL with nothing in it but the template."""

    def __init__(self, ground: Ground, number: int) -> None:
        self._ground = ground
        self._nurse = ground.nurse
        self._sockets = ground.place.sockets / str(number)
        self._data = ground.place.data / str(number)
        self._process: subprocess.Popen[bytes] | None = None
        self.owner = OWNER

    @property
    def alive(self) -> bool:
        """Whether its process runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """The process."""
        return self._process.pid if self._process is not None else None

    async def start(self) -> None:
        """Starts it, with new data. Raises `ClusterError`."""
        loop = asyncio.get_running_loop()
        self.owner = OWNER
        try:
            await loop.run_in_executor(self._nurse, self._start)
        except OSError as error:
            raise ClusterError(f"PostgreSQL could not be started: {error}") from error
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                (await self.control()).close()
            except (LostError, ShadowError):
                if not self.alive or time.monotonic() > until:
                    said = await loop.run_in_executor(self._nurse, self._said)
                    await self.stop()
                    raise ClusterError(f"PostgreSQL did not start: {said}") from None
                await asyncio.sleep(0.01)
            else:
                return

    async def stop(self) -> None:
        """Ends it and removes its files. Harmless where it has ended."""
        await asyncio.to_thread(self._stop)

    async def connect(self, user: str, database: str) -> Backend:
        """A connection of a client's role. Raises `LostError`, `ShadowError`."""
        return await Backend.connect(self._path, user, database, {})

    async def control(self, database: str = "template1") -> Backend:
        """A connection that may do anything, to be closed soon. Raises `LostError`, `ShadowError`."""
        return await Backend.connect(self._path, self.owner, database, _MINE)

    @property
    def _path(self) -> str:
        return str(self._sockets / ".s.PGSQL.5432")

    def _start(self) -> None:
        self._stop()
        self._sockets.mkdir(mode=0o700)
        self._ground.user.own(self._sockets)
        copy(self._ground.template, self._data, self._ground.user)
        command = [self._ground.programs.path("postgres"), "-D", str(self._data), "-k", str(self._sockets)]
        with (self._sockets / "log").open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                self._ground.user.launched(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=log,
                cwd="/",
            )

    def _stop(self) -> None:
        if self._process is not None:
            for number, seconds in ((signal.SIGQUIT, 3), (signal.SIGKILL, 5)):
                if self._process.poll() is not None:
                    break
                self._process.send_signal(number)
                try:
                    self._process.wait(seconds)
                except subprocess.TimeoutExpired:
                    continue
            if self._process.stdin is not None:
                self._process.stdin.close()
            self._process = None
        shutil.rmtree(self._data, ignore_errors=True)
        shutil.rmtree(self._sockets, ignore_errors=True)

    def _said(self) -> str:
        try:
            lines = (self._sockets / "log").read_text(encoding="utf-8", errors="replace").strip().splitlines()
        except OSError:
            lines = []
        code = self._process.poll() if self._process is not None else None
        return lines[-1] if lines else f"exit code {code}, without a word"
