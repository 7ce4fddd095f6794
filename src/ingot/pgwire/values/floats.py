"""Floating-point numbers as PostgreSQL writes them: the shortest digits that give the same number back."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingot.pgwire.values.cells import numbers, of_numpy, valid

_PARTS = re.compile(r"(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?")
_SPECIAL = {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN", "-nan": "NaN"}
_LEAST, _MOST = 1e-4, 1e10
"""Between them Arrow writes no exponent either."""


def shortest(array: pa.Array) -> pa.Array:
    """The text of each value; with an exponent below 1e-4 and from 1e15 (double) or 1e6 (real) on."""
    single = array.type == pa.float32()
    digits = 6 if single else 15
    return _written(array, 10.0**digits, lambda text: _styled(_inside(text, single=single), digits))


def plain(array: pa.Array) -> pa.Array:
    """The text of each value without an exponent or a sign before zero, as `numeric` is written."""
    return _written(array, 1e15, _expanded)


def _written(array: pa.Array, end: float, change: Callable[[str], str]) -> pa.Array:
    """Arrow's text of each value, `change`d where PostgreSQL's could be another; whole numbers up to `end` are never."""
    values = numbers(array, array.type.to_pandas_dtype())
    size = np.abs(values)
    with np.errstate(invalid="ignore"):
        same = (size >= _LEAST) & (size < min(end, _MOST))
        mask = valid(array)
        if len(values) and same.all() and values[0] != np.trunc(values[0]):
            return pc.cast(array, pa.string())
        whole = (size < end) & (values == np.trunc(values)) & ~((size == 0) & np.signbit(values))
        integers = np.where(whole, values, 0).astype(np.int64)
    if (whole if mask is None else whole | ~mask).all():
        return of_numpy(integers, pa.int64(), mask).cast(pa.string())
    written = pc.cast(array, pa.string())
    large = whole & ~same & (True if mask is None else mask)
    if large.any():
        written = pc.replace_with_mask(written, pa.array(large), pa.array(integers[large]).cast(pa.string()))
    other = ~(same | whole) & (True if mask is None else mask)
    if not other.any():
        return written
    changed = [change(one) for one in written.filter(pa.array(other)).to_pylist()]
    return pc.replace_with_mask(written, pa.array(other), pa.array(changed, pa.string()))


def counted(array: pa.Array, digits: int) -> pa.Array:
    """The text with `digits` significant digits, as `extra_float_digits` below 1 asks for."""
    return pa.array(
        [None if one is None else _rounded(one, digits) for one in array.to_pylist()], pa.string()
    )


def _rounded(value: float, digits: int) -> str:
    text = f"{value:.{max(digits, 1)}g}"
    return _SPECIAL.get(text, text)


def _inside(text: str, *, single: bool) -> str:
    """The shortest digits that any way of rounding reads as the same number.

    Arrow also takes those that lie half-way to the next number, as 1e+23 does; PostgreSQL does not. That can only be so
    for whole numbers.
    """
    if "e+" not in text and len(text) < 8:
        return text
    value: np.floating[Any] = np.float32(text) if single else np.float64(text)
    if not np.isfinite(value) or abs(float(value)) < (1 << 24 if single else 1 << 53):
        return text
    exact = int(value)
    if not _halfway(int(Decimal(text)), exact, value):
        return text
    for places in range(1, 17):
        closer = f"{Decimal(exact):.{places}e}"
        if (
            len(closer) > len(text) - 1
            and not _halfway(int(Decimal(closer)), exact, value)
            and type(value)(closer) == value
        ):
            return closer
    return text


def _halfway(written: int, exact: int, value: np.floating[Any]) -> bool:
    to = type(value)(np.inf if written > exact else -np.inf)
    with np.errstate(over="ignore"):
        following = np.nextafter(value, to)
    return bool(np.isfinite(following)) and 2 * abs(written - exact) == abs(int(following) - exact)


def _styled(text: str, digits: int) -> str:
    if text in _SPECIAL:
        return _SPECIAL[text]
    sign, figures, exponent = _figures(text)
    if figures == "0":
        return f"{sign}0"
    if exponent < -4 or exponent >= digits:
        return f"{sign}{figures[0]}{'.' if figures[1:] else ''}{figures[1:]}e{exponent:+03d}"
    return sign + _placed(figures, exponent)


def _expanded(text: str) -> str:
    if text in _SPECIAL:
        return _SPECIAL[text]
    sign, figures, exponent = _figures(text)
    return "0" if figures == "0" else sign + _placed(figures, exponent)


def _figures(text: str) -> tuple[str, str, int]:
    found = _PARTS.fullmatch(text)
    if found is None:
        raise ValueError(f"not a number: {text}")
    sign, whole, fraction, power = found[1], found[2], found[3] or "", int(found[4] or 0)
    figures = (whole + fraction).lstrip("0")
    exponent = power + len(whole) - 1 - (len(whole + fraction) - len(figures))
    return sign, figures.rstrip("0") or "0", exponent


def _placed(figures: str, exponent: int) -> str:
    if exponent < 0:
        return "0." + "0" * (-exponent - 1) + figures
    whole = figures[: exponent + 1].ljust(exponent + 1, "0")
    fraction = figures[exponent + 1 :]
    return f"{whole}.{fraction}" if fraction else whole
