# ruff: noqa: DTZ001 - local times
"""Rolling, shifted and multi-stage measures and sub-queries: the planner against nested loops on random shops."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, event, given, note, settings
from hypothesis import strategies as st

from ingot.engines.duckdb import connect
from ingot.semantic import QueryError
from ingot.semantic.planner.plan import plan
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


# Few days, close together: windows overlap, and their edges are met exactly, in UTC and in other zones.
MOMENTS = [
    *(datetime(2026, 3, 27 + day, hour) for day in range(4) for hour in (0, 1, 4, 22, 23)),
    *(datetime(2026, 3, 1, hour) for hour in (0, 5)),
    datetime(2026, 2, 28, 23), datetime(2026, 1, 31, 12), datetime(2026, 1, 30, 12), datetime(2026, 2, 27, 12),
    datetime(2025, 3, 31), datetime(2025, 12, 31, 23, 59, 59, 999999), datetime(2026, 4, 6), datetime(2026, 4, 5, 12),
]  # fmt: skip


def dense_world(seed: int) -> naive.Rows:
    """A random shop with more orders in fewer days."""
    random = Random(seed)
    world = world_of(seed)
    few = random.sample(MOMENTS, 6)
    world["orders"] = [
        {
            "id": n,
            "customer_id": random.choice([None, 1, 1, 2, 2, 3, 5]),
            "status": random.choice(["new", "done", "done", None]),
            "created_at": random.choice([*few, *few, *MOMENTS, None]),
            "paid": random.choice([True, True, False, None]),
            "amount": random.choice([None, *range(9)]),
        }
        for n in range(1, random.choice([3, 8, 14, 14]))
    ]
    return world


@st.composite
def ours(draw: st.DrawFn) -> naive_stages.Filter:
    """A filter that every measure of orders can have."""
    known: dict[str, list[Any]] = {
        "orders.status": ["new", "done", None],
        "customers.city": ["Rome", "rome%", None],
        "orders.paid": [True],
    }
    name = draw(st.sampled_from([*known]))
    operator = draw(st.sampled_from(["equals", "notEquals", "set"]))
    return name, operator, draw(st.lists(st.sampled_from(known[name]), min_size=1, max_size=2))


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(extensions=("icu",)) as made:
        yield made


@st.composite
def questions(draw: st.DrawFn) -> tuple[list[str], Scope]:
    """Mostly what has an answer, about a few days; sometimes anything."""
    wild = draw(st.integers(0, 5)) == 0
    measures = draw(st.lists(st.sampled_from(STAGED), min_size=1, max_size=3, unique=True))
    measures += draw(st.lists(st.sampled_from(BESIDE if wild else BESIDE[:2]), max_size=1))
    plain = DIMENSIONS if wild else DIMENSIONS[:3]
    by = draw(st.lists(st.sampled_from(plain * 3 + SUB_QUERIES), max_size=2, unique=True))
    grain = draw(st.sampled_from([*(["day"] * 6), *(["month"] * 4), "hour", *GRAINS]))
    dates = None
    if draw(st.booleans()):
        first = draw(st.sampled_from(FIRSTS))
        dates = (first, first + timedelta(days=draw(st.sampled_from([1, 2, 3, 5, 31, 60, 90]))))
    if grain == "hour":
        dates = (datetime(2026, 3, 27), datetime(2026, 3, 27) + timedelta(days=draw(st.integers(1, 5))))
    elif draw(st.integers(0, 9)) == 0:
        grain = ""
    some = draw(st.lists(filters() if wild else ours(), max_size=2)) if draw(st.booleans()) else []
    if draw(st.integers(0, 5)) == 0:
        some.append((draw(st.sampled_from(SUB_QUERIES)), "gte", [draw(st.integers(0, 9))]))
    where = tuple((member, operator, tuple(values)) for member, operator, values in some)
    dimensions = (*([f"{TIME}.{grain}"] if grain else []), *by)
    return measures, Scope(dimensions, where, draw(st.sampled_from(["UTC", *ZONES])), dates)


FIRSTS = [
    datetime(2025, 12, 30), datetime(2026, 1, 29), datetime(2026, 2, 1), datetime(2026, 2, 27), datetime(2026, 3, 1),
    datetime(2026, 3, 26), datetime(2026, 3, 28), datetime(2026, 3, 29), datetime(2026, 3, 31), datetime(2026, 4, 5),
]  # fmt: skip


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
    world = dense_world(seed)
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
@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
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
