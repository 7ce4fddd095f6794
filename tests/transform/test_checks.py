"""Data tests and unit tests: what they stop, and how a person sees the rows that broke them."""

from pathlib import Path

import pytest

from tests.transform.conftest import Shop, by_name, dbt_project

pytestmark = pytest.mark.slow

ORDER_ZERO = """
    select * from (values (1, 0, 5.0, 'paid', timestamp '2026-01-01'), (1, 2, 5.0, 'paid', timestamp '2026-01-01'))
    t(order_id, customer_id, amount, status, ordered_at)"""


def test_a_failing_test_stops_what_reads_its_model_and_shows_its_rows(shop: Shop) -> None:
    shop.put("raw.orders", ORDER_ZERO)
    result = shop.build("+daily")
    nodes = by_name(result)
    assert result.status == "failed"
    assert nodes["fact_orders"].status == "ok"
    broken = nodes["no_order_of_customer_zero"]
    assert (broken.status, broken.kind, broken.failing_rows) == ("failed", "test", 1)
    assert broken.error == "1 row fails this test."
    assert broken.failing_rows_sql is not None
    assert [row[1] for row in shop.rows(broken.failing_rows_sql)] == [0]
    unique = nodes["unique_fact_orders_order_id"]
    assert (unique.status, unique.relation, unique.file) == (
        "failed",
        "gold.fact_orders",
        "models/schema.yml",
    )
    assert shop.rows(unique.failing_rows_sql or "") == [(1, 2)]
    assert nodes["daily"].status == "skipped"
    assert nodes["daily"].error in (
        "Skipped, because no_order_of_customer_zero failed.",
        "Skipped, because unique_fact_orders_order_id failed.",
    )
    assert "marts.daily" not in shop.lake.at("run/1").tables


def test_a_test_that_warns_stops_nothing(shop: Shop) -> None:
    shop.put("raw.orders", ORDER_ZERO.replace("2, 5.0", "2, null"))
    result = shop.build("stg_orders")
    warned = by_name(result)["not_null_stg_orders_amount"]
    assert result.status == "ok"
    assert (warned.status, warned.failing_rows) == ("warned", 1)
    # The whole row, not only the column that is known to be NULL.
    assert shop.rows(warned.failing_rows_sql or "")[0][:3] == (1, 2, None)


def test_rows_of_a_test_on_an_ephemeral_model_can_be_shown(shop: Shop, tmp_path: Path) -> None:
    dbt = dbt_project(
        tmp_path,
        {
            "models/e.sql": "{{ config(materialized='ephemeral') }} select 1 as x union all select null",
            "tests/all_there.sql": "select * from {{ ref('e') }} where x is null -- a comment at the end",
        },
    )
    (failed,) = shop.build(dbt=dbt).failures
    assert shop.rows(failed.failing_rows_sql or "") == [(None,)]


def test_a_unit_test_runs_before_its_model_and_shows_the_difference(shop: Shop) -> None:
    result = shop.build("+daily", variables={"expected_revenue": 6})
    nodes = by_name(result)
    unit = nodes["daily_adds_up"]
    assert (unit.kind, unit.status, unit.failing_rows_sql) == ("unit_test", "failed", None)
    assert "revenue" in (unit.error or "")
    assert nodes["daily"].status == "skipped"
    assert nodes["daily"].error == "Skipped, because daily_adds_up failed."


def test_a_test_that_cannot_run_failed_with_the_reason(shop: Shop, tmp_path: Path) -> None:
    files = {"models/m.sql": "select 1 as x", "tests/t.sql": "select nothing from {{ ref('m') }}"}
    (failed,) = shop.build(dbt=dbt_project(tmp_path, files)).failures
    assert (failed.name, failed.failing_rows, failed.failing_rows_sql) == ("t", None, None)
    assert "nothing" in (failed.error or "")


def test_stored_failures_do_not_change_the_outcome(shop: Shop, tmp_path: Path) -> None:
    files = {
        "models/m.sql": "select 1 as x",
        "tests/t.sql": "{{ config(store_failures=true) }} select x from {{ ref('m') }}",
    }
    (failed,) = shop.build(dbt=dbt_project(tmp_path, files)).failures
    assert failed.failing_rows == 1
    assert shop.rows(failed.failing_rows_sql or "") == [(1,)]
