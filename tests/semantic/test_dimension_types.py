"""Dimensions of type geo and switch, and case in dimensions and measures."""

from typing import Any

import duckdb
import pytest

from ingot.project import ProjectError
from ingot.semantic.planner.plan import plan
from ingot.semantic.query import parse
from tests.semantic import lakes, shop


def rows(added: list[dict[str, Any]], counted: list[dict[str, Any]], **query: Any) -> list[tuple[Any, ...]]:
    orders = shop.CUBES[0]
    made = {
        **orders,
        "dimensions": [*orders["dimensions"], *added],
        "measures": [*orders["measures"], *counted],
    }
    found = plan(shop.model([made, *shop.CUBES[1:]], []), parse(query))
    with duckdb.connect() as con:
        shop.fill(con, lakes.ROWS)
        return con.execute(found.sql, list(found.parameters)).fetchall()


SWITCH = {"name": "currency", "type": "switch", "values": ["EUR", "USD", "it's"]}


def test_a_point_is_latitude_and_longitude_or_null() -> None:
    point = {
        "name": "place",
        "type": "geo",
        "latitude": {"sql": "{CUBE}.amount / 2.0"},
        "longitude": {"sql": "NULLIF({CUBE}.amount, 7)"},
    }
    found = rows([point], [], dimensions=["orders.id", "orders.place"])
    assert found == [(1, "5.0,10"), (2, "2.5,5"), (3, None)]


def test_a_switch_gives_each_row_to_each_of_its_values() -> None:
    found = rows(
        [SWITCH],
        [],
        dimensions=["orders.currency"],
        measures=["orders.total", "orders.count"],
        order={"orders.currency": "asc"},
    )
    assert found == [("EUR", 22, 3), ("USD", 22, 3), ("it's", 22, 3)]


def test_a_switch_that_is_not_grouped_by_changes_nothing() -> None:
    assert rows([SWITCH], [], measures=["orders.total"]) == [(22,)]
    one = {"member": "orders.currency", "operator": "equals", "values": ["USD"]}
    assert rows([SWITCH], [], measures=["orders.total"], filters=[one]) == [(22,)]
    none = {"member": "orders.currency", "operator": "equals", "values": ["GBP"]}
    assert rows([SWITCH], [], measures=["orders.total"], filters=[none]) == [(None,)]


def test_an_aggregate_chooses_by_the_value_of_a_switch() -> None:
    priced = {"name": "priced", "type": "number", "case": {
        "switch": "{currency}", "when": [{"value": "USD", "sql": "{CUBE}.amount * 2"}, {"value": "EUR", "sql": "{CUBE}.amount"}], "else": {"sql": "0"}}}  # fmt: skip
    worth = {"name": "worth", "type": "sum", "sql": "{amount} * CASE {status} WHEN 'done' THEN 1 ELSE 10 END"}
    found = rows(
        [SWITCH, priced],
        [worth],
        dimensions=["orders.priced"],
        filters=[{"member": "orders.id", "operator": "equals", "values": ["1"]}],
        order={"orders.priced": "asc"},
    )
    assert found == [(0,), (10,), (20,)]
    assert rows([SWITCH], [worth], measures=["orders.worth"]) == [(67,)]


def test_a_case_over_measures_is_a_measure() -> None:
    size = {
        "name": "size",
        "type": "string",
        "case": {
            "when": [
                {"sql": "{total} > 10", "label": "big"},
                {"sql": "{total} > 5", "label": {"sql": "'m' || {count}"}},
            ],
            "else": {"label": "small"},
        },
    }
    found = rows(
        [], [size], dimensions=["orders.status"], measures=["orders.size"], order={"orders.status": "asc"}
    )
    assert found == [("done", "big"), ("new", "small")]


def test_a_switch_needs_values() -> None:
    with pytest.raises(ProjectError, match="needs 'values'"):
        rows([{"name": "s", "type": "switch"}], [], measures=["orders.count"])


def test_a_measure_chooses_by_the_value_of_a_switch_that_is_grouped_by() -> None:
    chosen = {"name": "chosen", "type": "number", "multi_stage": True, "case": {
        "switch": "{currency}", "when": [{"value": "USD", "sql": "{total} * 2"}, {"value": "EUR", "sql": "{total}"}], "else": {"sql": "0"}}}  # fmt: skip
    by_both = {"measures": ["orders.chosen"], "dimensions": ["orders.currency", "orders.status"]}
    found = rows([SWITCH], [chosen], **by_both, order={"orders.currency": "asc", "orders.status": "asc"})
    assert found == [
        ("EUR", "done", 17),
        ("EUR", "new", 5),
        ("USD", "done", 34),
        ("USD", "new", 10),
        ("it's", "done", 0),
        ("it's", "new", 0),
    ]
