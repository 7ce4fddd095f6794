"""The table of types against PostgreSQL's own, and what the engine's types are in it."""

import pyarrow as pa
import pytest

from ingot.pgwire import types
from ingot.pgwire.types import TYPES, arrow_type, numeric_modifier, numeric_scale, postgres_type, type_of

from .judging import Judge


@pytest.mark.slow
def test_the_table_is_that_of_postgres(judge: Judge) -> None:
    for oid, ours in TYPES.items():
        sql = "(SELECT concat_ws('|', format_type(oid, NULL), typlen, typarray, typelem) FROM pg_type WHERE oid = $1::oid)"
        told = judge.value(sql, str(oid))
        assert told is not None
        name, size, array, element = told.decode().split("|")
        # The parts of `name` are characters, and PostgreSQL lists that as an element.
        element = "0" if oid == types.NAME else element
        assert (ours.size, ours.array, ours.element) == (int(size), int(array), int(element))
        assert name in (
            ours.name,
            f"{ours.name} without time zone",
            ours.name.replace("[]", " without time zone[]"),
        )


@pytest.mark.slow
@pytest.mark.parametrize(("precision", "scale"), [(1, 0), (14, 2), (38, 38), (1000, 999)])
def test_modifiers_of_numeric_are_those_of_postgres(judge: Judge, precision: int, scale: int) -> None:
    wanted = judge.value(f"numerictypmodin(ARRAY[$1, '{scale}']::cstring[])", str(precision))
    assert wanted is not None
    assert numeric_modifier(precision, scale) == int(wanted)
    assert numeric_scale(int(wanted)) == (precision, scale)


@pytest.mark.parametrize(
    ("engine", "oid", "modifier"),
    [
        ("DECIMAL(14,2)", types.NUMERIC, numeric_modifier(14, 2)), ("DECIMAL(4, 1)[]", 1231, numeric_modifier(4, 1)),
        ("HUGEINT", types.NUMERIC, -1), ("VARCHAR", types.TEXT, -1), ("ENUM('a', 'b[]')", types.TEXT, -1), ("INTEGER[][3]", 1007, -1),
        ("STRUCT(a INTEGER[])", types.JSON, -1), ("STRUCT(a INTEGER)[]", types.JSON, -1), ("JSON[]", types.JSON, -1), ("MAP(INTEGER, VARCHAR)", types.JSON, -1),
        ("TIMESTAMP WITH TIME ZONE[]", 1185, -1), ('"NULL"', types.TEXT, -1), ("SOMETHING NEW", types.TEXT, -1), ("ENUM('a')[]", 1009, -1),
    ],
)  # fmt: skip
def test_types_of_the_engine_are_types_of_postgres(engine: str, oid: int, modifier: int) -> None:
    assert postgres_type(engine) == (oid, modifier)


def test_types_of_arrow_are_types_of_postgres() -> None:
    assert arrow_type(pa.list_(pa.list_(pa.decimal128(5, 1)))) == (1231, numeric_modifier(5, 1))
    assert arrow_type(pa.list_(pa.struct([("a", pa.int8())]))) == (types.JSON, -1)
    assert arrow_type(pa.timestamp("ns", "UTC")) == (types.TIMESTAMPTZ, -1)
    assert arrow_type(pa.null()) == (types.TEXT, -1)


def test_unknown_types_have_a_name_and_no_size() -> None:
    assert (type_of(600).name, type_of(600).size) == ("type 600", -1)
