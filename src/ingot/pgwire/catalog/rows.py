"""Rows on their way from the shadow PostgreSQL to a client."""

from collections import deque
from collections.abc import Awaitable
from struct import unpack_from
from typing import Protocol

from ingot.pgwire.catalog.backend import LostError, ShadowError, fields, message
from ingot.pgwire.catalog.pool import Lent
from ingot.pgwire.errors import PgError
from ingot.pgwire.ports import Chunk, Field

_AHEAD = 1 << 20
"""Bytes that are read before somebody asks for them: most answers are whole then, and their connection is free."""
_COPY_FAIL = message(b"f", b"COPY is not possible here\0")


class _Ended(Protocol):
    def __call__(self, lent: Lent, *, whole: bool) -> Awaitable[None]: ...


class ShadowRows:
    """The rows of one statement."""

    def __init__(
        self, lent: Lent | None, columns: tuple[Field, ...], ended: _Ended | None, *, begun: int = 0
    ) -> None:
        """`begun`: commands before the statement itself, whose completion is not its own."""
        self._lent = lent
        self._columns = columns
        self._ended = ended
        self._before = begun
        self._kept: deque[Chunk] = deque()
        self._size = 0
        self._failed: PgError | None = None
        self.tag = ""
        """What PostgreSQL says when it is done (`SELECT 3`); empty before."""

    @classmethod
    def nothing(cls, tag: str) -> "ShadowRows":
        """No rows."""
        made = cls(None, (), None)
        made.tag = tag
        return made

    @property
    def fields(self) -> tuple[Field, ...]:
        """The columns."""
        return self._columns

    async def begin(self) -> None:
        """Reads the beginning, which is mostly all. Raises `ShadowError`, `LostError`."""
        while self._lent is not None and self._size < _AHEAD:
            await self._read()
        self._raise()

    async def fetch(self, most: int) -> Chunk | None:
        """The next rows. Raises `ShadowError`."""
        while not self._kept and self._lent is not None:
            try:
                await self._read()
            except LostError as error:
                await self.close()
                raise PgError(f"The catalog has ended: {error}", sqlstate="57P01") from error
        if not self._kept:
            self._raise()
            return None
        chunk = self._kept.popleft()
        if 0 < most < chunk.rows:
            chunk, rest = _split(chunk, most)
            self._kept.appendleft(rest)
        self._size -= len(chunk.data)
        return chunk

    async def close(self) -> None:
        """Gives the connection back."""
        lent, self._lent = self._lent, None
        if lent is not None and self._ended is not None:
            await self._ended(lent, whole=False)

    async def _read(self) -> None:
        lent = self._lent
        assert lent is not None
        one = await lent.backend.next()
        match one.kind:
            case "D":
                self._kept.append(Chunk(one.body, one.rows))
                self._size += len(one.body)
            case "C" if self._before:
                self._before -= 1
            case "C":
                self.tag = one.body[:-1].decode()
            case "E":
                self._failed = self._failed or ShadowError(fields(one.body))
            case "G":
                lent.backend.send(_COPY_FAIL)
            case "H" | "W":
                self._failed = PgError("COPY is not possible here", sqlstate="0A000")
            case "Z":
                self._lent = None
                if self._ended is not None:
                    await self._ended(lent, whole=True)

    def _raise(self) -> None:
        if self._failed is not None and not self._kept:
            failed, self._failed = self._failed, None
            raise failed


def _split(chunk: Chunk, most: int) -> tuple[Chunk, Chunk]:
    at = 0
    for _ in range(most):
        at += 1 + unpack_from("!I", chunk.data, at + 1)[0]
    whole = memoryview(chunk.data)
    return Chunk(whole[:at], most), Chunk(whole[at:], chunk.rows - most)
