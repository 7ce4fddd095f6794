"""Simple conditions on columns, and whether a data file can hold a row that fulfils them.

A file is left out only where its partition or its bounds prove that no row of it can match; whatever is
doubtful (other writers' NaN, values of another type than the column's) keeps it. Rows are not filtered.
"""

import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Literal, get_args
from uuid import UUID

from ingot.errors import did_you_mean
from ingot.lake import bounds, transforms
from ingot.lake.entries import Entry, as_number
from ingot.lake.errors import SchemaError
from ingot.lake.types import Json

Op = Literal["=", "<", "<=", ">", ">=", "between", "in", "is null", "is not null"]


@dataclass(frozen=True, slots=True)
class Condition:
    """`column op value`; `between` takes a pair and `in` a sequence, the tests for NULL take nothing."""

    column: str
    op: Op
    value: Any = None

    def __post_init__(self) -> None:
        if self.op not in get_args(Op):
            raise SchemaError(
                f"'{self.op}' is not a condition{did_you_mean(str(self.op), get_args(Op))}.",
                hint=f"Known are {', '.join(get_args(Op))}.",
            )


@dataclass(frozen=True, slots=True)
class Test:
    """A condition on one field in the numbers that Iceberg stores.

    With `points` a row must equal one of them; otherwise it lies between `low` and `high`, where None is
    open. `nulls` asks for rows without a value and looks at nothing else.
    """

    field: Json
    nulls: bool = False
    points: tuple[Any, ...] | None = None
    low: Any = None
    high: Any = None
    strict: bool = False
    """Whether `low` and `high` themselves are excluded."""


def compiled(condition: Condition, field: Json) -> Test | None:  # noqa: PLR0911 (one case an operator)
    """The test for a condition on `field`; None where it cannot leave out any file."""
    if not isinstance(field["type"], str):
        return None
    if condition.op == "is null":
        return Test(field, nulls=True)
    if condition.op == "is not null":
        return Test(field)
    given: Sequence[Any] = condition.value if condition.op in ("in", "between") else (condition.value,)
    values = tuple(_stored(field["type"], value) for value in given)
    if None in values or not values:
        return None
    if condition.op in ("=", "in"):
        return Test(field, points=values)
    if condition.op == "between":
        return Test(field, low=values[0], high=values[1]) if len(values) == 2 else None
    strict = condition.op in ("<", ">")
    if condition.op in ("<", "<="):
        return Test(field, high=values[0], strict=strict)
    return Test(field, low=values[0], strict=strict)


def may_match(entry: Entry, tests: Sequence[Test], specs: Mapping[int, Json]) -> bool:
    """Whether the file can hold a row that passes all tests, by what its manifest says of it."""
    parts = specs[entry.spec_id]["fields"] if entry.spec_id in specs else ()
    values = entry.partition if parts else ()
    return all(
        _by_statistics(entry, test)
        and all(
            _by_partition(test, part["transform"], value)
            for part, value in zip(parts, values, strict=True)
            if part["source-id"] == test.field["id"]
        )
        for test in tests
    )


def _by_statistics(entry: Entry, test: Test) -> bool:
    number, kind = test.field["id"], test.field["type"]
    nulls = entry.statistic("null_value_counts", number)
    if test.nulls:
        return bool(nulls != 0)
    count = entry.statistic("value_counts", number)
    if nulls is not None and nulls == count:
        return False
    if kind == "uuid":
        # Writers do not agree whether the first bit of a UUID is a sign.
        return True
    low = _decoded(kind, entry.statistic("lower_bounds", number))
    high = _decoded(kind, entry.statistic("upper_bounds", number))
    open_above = test.points is None and test.high is None
    if kind in ("float", "double") and open_above and entry.statistic("nan_value_counts", number) != 0:
        # NaN is greater than every number in DuckDB, and bounds do not speak of it.
        high = None
    return _overlap(test, low, high)


def _overlap(test: Test, low: Any, high: Any) -> bool:
    """Whether a value between `low` and `high` (None: anything) can pass."""
    if test.points is not None:
        return any((low is None or low <= one) and (high is None or one <= high) for one in test.points)
    if test.low is not None and high is not None and (high < test.low or (test.strict and high == test.low)):
        return False
    below = test.high is not None and low is not None
    return not (below and (low > test.high or (test.strict and low == test.high)))


def _by_partition(test: Test, transform: str, value: Any) -> bool:
    kind = test.field["type"]
    name = transform.partition("[")[0]
    if name not in ("identity", "year", "month", "day", "hour", "truncate", "bucket"):
        return True
    if value is None or test.nulls:
        # Every one of these transforms gives NULL for NULL and for nothing else.
        return (value is None) == test.nulls
    if kind == "uuid" and isinstance(value, bytes) and name == "identity":
        value = UUID(bytes=value)
    if name == "identity":
        return kind in ("float", "double") or _overlap(test, value, value)
    if name == "bucket":
        return test.points is None or any(_is(transform, kind, one, value) for one in test.points)
    if test.points is not None:
        return any(_is(transform, kind, one, value) for one in test.points)
    low = None if test.low is None else transforms.apply(transform, kind, test.low)
    high = None if test.high is None else transforms.apply(transform, kind, test.high)
    return not (low is not None and value < low) and not (
        high is not None and value > _rounded_up(name, high)
    )


def _is(transform: str, kind: str, point: Any, value: Any) -> bool:
    found = transforms.apply(transform, kind, point)
    return found is None or bool(value in (found, _rounded_up(transform, found)))


def _rounded_up(transform: str, found: Any) -> Any:
    # Early versions of Iceberg rounded times before 1970 up instead of down.
    return found + 1 if transform in ("year", "month", "day", "hour") and found < 0 else found


def _decoded(kind: str, bound: bytes | None) -> Any:
    return None if bound is None else bounds.decode(kind, bound)


def _stored(kind: str, value: Any) -> Any:  # noqa: PLR0911 (one case a type)
    """`value` as Iceberg stores it; None where SQL might compare it in another way than Python does."""
    if kind == "boolean":
        return value if isinstance(value, bool) else None
    if isinstance(value, bool):
        return None
    if kind in ("int", "long"):
        return value if isinstance(value, int) and -(2**63) <= value < 2**63 else None
    if kind.startswith("decimal"):
        if isinstance(value, Decimal):
            return value if value.is_finite() else None
        return Decimal(value) if isinstance(value, int) else None
    if kind in ("float", "double"):
        return _floating(kind, value)
    if kind == "date":
        return as_number(value) if isinstance(value, date) and not isinstance(value, datetime) else None
    if kind in ("timestamp", "timestamptz"):
        aware = isinstance(value, datetime) and value.tzinfo is not None
        fits = isinstance(value, datetime) and aware == (kind == "timestamptz")
        return as_number(value) if fits else None
    wanted = {"string": str, "binary": bytes, "uuid": UUID, "time": time}.get(kind)
    if wanted is None or not isinstance(value, wanted):
        return None
    return as_number(value) if kind == "time" else value


def _floating(kind: str, value: Any) -> float | None:
    if not isinstance(value, int | float) or (abs(value) > 2**53 and isinstance(value, int)):
        return None
    number = float(value)
    if math.isnan(number):
        return None
    if kind == "float":
        # Whether SQL compares as FLOAT or as DOUBLE depends on how the value is written.
        try:
            exact = struct.unpack("<f", struct.pack("<f", number))[0] == number
        except OverflowError:
            exact = False
        return number if exact else None
    return number
