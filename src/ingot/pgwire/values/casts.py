"""What comes as one type and was promised as another: cast as PostgreSQL casts, or refused.

Each function gives an Arrow array of the kind that the writers of a type expect.
"""

import json
from collections.abc import Callable
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types as kinds

from ingot.pgwire import types
from ingot.pgwire.errors import PgError
from ingot.pgwire.values import numerics
from ingot.pgwire.values.cells import of_numpy, valid, written_text
from ingot.pgwire.values.settings import Style
from ingot.pgwire.values.times import LEAST, MICROS, MOST, micros

Cast = Callable[[pa.Array], pa.Array]
_CONTEXT = Context(prec=200, rounding=ROUND_HALF_UP)
_WHOLE = {types.INT2: pa.int16(), types.INT4: pa.int32(), types.INT8: pa.int64(), types.OID: pa.uint32()}
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$|^NaN$|^-?Infinity$"
_TRUE = ["t", "tr", "tru", "true", "y", "ye", "yes", "on", "1"]
_FALSE = ["f", "fa", "fal", "fals", "false", "n", "no", "of", "off", "0"]
_REAL = {types.FLOAT4: pa.float32(), types.FLOAT8: pa.float64()}


def caster(oid: int, modifier: int, kind: pa.DataType, style: Style) -> Cast:
    """Makes arrays of `kind` what the writers of type `oid` expect.

    Raises `PgError` (42846) where PostgreSQL has no such cast; what it gives back raises one where a value does not fit.
    """
    if kinds.is_dictionary(kind):
        inner = caster(oid, modifier, kind.value_type, style)
        return lambda array: inner(array.dictionary_decode())
    if kinds.is_null(kind):
        return _nothing(oid)
    if (
        kinds.is_large_string(kind)
        or kinds.is_large_binary(kind)
        or kinds.is_string_view(kind)
        or kinds.is_binary_view(kind)
    ):
        plain = pa.binary() if kinds.is_large_binary(kind) or kinds.is_binary_view(kind) else pa.string()
        inner = caster(oid, modifier, plain, style)
        return lambda array: inner(array.cast(plain))
    found = _cast(oid, modifier, kind, style)
    if found is None:
        source = types.type_of(types.arrow_type(kind)[0]).name
        raise PgError(f"cannot cast type {source} to {types.type_of(oid).name}", sqlstate="42846")
    return found


def _cast(oid: int, modifier: int, kind: pa.DataType, style: Style) -> Cast | None:  # noqa: PLR0911, PLR0912 - one case a type
    match oid:
        case types.BOOL:
            return _bool(kind)
        case types.INT2 | types.INT4 | types.INT8 | types.OID:
            return _whole(kind, oid)
        case types.FLOAT4 | types.FLOAT8:
            return _real(kind, oid)
        case types.NUMERIC:
            return _numeric(kind, modifier)
        case types.DATE:
            return _date(kind, style)
        case types.TIMESTAMP | types.TIMESTAMPTZ:
            return _timestamp(kind, style, with_zone=oid == types.TIMESTAMPTZ)
        case types.TIME:
            return _time(kind, style)
        case types.INTERVAL:
            known = kind == pa.month_day_nano_interval() or kinds.is_duration(kind) or is_interval(kind)
            return _same if known else None
        case types.UUID:
            known = kinds.is_string(kind) or kind == pa.binary(16)
            return _same if known else None
        case types.BYTEA:
            if kinds.is_binary(kind):
                return _same
            return (lambda array: array.view(pa.binary())) if kinds.is_string(kind) else None
        case types.TIMETZ | types.BIT | types.VARBIT:
            return _same if kinds.is_string(kind) else None
        case types.JSON | types.JSONB:
            return _json(kind)
    return None


def _same(array: pa.Array) -> pa.Array:
    return array


def _nothing(oid: int) -> Cast:
    kind = {
        types.BOOL: pa.bool_(), types.NUMERIC: pa.decimal128(1, 0), types.DATE: pa.date32(), types.TIME: pa.time64("us"),
        types.TIMESTAMP: pa.timestamp("us"), types.TIMESTAMPTZ: pa.timestamp("us"), types.BYTEA: pa.binary(),
        types.INTERVAL: pa.month_day_nano_interval(), **_WHOLE, **_REAL,
    }.get(oid, pa.string())  # fmt: skip
    return lambda array: pa.nulls(len(array), kind)


def _bool(kind: pa.DataType) -> Cast | None:
    if kinds.is_boolean(kind):
        return _same
    if kinds.is_integer(kind):
        return lambda array: pc.not_equal(array, pa.scalar(0, kind))
    return _truth if kinds.is_string(kind) else None


def _truth(array: pa.Array) -> pa.Array:
    said = pc.utf8_lower(pc.utf8_trim_whitespace(array))
    found = pc.is_in(said, pa.array(_TRUE))
    known = pc.or_kleene(found, pc.is_in(said, pa.array(_FALSE)))
    _all(known, array, "boolean")
    return pc.if_else(pc.is_valid(array), found, None)


def _all(fits: pa.Array, array: pa.Array, name: str) -> None:
    """Raises `PgError` for the first text that is none of a type."""
    wrong = array.filter(pc.and_(pc.invert(fits), pc.is_valid(array)))
    if len(wrong):
        shown = str(wrong[0])[:80]
        raise PgError(f'invalid input syntax for type {name}: "{shown}"', sqlstate="22P02")


def _whole(kind: pa.DataType, oid: int) -> Cast | None:
    target = _WHOLE[oid]
    error = PgError(f"{types.type_of(oid).name} out of range", sqlstate="22003")
    if kind == target:
        return _same

    def cast(array: pa.Array) -> pa.Array:
        try:
            if kinds.is_floating(kind):
                array = pc.round(array, round_mode="half_to_even")
            elif kinds.is_decimal(kind):
                array = pc.round(array, round_mode="half_towards_infinity") if kind.scale else array
            return array.cast(target)
        except pa.ArrowInvalid:
            raise error from None

    known = (
        kinds.is_integer(kind) or kinds.is_floating(kind) or kinds.is_decimal(kind) or kinds.is_boolean(kind)
    )
    return cast if known else None


def _real(kind: pa.DataType, oid: int) -> Cast | None:
    target = _REAL[oid]
    if kind == target:
        return _same
    if kinds.is_decimal(kind):
        # Arrow's own cast is off by a unit in the last place; reading the digits is not.
        return lambda array: _narrow(
            written_text(numerics.text(array), len(array)).cast(pa.float64()), target
        )
    if kinds.is_integer(kind):
        return lambda array: array.cast(target, safe=False)
    if kinds.is_floating(kind):
        return lambda array: _narrow(array, target)
    return None


def _narrow(array: pa.Array, target: pa.DataType) -> pa.Array:
    made = array.cast(target, safe=False)
    if target == pa.float32() and array.type == pa.float64():
        lost = pc.and_(pc.is_inf(made), pc.is_finite(array))
        if pc.any(lost).as_py():
            raise PgError("value out of range: overflow", sqlstate="22003")
        zero = pc.and_(pc.equal(made, pa.scalar(0, target)), pc.not_equal(array, pa.scalar(0.0)))
        if pc.any(zero).as_py():
            raise PgError("value out of range: underflow", sqlstate="22003")
    return made


def _numeric(kind: pa.DataType, modifier: int) -> Cast | None:
    known = (
        kinds.is_decimal(kind) or kinds.is_integer(kind) or kinds.is_floating(kind) or kinds.is_string(kind)
    )
    if kinds.is_boolean(kind):
        return lambda array: array.cast(pa.int8())
    if not known:
        return None
    wanted = types.numeric_scale(modifier)
    if kinds.is_string(kind) and wanted is None:
        return _digits
    if wanted is None or (kinds.is_decimal(kind) and (kind.precision, kind.scale) == wanted):
        return _same
    precision, scale = wanted
    if kinds.is_decimal(kind) and kind.scale == scale and kind.precision <= precision:
        return _same

    def cast(array: pa.Array) -> pa.Array:
        array = _digits(array) if kinds.is_string(kind) else array
        return pa.array(
            [None if one is None else _fitted(one, precision, scale) for one in array.to_pylist()],
            pa.decimal256(76, scale) if precision > 38 else pa.decimal128(38, scale),
        )

    return cast if precision <= 76 else None


def _digits(array: pa.Array) -> pa.Array:
    """Texts that are numbers: of types that are larger than any of Arrow's, and of columns that a model calls numbers."""
    said = pc.utf8_trim_whitespace(array)
    _all(pc.fill_null(pc.match_substring_regex(said, _NUMBER), True), array, "numeric")
    return said


def _fitted(value: Any, precision: int, scale: int) -> Decimal:
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    overflow = PgError("numeric field overflow", sqlstate="22003", detail=(
        f"A field with precision {precision}, scale {scale} must round to an absolute value less than "
        f"{'1' if precision == scale else f'10^{precision - scale}'}."
    ))  # fmt: skip
    if not number.is_finite() or number.adjusted() >= 2 * precision:
        raise overflow
    made = number.quantize(Decimal(1).scaleb(-scale), context=_CONTEXT)
    if made and made.adjusted() >= precision - scale:
        raise overflow
    return made


def _date(kind: pa.DataType, style: Style) -> Cast | None:
    if kind == pa.date32():
        return _same
    if kind == pa.date64():
        return lambda array: array.cast(pa.date32())
    if kinds.is_timestamp(kind):

        def cast(array: pa.Array) -> pa.Array:
            values = micros(array)
            strange = (values == MOST) | (values == LEAST)
            local = (
                _local(np.where(strange, 0, values), style)
                if kind.tz is not None
                else np.where(strange, 0, values)
            )
            days = local // MICROS
            most = np.iinfo(np.int32).max
            days = np.where(strange, np.where(values > 0, most, -most), days)
            return of_numpy(days.astype(np.int32), pa.date32(), valid(array))

        return cast
    return None


def _local(values: Any, style: Style) -> Any:
    return values + style.zone.offsets(values // 1_000_000) * 1_000_000


def _timestamp(kind: pa.DataType, style: Style, *, with_zone: bool) -> Cast | None:
    if kind == pa.date32():
        return lambda array: _shifted(_of_days(array), array, style, to_utc=with_zone)
    if kinds.is_timestamp(kind):
        zoned = kind.tz is not None
        if zoned == with_zone:
            return _same
        return lambda array: _shifted(micros(array), array, style, to_utc=with_zone, to_local=not with_zone)
    return None


def _of_days(array: pa.Array) -> Any:
    days = array.cast(pa.int32()).fill_null(0).to_numpy().astype(np.int64)
    most = np.iinfo(np.int32).max
    if len(days) and (np.abs(days[np.abs(days) != most]) > MOST // MICROS).any():
        raise PgError("date out of range for timestamp", sqlstate="22008")
    return np.where(days == most, MOST, np.where(days == -most, LEAST, days * MICROS))


def _shifted(
    values: Any, array: pa.Array, style: Style, *, to_utc: bool = False, to_local: bool = False
) -> pa.Array:
    strange = (values == MOST) | (values == LEAST)
    usual = np.where(strange, 0, values)
    if to_utc:
        seconds = usual // 1_000_000
        usual = usual + (style.zone.local_to_utc(seconds) - seconds) * 1_000_000
    elif to_local:
        usual = _local(usual, style)
    return of_numpy(np.where(strange, values, usual), pa.timestamp("us"), valid(array))


def _time(kind: pa.DataType, style: Style) -> Cast | None:
    if kinds.is_time(kind):
        return _same
    if kinds.is_timestamp(kind):

        def cast(array: pa.Array) -> pa.Array:
            values = micros(array)
            local = _local(values, style) if kind.tz is not None else values
            return of_numpy(local % MICROS, pa.time64("us"), valid(array))

        return cast
    return None


def _json(kind: pa.DataType) -> Cast | None:
    if kinds.is_string(kind):
        return _same
    if kinds.is_binary(kind):
        return None
    return lambda array: pa.array(
        [
            None if one is None else json.dumps(_jsonable(one), ensure_ascii=False)
            for one in array.to_pylist()
        ],
        pa.string(),
    )


def _jsonable(value: Any) -> Any:  # noqa: PLR0911 - one case a type
    match value:
        case dict():
            return {str(key): _jsonable(item) for key, item in value.items()}
        case list() | tuple():
            if value and all(isinstance(item, tuple) and len(item) == 2 for item in value):
                return {str(key): _jsonable(item) for key, item in value}
            return [_jsonable(item) for item in value]
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case datetime() | date():
            return value.isoformat()
        case bool() | int() | float() | str() | None:
            return value
        case _:
            return str(value)


def is_interval(kind: pa.DataType) -> bool:
    """Whether it is what intervals are made of on their way to Arrow."""
    return kinds.is_struct(kind) and [kind.field(at).name for at in range(kind.num_fields)] == [
        "months",
        "days",
        "micros",
    ]
