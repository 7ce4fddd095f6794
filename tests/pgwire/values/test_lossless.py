"""What DuckDB cannot give to Arrow comes through nevertheless: from SQL to the wire, against what DuckDB itself shows."""

from collections.abc import Iterator

import duckdb
import pytest

from ingot.pgwire.errors import PgError
from ingot.pgwire.ports import BINARY, Field, Value
from ingot.pgwire.types import TEXT, postgres_type
from ingot.pgwire.values.encoder import Encoder
from ingot.pgwire.values.lossless import lossless
from ingot.pgwire.values.parameters import decode

from .judging import Bytes, cells


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as made:
        yield made


def sent(con: duckdb.DuckDBPyConnection, select: str, format_: int = 0) -> tuple[int, Bytes]:
    """The OID and the values of the only column."""
    ((_, kind, *_),) = con.execute(f"DESCRIBE {select}").fetchall()
    with con.execute(lossless(select, [kind])).to_arrow_reader() as reader:
        encoder = Encoder([Field("c", *postgres_type(kind))], reader.schema, (format_,))
        wire = b"".join(encoder.encode(batch) for batch in reader)
    return postgres_type(kind)[0], [row[0] for row in cells(wire)]


@pytest.mark.parametrize(
    ("value", "oid", "expected"),
    [
        ("'04:05:06+05:30'::TIMETZ", 1266, b"04:05:06+05:30"),
        ("['04:05:06+05:30'::TIMETZ, NULL]", 1270, b"{04:05:06+05:30,NULL}"),
        ("INTERVAL '3000000 hours'", 1186, b"3000000:00:00"),
        (
            "to_months(14) - INTERVAL 3 DAY - INTERVAL '0.5' SECOND",
            1186,
            b"1 year 2 mons -3 days -00:00:00.5",
        ),
        ("[INTERVAL 1 DAY, NULL]", 1187, b'{"1 day",NULL}'),
        ("[[INTERVAL 1 DAY], [NULL]]", 1187, b'{{"1 day"},{NULL}}'),
        ("'0101'::BIT", 1562, b"0101"),
        (
            "340282366920938463463374607431768211455::UHUGEINT",
            1700,
            b"340282366920938463463374607431768211455",
        ),
        (
            "(-170141183460469231731687303715884105728)::HUGEINT",
            1700,
            b"-170141183460469231731687303715884105728",
        ),
        ("{'a': 1, 'b': [1, NULL]}", 114, b'{"a":1,"b":[1,null]}'),
        ("MAP {'x': 1}", 114, b'{"x":1}'),
        ("[{'a': 1}]", 114, b'[{"a":1}]'),
        ("union_value(n := 7)", 114, b'{"n":7}'),
        ("['[1]'::JSON]", 114, b"[[1]]"),
        ("'{\"a\": 1}'::JSON", 114, b'{"a": 1}'),
        ("'b'::ENUM('a', 'b')", 25, b"b"),
        ("'550e8400-e29b-41d4-a716-446655440000'::UUID", 2950, b"550e8400-e29b-41d4-a716-446655440000"),
        ("'\\x00\\xFF'::BLOB", 17, b"\\x00ff"),
        ("NULL", 23, None),
        ("NULL::STRUCT(a INTEGER)", 114, None),
        ("NULL::INTERVAL", 1186, None),
        ("NULL::TIMETZ[]", 1270, None),
        ("TIMESTAMP_NS '2024-02-29 01:02:03.123456789'", 1114, b"2024-02-29 01:02:03.123457"),
        ("[1, 2]::INTEGER[2]", 1007, b"{1,2}"),
        ("255::UTINYINT", 21, b"255"),
        ("18446744073709551615::UBIGINT", 1700, b"18446744073709551615"),
        ("1.5::DECIMAL(38, 10)", 1700, b"1.5000000000"),
        ("0.0000000001::DECIMAL(38, 10)", 1700, b"0.0000000001"),
        ("'infinity'::TIMESTAMPTZ", 1184, b"infinity"),
        ("'24:00:00'::TIME", 1083, b"24:00:00"),
    ],
)
def test_every_type_of_the_engine_arrives(
    con: duckdb.DuckDBPyConnection, value: str, oid: int, expected: bytes | None
) -> None:
    assert sent(con, f"SELECT {value} AS c") == (oid, [expected])
    assert sent(con, f"SELECT {value} AS c WHERE false") == (oid, [])


def test_what_loses_nothing_is_left_alone() -> None:
    assert lossless("SELECT 1", ["INTEGER"]) == "SELECT 1"


def test_order_and_equal_names_survive(con: duckdb.DuckDBPyConnection) -> None:
    select = "SELECT i AS x, INTERVAL (i) DAY AS x FROM range(5000) AS t(i) ORDER BY i DESC -- last"
    found = con.execute(lossless(select, ["BIGINT", "INTERVAL"])).fetchall()
    assert [(row[0], row[1]["days"]) for row in found] == [(i, i) for i in reversed(range(5000))]


def _columns() -> list[tuple[str, str]]:
    with duckdb.connect() as con:
        return [
            (str(row[0]), str(row[1])) for row in con.execute("DESCRIBE FROM test_all_types()").fetchall()
        ]


REFUSED = {
    # DuckDB's times begin before PostgreSQL's; its lists need not be of one length.
    "date": [0, 1], "timestamp": [0], "timestamp_s": [0], "timestamp_ms": [0], "timestamp_tz": [0], "nested_int_array": [1],
    "fixed_nested_int_array": [0], "fixed_nested_varchar_array": [0], "fixed_array_of_int_list": [0, 1],
}  # fmt: skip


@pytest.mark.parametrize(("name", "kind"), _columns())
def test_text_and_binary_say_the_same_of_every_type_that_duckdb_has(
    con: duckdb.DuckDBPyConnection, name: str, kind: str
) -> None:
    oid = postgres_type(kind)[0]
    for row in range(3):
        select = f'SELECT "{name}" FROM test_all_types() LIMIT 1 OFFSET {row}'
        if row in REFUSED.get(name, []):
            for format_ in (0, 1):
                with pytest.raises(PgError, match=r"out of range|matching dimensions"):
                    sent(con, select, format_)
            continue
        (_, (text,)), (_, (wire,)) = sent(con, select, 0), sent(con, select, 1)
        if oid == TEXT or text is None or wire is None:
            assert text == wire
        else:
            assert repr(decode(Value(text), oid)) == repr(decode(Value(wire, BINARY), oid))
