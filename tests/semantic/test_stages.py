"""Measures in several steps by example: the tables of Cube's documentation, and what is refused."""

from dataclasses import replace
from typing import Any

import duckdb
import pytest

from ingot.project import ProjectError
from ingot.semantic import QueryError
from ingot.semantic.planner.plan import plan, plan_resolved
from ingot.semantic.planner.resolve import Condition, resolve
from ingot.semantic.query import parse
from tests.semantic import shop
from tests.semantic.steps import ask, values


def test_stages_are_the_same_through_a_view(con: duckdb.DuckDBPyConnection) -> None:
    cubes = sales(
        {"name": "of_country", "type": "sum", "sql": "{revenue}", "group_by": ["country"]},
        {"name": "of_means", "type": "avg", "sql": "{mean}", "add_group_by": ["country"]},
    )
    view = {"name": "v", "cubes": [{"join_path": "c", "includes": "*"}]}
    made = plan(
        shop.model(cubes, [view]),
        parse(
            {
                "measures": ["v.of_country", "v.of_means"],
                "dimensions": ["v.country"],
                "order": {"v.country": "asc"},
            }
        ),
    )
    rows = con.execute(made.sql, list(made.parameters)).fetchall()
    assert rows == [("Austria", 7000, 3500), ("Netherlands", 11000, 5500), ("USA", 3000, 1500)]


SALES = [(n, 1000 * n, "AB"[(n - 1) % 2], country) for n, country in
         enumerate(["USA", "USA", "Austria", "Austria", "Netherlands", "Netherlands"], 1)]  # fmt: skip


def sales(*measures: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "name": "c",
            "sql": values(
                "id, revenue, product, country", *(f"{n}, {r}, '{p}', '{c}'" for n, r, p, c in SALES)
            ),
            "dimensions": [shop.KEY, shop.dimension("product"), shop.dimension("country")],
            "measures": [
                {"name": "revenue", "type": "sum", "sql": "revenue"},
                {"name": "mean", "type": "avg", "sql": "revenue"},
                *({"multi_stage": True} | one for one in measures),
            ],
        }
    ]


BOTH = ["c.country", "c.product"]


def test_a_fixed_dimension_gives_every_row_its_share(con: duckdb.DuckDBPyConnection) -> None:
    cubes = sales(
        {"name": "of_country", "type": "sum", "sql": "{revenue}", "group_by": ["country"]},
        {"name": "share", "type": "number", "sql": "{revenue} * 1.0 / NULLIF({of_country}, 0)"},
    )
    found = ask(
        con,
        cubes,
        {
            "measures": ["c.of_country", "c.share"],
            "dimensions": BOTH,
            "order": {"c.product": "asc", "c.country": "asc"},
        },
    )
    assert found[0] == ("Austria", "A", 7000, pytest.approx(3 / 7))
    assert [row[2] for row in found] == [7000, 11000, 3000] * 2
    alone = ask(con, cubes, {"measures": ["c.of_country"], "dimensions": ["c.product"]})
    assert alone == [("A", 21000), ("B", 21000)], "without the dimension it is the grand total"


def test_ranks_are_within_what_is_left(con: duckdb.DuckDBPyConnection) -> None:
    cubes = sales(
        {
            "name": "place",
            "type": "rank",
            "order_by": [{"sql": "{revenue}", "dir": "asc"}],
            "reduce_by": ["product"],
        }
    )
    found = ask(
        con,
        cubes,
        {"measures": ["c.place"], "dimensions": BOTH, "order": {"c.country": "asc", "c.product": "asc"}},
    )
    assert [row[2] for row in found] == [1, 2] * 3


def test_a_rank_is_filtered_after_it_is_given(con: duckdb.DuckDBPyConnection) -> None:
    cubes = sales(
        {
            "name": "place",
            "type": "rank",
            "order_by": [{"sql": "{revenue}", "dir": "desc"}],
            "reduce_by": ["c.country", "product"],
        }
    )
    first = {"member": "c.place", "operator": "lte", "values": ["2"]}
    found = ask(con, cubes, {"measures": ["c.place"], "dimensions": BOTH, "filters": [first]})
    assert sorted(found) == [("Netherlands", "A", 2), ("Netherlands", "B", 1)]


def test_a_window_in_sql_ranks_values_of_groups(con: duckdb.DuckDBPyConnection) -> None:
    cubes = sales(
        {
            "name": "place",
            "type": "number",
            "sql": "RANK() OVER (PARTITION BY {country} ORDER BY {revenue} DESC)",
        }
    )
    second = {"member": "c.place", "operator": "equals", "values": ["2"]}
    found = ask(con, cubes, {"measures": ["c.place"], "dimensions": BOTH, "filters": [second]})
    assert sorted(found) == [("Austria", "A", 2), ("Netherlands", "A", 2), ("USA", "A", 2)]


def test_an_aggregate_of_an_aggregate_gives_each_inner_group_one_voice(
    con: duckdb.DuckDBPyConnection,
) -> None:
    cubes = sales(
        {"name": "of_means", "type": "avg", "sql": "{mean}", "add_group_by": ["country"]},
        {
            "name": "large",
            "type": "count",
            "sql": "CASE WHEN {revenue} > 3500 THEN 1 END",
            "grain": {"include": ["country"]},
        },
        {
            "name": "middle",
            "type": "number_agg",
            "sql": "MEDIAN({revenue})",
            "grain": {"include": ["country"]},
        },
    )
    assert ask(con, cubes, {"measures": ["c.of_means", "c.large", "c.middle"]}) == [(3500, 2, 7000)]


def test_a_conditional_measure_needs_its_switch(con: duckdb.DuckDBPyConnection) -> None:
    case = {
        "switch": "{country}",
        "when": [{"value": "USA", "sql": "{revenue}"}],
        "else": {"sql": "{revenue} * 0.5"},
    }
    cubes = sales({"name": "converted", "type": "number", "case": case})
    found = ask(
        con, cubes, {"measures": ["c.converted"], "dimensions": ["c.country"], "order": {"c.country": "asc"}}
    )
    assert found == [("Austria", 3500), ("Netherlands", 5500), ("USA", 3000)]
    only = {"member": "c.country", "operator": "equals", "values": ["USA"]}
    assert ask(con, cubes, {"measures": ["c.converted"], "filters": [only]}) == [(3000,)]
    with pytest.raises(QueryError, match=r"depends on 'c\.country'"):
        ask(con, cubes, {"measures": ["c.converted"]})


def test_a_share_of_all_ignores_the_filter_that_it_leaves_out(con: duckdb.DuckDBPyConnection) -> None:
    cubes = sales(
        {"name": "of_all", "type": "number", "sql": "{revenue}", "filter": {"exclude": ["product"]}}
    )
    only = {"member": "c.product", "operator": "equals", "values": ["A"]}
    query = {
        "measures": ["c.revenue", "c.of_all"],
        "filters": [only],
        "dimensions": BOTH,
        "order": {"c.country": "asc"},
    }
    # A group that the query filters out does not come back.
    assert ask(con, cubes, query | {"dimensions": ["c.country"]}) == [
        ("Austria", 3000, 7000), ("Netherlands", 5000, 11000), ("USA", 1000, 3000),
    ]  # fmt: skip
    assert [row[1] for row in ask(con, cubes, query)] == ["A"] * 3


def test_a_filter_that_is_left_out_leaves_its_whole_or(con: duckdb.DuckDBPyConnection) -> None:
    cubes = sales(
        {"name": "of_all", "type": "number", "sql": "{revenue}", "filter": {"exclude": ["product"]}}
    )
    either = [{"member": f"c.{name}", "operator": "equals", "values": [value]}
              for name, value in (("product", "A"), ("country", "USA"))]  # fmt: skip
    assert ask(con, cubes, {"measures": ["c.revenue", "c.of_all"], "filters": [{"or": either}]}) == [
        (11000, 21000)
    ]
    assert ask(con, cubes, {"measures": ["c.revenue", "c.of_all"], "filters": [{"and": either}]}) == [
        (1000, 3000)
    ]


def test_ranks_put_nothing_last(con: duckdb.DuckDBPyConnection) -> None:
    for direction, places in (("asc", [1, 2, 3]), ("desc", [2, 1, 3])):
        cube = {
            "name": "c",
            "sql": values("id, name, v", "1, 'a', 1", "2, 'b', 2", "3, 'c', NULL"),
            "dimensions": [shop.KEY, shop.dimension("name")],
            "measures": [{"name": "v", "type": "sum", "sql": "v"},
                         {"name": "place", "multi_stage": True, "type": "rank", "reduce_by": ["name"],
                          "order_by": [{"sql": "{v}", "dir": direction}]}],
        }  # fmt: skip
        query = {"measures": ["c.place"], "dimensions": ["c.name"], "order": {"c.name": "asc"}}
        assert [place for _, place in ask(con, [cube], query)] == places


def deals() -> list[dict[str, Any]]:
    return [
        {
            "name": "managers",
            "sql": values("id, name", "1, 'Ann'", "2, 'Bob'", "3, 'Cid'"),
            "joins": [{"name": "deals", "relationship": "one_to_many", "sql": "{CUBE}.id = {deals.manager_id}"}],
            "dimensions": [
                shop.KEY,
                shop.dimension("name"),
                {"name": "amount", "type": "number", "sql": "{deals.amount}", "sub_query": True},
                {"name": "deal_count", "type": "number", "sql": "{deals.count}", "sub_query": True},
                {"name": "here", "type": "number", "sql": "{deals.amount}", "sub_query": True, "propagate_filters_to_sub_query": True},
            ],
            "measures": [{"name": "count", "type": "count"}, {"name": "mean", "type": "avg", "sql": "{amount}"}],
        },
        {
            "name": "deals",
            "sql": values("id, manager_id, amount, kind", "1, 1, 10, 'x'", "2, 1, 20, 'y'", "3, 2, 5, 'x'"),
            "dimensions": [shop.KEY, {"name": "manager_id", "type": "number", "sql": "manager_id"}, shop.dimension("kind")],
            "measures": [{"name": "amount", "type": "sum", "sql": "amount"}, {"name": "count", "type": "count"}],
        },
    ]  # fmt: skip


def test_a_sub_query_brings_a_measure_to_the_rows_of_another_cube(con: duckdb.DuckDBPyConnection) -> None:
    query = {
        "dimensions": ["managers.name", "managers.amount", "managers.deal_count"],
        "order": {"managers.name": "asc"},
    }
    assert ask(con, deals(), query) == [("Ann", 30, 2), ("Bob", 5, 1), ("Cid", None, 0)]
    assert ask(con, deals(), {"measures": ["managers.mean"]}) == [(17.5,)]
    many = {"member": "managers.amount", "operator": "gt", "values": ["7"]}
    assert ask(con, deals(), {"measures": ["managers.count", "deals.count"], "filters": [many]}) == [(1, 2)]


def test_a_sub_query_sees_the_filters_only_where_it_asks_for_them(con: duckdb.DuckDBPyConnection) -> None:
    only = {"member": "deals.kind", "operator": "equals", "values": ["x"]}
    query = {
        "dimensions": ["managers.name", "managers.amount", "managers.here"],
        "filters": [only],
        "order": {"managers.name": "asc"},
    }
    assert ask(con, deals(), query) == [("Ann", 30, 10), ("Bob", 5, 5)]


def test_what_a_policy_demands_holds_in_every_step(con: duckdb.DuckDBPyConnection) -> None:
    model = shop.model(deals(), [])
    asked = resolve(
        model, parse({"dimensions": ["managers.name", "managers.amount"], "order": {"managers.name": "asc"}})
    )
    found = model.members["deals.kind"]
    made = plan_resolved(model, replace(asked, limits=(Condition(found, "equals", ("x",)),)))
    assert con.execute(made.sql, list(made.parameters)).fetchall() == [("Ann", 10), ("Bob", 5)]
    model = shop.model(
        sales({"name": "of_all", "type": "number", "sql": "{revenue}", "filter": {"exclude": ["product"]}}),
        [],
    )
    asked = resolve(model, parse({"measures": ["c.of_all"]}))
    made = plan_resolved(
        model, replace(asked, limits=(Condition(model.members["c.product"], "equals", ("A",)),))
    )
    assert con.execute(made.sql, list(made.parameters)).fetchall() == [(9000,)]


M = {"name": "m", "multi_stage": True, "sql": "{revenue}", "type": "number"}


@pytest.mark.parametrize(
    ("measure", "said"),
    [
        (M | {"group_by": ["contry"]}, "did you mean 'country'"),
        (M | {"group_by": ["revenue"]}, "is a measure, not a dimension"),
        (M | {"add_group_by": ["country"]}, "say how their values become one"),
        (M | {"sql": "SUM({revenue})"}, "number_agg"),
        (M | {"sql": "{CUBE}.revenue + {revenue}"}, "which have no column"),
        (M | {"sql": "1"}, "refers to at least one other measure"),
        (M | {"time_shift": [{"interval": "1 yaer", "type": "prior"}]}, "no length of time"),
        (M | {"time_shift": [{"time_dimension": "country", "interval": "1 year", "type": "prior"}]}, "no time dimension"),
        (M | {"time_shift": [{"interval": "1 year", "type": "prior"}, {"interval": "2 year", "type": "prior"}]}, "each needs its 'time_dimension'"),
        (M | {"order_by": [{"sql": "{revenue}"}]}, "for measures of type rank"),
        (M | {"group_by": ["country"], "reduce_by": ["product"]}, "one of the two"),
        (M | {"filter": {"exclude": ["nothing"]}}, "there is no dimension 'nothing'"),
        (M | {"type": "rank", "sql": None}, "needs 'order_by'"),
        (M | {"multi_stage": False, "group_by": ["country"]}, "add multi_stage: true"),
        (M | {"multi_stage": False, "rolling_window": {"trailing": "1 day"}, "sql": "{m}"}, "defined by itself"),
        ({"name": "m", "type": "number", "sql": "{revenue} / {mean}", "rolling_window": {"trailing": "1 day"}}, "a calculation cannot roll"),
        ({"name": "m", "type": "sum", "sql": "revenue", "rolling_window": {"offset": "start"}}, "needs 'trailing' or 'leading'"),
        ({"name": "m", "type": "sum", "sql": "revenue", "rolling_window": {"type": "to_date", "granularity": "moon"}}, "no granularity"),
    ],
)  # fmt: skip
def test_a_stage_that_means_nothing_is_a_mistake_of_the_model(measure: dict[str, Any], said: str) -> None:
    cubes = sales()
    cubes[0]["measures"].append(measure)
    with pytest.raises(ProjectError) as caught:
        shop.model(cubes, [])
    assert said in "\n".join(str(one) for one in caught.value.problems)
