"""Batches as they come, encoded in portions that are neither late nor small."""

from collections.abc import Iterable, Iterator
from time import monotonic

import pyarrow as pa

from ingot.pgwire.values.encoder import Encoded, Encoder

ROWS, BYTES, SECONDS = 16_384, 1 << 21, 0.02
"""Batches after the first are gathered until there are so many rows, or so many bytes, or so much time has passed."""
FIRST = 256
"""Rows of the first portion, so that a client sees something at once."""


def encoded(batches: Iterable[pa.RecordBatch], encoder: Encoder) -> Iterator[Encoded]:
    """The rows of all batches; the first few at once, the others in larger portions.

    Raises what `batches` raises, and `PgError` where a value does not fit its column.
    """
    left = iter(batches)
    first = next(left, None)
    if first is None:
        return
    yield from encoder.pieces(first.slice(0, FIRST))
    yield from encoder.pieces(first.slice(FIRST))
    del first
    while portion := _gathered(left):
        yield from encoder.pieces(portion[0] if len(portion) == 1 else pa.concat_batches(portion))


def _gathered(batches: Iterator[pa.RecordBatch]) -> list[pa.RecordBatch]:
    """The next batches; none after the last."""
    found: list[pa.RecordBatch] = []
    rows, size, until = 0, 0, monotonic() + SECONDS
    while rows < ROWS and size < BYTES and (not rows or monotonic() < until):
        batch = next(batches, None)
        if batch is None:
            break
        found.append(batch)
        rows += batch.num_rows
        size += batch.nbytes
    return found
