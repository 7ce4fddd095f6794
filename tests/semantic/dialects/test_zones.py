"""Columns of dates, of times in UTC and of times with a zone: cut, filtered and rolled alike in every engine."""

from typing import Any

import duckdb
import pytest

from ingot.semantic.planner.plan import plan
from ingot.semantic.query import parse
from tests.semantic import shop
from tests.semantic.dialects import things

KINDS = {"naive": "t", "zoned": "CAST({CUBE}.t AS TIMESTAMPTZ)", "day": "day"}
ZONES = ["UTC", "America/New_York", "Asia/Kolkata"]
GRAINS = ["hour", "day", "week", "quarter", "fortnight", "late_month"]
OWN = [
    {"name": "fortnight", "interval": "2 weeks", "origin": "2026-01-04T12:00:00.000"},
    {"name": "late_month", "interval": "1 month", "offset": "-1 day"},
]
ENGINES = [
    "postgres_things",
    *(
        pytest.param(one, marks=[pytest.mark.slow, pytest.mark.timeout(300)])
        for one in ("trino_things", "spark_things")
    ),
]


def model(sql: str) -> Any:
    time = {"name": "time", "type": "time", "sql": sql, "granularities": OWN}
    measures = [
        {"name": "count", "type": "count"},
        {"name": "rolled", "type": "sum", "sql": "a", "rolling_window": {"trailing": "1 month", "leading": "1 day"}},
    ]  # fmt: skip
    cube = {
        "name": "things",
        "sql_table": "gold.things",
        "dimensions": [shop.KEY, time],
        "measures": measures,
    }
    return shop.model([cube], [])


MODELS = {kind: model(sql) for kind, sql in KINDS.items()}


def queries(zone: str) -> list[dict[str, Any]]:
    dates = ["2026-01-31", "2026-03-29"]
    found = [
        {"measures": ["things.count"], "timeDimensions": [{"dimension": "things.time", "granularity": grain}]}
        for grain in GRAINS
    ]
    ranged = {"dimension": "things.time", "granularity": "week", "dateRange": dates}
    found.append({"measures": ["things.count", "things.rolled"], "timeDimensions": [ranged]})
    return [one | {"timezone": zone} for one in found]


def in_duckdb(made: Any) -> list[tuple[Any, ...]]:
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        con.execute("CREATE SCHEMA gold")
        things.fill(con)
        return con.execute(made.sql, list(made.parameters)).fetchall()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("kind", KINDS)
def test_times_are_cut_filtered_and_rolled_as_in_duckdb(
    engine: str, zone: str, kind: str, request: pytest.FixtureRequest
) -> None:
    asked = request.getfixturevalue(engine)
    for one in queries(zone):
        expected = in_duckdb(plan(MODELS[kind], parse(one)))
        found = asked.rows(plan(MODELS[kind], parse(one), dialect=asked.dialect))
        assert found == expected, one
        assert len(expected) > 2
