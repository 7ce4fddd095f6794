"""Periods, windows and stages over one table of sales, against SQL that is written by hand for each."""

from collections.abc import Iterator
from typing import Any

import pytest

from ingot.semantic import Service
from tests.semantic.audit.bench import Bench, bench, rows
from tests.semantic.audit.sales import MODEL, TABLES

ZONES = ("UTC", "America/New_York", "Asia/Kathmandu", "Pacific/Auckland")
WINDOWS = [
    f"sales.{name}"
    for name in ("trail7", "trail1m", "trail1m_start", "lead3", "around", "cum", "ytd", "qtd", "mtd_avg")
]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with bench(tmp_path_factory.mktemp("times"), TABLES) as made:
        yield made


@pytest.fixture(scope="module")
def service(lake: Bench) -> Service:
    return lake.service(MODEL)


def local(zone: str) -> str:
    """The local time of a sale in DuckDB's SQL."""
    return f"(ts AT TIME ZONE 'UTC' AT TIME ZONE '{zone}')"


def agree(lake: Bench, service: Service, query: dict[str, Any], sql: str) -> None:
    assert sorted(rows(service, {"limit": 50_000, **query}), key=str) == sorted(lake.sql(sql), key=str)


OWN = {
    "fiscal_year": "make_timestamp(CASE WHEN month({t}) >= 4 THEN year({t}) ELSE year({t}) - 1 END, 4, 1, 0, 0, 0.0)",
    "fiscal_quarter": "(date_trunc('quarter', {t} - INTERVAL 1 MONTH) + INTERVAL 1 MONTH)::TIMESTAMP",
    "sunday_week": "(date_trunc('week', {t} + INTERVAL 1 DAY) - INTERVAL 1 DAY)::TIMESTAMP",
    "mid_month": "(CASE WHEN day({t}) >= 15 THEN date_trunc('month', {t}) ELSE date_trunc('month', {t}) - INTERVAL 1 MONTH END + INTERVAL 14 DAY)::TIMESTAMP",
    "fortnight": "(DATE '2024-01-04' + 14 * floor(datediff('day', DATE '2024-01-04', {t}::DATE) / 14.0)::INT)::TIMESTAMP",
}


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("granularity", ["day", "week", "month", "quarter", "year", *OWN])
def test_periods_are_those_of_the_zone(lake: Bench, service: Service, zone: str, granularity: str) -> None:
    start = OWN.get(granularity, f"date_trunc('{granularity}', {{t}})::TIMESTAMP").format(t=local(zone))
    query = {
        "measures": ["sales.count", "sales.amount", "sales.agent_count"],
        "timeDimensions": [{"dimension": "sales.ts", "granularity": granularity}],
        "timezone": zone,
    }
    agree(
        lake,
        service,
        query,
        f"SELECT {start}, count(*), sum(amount), count(DISTINCT agent) FROM gold.sales GROUP BY 1",
    )


@pytest.mark.parametrize(
    "zone", [*ZONES[:2], *(pytest.param(zone, marks=pytest.mark.slow) for zone in ZONES[2:])]
)
@pytest.mark.parametrize(
    ("unit", "length"), [("day", "1 day"), ("week", "7 day"), ("month", "1 month"), ("quarter", "3 month")]
)
@pytest.mark.parametrize(
    "ranged", [("2024-01-17", "2024-03-02"), ("2024-02-29", "2024-02-29"), None, ("2023-01-01", "2025-06-01")]
)
def test_windows_hold_the_rows_between_their_ends(
    lake: Bench, service: Service, zone: str, unit: str, length: str, ranged: tuple[str, str] | None
) -> None:
    t = local(zone)
    first, last = f"(SELECT min({t}) FROM gold.sales)", f"(SELECT max({t}) FROM gold.sales)"
    time: dict[str, Any] = {"dimension": "sales.ts", "granularity": unit}
    if ranged is not None:
        first, last = f"TIMESTAMP '{ranged[0]}'", f"TIMESTAMP '{ranged[1]} 23:59:59'"
        time["dateRange"] = list(ranged)

    def over(value: str, condition: str) -> str:
        return f"(SELECT {value} FROM gold.sales WHERE {condition})"

    sql = f"""
        SELECT s, {over("sum(amount)", f"{t} >= e - INTERVAL 7 DAY AND {t} < e")},
          {over("sum(amount)", f"{t} >= e - INTERVAL 1 MONTH AND {t} < e")},
          {over("count(*)", f"{t} >= s - INTERVAL 1 MONTH AND {t} < s")},
          {over("count(*)", f"{t} >= e AND {t} < e + INTERVAL 3 DAY")},
          {over("count(DISTINCT agent)", f"{t} >= s - INTERVAL 2 DAY AND {t} < s + INTERVAL 1 DAY")},
          {over("sum(amount)", f"{t} < e")},
          {over("sum(amount)", f"{t} >= date_trunc('year', s) AND {t} < e")},
          {over("count(*)", f"{t} >= date_trunc('quarter', s) AND {t} < e")},
          {over("avg(amount)", f"{t} >= date_trunc('month', s) AND {t} < e")}
        FROM (SELECT s, s + INTERVAL '{length}' AS e FROM (SELECT unnest(generate_series(
          date_trunc('{unit}', {first})::TIMESTAMP, {last}::TIMESTAMP, INTERVAL '{length}')) AS s))"""
    agree(lake, service, {"measures": WINDOWS, "timeDimensions": [time], "timezone": zone}, sql)


@pytest.mark.parametrize("zone", ZONES[:2])
def test_stages_are_computed_at_grains_of_their_own(lake: Bench, service: Service, zone: str) -> None:
    """`group_by: []` is the value over all groups, also in the row of each."""
    base = "gold.sales s LEFT JOIN gold.shops h ON s.shop = h.id"
    names = ("amount", "no_name", "share", "avg_by_agent", "rnk", "max_day", "all_amount")
    query = {
        "measures": [f"sales.{name}" for name in names],
        "dimensions": ["shops.area", "shops.name"],
        "timezone": zone,
    }
    sql = f"""
        WITH g AS (SELECT area, name, sum(amount) AS a, count(*) AS c FROM {base} GROUP BY ALL),
          t AS (SELECT area, sum(amount) AS a FROM {base} GROUP BY ALL),
          agents AS (SELECT area, name, avg(a) AS x FROM (SELECT area, name, agent, sum(amount) AS a FROM {base} GROUP BY ALL) GROUP BY ALL),
          days AS (SELECT area, name, max(c) AS x FROM (
            SELECT area, name, date_trunc('day', {local(zone)}) AS d, count(*) AS c FROM {base} GROUP BY ALL) GROUP BY ALL)
        SELECT g.area, g.name, g.a, t.a, g.a / nullif(t.a, 0), agents.x,
          rank() OVER (PARTITION BY g.area ORDER BY g.c DESC), days.x, (SELECT sum(amount) FROM gold.sales)
        FROM g JOIN t ON g.area IS NOT DISTINCT FROM t.area
          JOIN agents ON agents.area IS NOT DISTINCT FROM g.area AND agents.name IS NOT DISTINCT FROM g.name
          JOIN days ON days.area IS NOT DISTINCT FROM g.area AND days.name IS NOT DISTINCT FROM g.name"""
    agree(lake, service, query, sql)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(
    ("unit", "first", "last"), [("month", "2024-01-01", "2024-12-31"), ("day", "2024-03-25", "2024-04-02")]
)
def test_the_previous_month_is_that_of_the_calendar(
    lake: Bench, service: Service, zone: str, unit: str, first: str, last: str
) -> None:
    query = {
        "measures": ["sales.amount", "sales.prev_month", "sales.growth"],
        "timeDimensions": [{"dimension": "sales.ts", "granularity": unit, "dateRange": [first, last]}],
        "timezone": zone,
    }
    t = local(zone)
    sql = f"""
        WITH a AS (SELECT date_trunc('{unit}', {t})::TIMESTAMP AS p, sum(amount) AS x FROM gold.sales GROUP BY 1),
          b AS (SELECT date_trunc('{unit}', {t} + INTERVAL 1 MONTH)::TIMESTAMP AS p, sum(amount) AS x FROM gold.sales GROUP BY 1)
        SELECT coalesce(a.p, b.p), a.x, b.x, a.x / nullif(b.x, 0) FROM a FULL JOIN b ON a.p = b.p
        WHERE coalesce(a.p, b.p) BETWEEN '{first}' AND '{last}'"""
    agree(lake, service, query, sql)


def test_large_integers_are_exact(lake: Bench, service: Service) -> None:
    total = service.load({"measures": ["sales.big", "sales.bigmax"]})["data"][0]
    assert total == {"sales.big": str(300 * 9007199254740993 + 299 * 150), "sales.bigmax": "9007199254741292"}
