"""Batches of Arrow as DataRow messages, in the formats that the client wants."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ingot.pgwire.errors import PgError
from ingot.pgwire.ports import BINARY, TEXT, Chunk, Field
from ingot.pgwire.values.cells import data, joined, prefixed, width
from ingot.pgwire.values.columns import Writer, writer
from ingot.pgwire.values.settings import Style

LARGEST = 1 << 26
"""Bytes of Arrow that are encoded at once; a batch that is larger is cut."""
LONGEST = (1 << 30) - 1
"""Bytes of one row: PostgreSQL's clients take no larger message."""


@dataclass(slots=True)
class Encoded:
    """Rows as messages, which can be handed out a few at a time."""

    data: memoryview
    ends: npt.NDArray[np.int64]
    at: int = 0
    """Rows that were handed out."""

    @property
    def left(self) -> int:
        """Rows that were not."""
        return len(self.ends) - self.at

    def cut(self, most: int) -> Chunk:
        """The next rows, at most `most` of them; 0: all that are left."""
        start = self.at
        stop = len(self.ends) if not most else min(len(self.ends), start + most)
        self.at = stop
        first = int(self.ends[start - 1]) if start else 0
        last = int(self.ends[stop - 1]) if stop else 0
        return Chunk(self.data[first:last], stop - start)


class Encoder:
    """Encodes the batches of one result."""

    def __init__(
        self,
        fields: Sequence[Field],
        schema: pa.Schema,
        formats: Sequence[int] = (),
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """`fields` are what the client was told, `schema` is what comes: values are cast where these differ.

        Args:
            formats: none (all text), one for all columns, or one a column.
            settings: those of the session that decide how values look: timezone, datestyle, intervalstyle,
                bytea_output, extra_float_digits.

        Raises `PgError` where a column cannot be of its field's type, or a format or setting is none of ours.
        """
        if len(fields) != len(schema):
            raise PgError(f"{len(schema)} columns came where {len(fields)} were promised", sqlstate="XX000")
        style = Style(settings or {})
        self._writers: list[Writer] = [
            writer(field, kind, format_, style)
            for field, kind, format_ in zip(fields, schema.types, spread(formats, len(fields)), strict=True)
        ]

    def encode(self, batch: pa.RecordBatch) -> bytes:
        """The rows of a batch as DataRow messages; see `pieces`."""
        return b"".join(piece.data for piece in self.pieces(batch))

    def pieces(self, batch: pa.RecordBatch) -> Iterator[Encoded]:
        """The rows of a batch as DataRow messages, in as many buffers as its size asks for.

        Raises `PgError` where a value is not in the range of its field's type.
        """
        for part in self.cut(batch):
            yield self.piece(part)

    @staticmethod
    def cut(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """The rows of a batch in parts that can be encoded at once; none where it has no rows."""
        rows = batch.num_rows
        if rows > 1 and batch.nbytes > LARGEST:
            yield from Encoder.cut(batch.slice(0, rows // 2))
            yield from Encoder.cut(batch.slice(rows // 2))
        elif rows:
            yield batch

    def piece(self, batch: pa.RecordBatch) -> Encoded:
        """The rows of a part in one buffer; see `cut`. Safe to call from several threads. Raises as `pieces` does."""
        rows = batch.num_rows
        columns = [write(array) for write, array in zip(self._writers, batch.columns, strict=True)]
        sizes = width(columns)
        if rows and int(np.max(sizes)) > LONGEST - 6:
            raise PgError("a row is larger than 1 GB", sqlstate="54000")
        parts = [np.array(b"D"), np.asarray(sizes + 6, ">i4"), np.array(len(columns), ">i2")]
        for column in columns:
            parts += prefixed(column, rows)
        return Encoded(*data(joined(parts, rows)))


def spread(formats: Sequence[int], columns: int) -> Sequence[int]:
    """One format a column. Raises `PgError` where they do not fit the columns."""
    if len(formats) not in (0, 1, columns):
        raise PgError(
            f"bind message has {len(formats)} result formats but query has {columns} columns",
            sqlstate="08P01",
        )
    for each in formats:
        if each not in (TEXT, BINARY):
            raise PgError(f"unsupported format code: {each}", sqlstate="22023")
    if len(formats) == columns:
        return formats
    return [formats[0] if formats else TEXT] * columns
