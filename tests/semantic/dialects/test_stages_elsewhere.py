"""The examples of measures in several steps, with the same expectations in other engines than DuckDB."""

from collections.abc import Sequence
from functools import partial
from inspect import signature
from typing import Any

import pytest

from ingot.semantic import QueryError
from ingot.semantic.planner.plan import plan, plan_resolved
from tests.semantic import steps, test_stages, test_stages_in_time

_OTHERS = [
    "postgres_things",
    *(
        pytest.param(one, marks=[pytest.mark.slow, pytest.mark.timeout(300)])
        for one in ("trino_things", "spark_things")
    ),
]


class _Asked:
    """What the examples use of a connection."""

    def __init__(self, shop: Any) -> None:
        self._shop = shop

    def execute(self, sql: str, parameters: Sequence[Any]) -> "_Asked":
        self._rows = self._shop.asked(sql, parameters)
        return self

    def fetchall(self) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = self._rows
        return found


_EXAMPLES = [
    one
    for name, one in [*vars(test_stages).items(), *vars(test_stages_in_time).items()]
    if name.startswith("test_") and list(signature(one).parameters) == ["con"]
]


_REFUSED = [("trino", test_stages.test_an_aggregate_of_an_aggregate_gives_each_inner_group_one_voice)]
"""Trino has no exact median."""


@pytest.mark.parametrize("engine", _OTHERS)
@pytest.mark.parametrize("example", _EXAMPLES, ids=[one.__name__ for one in _EXAMPLES])
def test_an_example_holds(
    engine: str, example: Any, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = request.getfixturevalue(engine)
    for module in (steps, test_stages, test_stages_in_time):
        monkeypatch.setattr(module, "plan", partial(plan, dialect=shop.dialect), raising=False)
    monkeypatch.setattr(test_stages, "plan_resolved", partial(plan_resolved, dialect=shop.dialect))
    if (shop.dialect, example) in _REFUSED:
        with pytest.raises(QueryError, match="cannot be asked in trino: MEDIAN"):
            example(_Asked(shop))
        return
    example(_Asked(shop))


def test_there_are_examples() -> None:
    assert len(_EXAMPLES) > 15
