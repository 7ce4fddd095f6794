"""The random shops and questions through real Trino and real Spark, which runs the text for Databricks."""

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.lake.clients.trino import TrinoError
from tests.semantic import naive, test_planner_random, test_stages_random
from tests.semantic.dialects import agreement
from tests.semantic.dialects.inlined import InlinedShop
from tests.semantic.naive_measures import Scope

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


# Enough to find what is wrong in one of a few dozen; 300 and 100 of each ran green when the dialects were written.
TRINO, SPARK = 40, 20


def some(examples: int) -> settings:
    # Each one is compiled for most of a second: what fails is shown as it is.
    return settings(
        max_examples=examples,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )


SEEDS = st.integers(0, 2**32)


@given(seed=SEEDS, asked=test_planner_random.questions())
@some(TRINO)
def test_trino_agrees_with_nested_loops(trino_shop: InlinedShop, seed: int, asked: naive.Asked) -> None:
    agreement.plain(trino_shop, seed, asked)


@given(seed=SEEDS, asked=test_stages_random.questions())
@some(TRINO)
def test_stages_in_trino_agree_with_nested_loops(
    trino_shop: InlinedShop, seed: int, asked: tuple[list[str], Scope]
) -> None:
    try:
        agreement.staged(trino_shop, seed, asked)
    except TrinoError as error:
        # It refuses what it would have to do in too many steps; that is an error, and never another number.
        if "exceeds the allowed maximum" not in str(error):
            raise


@given(seed=SEEDS, asked=test_planner_random.questions())
@some(SPARK)
def test_spark_agrees_with_nested_loops(spark_shop: InlinedShop, seed: int, asked: naive.Asked) -> None:
    agreement.plain(spark_shop, seed, asked)


@given(seed=SEEDS, asked=test_stages_random.questions())
@some(SPARK)
def test_stages_in_spark_agree_with_nested_loops(
    spark_shop: InlinedShop, seed: int, asked: tuple[list[str], Scope]
) -> None:
    agreement.staged(spark_shop, seed, asked)
