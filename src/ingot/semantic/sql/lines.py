"""Answers to SQL as JSON lines: the columns, then rows. Numbers are text and times have no zone, as in `/load`."""

import math
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any

import orjson

from ingot.semantic.sql.statement import SqlColumn
from ingot.semantic.sql.types import cube

_PLAIN = frozenset({"text", "boolean", "uuid", "json"})


def schema_line(columns: Sequence[SqlColumn], refreshed: str) -> bytes:
    """The first line; `refreshed` is the time of the commit that the rows are of."""
    schema = [{"name": one.name, "column_type": cube(one.type)} for one in columns]
    return orjson.dumps({"schema": schema, "lastRefreshTime": refreshed}) + b"\n"


def data_line(columns: Sequence[SqlColumn], rows: Sequence[tuple[Any, ...]]) -> bytes:
    """A line with rows."""
    writers = [_writer(one.type) for one in columns]
    data = [
        [None if value is None else write(value) for write, value in zip(writers, row, strict=True)]
        for row in rows
    ]
    return orjson.dumps({"data": data}, default=str) + b"\n"


def _writer(type_: str) -> Callable[[Any], Any]:
    if type_ in _PLAIN:
        return _same if type_ in ("text", "boolean") else str
    if type_ == "date" or type_.startswith("timestamp"):
        return _time
    if type_ in ("real", "double precision"):
        return _double
    return str


def _same(value: Any) -> Any:
    return value


def _double(value: float) -> str | None:
    if not math.isfinite(value):
        return None
    return str(int(value)) if value == int(value) and abs(value) < 2**53 else repr(value)


def _time(value: Any) -> str:
    if isinstance(value, datetime):
        if value.tzinfo is not None:
            value = value.astimezone(UTC).replace(tzinfo=None)
        return str(value.isoformat(timespec="milliseconds"))
    if isinstance(value, date):
        return f"{value.isoformat()}T00:00:00.000"
    return str(value)
