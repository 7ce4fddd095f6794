"""Binary values and bounds, against PyIceberg's conversions and truncations."""

import math
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyiceberg.conversions import to_bytes
from pyiceberg.types import (
    BinaryType,
    BooleanType,
    DateType,
    DecimalType,
    DoubleType,
    FloatType,
    IntegerType,
    LongType,
    StringType,
    TimestampType,
    TimestamptzType,
    TimeType,
    UUIDType,
)
from pyiceberg.utils.datetime import date_to_days, datetime_to_micros, time_to_micros

from ingot.lake import bounds

INT = st.integers(-(2**31), 2**31 - 1)
LONG = st.integers(-(2**63), 2**63 - 1)


@given(INT, LONG, st.floats(width=32, allow_nan=False), st.floats(allow_nan=False), st.booleans())
def test_numbers_are_encoded_as_pyiceberg_does(i: int, j: int, f: float, d: float, b: bool) -> None:
    assert bounds.encode("int", i) == to_bytes(IntegerType(), i)
    assert bounds.encode("long", j) == to_bytes(LongType(), j)
    assert bounds.encode("float", f) == to_bytes(FloatType(), f)
    assert bounds.encode("double", d) == to_bytes(DoubleType(), d)
    assert bounds.encode("boolean", b) == to_bytes(BooleanType(), b)


@given(st.integers(-(10**20) + 1, 10**20 - 1), st.integers(0, 20))
def test_decimals_are_encoded_as_pyiceberg_does(number: int, scale: int) -> None:
    value = Decimal(number).scaleb(-scale)
    expected = to_bytes(DecimalType(38, scale), value)
    assert bounds.lower(f"decimal(38, {scale})", f"{value:f}") == expected
    assert bounds.upper(f"decimal(38, {scale})", f"{value:f}") == expected


@given(st.dates(), st.datetimes(), st.times())
def test_dates_and_times_are_encoded_as_pyiceberg_does(day: date, moment: datetime, hour: time) -> None:
    assert bounds.lower("date", day.isoformat()) == to_bytes(DateType(), date_to_days(day))
    micros = datetime_to_micros(moment)
    assert bounds.lower("timestamp", moment.isoformat(" ")) == to_bytes(TimestampType(), micros)
    assert bounds.upper("timestamptz", moment.isoformat(" ") + "+00") == to_bytes(TimestamptzType(), micros)
    assert bounds.lower("time", hour.isoformat()) == to_bytes(TimeType(), time_to_micros(hour))


def test_a_zone_is_taken_into_account() -> None:
    moment = datetime(2024, 1, 1, 5, tzinfo=UTC)
    assert bounds.lower("timestamptz", "2024-01-01 00:00:00-05") == to_bytes(
        TimestamptzType(), datetime_to_micros(moment.replace(tzinfo=None))
    )


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_text_bounds_are_at_most_sixteen_characters_and_enclose_the_value(text: str) -> None:
    low, high = bounds.lower("string", text), bounds.upper("string", text)
    assert low is not None
    assert low <= text.encode()
    assert len(low.decode()) <= 16
    if len(text) <= 16:
        assert low == high == to_bytes(StringType(), text)
    elif high is not None:
        assert high > text.encode()
        assert len(high.decode()) <= 16


@given(st.binary())
def test_byte_bounds_enclose_the_value(value: bytes) -> None:
    low, high = bounds.lower("binary", value.hex()), bounds.upper("binary", value.hex())
    assert low is not None
    assert low <= value
    if len(value) <= 16:
        assert low == high == to_bytes(BinaryType(), value)
    elif high is not None:
        assert high > value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a" * 17, "a" * 15 + "b"),
        ("a" * 15 + "\U0010ffff" + "x", "a" * 14 + "b"),
        ("a" * 15 + "\ud7ff" + "x", "a" * 15 + "\ue000"),
        ("\U0010ffff" * 17, None),
    ],
)
def test_the_upper_bound_of_long_text_is_the_next_prefix(text: str, expected: str | None) -> None:
    assert bounds.upper("string", text) == (None if expected is None else expected.encode())


def test_bytes_that_cannot_be_made_greater_have_no_upper_bound() -> None:
    assert bounds.upper("binary", "ff" * 17) is None
    assert bounds.upper("binary", "01" + "ff" * 16) == b"\x02"


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("date", "infinity"),
        ("date", "0006-01-01 (BC)"),
        ("timestamp", "99999-01-01 00:00:00"),
        ("time", "24:00:00"),
        ("geometry", "x"),
    ],
)
def test_what_cannot_be_told_exactly_has_no_bound(kind: str, text: str) -> None:
    assert bounds.lower(kind, text) is None
    assert bounds.upper(kind, text) is None


def test_zero_bounds_include_both_zeros() -> None:
    low, high = bounds.lower("double", "0.0"), bounds.upper("double", "-0.0")
    assert (low, high) == (to_bytes(DoubleType(), -0.0), to_bytes(DoubleType(), 0.0))
    assert math.copysign(1, -0.0) < 0


@given(st.uuids())
def test_uuids_are_encoded_as_pyiceberg_does(value: UUID) -> None:
    wanted: Any = UUIDType()
    assert bounds.lower("uuid", str(value)) == to_bytes(wanted, value)
