"""Random policies, askers and questions against nested loops: nobody gets a row, member or value more, or less."""

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, assume, given, note, settings
from hypothesis import strategies as st

from ingot.engines.duckdb import connect
from ingot.semantic import MemberError, QueryError
from ingot.semantic.context import Context
from ingot.semantic.planner.plan import plan
from ingot.semantic.query import parse
from tests.semantic import naive, shop
from tests.semantic.policy import naive_policy as rules
from tests.semantic.test_planner_random import as_query, questions, world_of

EVERYTHING = list(HealthCheck)


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(extensions=("icu",)) as made:
        yield made


COLUMNS: dict[str, list[tuple[str, list[Any]]]] = {
    "orders": [
        ("status", ["new", "done", None, "@status"]),
        ("amount", [0, 5, 9, "@level"]),
        ("paid", ["true"]),
    ],
    "customers": [("city", ["Rome", "O'Hare", None, "@city"])],
    "items": [("qty", [1, 5, "@level"]), ("kind", ["tool", None, "@status"])],
    "tickets": [("topic", ["bug", "ask", "@status"])],
    "products": [("kind", ["tool", "toy", None])],
}


@st.composite
def conditions(draw: st.DrawFn, cube: str) -> Any:
    member, values = draw(st.sampled_from(COLUMNS[cube]))
    if member == "paid":
        return member, draw(st.sampled_from(["equals", "notEquals"])), [True]
    operator = draw(st.sampled_from(["equals", "notEquals", "set", "notSet"]))
    if operator in ("set", "notSet"):
        return member, operator, []
    return member, operator, draw(st.lists(st.sampled_from(values), min_size=1, max_size=2))


@st.composite
def trees(draw: st.DrawFn, cube: str) -> Any:
    shape = draw(st.sampled_from(["one", "one", "one", "and", "or", "none"]))
    if shape == "none":
        return None
    if shape == "one":
        return draw(conditions(cube))
    return {shape: draw(st.lists(conditions(cube), min_size=1, max_size=2))}


@st.composite
def entries(draw: st.DrawFn, cube: str) -> rules.Entry:
    names = st.lists(st.sampled_from(rules.MEMBERS[cube]), max_size=6, unique=True)
    plain = [one for one in rules.MEMBERS[cube] if one not in rules.SEGMENTS.get(cube, ())]
    some_masks = st.lists(st.sampled_from(plain), max_size=4, unique=True)
    return {
        "group": draw(st.sampled_from(["*", "*", "a", "b", "c"])),
        "least": draw(st.sampled_from([None, None, 3])),
        "includes": draw(st.one_of(*[st.just("*")] * 4, names)),
        "excludes": draw(st.one_of(*[st.just([])] * 3, names)),
        "masks": draw(st.one_of(st.none(), st.just("*"), some_masks)),
        "rows": draw(trees(cube)),
    }


@st.composite
def policies(draw: st.DrawFn) -> dict[str, list[rules.Entry]]:
    chosen = draw(st.lists(st.sampled_from(list(COLUMNS)), min_size=1, max_size=3, unique=True))
    return {
        cube: draw(st.lists(entries(cube), min_size=0 if len(chosen) > 1 else 1, max_size=3))
        for cube in chosen
    }


@st.composite
def askers(draw: st.DrawFn) -> rules.Asker:
    said = {
        "status": draw(st.sampled_from([None, "new", "done", ["new", "done"], [], "tool", "bug"])),
        "city": draw(st.sampled_from([None, "Rome", "' OR 1=1 --"])),
        "level": draw(st.sampled_from([None, 1, 5])),
    }
    return {
        "groups": draw(st.lists(st.sampled_from(["a", "b"]), max_size=2, unique=True)),
        "security": {key: value for key, value in said.items() if value is not None or draw(st.booleans())},
    }


def check(
    con: duckdb.DuckDBPyConnection,
    seed: int,
    asked: naive.Asked,
    rule: dict[str, list[rules.Entry]],
    asker: rules.Asker,
) -> None:
    world = world_of(seed)
    model = shop.model(rules.cubes(rule), [])
    context = Context(asker["security"], tuple(asker["groups"]))
    query = parse(as_query(asked))
    try:
        expected = rules.answer(asked, rule, asker, world)
    except rules.HiddenError:
        with pytest.raises(MemberError, match="There is no"):
            plan(model, query, context=context)
        return
    except naive.UnreachableError:
        with pytest.raises(QueryError, match="No join path"):
            plan(model, query, context=context)
        return
    except (TypeError, IndexError):
        assume(False)  # a comparison of a mask with what it cannot be compared with
    try:
        made = plan(model, query, context=context)
    except QueryError as error:
        if "takes" in str(error):  # a filter's value does not fit the member's type
            return
        raise
    note(made.sql)
    note(str(made.parameters))
    shop.fill(con, world)
    rows = con.execute(made.sql, list(made.parameters)).fetchall()
    width = len(asked.dimensions)
    found = {row[:width]: row[width:] for row in rows}
    assert found.keys() == expected.keys()
    for key, values in expected.items():
        assert found[key] == pytest.approx(values), key
    assert made.total_sql is not None
    assert con.execute(made.total_sql, list(made.parameters)).fetchall() == [(len(expected),)]


@given(seed=st.integers(0, 2**32), asked=questions(), rule=policies(), asker=askers())
@settings(max_examples=40, deadline=None, suppress_health_check=EVERYTHING)
def test_an_asker_gets_what_loops_over_his_rows_give(
    con: duckdb.DuckDBPyConnection,
    seed: int,
    asked: naive.Asked,
    rule: dict[str, list[rules.Entry]],
    asker: rules.Asker,
) -> None:
    check(con, seed, asked, rule, asker)


@pytest.mark.slow
@given(seed=st.integers(0, 2**32), asked=questions(), rule=policies(), asker=askers())
@settings(max_examples=1_000, deadline=None, suppress_health_check=EVERYTHING)
def test_an_asker_gets_what_loops_over_his_rows_give_many_times(
    con: duckdb.DuckDBPyConnection,
    seed: int,
    asked: naive.Asked,
    rule: dict[str, list[rules.Entry]],
    asker: rules.Asker,
) -> None:
    check(con, seed, asked, rule, asker)
