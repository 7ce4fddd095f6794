"""Answers to SQL as Arrow: a stream while the engine computes, and small ones whole, which are kept.

Only DuckDB gives Arrow; its batches are read here and never changed.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any

from ingot.engines import Interrupt, QueryInterruptedError

if TYPE_CHECKING:
    import pyarrow as pa

VECTOR = 2_048
"""Rows that the engine gives at a time: the first ones are there soon."""
ROWS, BYTES, SECONDS = 16_384, 1 << 21, 0.02
"""Later ones are gathered until there are so many rows, or so many bytes, or so much time has passed.

The second portion has few rows yet, and each one after it twice as many: who stops after the first has not asked for much.
"""
SMALL = 1 << 20
"""Bytes up to which an answer is read to its end before its first row is given away, so that it can be kept."""
PATIENCE = 0.05
"""Seconds after the first rows that their giver may wait for the last ones."""


@dataclass(frozen=True, slots=True)
class Whole:
    """All rows of an answer."""

    schema: "pa.Schema"
    batches: "tuple[pa.RecordBatch, ...]"
    size: int
    """Bytes, those of `forms` as well."""
    forms: dict[Any, Any] = field(default_factory=dict, compare=False)
    """What surfaces made of the rows to send them, by a key of theirs; `shape` puts it there."""

    def shape(self, key: Any, made: Any, size: int) -> None:
        """Keeps what was made of the rows, where they take no more than twice what was reckoned with."""
        if len(self.forms) < 2 and size <= max(self.size, 4_096):
            self.forms[key] = made


class Stream:
    """The batches of a statement under way. One reader at a time, in whichever thread; `close` must follow."""

    def __init__(
        self,
        session: "AbstractContextManager[Any]",
        sql: str,
        interrupt: Interrupt,
        parameters: Sequence[object] = (),
    ) -> None:
        """Starts the statement. Raises what `Engine.query` raises."""
        self._interrupt = interrupt
        self._lock = Lock()
        self._asking = Lock()
        self._open = ExitStack()
        self._taken = False
        self._begun = False
        self._ended = False
        self._first: list[pa.RecordBatch] = []
        self._rows = VECTOR
        cursor = self._open.enter_context(session)
        try:
            asked = cursor.sql(sql, params=list(parameters) or None)
            self._reader = asked.to_arrow_reader(VECTOR)
        except BaseException as error:
            self._fail(error)
            raise
        self.schema: pa.Schema = self._reader.schema

    def take(self) -> bool:
        """Whether whoever asks is the first, to whom the stream belongs from now on."""
        with self._asking:  # and not the lock of who reads, for whom nobody waits here
            taken, self._taken = self._taken, True
            return not taken

    def whole(self, most: int) -> Whole | None:
        """All rows, if they soon come to an end within `most` bytes; otherwise they are read as ever."""
        size = 0
        until: float | None = None
        while size <= most and (until is None or monotonic() < until):
            batch = self._next()
            if batch is None:
                return Whole(self.schema, tuple(_copied(one) for one in _joined(self._first)), 2 * size)
            until = until or monotonic() + PATIENCE
            self._first.append(batch)
            size += batch.get_total_buffer_size()
        return None

    def read(self) -> "pa.RecordBatch | None":
        """The next rows; None after the last. Raises what `Engine.query` raises."""
        if not self._begun:
            self._begun = True
            self._first = _joined(self._first)
            return self._first.pop(0) if self._first else self._next()
        gathered: list[pa.RecordBatch] = []
        rows = size = 0
        until = monotonic() + SECONDS
        self._rows = min(2 * self._rows, ROWS)
        while rows < self._rows and size < BYTES and (not rows or monotonic() < until):
            batch = self._next()
            if batch is None:
                break
            gathered.append(batch)
            rows += batch.num_rows
            size += batch.nbytes
        return next(iter(_joined(gathered)), None)

    def __iter__(self) -> "Iterator[pa.RecordBatch]":
        while (batch := self.read()) is not None:
            yield batch

    def close(self) -> None:
        """Stops the statement."""
        with self._lock:
            self._ended = True
            self._first.clear()
            self._open.close()

    def _next(self) -> "pa.RecordBatch | None":
        with self._lock:
            if self._ended:
                return None
            try:
                if self._interrupt.is_set:
                    raise QueryInterruptedError("The query was cancelled.")
                batch = self._reader.read_next_batch()
            except StopIteration:
                self._ended = True
                self._open.close()
                return None
            except BaseException as error:
                self._fail(error)
                raise
        return batch

    def _fail(self, error: BaseException) -> None:
        """Ends the session with an error, which comes out in the engine's words."""
        if isinstance(error, OSError):  # so says Arrow what the engine said
            error = self._told(error)
        self._open.__exit__(type(error), error, error.__traceback__)
        raise error

    @staticmethod
    def _told(error: OSError) -> BaseException:
        import duckdb  # noqa: PLC0415 - who has a stream has it

        text = str(error)
        kinds: dict[str, type[duckdb.Error]] = {
            "INTERRUPT Error": duckdb.InterruptException,
            "Out of Memory Error": duckdb.OutOfMemoryException,
            "Conversion Error": duckdb.ConversionException,
            "Out of Range Error": duckdb.OutOfRangeException,
            "Permission Error": duckdb.PermissionException,
        }
        kind = next((made for start, made in kinds.items() if text.startswith(start)), duckdb.Error)
        return kind(text)


def _joined(batches: "list[pa.RecordBatch]") -> "list[pa.RecordBatch]":
    """The rows of several batches in one; none where there are none."""
    import pyarrow as pa  # noqa: PLC0415 - who has a stream has it

    return [pa.concat_batches(batches)] if len(batches) > 1 else batches


def _copied(batch: "pa.RecordBatch") -> "pa.RecordBatch":
    """The same rows in memory of their size: in the engine's, six rows of two columns hold 60 KB for as long as they live."""
    import pyarrow as pa  # noqa: PLC0415 - who has a stream has it

    return pa.concat_batches([batch, batch.slice(0, 0)])
