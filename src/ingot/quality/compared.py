"""Which columns of two tables are compared, and in which type: pairs of columns, names and types left behind."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ingot.lake import metadata, types
from ingot.lake.sql import identifier
from ingot.lake.state import Table
from ingot.quality.structure import matched

_DECIMAL = re.compile(r"decimal\((\d+),\s*(\d+)\)")
_DIGITS = {"int": 10, "long": 19}
_FRACTIONS = ("float", "double")
_TEXT = "VARCHAR"


@dataclass(frozen=True, slots=True)
class Pair:
    """One column of both sides, and the DuckDB type in which their values are compared."""

    before: str
    after: str
    before_id: int
    after_id: int
    cast: str | None
    """None where both have one type already."""
    is_map: bool
    native: bool
    """The values are JSON's own; others are shown as text."""

    @property
    def by_name(self) -> bool:
        """Matched by its name only: files that both tables share hold it for one of them."""
        return self.before_id != self.after_id

    def expression(self, name: str) -> str:
        """The value to be compared, of the side that calls the column `name`."""
        column = identifier(name)
        if self.cast is not None:
            return f"CAST({column} AS {self.cast})"
        # A map is a set of entries; the order in which they were written is no difference.
        return f"map_from_entries(list_sort(map_entries({column})))" if self.is_map else column


def pairs(before: Table, after: Table) -> tuple[Pair, ...]:
    """The columns that both tables have."""
    by_id = before.content.id == after.content.id
    old, new = _types(before), _types(after)
    return tuple(
        Pair(
            one.name,
            other.name,
            one.id if by_id else -1,
            other.id,
            cast := common(old[one.id], new[other.id]),
            isinstance(kind := new[other.id], dict) and kind["type"] == "map",
            _native(new[other.id] if cast is None else cast),
        )
        for one, other in matched(before.schema, after.schema, by_id=by_id)
    )


def _types(table: Table) -> dict[int, Any]:
    return {field["id"]: field["type"] for field in metadata.current_schema(table.metadata)["fields"]}


def _native(kind: Any) -> bool:
    return kind in ("boolean", "int", "long", "string", "BOOLEAN", "INTEGER", "BIGINT", _TEXT)


def common(one: Any, other: Any) -> str | None:
    """The DuckDB type that holds every value of both Iceberg types; None where they are the same.

    What has no common type is compared as text.
    """
    if types.same(one, other):
        return None if types.to_duckdb(other) else _TEXT
    if isinstance(one, dict) or isinstance(other, dict):
        return _TEXT
    kinds = {one, other}
    if kinds == {"int", "long"}:
        return "BIGINT"
    if kinds <= {"date", "timestamp", "timestamp_ns"}:
        return "TIMESTAMP_NS" if "timestamp_ns" in kinds else "TIMESTAMP"
    if all(_is_number(kind) for kind in kinds):
        return _number(sorted(kinds))
    return _TEXT


def _is_number(kind: str) -> bool:
    return kind in _DIGITS or kind in _FRACTIONS or bool(_DECIMAL.fullmatch(kind))


def _number(kinds: Sequence[str]) -> str:
    whole = scale = 0
    for kind in kinds:
        if kind in _FRACTIONS:
            return "DOUBLE"
        found = _DECIMAL.fullmatch(kind)
        digits, fraction = (int(found[1]), int(found[2])) if found else (_DIGITS[kind], 0)
        whole, scale = max(whole, digits - fraction), max(scale, fraction)
    return f"DECIMAL({whole + scale}, {scale})" if whole + scale <= 38 else "DOUBLE"
