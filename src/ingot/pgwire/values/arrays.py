"""Arrays, of any depth: elements are written by their own type's writer, then joined row by row by Arrow."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingot.pgwire.errors import PgError
from ingot.pgwire.values.cells import Cells, binary, cells, joined, prefixed, valid, written_text

Write = Callable[[pa.Array], Cells]
# What an array's text must quote: nothing, NULL, and what has a meaning in it.
_QUOTED = r'^$|^(?i:null)$|[{},"\\ \t\n\v\f\r]'


def text(array: pa.Array, write: Write) -> Cells:
    """`{1,2,NULL}`; quotes stand where PostgreSQL sets them."""
    mask = valid(array)
    dimensions = _shape(array)
    made = _text(_lists(array), write)
    if len(dimensions) > 1:
        empty = (np.array(dimensions) == 0).any(axis=0)
        made = pc.if_else(pa.array(empty), "{}", made) if empty.any() else made
    return Cells(*_sized(made), mask)


def _text(array: pa.Array, write: Write) -> pa.Array:
    elements = array.flatten()
    rows = len(elements)
    if is_list(array.type.value_type):
        written = _text(_lists(elements), write)
    else:
        written = _quoted(written_text(write(elements), rows))
    lists = _relisted(array, written)
    inner = pc.binary_join(lists, ",")
    whole = pc.binary_join_element_wise("{", inner, "}", "")
    return pc.fill_null(whole, "")


def _quoted(written: pa.Array) -> pa.Array:
    special = pc.match_substring_regex(written, _QUOTED)
    if pc.any(special).as_py():
        escaped = pc.replace_substring_regex(written, r'(["\\])', r"\\\1")
        written = pc.if_else(special, pc.binary_join_element_wise('"', escaped, '"', ""), written)
    return pc.fill_null(written, "NULL")


def wire(array: pa.Array, write: Write, element: int) -> Cells:
    """The binary form: dimensions, whether there are nulls, the type, lengths and lower bounds, elements."""
    mask = valid(array)
    dimensions = _shape(array)
    lists = _lists(array)
    depth = len(dimensions)
    inner = lists
    for _ in range(depth - 1):
        inner = _flat(inner)
    elements = inner.flatten()
    column = write(elements)
    written = binary(joined(prefixed(column, len(elements)), len(elements)), len(elements))
    bodies = pc.fill_null(pc.binary_join(_relisted(inner, written), b""), b"")
    nulls = np.zeros(len(array), np.int32)
    if column.valid is not None:
        starts, ends = _bounds(inner)
        missing = np.concatenate(([0], np.cumsum(~column.valid)))
        nulls = (missing[ends] > missing[starts]).astype(np.int32)
    empty = dimensions[0] == 0
    for each in dimensions[1:]:
        empty = empty | (each == 0)
    plain = np.zeros(len(array), [("depth", ">i4"), ("nulls", ">i4"), ("element", ">i4")])
    plain["depth"] = np.where(empty, 0, depth)
    plain["nulls"] = np.where(empty, 0, nulls)
    plain["element"] = element
    bounds = np.ones((len(array), depth * 2), ">i4")
    for place, each in enumerate(dimensions):
        bounds[:, place * 2] = each
    heads = bounds.view(f"V{8 * depth}").reshape(-1)
    sized = binary(heads, len(array), ~empty) if empty.any() else heads
    whole = joined([plain, sized, bodies], len(array))
    return Cells(*_sized(binary(whole, len(array))), mask)


def _flat(lists: pa.Array) -> pa.Array:
    """Lists of lists as lists: those of a row behind each other."""
    starts, ends = _bounds(lists)
    inner = _lists(lists.flatten())
    deep = np.frombuffer(inner.buffers()[1], np.int32, len(inner) + 1, inner.offset * 4) - (
        np.frombuffer(inner.buffers()[1], np.int32, 1, inner.offset * 4)[0] if len(inner) else 0
    )
    offsets = np.concatenate((deep[starts[:1]] if len(starts) else np.zeros(1, np.int32), deep[ends]))
    return pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), inner.flatten())


def _bounds(lists: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Where the elements of each row begin and end in what `flatten` gives."""
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False)
    ends = np.cumsum(lengths)
    return (ends - lengths).astype(np.int64), ends.astype(np.int64)


def _relisted(lists: pa.Array, elements: pa.Array) -> pa.Array:
    _, ends = _bounds(lists)
    offsets = np.concatenate(([0], ends)).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), elements)


def is_list(kind: pa.DataType) -> bool:
    """Whether values of this type are lists, of whichever kind."""
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _lists(array: pa.Array) -> pa.Array:
    return array if pa.types.is_list(array.type) else array.cast(pa.list_(array.type.value_type))


def _shape(array: pa.Array) -> list[np.ndarray]:
    """The length of each dimension in each row.

    Raises `PgError` where the lists in a row are of different lengths, or one of them is null.
    """
    lists = _lists(array)
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False).astype(np.int64)
    dimensions = [lengths]
    rows = np.repeat(np.arange(len(array)), lengths)
    while is_list(lists.type.value_type):
        inner = _lists(lists.flatten())
        if inner.null_count:
            raise _ragged()
        sizes = pc.list_value_length(inner).to_numpy(zero_copy_only=False).astype(np.int64)
        of_row = np.zeros(len(array), np.int64)
        of_row[rows] = sizes
        if not np.array_equal(of_row[rows], sizes):
            raise _ragged()
        dimensions.append(of_row)
        rows = np.repeat(rows, sizes)
        lists = inner
    return dimensions


def _sized(array: pa.Array) -> tuple[np.ndarray, list[pa.Array]]:
    made = cells(array)
    assert not isinstance(made.lengths, int)
    return made.lengths, made.parts


def _ragged() -> PgError:
    return PgError(
        "multidimensional arrays must have array expressions with matching dimensions",
        sqlstate="2202E",
        hint="to_json(column) shows lists of different lengths.",
    )
