"""Incremental models of every strategy, each against what its SQL means computed in Python."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from tests.transform.conftest import BRANCH, Shop, by_name, dbt_project

pytestmark = pytest.mark.slow

Row = tuple[int, float, str, str]
FIRST: list[Row] = [
    (1, 10.0, "paid", "2026-01-05 09:00:00"),
    (2, 20.0, "open", "2026-01-20 10:00:00"),
    (3, 30.5, "paid", "2026-02-03 11:00:00"),
    (4, 40.0, "paid", "2026-03-01 12:00:00"),
]
# Order 4 was refunded on its own day, order 2 changed long ago, and order 5 is new.
SECOND: list[Row] = [
    FIRST[0],
    (2, 99.0, "paid", "2026-01-20 10:00:00"),
    FIRST[2],
    (4, 0.0, "refunded", "2026-03-01 12:00:00"),
    (5, 50.0, "open", "2026-03-02 08:00:00"),
]


def _values(rows: list[Row]) -> str:
    listed = ", ".join(f"({i}, {i % 2}, {a}, '{s}', timestamp '{t}')" for i, a, s, t in rows)
    return f"select * from (values {listed}) t(order_id, customer_id, amount, status, ordered_at)"


def _put(shop: Shop, rows: list[Row]) -> None:
    shop.put("raw.orders", _values(rows))


def _table(shop: Shop, name: str) -> list[tuple[int, Decimal, str]]:
    rows = shop.rows(f"select order_id, amount, status from gold.{name} order by all")
    return [(order, Decimal(amount), status) for order, amount, status in rows]


def _plain(rows: list[Row]) -> list[tuple[int, Decimal, str]]:
    return sorted((i, Decimal(str(a)), s) for i, a, s, _ in rows)


def test_append_adds_only_what_is_newer_and_touches_no_old_file(shop: Shop) -> None:
    _put(shop, FIRST)
    shop.build("inc_append")
    old = set(shop.lake.at(BRANCH).table("gold.inc_append").files)
    _put(shop, SECOND)
    node = by_name(shop.build("inc_append"))["inc_append"]
    assert _table(shop, "inc_append") == _plain([*FIRST, SECOND[4]])
    assert node.rows == 1
    assert old < set(shop.lake.at(BRANCH).table("gold.inc_append").files)


@pytest.mark.parametrize("name", ["inc_delete_insert", "inc_merge"])
def test_keyed_strategies_replace_what_the_delta_holds_and_keep_the_rest(shop: Shop, name: str) -> None:
    _put(shop, FIRST)
    shop.build(name)
    _put(shop, SECOND)
    node = by_name(shop.build(name))[name]
    # The delta is what is newer than a day before the newest row: orders 4 and 5; order 2 stays as it was.
    assert _table(shop, name) == _plain([*FIRST[:3], *SECOND[3:]])
    assert node.rows == 2


def test_a_key_of_two_columns_replaces_groups(shop: Shop) -> None:
    _put(shop, FIRST)
    shop.build("inc_two_keys")
    _put(shop, SECOND)
    shop.build("inc_two_keys")

    def sums(rows: list[Row]) -> dict[tuple[int, str], Decimal]:
        found: dict[tuple[int, str], Decimal] = {}
        for i, amount, status, _ in rows:
            found[i % 2, status] = found.get((i % 2, status), Decimal(0)) + Decimal(str(amount))
        return found

    expected = {**sums(FIRST), **{key: value for key, value in sums(SECOND).items() if key[0] == 1}}
    rows = shop.rows("select customer_id, status, amount from gold.inc_two_keys")
    assert {(customer, status): Decimal(amount) for customer, status, amount in rows} == expected
    assert len(rows) == len(expected)


def test_microbatches_replace_the_months_that_they_cover(shop: Shop) -> None:
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
    recent: list[Row] = [(6, 60.0, "open", now), (7, 70.0, "open", now)]
    _put(shop, [*FIRST, *recent])
    before = len(shop.messages())
    assert shop.build("orders_in_time", "inc_microbatch").status == "ok"
    # One commit for the view and one for each of the four months that hold rows, none for the other months.
    assert len(shop.messages()) == before + 1 + 4
    changed: list[Row] = [(6, 66.0, "paid", now), (8, 80.0, "open", now)]
    _put(shop, [*SECOND, *changed])
    result = shop.build("inc_microbatch")
    assert result.status == "ok", result.failures
    # Only the current month and the one before it are read again; the rest is as the first build left it.
    rows = shop.rows("select order_id, amount from gold.inc_microbatch order by 1")
    expected = [(i, a) for i, a, _ in _plain([*FIRST, *changed])]
    assert [(order, Decimal(amount)) for order, amount in rows] == expected


def test_nothing_new_is_no_commit(shop: Shop) -> None:
    _put(shop, FIRST)
    shop.build("inc_append")
    before = shop.lake.at(BRANCH).hash
    node = by_name(shop.build("inc_append"))["inc_append"]
    assert (node.status, node.rows) == ("ok", 0)
    assert shop.lake.at(BRANCH).hash == before


def test_a_full_refresh_starts_again(shop: Shop) -> None:
    _put(shop, FIRST)
    shop.build("inc_merge")
    _put(shop, SECOND)
    shop.build("inc_merge", full_refresh=True)
    assert _table(shop, "inc_merge") == _plain(SECOND)


def test_on_schema_change_ignore_leaves_a_new_column_out(shop: Shop) -> None:
    _twice(shop, "inc_schema_ignore")
    assert _columns(shop, "inc_schema_ignore") == ["order_id", "amount"]
    assert shop.rows("select count(*) from gold.inc_schema_ignore") == [(8,)]


def test_on_schema_change_append_keeps_the_old_column_and_adds_the_new(shop: Shop) -> None:
    _twice(shop, "inc_schema_append_new_columns")
    assert _columns(shop, "inc_schema_append_new_columns") == ["order_id", "amount", "note"]
    assert shop.rows(
        "select count(amount), count(note), count(*) from gold.inc_schema_append_new_columns"
    ) == [(4, 4, 8)]


def test_on_schema_change_sync_drops_what_the_model_no_longer_has(shop: Shop) -> None:
    _twice(shop, "inc_schema_sync_all_columns")
    assert _columns(shop, "inc_schema_sync_all_columns") == ["order_id", "note"]
    assert shop.rows("select count(note), count(*) from gold.inc_schema_sync_all_columns") == [(4, 8)]


def test_on_schema_change_fail_fails_and_leaves_the_table(shop: Shop) -> None:
    shop.build("inc_schema_fail")
    before = shop.lake.at(BRANCH).hash
    (failed,) = shop.build("inc_schema_fail", variables={"extra_column": True}).failures
    assert "out of sync" in (failed.error or "")
    assert shop.lake.at(BRANCH).hash == before


def test_types_that_the_lake_stores_as_others_are_no_change_of_schema(shop: Shop, tmp_path: Path) -> None:
    sql = (
        "{{ config(materialized='incremental', incremental_strategy='append', on_schema_change='fail') }} "
        "select sum(i) as total, 1::tinyint as small, 'a'::enum('a', 'b') as kind, '{}'::json as document, "
        "[1::utinyint] as many, {'x': 1::uinteger} as nested, 1::ubigint as big, now()::timestamp_s as second "
        "from range(3) r(i)"
    )
    dbt = dbt_project(tmp_path, {"models/m.sql": sql})
    for _ in range(2):
        result = shop.build(dbt=dbt)
        assert result.status == "ok", result.failures
    assert (
        shop.rows("select total, small, kind, document, big from analytics.m") == [(3, 1, "a", "{}", 1)] * 2
    )


def test_an_unknown_strategy_is_an_error_that_names_it(shop: Shop, tmp_path: Path) -> None:
    sql = "{{ config(materialized='incremental', incremental_strategy='insert_overwrite') }} select 1 as x"
    dbt = dbt_project(tmp_path, {"models/m.sql": sql})
    shop.build(dbt=dbt)
    (failed,) = shop.build(dbt=dbt).failures
    assert "insert_overwrite" in (failed.error or "")


def _twice(shop: Shop, name: str) -> None:
    assert shop.build(name).status == "ok"
    result = shop.build(name, variables={"extra_column": True})
    assert result.status == "ok", result.failures


def _columns(shop: Shop, name: str) -> list[str]:
    return [column.name for column in shop.lake.at(BRANCH).table(f"gold.{name}").schema]
