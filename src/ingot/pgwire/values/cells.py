"""The values of one column as bytes, and how columns are put side by side without a loop over rows.

A part is a numpy array of one width (numbers, which nothing has to be copied for) or an Arrow array of binary.
Neighbours of one width are filled into one structured array; Arrow joins the rest row by row in C++.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Part = Any
"""`np.ndarray` of one dimension (or a scalar of numpy, which stands in each row), or `pa.BinaryArray`."""
Mask = npt.NDArray[np.bool_]

_NOTHING = pa.scalar(b"", pa.binary())


@dataclass(slots=True)
class Cells:
    """A column: what follows its lengths on the wire."""

    lengths: int | npt.NDArray[np.int32]
    """Bytes of each value; where there are nulls, what stands there for them is not read."""
    parts: list[Part] = field(default_factory=list)
    valid: Mask | None = None
    """Which are not null; None: all."""


def valid(array: pa.Array) -> Mask | None:
    """Which values are not null; None where all are."""
    if array.null_count == 0:
        return None
    mask: Mask = array.is_valid().to_numpy(zero_copy_only=False)
    return mask


def numbers(array: pa.Array, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """The values of a column of one width as they lie in memory; what stands at nulls means nothing."""
    kind = np.dtype(dtype)
    buffer = array.buffers()[1]
    if buffer is None or not len(array):
        return np.zeros(len(array), kind)
    return np.frombuffer(buffer, kind, len(array), array.offset * kind.itemsize)


def of_numpy(values: Any, kind: pa.DataType, mask: Mask | None) -> pa.Array:
    """Numbers as they lie in memory, as an Arrow array of `kind`."""
    bitmap = None if mask is None else pa.py_buffer(np.packbits(mask, bitorder="little"))
    return pa.Array.from_buffers(kind, len(values), [bitmap, pa.py_buffer(np.ascontiguousarray(values))])


def sizes(array: pa.Array) -> npt.NDArray[np.int32]:
    """Bytes of each value of text or binary."""
    if not len(array):
        return np.zeros(0, np.int32)
    ends = np.frombuffer(array.buffers()[1], np.int32, len(array) + 1, array.offset * 4)
    return np.diff(ends)


def binary(part: Part, rows: int, mask: Mask | None = None) -> pa.Array:
    """A part as Arrow's binary; where `mask` is false it is null."""
    if isinstance(part, pa.Array):
        return part if part.type == pa.binary() else part.view(pa.binary())
    array = _long(part, rows)
    bitmap = None if mask is None else pa.py_buffer(np.packbits(mask, bitorder="little"))
    offsets = _steps(array.dtype.itemsize, 1 << max(rows, 1).bit_length())
    return pa.Array.from_buffers(pa.binary(), rows, [bitmap, offsets, pa.py_buffer(array)])


def _long(part: Part, rows: int) -> npt.NDArray[Any]:
    array: npt.NDArray[Any] = np.ascontiguousarray(part if part.ndim else np.broadcast_to(part, (rows,)))
    return array


@lru_cache(256)
def _steps(width: int, rows: int) -> pa.Buffer:
    return pa.py_buffer(
        np.arange(0, (rows + 1) * width, width, dtype=np.int32) if width else np.zeros(rows + 1, np.int32)
    )


def cells(array: pa.Array) -> Cells:
    """A column of text or binary as it is."""
    return Cells(sizes(array), [array], valid(array))


def fixed(values: npt.NDArray[Any], mask: Mask | None) -> Cells:
    """A column whose values have one width."""
    return Cells(values.dtype.itemsize, [values], mask)


def prefixed(column: Cells, rows: int) -> list[Part]:
    """The parts of a column with the length before each value; -1 and nothing else for null."""
    if column.valid is None:
        return [_big(column.lengths), *column.parts]
    lengths = np.where(column.valid, column.lengths, -1)
    return [_big(lengths), *(_nulled(part, rows, column.valid) for part in column.parts)]


def _nulled(part: Part, rows: int, mask: Mask) -> pa.Array:
    if isinstance(part, pa.Array) and part.null_count:
        return binary(part, rows)
    if isinstance(part, pa.Array):
        return pc.if_else(pa.array(mask), binary(part, rows), pa.scalar(None, pa.binary()))
    return binary(part, rows, mask)


def _big(lengths: int | npt.NDArray[Any]) -> Part:
    return np.asarray(lengths, dtype=">i4")


def width(columns: list[Cells]) -> int | npt.NDArray[np.int64]:
    """Bytes of each row: four for every length, and the values."""
    constant = 4 * len(columns)
    varying: Any = 0
    for column in columns:
        if column.valid is not None:
            varying = varying + np.where(column.valid, column.lengths, 0)
        elif isinstance(column.lengths, int):
            constant += column.lengths
        else:
            varying = varying + column.lengths.astype(np.int64)
    total: int | npt.NDArray[np.int64] = varying + constant
    return total


def joined(parts: list[Part], rows: int) -> Part:
    """All parts of each row behind each other: one array again, of one width where all of them are."""
    merged: list[Part] = []
    run: list[Part] = []
    for part in parts:
        if not isinstance(part, pa.Array):
            run.append(part)
            continue
        if run:
            merged.append(_filled(run, rows))
            run = []
        merged.append(part)
    if run:
        merged.append(_filled(run, rows))
    if len(merged) == 1:
        return merged[0]
    return pc.binary_join_element_wise(
        *(binary(part, rows) for part in merged), _NOTHING, null_handling="replace", null_replacement=""
    )


def written_text(column: Cells, rows: int) -> pa.Array:
    """The cells of a text column as an Arrow array of text."""
    whole = binary(joined(column.parts, rows), rows)
    if column.valid is not None:
        whole = pc.if_else(pa.array(column.valid), whole, pa.scalar(None, pa.binary()))
    return whole.view(pa.string())


def _filled(run: list[Part], rows: int) -> npt.NDArray[Any]:
    if len(run) == 1:
        return _long(run[0], rows)
    whole = np.empty(rows, np.dtype([(f"f{at}", part.dtype) for at, part in enumerate(run)]))
    for at, part in enumerate(run):
        whole[f"f{at}"] = part
    return whole


def data(part: Part) -> tuple[memoryview, npt.NDArray[np.int64]]:
    """The bytes of a joined part, and where each row ends in them."""
    rows = len(part)
    if isinstance(part, pa.Array):
        ends = np.frombuffer(part.buffers()[1], np.int32, rows + 1, part.offset * 4).astype(np.int64)
        held = part.buffers()[2]
        view = memoryview(held)[int(ends[0]) : int(ends[-1])] if held is not None else memoryview(b"")
        return view, ends[1:] - ends[0]
    return memoryview(part.view(np.uint8) if rows else b""), np.arange(1, rows + 1) * part.dtype.itemsize
