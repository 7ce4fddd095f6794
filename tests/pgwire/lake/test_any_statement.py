"""Whatever is written: an answer, or one error in PostgreSQL's words that shows nothing of the engine's."""

import re
from collections.abc import Iterable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingot.errors import IngotError
from ingot.pgwire.sqlstates import sqlstate
from tests.pgwire.lake.shop import Shop
from tests.pgwire.lake.test_lake_source import HOSTILE, SAME


def split(texts: Iterable[str]) -> list[list[str]]:
    """The words of statements."""
    return [re.findall(r"'[^']*'|\"[^\"]*\"|\w+|[^\w\s]", one) for one in texts]


WORDS = split((*SAME, *HOSTILE))
MORE = [
    "LATERAL", "NATURAL", "$1", "(", ")", "*", "OVER", "VALUES", "ARRAY", "[", "]", "::", "int", "FETCH", "TABLESAMPLE",
    "UNNEST", "ROW", "GROUPING", "SETS", "FOR", "INTO", "RECURSIVE", "NULL", "interval", "AT", "TIME", "ZONE",
    "COLLATE", "IS", "DISTINCT", "NOT", "SOME", "ALL", "CASE", "END", "EXISTS", "1e400", "-", "@", "~", "->>", "?", "''",
]  # fmt: skip


@st.composite
def statements(draw: st.DrawFn, good: list[list[str]]) -> str:
    """A good statement with some words gone, doubled, exchanged, or of another one."""
    words = list(draw(st.sampled_from(good)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(words)))
        other = draw(st.sampled_from(good))
        start = draw(st.integers(0, len(other)))
        words[at : at + draw(st.integers(0, 2))] = draw(
            st.one_of(
                st.just([]),
                st.sampled_from(MORE).map(lambda word: [word]),
                st.integers(0, 5).map(lambda size: other[start : start + size]),  # noqa: B023 - used at once
            )
        )
    return " ".join(words)


@pytest.mark.slow
@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(sql=statements(WORDS))
def test_any_statement_is_answered_or_refused(shop: Shop, sql: str) -> None:
    shop.reader.timeout = 0.5  # a WITH RECURSIVE may have lost its end
    try:
        shop.ask(sql)
    except IngotError as error:
        code, said = sqlstate(error), str(error)
        assert re.fullmatch(r"[0-9A-Z]{5}", code)
        assert code != "XX000", said
        for word in (
            "INTERNAL",
            "Binder Error",
            "Parser Error",
            "Catalog Error",
            "LINE 1",
            "DESCRIBE",
            ".parquet",
            "root:",
        ):
            assert word not in said
    finally:
        shop.reader.timeout = None
