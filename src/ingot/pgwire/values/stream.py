"""The rows of a query of DuckDB, a chunk at a time: computed and encoded in worker threads, handed out on the loop.

While one chunk is on its way to the client the next is made, and no more: who does not read holds two of them.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, closing
from functools import cache
from time import monotonic
from typing import TYPE_CHECKING

import duckdb

from ingot.engines import Interrupt
from ingot.engines.ports import Parameters
from ingot.pgwire.ports import Chunk, Field
from ingot.pgwire.values.lossless import lossless

if TYPE_CHECKING:
    import pyarrow as pa

    from ingot.pgwire.values.encoder import Encoded, Encoder

Open = Callable[[Interrupt], AbstractContextManager[duckdb.DuckDBPyConnection]]
THREADS = 32
"""Queries that are computed at the same time; those of clients that do not read take no thread."""
VECTOR = 2048
"""Rows of a batch of DuckDB's: the first ones are sent as soon as they are there."""
ROWS, BYTES, SECONDS = 16_384, 1 << 21, 0.02
"""Later batches are gathered until there are so many rows, or so many bytes, or so much time has passed."""
_ERRORS = {
    "INTERRUPT Error": duckdb.InterruptException,
    "Conversion Error": duckdb.ConversionException,
    "Invalid Input Error": duckdb.InvalidInputException,
    "Out of Memory Error": duckdb.OutOfMemoryException,
    "Out of Range Error": duckdb.OutOfRangeException,
    "Permission Error": duckdb.PermissionException,
    "Binder Error": duckdb.BinderException,
    "Catalog Error": duckdb.CatalogException,
    "IO Error": duckdb.IOException,
}


class ArrowRows:
    """`Rows` of one SELECT. Nothing is opened before the first `fetch`."""

    def __init__(
        self,
        open_: Open,
        select: str,
        parameters: Parameters = (),
        *,
        fields: Sequence[Field],
        kinds: Sequence[str],
        formats: Sequence[int] = (),
        settings: Mapping[str, str] | None = None,
        executor: Executor | None = None,
    ) -> None:
        """The rows of `select`, a statement in DuckDB's SQL.

        Args:
            open_: gives the cursor, whose errors it translates: `lambda stop: engine.session(state, interrupt=stop)`.
            fields: what the client was told.
            kinds: the types of the columns as DuckDB names them (of `DESCRIBE`, or of `cursor.description`).
            formats: none (all text), one for all columns, or one a column.
            settings: of the session; how times, bytes and numbers look depends on them.
            executor: where it is computed; a pool of `THREADS` threads for all queries without one.
        """
        self._fields = tuple(fields)
        self._interrupt = Interrupt()
        chosen = lossless(select, kinds)

        def begin(stack: ExitStack) -> "tuple[pa.RecordBatchReader, Encoder]":
            from ingot.pgwire.values.encoder import Encoder  # noqa: PLC0415 - pyarrow is heavy

            cursor = stack.enter_context(open_(self._interrupt))
            cursor.execute(chosen, parameters or None)
            reader = stack.enter_context(closing(cursor.to_arrow_reader(VECTOR)))
            return reader, Encoder(self._fields, reader.schema, formats, settings)

        self._query = _Query(begin)
        self._executor = executor or _threads()
        self._ahead: asyncio.Future[Encoded | None] | None = None
        self._piece: Encoded | None = None
        self._over = False

    @property
    def fields(self) -> tuple[Field, ...]:
        """The columns."""
        return self._fields

    async def fetch(self, most: int) -> Chunk | None:
        """The next rows, at most `most` of them (0: as many as are handy); None after the last.

        Raises `IngotError`; then it is over.
        """
        if self._piece is None and not self._over:
            if self._ahead is None:
                self._ahead = self._start()
            try:
                self._piece = await asyncio.shield(self._ahead)
            except Exception:
                self._over = True
                raise
            finally:
                if self._ahead.done():
                    self._ahead = None
            self._over = self._piece is None
        piece = self._piece
        if piece is None:
            return None
        chunk = piece.cut(most)
        if not piece.left:
            self._piece = None
            self._over = self._query.ended
            if not self._over and not most:
                self._ahead = self._start()
        return chunk

    def cancel(self) -> None:
        """Stops what runs, which then raises. Never waits."""
        self._interrupt.set()

    async def close(self) -> None:
        """Stops what still runs and gives everything back, from any state."""
        self._over, self._piece = True, None
        ahead = self._ahead
        if ahead is not None:
            self._interrupt.set()
            await asyncio.wait([ahead])
            if not ahead.cancelled():
                ahead.exception()  # it has been seen
            self._ahead = None
        if self._query.opened:
            await asyncio.shield(
                asyncio.get_running_loop().run_in_executor(self._executor, self._query.close)
            )

    def _start(self) -> "asyncio.Future[Encoded | None]":
        return asyncio.get_running_loop().run_in_executor(self._executor, self._query.next)


class _Query:
    """What happens in threads; one at a time."""

    def __init__(self, begin: "Callable[[ExitStack], tuple[pa.RecordBatchReader, Encoder]]") -> None:
        """`begin` starts the query, and puts what has to be closed on the stack."""
        self._begin = begin
        self._stack = ExitStack()
        self._pieces: Iterator[Encoded] | None = None
        self.opened = False
        self.ended = False

    def next(self) -> "Encoded | None":
        """The next rows, encoded; None after the last. What was opened is closed with the last rows or an error."""
        try:
            if self._pieces is None:
                self._pieces = self._encoded()
            piece = next(self._pieces, None)
        except BaseException as error:
            self.ended = True
            with self._closing():
                raise error
        if piece is None or self.ended:
            self.close()
        return piece

    def close(self) -> None:
        """Gives everything back."""
        self.ended = True
        with self._closing():
            self._pieces = None

    def _closing(self) -> ExitStack:
        self.opened = False
        return self._stack.pop_all()

    def _encoded(self) -> "Iterator[Encoded]":
        self.opened = True
        reader, encoder = self._begin(self._stack)
        batch = _read(reader)
        while batch is not None:
            following = _read(reader) if batch.num_rows < VECTOR else None
            yield from self._marked(encoder, batch, last=following is None and batch.num_rows < VECTOR)
            batch = following or _gathered(reader)
        self.ended = True

    def _marked(self, encoder: "Encoder", batch: "pa.RecordBatch", *, last: bool) -> "Iterator[Encoded]":
        pieces = encoder.pieces(batch)
        piece = next(pieces, None)
        while piece is not None:
            following = next(pieces, None)
            self.ended = last and following is None
            yield piece
            piece = following


def _gathered(reader: "pa.RecordBatchReader") -> "pa.RecordBatch | None":
    """The next batches as one."""
    import pyarrow as pa  # noqa: PLC0415

    batches: list[pa.RecordBatch] = []
    rows, size, until = 0, 0, monotonic() + SECONDS
    while rows < ROWS and size < BYTES and (not rows or monotonic() < until):
        batch = _read(reader)
        if batch is None:
            break
        batches.append(batch)
        rows += batch.num_rows
        size += batch.nbytes
    if len(batches) < 2:
        return batches[0] if batches else None
    return pa.concat_batches(batches)


def _read(reader: "pa.RecordBatchReader") -> "pa.RecordBatch | None":
    """The next batch with rows; None after the last. Raises DuckDB's errors, which Arrow brings as its own."""
    import pyarrow as pa  # noqa: PLC0415

    try:
        for batch in reader:
            if batch.num_rows:
                return batch
    except (OSError, pa.ArrowException) as error:
        text = str(error)
        raise _ERRORS.get(text.partition(":")[0], duckdb.Error)(text) from None
    return None


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(THREADS, thread_name_prefix="rows")
