"""Mistakes in model files: every one reported at once, with its place and the nearest name."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ingot.project import Dashboard, ProjectError, load
from ingot.semantic import QueryError, check_dashboards, compile_model
from ingot.semantic.planner.plan import plan
from ingot.semantic.query import parse
from tests.semantic import shop


def problems(*cubes: dict[str, Any], views: list[dict[str, Any]] | None = None) -> str:
    with pytest.raises(ProjectError) as caught:
        shop.model(list(cubes), views or [])
    return "\n".join(str(one) for one in caught.value.problems)


def cube(**more: Any) -> dict[str, Any]:
    return {
        "name": "orders",
        "sql_table": "gold.orders",
        "dimensions": [shop.KEY, shop.dimension("status")],
        "measures": [{"name": "count", "type": "count"}],
    } | more


def measures(*some: dict[str, Any]) -> dict[str, Any]:
    return cube(measures=[{"name": "count", "type": "count"}, *some])


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (measures({"name": "m", "type": "sum", "sql": "{statsu}"}), "did you mean 'status'"),
        (measures({"name": "m", "type": "sum", "sql": "{CUBE.amuont}"}), "no member 'amuont'"),
        (measures({"name": "m", "type": "number", "sql": "{m}"}), "orders.m -> orders.m"),
        (measures({"name": "a", "type": "number", "sql": "{b}"}, {"name": "b", "type": "number", "sql": "{a} + 1"}), "orders.a -> orders.b -> orders.a"),
        (measures({"name": "m", "type": "sum", "sql": "{count}"}), "of a measure"),
        (measures({"name": "m", "type": "sum", "sql": "sum({CUBE}.a)"}), "of an aggregate"),
        (measures({"name": "m", "type": "sum", "sql": "'text'"}), "of a text"),
        (measures({"name": "m", "type": "sum"}), "needs 'sql'"),
        (measures({"name": "m", "type": "number", "sql": "{CUBE}.amount"}), "aggregates or measures"),
        (measures({"name": "m", "type": "number", "sql": "{count}", "filters": [{"sql": "true"}]}), "takes no filters"),
        (measures({"name": "m", "type": "sum", "sql": "a; DROP TABLE b"}), "not one SQL"),
        (measures({"name": "m", "type": "sum", "sql": "(a"}), "does not parse"),
        (measures({"name": "m", "type": "sum", "sql": "a AS b"}), "no name of its own"),
        (measures({"name": "m", "type": "sum", "sql": "a FROM b"}), "not one SQL"),
        (measures({"name": "m", "type": "sum", "sql": "{FILTER_PARAMS.orders.x.filter('x')}"}), "FILTER_PARAMS"),
        (measures({"name": "m", "type": "sum", "sql": "a", "rolling_window": {"trailing": "1 dya"}}), "no length of time"),
        (measures({"name": "m", "type": "count", "drill_members": ["statu"]}), "did you mean 'orders.status'"),
        (measures({"name": "count", "type": "count"}), "two members named 'count'"),
        (cube(dimensions=[shop.KEY, {"name": "d", "type": "string", "sql": "{count}"}]), "cannot refer to a measure"),
        (cube(dimensions=[shop.KEY, {"name": "d", "type": "number", "sql": "sum(x)"}]), "cannot aggregate"),
        (cube(segments=[{"name": "s", "sql": "{count} > 1"}]), "cannot refer to a measure"),
        (cube(joins=[shop.one("orders", "custmers", "x")]), "'custmers', which is not a cube"),
        (cube(joins=[shop.one("orders", "orders", "x")]), "joins itself"),
        (cube(extends="order"), "did you mean 'orders'"),
        (cube(extends="orders"), "extends itself"),
        (cube(sql_table="gold.orders x"), "not the name of a table"),
        (cube(sql_table=None, sql="DELETE FROM gold.orders"), "one SELECT"),
        (cube(access_policy=[{"conditions": []}]), "for whom"),
    ],
)  # fmt: skip
def test_a_mistake_is_named(made: dict[str, Any], said: str) -> None:
    assert said in problems(made)


def test_all_mistakes_are_reported_at_once() -> None:
    made = measures(
        {"name": "a", "type": "sum"},
        {"name": "b", "type": "number", "sql": "{x}"},
        {"name": "c", "type": "number", "sql": "{b}"},
    )
    found = problems(made, views=[{"name": "v", "cubes": [{"join_path": "ordres", "includes": "*"}]}])
    for said in (
        "orders.a",
        "'{x}'",
        "'{b}', which has a problem of its own",
        "'ordres', which is not a cube",
    ):
        assert said in found


def test_names_that_sql_cannot_tell_apart_are_one_name() -> None:
    assert "used twice" in problems(cube(), cube(name="Orders"))
    assert "used twice" in problems(cube(), views=[{"name": "orders", "cubes": []}])


def test_a_joined_cube_with_measures_needs_a_primary_key() -> None:
    customers = {
        "name": "customers",
        "sql_table": "c",
        "dimensions": [{"name": "id", "sql": "id", "type": "number"}],
        "measures": [{"name": "count", "type": "count"}],
    }
    assert "'customers' has joins and measures but no primary key" in problems(
        cube(joins=[shop.one("orders", "customers", "x")]), customers
    )


def test_a_measure_cannot_refer_to_a_cube_that_repeats_its_rows() -> None:
    items = {"name": "items", "sql_table": "i", "dimensions": [shop.KEY, shop.dimension("price", "number")]}
    join = {"name": "items", "relationship": "one_to_many", "sql": "{CUBE}.id = {items}.order_id"}
    made = measures({"name": "m", "type": "sum", "sql": "{items.price}"}) | {"joins": [join]}
    assert "define the measure in 'items'" in problems(made, items)


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ({"join_path": "orders", "includes": [{"name": "statsu"}]}, "did you mean 'status'"),
        ({"join_path": "orders", "includes": "*", "excludes": ["x"]}, "excludes 'x'"),
        ({"join_path": "orders.orders", "includes": "*"}, "declares no join"),
    ],
)
def test_a_mistake_in_a_view_is_named(part: dict[str, Any], said: str) -> None:
    assert said in problems(cube(), views=[{"name": "v", "cubes": [part]}])


def test_two_members_of_one_name_in_a_view_are_a_mistake() -> None:
    part = {"join_path": "orders", "includes": "*"}
    assert "gets 'id' twice" in problems(cube(), views=[{"name": "v", "cubes": [part, part]}])


def test_a_cube_takes_over_what_it_extends() -> None:
    child = {
        "name": "big_orders",
        "extends": "orders",
        "sql_table": "gold.big",
        "dimensions": [shop.dimension("status", sql="upper({CUBE}.status)")],
    }
    made = shop.model([cube(), child], [])
    sql = plan(made, parse({"measures": ["big_orders.count"], "dimensions": ["big_orders.status"]})).sql
    assert 'FROM gold.big AS "big_orders"' in sql
    assert 'UPPER("big_orders".status)' in sql


def test_inlined_members_keep_their_precedence() -> None:
    made = cube(
        dimensions=[
            shop.KEY,
            shop.dimension("a", "number", "{CUBE}.x + 1"),
            shop.dimension("b", "number", "{a} * 2"),
        ]
    )
    sql = plan(shop.model([made], []), parse({"dimensions": ["orders.b"]})).sql
    assert '("orders".x + 1) * 2' in sql


def test_braces_that_are_no_reference_stay_as_they_are() -> None:
    made = cube(
        dimensions=[
            shop.KEY,
            shop.dimension("a", "boolean", r"regexp_matches(code, '^\d{3}$') AND note <> '{status}'"),
        ]
    )
    sql = plan(shop.model([made], []), parse({"dimensions": ["orders.a"]})).sql
    assert "{3}" in sql
    assert "'{status}'" in sql


DIAMOND: list[dict[str, Any]] = [
    cube(joins=[shop.one("orders", "shops", "shop_id"), shop.one("orders", "buyers", "buyer_id")]),
    {"name": "shops", "sql_table": "gold.shops", "dimensions": [shop.KEY], "joins": [shop.one("shops", "countries", "country_id")]},
    {"name": "buyers", "sql_table": "gold.buyers", "dimensions": [shop.KEY], "joins": [shop.one("buyers", "countries", "country_id")]},
    {"name": "countries", "sql_table": "gold.countries", "dimensions": [shop.KEY, shop.dimension("name")]},
]  # fmt: skip


def test_two_equally_short_ways_are_an_error_that_a_view_settles() -> None:
    view = {
        "name": "v",
        "cubes": [
            {"join_path": "orders", "includes": [{"name": "count"}]},
            {"join_path": "orders.buyers.countries", "includes": [{"name": "name"}]},
        ],
    }
    made = shop.model(DIAMOND, [view])
    with pytest.raises(QueryError, match=r"orders -> shops -> countries and orders -> buyers -> countries"):
        plan(made, parse({"measures": ["orders.count"], "dimensions": ["countries.name"]}))
    sql = plan(made, parse({"measures": ["v.count"], "dimensions": ["v.name"]})).sql
    assert "gold.buyers" in sql
    assert "gold.shops" not in sql


def test_problems_stand_at_their_line_in_the_file(tmp_path: Path) -> None:
    (tmp_path / "ingot.yml").write_text("name: shop\n")
    (tmp_path / "semantic" / "cubes").mkdir(parents=True)
    (tmp_path / "semantic" / "cubes" / "orders.yml").write_text(
        "cubes:\n  - name: orders\n    sql_table: gold.orders\n    measures:\n      - name: total\n        type: sum\n        sql: '{amuont}'\n"
        "    dimensions:\n      - name: amount\n        type: number\n        sql: amount\n"
    )
    with pytest.raises(ProjectError) as caught:
        compile_model(load(tmp_path))
    (found,) = caught.value.problems
    assert (found.place.file, found.place.line) == ("semantic/cubes/orders.yml", 5)
    assert "did you mean 'amount'" in found.message


def test_dashboards_may_only_ask_for_what_is_there() -> None:
    board = Dashboard.model_validate(
        {
            "name": "d",
            "time": {"dimension": "orders.status"},
            "tiles": [
                {"type": "kpi", "name": "a", "measures": ["orders.cuont"]},
                {"type": "table", "name": "b", "measures": ["orders.count"], "dimensions": ["orders.total"], "filters": [{"member": "orders.stats", "operator": "set"}]},
            ],
        }
    )  # fmt: skip
    found = [str(one) for one in check_dashboards(SimpleNamespace(dashboards=(board,)), shop.model())]  # type: ignore[arg-type]
    assert len(found) == 4
    for said in (
        "'orders.status' is of type string, not a time",
        "did you mean 'orders.count'",
        "'orders.total' is a measure, not a dimension",
        "did you mean 'orders.status'",
    ):
        assert any(said in one for one in found), said
