# ruff: noqa: DTZ001 - local times
"""Windows that roll and dates that shift by example: the tables of Cube's documentation, and what is refused."""

from datetime import datetime
from typing import Any

import duckdb
import pytest

from ingot.semantic import QueryError
from ingot.semantic.planner.plan import plan
from ingot.semantic.query import parse
from tests.semantic import shop
from tests.semantic.steps import ask, values


def month(*numbers: int, year: int = 2025) -> list[datetime]:
    return [datetime(year, number, 1) for number in numbers]


def by(grain: str | None, *dates: str, name: str = "c.time") -> list[dict[str, Any]]:
    found: dict[str, Any] = {"dimension": name}
    if grain:
        found["granularity"] = grain
    return [found | ({"dateRange": list(dates)} if dates else {})]


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
