# ruff: noqa: DTZ001 - times in tables have no zone
"""The planner against the naive evaluator on random shops and questions."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from random import Random
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from ingot.engines.duckdb import connect
from ingot.semantic import QueryError
from ingot.semantic.planner.plan import plan
from ingot.semantic.query import parse
from tests.semantic import naive, shop

MODEL = shop.model()
CITIES = ["Rome", "rome%", "O_slo", "O'Hare", None]
ZONES = ["UTC", "America/New_York", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe"]


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(extensions=("icu",)) as made:
        yield made


# Around the change of clocks in Berlin and New York, and the turn of years, weeks and quarters.
MOMENTS = [datetime(2026, 3, 29, 0, 30), datetime(2026, 3, 29, 1, 30), datetime(2026, 10, 25, 0, 30),
           datetime(2026, 10, 25, 1, 30), datetime(2026, 11, 1, 5, 30), datetime(2026, 11, 1, 6, 30),
           datetime(2025, 12, 31, 23, 59, 59, 999999), datetime(2026, 1, 1), datetime(2024, 12, 30, 4), None]  # fmt: skip


def world_of(seed: int) -> naive.Rows:
    """A dense little world: every kind of match, several of most, and nulls and dangling keys."""
    random = Random(seed)

    def number() -> int | None:
        picked: int | None = random.choice([None, *range(10)])
        return picked

    def key(most: int) -> int | None:
        picked: int | None = random.choice([None, *range(1, most + 2)])
        return picked

    def table(most: int, make: Callable[[], dict[str, Any]]) -> list[dict[str, Any]]:
        return [{"id": n + 1} | make() for n in range(random.choice([0, 1, most, most, most]))]

    return {
        "regions": table(2, lambda: {"name": random.choice(["north", "south", None])}),
        "customers": table(4, lambda: {"region_id": key(2), "city": random.choice(CITIES), "score": number()}),
        "orders": table(6, lambda: {"customer_id": key(3), "status": random.choice(["new", "done", None]),
                                    "created_at": random.choice(MOMENTS), "paid": random.choice([True, False, None]),
                                    "amount": number()}),
        "products": table(3, lambda: {"kind": random.choice(["tool", "toy", None]), "price": number()}),
        "items": table(9, lambda: {"order_id": key(4), "product_id": key(3), "qty": number()}),
        "tickets": table(5, lambda: {"customer_id": key(3), "topic": random.choice(["bug", "ask", None]),
                                     "opened_at": random.choice(MOMENTS), "hours": number()}),
    }  # fmt: skip


MEASURES = [*naive.LEAVES, *naive.CALCULATED]
GRAINS = ["hour", "day", "week", "month", "quarter", "year"]


@st.composite
def filters(draw: st.DrawFn) -> tuple[str, str, list[Any]]:
    name = draw(
        st.sampled_from(
            ["orders.status", "customers.city", "orders.amount", "items.kind", "tickets.topic", "orders.paid"]
        )
    )
    operator = draw(st.sampled_from(["equals", "notEquals", "set", "notSet"]))
    if name == "orders.amount":
        operator = draw(st.sampled_from([operator, "gt", "gte", "lt", "lte"]))
        many = 1 if operator in ("gt", "gte", "lt", "lte") else 3
        return name, operator, draw(st.lists(st.integers(0, 9), min_size=1, max_size=many))
    if name == "orders.paid":
        return name, operator, [draw(st.booleans())]
    if name == "customers.city":
        operator = draw(st.sampled_from([operator, "contains", "notContains", "startsWith", "endsWith"]))
        texts = st.sampled_from(["Rome", "o", "_", "%", "'", "\\", "ROME%"])
        return name, operator, draw(st.lists(texts, min_size=1, max_size=2))
    some = st.sampled_from(["new", "done", "tool", "bug", None])
    return name, operator, draw(st.lists(some, min_size=1, max_size=3))


# Few cubes at once: random ones are seldom connected.
THEMES = [
    ["orders", "items", "products"],
    ["orders", "customers", "regions"],
    ["tickets", "orders", "customers"],
    ["orders", "customers", "regions", "items", "products", "tickets"],
]


@st.composite
def questions(draw: st.DrawFn) -> naive.Asked:
    theme = draw(st.sampled_from(THEMES))

    def ours(names: Iterable[str]) -> list[str]:
        return [name for name in names if name.partition(".")[0] in theme]

    grains = [f"{name}.{grain}" for name in ["orders.created_at", "tickets.opened_at"] for grain in GRAINS]
    plain = [name for name in naive.DIMENSIONS if not name.endswith("_at")]
    measures = draw(st.lists(st.sampled_from(ours(MEASURES)), max_size=3, unique=True))
    by = draw(
        st.lists(
            st.sampled_from(ours(plain * 4 + grains)), min_size=0 if measures else 1, max_size=2, unique=True
        )
    )
    some = draw(st.lists(filters(), max_size=2))
    bound = st.tuples(st.sampled_from(ours(MEASURES)), st.sampled_from(["gt", "lte"]), st.integers(0, 3))
    return naive.Asked(
        measures,
        by,
        [one for one in some if one[0].partition(".")[0] in theme],
        draw(st.lists(bound, max_size=1)) if draw(st.integers(0, 3)) == 0 else [],
        ["orders.large"] if "orders" in theme and draw(st.integers(0, 4)) == 0 else [],
        draw(st.sampled_from(ZONES)),
    )


def as_query(asked: naive.Asked) -> dict[str, Any]:
    return {
        "measures": asked.measures,
        "dimensions": asked.dimensions,
        "filters": [
            {"member": m, "operator": o, "values": v}
            for m, o, v in [*asked.filters, *((m, o, [v]) for m, o, v in asked.having)]
        ],
        "segments": asked.segments,
        "timezone": asked.zone,
        "total": True,
    }


@given(seed=st.integers(0, 2**32), asked=questions())
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_planner_agrees_with_nested_loops(
    con: duckdb.DuckDBPyConnection, seed: int, asked: naive.Asked
) -> None:
    world = world_of(seed)
    query = parse(as_query(asked))
    try:
        expected = naive.answer(asked, world)
    except naive.UnreachableError:
        with pytest.raises(QueryError, match="No join path"):
            plan(MODEL, query)
        return
    made = plan(MODEL, query)
    note(made.sql)
    shop.fill(con, world)
    rows = con.execute(made.sql, list(made.parameters)).fetchall()
    width = len(asked.dimensions)
    found = {row[:width]: row[width:] for row in rows}
    assert len(found) == len(rows), "a group stands twice"
    assert found.keys() == expected.keys()
    for key, values in expected.items():
        assert found[key] == pytest.approx(values), key
    assert made.total_sql is not None
    assert con.execute(made.total_sql, list(made.parameters)).fetchall() == [(len(expected),)]
