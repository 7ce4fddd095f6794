"""`measureFilter`: the rows behind a measure's value, as Cube's clients ask for them when a chart is opened."""

from collections.abc import Iterator
from typing import Any

import pytest

from ingot.semantic import QueryError
from tests.semantic.lakes import Served, served


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("shop")) as made:
        yield made


def ids(shop: Served, *filters: Any) -> list[str]:
    answer = shop.service.load({"dimensions": ["orders.id"], "filters": list(filters)})
    return [row["orders.id"] for row in answer["data"]]


def opens(measure: str) -> dict[str, str]:
    return {"member": measure, "operator": "measureFilter"}


def test_the_rows_are_those_that_the_measure_counts(shop: Served) -> None:
    assert ids(shop, opens("orders.done_total")) == ["1", "3"]
    assert ids(shop, {"and": [opens("orders.done_total")]}) == ["1", "3"]
    assert ids(shop, opens("orders.unknown")) == []


def test_a_measure_without_filters_and_a_calculated_one_open_all_rows(shop: Served) -> None:
    assert ids(shop, opens("orders.count")) == ids(shop, opens("orders.ratio")) == ["1", "2", "3"]


def test_other_filters_hold_as_well(shop: Served) -> None:
    late = {"member": "orders.amount", "operator": "lt", "values": ["10"]}
    assert ids(shop, opens("orders.done_total"), late) == ["3"]


def test_it_is_written_back_and_is_no_segment(shop: Served) -> None:
    query = {"dimensions": ["orders.id"], "filters": [opens("sales.done_total")]}
    answer = shop.service.load({**query, "dimensions": ["sales.id"]})
    assert [row["sales.id"] for row in answer["data"]] == ["1", "3"]
    assert answer["query"]["filters"] == [opens("sales.done_total")]
    assert answer["query"]["segments"] == []
    assert answer["annotation"]["segments"] == {}


def test_only_a_measure_can_be_opened_and_not_as_an_alternative(shop: Served) -> None:
    with pytest.raises(QueryError, match="is a dimension"):
        ids(shop, opens("orders.status"))
    other = {"member": "orders.status", "operator": "set"}
    with pytest.raises(QueryError, match="cannot stand in an 'or'"):
        ids(shop, {"or": [opens("orders.done_total"), other]})
