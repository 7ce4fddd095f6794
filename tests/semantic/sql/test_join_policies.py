"""Policies and hooks hold on both sides of every join that a statement writes itself."""

from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from ingot.engines.duckdb import connect
from ingot.semantic import QueryError
from ingot.semantic.context import Context
from ingot.semantic.policy.apply import Guard
from ingot.semantic.policy.hooks import NONE, Hooks
from ingot.semantic.sql.planning import planned
from tests.semantic import naive, shop
from tests.semantic.sql import test_random_joins as joins
from tests.semantic.sql.keyed_shop import ALL, cubes
from tests.semantic.test_planner_random import world_of

CLERK = Context({}, ("clerk",))
BOSS = Context({}, ("boss",))
LIMITS = {
    "orders": ("status", "new", None), "customers": ("city", "Rome", None), "products": ("kind", "tool", None),
}  # fmt: skip


def limited(name: str) -> list[dict[str, Any]]:
    member, value, _ = LIMITS[name]
    rows = {"filters": [{"member": member, "operator": "equals", "values": [value]}]}
    return [{"group": "boss"}, {"group": "clerk", "row_level": rows}]


def of(policies: dict[str, list[dict[str, Any]]]) -> Any:
    return shop.model(
        [
            one | ({"access_policy": policies[one["name"]]} if one["name"] in policies else {})
            for one in cubes()
        ]
    )


LIMITED = of({name: limited(name) for name in LIMITS})
HIDING = of(
    {
        "tickets": [{"group": "boss"}],
        "orders": [{"group": "boss"}, {"group": "clerk", "member_level": {"includes": ["status", "customer_id", "total", "count", "ratio"]}}],
        "customers": [{"group": "boss"}, {"group": "clerk", "member_masking": {"includes": ["city", "score"]},
                                          "member_level": {"includes": ["id", "customer_id", "size", "count"]}}],
    }
)  # fmt: skip


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(extensions=("icu",)) as made:
        yield made


def asked(
    con: duckdb.DuckDBPyConnection, text: str, who: Context, model: Any, hooks: Hooks = NONE
) -> list[tuple[Any, ...]]:
    at: Any = SimpleNamespace(state=None, ref="main", time="")
    plan = planned(text, model, at=at, guard=Guard(), hooks=hooks, context=who, now=datetime.now(UTC))
    return con.execute(plan.sql, list(plan.parameters) or None).fetchall()


@given(seed=st.integers(0, 2**32))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_rows_that_are_hidden_are_not_there_in_any_join(con: duckdb.DuckDBPyConnection, seed: int) -> None:
    world = world_of(seed)
    visible: naive.Rows = {
        cube: [row for row in rows if cube not in LIMITS or row[LIMITS[cube][0]] == LIMITS[cube][1]]
        for cube, rows in world.items()
    }
    made = joins.statement(Random(seed))
    note(made.text)
    shop.fill(con, visible)
    wanted = joins.expected(made, con.execute(made.raw).fetchall(), visible)
    shop.fill(con, world)
    found = asked(con, made.text, CLERK, LIMITED)
    width = len(made.groups)
    assert {row[:width]: pytest.approx(list(row[width:])) for row in found} == wanted


FORMS = [
    "SELECT {} FROM orders o JOIN customers c ON o.customer_id = c.id",
    "SELECT {} FROM customers c LEFT JOIN orders o ON o.customer_id = c.id",
    "SELECT {} FROM orders o RIGHT JOIN customers c USING (customer_id)",
    "SELECT {} FROM orders o FULL JOIN customers c ON o.customer_id = c.id AND o.status = 'done'",
    "SELECT {} FROM orders o, customers c WHERE o.customer_id = c.id",
    "SELECT {} FROM (SELECT * FROM orders) o JOIN customers c ON o.customer_id < c.id",
    "SELECT {} FROM customers c LEFT JOIN orders o ON o.customer_id = c.id LEFT JOIN orders p ON p.customer_id = c.id",
]


@pytest.mark.parametrize("text", FORMS)
@pytest.mark.parametrize(
    "column", ["o.paid", "o.amount", "SUM(o.most)", "MEASURE(o.mean)", "o.id", "c.region_id"]
)
def test_a_hidden_member_is_unknown_in_any_join(
    con: duckdb.DuckDBPyConnection, text: str, column: str
) -> None:
    shop.fill(con, ALL)
    name = column.partition(".")[2].rstrip(")")
    for asked_for in (
        f"COUNT(o.count), MAX({column})" if "(" not in column else f"COUNT(o.count), {column}",
    ):
        with pytest.raises(QueryError) as caught:
            asked(con, text.format(asked_for), CLERK, HIDING)
        assert "There is no column" in str(caught.value) or "does not exist" in str(caught.value)
        assert f"mean '{name}'" not in str(caught.value)


@pytest.mark.parametrize("text", FORMS)
def test_a_hidden_cube_is_unknown_in_any_join(con: duckdb.DuckDBPyConnection, text: str) -> None:
    told = []
    for cube in ("tickets", "tackets"):
        with pytest.raises(QueryError) as caught:
            asked(con, text.format("COUNT(o.count)").replace("customers", cube), CLERK, HIDING)
        told.append(str(caught.value).replace(cube, "…"))
    assert told[0] == told[1]


@pytest.mark.parametrize("text", FORMS)
def test_a_masked_member_is_its_mask_in_any_join(con: duckdb.DuckDBPyConnection, text: str) -> None:
    shop.fill(con, ALL)
    [(city, score, orders, total)] = asked(
        con, text.format("MAX(c.city), SUM(c.score), COUNT(o.count), SUM(o.total)"), CLERK, HIDING
    )
    assert (city, score) == (None, None)
    assert [(orders, total)] == asked(con, text.format("COUNT(o.count), SUM(o.total)"), BOSS, HIDING)


def test_a_measure_of_a_hidden_cube_is_not_named(con: duckdb.DuckDBPyConnection) -> None:
    model = of({"orders": [{"group": "boss"}]})
    with pytest.raises(QueryError) as caught:
        asked(con, "SELECT MEASURE(c.per_order) FROM customers c JOIN tickets t ON c.id < t.id", CLERK, model)
    assert "orders" not in str(caught.value)


@pytest.mark.parametrize("text", FORMS[1:4])
def test_hooks_are_told_of_measures_in_joins_and_limit_their_rows(
    con: duckdb.DuckDBPyConnection, text: str
) -> None:
    shop.fill(con, ALL)
    told: list[dict[str, Any]] = []

    def rewrite(query: dict[str, Any], _: Any) -> dict[str, Any]:
        told.append(query)
        if "orders.total" in query["measures"]:
            query["filters"].append({"member": "orders.status", "operator": "equals", "values": ["new"]})
        return query

    text = text.replace(" AND o.status = 'done'", "")
    assert asked(con, text.format("SUM(o.total)"), BOSS, joins.MODEL, Hooks(rewrite)) == [(5,)]
    assert any("orders.total" in query["measures"] for query in told)


def test_a_hook_that_takes_a_measure_away_is_told_of_in_joins(con: duckdb.DuckDBPyConnection) -> None:
    def rewrite(query: dict[str, Any], _: Any) -> dict[str, Any]:
        return query | {"measures": []}

    with pytest.raises(QueryError, match=r"query_rewrite took 'orders.total'"):
        asked(con, FORMS[1].format("SUM(o.total)"), BOSS, joins.MODEL, Hooks(rewrite))
