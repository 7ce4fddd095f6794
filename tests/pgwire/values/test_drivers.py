"""What psycopg makes of our bytes, without a server: the values that went in."""

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.adapt import Transformer
from psycopg.pq import Format

from ingot.pgwire import types
from ingot.pgwire.types import arrow_type

from .judging import encoded

UTC = dt.UTC
FIRST, LAST = dt.datetime(1, 1, 2), dt.datetime(9999, 12, 30)  # noqa: DTZ001 - what Hypothesis wants


@pytest.mark.slow
@pytest.mark.parametrize("format_", [0, 1])
@pytest.mark.parametrize(
    ("kind", "oid", "values"),
    [
        (pa.bool_(), None, st.booleans()),
        (pa.int16(), None, st.integers(-(2**15), 2**15 - 1)),
        (pa.int64(), None, st.integers(-(2**63), 2**63 - 1)),
        (pa.float64(), None, st.floats(allow_nan=False)),
        (pa.decimal128(20, 6), None, st.decimals(-(10**13), 10**13, places=6)),
        (pa.decimal128(38, 30), None, st.decimals(-(10**7), 10**7, places=30)),
        (pa.string(), None, st.text(st.characters(exclude_categories=["Cs"]))),
        (pa.binary(), None, st.binary()),
        (pa.date32(), None, st.dates()),
        (pa.time64("us"), None, st.times()),
        (pa.timestamp("us"), None, st.datetimes(FIRST, LAST)),
        (pa.timestamp("us", "UTC"), None, st.datetimes(FIRST, LAST).map(lambda at: at.replace(tzinfo=UTC))),
        (pa.list_(pa.string()), None, st.lists(st.none() | st.text("aN\"\\ ,{}'ULL"))),
        (pa.list_(pa.list_(pa.int32())), None, st.lists(st.lists(st.integers(0, 9), min_size=2, max_size=2), min_size=1)),
        (pa.string(), types.UUID, st.uuids().map(str)),
    ],
    ids=str,
)  # fmt: skip
@given(data=st.data())
def test_psycopg_reads_what_went_in(data: st.DataObject, kind: pa.DataType, oid: int | None, values: st.SearchStrategy[Any], format_: int) -> None:  # fmt: skip
    given_ = data.draw(st.lists(st.none() | values, max_size=10))
    chosen = oid or arrow_type(kind)[0]
    load = Transformer().get_loader(chosen, Format(format_)).load
    got = [None if raw is None else load(raw) for raw in encoded(pa.array(given_, kind), format_, oid=chosen)]
    expected = [uuid.UUID(one) if one and oid == types.UUID else one for one in given_]
    assert got == expected
    if pa.types.is_decimal(kind):
        assert all(one is None or -Decimal(one).as_tuple().exponent == kind.scale for one in got)  # type: ignore[operator]
