"""Rows of the model on their way to a client: whole answers that are kept, and streams while they are computed."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from ingot.pgwire.errors import PgError
from ingot.pgwire.ports import Chunk, Field
from ingot.pgwire.values.encoder import Encoded, Encoder

if TYPE_CHECKING:
    from ingot.semantic.answers.arrow import Stream, Whole

T = TypeVar("T")
AT_ONCE = 64 * 1024
"""Bytes of Arrow that are encoded on the event loop, which is less than to go to a thread and back."""
_STYLE = ("timezone", "datestyle", "intervalstyle", "bytea_output", "extra_float_digits")


class Stop:
    """What stops one step of a session. Used on the event loop only."""

    def __init__(self) -> None:
        self._said: asyncio.Future[None] | None = None
        self.is_set = False

    def set(self) -> None:
        """Stops. Harmless when said again."""
        self.is_set = True
        if self._said is not None and not self._said.done():
            self._said.set_result(None)

    async def wait(self, work: "asyncio.Future[T]") -> T:
        """What comes of `work`. Raises `PgError` 57014 as soon as it is stopped; `work` itself goes on."""
        if not self.is_set and not work.done():
            self._said = asyncio.get_running_loop().create_future()
            try:
                await asyncio.wait((work, self._said), return_when=asyncio.FIRST_COMPLETED)
            finally:
                self._said = None
        if self.is_set:
            work.add_done_callback(_heard)
            raise PgError("canceling statement due to user request", sqlstate="57014")
        return work.result()


def _heard(done: "asyncio.Future[T]") -> None:
    if not done.cancelled():
        done.exception()  # nobody waits for it


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
        encoder = Encoder(look.fields, whole.schema, look.formats, look.settings)
        found = tuple(piece for batch in whole.batches for piece in encoder.pieces(batch))
        whole.shape(key, found, sum(len(one.data) + 8 * len(one.ends) for one in found))
    return found


class StreamRows:
    """An answer that is computed while it is read; see `ports.Rows`.

    The next rows are computed and encoded while the last ones are sent.
    """

    def __init__(
        self,
        stream: "Stream",
        look: Look,
        *,
        pool: Executor,
        stop: Callable[[], Stop],
        end: Callable[[], None],
    ) -> None:
        """`stop` gives what stops the step that begins; `end` is called once nothing is wanted any more."""
        self.fields = look.fields
        self._stream = stream
        self._steps = _pieces(stream, look)
        self._pool = pool
        self._stop = stop
        self._end = end
        self._piece: Encoded | None = None
        self._next: asyncio.Future[Encoded | None] | None = None
        self._over = False

    async def fetch(self, most: int) -> Chunk | None:
        """See `Rows.fetch`."""
        while self._piece is None or not self._piece.left:
            if self._over:
                return None
            waiting = self._next or self._step()
            self._next = None
            try:
                self._piece = await self._stop().wait(waiting)
            except BaseException:
                await self.close()
                raise
            if self._piece is None:
                await self.close()
                return None
            self._next = self._step()
        return self._piece.cut(most)

    async def close(self) -> None:
        """See `Rows.close`."""
        if not self._over:
            self._over = True
            self._piece = None
            if self._next is not None:
                self._next.add_done_callback(_heard)
            self._end()
            try:
                self._pool.submit(self._stream.close)  # may wait for the step that runs
            except RuntimeError:  # the server stops
                self._stream.close()

    def _step(self) -> "asyncio.Future[Encoded | None]":
        return asyncio.get_running_loop().run_in_executor(self._pool, self._read)

    def _read(self) -> Encoded | None:
        return next(self._steps, None)


def _pieces(stream: "Stream", look: Look) -> Iterator[Encoded]:
    encoder = Encoder(look.fields, stream.schema, look.formats, look.settings)
    for batch in stream:
        yield from encoder.pieces(batch)


def landing(future: "Future[T]") -> "asyncio.Future[T]":
    """The result of another thread's work, for the event loop. Who gives it up does not stop the work."""
    loop = asyncio.get_running_loop()
    waiting: asyncio.Future[T] = loop.create_future()

    def tell(done: "Future[T]") -> None:
        if waiting.done():
            return
        if done.cancelled():
            waiting.set_exception(PgError("canceling statement due to user request", sqlstate="57014"))
        elif (error := done.exception()) is not None:
            waiting.set_exception(error)
        else:
            waiting.set_result(done.result())

    future.add_done_callback(lambda done: loop.call_soon_threadsafe(tell, done))
    return waiting
