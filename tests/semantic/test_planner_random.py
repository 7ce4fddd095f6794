"""The planner against the naive evaluator on random shops and questions."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from ingot.semantic import QueryError
from ingot.semantic.plan import plan
from ingot.semantic.query import parse
from tests.semantic import naive, shop

MODEL = shop.model()
CITIES = ["Rome", "rome%", "O_slo", "O'Hare", None]
ZONES = ["UTC", "America/New_York", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe"]


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    from ingot.engines.duckdb import connect

    with connect(extensions=("icu",)) as made:
        yield made


def ids(most: int) -> st.SearchStrategy[int | None]:
    return st.one_of(st.none(), st.integers(1, most + 1))


numbers = st.one_of(st.none(), st.integers(0, 9))
# Around the change of clocks in Berlin and New York, and the turn of years, weeks and quarters.
moments = st.one_of(
    st.none(),
    st.sampled_from([datetime(2026, 3, 29, 0, 30), datetime(2026, 3, 29, 1, 30), datetime(2026, 10, 25, 0, 30),
                     datetime(2026, 10, 25, 1, 30), datetime(2026, 11, 1, 5, 30), datetime(2026, 11, 1, 6, 30),
                     datetime(2025, 12, 31, 23, 59, 59, 999999), datetime(2026, 1, 1), datetime(2024, 12, 30, 4)]),
    st.datetimes(datetime(2024, 1, 1), datetime(2026, 12, 31)),
)  # fmt: skip


@st.composite
def worlds(draw: st.DrawFn) -> naive.Rows:
    def table(most: int, **columns: st.SearchStrategy[Any]) -> list[dict[str, Any]]:
        size = draw(st.integers(0, most))
        return [{"id": n + 1} | {name: draw(some) for name, some in columns.items()} for n in range(size)]

    return {
        "regions": table(2, name=st.sampled_from(["north", "south", None])),
        "customers": table(4, region_id=ids(2), city=st.sampled_from(CITIES), score=numbers),
        "orders": table(6, customer_id=ids(4), status=st.sampled_from(["new", "done", None]), created_at=moments,
                        paid=st.sampled_from([True, False, None]), amount=numbers),
        "products": table(3, kind=st.sampled_from(["tool", "toy", None]), price=numbers),
        "items": table(6, order_id=ids(6), product_id=ids(3), qty=numbers),
        "tickets": table(4, customer_id=ids(4), topic=st.sampled_from(["bug", "ask", None]), opened_at=moments, hours=numbers),
    }  # fmt: skip


MEASURES = [*naive.LEAVES, *naive.CALCULATED]
GRAINS = ["hour", "day", "week", "month", "quarter", "year"]
dimensions = st.one_of(
    st.sampled_from([name for name in naive.DIMENSIONS if not name.endswith("_at")]),
    st.builds(lambda name, grain: f"{name}.{grain}", st.sampled_from(["orders.created_at", "tickets.opened_at"]), st.sampled_from(GRAINS)),
)  # fmt: skip


@st.composite
def filters(draw: st.DrawFn) -> tuple[str, str, list[Any]]:
    name = draw(st.sampled_from(["orders.status", "customers.city", "orders.amount", "items.kind", "tickets.topic", "orders.paid"]))
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


@st.composite
def questions(draw: st.DrawFn) -> naive.Asked:
    measures = draw(st.lists(st.sampled_from(MEASURES), max_size=3, unique=True))
    by = draw(st.lists(dimensions, min_size=0 if measures else 1, max_size=2, unique=True))
    having = draw(st.lists(st.tuples(st.sampled_from(MEASURES), st.sampled_from(["gt", "lte"]), st.integers(0, 3)), max_size=1))
    return naive.Asked(
        measures,
        by,
        draw(st.lists(filters(), max_size=2)),
        having,
        draw(st.sampled_from([[], [], [], ["orders.large"]])),
        draw(st.sampled_from(ZONES)),
    )


def as_query(asked: naive.Asked) -> dict[str, Any]:
    return {
        "measures": asked.measures,
        "dimensions": asked.dimensions,
        "filters": [{"member": m, "operator": o, "values": v} for m, o, v in [*asked.filters, *((m, o, [v]) for m, o, v in asked.having)]],
        "segments": asked.segments,
        "timezone": asked.zone,
        "total": True,
    }


@given(world=worlds(), asked=questions())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_the_planner_agrees_with_nested_loops(con: duckdb.DuckDBPyConnection, world: naive.Rows, asked: naive.Asked) -> None:
    query = parse(as_query(asked))
    try:
        expected = naive.answer(asked, world)
    except naive.Unreachable:
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
