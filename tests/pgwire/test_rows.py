"""Rows in portions: the first ones at once, all of them in order however many threads encode, and ended when stopped."""

import asyncio
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingot.pgwire import types
from ingot.pgwire.errors import PgError
from ingot.pgwire.ports import Field
from ingot.pgwire.rows import AHEAD, FIRST, Look, StreamRows
from ingot.pgwire.stop import Stop
from ingot.pgwire.values.encoder import Encoder
from ingot.semantic.answers.arrow import Stream

SCHEMA = pa.schema([("n", pa.int64())])


class Batches:
    """A stream of whole numbers from 0 on; stands for the engine's."""

    schema = SCHEMA

    def __init__(self, sizes: list[int], wait: Callable[[int], object] = lambda _: None) -> None:
        self._sizes = sizes
        self._wait = wait
        self.given = 0
        self.closed = threading.Event()

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        at = 0
        for size in self._sizes:
            self._wait(self.given)
            yield pa.record_batch([pa.array(range(at, at + size), pa.int64())], SCHEMA)
            at += size
            self.given += 1

    def close(self) -> None:
        self.closed.set()


class Session:
    """What a session keeps of the step under way."""

    def __init__(self) -> None:
        self.stop = Stop()
        self.ended = 0

    def step(self) -> Stop:
        self.stop = Stop()
        return self.stop

    def end(self) -> None:
        self.ended += 1


def rows_of(
    batches: Batches, session: Session, pool: ThreadPoolExecutor, oid: int = types.INT8
) -> StreamRows:
    look = Look((Field("n", oid),), (), {})
    stream = cast("Stream", cast("Any", batches))
    return StreamRows(stream, look, pool=pool, step=session.step, end=session.end)


async def read(rows: StreamRows, most: int = 0) -> list[tuple[bytes, int]]:
    found = []
    while (chunk := await rows.fetch(most)) is not None:
        found.append((bytes(chunk.data), chunk.rows))
    return found


def encoded(count: int) -> bytes:
    whole = pa.record_batch([pa.array(range(count), pa.int64())], SCHEMA)
    return Encoder([Field("n", types.INT8)], SCHEMA).encode(whole)


@given(sizes=st.lists(st.integers(0, 600), max_size=12), most=st.integers(0, 300))
def test_all_rows_come_once_and_in_order(sizes: list[int], most: int) -> None:
    with ThreadPoolExecutor(3) as pool:
        found = asyncio.run(read_all(Batches(sizes), Session(), pool, most))
    assert b"".join(data for data, _ in found) == encoded(sum(sizes))
    assert not most or all(count <= most for _, count in found)


async def read_all(
    batches: Batches, session: Session, pool: ThreadPoolExecutor, most: int = 0
) -> list[tuple[bytes, int]]:
    return await read(rows_of(batches, session, pool), most)


def test_portions_that_are_encoded_in_another_order_come_in_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    piece = Encoder.piece
    dice = random.Random(7)

    def slow(encoder: Encoder, batch: pa.RecordBatch) -> Any:
        time.sleep(dice.random() / 200)
        return piece(encoder, batch)

    monkeypatch.setattr(Encoder, "piece", slow)
    with ThreadPoolExecutor(4) as pool:
        found = asyncio.run(read_all(Batches([50] * 40), Session(), pool))
    assert b"".join(data for data, _ in found) == encoded(2_000)


def test_the_first_rows_wait_for_no_others() -> None:
    go = threading.Event()

    async def first() -> int:
        batches = Batches([2_048] * 4, lambda n: n == 0 or go.wait(10))
        rows = rows_of(batches, Session(), pool)
        chunk = await rows.fetch(0)
        go.set()
        await rows.close()
        return chunk.rows if chunk is not None else 0

    with ThreadPoolExecutor(3) as pool:
        assert asyncio.run(first()) == FIRST


def test_who_does_not_read_is_not_computed_for() -> None:
    async def stalled() -> int:
        batches = Batches([100] * 50)
        rows = rows_of(batches, Session(), pool)
        await rows.fetch(0)
        await asyncio.sleep(0.1)
        given = batches.given
        await rows.close()
        return given

    with ThreadPoolExecutor(3) as pool:
        assert asyncio.run(stalled()) <= 1 + AHEAD


def test_errors_come_out_after_the_rows_before_them() -> None:
    async def failing() -> None:
        rows = rows_of(batches, session, pool, types.INT2)
        assert len(await asyncio.gather(rows.fetch(0))) == 1
        with pytest.raises(PgError, match="smallint out of range"):
            await read(rows)
        assert await rows.fetch(0) is None

    batches, session = Batches([100, 40_000, 5]), Session()
    with ThreadPoolExecutor(3) as pool:
        asyncio.run(failing())
        assert batches.closed.wait(5)
    assert session.ended == 1


def test_a_stop_ends_the_wait_at_once_and_the_stream_after_it() -> None:
    go = threading.Event()

    def stop() -> None:
        session.stop.set()

    async def stopped() -> float:
        rows = rows_of(batches, session, pool)
        await rows.fetch(0)
        asyncio.get_running_loop().call_later(0.05, stop)
        began = time.perf_counter()
        with pytest.raises(PgError) as caught:
            await rows.fetch(0)
        assert caught.value.sqlstate == "57014"
        assert await rows.fetch(0) is None
        return time.perf_counter() - began

    batches, session = Batches([100, 100], lambda n: n == 0 or go.wait(10)), Session()
    with ThreadPoolExecutor(3) as pool:
        assert asyncio.run(stopped()) < 5
        go.set()
        assert batches.closed.wait(5)
    assert session.ended == 1
