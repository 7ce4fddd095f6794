"""dbt's messages without what surrounds them."""

from pathlib import Path

import pytest

from ingot.transform.messages import clean, project_error


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (None, None),
        ("", None),
        ("plain", "plain"),
        ("\x1b[31mred\x1b[0m", "red"),
        (
            "Runtime Error in model a (models/a.sql)\n  Binder Error: x\n  LINE 1: y",
            "Binder Error: x\nLINE 1: y",
        ),
        ("Runtime Error in unit_test t (models/s.yml)\n  a\n    b", "a\n  b"),
        ("Database Error\n  no", "no"),
        ("Runtime Error in model a (models/a.sql)\n  x\n  compiled code at /t/a.sql", "x"),
        ("Nothing like an Error heading", "Nothing like an Error heading"),
    ],
)
def test_a_message_keeps_what_the_database_said(message: str | None, expected: str | None) -> None:
    assert clean(message) == expected


def test_a_line_comes_from_the_message_and_a_file_from_its_heading(tmp_path: Path) -> None:
    message = "Compilation Error in model a (models/a.sql)\n  unexpected '}'\n    line 7\n      {{ }}}"
    error = project_error(message, tmp_path)
    assert (error.file, error.line) == ("models/a.sql", 7)
    assert str(error).startswith("models/a.sql:7: unexpected '}'")


def test_a_message_without_a_place_is_kept_whole(tmp_path: Path) -> None:
    error = project_error("Something went wrong", tmp_path)
    assert (str(error), error.file, error.line) == ("Something went wrong", None, None)


def test_a_name_that_resembles_none_is_not_guessed(tmp_path: Path) -> None:
    message = "Compilation Error\n  Model 'model.s.a' (models/a.sql) depends on a node named 'zzz' which was not found"
    assert str(project_error(message, tmp_path, ["orders"])) == "There is no model, seed or snapshot 'zzz'."
