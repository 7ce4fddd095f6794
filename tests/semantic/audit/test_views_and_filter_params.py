"""Row filters of views and cubes, `FILTER_PARAMS` in a cube's SQL, and stages that drop or move a filter, together."""

from collections.abc import Iterator
from typing import Any

import pytest

from ingot.semantic import Service
from tests.semantic.audit.bench import Bench, bench, rows
from tests.semantic.audit.test_rolled_and_restricted import MODEL, TABLES

DEFAULT = "  default_filters:\n  - {member: sh_zone, operator: equals, values: [n], unless: [sh_name]}\n"
VIEW = """  access_policy:
  - group: "*"
    row_level: {filters: [{member: sh_zone, operator: equals, values: [n]}]}
"""
CUBE = """- name: filtered
  access_policy:
  - group: "*"
    row_level: {filters: [{member: shop, operator: equals, values: ["1"]}]}
"""
STAGES = """  - {name: tot, type: number, sql: "{count}", multi_stage: true, group_by: []}
  - {name: unf, type: number, sql: "{count}", multi_stage: true, filter: {keep_only: []}}
  - {name: week"""
SOLD = "gold.sales x LEFT JOIN gold.shops h ON x.shop = h.id WHERE area = 'n'"
FEBRUARY = {"dimension": "filtered.ts", "dateRange": ["2024-02-01", "2024-02-29"]}


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with bench(tmp_path_factory.mktemp("views"), TABLES) as made:
        yield made


@pytest.fixture(scope="module")
def service(lake: Bench) -> Service:
    model = MODEL
    for old, new in ((DEFAULT, VIEW), ("- name: filtered\n", CUBE), ("  - {name: week", STAGES)):
        assert model.count(old) == 1
        model = model.replace(old, new)
    return lake.service(model)


CASES: list[tuple[dict[str, Any], str]] = [
    (
        {"measures": ["v.amount", "v.all_amount", "v.share"], "dimensions": ["v.sh_name"]},
        f"""WITH t AS (SELECT sum(amount) AS a FROM {SOLD})
            SELECT h.name, sum(amount), any_value(t.a), sum(amount) / any_value(t.a) FROM t, {SOLD} GROUP BY 1""",
    ),
    (
        {
            "measures": ["v.cum", "v.prev_month"],
            "timeDimensions": [{"dimension": "v.ts", "granularity": "month", "dateRange": ["2024-02-01", "2024-04-30"]}],
        },
        f"""SELECT p, (SELECT sum(amount) FROM {SOLD} AND ts < p + INTERVAL 1 MONTH),
              (SELECT sum(amount) FROM {SOLD} AND ts >= p - INTERVAL 1 MONTH AND ts < p)
            FROM (SELECT unnest(generate_series(TIMESTAMP '2024-02-01', TIMESTAMP '2024-04-30', INTERVAL 1 MONTH)) AS p)""",
    ),
    ({"measures": ["v.sh_count", "v.count"]}, f"SELECT count(DISTINCT h.id), count(*) FROM {SOLD}"),
    (
        {"measures": ["filtered.count", "filtered.tot", "filtered.unf"], "dimensions": ["filtered.agent"]},
        """SELECT agent, count(*), (SELECT count(*) FROM gold.sales WHERE shop = 1), count(*)
           FROM gold.sales WHERE shop = 1 GROUP BY 1""",
    ),
    (
        {
            "measures": ["filtered.count", "filtered.unf", "filtered.before"],
            "dimensions": ["filtered.agent"],
            "timeDimensions": [FEBRUARY],
        },
        """SELECT agent, count(*) FILTER (month(ts) = 2 AND year(ts) = 2024), count(*), count(*) FILTER (month(ts) = 1 AND year(ts) = 2024)
           FROM gold.sales WHERE shop = 1 GROUP BY 1 HAVING count(*) FILTER (ts >= '2024-01-01' AND ts < '2024-03-01') > 0""",
    ),
    (
        {
            "measures": ["filtered.cum"],
            "filters": [{"member": "filtered.shop", "operator": "equals", "values": ["2"]}],
            "timeDimensions": [{**FEBRUARY, "granularity": "month"}],
        },
        "SELECT TIMESTAMP '2024-02-01', 0",
    ),
    (
        {
            "measures": ["filtered.count"],
            "filters": [
                {
                    "or": [
                        {"member": "filtered.ts", "operator": "inDateRange", "values": ["2024-02-01", "2024-02-29"]},
                        {"member": "filtered.agent", "operator": "equals", "values": ["2"]},
                    ]
                }
            ],
        },
        "SELECT count(*) FROM gold.sales WHERE shop = 1 AND ((month(ts) = 2 AND year(ts) = 2024) OR agent = 2)",
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", range(len(CASES)))
def test_numbers_are_those_of_sql_written_by_hand(lake: Bench, service: Service, case: int) -> None:
    query, sql = CASES[case]
    assert sorted(rows(service, query), key=str) == sorted(lake.sql(sql), key=str)


def test_a_merge_is_seen_by_the_next_question(lake: Bench, service: Service) -> None:
    query = {"measures": ["costs.count", "costs.v"]}
    before = rows(service, query)
    lake.lake.branch("dev", "main")
    lake.write(
        "dev",
        "costs",
        "SELECT 900::BIGINT AS id, 1::BIGINT AS shop, 1::BIGINT AS agent, TIMESTAMP '2024-03-01' AS ts, 0.5::DOUBLE AS v",
    )
    assert rows(service, query) == before
    assert before == [tuple(row) for row in lake.sql("SELECT count(*), sum(v) FROM gold.costs")]
    with_one_more = lake.sql("SELECT count(*) + 1, sum(v) + 0.5 FROM gold.costs")
    assert rows(service, query, ref="dev") == with_one_more
    lake.lake.merge("dev", "main")
    assert rows(service, query) == with_one_more
