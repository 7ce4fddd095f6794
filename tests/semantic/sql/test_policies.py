"""No form of SQL shows more than policies and hooks allow, by rows, names, masks or errors."""

from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from ingot.engines.duckdb import connect
from ingot.semantic import QueryError
from ingot.semantic.context import Context
from ingot.semantic.policy.apply import Guard
from ingot.semantic.policy.hooks import NONE, Hooks
from ingot.semantic.sql.planning import planned
from tests.semantic import shop
from tests.semantic.lakes import ROWS

CUBE = [
    {"group": "boss"},
    {"group": "clerk", "member_level": {"includes": ["status", "amount", "created_at", "count", "total", "large", "id"]},
     "row_level": {"filters": [{"member": "status", "operator": "equals", "values": ["new"]}]}},
]  # fmt: skip
VIEW = [
    {"group": "boss"},
    {"group": "clerk", "row_level": {"filters": [{"member": "customers_city", "operator": "equals", "values": ["Rome"]}]}},
]  # fmt: skip
CLERK = Context({}, ("clerk",))
BOSS = Context({}, ("boss",))


def model() -> Any:
    cubes = [
        one | ({"access_policy": CUBE} if one["name"] == "orders" else {})
        for one in (*shop.CUBES, {"name": "freed", "extends": "orders", "access_policy": [{"group": "*"}]})
    ]
    cubes = [
        one | {"access_policy": [{"group": "clerk", "member_level": {"includes": ["id"]}, "member_masking": {"includes": "*"}}]}
        if one["name"] == "regions" else one
        for one in cubes
    ]  # fmt: skip
    return shop.model(
        [one for one in cubes if one["name"] != "freed"], [shop.VIEWS[0] | {"access_policy": VIEW}]
    )


MODEL = model()


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with connect() as made:
        shop.fill(made, ROWS)
        yield made


def rows(
    con: duckdb.DuckDBPyConnection, text: str, who: Context, hooks: Hooks = NONE
) -> list[tuple[Any, ...]]:
    at: Any = SimpleNamespace(state=None, ref="main", time="")
    plan = planned(text, MODEL, at=at, guard=Guard(), hooks=hooks, context=who, now=datetime.now(UTC))
    return con.execute(plan.sql, list(plan.parameters) or None).fetchall()


@pytest.mark.parametrize(
    ("text", "clerk", "boss"),
    [
        ("SELECT SUM(total) FROM orders", [(5,)], [(22,)]),
        ("SELECT COUNT(*) FROM orders", [(1,)], [(3,)]),
        ("SELECT id FROM orders ORDER BY 1", [(2,)], [(1,), (2,), (3,)]),
        ("SELECT DISTINCT upper(status) FROM orders ORDER BY 1", [("NEW",)], [("DONE",), ("NEW",)]),
        ("SELECT COUNT(DISTINCT status), SUM(amount) FROM orders", [(1, 5)], [(2, 22)]),
        ("SELECT COUNT(*) FROM orders WHERE lower(status) = 'done' OR 1 = 1", [(1,)], [(3,)]),
        ("SELECT large FROM orders", [(True,)], [(True,), (True,), (True,)]),
        ("SELECT COUNT(*) FROM orders WHERE NOT large OR large", [(1,)], [(3,)]),
        ("SELECT (SELECT MAX(amount) FROM orders)", [(5,)], [(10,)]),
        ("SELECT COUNT(*) FROM customers WHERE city IN (SELECT 'Rome' FROM orders WHERE amount > 6)", [(0,)], [(1,)]),
        ("WITH o AS (SELECT * FROM orders) SELECT SUM(total) FROM o", [(5,)], [(22,)]),
        ("SELECT x.amount FROM orders x JOIN (SELECT 10 AS ten) y ON x.amount >= y.ten", [], [(10,)]),
        ("SELECT amount FROM orders UNION SELECT 0 ORDER BY 1", [(0,), (5,)], [(0,), (5,), (7,), (10,)]),
        ("SELECT SUM(sales.total) FROM sales", [(5,)], [(22,)]),
        ("SELECT DISTINCT lower(customers_city) FROM sales ORDER BY 1", [("rome",)], [("o'hare",), ("rome",)]),
        ("SELECT city, SUM(orders.total) FROM customers, orders GROUP BY 1 ORDER BY 1", [("Rome", 5)], [("O'Hare", 7), ("Rome", 15)]),
    ],
)  # fmt: skip
def test_each_asker_sees_his_rows(
    con: duckdb.DuckDBPyConnection, text: str, clerk: list[Any], boss: list[Any]
) -> None:
    assert rows(con, text, CLERK) == clerk
    assert rows(con, text, BOSS) == boss


@pytest.mark.parametrize(
    "text",
    [
        "SELECT paid FROM orders",
        "SELECT COUNT(*) FROM orders WHERE paid",
        "SELECT COUNT(*) FROM orders WHERE coalesce(paid, true)",
        "SELECT 1 FROM orders ORDER BY paid",
        "SELECT MEASURE(mean) FROM orders",
        "SELECT status FROM orders GROUP BY 1 HAVING AVG(mean) > 1",
        "SELECT p FROM (SELECT paid AS p FROM orders) x",
        "SELECT o.paid FROM orders o JOIN (SELECT 1 AS a) b ON o.id = b.a",
    ],
)
def test_a_hidden_member_is_unknown_in_every_place(con: duckdb.DuckDBPyConnection, text: str) -> None:
    rows(con, text, BOSS)
    with pytest.raises(
        QueryError, match=r"There is no column '(paid|mean)'|column o.paid does not exist"
    ) as caught:
        rows(con, text, CLERK)
    assert "did you mean 'paid'" not in str(caught.value)


def test_a_star_shows_no_hidden_member(con: duckdb.DuckDBPyConnection) -> None:
    assert rows(con, "SELECT * FROM orders", CLERK) == [(2, "new", datetime(2026, 2, 1), 5, 1, 5, True)]  # noqa: DTZ001


def test_a_masked_member_is_its_mask_in_every_place(con: duckdb.DuckDBPyConnection) -> None:
    assert rows(con, "SELECT id, name FROM regions", CLERK) == [(1, None)]
    assert rows(con, "SELECT upper(name) FROM regions", CLERK) == [(None,)]
    assert rows(con, "SELECT id FROM regions WHERE lower(name) = 'north'", CLERK) == []
    assert rows(con, "SELECT id FROM regions WHERE name = 'north'", CLERK) == []


def test_a_masked_measure_is_its_mask_whatever_aggregate_is_written(con: duckdb.DuckDBPyConnection) -> None:
    assert rows(con, "SELECT COUNT(count), MEASURE(count) FROM regions", CLERK) == [(None, None)]
    with pytest.raises(QueryError, match=r"doesn't match"):
        rows(con, "SELECT SUM(count) FROM regions", CLERK)


def test_hooks_are_told_of_every_member_and_add_their_filters(con: duckdb.DuckDBPyConnection) -> None:
    told: list[Any] = []

    def rewrite(query: dict[str, Any], _: Any) -> dict[str, Any]:
        told.append(query)
        query["filters"].append({"member": "orders.amount", "operator": "gt", "values": ["6"]})
        return query

    hooks = Hooks(rewrite)
    assert rows(con, "SELECT SUM(total) FROM orders", BOSS, hooks) == [(17,)]
    assert rows(con, "SELECT upper(status) FROM orders WHERE coalesce(paid, true)", BOSS, hooks) == [
        ("DONE",),
        ("DONE",),
    ]
    assert told[1]["dimensions"] == ["orders.status"]
    assert "orders.paid" in str(told[1]["filters"])
    assert rows(con, "SELECT (SELECT COUNT(*) FROM orders), id FROM orders ORDER BY 2", BOSS, hooks) == [
        (2, 1),
        (2, 3),
    ]


def test_a_hook_that_takes_a_member_away_is_told_of(con: duckdb.DuckDBPyConnection) -> None:
    def rewrite(query: dict[str, Any], _: Any) -> dict[str, Any]:
        return query | {"measures": ["orders.count"]}

    with pytest.raises(QueryError, match=r"query_rewrite took 'orders.total'"):
        rows(con, "SELECT SUM(total) FROM orders", BOSS, Hooks(rewrite))
