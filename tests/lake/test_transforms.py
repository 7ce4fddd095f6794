"""Partition transforms as DuckDB computes them, against PyIceberg's transforms value by value."""

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyiceberg import transforms as theirs
from pyiceberg.types import (
    BinaryType,
    DateType,
    DecimalType,
    IntegerType,
    LongType,
    StringType,
    TimestampType,
    TimestamptzType,
    TimeType,
    UUIDType,
)
from pyiceberg.utils.datetime import date_to_days, datetime_to_micros, time_to_micros

from ingot.lake import SchemaError, transforms

TYPES: dict[str, tuple[str, Any]] = {
    "int": ("INTEGER", IntegerType()),
    "long": ("BIGINT", LongType()),
    "date": ("DATE", DateType()),
    "time": ("TIME", TimeType()),
    "timestamp": ("TIMESTAMP", TimestampType()),
    "timestamptz": ("TIMESTAMPTZ", TimestamptzType()),
    "string": ("VARCHAR", StringType()),
    "uuid": ("UUID", UUIDType()),
    "binary": ("BLOB", BinaryType()),
    "decimal(12, 3)": ("DECIMAL(12,3)", DecimalType(12, 3)),
    "decimal(12, 0)": ("DECIMAL(12,0)", DecimalType(12, 0)),
}
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "int": st.integers(-(2**31) + 1000, 2**31 - 1000),
    "long": st.integers(-(2**63) + 1000, 2**63 - 1000),
    "date": st.dates(),
    "time": st.times(),
    "timestamp": st.datetimes(),
    "timestamptz": st.datetimes(),
    "string": st.text(
        alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40
    ),
    "uuid": st.uuids(),
    "binary": st.binary(max_size=40),
    "decimal(12, 3)": st.decimals(-99_999_999, 99_999_999, places=3),
    "decimal(12, 0)": st.decimals(-99_999_999, 99_999_999, places=0),
}
CASES = (
    [
        (f"{unit}(c)", kind)
        for unit in ("year", "month", "day")
        for kind in ("date", "timestamp", "timestamptz")
    ]
    + [("hour(c)", "timestamp"), ("hour(c)", "timestamptz")]
    + [("bucket(16, c)", kind) for kind in VALUES if not kind.startswith("decimal")]
    + [
        ("truncate(7, c)", kind)
        for kind in ("int", "long", "string", "binary", "decimal(12, 3)", "decimal(12, 0)")
    ]
    + [("c", kind) for kind in VALUES]
)


@pytest.fixture(scope="module")
def session() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection whose time zone is far from UTC, which must not matter."""
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'Pacific/Auckland'")
        yield con


def _their_transform(term: str, kind: str) -> Any:
    name = term.partition("(")[0]
    made: dict[str, Any] = {
        "year": theirs.YearTransform(),
        "month": theirs.MonthTransform(),
        "day": theirs.DayTransform(),
        "hour": theirs.HourTransform(),
        "bucket": theirs.BucketTransform(16),
        "truncate": theirs.TruncateTransform(7),
        "c": theirs.IdentityTransform(),
    }
    return made[name].transform(TYPES[kind][1])


def _stored(value: Any, kind: str) -> Any:
    """The value as PyIceberg's transforms take it."""
    if kind == "date":
        return date_to_days(value)
    if kind == "time":
        return time_to_micros(value)
    return datetime_to_micros(value) if kind.startswith("timestamp") else value


@pytest.mark.parametrize(("term", "kind"), CASES)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_transform_gives_the_same_values_as_pyiceberg(
    session: duckdb.DuckDBPyConnection, term: str, kind: str, data: st.DataObject
) -> None:
    values = data.draw(st.lists(VALUES[kind], min_size=1, max_size=8))
    (parsed,) = transforms.partition_terms([term], [{"id": 1, "name": "c", "required": False, "type": kind}])
    sql_type = TYPES[kind][0]
    texts = [value.hex() if kind == "binary" else str(value) for value in values]
    column = (
        "unhex(v)"
        if kind == "binary"
        else f"CAST(v || '+00' AS {sql_type})"
        if kind == "timestamptz"
        else f"CAST(v AS {sql_type})"
    )
    rows = session.execute(
        f"SELECT CAST({parsed.sql()} AS VARCHAR) FROM (SELECT {column} AS c FROM (SELECT unnest(?::VARCHAR[]) AS v))",
        [texts],
    ).fetchall()
    expected = [_their_transform(term, kind)(_stored(value, kind)) for value in values]
    assert [parsed.value(text) for (text,) in rows] == expected


@pytest.mark.parametrize("kind", VALUES)
def test_null_stays_null(session: duckdb.DuckDBPyConnection, kind: str) -> None:
    fields = [{"id": 1, "name": "c", "required": False, "type": kind}]
    for term in [term for term, of in CASES if of == kind]:
        (parsed,) = transforms.partition_terms([term], fields)
        found = session.execute(
            f"SELECT {parsed.sql()} FROM (SELECT CAST(NULL AS {TYPES[kind][0]}) AS c)"
        ).fetchone()
        assert found == (None,)
        assert parsed.value(None) is None


def test_the_examples_of_the_specification_hash_to_their_published_values(
    session: duckdb.DuckDBPyConnection,
) -> None:
    published = {
        ("int", "34::INTEGER"): 2017239379,
        ("long", "34::BIGINT"): 2017239379,
        ("date", "DATE '2017-11-16'"): -653330422,
        ("time", "TIME '22:31:08'"): -662762989,
        ("timestamp", "TIMESTAMP '2017-11-16 22:31:08'"): -2047944441,
        ("string", "'iceberg'"): 1210000089,
        ("uuid", "'f79c3e09-677c-4bbd-a479-3f349cb785e7'::UUID"): 1488055340,
        ("binary", "'\\x00\\x01\\x02\\x03'::BLOB"): -188683207,
    }
    for (kind, value), expected in published.items():
        found = session.execute(f"SELECT {transforms._hash('c', kind)} FROM (SELECT {value} AS c)").fetchone()
        assert found is not None
        assert found[0] == expected % 2**32


FIELDS = [
    {"id": 1, "name": "Ordered At", "required": False, "type": "timestamp"},
    {"id": 2, "name": "id", "required": False, "type": "long"},
    {"id": 3, "name": "tags", "required": False, "type": {"type": "list"}},
    {"id": 4, "name": "x", "required": False, "type": "double"},
    {"id": 5, "name": "id_bucket", "required": False, "type": "int"},
]


def test_terms_are_read_in_every_usual_spelling() -> None:
    terms = ['months("Ordered At")', "bucket(id, 8)", "ID", "Truncate( 10 , id )"]
    found = transforms.partition_terms(terms, FIELDS)
    assert [(term.transform, term.field["id"]) for term in found] == [
        ("month", 1),
        ("bucket[8]", 2),
        ("identity", 2),
        ("truncate[10]", 2),
    ]
    assert [part["name"] for part in transforms.spec(found, FIELDS)["fields"]] == [
        "Ordered At_month",
        "id_bucket_part",
        "id",
        "id_trunc",
    ]


@pytest.mark.parametrize(
    ("term", "said"),
    [
        ("mnth(id)", "did you mean 'month'"),
        ("month(id)", "does not take a column of type long"),
        ("hour(nothing)", "there is no 'nothing'"),
        ("bucket(0, id)", "not a partition term"),
        ("bucket(id)", "not a partition term"),
        ("tags", "over a list"),
        ("x", "type double"),
        ("id); drop table t; --", "there is no"),
        ("", "not a partition term"),
    ],
)
def test_a_wrong_term_says_what_is_wrong(term: str, said: str) -> None:
    with pytest.raises(SchemaError, match=said):
        transforms.partition_terms([term], FIELDS)


def test_a_term_that_is_given_twice_is_refused() -> None:
    with pytest.raises(SchemaError, match="twice"):
        transforms.partition_terms(["id", "ID"], FIELDS)


def test_sort_terms_have_directions_and_null_orders() -> None:
    order = transforms.sort_order(["id", "Ordered At DESC", "x asc nulls last"], FIELDS)
    assert transforms.order_by(order, FIELDS) == (
        '"id" ASC NULLS FIRST, "Ordered At" DESC NULLS LAST, "x" ASC NULLS LAST'
    )
    with pytest.raises(SchemaError, match=r"there is no 'idd' \(did you mean 'id'"):
        transforms.sort_order(["idd desc"], FIELDS)
