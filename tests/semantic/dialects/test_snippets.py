"""SQL of a model, written for DuckDB, gives the same in every engine that the tests can start."""

import pytest

from tests.semantic.dialects import things
from tests.semantic.dialects.inlined import InlinedShop
from tests.semantic.dialects.shops import PostgresShop

MODEL = things.model()
CASES = pytest.mark.parametrize(("kind", "n", "sql"), things.EVERY, ids=[sql for _, _, sql in things.EVERY])


@CASES
def test_postgres_answers_as_duckdb(postgres_things: PostgresShop, kind: str, n: int, sql: str) -> None:
    things.agree(postgres_things, MODEL, kind, n)


@pytest.mark.slow
@pytest.mark.timeout(600)
@CASES
def test_trino_answers_as_duckdb(trino_things: InlinedShop, kind: str, n: int, sql: str) -> None:
    things.agree(trino_things, MODEL, kind, n)


@pytest.mark.parametrize("aggregate", ["MEDIAN(a)", "MEDIAN(d) FILTER (WHERE f)"])
def test_a_median_in_postgres(postgres_things: PostgresShop, aggregate: str) -> None:
    things.agree(postgres_things, things.model(more=[aggregate]), "agg", len(things.AGGREGATES))


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("aggregate", ["MEDIAN(a)", "MEDIAN(d) FILTER (WHERE f)"])
def test_a_median_in_spark(spark_things: InlinedShop, aggregate: str) -> None:
    things.agree(spark_things, things.model(more=[aggregate]), "agg", len(things.AGGREGATES))


@pytest.mark.slow
@pytest.mark.timeout(600)
@CASES
def test_spark_answers_as_duckdb(spark_things: InlinedShop, kind: str, n: int, sql: str) -> None:
    things.agree(spark_things, MODEL, kind, n)
