"""Suggestions come from what was asked, hold what they promise, and remember no values."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingot.semantic.rollups.suggest import suggestions
from tests.semantic.lakes import ROWS
from tests.semantic.rollups.shelf import Shelf, shelf, used

BY_STATUS = {"measures": ["orders.total"], "dimensions": ["orders.status"], "filters": [
    {"member": "customers.city", "operator": "equals", "values": ["Rome"]}]}  # fmt: skip
BY_MONTH = {"measures": ["orders.count"], "timezone": "Europe/Berlin", "timeDimensions": [
    {"dimension": "orders.created_at", "granularity": "month", "dateRange": ["2026-01-01", "2026-02-28"]}]}  # fmt: skip


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Shelf]:
    with shelf(tmp_path, [ROWS]) as found:
        yield found


def test_a_suggested_rollup_answers_what_was_asked(made: Shelf) -> None:
    service = made.service([])
    for query in (BY_STATUS, BY_MONTH):
        service.load(query)
    assert service.rollups is not None
    service.rollups.log.flush()
    found = suggestions(service.model, service.rollups.log.entries())
    assert sum(one.queries for one in found) >= 2
    assert all(one.cube == "orders" and one.seconds > 0 for one in found)
    better = made.service([one.definition for one in found])
    made.built(better)
    for query in (BY_STATUS, BY_MONTH):
        assert len(used(better, query)) == 1
    for query in (BY_STATUS, BY_MONTH):
        better.load(query)
    assert better.rollups is not None
    again = suggestions(better.model, service.rollups.log.entries(), better.rollups.of(better.model))
    assert again == []


def test_the_log_holds_no_values_of_filters(made: Shelf) -> None:
    service = made.service([])
    service.load(BY_STATUS)
    assert service.rollups is not None
    service.rollups.log.flush()
    text = (made.root / "asked.jsonl").read_text()
    assert "Rome" not in text
    assert "customers.city" in text


def test_a_log_with_half_a_line_or_of_another_model_is_read_as_far_as_it_goes(made: Shelf) -> None:
    service = made.service([])
    service.load(BY_STATUS)
    assert service.rollups is not None
    service.rollups.log.flush()
    with (made.root / "asked.jsonl").open("a") as file:
        file.write('{"query": {"measures": ["gone.count"]}, "seconds": 1}\n{"query": {"mea')
    assert len(suggestions(service.model, service.rollups.log.entries())) == 1
