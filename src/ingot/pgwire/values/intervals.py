"""Intervals in PostgreSQL's four styles and in its binary form: microseconds, days, months."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from ingot.pgwire.values.cells import Cells, cells, fixed, numbers, valid

SECOND = 1_000_000
_ARROW = np.dtype([("months", "<i4"), ("days", "<i4"), ("nanos", "<i8")])
_WIRE = np.dtype([("micros", ">i8"), ("days", ">i4"), ("months", ">i4")])


def wire(array: pa.Array) -> Cells:
    """The binary form of months, days and nanoseconds, or of a struct of months, days and microseconds."""
    made = np.zeros(len(array), _WIRE)
    if pa.types.is_struct(array.type):
        mask = valid(array)
        for name, part in zip(("months", "days", "micros"), array.flatten(), strict=True):
            made[name] = part.fill_null(0).to_numpy(zero_copy_only=False)
        return fixed(made, mask)
    if pa.types.is_duration(array.type):
        made["micros"] = array.cast(pa.duration("us"), safe=False).fill_null(0).cast(pa.int64()).to_numpy()
        return fixed(made, valid(array))
    parts = numbers(array, _ARROW)
    made["micros"] = parts["nanos"] // 1000
    made["days"] = parts["days"]
    made["months"] = parts["months"]
    return fixed(made, valid(array))


def written(array: pa.Array, style: str) -> Cells:
    """The text of intervals in a style (`postgres`, `postgres_verbose`, `sql_standard`, `iso_8601`)."""
    column = wire(array)
    write = STYLES[style]
    made = np.asarray(column.parts[0])
    known: dict[bytes, str] = {}
    texts = []
    for one in made:
        key = one.tobytes()
        text = known.get(key)
        if text is None:
            text = known[key] = write(int(one["months"]), int(one["days"]), int(one["micros"]))
        texts.append(text.encode())
    whole = cells(pa.array(texts, pa.binary()))
    whole.valid = column.valid
    return whole


def postgres(months: int, days: int, micros: int) -> str:
    """`1 year 2 mons -3 days +04:05:06.789`."""
    years, months = _divided(months, 12)
    words: list[str] = []
    negative = False
    for count, name in ((years, "year"), (months, "mon"), (days, "day")):
        if count:
            words.append(f"{'+' if negative and count > 0 else ''}{count} {name}{'' if count == 1 else 's'}")
            negative = count < 0
    if micros or not words:
        sign = "-" if micros < 0 else "+" if negative else ""
        words.append(sign + _clock(micros))
    return " ".join(words)


def verbose(months: int, days: int, micros: int) -> str:
    """`@ 1 year 2 mons -3 days 4 hours 5 mins 6.789 secs ago`."""
    years, months = _divided(months, 12)
    hours, minutes, seconds, fraction = _hms(micros)
    words: list[str] = ["@"]
    first, negative = True, False
    for count, name in (
        (years, "year"), (months, "mon"), (days, "day"), (hours, "hour"), (minutes, "min"),
    ):  # fmt: skip
        if count:
            if first:
                negative, first = count < 0, False
            shown = -count if negative else count
            words.append(f"{shown} {name}{'' if shown == 1 else 's'}")
    if seconds or fraction:
        if first:
            negative = seconds < 0 or fraction < 0
        minus = (seconds < 0 or fraction < 0) != negative
        text = f"{'-' if minus else ''}{abs(seconds)}{_dotted(abs(fraction))}"
        words.append(f"{text} sec{'' if abs(seconds) == 1 and not fraction else 's'}")
        first = False
    if first:
        return "@ 0"
    return " ".join(words) + (" ago" if negative else "")


def sql_standard(months: int, days: int, micros: int) -> str:
    """`1-2`, `3 4:05:06`, or both with signs."""
    years, rest = _divided(months, 12)
    parts = (years, rest, days, micros)
    negative, positive = any(part < 0 for part in parts), any(part > 0 for part in parts)
    of_months, of_days, of_time = bool(months), bool(days), bool(micros)
    if not (negative or positive):
        return "0"
    if (negative and positive) or (of_months and (of_days or of_time)):
        clock = _clock(micros, pad=False)
        return (
            f"{'-' if months < 0 else '+'}{abs(years)}-{abs(rest)} {'-' if days < 0 else '+'}{abs(days)} "
            f"{'-' if micros < 0 else '+'}{clock}"
        )
    sign = "-" if negative else ""
    if of_months:
        return f"{sign}{abs(years)}-{abs(rest)}"
    if of_days:
        return f"{sign}{abs(days)} {_clock(micros, pad=False)}"
    return f"{sign}{_clock(micros, pad=False)}"


def iso(months: int, days: int, micros: int) -> str:
    """`P1Y2M3DT4H5M6.789S`."""
    years, months = _divided(months, 12)
    hours, minutes, seconds, fraction = _hms(micros)
    date = "".join(f"{count}{unit}" for count, unit in ((years, "Y"), (months, "M"), (days, "D")) if count)
    time = "".join(f"{count}{unit}" for count, unit in ((hours, "H"), (minutes, "M")) if count)
    if seconds or fraction:
        sign = "-" if seconds < 0 or fraction < 0 else ""
        time += f"{sign}{abs(seconds)}{_dotted(abs(fraction))}S"
    return f"P{date}{'T' if time else ''}{time}" if date or time else "PT0S"


STYLES: dict[str, Callable[[int, int, int], str]] = {
    "postgres": postgres,
    "postgres_verbose": verbose,
    "sql_standard": sql_standard,
    "iso_8601": iso,
}


def _divided(value: int, by: int) -> tuple[int, int]:
    """Quotient and rest, both with the sign of `value`, as C divides."""
    whole, rest = divmod(abs(value), by)
    return (-whole, -rest) if value < 0 else (whole, rest)


def _hms(micros: int) -> tuple[int, int, int, int]:
    seconds, fraction = _divided(micros, SECOND)
    minutes, seconds = _divided(seconds, 60)
    hours, minutes = _divided(minutes, 60)
    return hours, minutes, seconds, fraction


def _clock(micros: int, *, pad: bool = True) -> str:
    hours, minutes, seconds, fraction = _hms(abs(micros))
    return (
        f"{hours:02d}:{minutes:02d}:{seconds:02d}{_dotted(fraction)}"
        if pad
        else (f"{hours}:{minutes:02d}:{seconds:02d}{_dotted(fraction)}")
    )


def _dotted(fraction: int) -> str:
    return f".{fraction:06d}".rstrip("0") if fraction else ""
