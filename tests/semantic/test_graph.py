"""The graph of cubes and joins, and the ways between two of them."""

import json
from typing import Any

import pytest

from ingot.errors import NotFoundError
from ingot.semantic.compiler.graph import between, dot, mermaid, plain
from tests.semantic import shop

KEY = {"name": "id", "type": "number", "sql": "id", "primary_key": True}


def cube(name: str, **joins: str) -> dict[str, Any]:
    return {
        "name": name,
        "sql_table": name,
        "dimensions": [KEY],
        "measures": [{"name": "count", "type": "count"}],
        "joins": [
            {"name": other, "relationship": kind, "sql": f"{{CUBE}}.x = {{{other}}}.id"}
            for other, kind in joins.items()
        ],
    }


DIAMOND = [
    cube("a", b="many_to_one", c="one_to_many"),
    cube("b", d="many_to_one"),
    cube("c", d="one_to_one"),
    cube("d"),
    cube("e", d="many_to_one"),
    cube("alone"),
]


def test_a_picture_has_every_cube_and_the_end_with_many_rows() -> None:
    model = shop.model(DIAMOND, [])
    text = mermaid(model).splitlines()
    assert text[0] == "erDiagram"
    assert text[1:7] == ["  a", "  b", "  c", "  d", "  e", "  alone"]
    assert text[7:] == [
        "  a }o--|| b : many_to_one",
        "  a ||--o{ c : one_to_many",
        "  b }o--|| d : many_to_one",
        "  c ||--|| d : one_to_one",
        "  e }o--|| d : many_to_one",
    ]
    assert (
        '  "a" -> "c" [label="one_to_many", dir=both, arrowtail=tee, arrowhead=crow];'
        in dot(model).splitlines()
    )
    data = json.loads(json.dumps(plain(model)))
    assert [one["multiplies"] for one in data["joins"]] == ["b", "a", "d", None, "d"]
    assert data["cubes"][0] == {
        "name": "a",
        "tables": ["a"],
        "primaryKey": ["id"],
        "measures": 1,
        "dimensions": 1,
    }


def test_two_ways_of_one_length_are_ambiguous_and_named() -> None:
    model = shop.model(DIAMOND, [])
    found = between(model, "a", "d")
    assert set(found.ways) == {("a", "b", "d"), ("a", "c", "d")}
    assert found.is_ambiguous
    said = "\n".join(found.lines(model))
    assert "way   a -[many_to_one]-> b -[many_to_one]-> d" in said
    assert "refused: Cube 'd' would be joined in two ways" in said
    assert "choose: a view with join_path: a." in said


def test_the_cube_whose_rows_repeat_is_named() -> None:
    model = shop.model(DIAMOND, [])
    assert between(model, "a", "b").multiplied == ("b",)
    assert between(model, "a", "c").multiplied == ("a",)
    assert between(model, "c", "d").multiplied == ()
    assert "no fan-out: every row stands there once" in list(between(model, "c", "d").lines(model))


def test_a_way_against_the_declared_direction_is_found_from_the_other_end() -> None:
    model = shop.model(DIAMOND, [])
    found = between(model, "d", "e")
    assert found.ways == (("e", "d"),)
    assert found.used is not None
    assert found.used.root == "e"


def test_cubes_that_only_a_third_one_reaches_are_told_with_it() -> None:
    model = shop.model(DIAMOND, [])
    found = between(model, "b", "c")
    assert (found.ways, found.through) == ((), ("a",))
    assert "both can be reached from a" in "\n".join(found.lines(model))


def test_what_is_not_connected_is_said_to_be() -> None:
    model = shop.model(DIAMOND, [])
    found = between(model, "a", "alone")
    assert (found.ways, found.through, found.is_ambiguous) == ((), (), False)
    assert "No join path connects" in "\n".join(found.lines(model))


def test_an_unknown_cube_has_the_nearest_name() -> None:
    with pytest.raises(NotFoundError, match="did you mean 'alone'"):
        between(shop.model(DIAMOND, []), "a", "alon")
