"""Dates and times as text and in PostgreSQL's binary form.

Text comes from tables: the days of four centuries and the seconds of a day are written once, then looked up. What lies outside of
them is computed day by day.
"""

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ingot.pgwire.errors import PgError
from ingot.pgwire.values.cells import Cells, Mask, binary, cells, fixed, joined, numbers, sizes, valid
from ingot.pgwire.values.zones import DAY, Zone

Longs = npt.NDArray[np.int64]
SECOND = 1_000_000
MICROS = DAY * SECOND
EPOCH_DAYS = 10_957
"""2000-01-01, where PostgreSQL counts from, in days since 1970-01-01."""
EPOCH = EPOCH_DAYS * MICROS
DAY_MOST, DAY_LEAST = np.iinfo(np.int32).max, -np.iinfo(np.int32).max
"""The engine's infinities of dates."""
MOST, LEAST = np.iinfo(np.int64).max, -np.iinfo(np.int64).max
"""The engine's infinities of timestamps."""
_FIRST_DAY, _TIMESTAMP_DAYS, _DATE_DAYS = -2_440_588, 106_762_940, 2_145_042_906
"""The days from 4713-11-24 BC to the ends of PostgreSQL's timestamps and dates, exclusively."""
_TABLE_FROM, _TABLE_TO = -135_140, 84_006
"""1600-01-01 and 2200-01-01."""


def days_text(days: Longs) -> tuple[npt.NDArray[Any], Mask | None]:
    """`2026-11-21` for each day, and which of them have another width (before Christ, five digits); those are blank."""
    table = _days()
    inside = (days >= _TABLE_FROM) & (days < _TABLE_TO)
    if inside.all():
        return table[days - _TABLE_FROM], None
    return table[np.where(inside, days - _TABLE_FROM, 0)], ~inside


def day_text(day: int) -> tuple[str, str]:
    """The text of any day, and ` BC` where it is before Christ."""
    year, month, date = civil(day)
    return (
        (f"{year:04d}-{month:02d}-{date:02d}", "")
        if year > 0
        else (f"{1 - year:04d}-{month:02d}-{date:02d}", " BC")
    )


def civil(day: int) -> tuple[int, int, int]:
    """Year (0 is 1 BC), month and day of a day since 1970-01-01, in the Gregorian calendar."""
    shifted = day + 719_468
    era, of_era = divmod(shifted, 146_097)
    year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153
    date = of_year - (153 * month + 2) // 5 + 1
    month = month + 3 if month < 10 else month - 9
    return year + era * 400 + (month <= 2), month, date


@cache
def _days() -> npt.NDArray[Any]:
    days = np.arange(_TABLE_FROM, _TABLE_TO).astype("M8[D]")
    return days.astype("S10").view("V10")


@cache
def _seconds() -> npt.NDArray[Any]:
    text = np.arange(DAY + 1).astype("M8[s]").astype("S19").view("S1").reshape(-1, 19)[:, 11:]
    table = np.ascontiguousarray(text).view("V8").reshape(-1).copy()
    table[DAY] = np.void(b"24:00:00")
    return table


@cache
def _millis() -> pa.Array:
    texts = [f".{each:03d}".rstrip("0").rstrip(".").encode() for each in range(1000)]
    return pa.array(texts, pa.binary())


def micros(array: pa.Array) -> Longs:
    """Timestamps of any unit in microseconds since 1970; nulls are 0, infinities stay."""
    values = numbers(array, np.int64)
    mask = valid(array)
    if mask is not None:
        values = np.where(mask, values, 0)
    unit = array.type.unit
    if unit == "us":
        return values
    infinite = (values == MOST) | (values == LEAST)
    if unit == "ns":
        # As PostgreSQL reads nine digits: to the nearest microsecond.
        made = (values + 500) // 1000
    else:
        factor = 1000 if unit == "ms" else SECOND
        if len(values) and (np.abs(np.where(infinite, 0, values)) > MOST // factor).any():
            raise out_of_range("timestamp")
        made = values * factor
    return np.where(infinite, values, made) if infinite.any() else made


def date_text(array: pa.Array) -> Cells:
    """Dates in ISO's form."""
    days, mask = _filled(array, np.int32)
    written, other = days_text(days)
    if other is None:
        return fixed(written, mask)
    column = written.astype("O")
    for at in np.flatnonzero(other):
        day = int(days[at])
        if day in (DAY_MOST, DAY_LEAST):
            column[at] = b"infinity" if day > 0 else b"-infinity"
            continue
        _check_day(day, _DATE_DAYS, "date")
        column[at] = "".join(day_text(day)).encode()
    return _objects(column, mask)


def date_binary(array: pa.Array) -> Cells:
    """Days since 2000-01-01."""
    days, mask = _filled(array, np.int32)
    if len(days) and (days.min() < _FIRST_DAY or days.max() >= _DATE_DAYS):
        infinite = (days == DAY_MOST) | (days == DAY_LEAST)
        if (~infinite & ((days < _FIRST_DAY) | (days >= _DATE_DAYS))).any():
            raise out_of_range("date")
        least = np.iinfo(np.int32).min
        days = np.where(infinite, np.where(days > 0, DAY_MOST, least), days - EPOCH_DAYS)
    else:
        days = days - EPOCH_DAYS
    return fixed(days.astype(">i4"), mask)


def timestamp_text(values: Longs, mask: Mask | None, zone: Zone | None = None) -> Cells:
    """Timestamps (microseconds since 1970) in ISO's form, with the offset where they have a zone."""
    name = "timestamp" if zone is None else "timestamp with time zone"
    strange = None
    if len(values) and (values.max() == MOST or values.min() == LEAST):
        strange = (values == MOST) | (values == LEAST)
    usual = values if strange is None else np.where(strange, 0, values)
    seconds = usual // SECOND
    fraction = (usual - seconds * SECOND).astype(np.int32)
    offsets = None
    if zone is not None and zone.constant != 0:
        offsets = zone.offsets(seconds)
        seconds = seconds + offsets
    days = seconds // DAY
    of_day = (seconds - days * DAY).astype(np.int32)
    date, other = days_text(days)
    time = _seconds()[of_day]
    tail = [] if zone is None else [np.array(b"+00") if offsets is None else offset_text(offsets)]
    if other is None and strange is None and not fraction.any():
        parts: list[Any] = [date, np.array(b" "), time, *tail]
        return _of_parts(parts, mask)
    if other is None and strange is None:
        return _of_parts([date, np.array(b" "), time, fraction_text(fraction), *tail], mask)
    # One is outside of the table: infinite, before Christ, of five digits.
    whole = _strings([date, np.array(b" "), time, fraction_text(fraction), *tail], len(values)).astype("O")
    rest = _strings([time, fraction_text(fraction), *tail], len(values))
    for at in np.flatnonzero(np.zeros(len(values), bool) if other is None else other):
        _check_day(int(values[at] // MICROS), _TIMESTAMP_DAYS, name)
        text, era = day_text(int(days[at]))
        whole[at] = f"{text} ".encode() + rest[at] + era.encode()
    if strange is not None:
        whole[values == MOST] = b"infinity"
        whole[values == LEAST] = b"-infinity"
    return _objects(whole, mask)


def timestamp_binary(values: Longs, mask: Mask | None, name: str = "timestamp") -> Cells:
    """Microseconds since 2000-01-01."""
    if len(values) and (values.min() < _FIRST_DAY * MICROS or values.max() == MOST):
        infinite = (values == MOST) | (values == LEAST)
        if (~infinite & (values < _FIRST_DAY * MICROS)).any():
            raise out_of_range(name)
        usual = np.where(infinite, 0, values) - EPOCH
        least = np.iinfo(np.int64).min
        return fixed(np.where(infinite, np.where(values > 0, MOST, least), usual).astype(">i8"), mask)
    return fixed((values - EPOCH).astype(">i8"), mask)


def time_micros(array: pa.Array) -> Longs:
    """Times of day of any unit in microseconds; nulls are 0."""
    unit = array.type.unit
    wide = unit in ("us", "ns")
    values, _ = _filled(array, np.int64 if wide else np.int32)
    if unit == "ns":
        return (values + 500) // 1000
    return values * {"s": SECOND, "ms": 1000, "us": 1}[unit]


def time_text(values: Longs, mask: Mask | None) -> Cells:
    """`04:05:06.789`."""
    seconds = values // SECOND
    fraction = (values - seconds * SECOND).astype(np.int32)
    parts: list[Any] = [_seconds()[seconds]]
    if fraction.any():
        parts.append(fraction_text(fraction))
    return _of_parts(parts, mask)


def time_binary(values: Longs, mask: Mask | None) -> Cells:
    """Microseconds since midnight."""
    return fixed(values.astype(">i8"), mask)


def fraction_text(fraction: npt.NDArray[np.int32]) -> pa.Array:
    """`.5` for half a second, and nothing for none."""
    millis = fraction // 1000
    if (millis * 1000 == fraction).all():  # looked up, which takes a sixth of the time
        return _millis().take(pa.array(millis))
    rows = len(fraction)
    digits = np.empty((rows, 7), np.uint8)
    digits[:, 0] = ord(".")
    left = fraction
    length = np.full(rows, 7, np.int32)
    trailing = np.ones(rows, np.bool_)
    for place in range(6, 0, -1):
        above = left // 10
        digit = left - above * 10
        digits[:, place] = digit + ord("0")
        trailing &= digit == 0
        length -= trailing
        left = above
    length[fraction == 0] = 0
    ends = np.zeros(rows + 1, np.int32)
    np.cumsum(length, out=ends[1:])
    body = digits if (length == 7).all() else digits[np.arange(7) < length[:, None]]
    return pa.Array.from_buffers(pa.binary(), rows, [None, pa.py_buffer(ends), pa.py_buffer(body)])


def offset_text(offsets: Longs) -> Any:
    """`+01`, `+05:30`, `-00:53:28`."""
    unique, places = np.unique(offsets, return_inverse=True)
    texts = np.array([offset(int(each)) for each in unique], "S")
    if len({len(each) for each in texts.tolist()}) == 1:
        return texts[places]
    return pa.array(texts.astype("O")[places], pa.binary())


def offset(seconds: int) -> str:
    """The text of an offset in seconds east of Greenwich."""
    hours, rest = divmod(abs(seconds), 3600)
    minutes, rest = divmod(rest, 60)
    text = f"{'-' if seconds < 0 else '+'}{hours:02d}"
    return text + (f":{minutes:02d}" if minutes or rest else "") + (f":{rest:02d}" if rest else "")


def out_of_range(name: str) -> PgError:
    """The error for a time that PostgreSQL does not have."""
    return PgError(f"{name} out of range", sqlstate="22008")


def _check_day(day: int, end: int, name: str) -> None:
    if not _FIRST_DAY <= day < end:
        raise out_of_range(name)


def _filled(array: pa.Array, dtype: npt.DTypeLike) -> tuple[Longs, Mask | None]:
    values = numbers(array, dtype).astype(np.int64)
    mask = valid(array)
    return (values if mask is None else np.where(mask, values, 0)), mask


def _of_parts(parts: list[Any], mask: Mask | None) -> Cells:
    constant, varying = 0, None
    for part in parts:
        if isinstance(part, pa.Array):
            length = sizes(part)
            varying = length if varying is None else varying + length
        else:
            constant += part.dtype.itemsize
    return Cells(constant if varying is None else varying + np.int32(constant), parts, mask)


def _strings(parts: list[Any], rows: int) -> Any:
    return np.array(binary(joined(parts, rows), rows).to_pylist(), "O")


def _objects(column: Any, mask: Mask | None) -> Cells:
    made = pa.array([each if isinstance(each, bytes) else bytes(each) for each in column], pa.binary())
    whole = cells(made)
    whole.valid = mask
    return whole
