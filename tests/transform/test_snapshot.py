"""Snapshots over several builds: what was valid when, with both strategies."""

import datetime
from typing import Any

import pytest

from tests.transform.conftest import BRANCH, Shop, by_name

pytestmark = pytest.mark.slow

CHANGED = """
    select * from (values
        (1, 'Ann', 'firm', timestamp '2026-05-01'),
        (2, 'Robert', 'home', timestamp '2026-01-01'),
        (4, 'Dee', 'home', timestamp '2026-05-01')
    ) t(customer_id, name, segment, updated_at)"""
END = datetime.datetime(9999, 12, 31)  # noqa: DTZ001 - DuckDB's TIMESTAMP has no zone


def _versions(shop: Shop, name: str) -> list[tuple[Any, ...]]:
    return shop.rows(
        f"select customer_id, segment, dbt_valid_from, dbt_valid_to from snaps.{name} order by 1, 3, 2"
    )


def test_check_closes_changed_and_deleted_rows_and_opens_new_ones(shop: Shop) -> None:
    shop.build("customers_checked")
    assert [row[0] for row in _versions(shop, "customers_checked") if row[3] is None] == [1, 2, 3]
    shop.put("raw.customers", CHANGED)
    node = by_name(shop.build("customers_checked"))["customers_checked"]
    assert node.status == "ok", node.error
    versions = _versions(shop, "customers_checked")
    # Bob's new name is not a checked column; Cy is gone; Dee is new.
    assert [(row[0], row[1], row[3] is None) for row in versions] == [
        (1, "home", False),
        (1, "firm", True),
        (2, "home", True),
        (3, "firm", False),
        (4, "home", True),
    ]
    assert versions[0][3] == versions[1][2]


def test_timestamp_takes_its_times_from_the_rows_and_ends_in_the_given_future(shop: Shop) -> None:
    shop.build("customers_dated")
    shop.put("raw.customers", CHANGED)
    shop.build("customers_dated")
    january, may = END.replace(2026, 1, 1), END.replace(2026, 5, 1)
    assert _versions(shop, "customers_dated") == [
        (1, "home", january, may),
        (1, "firm", may, END),
        (2, "home", january, END),
        (3, "firm", january, END),
        (4, "home", may, END),
    ]


def test_a_snapshot_of_the_same_rows_is_no_commit(shop: Shop) -> None:
    shop.build("customers_dated")
    before = shop.lake.at(BRANCH).hash
    node = by_name(shop.build("customers_dated"))["customers_dated"]
    assert (node.status, node.rows, shop.lake.at(BRANCH).hash) == ("ok", 0, before)


def test_a_new_column_of_the_source_is_added_to_the_history(shop: Shop) -> None:
    shop.build("customers_dated")
    shop.put("raw.customers", f"select *, 'x' as extra from ({CHANGED})")
    result = shop.build("customers_dated")
    assert result.status == "ok", result.failures
    assert shop.rows("select count(extra), count(*) from snaps.customers_dated") == [(2, 5)]
