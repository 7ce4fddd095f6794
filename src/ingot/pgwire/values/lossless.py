"""The few types that DuckDB cannot give to Arrow without loss: they are made others in the SELECT.

Offsets of times, large intervals, tags of unions and whole numbers beyond 127 bits would be lost or wrong without it.
"""

import re
from collections.abc import Sequence

from ingot.pgwire import types

_TEXT = frozenset({"TIME WITH TIME ZONE", "BIT", "UHUGEINT", "BIGNUM", "GEOMETRY"})
_LISTS = re.compile(r"(.*?)((?:\[\d*\])*)", re.DOTALL)
_INTERVAL = (
    "CASE WHEN {0} IS NOT NULL THEN {{'months': CAST(datepart('year', {0}) * 12 + datepart('month', {0}) AS INTEGER),"
    " 'days': CAST(datepart('day', {0}) AS INTEGER), 'micros': (datepart('hour', {0}) * 60 + datepart('minute', {0}))"
    " * 60000000 + datepart('microsecond', {0})}} END"
)


def lossless(select: str, kinds: Sequence[str]) -> str:
    """`select`, whose columns have these types of the engine, so that Arrow gets all of its values."""
    made = [_column(f"#{at}", kind) for at, kind in enumerate(kinds, 1)]
    if all(column == f"#{at}" for at, column in enumerate(made, 1)):
        return select
    return f"SELECT {', '.join(made)} FROM ({select}\n) AS answer"


def _column(name: str, kind: str) -> str:
    found = _LISTS.fullmatch(kind)
    base, lists = (found[1], found[2]) if found else (kind, "")
    if types.postgres_type(kind)[0] == types.JSON and kind != "JSON":
        return f"CASE WHEN {name} IS NOT NULL THEN CAST(to_json({name}) AS VARCHAR) END"
    if base in _TEXT:
        return f"CAST({name} AS VARCHAR{lists})"
    if base == "INTERVAL":
        return _intervals(name, lists.count("["))
    return name


def _intervals(name: str, depth: int) -> str:
    if not depth:
        return _INTERVAL.format(name)
    inner = f"v{depth}"
    return f"list_transform({name}, lambda {inner}: {_intervals(inner, depth - 1)})"
