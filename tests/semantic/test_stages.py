# ruff: noqa: DTZ001 - local times
"""Measures in several steps by example: the tables of Cube's documentation, and what is refused."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import duckdb
import pytest

from ingot.engines.duckdb import connect
from ingot.project import ProjectError
from ingot.semantic import QueryError
from ingot.semantic.planner.plan import plan, plan_resolved
from ingot.semantic.planner.resolve import Condition, resolve
from ingot.semantic.query import parse
from tests.semantic import shop

Rows = list[tuple[Any, ...]]


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(extensions=("icu",)) as made:
        yield made


def values(columns: str, *rows: str) -> str:
    return f"SELECT * FROM (VALUES {', '.join(f'({row})' for row in rows)}) AS t({columns})"


def ask(con: duckdb.DuckDBPyConnection, cubes: list[dict[str, Any]], query: dict[str, Any]) -> Rows:
    made = plan(shop.model(cubes, []), parse(query))
    return con.execute(made.sql, list(made.parameters)).fetchall()


def month(*numbers: int, year: int = 2025) -> list[datetime]:
    return [datetime(year, number, 1) for number in numbers]


def by(grain: str | None, *dates: str, name: str = "c.time") -> list[dict[str, Any]]:
    found: dict[str, Any] = {"dimension": name}
    if grain:
        found["granularity"] = grain
    return [found | ({"dateRange": list(dates)} if dates else {})]


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


DAYS = [
    "01-01",
    "01-11",
    "01-21",
    "01-31",
    "02-01",
    "02-11",
    "02-21",
    "03-01",
    "03-11",
    "03-21",
    "03-31",
    "04-01",
]


def timed(*measures: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    rows = [f"{n}, TIMESTAMP '2025-{day}'" for n, day in enumerate(DAYS, 1)]
    time = {"name": "time", "type": "time", "sql": "time"} | more
    return [
        {
            "name": "c",
            "sql": values("id, time", *rows),
            "dimensions": [shop.KEY, time],
            "measures": list(measures),
        }
    ]


def rolling(**window: Any) -> dict[str, Any]:
    return {"name": "rolling", "type": "count", "sql": "id", "rolling_window": window}


def test_a_cumulative_count_grows_from_month_to_month(con: duckdb.DuckDBPyConnection) -> None:
    query = {"measures": ["c.rolling"], "timeDimensions": by("month")}
    found = ask(con, timed(rolling(trailing="unbounded")), query)
    assert found == list(zip(month(1, 2, 3, 4), [4, 7, 11, 12], strict=True))


def test_a_date_range_limits_the_periods_and_not_the_rows_of_their_windows(
    con: duckdb.DuckDBPyConnection,
) -> None:
    query = {"measures": ["c.rolling"], "timeDimensions": by("month", "2025-03-01", "2025-05-31")}
    assert ask(con, timed(rolling(trailing="unbounded")), query) == list(
        zip(month(3, 4, 5), [11, 12, 12], strict=True)
    )
    assert ask(con, timed(rolling(trailing="2 month")), query) == list(
        zip(month(3, 4, 5), [7, 5, 1], strict=True)
    )


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        ({"trailing": "1 month"}, [4, 3, 4]),  # whole months, however many days the month has
        ({"trailing": "1 month", "offset": "start"}, [0, 4, 3]),
        ({"leading": "1 month", "offset": "start"}, [4, 3, 4]),
        ({"leading": "11 day"}, [2, 2, 1]),
        ({"trailing": "1 day", "leading": "1 day"}, [2, 1, 2]),
        ({"trailing": "2 month", "leading": "-1 month"}, [0, 4, 3]),
        ({"trailing": "unbounded", "leading": "unbounded"}, [12, 12, 12]),
        ({"type": "to_date", "granularity": "quarter"}, [4, 7, 11]),
        ({"type": "year_to_date"}, [4, 7, 11]),
        ({"type": "month_to_date"}, [4, 3, 4]),
    ],
)
def test_windows_reach_from_the_end_or_the_start_of_each_period(
    con: duckdb.DuckDBPyConnection, window: dict[str, Any], expected: list[int]
) -> None:
    query = {"measures": ["c.rolling"], "timeDimensions": by("month", "2025-01-01", "2025-03-31")}
    assert [count for _, count in ask(con, timed(rolling(**window)), query)] == expected


def test_a_date_range_without_a_granularity_is_one_period(con: duckdb.DuckDBPyConnection) -> None:
    query = {"measures": ["c.rolling"], "timeDimensions": by(None, "2025-02-01", "2025-02-28")}
    assert ask(con, timed(rolling(trailing="unbounded")), query) == [(7,)]
    assert ask(con, timed(rolling(trailing="1 month", offset="start")), query) == [(4,)]


def test_a_day_where_clocks_change_is_one_day_of_a_window(con: duckdb.DuckDBPyConnection) -> None:
    hours = [f"TIMESTAMP '2026-03-28 {h:02}:30'" for h in range(24)] + [
        f"TIMESTAMP '2026-03-29 {h:02}:30'" for h in range(24)
    ]
    cube = {
        "name": "c",
        "sql": values("id, time", *(f"{n}, {hour}" for n, hour in enumerate(hours))),
        "dimensions": [shop.KEY, {"name": "time", "type": "time", "sql": "time"}],
        "measures": [rolling(trailing="1 day")],
    }
    query = {
        "measures": ["c.rolling"],
        "timeDimensions": by("day", "2026-03-28", "2026-03-30"),
        "timezone": "Europe/Berlin",
    }
    # UTC 00:30 is 01:30 on the 28th; the 29th has 23 hours; two hours of the UTC day are on the 30th.
    assert [count for _, count in ask(con, [cube], query)] == [23, 23, 2]


REVENUE = [(year, number) for year in (2023, 2024, 2025) for number in range(1, 13)][3:30]


def prior() -> list[dict[str, Any]]:
    """1,000 in each month from April 2023 to June 2025."""
    return [
        {
            "name": "c",
            "sql": values("time, revenue", *(f"TIMESTAMP '{y}-{m:02}-01', 1000" for y, m in REVENUE)),
            "dimensions": [{"name": "time", "type": "time", "sql": "time"}],
            "measures": [
                {"name": "revenue", "type": "sum", "sql": "revenue"},
                {"name": "ytd", "type": "sum", "sql": "revenue", "rolling_window": {"type": "to_date", "granularity": "year"}},
                {"name": "year_ago", "multi_stage": True, "type": "number", "sql": "{revenue}",
                 "time_shift": [{"time_dimension": "time", "interval": "1 year", "type": "prior"}]},
                {"name": "ytd_ago", "multi_stage": True, "type": "number", "sql": "{ytd}",
                 "time_shift": [{"time_dimension": "time", "interval": "1 year", "type": "prior"}]},
                {"name": "year_later", "multi_stage": True, "type": "number", "sql": "{revenue}",
                 "time_shift": [{"interval": "1 year", "type": "next"}]},
            ],
        }
    ]  # fmt: skip


def test_a_year_ago_is_in_the_row_of_this_year(con: duckdb.DuckDBPyConnection) -> None:
    query = {
        "measures": ["c.revenue", "c.year_ago"],
        "timeDimensions": by("year", "2023-01-01", "2025-12-31"),
    }
    assert [row[1:] for row in ask(con, prior(), query)] == [(9000, None), (12000, 9000), (6000, 12000)]
    half = {"measures": ["c.revenue", "c.year_ago"], "timeDimensions": by(None, "2025-04-01", "2025-09-30")}
    assert ask(con, prior(), half) == [(3000, 6000)]
    assert ask(con, prior(), {"measures": ["c.year_ago", "c.revenue"]}) == [(27000, 27000)], (
        "no time is asked for"
    )


def test_a_shift_may_go_forward_and_stand_in_a_filter_of_dates(con: duckdb.DuckDBPyConnection) -> None:
    dates = {"member": "c.time", "operator": "inDateRange", "values": ["2024-01-01", "2024-12-31"]}
    query = {"measures": ["c.revenue", "c.year_later", "c.year_ago"], "filters": [dates]}
    assert ask(con, prior(), query) == [(12000, 6000, 9000)]


def test_year_to_date_a_year_ago(con: duckdb.DuckDBPyConnection) -> None:
    query = {"measures": ["c.ytd", "c.ytd_ago"], "timeDimensions": by("month", "2024-03-01", "2024-06-30")}
    assert [row[1:] for row in ask(con, prior(), query)] == [
        (3000, None), (4000, 1000), (5000, 2000), (6000, 3000),
    ]  # fmt: skip


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


def test_a_shifted_date_range_is_of_local_days(con: duckdb.DuckDBPyConnection) -> None:
    """Clocks in Berlin change on March 29: the day before ends at 23:00 UTC, the day itself at 22:00."""
    cube = {
        "name": "c",
        "sql": values("id, time", "1, TIMESTAMP '2026-03-28 22:30'", "2, TIMESTAMP '2026-03-29 21:30'", "3, TIMESTAMP '2026-03-29 22:30'"),
        "dimensions": [shop.KEY, {"name": "time", "type": "time", "sql": "time"}],
        "measures": [{"name": "count", "type": "count"},
                     {"name": "before", "multi_stage": True, "type": "number", "sql": "{count}",
                      "time_shift": [{"interval": "1 day", "type": "prior"}]}],
    }  # fmt: skip
    for day, before in (("2026-03-29", 1), ("2026-03-30", 1), ("2026-03-31", 1), ("2026-03-28", 0)):
        query = {"measures": ["c.before"], "timeDimensions": by(None, day, day), "timezone": "Europe/Berlin"}
        assert ask(con, [cube], query) == [(before,)], day


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


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"measures": ["c.rolling"]}, "needs a time dimension with a granularity or a dateRange"),
        ({"measures": ["c.rolling"], "dimensions": ["c.time"], "timeDimensions": by("day")}, "give 'c.time' a granularity"),
        ({"measures": ["c.rolling"], "dimensions": ["c.time.week"], "timeDimensions": by("month")}, "weeks do not fit"),
        ({"measures": ["c.rolling"], "ungrouped": True, "timeDimensions": by("day")}, "cannot be asked ungrouped"),
        ({"measures": ["c.rolling"], "timeDimensions": by("minute", "2020-01-01", "2025-12-31")}, "more than 100000 periods"),
        ({"measures": ["c.rolling"], "timeDimensions": by("own")}, "no series of periods"),
        ({"measures": ["c.count"], "timeDimensions": by("onw")}, "did you mean 'own'"),
    ],
)  # fmt: skip
def test_a_window_that_cannot_be_computed_is_refused(query: dict[str, Any], said: str) -> None:
    cubes = timed(
        rolling(trailing="1 day"),
        {"name": "count", "type": "count"},
        granularities=[{"name": "own", "sql": "time"}],
    )
    with pytest.raises(QueryError, match=said):
        plan(shop.model(cubes, []), parse(query))


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
