"""The embedded engine over real files: answers, states, limits, concurrency and errors."""

import datetime as dt
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from ingot.engines import (
    Column,
    QueryError,
    QueryInterruptedError,
    QueryTimeoutError,
)
from ingot.engines.duckdb import DuckDBEngine
from ingot.engines.duckdb import engine as engine_module
from ingot.errors import NotFoundError

from .conftest import FakeState, parquet

FOREVER = "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range * b.range % 7 = 3"


def test_a_query_returns_names_types_and_rows(engine: DuckDBEngine, state: FakeState) -> None:
    result = engine.query(
        "SELECT count(*) AS n, sum(amount)::DECIMAL(10,2) AS total FROM gold.fact_orders", at=state
    )
    assert result.columns == (Column("n", "BIGINT"), Column("total", "DECIMAL(10,2)"))
    assert [(n, float(total)) for n, total in result.rows] == [(10, sum(i * 2.5 for i in range(10)))]


def test_parameters_are_positional_or_named(engine: DuckDBEngine, state: FakeState) -> None:
    assert engine.query("SELECT name FROM raw.names WHERE id = ?", at=state, parameters=[2]).rows == [("n2",)]
    named = engine.query("SELECT name FROM raw.names WHERE id = $id", at=state, parameters={"id": 1})
    assert named.rows == [("n1",)]


def test_a_parameter_is_a_value_and_never_sql(engine: DuckDBEngine, state: FakeState) -> None:
    hostile = "n1' OR 1=1 --"
    assert engine.query("SELECT * FROM raw.names WHERE name = ?", at=state, parameters=[hostile]).rows == []


def test_views_may_read_views(engine: DuckDBEngine, state: FakeState) -> None:
    assert engine.query("SELECT total FROM marts.a_top", at=state).rows == [((0 + 1 + 2 + 3) * 2.5,)]


def test_a_broken_view_harms_nobody_and_says_why_when_asked(engine: DuckDBEngine, state: FakeState) -> None:
    with pytest.raises(NotFoundError) as caught:
        engine.query("SELECT * FROM marts.broken", at=state)
    assert "marts.broken cannot be used" in str(caught.value)
    assert "name vanished does not exist" in str(caught.value)


def test_times_come_back_in_utc(engine: DuckDBEngine, state: FakeState) -> None:
    [(at,)] = engine.query("SELECT TIMESTAMPTZ '2026-03-29 12:00:00+02' AS at", at=state).rows
    assert at == dt.datetime(2026, 3, 29, 10, tzinfo=dt.UTC)
    assert at.utcoffset() == dt.timedelta(0)


def test_an_unknown_table_names_the_nearest_and_the_commit(engine: DuckDBEngine, state: FakeState) -> None:
    with pytest.raises(NotFoundError) as caught:
        engine.query("SELECT * FROM gold.fact_order", at=state)
    assert "did you mean 'gold.fact_orders'?" in caught.value.message
    assert caught.value.hint == f"Asked at commit {'a' * 12}."


def test_a_table_without_its_schema_is_told_its_schema(engine: DuckDBEngine, state: FakeState) -> None:
    with pytest.raises(NotFoundError) as caught:
        engine.query("SELECT * FROM fact_orders", at=state)
    assert "with their schema: gold.fact_orders." in str(caught.value)


def test_an_unknown_column_names_the_nearest(engine: DuckDBEngine, state: FakeState) -> None:
    with pytest.raises(NotFoundError) as caught:
        engine.query("SELECT amonut FROM gold.fact_orders", at=state)
    assert "did you mean 'amount'?" in caught.value.message


@pytest.mark.parametrize(
    "sql", ["SELEC 1", "", "  -- nothing\n", "SELECT 'a'::INTEGER", "SELECT nofunction(1)", "SELECT 1 +"]
)
def test_other_mistakes_are_query_errors(engine: DuckDBEngine, state: FakeState, sql: str) -> None:
    with pytest.raises(QueryError):
        engine.query(sql, at=state)


def test_two_states_differ_under_the_same_table_name(
    engine: DuckDBEngine, state: FakeState, warehouse: Path
) -> None:
    more = parquet(warehouse / "more.parquet", "SELECT 99 AS id, 1.0 AS amount")
    dev = replace(state, hash="b" * 64, files={"gold.fact_orders": [more]})
    sql = "SELECT max(id) FROM gold.fact_orders"
    assert engine.query(sql, at=state).rows == [(9,)]
    assert engine.query(sql, at=dev).rows == [(99,)]
    assert engine.query(sql, at=state).rows == [(9,)]


def test_old_states_are_detached_and_come_back_when_asked(
    engine: DuckDBEngine, state: FakeState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "MOUNTS", 2)
    states = [replace(state, hash=f"{n:064x}"[::-1]) for n in range(5)]
    for each in [*states, *states]:
        assert engine.query("SELECT count(*) FROM raw.names", at=each).rows == [(3,)]
    attached = engine.query(
        "SELECT count(DISTINCT database_name) FROM duckdb_views() WHERE NOT internal", at=state
    )
    assert attached.rows == [(2,)]


def test_a_state_in_use_is_not_detached(
    engine: DuckDBEngine, state: FakeState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "MOUNTS", 1)
    with engine.session(state) as cursor:
        for n in range(4):
            engine.query("SELECT 1", at=replace(state, hash=f"{n:064x}"[::-1]))
        assert cursor.execute("SELECT count(*) FROM raw.names").fetchall() == [(3,)]


def test_many_threads_ask_many_states_at_once(
    engine: DuckDBEngine, state: FakeState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "MOUNTS", 2)
    states = [replace(state, hash=f"{n:064x}"[::-1]) for n in range(5)]

    def ask(n: int) -> int:
        return int(
            engine.query("SELECT count(*) + ? FROM raw.names", at=states[n % 5], parameters=[n]).rows[0][0]
        )

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(200))) == [3 + n for n in range(200)]


def test_a_query_that_takes_too_long_is_stopped(engine: DuckDBEngine, state: FakeState) -> None:
    started = time.perf_counter()
    with pytest.raises(QueryTimeoutError, match=r"longer than 0\.2 s"):
        engine.query(FOREVER, at=state, timeout=0.2)
    assert time.perf_counter() - started < 10
    assert engine.query("SELECT 1", at=state, timeout=30).rows == [(1,)]


def test_a_session_can_be_cancelled_from_another_thread(engine: DuckDBEngine, state: FakeState) -> None:
    def ask() -> None:
        with engine.session(state) as cursor:
            threading.Timer(0.2, cursor.interrupt).start()
            cursor.execute(FOREVER).fetchall()

    with pytest.raises(QueryInterruptedError):
        ask()


def test_a_missing_data_file_is_an_error_and_the_engine_lives_on(
    engine: DuckDBEngine, state: FakeState, warehouse: Path
) -> None:
    gone = replace(state, hash="c" * 64, files={"raw.gone": [warehouse / "gone.parquet"]})
    with pytest.raises(QueryError, match=r"gone\.parquet"):
        engine.query("SELECT 1", at=gone)
    with pytest.raises(QueryError):
        engine.query("SELECT 1", at=gone)
    assert engine.query("SELECT 1", at=state).rows == [(1,)]
