"""Single values in Iceberg's binary form, and column bounds from the statistics that DuckDB reports.

A bound that cannot be told exactly is left out: a reader then reads the file, which is never wrong.
"""

import struct
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (Iceberg's timestamp has no zone)
_EPOCH_DAY = date(1970, 1, 1)
_MICROSECOND = timedelta(microseconds=1)
_KEPT_CHARACTERS = 16

Value = bool | int | float | str | bytes | Decimal | UUID


def parse(kind: str, text: str) -> Value | None:
    """The value that DuckDB wrote as `text`, as a number where Iceberg stores one; None where it has none."""
    try:
        return _parse(kind, text)
    except (ValueError, ArithmeticError):
        # Infinite dates, years before 1 or after 9999: legal in DuckDB, unknown to Python.
        return None


def _parse(kind: str, text: str) -> Value | None:  # noqa: PLR0911 (one case a type)
    if kind == "boolean":
        return text in ("1", "true")
    if kind in ("int", "long"):
        return int(text)
    if kind in ("float", "double"):
        return float(text)
    if kind == "string":
        return text
    if kind == "date":
        return (date.fromisoformat(text) - _EPOCH_DAY).days
    if kind == "time":
        found = time.fromisoformat(text)
        return ((found.hour * 60 + found.minute) * 60 + found.second) * 1_000_000 + found.microsecond
    if kind in ("timestamp", "timestamptz"):
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            moment = moment.astimezone(UTC).replace(tzinfo=None)
        return (moment - _EPOCH) // _MICROSECOND
    if kind.startswith("decimal"):
        return Decimal(text)
    if kind == "uuid":
        return UUID(text)
    if kind == "binary":
        return bytes.fromhex(text)
    return None


def encode(kind: str, value: Value) -> bytes:  # noqa: PLR0911 (one case a type)
    """`value` in the binary single-value form of Iceberg's specification."""
    if kind == "boolean":
        return b"\x01" if value else b"\x00"
    if kind in ("int", "date"):
        return struct.pack("<i", value)
    if kind in ("long", "time", "timestamp", "timestamptz"):
        return struct.pack("<q", value)
    if kind == "float":
        return struct.pack("<f", value)
    if kind == "double":
        return struct.pack("<d", value)
    if isinstance(value, Decimal):
        return unscaled_bytes(unscaled(value, kind))
    if isinstance(value, UUID):
        return value.bytes
    if isinstance(value, bytes):
        return value
    assert isinstance(value, str)
    return value.encode()


def decode(kind: str, stored: bytes) -> Value | None:  # noqa: PLR0911 (one case a type)
    """The value of `encode`; None where it cannot be told.

    A file from before its column was widened has bounds of the narrower type.
    """
    if kind == "boolean":
        return stored != b"\x00"
    if kind in ("int", "long", "date", "time", "timestamp", "timestamptz"):
        return int.from_bytes(stored, "little", signed=True) if len(stored) in (4, 8) else None
    if kind in ("float", "double"):
        form = {4: "<f", 8: "<d"}.get(len(stored))
        found: float | None = struct.unpack(form, stored)[0] if form else None
        # A bound that is not a number says nothing.
        return found if found == found else None  # noqa: PLR0124 (NaN)
    if kind.startswith("decimal"):
        scale = int(kind.rstrip(")").split(",")[1])
        number = int.from_bytes(stored, "big", signed=True)
        return Decimal((int(number < 0), tuple(map(int, str(abs(number)))), -scale))
    if kind == "uuid":
        return UUID(bytes=stored) if len(stored) == 16 else None
    if kind == "binary":
        return stored
    if kind != "string":
        return None
    try:
        return stored.decode()
    except UnicodeDecodeError:
        # Cut in the middle of a character by another writer.
        return None


def unscaled(value: Decimal, kind: str) -> int:
    """A decimal as the whole number that Iceberg stores."""
    scale = int(kind.rstrip(")").split(",")[1])
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    number: int = int("".join(map(str, digits))) * 10 ** (exponent + scale)
    return -number if sign else number


def unscaled_bytes(number: int) -> bytes:
    """Two's complement, big-endian, in as few bytes as hold it."""
    length = (number if number >= 0 else ~number).bit_length() // 8 + 1
    return number.to_bytes(length, "big", signed=True)


def lower(kind: str, text: str) -> bytes | None:
    """The lower bound for a column's smallest value."""
    value = parse(kind, text)
    if value is None:
        return None
    if isinstance(value, str | bytes):
        value = value[:_KEPT_CHARACTERS]
    elif isinstance(value, float) and value == 0:
        value = -0.0
    return encode(kind, value)


def upper(kind: str, text: str) -> bytes | None:
    """The upper bound for a column's greatest value; None where a truncated one cannot be made greater."""
    value = parse(kind, text)
    if value is None:
        return None
    if isinstance(value, str):
        return _upper_text(value)
    if isinstance(value, bytes):
        return _upper_bytes(value)
    if isinstance(value, float) and value == 0:
        value = 0.0
    return encode(kind, value)


def _upper_text(value: str) -> bytes | None:
    if len(value) <= _KEPT_CHARACTERS:
        return value.encode()
    kept = value[:_KEPT_CHARACTERS]
    while kept:
        code = ord(kept[-1]) + 1
        if 0xD800 <= code <= 0xDFFF:
            code = 0xE000
        if code <= 0x10FFFF:
            return (kept[:-1] + chr(code)).encode()
        kept = kept[:-1]
    return None


def _upper_bytes(value: bytes) -> bytes | None:
    if len(value) <= _KEPT_CHARACTERS:
        return value
    kept = value[:_KEPT_CHARACTERS].rstrip(b"\xff")
    return kept[:-1] + bytes([kept[-1] + 1]) if kept else None
