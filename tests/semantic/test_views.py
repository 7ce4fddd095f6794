"""Views: what they take, what they add of their own, and what holds in them by default."""

from typing import Any

import duckdb
import pytest

from ingot.project import ProjectError
from ingot.semantic import Model, QueryError
from ingot.semantic.compiler.folders import flat
from ingot.semantic.planner.plan import plan
from ingot.semantic.query import parse
from tests.semantic import lakes, shop

TAKEN = [
    {
        "join_path": "orders",
        "includes": ["count", "total", "ratio", "status", "amount", "created_at", "large"],
    },
    {"join_path": "orders.customers", "includes": ["city", "count", "score", "per_order"], "prefix": True},
    {"join_path": "orders.items", "includes": ["qty", {"name": "quantity", "alias": "pieces"}]},
]


def sales(**more: Any) -> dict[str, Any]:
    return {"name": "sales", "cubes": TAKEN} | more


def model(*views: dict[str, Any]) -> Model:
    return shop.model(shop.CUBES, list(views))


def rows(made: Model, **query: Any) -> list[tuple[Any, ...]]:
    found = plan(made, parse(query))
    with duckdb.connect() as con:
        shop.fill(con, lakes.ROWS)
        return con.execute(found.sql, list(found.parameters)).fetchall()


def problems(*views: dict[str, Any]) -> str:
    with pytest.raises(ProjectError) as caught:
        model(*views)
    return str(caught.value)


def by(operator: str, member: str, *values: Any) -> dict[str, Any]:
    return {"member": member, "operator": operator, "values": list(values)}


# -- own members ---------------------------------------------------------------------------------------


def test_a_views_own_measure_is_calculated_from_measures_at_the_ends_of_its_paths() -> None:
    own = [
        {"name": "per_customer", "type": "number", "sql": "{total} * 1.0 / {customers_count}"},
        {"name": "percent", "type": "number", "sql": "{CUBE.per_customer} * 100"},
        {"name": "mixed", "type": "number", "sql": "{ratio} + {sales.pieces} + {customers_per_order}"},
    ]
    made = model(sales(measures=own))
    # 22 over three orders, of customers 1 and 2: the third has none and does not count.
    assert rows(made, measures=["sales.per_customer", "sales.percent"]) == [(11.0, 1100.0)]
    # By order status: done 17 of two customers, new 5 of one.
    found = rows(
        made, measures=["sales.per_customer"], dimensions=["sales.status"], order={"sales.status": "asc"}
    )
    assert found == [("done", 8.5), ("new", 5.0)]
    # 22 / 3 orders, 3 pieces, and 3 orders over 2 customers.
    assert rows(made, measures=["sales.mixed"])[0][0] == pytest.approx(22 / 3 + 3 + 1.5)


def test_own_measures_of_one_question_agree_with_the_members_that_they_are_made_of() -> None:
    made = model(sales(measures=[{"name": "twice", "type": "number", "sql": "2 * {customers_count}"}]))
    found = rows(
        made, measures=["sales.twice", "sales.customers_count", "sales.pieces"], dimensions=["sales.status"]
    )
    assert all(twice == 2 * count for _, twice, count, _ in found)


def test_a_views_own_dimension_joins_members_of_several_cubes() -> None:
    own = [{"name": "label", "type": "string", "sql": "{status} || '/' || COALESCE({customers_city}, '?')"}]
    made = model(sales(dimensions=own))
    found = rows(made, measures=["sales.total"], dimensions=["sales.label"], order={"sales.label": "asc"})
    assert found == [("done/O'Hare", 7), ("done/Rome", 10), ("new/Rome", 5)]
    found = rows(made, measures=["sales.total"], filters=[by("equals", "sales.label", "done/Rome")])
    assert found == [(10,)]


def test_a_views_own_aggregate_counts_the_rows_of_the_cube_that_it_refers_to_once() -> None:
    own = [
        {"name": "cities", "type": "count_distinct", "sql": "{customers_city}"},
        {"name": "big", "type": "sum", "sql": "{amount}", "filters": [{"sql": "{amount} >= 7"}]},
        {"name": "rome", "type": "sum", "sql": "{amount}", "filters": [{"sql": "{customers_city} = 'Rome'"}]},
        {"name": "weight", "type": "sum", "sql": "{qty} * 10"},
    ]
    made = model(sales(measures=own))
    assert rows(made, measures=["sales.cities", "sales.big", "sales.rome", "sales.weight"]) == [
        (2, 17, 15, 30)
    ]
    # Order 1 has two items and is counted once for each number of them.
    found = rows(made, measures=["sales.big"], dimensions=["sales.qty"], order={"sales.qty": "asc"})
    assert found == [(1, 10), (2, 10), (None, 7)]


def test_a_views_own_segment_is_a_condition() -> None:
    made = model(
        sales(segments=[{"name": "rome_done", "sql": "{status} = 'done' AND {customers_city} = 'Rome'"}])
    )
    assert rows(made, measures=["sales.total"], segments=["sales.rome_done"]) == [(10,)]


def test_the_time_of_a_member_is_cut_in_an_own_dimension() -> None:
    made = model(sales(dimensions=[{"name": "month", "type": "time", "sql": "{created_at.month}"}]))
    found = rows(made, measures=["sales.count"], dimensions=["sales.month"], order={"sales.month": "asc"})
    assert [(str(month)[:7], count) for month, count in found] == [("2026-01", 1), ("2026-02", 2)]


@pytest.mark.parametrize(
    ("kind", "member", "said"),
    [
        ("measures", {"name": "m", "type": "number", "sql": "{totl}"}, "did you mean 'total'"),
        ("measures", {"name": "m", "type": "number", "sql": "{m} + 1"}, "sales.m' is defined by itself: m -> m"),
        ("measures", {"name": "m", "type": "count"}, "refers to no member"),
        ("measures", {"name": "m", "type": "sum", "sql": "{total}"}, "of a measure"),
        ("measures", {"name": "m", "type": "sum", "sql": "{amount} * {qty}"}, "none has one row of each"),
        ("measures", {"name": "m", "type": "number", "sql": "sum({amount})"}, "made of the view's measures"),
        ("measures", {"name": "m", "type": "number", "sql": "{large}"}, "is a segment"),
        ("measures", {"name": "m", "type": "number", "sql": "{products.count}"}, "not among the members"),
        ("measures", {"name": "total", "type": "number", "sql": "{count}"}, "gets 'total' twice"),
        ("measures", {"name": "m", "type": "number", "sql": "{total}", "drill_members": ["statsu"]}, "did you mean 'status'"),
        ("dimensions", {"name": "d", "type": "string", "sql": "status"}, "a view has no column 'status'"),
        ("dimensions", {"name": "d", "type": "string", "sql": "{CUBE}.status"}, "no columns of its own"),
        ("dimensions", {"name": "d", "type": "string", "sql": "{total}"}, "cannot refer to a measure"),
        ("segments", {"name": "s", "sql": "{total} > 1"}, "cannot refer to a measure"),
    ],
)  # fmt: skip
def test_a_mistake_in_an_own_member_is_named(kind: str, member: dict[str, Any], said: str) -> None:
    assert said in problems(sales(**{kind: [member]}))


# -- extends -------------------------------------------------------------------------------------------


def test_a_view_takes_over_what_it_extends_and_its_own_comes_after() -> None:
    more = {
        "name": "more_sales",
        "extends": "sales",
        "cubes": [
            {"join_path": "orders.customers.regions", "includes": [{"name": "name", "alias": "region"}]}
        ],
        "measures": [{"name": "twice", "type": "number", "sql": "{half} * 4"}],
        "folders": [{"name": "Places", "includes": ["region"]}],
    }
    half = {"name": "half", "type": "number", "sql": "{total} / 2.0"}
    made = model(
        sales(measures=[half], title="Sales!", folders=[{"name": "Money", "includes": ["total"]}]), more
    )
    assert rows(
        made,
        measures=["more_sales.twice"],
        dimensions=["more_sales.region"],
        filters=[by("set", "more_sales.region")],
    ) == [("north", 30.0)]
    view = made.views["more_sales"]
    assert view.label.title == "Sales!"
    assert [folder.name for folder in view.folders] == ["Money", "Places"]
    assert "region" not in made.views["sales"].members


def test_a_view_may_say_a_member_again() -> None:
    again = {
        "name": "b",
        "extends": "sales",
        "measures": [{"name": "total", "type": "number", "sql": "{orders.count}"}],
    }
    assert rows(model(sales(), again), measures=["b.total"]) == [(3,)]


def test_views_that_extend_in_a_circle_or_nothing_are_mistakes() -> None:
    assert "did you mean 'sales'" in problems(sales(), {"name": "b", "extends": "sale"})
    assert "view 'a' extends itself" in problems({"name": "a", "extends": "b"}, {"name": "b", "extends": "a"})


# -- what is taken -------------------------------------------------------------------------------------


def test_what_is_included_may_be_told_in_other_words() -> None:
    taken = {
        "name": "total",
        "alias": "revenue",
        "title": "Revenue",
        "description": "What came in.",
        "format": "currency",
        "meta": {"a": 1},
    }
    label = (
        model({"name": "v", "cubes": [{"join_path": "orders", "includes": [taken]}]})
        .views["v"]
        .members["revenue"]
        .label
    )
    assert (label.title, label.short_title, label.description) == ("V Revenue", "Revenue", "What came in.")
    assert (label.format, label.meta) == ("currency", {"a": 1})


def test_a_part_that_is_split_off_becomes_a_view_of_its_own() -> None:
    parts = [
        {"join_path": "orders", "includes": ["total"]},
        {"join_path": "orders.customers", "includes": ["city"], "split": True},
    ]
    made = model({"name": "v", "cubes": parts})
    assert list(made.views["v"].members) == ["total"]
    assert list(made.views["v_customers"].members) == ["city"]
    assert rows(made, measures=["v.total"], dimensions=["v_customers.city"], order={"v.total": "asc"}) == [
        ("O'Hare", 7),
        ("Rome", 15),
    ]


def test_excludes_and_prefix_by_alias() -> None:
    part = {
        "join_path": "orders.customers",
        "includes": "*",
        "excludes": ["size", "flat"],
        "prefix": True,
        "alias": "buyer",
    }
    assert set(model({"name": "v", "cubes": [part]}).views["v"].members) == {
        "buyer_id", "buyer_city", "buyer_count", "buyer_score", "buyer_per_order",
    }  # fmt: skip


# -- folders and hierarchies ---------------------------------------------------------------------------


def test_folders_hold_members_and_folders() -> None:
    written = [
        {"name": "Money", "includes": ["total", "orders.ratio", {"name": "Deep", "includes": ["amount", {"name": "Deeper", "includes": ["count"]}]}]},
        {"name": "Who", "join_path": "customers"},
        {"name": "All", "includes": "*"},
    ]  # fmt: skip
    money, who, everything = model(sales(folders=written)).views["sales"].folders
    assert flat(money) == ["sales.total", "sales.ratio", "sales.amount", "sales.count"]
    assert money.parts[:2] == ("sales.total", "sales.ratio")
    assert [getattr(part, "name", part) for part in money.parts[2:]] == ["Deep"]
    assert flat(who) == [
        "sales.customers_city",
        "sales.customers_count",
        "sales.customers_score",
        "sales.customers_per_order",
    ]
    assert len(flat(everything)) == 13


def test_a_folder_names_only_what_the_view_has() -> None:
    said = problems(
        sales(folders=[{"name": "F", "includes": ["totl"]}, {"name": "G", "join_path": "tickets"}])
    )
    assert "folder 'F' of view 'sales': there is no 'totl'; did you mean 'total'" in said
    assert "no members come from 'tickets'" in said


def test_hierarchies_of_cubes_come_along_as_far_as_their_levels_do() -> None:
    cubes = [dict(one) for one in shop.CUBES]
    cubes[1] = {
        **cubes[1],
        "hierarchies": [{"name": "place", "title": "Where", "levels": ["regions.name", "city", "id"]}],
    }
    own = {"name": "time", "levels": ["created_at", "status"]}
    made = shop.model(cubes, [sales(hierarchies=[own])])
    (cube,) = made.cubes["customers"].hierarchies
    assert (cube.title, cube.levels) == ("Where", ("regions.name", "customers.city", "customers.id"))
    first, second = made.views["sales"].hierarchies
    assert (first.name, first.levels) == ("time", ("sales.created_at", "sales.status"))
    assert (second.name, second.levels, second.alias) == (
        "place",
        ("sales.customers_city",),
        "customers.place",
    )
    assert "is not a dimension of the view" in problems(
        sales(hierarchies=[{"name": "h", "levels": ["total"]}])
    )


# -- default filters -----------------------------------------------------------------------------------


DONE = {"member": "status", "operator": "equals", "values": ["done"]}


def test_a_default_filter_holds_for_every_question_of_the_view_and_no_other() -> None:
    made = model(sales(default_filters=[DONE]))
    assert rows(made, measures=["sales.total"]) == [(17,)]
    assert rows(made, measures=["orders.total"]) == [(22,)]
    # The query's own filter is an addition, unless the default says that it steps back.
    assert rows(made, measures=["sales.total"], filters=[by("equals", "sales.status", "new")]) == [(None,)]


def test_a_default_filter_steps_back_for_a_filter_on_what_it_names() -> None:
    made = model(sales(default_filters=[{**DONE, "unless": ["status", "created_at"]}]))
    assert rows(made, measures=["sales.total"]) == [(17,)]
    assert rows(made, measures=["sales.total"], dimensions=["sales.status"]) == [("done", 17)]
    assert rows(made, measures=["sales.total"], filters=[by("equals", "sales.status", "new")]) == [(5,)]
    either = {"or": [by("equals", "sales.status", "new"), by("equals", "sales.customers_city", "Rome")]}
    assert rows(made, measures=["sales.total"], filters=[either]) == [(15,)]
    times = [{"dimension": "sales.created_at", "dateRange": ["2026-02-01", "2026-02-28"]}]
    assert rows(made, measures=["sales.total"], timeDimensions=times) == [(12,)]


@pytest.mark.parametrize("member", ["status", "orders.status", "sales.status", "{status}", "{CUBE.status}"])
def test_a_default_filter_finds_its_member_by_any_of_its_names(member: str) -> None:
    assert rows(model(sales(default_filters=[{**DONE, "member": member}])), measures=["sales.total"]) == [
        (17,)
    ]


def test_a_default_filter_may_be_on_a_measure_a_date_or_a_hidden_member() -> None:
    made = model(sales(default_filters=[{"member": "total", "operator": "gt", "values": [6]}]))
    assert rows(made, measures=["sales.total"], dimensions=["sales.status"]) == [("done", 17)]
    made = model(
        sales(
            default_filters=[
                {"member": "created_at", "operator": "inDateRange", "values": ["2026-02-01", "2026-02-28"]}
            ]
        )
    )
    assert rows(made, measures=["sales.total"]) == [(12,)]
    hidden = {"name": "mine", "type": "boolean", "sql": "{status} = 'new'", "public": False}
    made = model(
        sales(
            dimensions=[hidden], default_filters=[{"member": "mine", "operator": "equals", "values": [True]}]
        )
    )
    assert rows(made, measures=["sales.total"]) == [(5,)]
    with pytest.raises(QueryError, match="hidden"):
        rows(made, measures=["sales.total"], dimensions=["sales.mine"])


def test_a_mistake_in_a_default_filter_is_named() -> None:
    said = problems(sales(default_filters=[{**DONE, "member": "statsu"}, {**DONE, "unless": ["x"]}, {"member": "status", "operator": "equals"}, {**DONE, "member": "large"}]))  # fmt: skip
    for words in (
        "there is no 'statsu'",
        "did you mean 'status'",
        "there is no 'x'",
        "has no 'values'",
        "is a segment",
    ):
        assert words in said
