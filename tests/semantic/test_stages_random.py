# ruff: noqa: DTZ001 - local times
"""Rolling, shifted and multi-stage measures and sub-queries: the planner against nested loops on random shops."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, event, given, note, settings
from hypothesis import strategies as st

from ingot.engines.duckdb import connect
from ingot.semantic import QueryError
from ingot.semantic.plan import plan
from ingot.semantic.query import parse
from tests.semantic import naive, naive_stages, shop, shop_stages
from tests.semantic.naive_measures import ROLLING, STAGES, TIME, Scope
from tests.semantic.naive_stages import Evaluator, UnanswerableError
from tests.semantic.test_planner_random import ZONES, filters, world_of

MODEL = shop_stages.model()
STAGED = [*ROLLING, *STAGES, "orders.roll_ratio", "customers.mean_spent", "customers.spenders"]
BESIDE = [
    "orders.count",
    "orders.total",
    "customers.count",
    "items.quantity",
    "tickets.count",
    "orders.ratio",
]
DIMENSIONS = ["orders.status", "customers.city", "customers.size", "regions.name", "items.kind"]
SUB_QUERIES = ["customers.spent", "customers.order_count", "customers.spent_here"]
GRAINS = ["hour", "day", "week", "month", "quarter", "year", "fiscal", "fortnight", "late_month", "sunday_week",
          "half_year"]  # fmt: skip
SHORT = ["hour", "ten_minutes"]


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(extensions=("icu",)) as made:
        yield made


@st.composite
def questions(draw: st.DrawFn) -> tuple[list[str], Scope]:
    measures = draw(st.lists(st.sampled_from(STAGED), min_size=1, max_size=2, unique=True))
    measures += draw(st.lists(st.sampled_from(BESIDE), max_size=1)) if draw(st.integers(0, 2)) == 0 else []
    by = draw(st.lists(st.sampled_from(DIMENSIONS * 3 + SUB_QUERIES), max_size=2, unique=True))
    grain = draw(st.sampled_from([None, *GRAINS, *GRAINS])) if draw(st.integers(0, 4)) else None
    dates = None
    if draw(st.booleans()):
        first = datetime(2025, 12, 20) + timedelta(days=draw(st.integers(0, 330)))
        dates = (first, first + timedelta(days=draw(st.integers(1, 100))))
    if grain == "hour" and dates is None:
        dates = (datetime(2026, 3, 28), datetime(2026, 3, 31))
    some = draw(st.lists(filters(), max_size=2)) if draw(st.booleans()) else []
    if draw(st.integers(0, 5)) == 0:
        some.append((draw(st.sampled_from(SUB_QUERIES)), "gte", [draw(st.integers(0, 9))]))
    where = tuple((member, operator, tuple(values)) for member, operator, values in some)
    dimensions = (*([f"{TIME}.{grain}"] if grain else []), *by)
    return measures, Scope(dimensions, where, draw(st.sampled_from(ZONES)), dates)


def as_query(measures: list[str], top: Scope) -> dict[str, Any]:
    time: dict[str, Any] = {"dimension": TIME}
    plain = [one for one in top.dimensions if not one.startswith(TIME)]
    for one in top.dimensions:
        if one.startswith(TIME):
            time["granularity"] = one.rpartition(".")[2]
    if top.dates is not None:
        last = top.dates[1] - timedelta(days=1)
        time["dateRange"] = [f"{top.dates[0]:%Y-%m-%d}", f"{last:%Y-%m-%d}"]
    return {
        "measures": measures,
        "dimensions": plain,
        "timeDimensions": [time] if len(time) > 1 else [],
        "filters": [{"member": m, "operator": o, "values": list(v)} for m, o, v in top.filters],
        "timezone": top.zone,
        "limit": 50_000,
        "total": True,
    }


def check(con: duckdb.DuckDBPyConnection, seed: int, asked: tuple[list[str], Scope]) -> None:
    measures, top = asked
    world = world_of(seed)
    query = parse(as_query(measures, top))
    try:
        richer = naive_stages.with_sub_queries(world, top)
        expected = Evaluator(richer, top, measures).answer(measures)
    except (naive.UnreachableError, UnanswerableError):
        event("refused")
        with pytest.raises(QueryError, match=r"No join path|rolling window|joined in two ways"):
            plan(MODEL, query)
        return
    event("answered with rows" if expected else "answered without rows")
    made = plan(MODEL, query)
    note(made.sql)
    shop.fill(con, world)
    rows = con.execute(made.sql, list(made.parameters)).fetchall()
    # The SQL's first columns are the query's dimensions, then its time dimension.
    order = [*(n for n, one in enumerate(top.dimensions) if not one.startswith(TIME)),
             *(n for n, one in enumerate(top.dimensions) if one.startswith(TIME))]  # fmt: skip
    width = len(order)
    found = {tuple(row[order.index(n)] for n in range(width)): row[width:] for row in rows}
    assert len(found) == len(rows), "a group stands twice"
    assert found.keys() == expected.keys()
    for key, values in expected.items():
        assert found[key] == pytest.approx(values), key
    assert made.total_sql is not None
    assert con.execute(made.total_sql, list(made.parameters)).fetchall() == [(len(expected),)]


@given(seed=st.integers(0, 2**32), asked=questions())
@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
def test_stages_agree_with_nested_loops(
    con: duckdb.DuckDBPyConnection, seed: int, asked: tuple[list[str], Scope]
) -> None:
    check(con, seed, asked)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@given(seed=st.integers(0, 2**32), asked=questions())
@settings(
    max_examples=3000,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate, Phase.shrink],
)
def test_thousands_of_stages_agree_with_nested_loops(
    con: duckdb.DuckDBPyConnection, seed: int, asked: tuple[list[str], Scope]
) -> None:
    check(con, seed, asked)
