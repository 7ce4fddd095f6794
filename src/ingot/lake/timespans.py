"""Which stretch of a time column each data file of a table holds, as far as the manifests tell.

Who keeps something per day or month asks this to know what a new file can touch; files are never opened.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ingot.lake import bounds, metadata, scan
from ingot.lake.entries import Entry
from ingot.lake.state import State
from ingot.lake.types import Json

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (Iceberg's timestamp has no zone)
_UNITS = {"date": "days", "timestamp": "microseconds", "timestamptz": "microseconds"}


@dataclass(frozen=True, slots=True)
class Span:
    """A data file: its first and last time in UTC, and whether rows without one may be in it.

    `first` and `last` are None where nobody knows; `empty` means that it has no row with a time.
    """

    path: str
    first: datetime | None
    last: datetime | None
    nulls: bool
    empty: bool = False


def spans(state: State, table: str, column: str) -> tuple[Span, ...] | None:
    """The files of `table` by what they hold of `column`.

    None where a file alone does not tell its rows: deletions kept in files of their own, columns that are
    not dates or timestamps, columns that do not exist.
    """
    document = state.table(table).metadata
    found = next(_matching(document, column), None)
    if found is None or found["type"] not in _UNITS:
        return None
    entries = scan.live_entries(document)
    if any(one.content != 0 for one in entries):
        return None
    return tuple(_span(one, found) for one in entries)


def _matching(document: Json, column: str) -> Iterator[Json]:
    for field in metadata.current_schema(document)["fields"]:
        if field["name"].casefold() == column.casefold() and isinstance(field["type"], str):
            yield field


def _span(entry: Entry, field: Json) -> Span:
    nulls = entry.statistic("null_value_counts", field["id"])
    count = entry.statistic("value_counts", field["id"])
    if nulls is not None and nulls == count:
        return Span(entry.path, None, None, bool(nulls), empty=True)
    first = _time(entry.statistic("lower_bounds", field["id"]), field["type"])
    last = _time(entry.statistic("upper_bounds", field["id"]), field["type"])
    return Span(entry.path, first, last, nulls != 0)


def _time(bound: Any, kind: str) -> datetime | None:
    value = None if bound is None else bounds.decode(kind, bound)
    if not isinstance(value, int):
        return None
    try:
        return _EPOCH + timedelta(**{_UNITS[kind]: value})
    except OverflowError:
        return None
