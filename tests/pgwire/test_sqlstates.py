"""What an error of Ingot is called by PostgreSQL."""

import pytest

from ingot.engines.errors import (
    OutOfMemoryError,
    QueryError,
    QueryInterruptedError,
    QueryRefusedError,
    QueryTimeoutError,
)
from ingot.errors import ConflictError, IngotError, NotFoundError, UsageError
from ingot.lake.errors import CatalogUnavailableError, MissingFileError
from ingot.pgwire.errors import PgError
from ingot.pgwire.sqlstates import fields, sqlstate
from ingot.semantic.errors import ExecutionError
from ingot.semantic.sql.errors import SqlError


@pytest.mark.parametrize(
    ("error", "wanted"),
    [
        (PgError("x", sqlstate="57014"), "57014"),
        (SqlError("x", sqlstate="42703"), "42703"),
        (SqlError("x"), "42601"),
        (NotFoundError("branch or tag", "dev"), "3D000"),
        (NotFoundError("table", "t"), "42P01"),
        (NotFoundError("measure", "m"), "42703"),
        (NotFoundError("something", "x"), "42704"),
        (QueryRefusedError("x"), "42501"),
        (QueryInterruptedError("x"), "57014"),
        (QueryTimeoutError("x"), "57014"),
        (OutOfMemoryError("x"), "53200"),
        (ConflictError("x"), "40001"),
        (CatalogUnavailableError("x"), "57P03"),
        (MissingFileError("x"), "58P01"),
        (UsageError("x"), "42000"),
        (QueryError("Conversion Error: Could not convert string 'a' to INT32"), "22P02"),
        (QueryError("Out of Range Error: Overflow in multiplication"), "22003"),
        (QueryError('Catalog Error: Table with name "x" does not exist'), "42P01"),
        (ExecutionError('Binder Error: Referenced column "x" not found'), "42703"),
        (QueryError("Binder Error: something"), "42000"),
        (IngotError("x"), "XX000"),
    ],
)
def test_every_kind_of_error_has_its_sqlstate(error: IngotError, wanted: str) -> None:
    assert sqlstate(error) == wanted


def test_every_error_class_has_a_sqlstate_of_five_characters() -> None:
    found = [IngotError]
    for kind in found:
        found += kind.__subclasses__()
    codes = {kind.code for kind in found}
    for code in codes:
        error = IngotError("x")
        error.code = code  # type: ignore[misc]
        assert len(sqlstate(error)) == 5


def test_the_fields_of_an_error_tell_all_that_is_known() -> None:
    error = PgError("m", sqlstate="42703", position=7, detail="d", hint="h")
    assert fields(error, offset=10) == {
        "S": "ERROR", "V": "ERROR", "C": "42703", "M": "m", "D": "d", "H": "h", "P": "17",
    }  # fmt: skip
    assert fields(IngotError("m"), severity="FATAL") == {
        "S": "FATAL",
        "V": "FATAL",
        "C": "XX000",
        "M": "m",
    }


def test_an_engines_sql_is_not_told() -> None:
    for kind in (QueryError, ExecutionError):
        error = kind(
            "Binder Error: No function matches '/(DATE)'. You might need casts.\n\tCandidate functions:\n\t/(FLOAT)"
            '\n\n\nLINE 1: ...) AS "x" FROM secret WHERE tenant = 7\n            ^'
        )
        assert fields(error)["M"] == "No function matches '/(DATE)'. You might need casts."
        assert fields(error)["C"] == "42883"
    said = "Invalid Input Error: bad value of it"
    assert fields(QueryError(f'{said}\nLINE 1: SELECT "secret"'))["M"] == "bad value of it"
    assert fields(PgError("Binder Error: as it is\nLINE 1: x"))["M"] == "Binder Error: as it is\nLINE 1: x"
    # What is said of a semantic query is meant for who asked.
    assert fields(UsageError("Parser Error: LINE 1: x"))["M"] == "Parser Error: LINE 1: x"


def test_a_place_in_the_text_is_told_once() -> None:
    """The field P has it; a message without that field keeps what it says."""
    error = SqlError("There is no column 'x'.", at=8).located("SELECT x FROM t")
    assert error.message == "There is no column 'x'. (line 1, column 8)"
    assert fields(error)["M"] == "There is no column 'x'."
    assert fields(error)["P"] == "8"
    assert fields(SqlError("as it is (line 1, column 8)"))["M"] == "as it is (line 1, column 8)"
