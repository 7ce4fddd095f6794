"""Batches in portions: the first rows at once, the others gathered, all of them in order."""

from collections.abc import Iterator

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingot.pgwire import types
from ingot.pgwire.errors import PgError
from ingot.pgwire.ports import Field
from ingot.pgwire.values import stream
from ingot.pgwire.values.encoder import Encoder

SCHEMA = pa.schema([("n", pa.int64())])


def encoder(oid: int = types.INT8) -> Encoder:
    return Encoder([Field("n", oid)], SCHEMA)


def batches(sizes: list[int]) -> Iterator[pa.RecordBatch]:
    at = 0
    for size in sizes:
        yield pa.record_batch([pa.array(range(at, at + size), pa.int64())], SCHEMA)
        at += size


@given(sizes=st.lists(st.integers(0, 600), max_size=12))
def test_all_rows_come_once_and_in_order(sizes: list[int]) -> None:
    whole = pa.record_batch([pa.array(range(sum(sizes)), pa.int64())], SCHEMA)
    pieces = list(stream.encoded(batches(sizes), encoder()))
    assert b"".join(piece.data for piece in pieces) == encoder().encode(whole)


def test_the_first_rows_wait_for_no_others() -> None:
    read = []

    def source() -> Iterator[pa.RecordBatch]:
        for batch in batches([2048] * 20):
            read.append(batch.num_rows)
            yield batch

    pieces = stream.encoded(source(), encoder())
    assert next(pieces).left == stream.FIRST
    assert read == [2048]
    assert next(pieces).left == 2048 - stream.FIRST
    assert next(pieces).left == stream.ROWS


def test_wide_rows_are_gathered_by_their_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "BYTES", 10_000)
    sizes = [piece.left for piece in stream.encoded(batches([1000] * 10), encoder())]
    assert sizes == [stream.FIRST, 1000 - stream.FIRST, 2000, 2000, 2000, 2000, 1000]


def test_slow_rows_are_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "SECONDS", 0.0)
    sizes = [piece.left for piece in stream.encoded(batches([100] * 3), encoder())]
    assert sizes == [100, 100, 100]


def test_errors_come_out_after_the_rows_before_them() -> None:
    pieces = stream.encoded(batches([100, 40_000]), encoder(types.INT2))
    assert next(pieces).left == 100
    with pytest.raises(PgError, match="smallint out of range"):
        next(pieces)
