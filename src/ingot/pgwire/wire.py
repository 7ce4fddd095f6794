"""One connection's bytes: messages in, buffered writes out, with back-pressure both ways.

It knows where messages begin and end and nothing of their meaning.
"""

import asyncio
import ssl
from asyncio import transports
from asyncio.sslproto import SSLProtocol
from collections.abc import Awaitable, Callable
from typing import cast

from ingot.pgwire.errors import PgError

ENOUGH = 256 * 1024
"""Bytes from a client that are kept unread before it has to wait."""
FULL = 64 * 1024
"""Bytes that are sent at once."""


LINGER = 5.0
"""Seconds that a client is given to take what was sent before the connection ends."""

# asyncio keeps 256 KB for reading in each encrypted connection, of which there are many that are idle.
SSLProtocol.max_size = 32 * 1024


class GoneError(Exception):
    """The client has gone. Nobody is left to tell."""


class Wire(asyncio.Protocol):
    """The two ends of a connection."""

    def __init__(self, begin: Callable[["Wire"], None]) -> None:
        self._begin = begin
        self._read = bytearray()
        self._wanted = 0
        self._reader: asyncio.Future[None] | None = None
        self._ended = False
        self._held = False
        self._out = bytearray()
        self._full = False
        self._writer: asyncio.Future[None] | None = None
        self._interrupted = False
        self._soon: asyncio.Handle | None = None
        self._transport: transports.Transport | None = None
        self._is_encrypted = False
        self.on_end: Callable[[], None] | None = None
        """Called when the client sends no more."""

    # --- what asyncio calls

    def connection_made(self, transport: transports.BaseTransport) -> None:
        self._transport = cast("transports.Transport", transport)
        self._begin(self)

    def data_received(self, data: bytes) -> None:
        self._read += data
        size = len(self._read)
        if self._reader is not None:
            if size >= self._wanted:
                self._wake()
        elif size > ENOUGH and not self._held and self._transport is not None:
            self._held = True
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        self._end()
        return not self._is_encrypted  # what was asked before is still answered, as far as TLS can do that

    def connection_lost(self, _exc: Exception | None) -> None:
        self._transport = None
        self._out.clear()
        self._end()
        if self._writer is not None and not self._writer.done():
            self._writer.set_result(None)

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        if self._writer is not None and not self._writer.done():
            self._writer.set_result(None)

    def _end(self) -> None:
        if not self._ended:
            self._ended = True
            self._wake()
            if self.on_end is not None:
                self.on_end()

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    # --- reading

    @property
    def waiting(self) -> int:
        """Bytes that the client has sent and nobody has read."""
        return len(self._read)

    @property
    def lost(self) -> bool:
        """Whether nothing can be written any more."""
        return self._transport is None

    async def take(self, size: int) -> bytearray:
        """The next bytes. Raises `GoneError` where the client sends no more."""
        if len(self._read) < size:
            await self._want(size)
        taken = self._read[:size]
        del self._read[:size]
        return taken

    async def message(self, most: int) -> tuple[int, bytearray]:
        """The next message: its kind and its body.

        Raises `GoneError`, and `PgError` where it claims more than `most` bytes or less than none.
        """
        if len(self._read) < 5:
            await self._want(5)
        kind = self._read[0]
        size = int.from_bytes(self._read[1:5]) + 1
        if size < 5:
            raise PgError("invalid message length", sqlstate="08P01")
        if size > most:
            raise PgError(
                f"a message of {size} bytes is longer than the {most} that are read", sqlstate="54000"
            )
        if len(self._read) < size:
            await self._want(size)
        body = self._read[5:size]
        del self._read[:size]
        return kind, body

    async def _want(self, size: int) -> None:
        if self._held and self._transport is not None:
            self._held = False
            self._transport.resume_reading()
        while len(self._read) < size:
            if self._ended:
                raise GoneError
            self._wanted = size
            self._reader = asyncio.get_running_loop().create_future()
            try:
                await self._reader
            finally:
                self._reader = None

    # --- writing

    def put(self, data: bytes | bytearray | memoryview) -> None:
        """Adds to what the next flush sends."""
        self._out += data

    def flush(self) -> None:
        """Sends what was put."""
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None
        if self._out:
            out, self._out = self._out, bytearray()
            if self._transport is not None and not self._transport.is_closing():
                self._transport.write(out)

    async def rows(self, data: bytes | bytearray | memoryview) -> None:
        """Sends rows: small ones together with what is said before anybody has to wait, large ones at once.

        Returns when the client has room for more. Raises `GoneError`.
        """
        if len(self._out) + len(data) < FULL:
            self._out += data
            if self._soon is None:
                self._soon = asyncio.get_running_loop().call_soon(self._flush_late)
            if self._transport is None:
                raise GoneError
            return
        self.flush()
        if self._transport is not None:
            self._transport.write(data)
        await self.drain()

    def _flush_late(self) -> None:
        self._soon = None
        self.flush()

    async def drain(self) -> None:
        """Returns when the client has taken most of what was sent. Raises `GoneError`."""
        if len(self._out) >= FULL:
            self.flush()
        while self._full and self._transport is not None:
            if self._interrupted:
                self._interrupted = False
                return
            self._writer = asyncio.get_running_loop().create_future()
            try:
                await self._writer
            finally:
                self._writer = None
        if self._transport is None:
            raise GoneError

    def interrupt(self) -> None:
        """Lets who waits in `drain` go on, once, because what is sent is not wanted any more."""
        if self._writer is not None and not self._writer.done():
            self._interrupted = True
            self._writer.set_result(None)

    # --- the connection itself

    @property
    def transport(self) -> transports.Transport | None:
        """What carries the bytes; None when it is gone."""
        return self._transport

    async def encrypt(self, context: ssl.SSLContext, seconds: float) -> None:
        """Answers an SSLRequest with yes and speaks TLS from here on. Raises `GoneError` where that fails."""
        if self._transport is None:
            raise GoneError
        self._transport.write(b"S")
        # Nothing is awaited between the answer and this, so no plain byte can be taken for an encrypted one.
        await self._encrypted(self._start_tls(self._transport, context, seconds))

    async def encrypt_at_once(
        self, begun: bytes | bytearray, context: ssl.SSLContext, seconds: float, protocol: str
    ) -> None:
        """Speaks TLS with a client that began with it; `begun` is what was read of it.

        Raises `GoneError` where that fails, or where the client does not ask for the protocol of that name.
        """
        transport = self._transport
        if transport is None:
            raise GoneError
        started = asyncio.get_running_loop().create_task(self._start_tls(transport, context, seconds))
        await asyncio.sleep(0)  # the transport has another protocol now,
        await asyncio.sleep(0)  # which is connected
        taken = transport.get_protocol()
        if isinstance(taken, asyncio.BufferedProtocol):
            self._read[:0] = begun
            while self._read:
                buffer = memoryview(taken.get_buffer(len(self._read)))
                size = min(len(buffer), len(self._read))
                buffer[:size] = self._read[:size]
                del self._read[:size]
                taken.buffer_updated(size)
        else:
            transport.abort()
        await self._encrypted(started)
        if self._transport is not None:
            found = self._transport.get_extra_info("ssl_object")
            if found is None or found.selected_alpn_protocol() != protocol:
                self._transport.abort()
                raise GoneError

    async def _start_tls(
        self, transport: transports.Transport, context: ssl.SSLContext, seconds: float
    ) -> transports.Transport | None:
        return await asyncio.get_running_loop().start_tls(
            transport,
            self,
            context,
            server_side=True,
            ssl_handshake_timeout=seconds,
            ssl_shutdown_timeout=LINGER,
        )

    async def _encrypted(self, started: Awaitable[transports.Transport | None]) -> None:
        try:
            self._transport = await started
        except (OSError, ssl.SSLError, TimeoutError):
            self._transport = None
        if self._transport is None:
            raise GoneError
        self._is_encrypted = True

    def close(self) -> None:
        """Sends what was put, then ends the connection."""
        self.flush()
        if self._transport is not None:
            left = self._transport.get_write_buffer_size() if not self._transport.is_closing() else 0
            self._transport.close()
            if left:
                asyncio.get_running_loop().call_later(LINGER, self.abort)

    def abort(self) -> None:
        """Ends the connection; what was not sent is lost."""
        if self._transport is not None:
            self._transport.abort()
