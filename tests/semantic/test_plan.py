"""What plans look like where it matters, and what must not be kept or rendered."""

from datetime import UTC, datetime
from typing import Any

import pytest
import sqlglot

from ingot.semantic.planner.plan import plan
from ingot.semantic.query import parse
from tests.semantic import shop

NOW = datetime(2026, 11, 20, tzinfo=UTC)
MODEL = shop.model()


def sql(query: dict[str, Any], dialect: str = "duckdb") -> str:
    return plan(MODEL, parse(query), now=NOW, dialect=dialect).sql


def test_the_same_query_gives_the_same_text() -> None:
    query = {"measures": ["orders.count", "tickets.count"], "dimensions": ["customers.city"]}
    assert sql(query) == sql(dict(query)) == plan(shop.model(), parse(query), now=NOW).sql


def test_a_plain_sum_is_one_select_without_a_join() -> None:
    assert (
        sql({"measures": ["orders.total"]})
        == 'SELECT SUM("orders".amount) AS "orders__total" FROM gold.orders AS "orders" LIMIT 10000'
    )


def test_no_value_of_a_query_stands_in_its_sql() -> None:
    values = {"orders.status": "evil-1", "orders.amount": "771177", "orders.created_at": "2011-11-11"}
    filters = [
        {"member": member, "operator": "equals", "values": [value]} for member, value in values.items()
    ]
    made = plan(MODEL, parse({"measures": ["orders.count"], "filters": filters}), now=NOW)
    assert not any(value in made.sql for value in values.values())
    assert made.parameters == ("evil-1", 771177, "2011-11-11T00:00:00.000")


@pytest.mark.parametrize(
    "members",
    [["orders.total"], ["orders.total", "customers.count", "tickets.count"], ["items.value", "orders.mean"]],
)
def test_plans_render_for_postgres(members: list[str]) -> None:
    query = {
        "measures": members,
        "timezone": "Europe/Berlin",
        "filters": [{"member": members[0], "operator": "gt", "values": ["1"]}],
    }
    text = sql(query, "postgres")
    assert sqlglot.parse_one(text, dialect="postgres").find(sqlglot.exp.Select)
    assert "$1" in text


@pytest.mark.parametrize("expression", ["CURRENT_DATE - 1", "now()", "random()", "today()"])
def test_sql_that_asks_the_clock_or_chance_is_volatile(expression: str) -> None:
    cube = {
        "name": "c",
        "sql_table": "gold.orders",
        "dimensions": [{"name": "d", "type": "string", "sql": f"CAST({expression} AS VARCHAR)"}],
    }
    assert plan(shop.model([cube], []), parse({"dimensions": ["c.d"]}), now=NOW).volatile
    assert not plan(MODEL, parse({"dimensions": ["orders.status"]}), now=NOW).volatile


def test_a_table_function_is_volatile_and_a_series_is_not() -> None:
    def volatile(source: str) -> bool:
        cube = {
            "name": "c",
            "sql": f"SELECT * FROM {source}",
            "dimensions": [{"name": "d", "type": "string", "sql": "x"}],
        }
        return plan(shop.model([cube], []), parse({"dimensions": ["c.d"]}), now=NOW).volatile

    assert volatile("read_csv('x.csv')")
    assert not volatile("range(5) t(x)")


def test_members_of_one_alias_in_sql_stay_two_columns() -> None:
    cube = {
        "name": "c",
        "sql_table": "t",
        "dimensions": [
            shop.dimension("at", "time"),
            shop.dimension("at_month", "string"),
            shop.dimension("AT_MONTH", "string"),
        ],
    }
    made = plan(
        shop.model([cube], []), parse({"dimensions": ["c.at.month", "c.at_month", "c.AT_MONTH"]}), now=NOW
    )
    names = [
        one.alias.casefold()
        for one in sqlglot.parse_one(made.sql, dialect="duckdb").find_all(sqlglot.exp.Alias)
    ]
    assert len(set(names)) == 3


def test_null_stands_for_the_default_in_a_query() -> None:
    query = {"measures": ["orders.count"], "limit": None, "timezone": None, "filters": None, "order": None}
    assert sql(query) == sql({"measures": ["orders.count"]})


def test_tables_are_those_of_all_joined_cubes() -> None:
    made = plan(MODEL, parse({"measures": ["items.value"], "dimensions": ["products.kind"]}), now=NOW)
    assert made.tables == ("gold.items", "gold.products")
