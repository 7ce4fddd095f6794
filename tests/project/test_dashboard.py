"""Dashboards: all defaults filled in, every mistake said."""

import json

import pytest

from ingot.project import Kpi, TableTile, Trend

from .conftest import Folder

PAGE = """
time: {dimension: sales.order_date, range: last 12 months}
tiles:
  - {type: kpi, title: Revenue, measures: [sales.total_revenue], format: currency}
  - {type: kpi, measures: sales.order_count, time: null, better: down}
  - {type: trend, title: Revenue, measures: [sales.total_revenue], dimensions: [sales.segment]}
  - type: breakdown
    measures: [sales.total_revenue]
    dimensions: [sales.segment]
    order: {sales.total_revenue: desc}
    filters: [{member: sales.status, operator: equals, values: [done]}]
  - {type: table, measures: [sales.total_revenue], time: sales.shipped_at, width: 6}
"""


def test_a_dashboard_has_all_defaults(folder: Folder) -> None:
    folder.write("dashboards/executive_summary.yml", PAGE)
    (page,) = folder.load().dashboards
    assert (page.name, page.title) == ("executive_summary", "Executive summary")
    assert page.time is not None
    assert (page.time.range, page.time.granularity) == ("last 12 months", "auto")
    revenue, count, trend, breakdown, table = page.tiles
    assert isinstance(revenue, Kpi)
    assert (revenue.name, revenue.width, revenue.better, revenue.time) == (
        "revenue",
        3,
        "up",
        "sales.order_date",
    )
    assert isinstance(count, Kpi)
    assert (count.name, count.title, count.time, count.measures) == (
        "order-count",
        "Order count",
        None,
        ("sales.order_count",),
    )
    assert isinstance(trend, Trend)
    assert (trend.name, trend.width, trend.chart, trend.granularity) == ("revenue-2", 8, "area", None)
    assert breakdown.type == "breakdown"
    assert (breakdown.width, breakdown.chart, breakdown.limit) == (4, "bar", 10)
    assert breakdown.order == {"sales.total_revenue": "desc"}
    assert breakdown.filters[0].values == ("done",)
    assert isinstance(table, TableTile)
    assert (table.width, table.limit, table.time) == (6, 20, "sales.shipped_at")


def test_a_dashboard_becomes_json_by_the_files_keys(folder: Folder) -> None:
    folder.write("dashboards/d.yml", PAGE)
    (page,) = folder.load().dashboards
    made = page.model_dump(mode="json")
    assert made == json.loads(page.model_dump_json())
    assert made["tiles"][0] == {
        "name": "revenue", "title": "Revenue", "description": None, "measures": ["sales.total_revenue"],
        "dimensions": [], "filters": [], "segments": [], "time": "sales.order_date", "format": "currency", "width": 3,
        "type": "kpi", "better": "up",
    }  # fmt: skip
    assert made["time"] == {"dimension": "sales.order_date", "range": "last 12 months", "granularity": "auto"}
    assert "place" not in json.dumps(made)


def test_a_range_may_be_two_days(folder: Folder) -> None:
    folder.write("dashboards/d.yml", "time: {dimension: a.b, range: [2026-01-01, 2026-03-31]}")
    (page,) = folder.load().dashboards
    assert page.time is not None
    assert page.time.range == ("2026-01-01", "2026-03-31")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tiles: [{type: kpi, measures: [a.b, a.c]}]", "'measures' of kpi tile 'b' has 2 entries (expected at most 1)"),
        ("tiles: [{type: kpi}]", "kpi tile 'kpi' has no 'measures'"),
        ("tiles: [{type: kpi, measures: [a.b], dimensions: [a.c]}]", "'dimensions' of kpi tile 'b' has 1 entry (expected at most 0)"),
        ("tiles: [{type: chart, measures: [a.b]}]", "unknown value 'chart' for 'type' of 'tiles'"),
        ("tiles: [{measures: [a.b]}]", "an entry in 'tiles' of dashboard 'd' has no 'type'"),
        ("tiles: [{type: [kpi], measures: [a.b]}]", "unknown value 'a list' for 'type'"),
        ("tiles: [{type: trend, measures: [a.b], chrat: line}]", "unknown key 'chrat' in trend tile 'b'; did you mean 'chart'?"),
        ("tiles: [{type: trend, measures: [revenue]}]", "'measures' of trend tile 'revenue' cannot be 'revenue' (expected a member such as orders.total_revenue)"),
        ("tiles: [{type: table}]", "table tile 'table' has neither 'measures' nor 'dimensions'"),
        ("tiles: [{type: table, measures: [a.b], width: 13}]", "'width' of table tile 'b' cannot be '13' (expected at most 12)"),
        ("tiles: [{type: table, measures: [a.b], order: {a.b: down}}]", "unknown value 'down' for 'order' of table tile 'b'"),
        ("tiles: [{type: kpi, name: x, measures: [a.b]}, {type: kpi, name: x, measures: [a.c]}]", "the tile 'x' of dashboard 'd' has the name of another, first at dashboards/d.yml:1:27"),
        ("time: {dimension: a.b, range: [2026-01-01]}", "'range' of time has too few entries (expected more than 1)"),
        ("time: {dimension: a.b, range: [2026-05-01, 2026-01-01]}", "the range ends before it begins"),
        ("time: {dimension: a.b, range: [2026-02-30, 2026-03-01]}", "'2026-02-30' is not a date"),
        ("time: {range: today}", "time has no 'dimension'"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_dashboard_is_said(folder: Folder, text: str, expected: str) -> None:
    folder.write("dashboards/d.yml", text)
    said = folder.problems()
    assert any(expected in line for line in said), said
