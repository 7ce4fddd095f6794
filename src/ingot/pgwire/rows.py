"""Rows on their way to a client: whole answers that are kept, and streams while they are computed."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingot.pgwire.ports import Chunk, Field
from ingot.pgwire.stop import Stop, unheard
from ingot.pgwire.values.encoder import Encoded, Encoder

if TYPE_CHECKING:
    import pyarrow as pa

    from ingot.semantic.answers.arrow import Stream, Whole

AT_ONCE = 64 * 1024
"""Bytes of Arrow that are encoded on the event loop, which is less than to go to a thread and back."""
FIRST = 256
"""Rows of the first portion of a stream, so that a client sees something at once."""
AHEAD = 1
"""Portions that wait while one is sent. While none is there two are encoded side by side, which gives 1.7 times the rows;
more ahead gives no more of them, and takes 5 MB of each client that does not read.
"""
_STYLE = ("timezone", "datestyle", "intervalstyle", "bytea_output", "extra_float_digits")


@dataclass(frozen=True, slots=True)
class Look:
    """How a client wants rows."""

    fields: tuple[Field, ...]
    formats: tuple[int, ...]
    settings: Mapping[str, str]

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for equal bytes."""
        return (self.fields, self.formats, *(self.settings.get(name) for name in _STYLE))

    def encoder(self, schema: "pa.Schema") -> Encoder:
        """What encodes rows of these columns. Raises `PgError`."""
        return Encoder(self.fields, schema, self.formats, self.settings)


class WholeRows:
    """An answer that is there already; see `ports.Rows`."""

    def __init__(self, fields: tuple[Field, ...], pieces: Sequence[Encoded]) -> None:
        self.fields = fields
        self._pieces = [Encoded(one.data, one.ends) for one in pieces]

    async def fetch(self, most: int) -> Chunk | None:
        """See `Rows.fetch`."""
        while self._pieces and not self._pieces[0].left:
            self._pieces.pop(0)
        return self._pieces[0].cut(most) if self._pieces else None

    async def close(self) -> None:
        """See `Rows.close`."""
        self._pieces.clear()


def encoded(whole: "Whole", look: Look) -> tuple[Encoded, ...]:
    """The rows of an answer as a client wants them; kept beside the answer. Raises `PgError`."""
    key = look.key
    found: tuple[Encoded, ...] | None = whole.forms.get(key)
    if found is None:
        encoder = look.encoder(whole.schema)
        found = tuple(piece for batch in whole.batches for piece in encoder.pieces(batch))
        whole.shape(key, found, sum(len(one.data) + 8 * len(one.ends) for one in found))
    return found


class StreamRows:
    """An answer that is computed while it is read; see `ports.Rows`.

    The next portions are computed one after the other, and encoded side by side, while the last one is sent.
    """

    def __init__(
        self,
        stream: "Stream",
        look: Look,
        *,
        pool: Executor,
        step: Callable[[], Stop],
        end: Callable[[], None],
    ) -> None:
        """`step` gives what stops the step that begins; `end` is called once nothing is wanted any more."""
        self.fields = look.fields
        self._stream = stream
        self._look = look
        self._encoder: Encoder | None = None
        self._portions = _portions(stream)
        self._pool = pool
        self._step = step
        self._end = end
        self._loop = asyncio.get_running_loop()
        self._piece: Encoded | None = None
        self._ahead: deque[asyncio.Future[Encoded | None]] = deque()
        self._is_reading = False
        self._over = False

    async def fetch(self, most: int) -> Chunk | None:
        """See `Rows.fetch`."""
        while self._piece is None or not self._piece.left:
            if self._over:
                return None
            self._go_on()
            try:
                self._piece = await self._step().wait(self._ahead.popleft())
            except BaseException:
                await self.close()
                raise
            if self._piece is None:
                await self.close()
                return None
            self._go_on()
        return self._piece.cut(most)

    async def close(self) -> None:
        """See `Rows.close`."""
        if self._over:
            return
        self._over = True
        self._piece = None
        while self._ahead:
            unheard(self._ahead.popleft())
        self._end()
        try:
            self._pool.submit(self._stream.close)  # may wait for the portion that is read
        except RuntimeError:  # the server stops
            self._stream.close()

    def _go_on(self) -> None:
        """Begins with the next portion, unless one is being read or enough of them wait."""
        if not self._over and not self._is_reading and len(self._ahead) < AHEAD:
            self._is_reading = True
            self._ahead.append(self._loop.run_in_executor(self._pool, self._next))

    def _next(self) -> Encoded | None:
        try:
            portion = next(self._portions, None)
            if portion is not None and self._encoder is None:
                self._encoder = self._look.encoder(self._stream.schema)
        finally:
            try:
                self._loop.call_soon_threadsafe(self._was_read)
            except RuntimeError:  # the server has stopped
                self._over = True
        if portion is None or self._encoder is None or self._over:  # nobody may want it any more
            return None
        return self._encoder.piece(portion)

    def _was_read(self) -> None:
        self._is_reading = False
        if self._piece is not None:  # the first rows share the processor with no others
            self._go_on()


def _portions(stream: "Stream") -> "Iterator[pa.RecordBatch]":
    """The rows in portions to encode: the first of few rows, none of more bytes than can be encoded at once."""
    is_first = True
    for batch in stream:
        if is_first and batch.num_rows > FIRST:
            yield from Encoder.cut(batch.slice(0, FIRST))
            yield from Encoder.cut(batch.slice(FIRST))
        else:
            yield from Encoder.cut(batch)
        is_first = False
