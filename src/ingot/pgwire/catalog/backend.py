"""One connection to PostgreSQL over its unix socket: messages out, messages in. No driver, no meaning."""

import asyncio
from asyncio import transports
from collections import deque
from collections.abc import Mapping
from struct import Struct, pack, unpack_from
from typing import NamedTuple

from ingot.pgwire.errors import PgError

_HEAD = Struct("!I")
_ROW = ord("D")
_FULL = 1 << 20
"""Bytes of rows that wait here before PostgreSQL has to."""

_LONGEST = 64 << 20
"""Bytes of one message; no row of a catalog has as many."""

SYNC = b"S\0\0\0\4"


class Message(NamedTuple):
    """A message; of rows as many as came together, as they came."""

    kind: str
    body: bytes
    rows: int = 0


class LostError(Exception):
    """PostgreSQL closed the connection, or is not there."""


_REST = "WstcdnqpFLR"
"""Fields of an error that are passed on as they are: context, names of what it is about, where it was raised."""


class ShadowError(PgError):
    """An error of PostgreSQL, with every field of its message in `fields`, by their letters in the protocol."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        position = fields.get("P", "")
        super().__init__(
            fields.get("M", ""),
            sqlstate=fields.get("C", "XX000"),
            position=int(position) if position.isdecimal() else None,
            detail=fields.get("D"),
            hint=fields.get("H"),
        )
        self.rest = {letter: fields[letter] for letter in _REST if letter in fields}
        self.fields = dict(fields)


class Backend(asyncio.Protocol):
    """A connection. One task at a time uses it."""

    def __init__(self, path: str = "") -> None:
        self.parameters: dict[str, str] = {}
        """What PostgreSQL has told in ParameterStatus."""
        self.notices: list[dict[str, str]] = []
        """Notices since somebody took them away."""
        self.status = "I"
        self.pid = 0
        self._secret = b""
        self._path = path
        self._read = bytearray()
        self._messages: deque[Message] = deque()
        self._waiting = 0
        self._paused = False
        self._reader: asyncio.Future[None] | None = None
        self._transport: transports.Transport | None = None
        self.lost = False
        self._failed: PgError | None = None

    @classmethod
    async def connect(cls, path: str, user: str, database: str, options: Mapping[str, str]) -> "Backend":
        """A connection that is ready. Raises `LostError`, or `ShadowError` where PostgreSQL refuses."""
        loop = asyncio.get_running_loop()
        try:
            _, made = await loop.create_unix_connection(lambda: cls(path), path)
        except OSError as error:
            raise LostError(str(error)) from error
        words = {"user": user, "database": database, "client_encoding": "UTF8", **options}
        body = pack("!I", 196608) + b"".join(f"{k}\0{v}\0".encode() for k, v in words.items()) + b"\0"
        try:
            made.send(_HEAD.pack(len(body) + 4) + body)
            while (message := await made.next()).kind != "Z":
                if message.kind == "E":
                    raise ShadowError(fields(message.body))
                if message.kind == "R" and message.body != b"\0\0\0\0":
                    raise LostError("the shadow PostgreSQL asks for a password")
        except BaseException:
            made.close()
            raise
        return made

    def connection_made(self, transport: transports.BaseTransport) -> None:
        assert isinstance(transport, transports.Transport)
        self._transport = transport

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self.lost = True
        self._wake()

    def data_received(self, data: bytes) -> None:
        read = self._read
        read += data
        at = kept = rows = 0
        size = len(read)
        while size - at >= 5:
            end = at + 1 + unpack_from("!I", read, at + 1)[0]
            if end > size:
                if end - at > _LONGEST:
                    self._refuse()
                    return
                break
            if read[at] == _ROW:
                rows += 1
            else:
                if rows:
                    self._put(Message("D", bytes(read[kept:at]), rows))
                    rows = 0
                self._take(chr(read[at]), bytes(read[at + 5 : end]))
                kept = end
            at = end
        if rows:
            self._put(Message("D", bytes(read[kept:at]), rows))
        if at:
            del read[:at]
        if self._waiting > _FULL and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()
        self._wake()

    def send(self, data: bytes) -> None:
        """Sends messages. Raises `LostError`."""
        if self.lost or self._transport is None or self._transport.is_closing():
            raise LostError("the connection to the shadow PostgreSQL is closed")
        self._transport.write(data)

    async def next(self) -> Message:
        """The next message. Raises `LostError`."""
        while not self._messages:
            if self._failed is not None:
                raise self._failed
            if self.lost:
                raise LostError("the shadow PostgreSQL has closed the connection")
            self._reader = asyncio.get_running_loop().create_future()
            try:
                await self._reader
            finally:
                self._reader = None
        message = self._messages.popleft()
        self._waiting -= len(message.body)
        if self._paused and self._waiting <= _FULL // 2 and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()
        if message.kind == "Z":
            self.status = message.body.decode()
        return message

    async def query(self, text: str) -> list[tuple[str | None, ...]]:
        """Runs SQL of our own by the simple protocol: the rows. Raises `ShadowError`, `LostError`."""
        self.send(query(text))
        found: list[tuple[str | None, ...]] = []
        error: ShadowError | None = None
        while (message := await self.next()).kind != "Z":
            if message.kind == "E":
                error = error or ShadowError(fields(message.body))
            elif message.kind == "D":
                found.extend(texts(message.body))
        if error is not None:
            raise error
        return found

    async def cancel(self) -> None:
        """Asks PostgreSQL to stop what runs here."""
        try:
            _, writer = await asyncio.open_unix_connection(self._path)
        except OSError:
            return
        body = pack("!II", 80877102, self.pid) + self._secret
        writer.write(_HEAD.pack(len(body) + 4) + body)
        writer.close()

    def close(self) -> None:
        """Ends the connection."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"X\0\0\0\4")
            self._transport.close()

    def _refuse(self) -> None:
        self._failed = PgError("a row of this result is too large", sqlstate="54000")
        self._read.clear()
        if self._transport is not None:
            self._transport.abort()

    def _take(self, kind: str, body: bytes) -> None:
        if kind == "S":
            name, value, _ = body.decode().split("\0")
            self.parameters[name] = value
        elif kind == "N":
            self.notices.append(fields(body))
        elif kind == "K":
            self.pid, self._secret = unpack_from("!I", body)[0], body[4:]
        elif kind != "A":
            self._put(Message(kind, body))

    def _put(self, message: Message) -> None:
        self._messages.append(message)
        self._waiting += len(message.body)

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)


def message(kind: bytes, body: bytes) -> bytes:
    """A message as it is sent."""
    return kind + _HEAD.pack(len(body) + 4) + body


def query(text: str) -> bytes:
    """A Query message."""
    return message(b"Q", text.encode() + b"\0")


def fields(body: bytes) -> dict[str, str]:
    """The fields of an ErrorResponse or NoticeResponse."""
    return {part[0]: part[1:] for part in body.decode("utf-8", "replace").split("\0") if part}


def texts(rows: bytes) -> list[tuple[str | None, ...]]:
    """The values of DataRow messages in text format."""
    found = []
    at = 0
    while at < len(rows):
        count = unpack_from("!H", rows, at + 5)[0]
        at += 7
        values: list[str | None] = []
        for _ in range(count):
            size = unpack_from("!i", rows, at)[0]
            at += 4
            values.append(rows[at : at + size].decode() if size >= 0 else None)
            at += max(size, 0)
        found.append(tuple(values))
    return found
