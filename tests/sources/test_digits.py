"""Whole numbers of JSON files keep all of their digits."""

import json
from decimal import Decimal
from typing import Any

import pytest

from ingot.sources import SourceError
from tests.sources.conftest import Room

LONG = 12345678901234567890123
DIGITS = 10**37 + 7


def lines(*values: Any) -> str:
    return "".join(json.dumps({"a": value}) + "\n" for value in values)


@pytest.mark.parametrize(
    ("values", "kind", "stored"),
    [
        ([LONG, 1, None], "DECIMAL(38,0)", [Decimal(LONG), Decimal(1), None]),
        ([-LONG, 2**63], "DECIMAL(38,0)", [Decimal(-LONG), Decimal(2**63)]),
        ([DIGITS], "DECIMAL(38,0)", [Decimal(DIGITS)]),
        ([2**64 - 1], "DECIMAL(38,0)", [Decimal(2**64 - 1)]),
        ([10**39 + 1, 5], "VARCHAR", [str(10**39 + 1), "5"]),
        ([LONG, 0.5], "VARCHAR", [str(LONG), "0.5"]),
        ([2**53 + 1, 0.5], "VARCHAR", [str(2**53 + 1), "0.5"]),
        ([2**53, 0.5, 10**20], "DOUBLE", [float(2**53), 0.5, 1e20]),
        ([1.5, 1e300, -0.25], "DOUBLE", [1.5, 1e300, -0.25]),
        ([1, 2**63 - 1], "BIGINT", [1, 2**63 - 1]),
        ([0.12345678901234566], "DOUBLE", [0.12345678901234566]),
    ],
)
def test_a_column_of_numbers_gets_the_type_that_holds_them(
    room: Room, values: list[Any], kind: str, stored: list[Any]
) -> None:
    room.write("a.jsonl", lines(*values))
    room.load()
    assert room.types() == {"a": kind}
    assert sorted(room.rows(), key=str) == sorted(((value,) for value in stored), key=str)


@pytest.mark.parametrize("value", [{"x": LONG}, [1.5, LONG], {"x": {"y": [LONG, 0.5]}}])
def test_a_long_number_inside_of_a_value_keeps_the_column_as_text(room: Room, value: Any) -> None:
    room.write("a.jsonl", lines(value))
    room.load()
    assert room.types() == {"a": "VARCHAR"}
    [(text,)] = room.rows()
    assert json.loads(text) == value


def test_digits_in_texts_and_fractions_inside_of_a_value_change_nothing(room: Room) -> None:
    room.write(
        "a.jsonl",
        lines({"x": 0.5, "s": f'a "{LONG}" b', "t": str(LONG)}, {"x": 1.2345678901234567, "s": "", "t": ""}),
    )
    room.load()
    assert "DOUBLE" in room.types()["a"]


def test_a_long_number_that_comes_later_is_refused_where_the_column_cannot_hold_it(room: Room) -> None:
    room.write("a.jsonl", lines(0.5))
    room.load()
    room.write("b.jsonl", lines(1, LONG))
    with pytest.raises(SourceError) as caught:
        room.load()
    assert caught.value.file == "data/b.jsonl"
    assert room.rows() == [(0.5,)]


def test_a_declared_type_is_what_counts(room: Room) -> None:
    room.write("a.jsonl", lines(LONG, 0.5))
    room.load(columns={"a": "double"})
    assert room.types() == {"a": "DOUBLE"}


def test_later_files_of_short_numbers_fit_a_column_of_long_ones(room: Room) -> None:
    room.write("a.jsonl", lines(LONG))
    room.load()
    room.write("b.jsonl", lines(7))
    room.load()
    assert sorted(room.rows()) == [(Decimal(7),), (Decimal(LONG),)]
