"""Types that are told in few lines: truth values, bytes, UUIDs, strings of bits, times of day with an offset."""

import re

import numpy as np
import pyarrow as pa

from ingot.pgwire.errors import PgError
from ingot.pgwire.values.cells import Cells, cells, fixed, numbers, sizes, valid

_HEX = np.array([f"{byte:02x}" for byte in range(256)], "S2").view("<u2")
_TIMETZ = re.compile(r"(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?")
_DASHES = (8, 13, 18, 23)


def bool_text(array: pa.Array) -> Cells:
    """`t` or `f`."""
    flags = array.cast(pa.uint8()).fill_null(0).to_numpy()
    return fixed(np.where(flags, b"t", b"f").astype("S1"), valid(array))


def bool_binary(array: pa.Array) -> Cells:
    """A byte: 1 or 0."""
    return fixed(array.cast(pa.uint8()).fill_null(0).to_numpy(), valid(array))


def bytea_hex(array: pa.Array) -> Cells:
    """`\\x` and two digits a byte."""
    rows, lengths = len(array), sizes(array)
    held = array.buffers()[2]
    if not rows or held is None or not lengths.any():
        return Cells(2, [np.array(b"\\x")], valid(array)) if rows else Cells(0, [array])
    ends = np.frombuffer(array.buffers()[1], np.int32, rows + 1, array.offset * 4)
    source = np.frombuffer(held, np.uint8)[ends[0] : ends[-1]]
    doubled = ((ends - ends[0]) * 2).astype(np.int32)
    digits = pa.Array.from_buffers(
        pa.binary(), rows, [None, pa.py_buffer(doubled), pa.py_buffer(_HEX[source])]
    )
    return Cells(lengths * 2 + 2, [np.array(b"\\x"), digits], valid(array))


def bytea_escape(array: pa.Array) -> Cells:
    """Bytes as they are, those outside of ASCII as `\\ooo`."""
    return cells(
        pa.array(
            [None if one is None else b"".join(_escaped(byte) for byte in one) for one in array.to_pylist()],
            pa.binary(),
        )
    )


def _escaped(byte: int) -> bytes:
    if byte == 0x5C:
        return b"\\\\"
    return bytes([byte]) if 0x20 <= byte <= 0x7E else b"\\%03o" % byte


def uuid_text(array: pa.Array) -> Cells:
    """A UUID's 36 characters, from these or from its 16 bytes."""
    if pa.types.is_string(array.type):
        return cells(array)
    digits = _HEX[numbers(array, "V16").view(np.uint8)].view("S1").reshape(-1, 32)
    text = np.full((len(array), 36), b"-", "S1")
    at = [place for place in range(36) if place not in _DASHES]
    text[:, at] = digits
    return fixed(text.view("V36").reshape(-1), valid(array))


def uuid_binary(array: pa.Array) -> Cells:
    """A UUID's 16 bytes, from its text."""
    if not pa.types.is_string(array.type):
        return fixed(numbers(array, "V16"), valid(array))
    filled = array.fill_null("00000000-0000-0000-0000-000000000000")
    if len(filled) and not (sizes(filled) == 36).all():
        raise PgError("invalid input syntax for type uuid", sqlstate="22P02")
    ends = np.frombuffer(filled.buffers()[1], np.int32, len(filled) + 1, filled.offset * 4)
    text = np.frombuffer(filled.buffers()[2], np.uint8)[ends[0] : ends[-1]].reshape(-1, 36)
    digits = np.delete(text, _DASHES, axis=1)
    nibbles = np.where(digits <= ord("9"), digits - ord("0"), (digits | 0x20) - ord("a") + 10)
    if nibbles.size and int(nibbles.max()) > 15:
        raise PgError("invalid input syntax for type uuid", sqlstate="22P02")
    packed = np.ascontiguousarray((nibbles[:, ::2] << 4) | nibbles[:, 1::2])
    return fixed(packed.view("V16").reshape(-1), valid(array))


def bits_binary(array: pa.Array) -> Cells:
    """Strings of bits: their number, then eight a byte."""
    return cells(pa.array([None if one is None else bits(one) for one in array.to_pylist()], pa.binary()))


def bits(text: str) -> bytes:
    """The binary form of `0110`."""
    flags = np.frombuffer(text.encode(), np.uint8) - ord("0")
    return len(text).to_bytes(4, "big") + np.packbits(flags).tobytes()


def timetz_binary(array: pa.Array) -> Cells:
    """Microseconds since midnight, and the seconds west of Greenwich."""
    return cells(pa.array([None if one is None else timetz(one) for one in array.to_pylist()], pa.binary()))


def timetz(text: str) -> bytes:
    """The binary form of `04:05:06.789+02`. Raises `PgError` for anything else."""
    found = _TIMETZ.fullmatch(text)
    if found is None:
        raise PgError(f'invalid input syntax for type time with time zone: "{text}"', sqlstate="22007")
    hours, minutes, seconds, fraction, sign, *offset = found.groups()
    micros = ((int(hours) * 60 + int(minutes)) * 60 + int(seconds)) * 1_000_000 + int(
        (fraction or "").ljust(6, "0")
    )
    west = sum(int(part or 0) * unit for part, unit in zip(offset, (3600, 60, 1), strict=True))
    west = -west if sign == "+" else west
    return micros.to_bytes(8, "big") + west.to_bytes(4, "big", signed=True)


def jsonb_binary(column: Cells) -> Cells:
    """JSON's text behind a byte for the version."""
    lengths = column.lengths + 1 if isinstance(column.lengths, int) else column.lengths + np.int32(1)
    return Cells(lengths, [np.array(1, np.uint8), *column.parts], column.valid)
