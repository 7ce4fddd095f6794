"""Date operators against local calendar days computed in Python, where clocks change and at the last microsecond."""

# ruff: noqa: DTZ001 - times in tables have no zone
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from ingot.engines.duckdb import connect
from ingot.semantic.planner.plan import plan
from ingot.semantic.query import parse
from tests.semantic import shop

MODEL = shop.model()
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "America/Havana", "Asia/Kathmandu", "Pacific/Apia"]
FIRST, LAST = date(2026, 10, 25), date(2026, 11, 1)
HOURS = [datetime(2026, 10, 24) + timedelta(minutes=30 * n) for n in range(2 * 24 * 10)]
TIMES = [
    *HOURS,
    *(hour - timedelta(microseconds=1) for hour in HOURS),
    *(hour - timedelta(microseconds=500) for hour in HOURS),
]

OPERATORS: list[tuple[str, list[date], Callable[[date], bool]]] = [
    ("inDateRange", [FIRST, LAST], lambda day: FIRST <= day <= LAST),
    ("notInDateRange", [FIRST, LAST], lambda day: not FIRST <= day <= LAST),
    ("onTheDate", [FIRST], lambda day: day == FIRST),
    ("onTheDate", [LAST], lambda day: day == LAST),
    ("beforeDate", [LAST], lambda day: day < LAST),
    ("beforeOrOnDate", [LAST], lambda day: day <= LAST),
    ("afterDate", [FIRST], lambda day: day > FIRST),
    ("afterOrOnDate", [FIRST], lambda day: day >= FIRST),
]


@pytest.mark.parametrize("zone", ZONES)
def test_a_date_means_the_whole_local_day(zone: str) -> None:
    with connect() as con:
        shop.fill(con, {name: [] for name in shop.TABLES})
        con.execute(
            "INSERT INTO gold.orders (id, created_at) SELECT row_number() OVER (), unnest FROM unnest(?::TIMESTAMP[])",
            [TIMES],
        )
        con.execute("INSERT INTO gold.orders (id) VALUES (0)")
        for operator, days, holds in OPERATORS:
            one = {
                "member": "orders.created_at",
                "operator": operator,
                "values": [day.isoformat() for day in days],
            }
            made = plan(MODEL, parse({"measures": ["orders.count"], "filters": [one], "timezone": zone}))
            local = [time.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).date() for time in TIMES]
            (found,) = con.execute(made.sql, list(made.parameters)).fetchall()
            assert found == (sum(holds(day) for day in local),), (operator, days)


@pytest.mark.parametrize("zone", ZONES)
def test_days_of_a_zone_by_granularity_add_up_to_the_days_filtered_one_by_one(zone: str) -> None:
    with connect() as con:
        shop.fill(con, {name: [] for name in shop.TABLES})
        con.execute(
            "INSERT INTO gold.orders (id, created_at) SELECT row_number() OVER (), unnest FROM unnest(?::TIMESTAMP[])",
            [TIMES],
        )
        grouped = plan(
            MODEL,
            parse({"measures": ["orders.count"], "dimensions": ["orders.created_at.day"], "timezone": zone}),
        )
        for day, count in con.execute(grouped.sql, list(grouped.parameters)).fetchall():
            time = {"dimension": "orders.created_at", "dateRange": f"{day:%Y-%m-%d}"}
            single = plan(
                MODEL, parse({"measures": ["orders.count"], "timeDimensions": [time], "timezone": zone})
            )
            assert con.execute(single.sql, list(single.parameters)).fetchall() == [(count,)], day
