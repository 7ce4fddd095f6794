"""Answers of the service on a real lake: Cube's formats, refs, the cache."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import orjson
import pytest

from ingot.errors import NotFoundError
from ingot.semantic import QueryError, Service
from ingot.semantic.context import Context
from tests.semantic import shop
from tests.semantic.lakes import Served, add_order, served


def test_a_row_has_numbers_as_text_and_nulls_as_null(shop_served: Served) -> None:
    answer = shop_served.service.load(
        {
            "measures": ["orders.total", "orders.mean"],
            "dimensions": ["customers.city", "orders.paid"],
            "order": {"customers.city": "asc"},
        }
    )
    assert answer["data"] == [
        {"customers.city": "O'Hare", "orders.paid": True, "orders.total": "7", "orders.mean": "7"},
        {"customers.city": "Rome", "orders.paid": False, "orders.total": "5", "orders.mean": "5"},
        {"customers.city": "Rome", "orders.paid": True, "orders.total": "10", "orders.mean": "10"},
    ]


def test_a_time_by_granularity_has_its_plain_key_too_and_orders_the_rows(shop_served: Served) -> None:
    time = {
        "dimension": "orders.created_at",
        "granularity": "month",
        "dateRange": ["2026-01-01", "2026-02-28"],
    }
    answer = shop_served.service.load({"measures": ["orders.count"], "timeDimensions": [time]})
    assert answer["data"] == [
        {"orders.created_at.month": "2026-01-01T00:00:00.000", "orders.created_at": "2026-01-01T00:00:00.000", "orders.count": "1"},
        {"orders.created_at.month": "2026-02-01T00:00:00.000", "orders.created_at": "2026-02-01T00:00:00.000", "orders.count": "2"},
    ]  # fmt: skip
    assert answer["query"]["timeDimensions"][0]["dateRange"] == [
        "2026-01-01T00:00:00.000",
        "2026-02-28T23:59:59.999",
    ]
    note = answer["annotation"]["timeDimensions"]["orders.created_at.month"]
    assert (note["type"], note["title"], note["shortTitle"]) == ("time", "Orders Created At", "Created At")
    assert note["granularity"] == {"name": "month", "title": "month", "interval": "1 month"}


def test_a_time_zone_moves_rows_into_the_local_month(shop_served: Served) -> None:
    time = {
        "dimension": "orders.created_at",
        "granularity": "month",
        "dateRange": ["2026-02-01", "2026-02-28"],
    }
    answer = shop_served.service.load(
        {"measures": ["orders.total"], "timeDimensions": [time], "timezone": "Europe/Berlin"}
    )
    # 23:30 UTC on 31 January is February in Berlin, 23:59 UTC on 28 February is March.
    assert [row["orders.total"] for row in answer["data"]] == ["15"]


def test_a_flat_answer_has_the_keys_of_cube_and_the_ref_and_commit(shop_served: Served) -> None:
    answer = shop_served.service.load({"measures": ["orders.count"]})
    assert {"query", "data", "lastRefreshTime", "annotation", "dataSource", "dbType", "external", "slowQuery",
            "total", "usedPreAggregations", "refreshKeyValues"} <= answer.keys()  # fmt: skip
    assert answer["ref"] == "main"
    assert answer["commit"] == shop_served.lake.at("main").hash
    time = shop_served.lake.catalog.commit_of(answer["commit"]).time
    assert answer["lastRefreshTime"] == f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond // 1000:03d}Z"
    assert answer["query"]["queryType"] == "regularQuery"
    assert answer["query"]["limit"] == 10000
    assert answer["annotation"]["measures"]["orders.count"]["shortTitle"] == "Count"


def test_the_default_order_is_the_first_measure_descending_then_by_name(shop_served: Served) -> None:
    answer = shop_served.service.load({"measures": ["orders.count"], "dimensions": ["customers.city"]})
    assert [row["customers.city"] for row in answer["data"]] == ["Rome", "O'Hare"]
    by_name = shop_served.service.load({"dimensions": ["customers.city"]})
    assert [row["customers.city"] for row in by_name["data"]] == ["O'Hare", "Rome", None]


def test_limit_offset_and_total(shop_served: Served) -> None:
    query = {
        "dimensions": ["orders.id"],
        "order": [["orders.id", "desc"]],
        "limit": 1,
        "offset": 1,
        "total": True,
    }
    answer = shop_served.service.load(query)
    assert answer["data"] == [{"orders.id": "2"}]
    assert answer["total"] == 3


def test_compact_and_columnar_formats_name_members_once(shop_served: Served) -> None:
    query: dict[str, Any] = {"measures": ["orders.total"], "dimensions": ["orders.status"]}
    compact = shop_served.service.load(query | {"responseFormat": "compact"})
    assert compact["data"] == {
        "members": ["orders.status", "orders.total"],
        "dataset": [["done", "17"], ["new", "5"]],
    }
    columnar = shop_served.service.load(query | {"responseFormat": "columnar"})
    assert columnar["data"] == {
        "members": ["orders.status", "orders.total"],
        "columns": [["done", "new"], ["17", "5"]],
    }


def test_ungrouped_gives_every_row(shop_served: Served) -> None:
    query = {
        "dimensions": ["orders.id"],
        "measures": ["orders.count", "orders.done_total"],
        "ungrouped": True,
        "order": {"orders.id": "asc"},
    }
    assert shop_served.service.load(query)["data"] == [
        {"orders.id": "1", "orders.count": "1", "orders.done_total": "10"},
        {"orders.id": "2", "orders.count": "1", "orders.done_total": None},
        {"orders.id": "3", "orders.count": "1", "orders.done_total": "7"},
    ]


def test_what_is_counted_is_one_of_a_row_where_it_is_set(shop_served: Served) -> None:
    """Distinct values, too, and measures that are computed from them: as in Cube, where ungrouped rows are asked."""
    query = {
        "dimensions": ["customers.id"],
        "measures": ["orders.buyers", "orders.unknown", "orders.ratio"],
        "ungrouped": True,
        "order": {"orders.ratio": "asc"},
    }
    assert [tuple(row.values()) for row in shop_served.service.load(query)["data"]] == [
        ("1", "1", None, "5"),
        ("2", "1", None, "7"),
        ("1", "1", None, "10"),
    ]


def test_a_view_gives_the_numbers_of_its_cubes(shop_served: Served) -> None:
    query = {
        "measures": ["sales.total", "sales.customers_count", "sales.value"],
        "dimensions": ["sales.customers_city"],
        "order": {"sales.customers_city": "asc"},
    }
    assert shop_served.service.load(query)["data"] == [
        {
            "sales.customers_city": "O'Hare",
            "sales.total": "7",
            "sales.customers_count": "1",
            "sales.value": None,
        },
        {
            "sales.customers_city": "Rome",
            "sales.total": "15",
            "sales.customers_count": "1",
            "sales.value": "9",
        },
    ]


def test_compared_ranges_are_results_of_their_own(shop_served: Served) -> None:
    time = {
        "dimension": "orders.created_at",
        "compareDateRange": [["2026-01-01", "2026-01-31"], ["2026-02-01", "2026-02-28"]],
    }
    query = {"measures": ["orders.total"], "timeDimensions": [time]}
    answer = shop_served.service.load(query)
    assert answer["queryType"] == "compareDateRangeQuery"
    assert [one["data"] for one in answer["results"]] == [
        [{"orders.total": "10", "compareDateRange": "2026-01-01T00:00:00.000 - 2026-01-31T23:59:59.999"}],
        [{"orders.total": "12", "compareDateRange": "2026-02-01T00:00:00.000 - 2026-02-28T23:59:59.999"}],
    ]
    with pytest.raises(QueryError, match="queryType"):
        shop_served.service.load(query, multi=False)


def test_a_branch_answers_with_its_own_rows(shop_served: Served) -> None:
    query = {"measures": ["orders.total"]}
    assert shop_served.service.load(query)["data"] == [{"orders.total": "22"}]
    assert shop_served.service.load(query, ref="dev")["data"] == [{"orders.total": "122"}]
    assert shop_served.service.load(query | {"ref": "dev"})["ref"] == "dev"


def test_an_unknown_ref_is_named_with_the_nearest(shop_served: Served) -> None:
    with pytest.raises(NotFoundError, match=r"deev.*dev"):
        shop_served.service.load({"measures": ["orders.total"]}, ref="deev")


def test_an_answer_is_fresh_after_every_commit_and_shared_while_tables_are_the_same(tmp_path: Path) -> None:
    with served(tmp_path) as made:
        query = {"measures": ["orders.total"]}
        calls = []
        ask = made.engine.query
        made.engine.query = lambda sql, **more: (calls.append(sql), ask(sql, **more))[1]  # type: ignore[method-assign, func-returns-value]
        assert made.service.load(query)["data"] == [{"orders.total": "22"}]
        assert made.service.load(query)["data"] == [{"orders.total": "22"}]
        made.lake.branch("same", "main")
        assert made.service.load(query, ref="same")["data"] == [{"orders.total": "22"}]
        assert len(calls) == 1
        add_order(made.lake, "main")
        assert made.service.load(query)["data"] == [{"orders.total": "122"}]
        assert len(calls) == 2


def test_callers_cannot_change_a_kept_answer(shop_served: Served) -> None:
    query = {"measures": ["orders.count"], "dimensions": ["orders.status"]}
    first = shop_served.service.load(query)
    first["data"].clear()
    first["annotation"]["measures"].clear()
    again = shop_served.service.load(query)
    assert len(again["data"]) == 2
    assert again["annotation"]["measures"]


def test_many_threads_get_right_answers(shop_served: Served) -> None:
    start = threading.Barrier(8)

    def ask(n: int) -> Any:
        start.wait()
        query = {
            "measures": ["orders.total"],
            "filters": [{"member": "orders.amount", "operator": "gte", "values": [n % 12]}],
        }
        return [
            shop_served.service.load(query, ref=ref)["data"][0]["orders.total"] for ref in ("main", "dev")
        ]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(ask, range(24)))
    for n, both in enumerate(found):
        amounts = [a for a in (10, 5, 7) if a >= n % 12]
        assert both == [str(sum(amounts)) if amounts else None, str(sum(amounts) + 100)]


def test_sql_is_text_with_numbered_parameters(shop_served: Served) -> None:
    query = {
        "measures": ["orders.count"],
        "filters": [{"member": "customers.city", "operator": "equals", "values": ["O'Hare"]}],
    }
    found = shop_served.service.sql(query)["sql"]
    text, parameters = found["sql"]
    assert "O'Hare" not in text
    assert "$1" in text
    assert parameters == ["O'Hare"]
    assert found["aliasNameToMember"] == {"orders__count": "orders.count"}
    rows = shop_served.engine.query(text, at=shop_served.lake.at("main"), parameters=parameters).rows
    assert rows == [(1,)]


def test_dry_run_fills_in_the_defaults(shop_served: Served) -> None:
    found = shop_served.service.dry_run({"measures": ["orders.count"], "dimensions": ["orders.status"]})
    assert found["queryType"] == "regularQuery"
    assert found["normalizedQueries"][0]["timezone"] == "UTC"
    assert found["queryOrder"] == [{"orders.count": "desc"}]
    assert found["pivotQuery"]["measures"] == ["orders.count"]


def test_meta_lists_cubes_and_views_with_their_members(shop_served: Served) -> None:
    cubes = {one["name"]: one for one in shop_served.service.meta()["cubes"]}
    assert cubes["orders"]["type"] == "cube"
    assert cubes["sales"]["type"] == "view"
    total = next(one for one in cubes["orders"]["measures"] if one["name"] == "orders.total")
    assert (total["aggType"], total["type"], total["title"], total["shortTitle"]) == (
        "sum",
        "number",
        "Orders Total",
        "Total",
    )
    city = next(one for one in cubes["sales"]["dimensions"] if one["name"] == "sales.customers_city")
    assert city["aliasMember"] == "customers.city"
    assert cubes["orders"]["connectedComponent"] == cubes["tickets"]["connectedComponent"]
    assert [one["name"] for one in shop_served.service.meta(only_views=True)["cubes"]] == ["sales"]


def test_who_asks_does_not_part_answers_that_are_the_same(shop_served: Served) -> None:
    query = {"measures": ["orders.most"], "limit": 4321}
    ann, bob = Context({"id": 1}), Context({"id": 2})
    first = shop_served.service.load(query, context=ann)
    shop_served.service.ask(query, context=bob).leave()
    kept = shop_served.service.at_hand(query, context=bob)
    assert kept is not None
    assert kept.is_kept
    assert kept.raw()["commit"] == first["commit"]


def test_what_was_not_planned_is_not_at_hand(shop_served: Served) -> None:
    assert shop_served.service.at_hand({"measures": ["orders.most"], "limit": 4322}) is None
    assert shop_served.service.at_hand({"measures": ["orders.most"]}, ref="no-such-ref") is None
    with pytest.raises(QueryError):
        shop_served.service.at_hand({"measures": ["orders.mots"]})


def test_a_new_commit_is_looked_at_aside_and_then_at_hand(tmp_path: Path) -> None:
    """The fingerprint of tables may read files, for which an event loop must not wait."""
    with served(tmp_path) as made:
        query = {"measures": ["tickets.count"]}
        made.service.load(query)
        add_order(made.lake, "main")
        made.service.load({"measures": ["orders.count"]})  # the new state is known, its tickets are not
        assert made.service.at_hand(query) is None
        made.service.load(query)
        kept = made.service.at_hand(query)
        assert kept is not None
        assert kept.is_kept


def test_a_planned_query_without_a_kept_answer_is_begun_at_once(tmp_path: Path) -> None:
    with served(tmp_path) as made:
        query = {"measures": ["tickets.count"]}
        service = Service(shop.project(), made.lake, made.engine, cache_bytes=0)
        expected = service.load(query)["data"]
        begun = service.at_hand(query)
        assert begun is not None
        assert not begun.is_kept
        assert orjson.loads(begun.result()["data"]) == expected
        begun.leave()
        service.close()
