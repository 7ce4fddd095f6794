"""`numeric` on the wire: decimals of any precision as digits, and as PostgreSQL's groups of four.

What fits 64 bits, which is nearly everything, is computed by numpy; the rest by Arrow on text.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ingot.pgwire.values.cells import Cells, Mask, cells, numbers, sizes, valid, written_text
from ingot.pgwire.values.floats import plain

_NAN, _INF, _MINUS_INF, _MINUS = 0xC000, 0xD000, 0xF000, 0x4000
_HEAD = [("digits", ">i2"), ("weight", ">i2"), ("sign", ">u2"), ("scale", ">u2")]
Longs = npt.NDArray[np.int64]


def small(array: pa.Array) -> Longs | None:
    """The unscaled values where each fits 63 bits; nulls are 0. None where one does not."""
    kind = array.type
    if pa.types.is_integer(kind):
        values = numbers(array, kind.to_pandas_dtype())
        if kind == pa.uint64() and len(values) and values.max() > np.iinfo(np.int64).max:
            return None
        values = values.astype(np.int64)
    elif pa.types.is_decimal128(kind):
        halves = numbers(array, "<i8,<i8")
        values, high = halves["f0"], halves["f1"]
        if not np.array_equal(high, values >> 63):
            if array.null_count:
                return small(pc.fill_null(array, pa.scalar(0, kind)))
            return None
    else:
        return None
    if array.null_count:
        values = np.where(array.is_valid().to_numpy(zero_copy_only=False), values, 0)
    # The smallest of all has no positive counterpart.
    return None if len(values) and values.min() == np.iinfo(np.int64).min else values


def text(array: pa.Array) -> Cells:
    """Decimals with all digits of their scale, whole numbers, doubles without an exponent."""
    kind = array.type
    if pa.types.is_floating(kind):
        return cells(plain(array))
    if not pa.types.is_decimal(kind):
        return cells(array if pa.types.is_string(kind) else pc.cast(array, pa.string()))
    values = small(array)
    mask = valid(array)
    if values is None:
        return cells(_large(array, kind.scale))
    if not kind.scale:
        written = pc.cast(pa.array(values), pa.string())
        return Cells(sizes(written), [written], mask)
    unit = 10**kind.scale if kind.scale < 19 else None
    if unit is None:
        return cells(_large(array, kind.scale))
    positive = np.abs(values)
    whole = positive // unit
    rest = positive - whole * unit
    negative = values < 0
    written = pc.cast(pa.array(np.where(negative, -whole, whole)), pa.string())
    lost = negative & (whole == 0)
    if lost.any():
        written = pc.if_else(pa.array(lost), "-0", written)
    point = _point(rest, kind.scale)
    return Cells(sizes(written) + point.dtype.itemsize, [written, point], mask)


def _point(rest: Longs, scale: int) -> npt.NDArray[Any]:
    """`.05` for 5 at scale 2."""
    digits = np.empty((len(rest), scale + 1), np.uint8)
    digits[:, 0] = ord(".")
    if scale < 10:
        rest = rest.astype(np.uint32)
    for place in range(scale, 0, -1):
        above = rest // 10
        digits[:, place] = rest - above * 10
        rest = above
    digits[:, 1:] += ord("0")
    return digits.view(f"V{scale + 1}").reshape(-1)


def _large(array: pa.Array, scale: int) -> pa.Array:
    kind = array.type
    # Arrow writes small values with an exponent; whole numbers it never does.
    wide = pa.types.is_decimal256(kind)
    whole = pa.Array.from_buffers(
        pa.decimal256(76, 0) if wide else pa.decimal128(38, 0),
        len(array),
        array.buffers(),
        offset=array.offset,
    )
    digits = pc.cast(whole, pa.string())
    if not scale:
        return digits
    negative = pc.starts_with(digits, "-")
    digits = pc.utf8_lpad(pc.utf8_ltrim(digits, "-"), scale + 1, "0")
    sign = pc.if_else(negative, "-", "")
    return pc.binary_join_element_wise(
        pc.binary_join_element_wise(sign, pc.utf8_slice_codeunits(digits, 0, stop=-scale), ""),
        pc.utf8_slice_codeunits(digits, -scale),
        ".",
    )


def binary(array: pa.Array) -> Cells:
    """PostgreSQL's binary form: a head of four words, then digits of base 10,000."""
    kind = array.type
    decimal = pa.types.is_decimal(kind)
    values = small(array) if decimal or pa.types.is_integer(kind) else None
    scale = kind.scale if decimal else 0
    if values is None or scale > 16:
        return _each(text(array), len(array), scale if decimal else None)
    return _groups(values, scale, valid(array))


def _groups(values: Longs, scale: int, mask: Mask | None) -> Cells:
    """Numbers in groups of four digits, each without the groups of zeros at its ends, as PostgreSQL itself sends them."""
    positive = np.abs(values).astype(np.uint64)
    behind = -(-scale // 4)
    unit = np.uint64(10**scale)
    whole = positive // unit
    rest = (positive - whole * unit) * np.uint64(10 ** (behind * 4 - scale))
    before = max(1, -(-len(str(int(whole.max(initial=0)))) // 4))
    groups = [*_split(whole, before), *_split(rest, behind)]
    count = before + behind
    leading, trailing = _zeros(groups), _zeros(groups[::-1])
    digits = np.maximum(count - leading - trailing, 0)
    head = np.empty(len(values), _HEAD)
    head["digits"] = digits
    head["weight"] = np.where(digits > 0, before - 1 - leading, 0)
    head["sign"] = (values < 0) * np.uint16(_MINUS)
    head["scale"] = scale
    if len(values) and leading.min() == leading.max() and trailing.min() == trailing.max():
        left = groups[int(leading[0]) : count - int(trailing[0])]
        return Cells(8 + 2 * len(left), [head, *(group.astype(">u2") for group in left)], mask)
    kept = np.empty((len(values), count), np.bool_)
    body = np.empty((len(values), count), ">u2")
    for place, group in enumerate(groups):
        body[:, place] = group
        np.logical_and(leading <= place, trailing < count - place, out=kept[:, place])
    ends = np.zeros(len(values) + 1, np.int32)
    np.cumsum(digits * 2, out=ends[1:])
    varying = pa.Array.from_buffers(
        pa.binary(), len(values), [None, pa.py_buffer(ends), pa.py_buffer(body[kept])]
    )
    return Cells((8 + 2 * digits).astype(np.int32), [head, varying], mask)


def _split(values: npt.NDArray[np.uint64], count: int) -> list[npt.NDArray[Any]]:
    """Whole numbers as `count` groups of four digits, the highest first."""
    # Numbers of 32 bits are divided four times as fast.
    left: npt.NDArray[Any] = values if int(values.max(initial=0)) >> 32 else values.astype(np.uint32)
    groups = []
    for _ in range(count - 1):
        above = left // 10_000
        groups.append((left - above * 10_000).astype(np.uint16))
        left = above
    return [*([left.astype(np.uint16)] if count else []), *reversed(groups)]


def _zeros(groups: list[npt.NDArray[Any]]) -> npt.NDArray[np.int32]:
    """How many of the first groups are zero, for each number."""
    found = np.zeros(len(groups[0]), np.int32)
    still = np.ones(len(groups[0]), np.bool_)
    for group in groups:
        still &= group == 0
        found += still
    return found


def _each(written: Cells, rows: int, scale: int | None) -> Cells:
    column = written_text(written, rows)
    made = pa.array([None if one is None else numeric(one, scale) for one in column.to_pylist()], pa.binary())
    return cells(made)


def numeric(text: str, scale: int | None = None) -> bytes:
    """The binary form of a number in plain digits (`-12.50`), `NaN`, `Infinity` or `-Infinity`."""
    special = {"NaN": _NAN, "Infinity": _INF, "-Infinity": _MINUS_INF}.get(text)
    if special is not None:
        return np.array((0, 0, special, 0), _HEAD).tobytes()
    negative = text.startswith("-")
    whole, _, fraction = text.lstrip("-").partition(".")
    shown = len(fraction) if scale is None else scale
    whole = whole.rjust(-(-len(whole) // 4) * 4, "0")
    fraction = fraction.ljust(-(-len(fraction) // 4) * 4, "0")
    digits = whole + fraction
    groups = [int(digits[at : at + 4]) for at in range(0, len(digits), 4)]
    weight = len(whole) // 4 - 1
    while groups and not groups[0]:
        groups.pop(0)
        weight -= 1
    while groups and not groups[-1]:
        groups.pop()
    sign = _MINUS if negative and groups else 0
    head = np.array((len(groups), weight if groups else 0, sign, shown), _HEAD)
    return head.tobytes() + np.array(groups, ">u2").tobytes()
