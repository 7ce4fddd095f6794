"""What an engine answers to random questions about random shops, compared with nested loops."""

from typing import Any, Protocol

import pytest
from hypothesis import event, note

from ingot.semantic import QueryError
from ingot.semantic.planner.plan import Plan, plan
from ingot.semantic.query import parse
from tests.semantic import naive, naive_stages, test_planner_random, test_stages_random
from tests.semantic.naive_measures import TIME, Scope
from tests.semantic.naive_stages import Evaluator, UnanswerableError
from tests.semantic.test_planner_random import world_of

PLAIN, STAGED = test_planner_random.MODEL, test_stages_random.MODEL


class Shop(Protocol):
    """An engine with the tables of the shop."""

    dialect: str

    def fill(self, rows: dict[str, list[dict[str, Any]]]) -> None: ...
    def rows(self, made: Plan) -> list[tuple[Any, ...]]: ...
    def asked(self, sql: str, parameters: Any) -> list[tuple[Any, ...]]: ...


def plain(shop: Shop, seed: int, asked: naive.Asked) -> None:
    world = world_of(seed)
    query = parse(test_planner_random.as_query(asked))
    try:
        expected = naive.answer(asked, world)
    except naive.UnreachableError:
        with pytest.raises(QueryError, match="No join path"):
            plan(PLAIN, query, dialect=shop.dialect)
        return
    made = plan(PLAIN, query, dialect=shop.dialect)
    note(made.sql)
    shop.fill(world)
    _compare(shop.rows(made), expected, list(range(len(asked.dimensions))))
    assert made.total_sql is not None
    assert shop.asked(made.total_sql, made.parameters) == [(len(expected),)]


def staged(shop: Shop, seed: int, asked: tuple[list[str], Scope]) -> None:
    measures, top = asked
    world = world_of(seed)
    query = parse(test_stages_random.as_query(measures, top))
    try:
        expected = Evaluator(naive_stages.with_sub_queries(world, top), top, measures).answer(measures)
    except (naive.UnreachableError, UnanswerableError):
        event("refused")
        return
    event("answered with rows" if expected else "answered without rows")
    made = plan(STAGED, query, dialect=shop.dialect)
    note(made.sql)
    shop.fill(world)
    times = [n for n, one in enumerate(top.dimensions) if one.startswith(TIME)]
    order = [n for n in range(len(top.dimensions)) if n not in times] + times
    _compare(shop.rows(made), expected, order)


def _compare(rows: list[tuple[Any, ...]], expected: dict[Any, Any], order: list[int]) -> None:
    width = len(order)
    found = {tuple(row[order.index(n)] for n in range(width)): row[width:] for row in rows}
    assert len(found) == len(rows), "a group stands twice"
    assert found.keys() == expected.keys()
    for key, values in expected.items():
        assert found[key] == pytest.approx(values), key
