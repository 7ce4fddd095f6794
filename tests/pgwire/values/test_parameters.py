"""Parameters in text and binary: what PostgreSQL takes is taken, as the same value; what it refuses is refused alike."""

import struct
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingot.pgwire import types
from ingot.pgwire.errors import PgError
from ingot.pgwire.ports import BINARY, Value
from ingot.pgwire.values.literals import literal
from ingot.pgwire.values.parameters import Interval, Moment, decode

from .judging import Judge, encoded

WHOLE = ["0", "-0", "42", " 42 ", "\t-7\n", "+5", "007", "", " ", "-", "1.5", "1e3", "x", "4 2", "32767", "32768", "-32768", "2147483647",
         "2147483648", "-2147483649", "9223372036854775807", "9223372036854775808", "99999999999999999999999", "²"]  # fmt: skip
CASES: dict[int, list[str]] = {
    types.BOOL: ["t", "T", "true", "TRUE", "tr", "f", "fals", "y", "yes", "n", "no", "on", "off", "of", "o", "1", "0", " t ", "", "2",
                 "truex", "ye s"],
    types.INT2: WHOLE, types.INT4: WHOLE, types.INT8: WHOLE,
    types.FLOAT8: ["0", "-0", "1.5", ".5", "5.", "1e3", "1E-3", "NaN", "nan", "inf", "-Infinity", "+inf", " 1 ", "", ".", "1e", "1e400",
                   "1e-400", "x", "1_0", "1 2", "4.9e-324"],
    types.FLOAT4: ["0.1", "1e38", "1e39", "1e-46", "16777217", "NaN", "x", ""],
    types.NUMERIC: ["0", "-0.00", "12.50", ".5", "5.", "1e3", "1.5e-3", "NaN", "Infinity", "-inf", "", "x", "1.2.3", "1e200", "- 1", " 7.1 "],
    types.UUID: ["550e8400-e29b-41d4-a716-446655440000", "{550E8400-e29b-41d4-a716-446655440000}", "550e8400e29b41d4a716446655440000",
                 "550e-8400-e29b-41d4-a716-4466-5544-0000", "", "550e8400", "550e8400-e29b-41d4-a716-44665544000g", "{550e8400e29b41d4a716446655440000"],
    types.BYTEA: ["", "\\x", "\\xDEADbeef", "\\x1", "\\xzz", "abc", "a\\\\b", "\\001\\377", "\\1", "\\x 01 02"],
    types.JSON: ["1", "[]", '{"a": [1, null]}', "", "{", "'x'", "NaN", '"\\u0041"', "[1,]", " true "],
    types.VARBIT: ["", "0101", "b01", "xFF", "X1a", "012", "xg"],
    types.DATE: ["2024-02-29", "2023-02-29", "2024-13-01", "2024-00-10", "2024-1-5", "20240229", "2024/02/29", "02/29/2024", "29/02/2024",
                 "Jan 8, 1999", "January 8, 1999", "8 Jan 1999", "08-Jan-1999", "0044-03-15 BC", "infinity", "-infinity", "epoch",
                 "99999-12-31", "5874897-12-31", "5874898-01-01", "4713-11-24 BC", "4713-11-23 BC", "0000-01-01", "2024-02-29 12:00:00", "x", "", "2024-02",
                 "2024-02-29 AD", "2024-02-29T00:00:00Z"],
    types.TIME: ["04:05", "04:05:06", "04:05:06.789", "04:05:06.7890123", "24:00:00", "24:00:01", "23:59:60", "25:00", "04:05 PM", "04:05am", "040506",
                 "12:00 am", "04:60", "", "x", "4:5:6"],
    types.TIMETZ: ["04:05:06+02", "04:05:06.5-05:30", "04:05:06Z", "04:05+00", "x", "04:05:06+16"],
    types.TIMESTAMP: ["2024-02-29 01:02:03", "2024-02-29T01:02:03.456789", "2024-02-29 01:02:03.4567895", "2024-02-29 01:02:03+05", "2024-02-29 01:02:03Z",
                      "2024-02-29", "2024-02-29 24:00:00", "2024-02-29 24:00:01", "2024-02-29 01:02", "0044-03-15 12:00:00 BC", "infinity", "epoch",
                      "294276-12-31 23:59:59.999999", "294277-01-01 00:00:00", "20240229T010203", "2024-02-29 x", "2024-02-30 00:00:00", "x", "", "2024-02-29 01:02:03 Europe/Berlin", "Jan 8, 1999 04:05 PM", "1999-01-08 04:05:06 UTC"],
    types.TIMESTAMPTZ: ["2024-02-29 01:02:03", "2024-02-29 01:02:03+02", "2024-02-29 01:02:03 +02:30", "2024-02-29 01:02:03-0330", "2024-02-29T01:02:03Z",
                        "2024-07-01 12:00:00 Europe/Berlin", "2024-07-01 12:00:00 America/New_York", "2024-07-01 12:00:00 UTC", "2024-07-01 12:00:00 Nowhere/City",
                        "0044-03-15 12:00:00+00 BC", "-infinity", "2024-02-29 01:02:03+99", "x", "2024-02-29 01:02:03+05:30:15"],
    types.INTERVAL: ["1 day", "1 year 2 mons -3 days", "04:05:06.789", "-04:05:06", "1 day 04:05", "3 4:05:06", "1-2", "-1-2", "1-2 3 4:05:06", "P1Y2M3DT4H5M6S",
                     "P1W", "PT0.5S", "P1.5D", "1.5 months", "1.5 years", "0.5 weeks", "1.5 days", "90", "1.5", "2 hours ago", "@ 1 minute", "1h", "5m", "1y 2mon",
                     "1 decade", "1 century", "3 weeks 2 days", "100 microseconds", "1 fortnight", "", "x", "1 day x", "99999999999 years", "1:60", "1 day 2", "-1 day 04:00"],
    types.TEXT: ["", "x", "ä ", "'\"\\"],
}  # fmt: skip
NAMES = {types.BYTEA: "bytea", types.VARBIT: "varbit", types.TEXT: "text"}
ARRAYS = ["{}", "{1,2,3}", "{ 1 , NULL }", "{{1,2},{3,4}}", "{{1},{2,3}}", "{1,{2}}", "[2:3]={1,2}", "", "1", "{", "{1", "{1}}", "{1,}", "{,}", "{1}x", '{"1","2"}',
          "{{}}", "{1 2}", "{null}", '{"null"}', "{x}"]  # fmt: skip


def shown(value: Any, oid: int) -> str:
    """A value as PostgreSQL would show it."""
    match value:
        case bool():
            return "t" if value else "f"
        case bytes():
            return "\\x" + value.hex()
        case float():
            kind = pa.float32() if oid == types.FLOAT4 else pa.float64()
            made = encoded(pa.array([value], kind))[0]
            assert made is not None
            return made.decode()
        case Decimal():
            return format(value, "f") if value.is_finite() else {"NaN": "NaN"}.get(str(value), str(value))
        case _:
            return str(value)


def ours(text: str, oid: int) -> tuple[str | None, str]:
    try:
        return None, shown(decode(Value(text.encode()), oid), oid)
    except PgError as error:
        return error.sqlstate, error.message


@pytest.mark.slow
@pytest.mark.parametrize("oid", CASES)
def test_text_means_what_it_means_to_postgres(judge: Judge, oid: int) -> None:
    judge.set(timezone="UTC", intervalstyle="postgres", bytea_output="hex", datestyle="ISO, MDY")
    name = NAMES.get(oid, types.type_of(oid).name)
    wrong = []
    for text in CASES[oid]:
        error = judge.error(f"$1::{name}", text)
        if error is None:
            told = judge.value(f"$1::{name}", text)
            assert told is not None
            expected: tuple[str | None, str] = (None, told.decode())
        else:
            expected = error
        if (got := ours(text, oid)) != expected:
            wrong.append((text, expected, got))
    assert not wrong


@pytest.mark.slow
def test_arrays_mean_what_they_mean_to_postgres(judge: Judge) -> None:
    wrong = []
    for text in ARRAYS:
        error = judge.error("$1::int4[]", text)
        expected: object = error[0] if error else judge.value("array_to_json($1::int4[])", text)
        try:
            made = decode(Value(text.encode()), 1007)
            got: object = repr(made).replace(" ", "").replace("None", "null").encode()
        except PgError as refused:
            got = refused.sqlstate
        if got != expected:
            wrong.append((text, expected, got))
    # PostgreSQL 15 takes less than 17 does; what it takes must be the same.
    assert [one for one in wrong if not isinstance(one[1], str)] == []
    assert [text for text, expected, _ in wrong] in ([], ["{{}}"])


def some(strategy: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(strategy, min_size=1, max_size=6).map("".join)


DATE_WORDS = st.sampled_from(
    ["2024", "1999", "02", "29", "31", "1", "12", "-", "-", "-", "/", " ", " ", "T", ":", ":", "04", "59", "60", ".5", ".1234567", "Z", "+02", "-05:30",
     " BC", " AD", "PM", "am", "Jan", "Feb ", ",", "UTC", "2024-02-29", "01:02:03", "0044-03-15"]
)  # fmt: skip
SPAN_WORDS = st.sampled_from(
    ["1", "2", "-3", "+4", "0.5", "-1.25", " ", " ", "day", "days", " mons", "years", " hour", "min", "s", "weeks", "04:05:06", "-01:02", ":", "1-2",
     "P", "T", "D", "M", "Y", "H", "S", " ago", "@ ", ".5", "ms", "us"]
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("oid", [types.DATE, types.TIME, types.TIMESTAMP, types.TIMESTAMPTZ, types.INTERVAL])
@given(data=st.data())
@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_times_that_are_taken_are_the_same_times(judge: Judge, data: st.DataObject, oid: int) -> None:
    judge.set(timezone="UTC", intervalstyle="postgres", datestyle="ISO, MDY")
    text = data.draw(some(SPAN_WORDS if oid == types.INTERVAL else DATE_WORDS))
    code, got = ours(text, oid)
    if code is None:
        name = types.type_of(oid).name
        assert judge.error(f"$1::{name}", text) is None, got
        assert judge.value(f"$1::{name}", text) == got.encode()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("oid", "texts"),
    [
        (types.BOOL, ["t", "f"]), (types.INT2, ["-32768", "7"]), (types.INT4, ["-2147483648"]), (types.INT8, ["9223372036854775807"]),
        (types.FLOAT4, ["1.5", "NaN"]), (types.FLOAT8, ["-0.1", "Infinity"]), (types.UUID, ["550e8400-e29b-41d4-a716-446655440000"]),
        (types.NUMERIC, ["0", "0.00", "-12.50", "10000", "0.0001", "123456789012345678901234567890.123456789", "NaN", "-Infinity", "1e50"]),
        (types.BYTEA, ["\\x", "\\x00ff"]), (types.JSON, ['{"a":1}']), (types.JSONB, ['{"a": 1}']), (types.VARBIT, ["", "10110", "11111111"]),
        (types.DATE, ["2024-02-29", "0044-03-15 BC", "infinity"]), (types.TIME, ["04:05:06.789", "24:00:00"]), (types.TIMETZ, ["04:05:06+05:30"]),
        (types.TIMESTAMP, ["1999-12-31 23:59:59.999999", "-infinity", "4713-11-24 00:00:00 BC"]), (types.TIMESTAMPTZ, ["2024-02-29 01:02:03+00"]),
        (types.INTERVAL, ["1 year 2 mons -3 days +04:05:06.789", "00:00:00"]), (types.TEXT, ["", "ä"]),
    ],
)  # fmt: skip
def test_binary_is_read_as_postgres_writes_it(judge: Judge, oid: int, texts: list[str]) -> None:
    judge.set(timezone="UTC", intervalstyle="postgres", bytea_output="hex")
    name = NAMES.get(oid, types.type_of(oid).name)
    for text in texts:
        raw = judge.value(f"$1::{name}", text, BINARY)
        told = judge.value(f"$1::{name}", text)
        assert told is not None
        assert shown(decode(Value(raw, BINARY), oid), oid) == told.decode()
    array = types.type_of(oid).array
    raw = judge.value(f"ARRAY[ARRAY[$1::{name}, NULL]]", texts[0], BINARY)
    told = judge.value(f"$1::{name}", texts[0])
    ((first, second),) = decode(Value(raw, BINARY), array)
    assert told is not None
    assert (shown(first, oid), second) == (told.decode(), None)


def test_null_is_null() -> None:
    assert decode(Value(None), types.INT4) is None
    assert literal(Value(None), types.INT4).sql("postgres") == "CAST(NULL AS INT)"


@pytest.mark.parametrize(("raw", "oid"), [
    (b"", types.INT4), (b"\0\0\0", types.INT4), (b"\0" * 5, types.INT4), (b"\0" * 7, types.NUMERIC), (b"\0\1" + b"\0" * 6, types.NUMERIC),
    (b"\0\0\0\0\x80\0\0\0", types.NUMERIC), (b"\0" * 15, types.UUID), (b"\0" * 15, types.INTERVAL), (b"\0\0\0\x09\xff", types.VARBIT),
    (b"\x7f" * 8, types.TIME), (b"\x02{}", types.JSONB), (b"{", types.JSON), (b"\xff", types.TEXT), (b"a\0b", types.TEXT),
    (b"\0\0\0\1\0\0\0\0\0\0\0\x17\x7f\xff\xff\xff\0\0\0\1", 1007), (b"\0\0\0\7" + b"\0" * 8, 1007), (b"\0\0", 1007),
    (b"\0\0\0\1\0\0\0\0\0\0\0\x17\0\0\0\1\0\0\0\1\0\0\0\x08\0\0\0\1", 1007),
])  # fmt: skip
def test_broken_binary_is_refused(raw: bytes, oid: int) -> None:
    with pytest.raises(PgError) as caught:
        decode(Value(raw, BINARY), oid)
    assert caught.value.sqlstate in ("22P03", "08P01", "22021", "22P02", "22008", "XX000")


@given(raw=st.binary(max_size=60), oid=st.sampled_from(sorted(types.TYPES)), format_=st.integers(0, 1))
@settings(max_examples=300)
def test_nothing_but_a_pg_error_comes_of_any_bytes(raw: bytes, oid: int, format_: int) -> None:
    with suppress(PgError):
        literal(Value(raw, format_), oid).sql("duckdb")


@pytest.mark.parametrize(
    ("text", "oid", "expected"),
    [
        ("42", types.INT8, "42"), ("-42", types.INT8, "(-42)"), ("5", types.NUMERIC, "5.0"), ("-12.50", types.NUMERIC, "(-12.50)"), ("x'y", types.TEXT, "'x''y'"),
        ("t", types.BOOL, "TRUE"), ("1e3", types.FLOAT8, "CAST('1000.0' AS DOUBLE)"), ("nan", types.FLOAT8, "CAST('NaN' AS DOUBLE)"),
        ("-inf", types.FLOAT8, "CAST('-Infinity' AS DOUBLE)"), ("2024-02-29", types.DATE, "CAST('2024-02-29' AS DATE)"),
        ("2024-02-29 1:00+02", types.TIMESTAMPTZ, "CAST('2024-02-28 23:00:00+00' AS TIMESTAMPTZ)"), ("{1,NULL}", 1007, "CAST([1, CAST(NULL AS INT)] AS INT[])"),
        ("\\x0102", types.BYTEA, r"CAST('\x0102' AS BLOB)"), ("0044-03-15 BC", types.DATE, "CAST('0044-03-15 (BC)' AS DATE)"),
    ],
)  # fmt: skip
def test_literals_have_the_type_of_the_parameter(text: str, oid: int, expected: str) -> None:
    assert literal(Value(text.encode()), oid).sql("duckdb") == expected


def test_times_without_an_offset_are_in_the_zone_of_the_session() -> None:
    made = decode(Value(b"2024-07-01 12:00:00"), types.TIMESTAMPTZ, {"timezone": "Europe/Berlin"})
    assert made == Moment(types.TIMESTAMPTZ, "2024-07-01 10:00:00+00")


def test_intervals_keep_their_parts() -> None:
    assert decode(Value(struct.pack(">qii", 1, 2, 3), BINARY), types.INTERVAL) == Interval(3, 2, 1)
