"""Models written in the SQL of the engine that is asked, and switches, whose values no table holds."""

from typing import Any

import pytest

from ingot.semantic import QueryError, compile_model
from ingot.semantic.model import Model
from ingot.semantic.planner.plan import plan
from ingot.semantic.query import parse
from tests.semantic import shop
from tests.semantic.dialects import things
from tests.semantic.dialects.inlined import InlinedShop
from tests.semantic.dialects.shops import PostgresShop

_CUBE: dict[str, Any] = {
    "name": "things",
    "sql_table": "gold.things",
    "dimensions": [
        shop.KEY,
        {"name": "choice", "type": "switch", "values": ["one", "it's"]},
        {"name": "month", "type": "string", "sql": "TO_CHAR({CUBE}.t, 'YYYY-MM')"},
        {"name": "whole", "type": "number", "sql": "b / 2"},
        {"name": "start", "type": "time", "sql": "DATE_TRUNC('month', {CUBE}.t)"},
    ],
    "measures": [
        {"name": "count", "type": "count"},
        {"name": "halves", "type": "sum", "sql": "b / 2"},
        {"name": "ratio", "type": "number", "sql": "{halves} / NULLIF({count}, 0)"},
        {"name": "any", "type": "number", "sql": "SUM({CUBE}.a) FILTER (WHERE {CUBE}.f)"},
    ],
}


def model(dialect: str) -> Model:
    return compile_model(shop.project([_CUBE], []), dialect=dialect)


def test_sql_in_the_engines_own_dialect_means_what_the_engine_says(postgres_things: PostgresShop) -> None:
    asked = parse({"measures": ["things.halves", "things.count", "things.ratio", "things.any"]})
    made = plan(model("postgres"), asked)
    assert '"things".b / 2' in made.sql
    # Whole numbers there: 2 / 2 and three times 3 / 2; SUM of those is a decimal number.
    assert postgres_things.rows(made) == [(1 + 1 + 1 + 1 + 1, 6, pytest.approx(5 / 6), 8)]


def test_functions_of_the_engine_pass(postgres_things: PostgresShop) -> None:
    made = plan(model("postgres"), parse({"dimensions": ["things.month"], "timezone": "Europe/Berlin"}))
    found = {row[0] for row in postgres_things.rows(made)}
    assert found == {f"{row['t']:%Y-%m}" for row in things.ROWS["things"] if row["t"]} | {None}


def test_times_of_such_a_model_are_cut_as_in_others(postgres_things: PostgresShop) -> None:
    time = {"dimension": "things.start", "granularity": "month"}
    asked = parse({"measures": ["things.count"], "timeDimensions": [time], "timezone": "Asia/Kolkata"})
    rows = postgres_things.rows(plan(model("postgres"), asked))
    assert sum(row[1] for row in rows) == 6


@pytest.mark.parametrize(("own", "other"), [("postgres", "duckdb"), ("snowflake", "bigquery")])
def test_a_model_in_one_dialect_is_not_asked_in_another(own: str, other: str) -> None:
    with pytest.raises(QueryError, match=f"SQL of {own} and cannot be asked in {other}"):
        plan(model(own), parse({"measures": ["things.count"]}), dialect=other)


@pytest.mark.parametrize(
    ("dialect", "sql", "text"),
    [
        ("bigquery", "TIMESTAMP_TRUNC({CUBE}.t, WEEK)", "TIMESTAMP_TRUNC(`things`.t, WEEK)"),
        ("bigquery", "LOG(x)", "LOG(`things`.x)"),
        ("snowflake", "DATEDIFF('month', {CUBE}.t, {CUBE}.t)", 'DATEDIFF(MONTH, "things".t, "things".t)'),
        ("trino", "LEAST(a, b)", 'LEAST("things".a, "things".b)'),
        ("databricks", "CAST(x AS INT)", "CAST(`things`.x AS INT)"),
        ("postgres", "a / b", '"things".a / "things".b'),
    ],
)
def test_what_an_author_writes_in_the_dialect_stays(dialect: str, sql: str, text: str) -> None:
    cube = _CUBE | {"dimensions": [shop.KEY, {"name": "one", "type": "string", "sql": sql}], "measures": []}
    made = plan(
        compile_model(shop.project([cube], []), dialect=dialect), parse({"dimensions": ["things.one"]})
    )
    assert made.sql.startswith(f"SELECT {text} AS ")


SWITCH = {"measures": ["things.count"], "dimensions": ["things.choice"], "order": {"things.choice": "asc"}}


def switched() -> Model:
    cube = _CUBE | {"dimensions": _CUBE["dimensions"][:2], "measures": _CUBE["measures"][:1]}
    return shop.model([cube], [])


@pytest.mark.parametrize("dialect", ["trino", "snowflake", "bigquery", "databricks"])
def test_the_values_of_a_switch_are_written(dialect: str) -> None:
    sql = plan(switched(), parse(SWITCH), dialect=dialect).sql
    assert "'one'" in sql
    assert ("CROSS JOIN" if dialect == "bigquery" else "ON TRUE") in sql


def test_switches_in_postgres(postgres_things: PostgresShop) -> None:
    made = plan(switched(), parse(SWITCH), dialect="postgres")
    assert postgres_things.rows(made) == [("it's", 6), ("one", 6)]


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("engine", ["trino_things", "spark_things"])
def test_switches_in_trino_and_spark(engine: str, request: pytest.FixtureRequest) -> None:
    asked: InlinedShop = request.getfixturevalue(engine)
    made = plan(switched(), parse(SWITCH), dialect=asked.dialect)
    assert asked.rows(made) == [("it's", 6), ("one", 6)]
