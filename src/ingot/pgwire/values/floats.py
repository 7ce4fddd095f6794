"""Floating-point numbers as PostgreSQL writes them: the shortest digits that give the same number back."""

import re
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingot.pgwire.values.cells import Mask, numbers

_PARTS = re.compile(r"(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?")
_SPECIAL = {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN", "-nan": "NaN"}
_LOWEST = 1e-4


def shortest(array: pa.Array) -> pa.Array:
    """The text of each value; with an exponent below 1e-4 and from 1e15 (double) or 1e6 (real) on."""
    single = array.type == pa.float32()
    digits = 6 if single else 15
    values = numbers(array, np.float32 if single else np.float64)
    written = pc.cast(array, pa.string())
    size = np.abs(values)
    with np.errstate(invalid="ignore"):
        # Arrow writes what lies in between like PostgreSQL does.
        other = ~((size >= _LOWEST) & (size < (1e6 if single else 1e14)) | (size == 0))
    if not other.any():
        return written
    return _replaced(written, other, lambda text: _styled(text, digits))


def plain(array: pa.Array) -> pa.Array:
    """The text of each value without an exponent, as `numeric` is written."""
    values = numbers(array, array.type.to_pandas_dtype())
    written = pc.cast(array, pa.string())
    size = np.abs(values)
    with np.errstate(invalid="ignore"):
        other = ~((size >= _LOWEST) & (size < 1e14)) & ~((size == 0) & ~np.signbit(values))
    return _replaced(written, other, _expanded) if other.any() else written


def counted(array: pa.Array, digits: int) -> pa.Array:
    """The text with `digits` significant digits, as `extra_float_digits` below 1 asks for."""
    return pa.array(
        [None if one is None else _rounded(one, digits) for one in array.to_pylist()], pa.string()
    )


def _rounded(value: float, digits: int) -> str:
    text = f"{value:.{max(digits, 1)}g}"
    return _SPECIAL.get(text, text)


def _replaced(written: pa.Array, which: Mask, change: Callable[[str], str]) -> pa.Array:
    mask = pa.array(which)
    changed = [None if one is None else change(one) for one in written.filter(mask).to_pylist()]
    return pc.replace_with_mask(written, mask, pa.array(changed, pa.string()))


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
