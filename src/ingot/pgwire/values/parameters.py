"""Parameters as clients send them, in text or binary, as values of Python; what is none of its type is refused.

Messages and codes are PostgreSQL's. `literals` makes expressions of the values.
"""

import json
import math
import re
import struct
from collections.abc import Callable, Mapping
from decimal import ROUND_DOWN, Context, Decimal, InvalidOperation
from functools import partial
from typing import Any
from uuid import UUID

from ingot.pgwire import types
from ingot.pgwire.errors import PgError
from ingot.pgwire.ports import BINARY, Value
from ingot.pgwire.values import array_input, interval_input, time_input
from ingot.pgwire.values.interval_input import Interval
from ingot.pgwire.values.time_input import Moment

_RANGE = {types.INT2: 1 << 15, types.INT4: 1 << 31, types.INT8: 1 << 63}
_WHOLE = re.compile(
    r"[+-]?(?:\d+(?:_\d+)*|0[xX]_?[0-9a-fA-F]+(?:_[0-9a-fA-F]+)*|0[oO]_?[0-7]+(?:_[0-7]+)*|0[bB]_?[01]+(?:_[01]+)*)"
)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_SPECIAL = {"nan": "NaN", "inf": "Infinity", "infinity": "Infinity", "+inf": "Infinity", "+infinity": "Infinity",
            "-inf": "-Infinity", "-infinity": "-Infinity"}  # fmt: skip
_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")
_UUID = re.compile(r"[0-9a-fA-F]{4}(?:-?[0-9a-fA-F]{4}){7}")
_SPACE = " \t\n\r\v\f"


def decode(value: Value, oid: int, settings: Mapping[str, str] | None = None) -> Any:
    """What a parameter of type `oid` is in Python; None for NULL.

    Numbers are `int`, `float` and `Decimal`, dates and times `Moment`, intervals `Interval`, arrays lists; JSON, strings
    of bits and everything unknown is text.

    Args:
        settings: of the session; times without an offset are in its zone.

    Raises `PgError` (22P02, 22P03, 22003, 22007, 22008, 22021) for anything that is no value of the type.
    """
    if value.raw is None:
        return None
    known = types.TYPES.get(oid)
    element = known.element if known is not None else 0
    if value.format == BINARY:
        if element:
            return array_input.binary(value.raw, element, _binary)
        return _binary(value.raw, oid)
    text = utf8(value.raw)
    if element:
        return array_input.text(text, lambda each: _text(each, element, settings))
    return _text(text, oid, settings)


def utf8(raw: bytes) -> str:
    """Bytes of a client as text. Raises `PgError` (22021) where they are none, or hold a zero."""
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        bad = " ".join(f"0x{byte:02x}" for byte in raw[error.start : error.start + 1])
        raise PgError(f'invalid byte sequence for encoding "UTF8": {bad}', sqlstate="22021") from None
    if "\0" in text:
        raise PgError('invalid byte sequence for encoding "UTF8": 0x00', sqlstate="22021")
    return text


def _text(text: str, oid: int, settings: Mapping[str, str] | None) -> Any:  # noqa: PLR0911 - one for each type
    match oid:
        case types.BOOL:
            return _bool(text)
        case types.INT2 | types.INT4 | types.INT8 | types.OID:
            return _int(text, oid)
        case types.FLOAT4 | types.FLOAT8:
            return _float(text, oid)
        case types.NUMERIC:
            return _decimal(text)
        case types.BYTEA:
            return _bytes(text)
        case types.UUID:
            return _uuid(text)
        case types.JSON | types.JSONB:
            return _json(text)
        case types.BIT | types.VARBIT:
            return _bits(text)
        case types.INTERVAL:
            return interval_input.interval(text)
        case types.DATE | types.TIME | types.TIMETZ | types.TIMESTAMP | types.TIMESTAMPTZ:
            return time_input.moment(text, oid, settings or {})
    return text


def _bool(text: str) -> bool:
    folded = text.strip(_SPACE).lower()
    if folded and folded != "o":
        if any(word.startswith(folded) for word in _TRUE):
            return True
        if any(word.startswith(folded) for word in _FALSE):
            return False
    raise invalid("boolean", text)


def _int(text: str, oid: int) -> int:
    name = types.type_of(oid).name
    trimmed = text.strip(_SPACE)
    if not _WHOLE.fullmatch(trimmed):
        raise invalid(name, text)
    body = trimmed.lstrip("+-").replace("_", "")
    number = 1 << 200 if len(body) > 80 else _digits(body)
    number = -number if trimmed.startswith("-") else number
    if oid == types.OID:
        if -(1 << 31) <= number < 1 << 32:
            return number % (1 << 32)
    elif -_RANGE[oid] <= number < _RANGE[oid]:
        return number
    raise PgError(f'value "{text}" is out of range for type {name}', sqlstate="22003")


def _float(text: str, oid: int) -> float:
    name = types.type_of(oid).name
    trimmed = text.strip(_SPACE)
    special = _SPECIAL.get(trimmed.lower())
    if special is not None:
        return float(special)
    if not _NUMBER.fullmatch(trimmed):
        raise invalid(name, text)
    number = float(trimmed)
    if oid == types.FLOAT4 and math.isfinite(number):
        try:
            number = struct.unpack(">f", struct.pack(">f", number))[0]
        except OverflowError:
            number = math.inf
    lost = number == 0 and any(digit in "123456789" for digit in re.split("[eE]", trimmed)[0])
    if math.isinf(number) or lost:
        raise PgError(f'"{trimmed}" is out of range for type {name}', sqlstate="22003")
    return number


def _decimal(text: str) -> Decimal:
    trimmed = text.strip(_SPACE)
    special = _SPECIAL.get(trimmed.lower())
    if special is not None:
        return Decimal(special)
    if _NUMBER.fullmatch(trimmed):
        try:
            number = Decimal(trimmed)
        except InvalidOperation:
            number = Decimal("Infinity")
        if number.is_infinite() or abs(number.adjusted()) > 131_072:
            raise PgError("value overflows numeric format", sqlstate="22003")
        return number or number.copy_abs()
    if _WHOLE.fullmatch(trimmed):
        body = trimmed.lstrip("+-").replace("_", "")
        number = Decimal(_digits(body))
        return -number if trimmed.startswith("-") else number
    raise invalid("numeric", text)


def _digits(body: str) -> int:
    return int(body, 0) if body[1:2].isalpha() else int(body)


def _bytes(text: str) -> bytes:
    if text.startswith("\\x"):
        digits = "".join(text[2:].split())
        for digit in digits:
            if digit not in "0123456789abcdefABCDEF":
                raise PgError(f'invalid hexadecimal digit: "{digit}"', sqlstate="22023")
        if len(digits) % 2:
            raise PgError("invalid hexadecimal data: odd number of digits", sqlstate="22023")
        return bytes.fromhex(digits)
    made = bytearray()
    raw, at = text.encode(), 0
    while at < len(raw):
        if raw[at] != 0x5C:
            made.append(raw[at])
            at += 1
        elif raw[at + 1 : at + 2] == b"\\":
            made.append(0x5C)
            at += 2
        elif re.fullmatch(rb"[0-3][0-7][0-7]", raw[at + 1 : at + 4]):
            made.append(int(raw[at + 1 : at + 4], 8))
            at += 4
        else:
            raise PgError("invalid input syntax for type bytea", sqlstate="22P02")
    return bytes(made)


def _uuid(text: str) -> UUID:
    inner = text[1:-1] if text.startswith("{") and text.endswith("}") else text
    if not _UUID.fullmatch(inner):
        raise invalid("uuid", text)
    return UUID(inner.replace("-", ""))


def _json(text: str) -> str:
    try:
        json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise PgError("invalid input syntax for type json", sqlstate="22P02") from None
    return text


def _no_constant(name: str) -> None:
    raise ValueError(name)


def _bits(text: str) -> str:
    body = text
    if text[:1] in ("x", "X"):
        for digit in text[1:]:
            if digit not in "0123456789abcdefABCDEF":
                raise PgError(f'"{digit}" is not a valid hexadecimal digit', sqlstate="22P02")
        return "".join(f"{int(digit, 16):04b}" for digit in text[1:])
    if text[:1] in ("b", "B"):
        body = text[1:]
    for digit in body:
        if digit not in "01":
            raise PgError(f'"{digit}" is not a valid binary digit', sqlstate="22P02")
    return body


def _binary(raw: bytes, oid: int) -> Any:
    reader = _BINARY.get(oid)
    if reader is None:
        return utf8(raw)
    try:
        return reader(raw)
    except (struct.error, IndexError):
        raise PgError("incorrect binary data format in bind parameter", sqlstate="22P03") from None


def _unpacked(format_: str) -> Callable[[bytes], Any]:
    return lambda raw: struct.unpack(format_, raw)[0]


def _binary_numeric(raw: bytes) -> Decimal:
    count, weight, sign, scale = struct.unpack_from(">HhHH", raw)
    groups = struct.unpack(f">{count}H", raw[8:])
    if sign in (0xC000, 0xD000, 0xF000):
        return Decimal({0xC000: "NaN", 0xD000: "Infinity", 0xF000: "-Infinity"}[sign])
    if sign not in (0, 0x4000):
        raise PgError('invalid sign in external "numeric" value', sqlstate="22P03")
    if any(group > 9999 for group in groups):
        raise PgError('invalid digit in external "numeric" value', sqlstate="22P03")
    if scale > 0x3FFF:
        raise PgError('invalid scale in external "numeric" value', sqlstate="22P03")
    digits = "".join(f"{group:04d}" for group in groups) or "0"
    places = (count - 1 - weight) * 4 if count else 0
    number = Decimal((sign >> 14, tuple(map(int, digits)), -places))
    digits_kept = max(number.adjusted() + 1, 0) + scale + 1
    return _scaled(number, scale, digits_kept)


def _scaled(number: Decimal, scale: int, digits: int) -> Decimal:
    """With exactly `scale` places, what is beyond them cut off, as PostgreSQL's receive function does."""
    return number.quantize(
        Decimal(1).scaleb(-scale), context=Context(prec=max(digits, 1), rounding=ROUND_DOWN)
    )


def _binary_bool(raw: bytes) -> bool:
    return bool(struct.unpack(">B", raw)[0])


def _binary_uuid(raw: bytes) -> UUID:
    if len(raw) != 16:
        raise struct.error
    return UUID(bytes=raw)


def _binary_bits(raw: bytes) -> str:
    (length,) = struct.unpack_from(">i", raw)
    if length < 0 or len(raw) != 4 + (length + 7) // 8:
        raise PgError("invalid length in external bit string", sqlstate="22P03")
    return "".join(f"{byte:08b}" for byte in raw[4:])[:length]


def _binary_jsonb(raw: bytes) -> str:
    if raw[0] != 1:
        raise PgError(f"unsupported jsonb version number {raw[0]}", sqlstate="XX000")
    return _json(utf8(raw[1:]))


_BINARY: dict[int, Callable[[bytes], Any]] = {
    types.BOOL: _binary_bool,
    types.BYTEA: bytes,
    types.INT2: _unpacked(">h"),
    types.INT4: _unpacked(">i"),
    types.INT8: _unpacked(">q"),
    types.OID: _unpacked(">I"),
    types.FLOAT4: _unpacked(">f"),
    types.FLOAT8: _unpacked(">d"),
    types.NUMERIC: _binary_numeric,
    types.UUID: _binary_uuid,
    types.JSON: lambda raw: _json(utf8(raw)),
    types.JSONB: _binary_jsonb,
    types.BIT: _binary_bits,
    types.VARBIT: _binary_bits,
    types.INTERVAL: interval_input.binary_interval,
    types.DATE: partial(time_input.binary_moment, types.DATE),
    types.TIME: partial(time_input.binary_moment, types.TIME),
    types.TIMETZ: partial(time_input.binary_moment, types.TIMETZ),
    types.TIMESTAMP: partial(time_input.binary_moment, types.TIMESTAMP),
    types.TIMESTAMPTZ: partial(time_input.binary_moment, types.TIMESTAMPTZ),
}


def invalid(name: str, text: str) -> PgError:
    """The error for text that is no value of a type."""
    return PgError(f'invalid input syntax for type {name}: "{text}"', sqlstate="22P02")


__all__ = ["Interval", "Moment", "decode", "invalid", "utf8"]
