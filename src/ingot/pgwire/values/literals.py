"""Parameters as literals of PostgreSQL's language, so that the whole statement can be planned.

A literal has the type of the parameter: what a bare one would not have is cast.
"""

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sqlglot import exp

from ingot.pgwire import types
from ingot.pgwire.errors import PgError
from ingot.pgwire.ports import Value
from ingot.pgwire.values.parameters import Interval, Moment, decode

_NAMES = {
    types.BOOL: "BOOLEAN", types.INT2: "SMALLINT", types.INT4: "INT", types.INT8: "BIGINT", types.OID: "BIGINT",
    types.FLOAT4: "REAL", types.FLOAT8: "DOUBLE PRECISION", types.NUMERIC: "NUMERIC", types.TEXT: "TEXT",
    types.VARCHAR: "VARCHAR", types.BPCHAR: "TEXT", types.NAME: "TEXT", types.CHAR: "TEXT", types.UNKNOWN: "TEXT",
    types.BYTEA: "BYTEA", types.DATE: "DATE", types.TIME: "TIME", types.TIMETZ: "TIMETZ", types.TIMESTAMP: "TIMESTAMP",
    types.TIMESTAMPTZ: "TIMESTAMPTZ", types.INTERVAL: "INTERVAL", types.UUID: "UUID", types.JSON: "JSON",
    types.JSONB: "JSONB", types.BIT: "BIT", types.VARBIT: "BIT",
}  # fmt: skip


def literal(value: Value, oid: int, settings: Mapping[str, str] | None = None) -> exp.Expr:
    """A parameter of type `oid` as an expression.

    Whole numbers, numbers with a point, truth values and text are plain; NULL and all else is cast to its type.

    Raises `PgError` for anything that is no value of the type; see `decode`.
    """
    return _literal(decode(value, oid, settings), oid)


def _literal(value: Any, oid: int) -> exp.Expr:  # noqa: PLR0911 - one for each kind
    element = types.type_of(oid).element
    if value is None:
        return exp.Cast(this=exp.Null(), to=_kind(oid))
    if element:
        return exp.Cast(this=_array(value, element), to=_kind(oid))
    match value:
        case bool():
            return exp.Boolean(this=value)
        case int():
            return _number(str(abs(value)), negative=value < 0)
        case Decimal() if value.is_finite():
            text = format(abs(value), "f")
            return _number(text if "." in text else f"{text}.0", negative=value.is_signed() and bool(value))
        case Decimal():
            raise PgError(f"numeric {value} is not supported", sqlstate="0A000")
        case float():
            special = "NaN" if math.isnan(value) else f"{'-' if value < 0 else ''}Infinity"
            inner = exp.Literal.string(repr(value) if math.isfinite(value) else special)
            return exp.Cast(this=inner, to=_kind(oid))
        case bytes():
            return exp.Cast(this=exp.Literal.string(f"\\x{value.hex()}"), to=_kind(oid))
        case Interval():
            # Words that PostgreSQL and the engine read alike, as they do not read signs before a clock.
            words = f"{value.months} months {value.days} days {value.micros} microseconds"
            return exp.Cast(this=exp.Literal.string(words), to=_kind(oid))
        case Moment():
            # The engine would take a bare BC for nothing; PostgreSQL reads over the parentheses.
            return exp.Cast(this=exp.Literal.string(value.text.replace("BC", "(BC)")), to=_kind(oid))
        case str() if oid in types.TEXTS or oid not in _NAMES:
            return exp.Literal.string(value)
    return exp.Cast(this=exp.Literal.string(str(value)), to=_kind(oid))


def _number(digits: str, *, negative: bool) -> exp.Expr:
    number = exp.Literal.number(digits)
    return exp.Paren(this=exp.Neg(this=number)) if negative else number


def _array(values: list[Any], element: int) -> exp.Expr:
    inner = [_array(each, element) if isinstance(each, list) else _literal(each, element) for each in values]
    return exp.Array(expressions=inner)


def _kind(oid: int) -> exp.DataType:
    element = types.type_of(oid).element
    if element:
        return exp.DataType(this=exp.DataType.Type.ARRAY, expressions=[_kind(element)], nested=True)
    return exp.DataType.build(_NAMES.get(oid, "TEXT"), dialect="postgres")
