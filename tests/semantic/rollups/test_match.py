"""Which rollup answers, and the words in which the others say why not."""

from collections.abc import Iterator
from typing import Any

import pytest

from ingot.project import ProjectError
from ingot.semantic import QueryError, Service
from tests.semantic import shop
from tests.semantic.lakes import ROWS
from tests.semantic.rollups.shelf import Shelf, answer, cubes, reasons, shelf, used

BY_DAY: dict[str, Any] = {
    "name": "by_day",
    "measures": ["count", "total", "mean", "buyers", "about_buyers"],
    "dimensions": ["CUBE.status", "customers.city"],
    "segments": ["large"],
    "time_dimension": "created_at",
    "granularity": "day",
}
MONTH = {"dimension": "orders.created_at", "granularity": "month"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    with shelf(tmp_path_factory.mktemp("match"), [ROWS]) as found:
        yield found


def why(made: Shelf, query: dict[str, Any], definition: dict[str, Any] = BY_DAY) -> list[str]:
    service = made.service([definition])
    made.built(service)
    assert answer(service, query, "main") == answer(made.plain(), query, "main")
    return reasons(service, query, f"orders.{definition['name']}")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"dimensions": ["customers.size"]}, "lacks the dimension customers.size"),
        ({"measures": ["orders.done_total"]}, "lacks the measure orders.done_total"),
        ({"dimensions": ["orders.created_at"]}, "asks for it without a granularity"),
        ({"timeDimensions": [{**MONTH, "granularity": "hour"}]}, "of which no 'hour' is made"),
        ({"timeDimensions": [MONTH], "timezone": "Europe/Berlin"}, "whose borders are not those of Europe/Berlin"),
        ({"measures": ["orders.buyers"], "dimensions": ["orders.status"]}, "is finer than the question by"),
        (
            {"timeDimensions": [{"dimension": "orders.created_at", "dateRange": ["2026-01-01T10:00:00", "2026-02-01"]}]},
            "cuts through such a period",
        ),
        ({"filters": [{"member": "orders.amount", "operator": "gt", "values": ["3"]}]}, "which a filter is on"),
        ({"dimensions": ["items.kind"]}, "does not join orders to items"),
        ({"filters": [{"member": "orders.created_at", "operator": "gt", "values": ["2026-01-01"]}]}, "cuts through"),
    ],
)  # fmt: skip
def test_a_rollup_that_does_not_match_says_why(made: Shelf, query: dict[str, Any], said: str) -> None:
    asked = {"measures": ["orders.count"], **query}
    assert any(said in reason for reason in why(made, asked)), why(made, asked)


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"dimensions": ["orders.status", "customers.city"], "timeDimensions": [MONTH]},
        {"segments": ["orders.large"]},
        {"measures": ["orders.mean", "orders.about_buyers", "orders.total"]},
        {"timeDimensions": [{**MONTH, "granularity": "week", "dateRange": ["2026-01-01", "2026-02-28"]}]},
        {"filters": [{"or": [{"member": "orders.status", "operator": "set"}, {"member": "customers.city", "operator": "equals", "values": ["Rome", None]}]}]},
    ],
)  # fmt: skip
def test_a_rollup_answers_what_its_rows_can_be_put_together_to(made: Shelf, query: dict[str, Any]) -> None:
    service = made.service([BY_DAY])
    made.built(service)
    asked = {"measures": ["orders.count"], **query}
    assert used(service, asked) == ["orders.by_day"]
    assert answer(service, asked, "main") == answer(made.plain(), asked, "main")


def test_distinct_counts_are_read_where_stored_rows_are_the_groups(made: Shelf) -> None:
    service = made.service([{**BY_DAY, "segments": []}])
    made.built(service)
    day = {"dimension": "orders.created_at", "granularity": "day"}
    whole = {
        "measures": ["orders.buyers"],
        "dimensions": ["orders.status", "customers.city"],
        "timeDimensions": [day],
    }
    pinned = {
        **whole,
        "dimensions": ["customers.city"],
        "filters": [{"member": "orders.status", "operator": "equals", "values": ["done"]}],
    }
    for query in (whole, pinned):
        assert used(service, query) == ["orders.by_day"]
        assert answer(service, query, "main") == answer(made.plain(), query, "main")


def test_hours_answer_zones_whose_clocks_differ_by_whole_hours(made: Shelf) -> None:
    service = made.service([{**BY_DAY, "granularity": "hour"}])
    made.built(service)
    query = {
        "measures": ["orders.count"],
        "timeDimensions": [{"dimension": "orders.created_at", "granularity": "day"}],
    }
    for zone, expected in (("Europe/Berlin", ["orders.by_day"]), ("Asia/Kolkata", [])):
        asked = {**query, "timezone": zone}
        assert used(service, asked) == expected
        assert answer(service, asked, "main") == answer(made.plain(), asked, "main")


def test_the_first_that_fits_is_read_and_rollups_come_before_original_sql(made: Shelf) -> None:
    service = made.service([{"name": "rows", "type": "original_sql"}, BY_DAY, {**BY_DAY, "name": "again"}])
    made.built(service)
    query = {"measures": ["orders.count"]}
    assert used(service, query) == ["orders.by_day"]
    assert reasons(service, query, "orders.again") == [
        "rollup orders.again fits, but another one that fits comes first"
    ]
    other = {"measures": ["orders.count"], "dimensions": ["customers.size"]}
    assert used(service, other) == ["orders.rows"]
    assert answer(service, other, "main") == answer(made.plain(), other, "main")


def test_a_rollup_that_is_not_built_is_not_read(made: Shelf) -> None:
    service = made.service([{**BY_DAY, "name": "later", "measures": ["least"]}])
    query = {"measures": ["orders.least"]}
    assert used(service, query) == []
    assert "is not built yet" in reasons(service, query, "orders.later")[0]


def test_rollup_only_refuses_what_no_rollup_answers(made: Shelf) -> None:
    service = made.service([BY_DAY], rollup_only=True)
    made.built(service)
    assert service.load({"measures": ["orders.count"]})["data"] == [{"orders.count": "3"}]
    with pytest.raises(QueryError, match=r"rollup orders\.by_day lacks the measure orders\.done_total"):
        service.load({"measures": ["orders.done_total"]})


def test_allowing_loose_ranges_takes_the_periods_that_begin_in_them(made: Shelf) -> None:
    service = made.service([{**BY_DAY, "allow_non_strict_date_range_match": True}])
    made.built(service)
    time = {"dimension": "orders.created_at", "dateRange": ["2026-01-31T00:00:00", "2026-02-01T12:00:00"]}
    query = {"measures": ["orders.count"], "timeDimensions": [time]}
    assert used(service, query) == ["orders.by_day"]
    assert service.load(query)["data"] == [{"orders.count": "2"}]


def test_a_model_that_asks_the_clock_is_never_stored(made: Shelf) -> None:
    found = cubes([{"name": "clock", "measures": ["count"], "dimensions": ["age"]}])
    found[0]["dimensions"].append({"name": "age", "sql": "now() - {CUBE}.created_at", "type": "number"})
    service = Service(shop.project(found), made.lake, made.engine, rollups=made.root)
    assert made.built(service) == {}
    assert "can never be stored" in reasons(service, {"measures": ["orders.count"]}, "orders.clock")[0]


@pytest.mark.parametrize(
    ("definition", "said"),
    [
        ({"measures": ["cuont"]}, "did you mean 'count'"),
        ({"measures": ["status"]}, "'orders.status' is a dimension, not a measure"),
        ({"dimensions": ["customer.city"]}, "there is no cube 'customer'"),
        (
            {"measures": ["count"], "time_dimension": "status", "granularity": "day"},
            "is not a time dimension",
        ),
        ({"measures": ["count"], "time_dimension": "created_at", "granularity": "dya"}, "no granularity of"),
        ({"measures": ["count"], "partition_granularity": "month"}, "no time dimension"),
        ({}, "neither measures nor dimensions"),
        ({"type": "auto_rollup"}, "ingot rollup suggest"),
        ({"type": "rollup_lambda", "rollups": ["nothing"]}, "there is no rollup 'orders.nothing'"),
        (
            {"type": "rollup_join", "rollups": ["gone"], "measures": ["count"]},
            "there is no rollup 'orders.gone'",
        ),
        (
            {"measures": ["count"], "indexes": [{"name": "i", "columns": ["status"]}]},
            "is none of its dimensions",
        ),
    ],
)
def test_mistakes_are_told_with_what_was_expected(made: Shelf, definition: dict[str, Any], said: str) -> None:
    with pytest.raises(ProjectError, match=said):
        made.service([{"name": "wrong", **definition}])


def test_all_mistakes_are_told_at_once(made: Shelf) -> None:
    with pytest.raises(ProjectError) as caught:
        made.service([{"name": "a", "measures": ["no"]}, {"name": "b", "dimensions": ["nope"]}])
    assert len(caught.value.problems) == 2


def test_a_rollup_join_stores_the_joined_rows(made: Shelf) -> None:
    parts = [
        {"name": "amounts", "measures": ["total"], "dimensions": ["status"]},
        {"name": "joined", "type": "rollup_join", "rollups": ["amounts"], "measures": ["total"], "dimensions": ["customers.city"]},
    ]  # fmt: skip
    service = made.service(parts)
    made.built(service)
    query = {"measures": ["orders.total"], "dimensions": ["customers.city"]}
    assert used(service, query) == ["orders.joined"]
    assert answer(service, query, "main") == answer(made.plain(), query, "main")
