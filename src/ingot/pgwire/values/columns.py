"""Which function writes a column: by what was promised, by what comes, and by the format."""

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types as kinds

from ingot.pgwire import types
from ingot.pgwire.errors import PgError
from ingot.pgwire.ports import TEXT, Field
from ingot.pgwire.values import arrays, floats, intervals, numerics, others, times
from ingot.pgwire.values.casts import caster, is_interval
from ingot.pgwire.values.cells import Cells, cells, fixed, numbers, valid
from ingot.pgwire.values.settings import Style

Writer = Callable[[pa.Array], Cells]
_BIG = {
    types.INT2: ("<i2", ">i2"), types.INT4: ("<i4", ">i4"), types.INT8: ("<i8", ">i8"), types.OID: ("<u4", ">u4"),
    types.FLOAT4: ("<f4", ">f4"), types.FLOAT8: ("<f8", ">f8"),
}  # fmt: skip


def writer(field: Field, kind: pa.DataType, format_: int, style: Style) -> Writer:
    """Writes arrays of `kind` as the field's type.

    Raises `PgError` where that cannot be; what it gives back raises one where a value does not fit.
    """
    try:
        return _writer(field.oid, field.modifier, kind, format_, style)
    except PgError as error:
        error.message = f'column "{field.name}": {error.message}'
        raise


def _writer(oid: int, modifier: int, kind: pa.DataType, format_: int, style: Style) -> Writer:
    known = types.TYPES.get(oid)
    if known is not None and known.element:
        return _array(known.element, modifier, kind, format_, style)
    if oid in types.TEXTS or known is None:
        return _as_text(modifier, kind, style)
    cast = caster(oid, modifier, kind, style)
    write = _text(oid, style) if format_ == TEXT else _binary(oid)
    return lambda array: write(cast(array))


def _as_text(modifier: int, kind: pa.DataType, style: Style) -> Writer:  # noqa: PLR0911 - one case a type
    if kinds.is_string(kind):
        return cells
    if kinds.is_dictionary(kind):
        if kinds.is_string(kind.value_type):
            return lambda array: cells(array.dictionary_decode())
        inner = _as_text(modifier, kind.value_type, style)
        return lambda array: inner(array.dictionary_decode())
    if kinds.is_null(kind):
        return lambda array: cells(pa.nulls(len(array), pa.string()))
    if kinds.is_large_string(kind) or kinds.is_string_view(kind):
        return lambda array: cells(array.cast(pa.string()))
    if is_interval(kind):
        return _writer(types.INTERVAL, -1, kind, TEXT, style)
    natural, natural_modifier = types.arrow_type(kind)
    if natural == types.BOOL:
        # What `bool::text` gives is not what a column of bool shows.
        return lambda array: cells(pc.cast(array, pa.string()))
    return _writer(natural, natural_modifier, kind, TEXT, style)


def _text(oid: int, style: Style) -> Writer:  # noqa: PLR0911 - one case a type
    match oid:
        case types.BOOL:
            return others.bool_text
        case types.INT2 | types.INT4 | types.INT8 | types.OID:
            return lambda array: cells(pc.cast(array, pa.string()))
        case types.FLOAT4 | types.FLOAT8:
            if style.float_digits < 1:
                digits = (6 if oid == types.FLOAT4 else 15) + style.float_digits
                return lambda array: cells(floats.counted(array, digits))
            return lambda array: cells(floats.shortest(array))
        case types.NUMERIC:
            return numerics.text
        case types.DATE:
            return times.date_text
        case types.TIMESTAMP:
            return lambda array: times.timestamp_text(times.micros(array), valid(array))
        case types.TIMESTAMPTZ:
            return lambda array: times.timestamp_text(times.micros(array), valid(array), style.zone)
        case types.TIME:
            return lambda array: times.time_text(times.time_micros(array), valid(array))
        case types.INTERVAL:
            return lambda array: intervals.written(array, style.interval)
        case types.UUID:
            return others.uuid_text
        case types.BYTEA:
            return others.bytea_escape if style.bytea_escape else others.bytea_hex
    return cells


def _binary(oid: int) -> Writer:  # noqa: PLR0911 - one case a type
    if oid in _BIG:
        little, big = _BIG[oid]
        return lambda array: fixed(numbers(array, little).astype(big), valid(array))
    match oid:
        case types.BOOL:
            return others.bool_binary
        case types.NUMERIC:
            return numerics.binary
        case types.DATE:
            return times.date_binary
        case types.TIMESTAMP:
            return lambda array: times.timestamp_binary(times.micros(array), valid(array))
        case types.TIMESTAMPTZ:
            return lambda array: times.timestamp_binary(
                times.micros(array), valid(array), "timestamp with time zone"
            )
        case types.TIME:
            return lambda array: times.time_binary(times.time_micros(array), valid(array))
        case types.INTERVAL:
            return intervals.wire
        case types.UUID:
            return others.uuid_binary
        case types.BIT | types.VARBIT:
            return others.bits_binary
        case types.TIMETZ:
            return others.timetz_binary
        case types.JSONB:
            return lambda array: others.jsonb_binary(cells(array))
    return cells


def _array(element: int, modifier: int, kind: pa.DataType, format_: int, style: Style) -> Writer:
    if kinds.is_null(kind):
        return lambda array: cells(pa.nulls(len(array), pa.string()))
    inner = kind
    while arrays.is_list(inner):
        inner = inner.value_type
    if inner is kind:
        source = types.type_of(types.arrow_type(kind)[0]).name
        raise PgError(f"cannot cast type {source} to {types.type_of(element).name}[]", sqlstate="42846")
    write = _writer(element, modifier, inner, format_, style)
    if format_ == TEXT:
        return lambda array: arrays.text(array, write)
    return lambda array: arrays.wire(array, write, element)
