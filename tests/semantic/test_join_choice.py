"""Several ways to a cube: the shortest, unless a view's join_path or the query's joinHints choose another."""

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from ingot.engines.duckdb import connect
from ingot.semantic import QueryError
from ingot.semantic.planner.plan import plan
from ingot.semantic.query import parse
from tests.semantic import shop
from tests.semantic.steps import values


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with connect() as made:
        yield made


def cube(name: str, columns: str, *rows: str, to: list[tuple[str, str]] = ()) -> dict[str, Any]:  # type: ignore[assignment]
    return {
        "name": name,
        "sql": values(columns, *rows),
        "joins": [shop.one(name, other, column) for other, column in to],
        "dimensions": [shop.KEY | {"public": True}, shop.dimension("name")],
        "measures": [{"name": "count", "type": "count"}],
    }


# A flight has two airports, and its airline has one, too; cities are reached through any of them.
CUBES = [
    cube("flights", "id, name, start_id, airline_id", "1, 'F1', 1, 1", "2, 'F2', 2, 1", to=[("airports", "start_id"), ("airlines", "airline_id")]),
    cube("airlines", "id, name, city_id", "1, 'Air', 20", to=[("cities", "city_id")]),
    cube("airports", "id, name, city_id", "1, 'A', 10", "2, 'B', 10", to=[("cities", "city_id")]),
    cube("cities", "id, name, country_id", "10, 'Rome', 5", "20, 'Oslo', 6", to=[("countries", "country_id")]),
    cube("countries", "id, name", "5, 'Italy'", "6, 'Norway'"),
]  # fmt: skip
VIEWS: list[dict[str, Any]] = [
    {"name": "starts", "cubes": [
        {"join_path": "flights", "includes": ["count"]},
        {"join_path": "flights.airports.cities", "includes": [{"name": "name", "alias": "city"}]},
    ]}
]  # fmt: skip
MODEL = shop.model(CUBES, VIEWS)


def ask(con: duckdb.DuckDBPyConnection, **query: Any) -> list[tuple[Any, ...]]:
    made = plan(MODEL, parse({"measures": ["flights.count"]} | query))
    return con.execute(made.sql, list(made.parameters)).fetchall()


def test_two_ways_that_are_equally_short_are_both_named_with_what_chooses() -> None:
    with pytest.raises(QueryError) as caught:
        plan(MODEL, parse({"measures": ["flights.count"], "dimensions": ["cities.name"]}))
    said = f"{caught.value} {caught.value.hint}"
    assert "flights -> airports -> cities" in said
    assert "flights -> airlines -> cities" in said
    assert '"joinHints": [["flights", "airlines", "cities"]]' in said


@pytest.mark.parametrize(
    ("hint", "expected"),
    [
        (["flights", "airports", "cities"], [("Rome", 2)]),
        (["flights", "airlines", "cities"], [("Oslo", 2)]),
        (["airlines", "cities"], [("Oslo", 2)]),
    ],
)
def test_a_hint_chooses_the_way(
    con: duckdb.DuckDBPyConnection, hint: list[str], expected: list[tuple[str, int]]
) -> None:
    assert ask(con, dimensions=["cities.name"], joinHints=[hint]) == expected


def test_a_hint_holds_beyond_the_cube_that_it_names(con: duckdb.DuckDBPyConnection) -> None:
    found = ask(con, dimensions=["countries.name"], joinHints=[["flights", "airlines", "cities"]])
    assert found == [("Norway", 2)]


def test_the_path_of_a_view_chooses_by_itself(con: duckdb.DuckDBPyConnection) -> None:
    assert ask(con, measures=["starts.count"], dimensions=["starts.city"]) == [("Rome", 2)]


def test_hints_are_part_of_the_plans_identity_and_of_ungrouped_queries(
    con: duckdb.DuckDBPyConnection,
) -> None:
    found = ask(con, measures=[], dimensions=["flights.name", "cities.name"], ungrouped=True,
                joinHints=[["airports", "cities"]], order={"flights.name": "asc"})  # fmt: skip
    assert found == [("F1", "Rome"), ("F2", "Rome")]


@pytest.mark.parametrize(
    ("hints", "said"),
    [
        ([["flights", "cities"]], "'flights' declares no join to 'cities'"),
        ([["flights", "airprots"]], "did you mean 'airports'"),
        ([["flihgts", "airports"]], "did you mean 'flights'"),
        ([["airports", "cities"], ["airlines", "cities"]], "both from 'airports' and from 'airlines'"),
        ([["flights"]], "joinHints"),
        ("flights", "joinHints"),
    ],
)
def test_a_hint_that_is_no_way_is_refused(hints: Any, said: str) -> None:
    query = {"measures": ["flights.count"], "dimensions": ["cities.name"], "joinHints": hints}
    with pytest.raises(QueryError, match=said):
        plan(MODEL, parse(query))
