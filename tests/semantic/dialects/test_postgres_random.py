"""The same random shops and questions as in DuckDB, through real PostgreSQL, against nested loops."""

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.semantic import naive, test_planner_random, test_stages_random
from tests.semantic.dialects import agreement
from tests.semantic.dialects.shops import PostgresShop
from tests.semantic.naive_measures import Scope

QUICK = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
THOUSANDS = settings(
    max_examples=1500,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate, Phase.shrink],
)


@given(seed=st.integers(0, 2**32), asked=test_planner_random.questions())
@QUICK
def test_postgres_agrees_with_nested_loops(postgres: PostgresShop, seed: int, asked: naive.Asked) -> None:
    agreement.plain(postgres, seed, asked)


@given(seed=st.integers(0, 2**32), asked=test_stages_random.questions())
@QUICK
def test_stages_in_postgres_agree_with_nested_loops(
    postgres: PostgresShop, seed: int, asked: tuple[list[str], Scope]
) -> None:
    agreement.staged(postgres, seed, asked)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@given(seed=st.integers(0, 2**32), asked=test_planner_random.questions())
@THOUSANDS
def test_thousands_of_questions_to_postgres_agree_with_nested_loops(
    postgres: PostgresShop, seed: int, asked: naive.Asked
) -> None:
    agreement.plain(postgres, seed, asked)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@given(seed=st.integers(0, 2**32), asked=test_stages_random.questions())
@THOUSANDS
def test_thousands_of_stages_in_postgres_agree_with_nested_loops(
    postgres: PostgresShop, seed: int, asked: tuple[list[str], Scope]
) -> None:
    agreement.staged(postgres, seed, asked)
