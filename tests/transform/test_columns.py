"""Types as they are read back from the lake."""

import pytest

from ingot.transform.columns import stored_type


@pytest.mark.parametrize(
    ("kind", "stored"),
    [
        ("INTEGER", "INTEGER"),
        ("HUGEINT", "DECIMAL(38,0)"),
        ("UTINYINT[]", "INTEGER[]"),
        ("ENUM('a', 'it''s (b)')", "VARCHAR"),
        ("STRUCT(a TINYINT, b UBIGINT[])", "STRUCT(a INTEGER, b DECIMAL(20,0)[])"),
        ("MAP(JSON, TIMESTAMP_S)", "MAP(VARCHAR, TIMESTAMP)"),
        ('STRUCT("JSON" DATE, TINYINT DATE)', 'STRUCT("JSON" DATE, TINYINT DATE)'),
        ("TIMESTAMP WITH TIME ZONE", "TIMESTAMP WITH TIME ZONE"),
    ],
)
def test_a_type_is_the_one_that_the_lake_gives_back(kind: str, stored: str) -> None:
    assert stored_type(kind) == stored
