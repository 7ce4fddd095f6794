"""Rows as messages: nulls, cuts, sizes, formats, and values that do not fit what was promised."""

import struct
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingot.pgwire import types
from ingot.pgwire.errors import PgError
from ingot.pgwire.ports import Field
from ingot.pgwire.types import arrow_type, numeric_modifier
from ingot.pgwire.values import encoder as encoding
from ingot.pgwire.values.encoder import Encoder

from .judging import cells, encoded, rows


def made(batch: pa.RecordBatch, formats: Sequence[int] = ()) -> Encoder:
    fields = [Field(each.name, *arrow_type(each.type)) for each in batch.schema]
    return Encoder(fields, batch.schema, formats)


COLUMNS = st.integers(0, 40).flatmap(
    lambda count: st.tuples(
        *(
            st.lists(st.none() | each, min_size=count, max_size=count)
            for each in (
                st.text(),
                st.integers(-(2**63), 2**63 - 1),
                st.binary(),
                st.booleans(),
                st.text("ab", max_size=1),
            )
        )
    )
)


@settings(max_examples=40)
@given(
    values=COLUMNS,
    order=st.permutations(range(5)),
    formats=st.lists(st.integers(0, 1), min_size=5, max_size=5),
)
def test_columns_of_any_width_stand_side_by_side(
    values: tuple[list[Any], ...], order: list[int], formats: list[int]
) -> None:
    kinds = [pa.string(), pa.int64(), pa.binary(), pa.bool_(), pa.string()]
    arrays = [pa.array(column, kind) for column, kind in zip(values, kinds, strict=True)]
    written: list[list[bytes | None]] = [
        [None if one is None else one.encode() for one in values[0]],
        [
            None if one is None else (struct.pack(">q", one) if formats[1] else str(one).encode())
            for one in values[1]
        ],
        [None if one is None else (one if formats[2] else b"\\x" + one.hex().encode()) for one in values[2]],
        [
            None if one is None else (bytes([one]) if formats[3] else b"ft"[one : one + 1])
            for one in values[3]
        ],
        [None if one is None else one.encode() for one in values[4]],
    ]
    batch = pa.record_batch([arrays[at] for at in order], names=[str(at) for at in order])
    encoder = made(batch, [formats[at] for at in order])
    assert encoder.encode(batch) == rows(*(written[at] for at in order))


@given(count=st.integers(0, 50), start=st.integers(0, 50), length=st.integers(0, 50), most=st.integers(0, 20))
def test_a_slice_of_a_batch_is_cut_at_its_rows(count: int, start: int, length: int, most: int) -> None:
    values = [None if at % 3 == 2 else f"value {at}" * (at % 4) for at in range(count)]
    numbers = [None if at % 5 == 4 else at * 1000 for at in range(count)]
    whole = pa.record_batch(
        {
            "a": pa.array(values),
            "b": pa.array(numbers, pa.int32()),
            "c": pa.array([value == "" for value in values]),
            "d": pa.array([None if n is None else Decimal(n) / 100 for n in numbers], pa.decimal128(12, 2)),
            "e": pa.array([None if n is None else [n, None] for n in numbers], pa.list_(pa.int64())),
        }
    )
    batch = whole.slice(start, length)
    expected = made(pa.RecordBatch.from_pylist(batch.to_pylist(), whole.schema)).encode(
        pa.RecordBatch.from_pylist(batch.to_pylist(), whole.schema)
    )
    chunks = []
    for piece in made(whole).pieces(batch):
        while piece.left:
            chunk = piece.cut(most)
            assert chunk.rows <= most or not most
            assert len(cells(bytes(chunk.data))) == chunk.rows
            chunks.append(bytes(chunk.data))
    assert b"".join(chunks) == expected


def test_no_rows_are_no_bytes() -> None:
    for kind in (
        pa.string(),
        pa.int64(),
        pa.list_(pa.int32()),
        pa.decimal128(5, 2),
        pa.timestamp("us"),
        pa.null(),
    ):
        batch = pa.record_batch([pa.array([], kind)], names=["c"])
        for format_ in (0, 1):
            assert made(batch, (format_,)).encode(batch) == b""


def test_rows_without_columns_are_rows() -> None:
    batch = pa.RecordBatch.from_struct_array(pa.array([{}, {}, {}], pa.struct([])))
    (piece,) = Encoder((), batch.schema).pieces(batch)
    assert bytes(piece.cut(2).data) == b"D\0\0\0\6\0\0" * 2
    assert piece.cut(0).rows == 1


def test_columns_of_nothing_but_nulls_are_nulls() -> None:
    for kind, oid in (
        (pa.null(), types.INT4), (pa.int32(), types.INT4), (pa.string(), types.TEXT), (pa.null(), types.TIMESTAMPTZ),
        (pa.timestamp("us"), types.TIMESTAMP), (pa.list_(pa.list_(pa.int32())), 1007), (pa.decimal128(38, 2), types.NUMERIC),
        (pa.null(), 1009), (pa.string(), types.UUID), (pa.dictionary(pa.int8(), pa.string()), types.TEXT),
    ):  # fmt: skip
        for format_ in (0, 1):
            assert encoded(pa.nulls(3, kind), format_, oid=oid) == [None] * 3


def test_huge_values_are_sent_in_several_buffers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "LARGEST", 1 << 12)
    values = ["x" * (at * 700) for at in range(40)]
    batch = pa.record_batch({"a": pa.array(values)})
    pieces = list(made(batch).pieces(batch))
    assert len(pieces) > 5
    assert b"".join(piece.data for piece in pieces) == rows([value.encode() for value in values])


def test_a_row_that_no_client_takes_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "LONGEST", 1000)
    batch = pa.record_batch({"a": pa.array(["x" * 900, "x" * 1100])})
    with pytest.raises(PgError, match="larger") as caught:
        made(batch).encode(batch)
    assert caught.value.sqlstate == "54000"


@pytest.mark.parametrize(
    ("array", "oid", "modifier", "expected"),
    [
        (pa.array([1, None, -3], pa.int64()), types.INT2, -1, [b"1", None, b"-3"]),
        (pa.array([Decimal(7), None, Decimal(-2)], pa.decimal128(38, 0)), types.INT8, -1, [b"7", None, b"-2"]),
        (pa.array([Decimal("2.5"), Decimal("-2.5"), Decimal("3.49")], pa.decimal128(5, 2)), types.INT4, -1, [b"3", b"-3", b"3"]),
        (pa.array([2.5, 3.5, -0.4]), types.INT8, -1, [b"2", b"4", b"0"]),
        (pa.array([1.5, None, 1e20]), types.NUMERIC, -1, [b"1.5", None, b"100000000000000000000"]),
        (pa.array([1.005, 2.5]), types.NUMERIC, numeric_modifier(10, 2), [b"1.01", b"2.50"]),
        (pa.array([Decimal("1.25"), Decimal("-1.25")], pa.decimal128(10, 2)), types.NUMERIC, numeric_modifier(10, 1), [b"1.3", b"-1.3"]),
        (pa.array([5, None], pa.int32()), types.NUMERIC, numeric_modifier(10, 2), [b"5.00", None]),
        (pa.array([Decimal("0.1"), None], pa.decimal128(38, 10)), types.FLOAT8, -1, [b"0.1", None]),
        (pa.array([3, None], pa.int32()), types.FLOAT8, -1, [b"3", None]),
        (pa.array([0.1]), types.FLOAT4, -1, [b"0.1"]),
        (pa.array(["b", "a", None, "b"]).dictionary_encode(), types.TEXT, -1, [b"b", b"a", None, b"b"]),
        (pa.array([1, 2], pa.int32()), types.TEXT, -1, [b"1", b"2"]),
        (pa.array([True, None]), types.TEXT, -1, [b"true", None]),
        (pa.array([True, False]), types.INT4, -1, [b"1", b"0"]),
        (pa.array([0, 2]), types.BOOL, -1, [b"f", b"t"]),
        (pa.array([datetime(2024, 2, 29, 23, 59, 59)], pa.timestamp("s")), types.DATE, -1, [b"2024-02-29"]),  # noqa: DTZ001
        (pa.array([1, 1500, 1499, -500, -501], pa.int64()).cast(pa.timestamp("ns")), types.TIMESTAMP, -1,
         [b"1970-01-01 00:00:00", b"1970-01-01 00:00:00.000002", b"1970-01-01 00:00:00.000001", b"1970-01-01 00:00:00",
          b"1969-12-31 23:59:59.999999"]),
        (pa.array([date(2024, 2, 29)]), types.TIMESTAMPTZ, -1, [b"2024-02-29 00:00:00+00"]),
        (pa.array([date(2024, 2, 29)]), types.TEXT, -1, [b"2024-02-29"]),
        (pa.array([{"a": 1, "b": [1.5, None]}]), types.JSON, -1, [b'{"a": 1, "b": [1.5, null]}']),
        (pa.array(["x"]), types.BYTEA, -1, [b"\\x78"]),
        (pa.array([[1, None]], pa.list_(pa.int64())), 1007, -1, [b"{1,NULL}"]),
        (pa.array([[1, 2]], pa.list_(pa.int64(), 2)), 1016, -1, [b"{1,2}"]),
        (pa.array(["x"], pa.large_string()), types.VARCHAR, -1, [b"x"]),
    ],
)  # fmt: skip
def test_values_are_what_the_field_says(
    array: pa.Array, oid: int, modifier: int, expected: list[Any]
) -> None:
    assert encoded(array, oid=oid, modifier=modifier) == expected


@pytest.mark.parametrize(
    ("array", "oid", "modifier", "code", "message"),
    [
        (pa.array([1, 40000]), types.INT2, -1, "22003", "smallint out of range"),
        (pa.array([2**40]), types.INT4, -1, "22003", "integer out of range"),
        (pa.array([Decimal(10**20)], pa.decimal128(38, 0)), types.INT8, -1, "22003", "bigint out of range"),
        (pa.array([2**64 - 1], pa.uint64()), types.INT8, -1, "22003", "bigint out of range"),
        (pa.array([1e30]), types.INT8, -1, "22003", "bigint out of range"),
        (pa.array([float("nan")]), types.INT4, -1, "22003", "integer out of range"),
        (pa.array([1e300]), types.FLOAT4, -1, "22003", "value out of range: overflow"),
        (pa.array([1e-300]), types.FLOAT4, -1, "22003", "value out of range: underflow"),
        (pa.array([1000.0]), types.NUMERIC, numeric_modifier(5, 2), "22003", "numeric field overflow"),
        (pa.array([999.995]), types.NUMERIC, numeric_modifier(5, 2), "22003", "numeric field overflow"),
        (pa.array([[[1], [2, 3]]]), 1016, -1, "2202E", "matching dimensions"),
        (pa.array([[[1], None]], pa.list_(pa.list_(pa.int64()))), 1016, -1, "2202E", "matching dimensions"),
        (pa.array([-(2**62)]).cast(pa.timestamp("us")), types.TIMESTAMP, -1, "22008", "timestamp out of range"),
        (pa.array([-(2**31) + 9], pa.int32()).cast(pa.date32()), types.DATE, -1, "22008", "date out of range"),
        (pa.array(["zzz"]), types.UUID, -1, "22P02", "uuid"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(
    array: pa.Array, oid: int, modifier: int, code: str, message: str
) -> None:
    for format_ in (0, 1):
        if oid == types.UUID and not format_:
            continue
        with pytest.raises(PgError, match=message) as caught:
            encoded(array, format_, oid=oid, modifier=modifier)
        assert caught.value.sqlstate == code


@pytest.mark.parametrize(
    ("kind", "oid"),
    [(pa.string(), types.INT4), (pa.binary(), types.JSON), (pa.int32(), types.DATE), (pa.date32(), types.NUMERIC), (pa.int32(), 1007),
     (pa.float64(), types.BOOL), (pa.string(), types.TIMESTAMP), (pa.bool_(), types.FLOAT8)],
)  # fmt: skip
def test_types_that_cannot_be_each_other_are_refused_before_a_row(kind: pa.DataType, oid: int) -> None:
    with pytest.raises(PgError, match=r'column "c": cannot cast type .* to ') as caught:
        Encoder([Field("c", oid)], pa.schema([("c", kind)]))
    assert caught.value.sqlstate == "42846"


@pytest.mark.parametrize(("formats", "code"), [((0, 1, 0), "08P01"), ((2,), "22023"), ((0, -1), "22023")])
def test_formats_that_fit_no_columns_are_refused(formats: tuple[int, ...], code: str) -> None:
    schema = pa.schema([("a", pa.int32()), ("b", pa.int32())])
    with pytest.raises(PgError) as caught:
        Encoder([Field("a", types.INT4), Field("b", types.INT4)], schema, formats)
    assert caught.value.sqlstate == code


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [("timezone", "Nowhere/City", "22023"), ("datestyle", "German, DMY", "0A000"), ("intervalstyle", "x", "22023"), ("bytea_output", "x", "22023"),
     ("extra_float_digits", "x", "22023"), ("timezone", "../etc/passwd", "22023")],
)  # fmt: skip
def test_settings_of_no_meaning_are_refused(name: str, value: str, code: str) -> None:
    with pytest.raises(PgError) as caught:
        Encoder([], pa.schema([]), (), {name: value})
    assert caught.value.sqlstate == code


@pytest.mark.parametrize(
    ("zone", "expected"),
    [("UTC", b"+00"), ("+02", b"+02"), ("-03:30", b"-03:30"), ("<+02>-02", b"+02"), ("<-03>+03", b"-03"), ("Asia/Kolkata", b"+05:30")],
)  # fmt: skip
def test_zones_are_named_as_set_and_show_do(zone: str, expected: bytes) -> None:
    (made_,) = encoded(pa.array([0]).cast(pa.timestamp("us", "UTC")), settings={"timezone": zone})
    assert made_ is not None
    assert made_.endswith(expected)


@pytest.mark.parametrize("format_", [0, 1])
@pytest.mark.parametrize(
    ("value", "oid", "wrong"),
    [(" 12.50", types.NUMERIC, "1O"), ("NaN", types.NUMERIC, ""), ("-Infinity", types.NUMERIC, "1e"), ("Yes", types.BOOL, "2")],
)  # fmt: skip
def test_texts_that_were_promised_as_something_else_are_read_or_refused(
    value: str, oid: int, wrong: str, format_: int
) -> None:
    found = encoded(pa.array([value, None]), format_, oid=oid)
    plain = pa.array([True, None]) if oid == types.BOOL else pa.array([value.strip(), None])
    assert found == encoded(plain, format_, oid=oid)
    with pytest.raises(PgError, match="invalid input syntax for type") as caught:
        encoded(pa.array([value, wrong, None]), format_, oid=oid)
    assert caught.value.sqlstate == "22P02"
