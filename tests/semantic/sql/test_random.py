"""Random SQL over random shops beside the evaluator of nested loops, and beside the JSON query that means the same."""

from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from ingot.engines.duckdb import connect
from ingot.semantic import QueryError
from ingot.semantic.context import ANYONE
from ingot.semantic.planner.plan import plan
from ingot.semantic.policy.apply import Guard
from ingot.semantic.policy.hooks import NONE
from ingot.semantic.query import parse
from ingot.semantic.sql.planning import planned
from tests.semantic import naive, shop
from tests.semantic.test_planner_random import as_query, questions, world_of

MODEL = shop.model()
AGGREGATES = {"sum": "SUM({})", "avg": "AVG({})", "min": "MIN({})", "max": "MAX({})", "count": "COUNT({})",
              "count_distinct": "COUNT(DISTINCT {})"}  # fmt: skip


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(extensions=("icu",)) as made:
        yield made


def literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).upper()
    return str(value) if isinstance(value, int | float) else "'" + str(value).replace("'", "''") + "'"


def condition(column: str, operator: str, values: list[Any], draw: st.DrawFn) -> str:
    """SQL for a filter of Cube's, in one of several ways."""
    known = [value for value in values if value is not None]
    if operator in ("set", "notSet"):
        return f"{column} IS {'NOT ' if operator == 'set' else ''}NULL"
    if operator in ("equals", "notEquals"):
        if known:
            forms = [
                f"{column} IN ({', '.join(map(literal, known))})",
                " OR ".join(f"{column} = {literal(v)}" for v in known),
            ]
            test = draw(
                st.sampled_from(
                    [*forms, f"coalesce({forms[0]}, FALSE)", f"CASE WHEN {forms[1]} THEN TRUE END"]
                )
            )
            test = f"({test})"
        else:
            test = "(1 = 2)"
        if operator == "equals":
            return f"({test} OR {column} IS NULL)" if None in values else test
        null = f"{column} IS NOT NULL" if None in values else f"{column} IS NULL"
        negated = f"NOT coalesce({test}, FALSE)"
        return f"({negated} AND {null})" if None in values else f"({negated} OR {null})"
    if operator in ("contains", "notContains", "startsWith", "endsWith"):
        before, after = operator != "startsWith", operator != "endsWith"
        tests = []
        for value in known:
            text = value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
            tests.append(f"{column} ILIKE {literal(f'{chr(37) * before}{text}{chr(37) * after}')}")
        test = " OR ".join(tests)
        if operator == "notContains":
            return f"(NOT ({test}) OR {column} IS NULL)"
        return f"({test})"
    sign = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}[operator]
    forms = [f"{column} {sign} {literal(known[0])}", f"{column} + 0 {sign} {literal(known[0])}"]
    return draw(st.sampled_from(forms))


@st.composite
def statements(draw: st.DrawFn) -> tuple[naive.Asked, str]:
    """A question and SQL that asks it."""
    asked = draw(questions())
    outputs: list[str] = []
    owners: dict[str, None] = {}
    groups: list[str] = []
    for name in asked.dimensions:
        base, grain = naive.split(name)
        owners[base.partition(".")[0]] = None
        groups.append(f"date_trunc('{grain}', {base})" if grain else base)
    outputs += groups
    for name in asked.measures:
        owners[name.partition(".")[0]] = None
        outputs.append(aggregate(name, draw))
    tests = []
    for name, operator, values in asked.filters:
        owners[name.partition(".")[0]] = None
        tests.append(condition(name, operator, values, draw))
    for name in asked.segments:
        owners[name.partition(".")[0]] = None
        tests.append(f"{name} IS TRUE")
    having = []
    for name, operator, bound in asked.having:
        owners[name.partition(".")[0]] = None
        having.append(f"{aggregate(name, draw)} {'>' if operator == 'gt' else '<='} {bound}")
    text = f"SELECT {', '.join(f'{one} AS o{n}' for n, one in enumerate(outputs))} FROM {' CROSS JOIN '.join(owners)}"
    if tests:
        text += " WHERE " + " AND ".join(tests)
    if groups:
        text += " GROUP BY " + draw(
            st.sampled_from([", ".join(groups), ", ".join(str(n + 1) for n in range(len(groups)))])
        )
    if having:
        text += " HAVING " + " AND ".join(having)
    return asked, text


def aggregate(name: str, draw: st.DrawFn) -> str:
    kind = MODEL.measure(name).aggregate
    forms = [f"MEASURE({name})"] + ([AGGREGATES[kind].format(name)] if kind in AGGREGATES else [])
    return draw(st.sampled_from(forms))


@given(seed=st.integers(0, 2**32), statement=statements())
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_sql_agrees_with_nested_loops_and_with_the_json_query(
    con: duckdb.DuckDBPyConnection, seed: int, statement: tuple[naive.Asked, str]
) -> None:
    asked, text = statement
    note(text)
    world = world_of(seed)
    at: Any = SimpleNamespace(state=None, ref="main", time="")

    def made() -> Any:
        return planned(
            text, MODEL, at=at, guard=Guard(), hooks=NONE, context=ANYONE, now=datetime.now(UTC), zone=asked.zone
        )  # fmt: skip

    try:
        expected = naive.answer(asked, world)
    except naive.UnreachableError:
        with pytest.raises(QueryError, match="No join path"):
            made()
        return
    found = made()
    note(found.sql)
    shop.fill(con, world)
    rows = con.execute(found.sql, list(found.parameters) or None).fetchall()
    width = len(asked.dimensions)
    by_key = {row[:width]: row[width:] for row in rows}
    assert len(by_key) == len(rows), "a group stands twice"
    assert by_key.keys() == expected.keys()
    for key, values in expected.items():
        assert by_key[key] == pytest.approx(values), key
    query = plan(MODEL, parse({**as_query(asked), "total": False, "limit": 50_000}))
    same = con.execute(query.sql, list(query.parameters) or None).fetchall()
    assert {row[:width]: pytest.approx(row[width:]) for row in same} == by_key
