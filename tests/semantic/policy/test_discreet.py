"""The planner's messages name no cube that is hidden from who asks."""

import copy

import pytest

from ingot.semantic import MemberError, QueryError
from ingot.semantic.context import Context
from ingot.semantic.planner.plan import plan
from ingot.semantic.query import parse
from tests.semantic import shop
from tests.semantic.test_join_choice import CUBES

TWO_WAYS = {"measures": ["flights.count"], "dimensions": ["cities.name"]}


def model_hiding(name: str) -> object:
    made = copy.deepcopy(CUBES)
    next(one for one in made if one["name"] == name)["access_policy"] = [{"group": "boss"}]
    return shop.model(made, [])


def test_ways_through_a_hidden_cube_are_not_told() -> None:
    model = model_hiding("airports")
    with pytest.raises(QueryError) as caught:
        plan(model, parse(TWO_WAYS))  # type: ignore[arg-type]
    assert "airports" not in f"{caught.value} {caught.value.hint}"
    with pytest.raises(QueryError, match="flights -> airports -> cities"):
        plan(model, parse(TWO_WAYS), context=Context({}, ("boss",)))  # type: ignore[arg-type]


def test_a_hint_to_a_hidden_cube_is_one_to_a_cube_that_is_not_there() -> None:
    model = model_hiding("airports")
    said = []
    for name in ("airports", "airportz"):
        with pytest.raises(MemberError) as caught:
            plan(model, parse(TWO_WAYS | {"joinHints": [["flights", name, "cities"]]}))  # type: ignore[arg-type]
        said.append(str(caught.value).replace(name, "?"))
    assert said[0] == said[1]
    found = plan(model, parse(TWO_WAYS | {"joinHints": [["flights", "airlines", "cities"]]}))  # type: ignore[arg-type]
    assert "airports" not in found.sql


def test_other_messages_stay_as_they_are() -> None:
    with pytest.raises(QueryError, match="airlines"):
        plan(model_hiding("countries"), parse(TWO_WAYS))  # type: ignore[arg-type]
