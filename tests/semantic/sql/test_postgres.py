"""The language, case by case, beside a real PostgreSQL over the same table: values, types, codes of errors.

A case is a line of a file in `cases`: an expression over the table `t` of `judged.py`, or a whole SELECT.
"""

from collections.abc import Iterator

import pytest

from ingot.semantic.sql.allowed import functions
from tests.semantic.sql.judged import Judged, cases, judged

pytestmark = pytest.mark.slow

EXPRESSIONS = cases("expressions.txt")
STATEMENTS = cases("statements.txt")


@pytest.fixture(scope="module")
def both() -> Iterator[Judged]:
    with judged() as made:
        yield made


def wrong(both: Judged, texts: list[str]) -> str:
    found = [(text, both.differs(text)) for text in texts]
    return "\n".join(f"{text}\n    {why}" for text, why in found if why is not None)


def test_expressions_mean_what_they_mean_in_postgresql(both: Judged) -> None:
    assert not wrong(both, [f"SELECT {one} FROM t ORDER BY k" for one in EXPRESSIONS])


def test_statements_mean_what_they_mean_in_postgresql(both: Judged) -> None:
    assert not wrong(both, STATEMENTS)


def test_every_function_is_among_the_cases() -> None:
    text = "\n".join([*EXPRESSIONS, *STATEMENTS]).lower()
    bare = {"cast", "current_date", "localtimestamp"}
    missing = {name for name in functions() - bare if f"{name}(" not in text}
    assert missing == set()
