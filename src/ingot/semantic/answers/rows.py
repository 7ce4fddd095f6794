"""Rows of the engine -> JSON in Cube's formats.

As from Cube over PostgreSQL: numbers are text (`"15"`), times are `YYYY-MM-DDTHH:mm:ss.SSS` without a zone,
null is null. What is no number (a division by zero in DuckDB gives infinity) is null.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import orjson

from ingot.semantic.planner.resolve import Resolved


def number(value: int | float | Decimal) -> str | None:
    """A number as text, whole digits only, never `1E+3`."""
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        return format(value, "f") if value.is_finite() else None
    if not math.isfinite(value):
        return None
    if value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    text = repr(value)
    return format(Decimal(text), "f") if "e" in text else text


def time(value: datetime) -> str:
    """A time in UTC or of no zone, to the millisecond."""
    if value.tzinfo is not None:
        value = value.astimezone(UTC).replace(tzinfo=None)
    return value.isoformat(timespec="milliseconds")


def plain(value: Any) -> Any:
    """`value` as JSON has it in Cube's answers."""
    match value:
        case None | str() | bool():
            found: Any = value
        case int() | float() | Decimal():
            found = number(value)
        case datetime():
            found = time(value)
        case date():
            found = f"{value.isoformat()}T00:00:00.000"
        case bytes() | bytearray() | memoryview():
            found = bytes(value).hex()
        case list() | tuple():
            found = [plain(item) for item in value]
        case dict():
            found = {str(key): plain(item) for key, item in value.items()}
        case _:
            found = str(value)
    return found


_BY_TYPE: dict[type, Callable[[Any], Any]] = {
    int: str,
    float: number,
    Decimal: number,
    datetime: time,
    str: str,
    bool: bool,
    type(None): lambda _: None,
}


def keys(query: Resolved) -> list[tuple[str, int]]:
    """The keys of an answer's row and the column of each: a time by granularity has its plain key too."""
    found: dict[str, int] = {}
    asked = {column.key for column in query.dimensions}
    for at, column in enumerate(query.columns):
        found[column.key] = at
        if column.granularity is not None and column.found.name not in asked:
            found[column.found.name] = at
    return list(found.items())


@dataclass(frozen=True, slots=True)
class Extra:
    """One more key of every row: with the same value in each, or with that of another column."""

    key: str
    value: str | None = None
    column: str | None = None


def encoded(query: Resolved, rows: Sequence[Sequence[Any]], form: str, extra: Extra | None = None) -> bytes:
    """The rows as JSON, with one more key where there is an `extra`.

    `default`: a list of objects. `compact`: names once, rows as lists. `columnar`: names once, columns as lists.
    """
    columns = [
        [_BY_TYPE.get(type(value), plain)(value) for value in column] for column in zip(*rows, strict=True)
    ]
    shape = keys(query)
    names = [name for name, _ in shape]
    picked = [columns[at] for _, at in shape] if columns else [[] for _ in shape]
    if extra is not None:
        names.append(extra.key)
        picked.append(
            [extra.value] * len(rows) if extra.column is None else picked[names.index(extra.column)]
        )
    if form == "columnar":
        return orjson.dumps({"members": names, "columns": picked}, default=str)
    lines = zip(*picked, strict=True)
    if form == "compact":
        return orjson.dumps({"members": names, "dataset": list(lines)}, default=str)
    return orjson.dumps([dict(zip(names, line, strict=True)) for line in lines], default=str)
