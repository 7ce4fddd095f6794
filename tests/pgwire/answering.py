"""A small source for tests of the protocol, and a server that runs in a thread."""

import asyncio
import re
import socket
import struct
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ingot.pgwire import messages
from ingot.pgwire.errors import PgError
from ingot.pgwire.ports import Chunk, Field, SessionInfo, Value
from ingot.pgwire.server import Limits, Server

HARD: list[tuple[str | None, str | None]] = [
    ("plain", "two words"),
    (None, ""),
    ("", None),
    ("a,b", 'say "so"'),
    ("tab\there", "line\nand\rmore\r\n"),
    ("back\\slash", "\\N"),
    ("\\.", "\\"),
    ("\x08\x0b\x0c\x01", "ü€😀"),
    (" space ", "a;b|c"),
    ("'", "N"),
    ("NULL", "null"),
]
"""Rows of two texts that COPY has to write with care."""


class Numbers:
    """Rows of numbers, made when they are asked for."""

    def __init__(self, source: "Small", count: int, binary: bool, pause: float = 0, wide: int = 0) -> None:
        self.fields = (Field("n", 23),) if not wide else (Field("n", 23), Field("pad", 25))
        self._source = source
        self._at = 0
        self._count = count
        self._binary = binary
        self._pause = pause
        self._pad = b"x" * wide

    async def fetch(self, most: int) -> Chunk | None:
        if self._source.stopping:
            self._source.stopping = False
            raise PgError("canceling statement due to user request", sqlstate="57014")
        if self._pause:
            await self._source.rest(self._pause)
        take = min(most or 10_000, 10_000, self._count - self._at)
        if take <= 0:
            return None
        out = bytearray()
        for number in range(self._at, self._at + take):
            value = struct.pack("!i", number) if self._binary else str(number).encode()
            body = struct.pack("!i", len(value)) + value
            if self._pad:
                body += struct.pack("!i", len(self._pad)) + self._pad
            body = struct.pack("!H", len(self.fields)) + body
            out += messages.message(b"D", body)
        self._at += take
        return Chunk(out, take)

    async def close(self) -> None:
        self._source.open_rows -= 1


class Texts:
    """Rows of texts."""

    def __init__(self, fields: tuple[Field, ...], rows: list[list[str | None]]) -> None:
        self.fields = fields
        self._rows = rows

    async def fetch(self, most: int) -> Chunk | None:
        if not self._rows:
            return None
        count = most or len(self._rows)
        taken, self._rows = self._rows[:count], self._rows[count:]
        return Chunk(b"".join(messages.data_row(row) for row in taken), len(taken))

    async def close(self) -> None:
        pass


class Failing(Texts):
    """Rows that cannot be read."""

    def __init__(self, fields: tuple[Field, ...]) -> None:
        super().__init__(fields, [])

    async def fetch(self, most: int) -> Chunk | None:
        raise PgError("division by zero", sqlstate="22012")


class Said:
    """A statement of the small language: `select series(N)`, `select wide(N)`, `select sleep(S)`, `select $1`, …"""

    def __init__(self, source: "Small", text: str, given: Sequence[int]) -> None:
        self._source = source
        self._text = text.strip()
        count = max((int(each) for each in re.findall(r"\$([0-9]+)", text)), default=0)
        self.parameters = tuple((given[at] if at < len(given) else 0) or 25 for at in range(count))
        self.fields: tuple[Field, ...] | None = (Field("?column?", 25),)
        if re.match(r'select .* from "?texts"?$', self._text, re.IGNORECASE):
            columns = ["a", "b"] if "*" in text else re.findall(r'"([ab])"', text) or ["a"]
            self.fields = tuple(Field(name, 25) for name in columns)
        if found := re.match(r"select \* from series\(([0-9]+)\)$", self._text, re.IGNORECASE):
            self.fields = (Field("n", 23),)
            self._count = int(found[1])

    async def run(self, values: Sequence[Value], formats: Sequence[int]) -> Numbers | Texts:
        low = self._text.lower()
        binary = bool(formats) and formats[0] == 1
        if low.startswith("select * from series"):
            self._source.open_rows += 1
            return Numbers(self._source, self._count, binary)
        if re.search(r'from "?texts"?$', low) and self.fields is not None:
            at = [ord(field.name) - ord("a") for field in self.fields]
            return Texts(self.fields, [[row[each] for each in at] for row in HARD])
        if found := re.match(r"select wide\(([0-9]+)\)", low):
            self._source.open_rows += 1
            return Numbers(self._source, int(found[1]), binary, wide=1000)
        if found := re.match(r"select sleep\(([0-9.]+)\)", low):
            await self._source.rest(float(found[1]))
            return Texts(self.fields or (), [[""]])
        if "1/(random" in low:
            return Failing(self.fields or ())
        if low.startswith("select boom"):
            raise RuntimeError("a bug, with something secret in it")
        if values:
            shown = [None if each.raw is None else each.raw.decode() for each in values]
            return Texts(self.fields or (), [[shown[0]]])
        if found := re.match(r"select cast\(\((.*)\) as text\)", low):
            return Texts(self.fields or (), [[found[1].replace("+", "plus")]])
        return Texts(self.fields or (), [[low.removeprefix("select ")]])


class Small:
    """The source of one session."""

    def __init__(self, info: SessionInfo) -> None:
        if info.ref == "missing":
            raise PgError('database "shop@missing" does not exist', sqlstate="3D000")
        self.info = info
        self.stopping = False
        self.open_rows = 0
        self.closed = False
        self.cancels = 0
        self._resting: asyncio.Event | None = None

    async def rest(self, seconds: float) -> None:
        self._resting = asyncio.Event()
        try:
            await asyncio.wait_for(self._resting.wait(), seconds)
        except TimeoutError:
            return
        finally:
            self._resting = None
        raise PgError("canceling statement due to user request", sqlstate="57014")

    async def prepare(self, text: str, parameters: Sequence[int] = ()) -> Said:
        low = text.lower()
        if "missing_table" in low:
            at = low.index("missing_table") + 1
            raise PgError('relation "missing_table" does not exist', sqlstate="42P01", position=at)
        if not low.lstrip("( ").startswith(("select", "values", "table", "with", "show")):
            raise PgError(
                f'syntax error at or near "{text.split(maxsplit=1)[0]}"', sqlstate="42601", position=1
            )
        if low.startswith("show"):
            name = low.split()[-1]
            raise PgError(f'unrecognized configuration parameter "{name}"', sqlstate="42704")
        if low == "select ref":
            text = f"select {self.info.ref}"
        return Said(self, text, parameters)

    def cancel(self) -> None:
        self.cancels += 1
        if self._resting is not None:
            self._resting.set()

    async def close(self) -> None:
        self.closed = True


class Running:
    """A server in a thread, with a loop of its own."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.sources: list[Small] = []
        self.loop = asyncio.new_event_loop()
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        self.port: int = listener.getsockname()[1]
        self._listener = listener
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        self._started.wait()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(self.server.start(self._listener))
        self.loop.call_soon(self._started.set)
        self.loop.run_forever()
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()

    @property
    def dsn(self) -> str:
        return f"host=127.0.0.1 port={self.port} dbname=shop user=ann sslmode=disable"

    @property
    def tasks(self) -> int:
        """Tasks that live in the server's loop, but for the one that counts."""

        async def count() -> int:
            return len(asyncio.all_tasks()) - 1

        return asyncio.run_coroutine_threadsafe(count(), self.loop).result(5)

    def settles(self, tasks: int = 0, seconds: float = 3) -> bool:
        """Whether no more than these tasks are left within some seconds."""
        end = time.monotonic() + seconds
        while self.tasks > tasks:
            if time.monotonic() > end:
                return False
            time.sleep(0.01)
        return True

    def stop(self, seconds: float = 0.5) -> None:
        if not self.loop.is_closed():
            asyncio.run_coroutine_threadsafe(self.server.stop(seconds), self.loop).result(10)
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join(10)


@contextmanager
def running(limits: Limits | None = None) -> Iterator[Running]:
    """A server with the small source for project `shop`."""
    sources: list[Small] = []

    def opener(info: SessionInfo) -> Small:
        source = Small(info)
        sources.append(source)
        return source

    server = Running(Server("shop", opener, limits=limits))
    server.sources = sources
    try:
        yield server
    finally:
        server.stop()
