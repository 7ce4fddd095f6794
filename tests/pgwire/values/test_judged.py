"""Each type, in text and binary, as a real PostgreSQL sends it."""

import json
from decimal import Context, Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ingot.pgwire import types
from ingot.pgwire.values.cells import of_numpy

from .judging import Judge, encoded

pytestmark = pytest.mark.slow

MICROS_FIRST = -210_866_803_200_000_000 + 86_400_000_000
MICROS_END = 9_223_371_000_000_000_000
DAYS_FIRST, DAYS_END = -2_440_588, 2_145_042_905
ZONES = (
    "UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Monrovia",
    "Pacific/Apia", "America/St_Johns", "Europe/Dublin", "Africa/Casablanca", "Asia/Tehran", "Etc/GMT+5",
)  # fmt: skip
_WIDE = Context(prec=100)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


def some(values: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.none() | values, max_size=30)


def judged(**options: Any) -> settings:
    return settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], **options)


def texts(values: list[Any]) -> list[str | None]:
    return [None if each is None else str(each) for each in values]


@pytest.mark.parametrize("format_", [0, 1])
@pytest.mark.parametrize(
    ("name", "kind", "bits"), [("int2", pa.int16(), 15), ("int4", pa.int32(), 31), ("int8", pa.int64(), 63)]
)
@given(data=st.data())
@judged()
def test_whole_numbers(
    judge: Judge, data: st.DataObject, name: str, kind: pa.DataType, bits: int, format_: int
) -> None:
    values = data.draw(some(st.integers(-(1 << bits), (1 << bits) - 1)))
    assert encoded(pa.array(values, kind), format_) == judge.values(f"v::{name}", texts(values), format_)


@pytest.mark.parametrize("format_", [0, 1])
@given(values=some(st.booleans()))
@judged()
def test_truth_values(judge: Judge, values: list[bool | None], format_: int) -> None:
    assert encoded(pa.array(values, pa.bool_()), format_) == judge.values("v::bool", texts(values), format_)


@pytest.mark.parametrize("format_", [0, 1])
@given(values=some(st.floats(allow_nan=False) | st.floats(-1e17, 1e17)))
@example(
    values=[
        1e10,
        12345678901.5,
        1e14,
        123456789012345.6,
        1e15,
        1e-4,
        1e-5,
        -0.0,
        5e-324,
        1e23,
        2.0**-44,
        float("inf"),
        9007199254740993.0,
    ]
)
@judged()
def test_doubles(judge: Judge, values: list[float | None], format_: int) -> None:
    sent = [None if each is None else repr(each) for each in values]
    assert encoded(pa.array(values, pa.float64()), format_) == judge.values("v::float8", sent, format_)


def test_nan_is_nan(judge: Judge) -> None:
    for format_ in (0, 1):
        assert encoded(pa.array([float("nan")]), format_) == judge.values("v::float8", ["NaN"], format_)
    assert encoded(pa.array([float("nan"), 1.5]), 0, oid=types.NUMERIC) == [b"NaN", b"1.5"]


@pytest.mark.parametrize("format_", [0, 1])
@given(values=some(st.floats(width=32, allow_nan=False) | st.floats(-1e9, 1e9, width=32)))
@example(values=[1e5, 999999.0, 1e6, 16777216.0, 1.5e-5, 3.4028234663852886e38, 1e-45])
@judged()
def test_reals(judge: Judge, values: list[float | None], format_: int) -> None:
    sent = [None if each is None else str(np.float32(each)) for each in values]
    assert encoded(pa.array(values, pa.float32()), format_) == judge.values("v::float4", sent, format_)


@pytest.mark.parametrize("digits", ["0", "-3", "-15"])
@given(values=some(st.floats(allow_nan=False)))
@judged()
def test_doubles_with_fewer_digits(judge: Judge, values: list[float | None], digits: str) -> None:
    judge.set(extra_float_digits=digits)
    try:
        sent = [None if each is None else repr(each) for each in values]
        expected = judge.values("v::float8", sent, 0)
    finally:
        judge.set(extra_float_digits="1")
    assert encoded(pa.array(values, pa.float64()), settings={"extra_float_digits": digits}) == expected


@pytest.mark.parametrize("format_", [0, 1])
@given(data=st.data(), scale=st.integers(0, 38), precision=st.integers(1, 38))
@judged()
def test_numerics(judge: Judge, data: st.DataObject, scale: int, precision: int, format_: int) -> None:
    scale = min(scale, precision)
    whole = st.integers(-(10**precision) + 1, 10**precision - 1)
    small = st.integers(-(10 ** min(precision, 5)) + 1, 10 ** min(precision, 5) - 1)
    values = [
        None if each is None else Decimal(each).scaleb(-scale, context=_WIDE)
        for each in data.draw(some(whole | small))
    ]
    sent = [None if each is None else format(each, "f") for each in values]
    array = pa.array(values, pa.decimal128(precision, scale))
    assert encoded(array, format_) == judge.values(f"v::numeric({precision},{scale})", sent, format_)


@pytest.mark.parametrize("format_", [0, 1])
@given(values=some(st.integers(-(1 << 127), (1 << 127) - 1)))
@example(values=[(1 << 127) - 1, -(1 << 127), -(1 << 63), 1 << 63, 0, None, 10**20])
@judged()
def test_whole_numbers_of_128_bits(judge: Judge, values: list[int | None], format_: int) -> None:
    raw = b"".join((each or 0).to_bytes(16, "little", signed=True) for each in values)
    mask = np.array([each is not None for each in values], bool)
    array = of_numpy(np.frombuffer(raw, "V16"), pa.decimal128(38, 0), mask)
    assert encoded(array, format_, oid=types.NUMERIC) == judge.values("v::numeric", texts(values), format_)


@pytest.mark.parametrize("format_", [0, 1])
@given(values=some(st.integers(0, (1 << 64) - 1)))
@judged()
def test_unsigned_numbers(judge: Judge, values: list[int | None], format_: int) -> None:
    array = pa.array(values, pa.uint64())
    assert encoded(array, format_) == judge.values("v::numeric", texts(values), format_)


@pytest.mark.parametrize("format_", [0, 1])
@given(values=some(TEXTS))
@judged()
def test_texts(judge: Judge, values: list[str | None], format_: int) -> None:
    assert encoded(pa.array(values, pa.string()), format_) == judge.values("v::varchar", values, format_)


@pytest.mark.parametrize("output", ["hex", "escape"])
@pytest.mark.parametrize("format_", [0, 1])
@given(values=some(st.binary()))
@judged()
def test_bytes(judge: Judge, values: list[bytes | None], format_: int, output: str) -> None:
    judge.set(bytea_output=output)
    sent = [None if each is None else "\\x" + each.hex() for each in values]
    expected = judge.values("v::bytea", sent, format_)
    assert encoded(pa.array(values, pa.binary()), format_, settings={"bytea_output": output}) == expected


DAYS = st.integers(DAYS_FIRST, DAYS_END) | st.integers(-200_000, 200_000)


@pytest.mark.parametrize("format_", [0, 1])
@given(values=some(DAYS))
@example(values=[-719_162, -719_163, -719_528, DAYS_FIRST, DAYS_END, 2_932_896, 2_932_897])
@judged()
def test_dates(judge: Judge, values: list[int | None], format_: int) -> None:
    expected = judge.values("date '1970-01-01' + v::int", texts(values), format_)
    assert encoded(pa.array(values, pa.int32()).cast(pa.date32()), format_) == expected


MICROS = (
    st.integers(MICROS_FIRST, MICROS_END)
    | st.integers(-(10**16), 10**16)
    | st.integers(-(10**10), 2 * 10**9).map(lambda second: second * 1_000_000)
)
AT = "timestamp '1970-01-01' + (v || ' microseconds')::interval"


@pytest.mark.parametrize("format_", [0, 1])
@given(values=some(MICROS))
@example(values=[-62_135_596_800_000_000, -62_135_596_800_000_001, 253_402_300_800_000_000])
@judged()
def test_timestamps(judge: Judge, values: list[int | None], format_: int) -> None:
    array = pa.array(values, pa.int64()).cast(pa.timestamp("us"))
    assert encoded(array, format_) == judge.values(AT, texts(values), format_)


@pytest.mark.parametrize("format_", [0, 1])
@pytest.mark.parametrize("zone", ZONES)
@given(
    values=some(
        st.integers(-(10**16), 5 * 10**15)
        | MICROS.filter(lambda at: MICROS_FIRST + 10**12 < at < MICROS_END - 10**12)
    )
)
@judged()
def test_times_in_a_zone(judge: Judge, values: list[int | None], zone: str, format_: int) -> None:
    judge.set(timezone=zone)
    expected = judge.values(f"({AT}) AT TIME ZONE 'UTC'", texts(values), format_)
    array = pa.array(values, pa.int64()).cast(pa.timestamp("us", "UTC"))
    assert encoded(array, format_, settings={"timezone": zone}) == expected


@pytest.mark.parametrize("zone", ZONES)
@given(values=some(st.integers(-(10**16), 5 * 10**15)))
@judged()
def test_casts_between_times_follow_the_zone(judge: Judge, values: list[int | None], zone: str) -> None:
    judge.set(timezone=zone)
    plain = pa.array(values, pa.int64()).cast(pa.timestamp("us"))
    zoned = pa.array(values, pa.int64()).cast(pa.timestamp("us", "UTC"))
    held = {"timezone": zone}
    assert encoded(plain, oid=types.TIMESTAMPTZ, settings=held) == judge.values(
        f"({AT})::timestamptz", texts(values), 0
    )
    instant = f"(({AT}) AT TIME ZONE 'UTC')"
    assert encoded(zoned, oid=types.TIMESTAMP, settings=held) == judge.values(
        f"{instant}::timestamp", texts(values), 0
    )
    assert encoded(zoned, oid=types.DATE, settings=held) == judge.values(f"{instant}::date", texts(values), 0)
    assert encoded(zoned, oid=types.TIME, settings=held) == judge.values(f"{instant}::time", texts(values), 0)
    assert encoded(plain, oid=types.DATE, settings=held) == judge.values(f"({AT})::date", texts(values), 0)


def test_infinite_times(judge: Judge) -> None:
    most = 2**63 - 1
    array = of_numpy(np.array([most, -most, 0]), pa.timestamp("us"), None)
    days = of_numpy(np.array([2**31 - 1, -(2**31) + 1, 0], np.int32), pa.date32(), None)
    given_ = ["infinity", "-infinity", "epoch"]
    for format_ in (0, 1):
        assert encoded(array, format_) == judge.values("v::timestamp", given_, format_)
        assert encoded(array, format_, oid=types.DATE) == judge.values("v::timestamp::date", given_, format_)
        assert encoded(days, format_) == judge.values("v::date", given_, format_)
        assert encoded(days, format_, oid=types.TIMESTAMP) == judge.values(
            "v::date::timestamp", given_, format_
        )


@pytest.mark.parametrize("format_", [0, 1])
@given(values=some(st.integers(0, 86_400_000_000)))
@example(values=[86_400_000_000, 0, 1, 1_000_000])
@judged()
def test_times_of_day(judge: Judge, values: list[int | None], format_: int) -> None:
    mask = np.array([each is not None for each in values], bool)
    array = of_numpy(np.array([each or 0 for each in values], np.int64), pa.time64("us"), mask)
    made = [None if each is None else "24:00" if each == 86_400_000_000 else each for each in values]
    sql = "CASE WHEN v = '24:00' THEN time '24:00' ELSE time '00:00' + (v || ' microseconds')::interval END"
    sql = sql.replace("(v ||", "(nullif(v, '24:00') ||")
    assert encoded(array, format_) == judge.values(sql, texts(made), format_)


PARTS = st.tuples(
    st.integers(-100_000, 100_000),
    st.integers(-100_000, 100_000),
    st.integers(-(10**15), 10**15) | st.integers(-90, 90),
)


@pytest.mark.parametrize("style", ["postgres", "postgres_verbose", "sql_standard", "iso_8601", "binary"])
@given(
    values=some(
        PARTS
        | PARTS.map(lambda p: (p[0], 0, 0))
        | PARTS.map(lambda p: (0, p[1], 0))
        | PARTS.map(lambda p: (0, 0, p[2]))
    )
)
@example(
    values=[
        (0, 0, 0),
        (0, 0, -1),
        (1, -1, 1),
        (-13, 1, -1_000_000),
        (0, 1, -1),
        (12, 0, 0),
        (0, 0, 1_000_000),
    ]
)
@judged()
def test_intervals(judge: Judge, values: list[tuple[int, int, int] | None], style: str) -> None:
    format_ = 1 if style == "binary" else 0
    judge.set(intervalstyle="postgres" if format_ else style)
    sent = [None if each is None else ",".join(map(str, each)) for each in values]
    parts = [f"split_part(v, ',', {place})" for place in (1, 2, 3)]
    sql = "{}::int * interval '1 month' + {}::int * interval '1 day' + ({} || ' microseconds')::interval"
    expected = judge.values(sql.format(*parts), sent, format_)
    held = {} if format_ else {"intervalstyle": style}
    fields = [("months", pa.int32()), ("days", pa.int32()), ("micros", pa.int64())]
    array = pa.array(
        [
            None if each is None else dict(zip(("months", "days", "micros"), each, strict=True))
            for each in values
        ],
        pa.struct(fields),
    )
    assert encoded(array, format_, oid=types.INTERVAL, settings=held) == expected
    nanos = [None if each is None else (each[0], each[1], each[2] * 1000) for each in values]
    assert encoded(pa.array(nanos, pa.month_day_nano_interval()), format_, settings=held) == expected


@pytest.mark.parametrize("format_", [0, 1])
@given(values=some(st.uuids()))
@judged()
def test_uuids(judge: Judge, values: list[Any], format_: int) -> None:
    expected = judge.values("v::uuid", texts(values), format_)
    assert encoded(pa.array(texts(values), pa.string()), format_, oid=types.UUID) == expected
    raw = pa.array([None if each is None else each.bytes for each in values], pa.binary(16))
    assert encoded(raw, format_, oid=types.UUID) == expected


@pytest.mark.parametrize("format_", [0, 1])
@given(values=some(st.text("01", min_size=0, max_size=40)))
@judged()
def test_strings_of_bits(judge: Judge, values: list[str | None], format_: int) -> None:
    expected = judge.values("v::varbit", values, format_)
    assert encoded(pa.array(values, pa.string()), format_, oid=types.VARBIT) == expected


@pytest.mark.parametrize("format_", [0, 1])
@given(
    values=some(
        st.recursive(st.integers() | st.booleans() | st.none(), lambda inner: st.lists(inner, max_size=3))
    )
)
@judged()
def test_json(judge: Judge, values: list[Any], format_: int) -> None:
    sent = [None if each is None else json.dumps(each) for each in values]
    array = pa.array(sent, pa.string())
    assert encoded(array, format_, oid=types.JSON) == judge.values("v::json", sent, format_)
    if format_:
        assert encoded(array, format_, oid=types.JSONB) == judge.values("v::jsonb", sent, format_)


@pytest.mark.parametrize("format_", [0, 1])
@given(values=some(st.tuples(st.integers(0, 86_399_999_999), st.integers(-50_000, 50_000))))
@judged()
def test_times_of_day_with_an_offset(
    judge: Judge, values: list[tuple[int, int] | None], format_: int
) -> None:
    def written(micros: int, east: int) -> str:
        seconds, fraction = divmod(micros, 1_000_000)
        clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{fraction:06d}".rstrip(
            "0"
        ).rstrip(".")
        rest = abs(east)
        tail = (
            f"{rest // 3600:02d}"
            + (f":{rest // 60 % 60:02d}" if rest % 3600 else "")
            + (f":{rest % 60:02d}" if rest % 60 else "")
        )
        return f"{clock}{'-' if east < 0 else '+'}{tail}"

    sent = [None if each is None else written(*each) for each in values]
    expected = judge.values("v::timetz", sent, format_)
    assert encoded(pa.array(sent, pa.string()), format_, oid=types.TIMETZ) == expected


@pytest.mark.parametrize("format_", [0, 1])
@given(values=some(st.lists(st.none() | TEXTS, max_size=5)))
@example(
    values=[
        [],
        ["NULL", "null", "", " ", "a b", "{}", "a,b", '"', "\\", None, "\v", "\x1c", "\u00a0", "é"],
        None,
        [None],
    ]
)
@judged()
def test_arrays_of_text(judge: Judge, values: list[list[str | None] | None], format_: int) -> None:
    sent = [None if each is None else json.dumps(each) for each in values]
    sql = "CASE WHEN v IS NOT NULL THEN ARRAY(SELECT e FROM json_array_elements_text(v::json) WITH ORDINALITY AS x(e, i) ORDER BY i) END"
    expected = judge.values(sql, sent, format_)
    assert encoded(pa.array(values, pa.list_(pa.string())), format_) == expected


@pytest.mark.parametrize("format_", [0, 1])
@given(data=st.data())
@judged()
def test_arrays_of_arrays(judge: Judge, data: st.DataObject, format_: int) -> None:
    def drawn() -> list[list[int | None]]:
        width = data.draw(st.integers(0, 3))
        one = st.lists(st.none() | st.integers(-9, 9), min_size=width, max_size=width)
        return data.draw(st.lists(one, max_size=3))

    values = [None if data.draw(st.booleans()) else drawn() for _ in range(data.draw(st.integers(0, 6)))]
    sent = [None if each is None else _braces(each) for each in values]
    expected = judge.values("v::int4[]", sent, format_)
    array = pa.array(values, pa.list_(pa.list_(pa.int32())))
    assert encoded(array, format_) == expected


def _braces(lists: list[list[int | None]]) -> str:
    return json.dumps(lists).replace("[", "{").replace("]", "}") if all(lists) else "{}"
