"""Three facts over two shared dimensions: rolled up, restricted by policies, and both, must all answer alike.

What a policy leaves is compared with a lake from which the hidden rows were taken away beforehand.
"""

import random
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from ingot.semantic import Service
from ingot.semantic.errors import QueryError
from tests.semantic.audit import sales
from tests.semantic.audit.bench import bench, rows

TABLES = {
    **sales.TABLES,
    "visits": """SELECT i::BIGINT id, i%6 shop, (i*5)%3 agent, TIMESTAMP '2024-03-10 04:30:00' + INTERVAL (i*5) HOUR ts, i%4=0 bounced FROM range(80) t(i)""",
    "costs": """SELECT i::BIGINT id, i%4 shop, NULLIF(i%5,4) agent, TIMESTAMP '2024-01-31 23:00:00' + INTERVAL (i) DAY ts, (i%7-3)/8.0 v FROM range(60) t(i)""",
    "agents": """SELECT * FROM (VALUES (0,'a0'),(1,'a1'),(2,NULL),(5,'a5')) t(id,name)""",
}
CUBES = """
- name: agents
  sql_table: gold.agents
  dimensions:
  - {name: id, type: number, sql: id, primary_key: true}
  - {name: name, type: string, sql: name}
  - {name: sold, type: number, sql: "{sales.amount}", sub_query: true}
  - {name: sold_here, type: number, sql: "{sales.amount}", sub_query: true, propagate_filters_to_sub_query: true}
  measures:
  - {name: count, type: count}
  - {name: total_sold, type: sum, sql: "{sold}"}
  - {name: per_visit, type: number, sql: "{sales.amount} / NULLIF({visits.count}, 0) + {costs.v}"}
- name: visits
  sql_table: gold.visits
  joins:
  - {name: agents, relationship: many_to_one, sql: "{CUBE}.agent = {agents}.id"}
  - {name: shops, relationship: many_to_one, sql: "{CUBE}.shop = {shops}.id"}
  dimensions:
  - {name: id, type: number, sql: id, primary_key: true}
  - {name: ts, type: time, sql: ts}
  - {name: bounced, type: boolean, sql: bounced}
  segments:
  - {name: stayed, sql: "NOT {CUBE}.bounced"}
  - {name: north_or_stayed, sql: "{shops.area} = 'n' OR NOT {CUBE}.bounced"}
  measures:
  - {name: count, type: count}
  - {name: north, type: count, filters: [{sql: "{shops.area} = 'n' OR {shops.area} IS NULL"}, {sql: "{bounced} OR {agents.name} = 'a1'"}]}
- name: costs
  sql_table: gold.costs
  joins:
  - {name: agents, relationship: many_to_one, sql: "{CUBE}.agent = {agents}.id"}
  - {name: shops, relationship: many_to_one, sql: "{CUBE}.shop = {shops}.id"}
  dimensions:
  - {name: id, type: number, sql: id, primary_key: true}
  - {name: ts, type: time, sql: ts}
  measures:
  - {name: count, type: count}
  - {name: v, type: sum, sql: v}
- name: filtered
  sql: "SELECT * FROM gold.sales WHERE {FILTER_PARAMS.filtered.ts.filter('ts')} AND {FILTER_PARAMS.filtered.shop.filter('shop')}"
  dimensions:
  - {name: id, type: number, sql: id, primary_key: true}
  - {name: ts, type: time, sql: ts}
  - {name: shop, type: number, sql: shop}
  - {name: agent, type: number, sql: agent}
  measures:
  - {name: count, type: count}
  - {name: cum, type: count, rolling_window: {trailing: unbounded}}
  - {name: week, type: count, rolling_window: {trailing: 7 day}}
  - {name: before, type: number, sql: "{count}", multi_stage: true, time_shift: [{interval: 1 month, type: prior}]}
views:
- name: v
  cubes:
  - {join_path: sales, includes: "*"}
  - {join_path: sales.shops, prefix: true, alias: sh, includes: [name, {name: area, alias: zone}, count]}
  - {join_path: sales.agents, prefix: true, includes: "*"}
  default_filters:
  - {member: sh_zone, operator: equals, values: [n], unless: [sh_name]}
"""
MODEL = "cubes:\n" + sales.SALES.replace("  joins:\n", sales.AGENTS_JOIN, 1) + sales.SHOPS + CUBES
ROLLUPS = """  pre_aggregations:
  - {name: hourly, measures: [count, amount, mean, big, bigmax, first_ts, agent_count], dimensions: [shops.area, shops.name, agents.name, agent], time_dimension: ts, granularity: hour, partition_granularity: month}
  - {name: daily, measures: [count, amount, mean], dimensions: [shops.name], time_dimension: ts, granularity: day}
  - {name: flat, measures: [count, amount, agent_count, bigmax], dimensions: [shops.area]}
  - {name: monthly, measures: [count, amount], dimensions: [agents.name, agents.sold], time_dimension: ts, granularity: month, build_range_start: {sql: "SELECT '2024-01-01'"}, build_range_end: {sql: "SELECT '2024-06-30'"}}
  - {name: fiscal, measures: [count, amount], dimensions: [shops.area], time_dimension: ts, granularity: fiscal_quarter}
"""
SHOPS = """  access_policy:
  - group: "*"
    row_level: {filters: [{or: [{member: area, operator: equals, values: [n]}, {member: name, operator: notSet}]}]}
"""
SALES = """  access_policy:
  - group: "*"
    row_level: {filters: [{member: agent, operator: notEquals, values: ["1"]}]}
"""
AFTER_SHOPS = "  measures:\n  - {name: count, type: count}\n\n- name: agents"


def restricted(model: str) -> str:
    """The model with row filters on shops and sales."""
    assert AFTER_SHOPS in model
    return model.replace(AFTER_SHOPS, SHOPS + AFTER_SHOPS, 1).replace(
        "- name: shops\n", SALES + "- name: shops\n", 1
    )


class Services(NamedTuple):
    plain: Service
    rolled: Service
    cut: Service
    policed: Service
    both: Service


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    stored = MODEL.replace("- name: shops\n", ROLLUPS + "- name: shops\n", 1)
    less = {
        **TABLES,
        "sales": f"SELECT * FROM ({TABLES['sales']}) WHERE agent <> 1 OR agent IS NULL",
        "shops": f"SELECT * FROM ({TABLES['shops']}) WHERE area = 'n' OR name IS NULL",
    }
    with (
        bench(tmp_path_factory.mktemp("all"), TABLES) as whole,
        bench(tmp_path_factory.mktemp("less"), less) as cut,
    ):
        yield Services(
            whole.service(MODEL),
            whole.service(stored, rollups=True),
            cut.service(MODEL),
            whole.service(restricted(MODEL)),
            whole.service(restricted(stored), rollups=True),
        )


MEASURES = [
    "count", "amount", "mean", "big", "bigmax", "first_ts", "agent_count", "area_amount", "all_amount", "no_name",
    "share", "avg_by_agent", "max_day", "prev_month", "growth", "rnk",
]  # fmt: skip
ROLLING = [
    "trail7", "trail1m", "trail1m_start", "lead3", "around", "cum", "ytd", "qtd", "mtd_avg", "prev_year_ytd",
]  # fmt: skip
DIMENSIONS = ["shops.area", "shops.name", "agents.name", "agents.sold", "sales.agent"]
OTHERS = ["visits.count", "visits.north", "costs.v", "agents.count", "agents.total_sold", "shops.count"]
UNITS = ["hour", "day", "week", "month", "quarter", "year", "fiscal_year", "fiscal_quarter", "sunday_week"]
ZONES = ["UTC", "UTC", "America/New_York", "Asia/Kathmandu", "Europe/Berlin"]
RANGES = [
    ["2024-01-01", "2024-03-31"], ["2024-02-29", "2024-02-29"], ["2023-12-28", "2024-01-03"],
    ["2024-03-10T02:00:00", "2024-03-12T13:30:00"], ["2023-01-01", "2025-12-31"],
]  # fmt: skip
FILTERS: list[dict[str, Any]] = [
    {"member": "shops.area", "operator": "equals", "values": ["n"]},
    {"member": "shops.name", "operator": "notSet"},
    {"member": "shops.name", "operator": "notEquals", "values": ["A"]},
    {"member": "agents.name", "operator": "contains", "values": ["1"]},
    {"member": "sales.agent", "operator": "gt", "values": ["1"]},
    {"member": "sales.ts", "operator": "afterDate", "values": ["2024-02-29"]},
    {"member": "agents.sold", "operator": "gt", "values": ["500"]},
]


def question(chance: random.Random) -> dict[str, Any]:
    names = chance.sample([*MEASURES, *ROLLING], chance.choice([1, 1, 2, 3]))
    query: dict[str, Any] = {
        "measures": [f"sales.{name}" for name in names],
        "dimensions": chance.sample(DIMENSIONS, chance.choice([0, 1, 1, 2])),
        "timezone": chance.choice(ZONES),
        "limit": 50_000,
        "filters": [],
    }
    if chance.random() < 0.2:
        query["measures"].append(chance.choice(OTHERS))
    if chance.random() < 0.6 or set(names) & set(ROLLING):
        time = {"dimension": "sales.ts", "granularity": chance.choice(UNITS)}
        ranged = {"dateRange": chance.choice(RANGES)} if chance.random() < 0.7 else {}
        query["timeDimensions"] = [{**time, **ranged}]
    if chance.random() < 0.5:
        query["filters"].append(chance.choice(FILTERS))
    if chance.random() < 0.3:
        query["filters"].append({"or": chance.sample(FILTERS, 2)})
    if chance.random() < 0.15 and names[0] != "first_ts":
        query["filters"].append({"member": f"sales.{names[0]}", "operator": "gt", "values": ["3"]})
    return query


def answer(service: Service, query: dict[str, Any]) -> Any:
    """The rows, or that there is no answer."""
    try:
        return sorted(rows(service, query), key=str)
    except QueryError:
        return None


def agreed(services: Services, seed: int) -> bool:
    query = question(random.Random(seed))
    plain = answer(services.plain, query)
    assert answer(services.rolled, query) == plain, query
    cut = answer(services.cut, query)
    assert answer(services.policed, query) == cut, query
    assert answer(services.both, query) == cut, query
    return plain is not None


def test_rollups_and_policies_change_no_number(services: Services) -> None:
    assert sum(agreed(services, seed) for seed in range(12)) > 8


@pytest.mark.slow
@pytest.mark.parametrize("first", range(100, 300, 50))
def test_rollups_and_policies_change_no_number_of_many(services: Services, first: int) -> None:
    assert sum(agreed(services, seed) for seed in range(first, first + 50)) > 35


def test_rollups_are_read(services: Services) -> None:
    query = {"measures": ["sales.amount"], "dimensions": ["shops.area"]}
    assert services.rolled.rollups is not None
    assert "#stored" in services.rolled.sql(query)["sql"]["sql"][0]
