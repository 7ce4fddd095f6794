"""Reading a cursor's rows: onwards only, or to and fro over rows that are kept."""

from array import array
from struct import Struct
from tempfile import SpooledTemporaryFile
from typing import Protocol

from ingot.pgwire.errors import PgError
from ingot.pgwire.ports import Chunk, Field, Rows

ALL = 1 << 62
"""More rows than there are."""
_IN_MEMORY = 1 << 20
_MANY = 10_000
_SIZE = Struct("!I")


def forward_only() -> PgError:
    """The error for a cursor that was not declared SCROLL."""
    return PgError(
        "cursor can only scan forward",
        sqlstate="55000",
        hint="Declare it with SCROLL option to enable backward scan.",
    )


class Reading(Rows, Protocol):
    """Rows with a place in them: 0 is before the first, 1 on the first."""

    position: int

    async def fetch(self, most: int) -> Chunk | None:
        """The next rows."""

    async def step(self, count: int, most: int) -> Chunk | None:
        """Some of the next `count` rows (before, where it is negative; the same one, where it is 0)."""

    async def seek(self, row: int, *, from_end: bool = False) -> None:
        """Goes to just before a row, counted from 1, or from the end. Raises `PgError` where that is behind."""


class Onwards:
    """A cursor that is read once."""

    def __init__(self, rows: Rows, position: int = 0) -> None:
        self._rows = rows
        self._at_end = False
        self.position = position

    @property
    def fields(self) -> tuple[Field, ...]:
        return self._rows.fields

    async def fetch(self, most: int) -> Chunk | None:
        """The next rows."""
        if self._at_end:
            return None
        chunk = await self._rows.fetch(most)
        if chunk is None:
            self._at_end = True
            self.position += 1
        else:
            self.position += chunk.rows
        return chunk

    async def step(self, count: int, most: int) -> Chunk | None:
        if count > 0:
            return await self.fetch(0 if count == ALL and not most else min(count, most or count))
        if count == 0 and (self.position == 0 or self._at_end):
            return None
        raise forward_only()

    async def seek(self, row: int, *, from_end: bool = False) -> None:
        if from_end or row <= self.position:
            raise forward_only()
        while not self._at_end and (left := row - 1 - self.position):
            await self.fetch(min(left, _MANY))

    async def close(self) -> None:
        """Stops reading."""
        await self._rows.close()


class Scrolling:
    """A cursor that is read to and fro: what was read is kept, in a file where it is much."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._whole = False
        self._kept = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed with the cursor
        self._starts = array("Q", [0])
        self.position = 0

    @property
    def fields(self) -> tuple[Field, ...]:
        return self._rows.fields

    async def fetch(self, most: int) -> Chunk | None:
        """The next rows."""
        return await self.step(most or ALL, most)

    async def step(self, count: int, most: int) -> Chunk | None:
        many = min(abs(count), most or _MANY)
        if count == 0:
            await self._keep(self.position)
            return self._read(self.position, self.position) if 0 < self.position <= self._count else None
        if count > 0:
            first = self.position + 1
            await self._keep(self.position + many)
            last = min(self.position + many, self._count)
            self.position = last if last - first + 1 == many else self._count + 1
            return self._read(first, last) if first <= last else None
        last = min(self.position - 1, self._count)
        first = max(1, self.position - many)
        self.position = max(0, self.position - many)
        return self._read(first, last, back=True) if first <= last else None

    async def seek(self, row: int, *, from_end: bool = False) -> None:
        if from_end:
            await self._keep(ALL)
            row = self._count + 1 - row
        await self._keep(row - 1)
        self.position = min(max(0, row - 1), self._count + 1)

    async def close(self) -> None:
        """Stops reading, and forgets what was kept."""
        self._kept.close()
        await self._rows.close()

    @property
    def _count(self) -> int:
        return len(self._starts) - 1

    async def _keep(self, row: int) -> None:
        """Reads until this row is kept, or there is none."""
        while not self._whole and self._count < row:
            chunk = await self._rows.fetch(min(row - self._count, _MANY))
            if chunk is None:
                self._whole = True
                return
            end = self._starts[-1]
            self._kept.seek(end)
            self._kept.write(chunk.data)
            at, size = 0, len(chunk.data)
            while at < size:
                at += 1 + _SIZE.unpack_from(chunk.data, at + 1)[0]
                self._starts.append(end + at)

    def _read(self, first: int, last: int, *, back: bool = False) -> Chunk:
        start, end = self._starts[first - 1], self._starts[last]
        self._kept.seek(start)
        data = self._kept.read(end - start)
        if back:
            places = [each - start for each in self._starts[first - 1 : last + 1]]
            rows = [data[places[at] : places[at + 1]] for at in range(len(places) - 1)]
            data = b"".join(reversed(rows))
        return Chunk(data, last - first + 1)
