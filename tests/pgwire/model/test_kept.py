"""Small answers are given from memory, and never once what they were computed from has changed."""

import threading
import time
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ingot.semantic.answers.arrow import SMALL
from tests.pgwire.answering import Running
from tests.pgwire.model.serving import serving
from tests.pgwire.model.store import BOSS, CLERK, USERS, Store, cubes, project, store

TEXT = "SELECT status, SUM(total) AS total, COUNT(*) AS n FROM orders GROUP BY 1 ORDER BY 1"
PLAIN = "SELECT status, sum(amount), count(*) FROM orders GROUP BY 1 ORDER BY 1"


def ask(
    running: Running, text: str = TEXT, user: str = "ann", database: str = "shop"
) -> list[tuple[Any, ...]]:
    dsn = f"host=127.0.0.1 port={running.port} user={user} dbname={database} sslmode=disable"
    with psycopg.connect(dsn, autocommit=True) as con:
        return con.execute(text).fetchall()


@pytest.fixture
def counted(fresh: Store, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that the engine was given."""
    given: list[str] = []
    session = fresh.engine.session

    def counting(*arguments: Any, **named: Any) -> Any:
        given.append("session")
        return session(*arguments, **named)

    monkeypatch.setattr(fresh.engine, "session", counting)
    return given


def test_an_equal_statement_does_not_ask_the_engine_again(fresh: Store, counted: list[str]) -> None:
    with serving(fresh.service) as running:
        first = ask(running)
        asked = len(counted)
        assert ask(running) == first == fresh.raw(PLAIN)
        assert ask(running, TEXT.replace("AS n", "AS n")) == first
        assert len(counted) == asked


def test_an_answer_in_another_format_comes_from_the_same_rows(fresh: Store, counted: list[str]) -> None:
    with serving(fresh.service) as running, psycopg.connect(running.dsn, autocommit=True) as con:
        first = con.execute(TEXT).fetchall()
        asked = len(counted)
        assert con.execute(TEXT, binary=True).fetchall() == first
        assert con.execute(TEXT, binary=True).fetchall() == first
        assert len(counted) == asked


def test_a_commit_to_the_branch_makes_a_new_answer_and_no_other_branch_notices(fresh: Store) -> None:
    with serving(fresh.service) as running:
        before, dev = ask(running), ask(running, database="shop@dev")
        assert before != dev
        fresh.add("main", "77.50")
        after = ask(running)
        assert sum(row[1] for row in after) == sum(row[1] for row in before) + Decimal("77.5")
        assert ask(running, database="shop@dev") == dev


def test_a_merge_makes_a_new_answer(fresh: Store) -> None:
    fresh.lake.branch("work", "main")
    with serving(fresh.service) as running:
        before = ask(running)
        fresh.add("work", "12.25")
        assert ask(running) == before
        fresh.lake.merge("work", into="main")
        assert sum(row[1] for row in ask(running)) == sum(row[1] for row in before) + Decimal("12.25")


def test_a_reload_of_the_model_makes_a_new_answer(fresh: Store) -> None:
    with serving(fresh.service) as running:
        before = ask(running)
        changed = cubes()
        changed[0]["measures"][1]["sql"] = "amount * 2"
        fresh.service.reload(project(changed))
        after = ask(running)
        assert [row[1] for row in after] == [2 * row[1] for row in before]
        assert ask(running, "SELECT MIN(least) FROM orders") == fresh.raw("SELECT min(amount) FROM orders")
        changed[0]["measures"] = [one for one in changed[0]["measures"] if one["name"] != "least"]
        fresh.service.reload(project(changed))
        with pytest.raises(psycopg.errors.UndefinedColumn):
            ask(running, "SELECT MIN(least) FROM orders")


def test_an_open_session_notices_a_reload_and_a_commit(fresh: Store) -> None:
    with serving(fresh.service) as running, psycopg.connect(running.dsn, autocommit=True) as con:
        for _ in range(7):  # psycopg prepares what it has sent five times
            before = con.execute(TEXT).fetchall()
        fresh.add("main", "100.00")
        grown = con.execute(TEXT).fetchall()
        assert sum(row[1] for row in grown) == sum(row[1] for row in before) + 100
        changed = cubes()
        changed[0]["measures"][1]["sql"] = "amount * 3"
        fresh.service.reload(project(changed))
        assert [row[1] for row in con.execute(TEXT).fetchall()] == [3 * row[1] for row in grown]


def test_a_policy_that_is_new_holds_at_once(fresh: Store) -> None:
    with serving(fresh.service, USERS) as running:
        assert {row[0] for row in ask(running, user="clerk")} > {"new"}
        fresh.service.reload(project(cubes(policies=True)))
        assert [row[0] for row in ask(running, user="clerk")] == ["new"]
        assert {row[0] for row in ask(running, user="boss")} > {"new"}
        fresh.service.reload(project(cubes()))
        assert {row[0] for row in ask(running, user="clerk")} > {"new"}


def test_the_clock_is_never_kept(fresh: Store) -> None:
    text = "SELECT COUNT(*), now() AS at FROM orders"
    with serving(fresh.service) as running:
        assert ask(running, text)[0][1] < ask(running, text)[0][1]


class _Tomorrow(datetime):
    @classmethod
    def now(cls, tz: Any = None) -> Any:
        return datetime.now(tz) + timedelta(days=1)


@pytest.mark.parametrize(
    ("how", "is_kept"),
    [
        ("'today'", True),
        ("CURRENT_DATE - 7", True),
        ("'yesterday'::date", True),
        ("date_trunc('month', now()) - interval '40 days'", True),
        ("now() - interval '1 day'", False),
        ("to_timestamp(random())", False),
    ],
)
def test_a_time_by_the_clock_is_planned_each_time_and_kept_if_it_is_a_round_one(
    how: str, is_kept: bool, fresh: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f"SELECT COUNT(*) FROM orders WHERE created_at >= {how}"
    plan = fresh.service.sql_plan(text)
    assert (plan.key is not None) is is_kept
    again = fresh.service.sql_plan(text)
    assert again is not plan
    assert not is_kept or again.key == plan.key
    monkeypatch.setattr("ingot.semantic.sql.statements.datetime", _Tomorrow)
    assert not is_kept or "month" in how or fresh.service.sql_plan(text).key != plan.key
    assert fresh.service.sql_plan(text.replace(how, "'2026-01-01'")).key is not None


def test_plans_are_kept_where_policies_are_without_times(tmp_path: Path) -> None:
    with store(tmp_path, orders=10, policies=True) as guarded:
        for who in (BOSS, CLERK):
            plan = guarded.service.sql_plan(TEXT, context=who)
            assert guarded.service.sql_at_hand(TEXT, ref="main", context=who, timezone="UTC") is plan
        rows = [{"member": "created_at", "operator": "inDateRange", "values": ["last 7 days"]}]
        changed = cubes()
        changed[0]["access_policy"] = [{"group": "*", "row_level": {"filters": rows}}]
        guarded.service.reload(project(changed))
        guarded.service.sql_plan(TEXT, context=CLERK)
        assert guarded.service.sql_at_hand(TEXT, ref="main", context=CLERK, timezone="UTC") is None


def test_a_zone_has_an_answer_of_its_own(fresh: Store) -> None:
    text = "SELECT MIN(created_at) AS at FROM orders"
    with serving(fresh.service) as running, psycopg.connect(running.dsn, autocommit=True) as con:
        utc = con.execute(text).fetchone()
        con.execute("SET timezone TO 'Asia/Tokyo'")
        tokyo = con.execute(text).fetchone()
        assert utc is not None
        assert tokyo is not None
        assert (tokyo[0] - utc[0]).total_seconds() == 9 * 3600
        assert [utc[0]] == [fresh.raw("SELECT min(created_at) FROM orders")[0][0]]


def test_equal_statements_at_the_same_time_are_computed_once(
    fresh: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(fresh.service) as running:
        ask(running, "SELECT status, COUNT(*) FROM orders GROUP BY 1")
        begun: list[str] = []
        session = fresh.engine.session

        def slow(*arguments: Any, **named: Any) -> Any:
            begun.append("")
            time.sleep(0.2)
            return session(*arguments, **named)

        text = "SELECT status, SUM(total) FROM orders WHERE amount > 3 GROUP BY 1 ORDER BY 1"
        fresh.service.sql_columns(fresh.service.sql_plan(text))
        monkeypatch.setattr(fresh.engine, "session", slow)
        found: list[Any] = []
        threads = [threading.Thread(target=lambda: found.append(ask(running, text))) for _ in range(6)]
        for each in threads:
            each.start()
        for each in threads:
            each.join(10)
        assert (
            found
            == [fresh.raw("SELECT status, sum(amount) FROM orders WHERE amount > 3 GROUP BY 1 ORDER BY 1")]
            * 6
        )
        assert len(begun) == 1


@pytest.mark.slow
def test_a_large_answer_is_streamed_to_each_who_asks(tmp_path: Any) -> None:
    text = "SELECT id, status, amount, secret FROM orders"
    with store(tmp_path, orders=60_000) as large, serving(large.service) as running:
        expected = sorted(large.raw("SELECT id, status, amount, secret FROM orders"), key=lambda row: row[0])
        found: list[Any] = []
        threads = [
            threading.Thread(target=lambda: found.append(sorted(ask(running, text)))) for _ in range(3)
        ]
        for each in threads:
            each.start()
        for each in threads:
            each.join(60)
        assert len(found) == 3
        assert all(sorted(one, key=lambda row: row[0]) == expected for one in found)
        plan = large.service.sql_plan(text)
        assert large.service.sql_kept(plan) is None
        assert sum(len(str(row)) for row in expected) > SMALL
        readers_are_gone(large)


def readers_are_gone(large: Store) -> None:
    """Waits until nobody holds the engine any more."""
    end = time.monotonic() + 3
    mounted = large.engine._mounted
    while any(one.readers for one in mounted.values()) and time.monotonic() < end:
        time.sleep(0.01)
    assert not any(one.readers for one in mounted.values())


@pytest.mark.slow
def test_who_leaves_in_the_middle_of_an_answer_leaves_nothing_behind(tmp_path: Path) -> None:
    text = "SELECT id, status, amount, secret FROM orders"
    with store(tmp_path, orders=60_000) as large, serving(large.service) as running:
        with psycopg.connect(running.dsn) as con:
            cursor = con.cursor("some")
            cursor.execute(text)
            assert len(cursor.fetchmany(5)) == 5
            cursor.close()
            con.rollback()
            readers_are_gone(large)
            assert con.execute("SELECT COUNT(*) FROM orders").fetchone() == (60_000,)
        con = psycopg.connect(running.dsn)
        stream = con.cursor().stream(text)
        next(stream)
        con.pgconn.finish()
        readers_are_gone(large)
        assert running.settles()


def test_lines_over_http_are_kept_as_well_until_a_table_changes(fresh: Store, counted: list[str]) -> None:
    def lines() -> list[bytes]:
        return list(fresh.service.sql_lines(fresh.service.sql_plan(TEXT)))

    first = lines()
    asked = len(counted)
    assert lines() == first
    assert len(counted) == asked
    fresh.add("main", "5.00")
    assert lines()[1:] != first[1:]
    assert len(counted) > asked


def test_lines_that_nobody_read_to_their_end_are_not_kept(fresh: Store) -> None:
    text = "SELECT id FROM orders ORDER BY 1"
    plan = fresh.service.sql_plan(text)
    begun = fresh.service.sql_lines(plan)
    next(begun)
    begun.close()  # type: ignore[attr-defined]
    assert len(list(fresh.service.sql_lines(plan))) == 2


def test_what_is_kept_is_found_without_waiting(fresh: Store) -> None:
    plan = fresh.service.sql_plan(TEXT)
    flight = fresh.service.sql_begin(plan)
    whole = flight.future.result(10)
    fresh.service.sql_leave(flight)
    again = fresh.service.sql_at_hand(TEXT, ref="main", context=CLERK, timezone="UTC")
    assert again is None or again.key == plan.key
    assert fresh.service.sql_kept(plan) is whole
