"""Quoting, judged by the parser that has to read it."""

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingot.engines.sql import quote_identifier, quote_literal

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


def evaluate(sql: str) -> object:
    with duckdb.connect() as con:
        row = con.execute(f"SELECT {sql}").fetchone()
    assert row is not None
    return row[0]


@settings(max_examples=40)
@given(TEXT)
def test_any_text_survives_as_a_literal(text: str) -> None:
    assert evaluate(quote_literal(text)) == text


@settings(max_examples=40)
@given(TEXT.filter(bool))
def test_any_text_survives_as_a_name(name: str) -> None:
    with duckdb.connect() as con:
        described = con.execute(f"SELECT 1 AS {quote_identifier(name)}").description
    assert described is not None
    assert described[0][0] == name


@pytest.mark.parametrize("value", [None, True, False, 0, -7, 1.5, ["a'", "b"], {"k'": 1}])
def test_other_values_survive(value: object) -> None:
    assert evaluate(quote_literal(value)) == value


def test_parts_are_quoted_one_by_one() -> None:
    assert quote_identifier("a.b", 'c"d') == '"a.b"."c""d"'


@pytest.mark.parametrize("parts", [(), ("",), ("a", ""), ("a\0b",)])
def test_what_is_no_name_is_refused(parts: tuple[str, ...]) -> None:
    with pytest.raises(ValueError):
        quote_identifier(*parts)


def test_what_has_no_literal_is_refused() -> None:
    with pytest.raises(TypeError):
        quote_literal(object())
    with pytest.raises(ValueError):
        quote_literal("a\0b")
