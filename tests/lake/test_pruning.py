"""Leaving out files by partition and bounds never changes what a query finds."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pyiceberg.catalog.memory import InMemoryCatalog
from pyiceberg.transforms import parse_transform
from pyiceberg.types import (
    BinaryType,
    DateType,
    DecimalType,
    LongType,
    StringType,
    TimestampType,
    TimestamptzType,
    UUIDType,
)

from ingot.engines.duckdb import connect
from ingot.errors import NotFoundError
from ingot.lake import Lake, SchemaError, WriteError, transforms
from ingot.lake.conditions import Condition
from ingot.lake.entries import as_number
from tests.lake.files_only import url  # noqa: F401

EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001
COLUMNS = {
    "i": ("BIGINT", st.integers(-20, 20) | st.sampled_from([-(2**63), 2**63 - 1])),
    "n": ("INTEGER", st.integers(-20, 20)),
    "s": ("VARCHAR", st.text("aé🎉\U0010ffff", max_size=20)),
    "d": ("DATE", st.dates(dt.date(1969, 11, 1), dt.date(1970, 3, 1))),
    "t": ("TIMESTAMP", st.datetimes(EPOCH - dt.timedelta(days=2), EPOCH + dt.timedelta(days=2))),
    "z": (
        "TIMESTAMPTZ",
        st.datetimes(EPOCH - dt.timedelta(days=2), EPOCH + dt.timedelta(days=2)).map(
            lambda at: at.replace(tzinfo=dt.UTC)
        ),
    ),
    "m": ("TIME", st.times()),
    "f": (
        "DOUBLE",
        st.floats(-3, 3, allow_nan=False) | st.sampled_from([float("nan"), float("inf"), 0.0, -0.0]),
    ),
    "g": ("FLOAT", st.floats(-3, 3, width=32) | st.sampled_from([float("nan"), 0.1])),
    "e": ("DECIMAL(38, 3)", st.decimals(-5, 5, places=3)),
    "b": ("BOOLEAN", st.booleans()),
    "u": ("UUID", st.sampled_from([UUID(int=n << 124) for n in range(16)])),
    "x": ("BLOB", st.binary(max_size=20) | st.just(b"\xff" * 20)),
}
TERMS = [
    [], ["i"], ["s"], ["d"], ["t"], ["z"], ["m"], ["e"], ["b"], ["u"], ["x"],
    ["year(d)", "bucket(3, i)"], ["month(d)"], ["day(d)"], ["year(t)"], ["month(z)"], ["day(t)"], ["hour(t)"], ["hour(z)"],
    ["bucket(4, s)"], ["bucket(4, d)"], ["bucket(4, t)"], ["bucket(4, z)"], ["bucket(4, m)"], ["bucket(4, u)"], ["bucket(4, x)"],
    ["bucket(3, n)"], ["truncate(7, i)"], ["truncate(2, s)"], ["truncate(2, x)"], ["truncate(150, e)"], ["truncate(3, n)", "b"],
]  # fmt: skip
OPS = ["=", "<", "<=", ">", ">=", "between", "in", "is null", "is not null"]


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    made = connect(threads=1)
    yield made
    made.close()


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    column = draw(st.sampled_from(sorted(COLUMNS)))
    op: Any = draw(st.sampled_from(OPS))
    values = COLUMNS[column][1] if column != "n" else st.integers(-20, 20)
    if op == "between":
        return Condition(column, op, (draw(values), draw(values)))
    if op == "in":
        return Condition(column, op, draw(st.lists(values | st.none(), min_size=1, max_size=3)))
    return Condition(column, op, None if op.startswith("is") else draw(values))


def sql(condition: Condition) -> tuple[str, list[Any]]:
    """The condition as DuckDB reads it, with its values as parameters."""
    if condition.op == "between":
        return f"{condition.column} BETWEEN ? AND ?", list(condition.value)
    if condition.op == "in":
        return f"{condition.column} IN ({', '.join('?' * len(condition.value))})", list(condition.value)
    if condition.op.startswith("is"):
        return f"{condition.column} {condition.op}", []
    return f"{condition.column} {condition.op} ?", [condition.value]


def test_a_number_that_cannot_be_truncated_within_its_type_is_refused_not_wrapped(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    with Lake("sqlite://", tmp_path / "warehouse") as lake:
        query = f"SELECT ({-(2**63)})::BIGINT AS i"
        with pytest.raises(WriteError, match="Out of Range"):
            lake.stage(con, "s.t", query, on="main", partition_by=["truncate(7, i)"])
        assert not [path for path in tmp_path.rglob("*") if path.suffix == ".parquet"]


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_pruned_and_unpruned_reads_find_the_same_rows(
    con: duckdb.DuckDBPyConnection, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    terms = data.draw(st.sampled_from(TERMS))
    row = st.tuples(*(kind | st.none() for _, kind in COLUMNS.values()))
    batches = data.draw(st.lists(st.lists(row, min_size=1, max_size=5), min_size=1, max_size=3))
    # The least number of all has no lower multiple of 7 to be rounded down to; see the test below.
    assume("truncate(7, i)" not in terms or not any(one[0] == -(2**63) for batch in batches for one in batch))
    folder = tmp_path_factory.mktemp("prune")
    listed = ", ".join(f"{name} {kind}" for name, (kind, _) in COLUMNS.items())
    with Lake("sqlite://", folder / "warehouse") as lake:
        for batch in batches:
            con.execute(f"CREATE OR REPLACE TABLE fresh ({listed})")
            con.executemany(f"INSERT INTO fresh VALUES ({', '.join('?' * len(COLUMNS))})", batch)
            staged = lake.stage(
                con, "s.t", "SELECT * FROM fresh", on="main", mode="append", partition_by=terms
            )
            lake.commit("main", [staged], message="t")
        state = lake.at()
        for where in data.draw(
            st.lists(st.lists(conditions(), min_size=1, max_size=2), min_size=6, max_size=12)
        ):
            parts = [sql(one) for one in where]
            text = " AND ".join(part for part, _ in parts)
            values = [value for _, given in parts for value in given]
            query = "SELECT * FROM {} WHERE " + text + " ORDER BY ALL"
            whole = con.execute(query.format(state.scan("s.t")), values).fetchall()
            pruned = con.execute(query.format(state.scan("s.t", where=where)), values).fetchall()
            assert repr(pruned) == repr(whole)


def fill(lake: Lake, con: duckdb.DuckDBPyConnection, terms: list[str], parts: int = 4) -> None:
    for part in range(parts):
        query = f"""SELECT i, DATE '2024-01-01' + i::INTEGER AS d, 'name ' || i AS s, i::DOUBLE AS f,
            CASE WHEN i >= 10 THEN i END AS late FROM range({part * 10}, {part * 10 + 10}) r(i)"""
        lake.commit(
            "main", [lake.stage(con, "s.t", query, on="main", mode="append", partition_by=terms)], message="t"
        )


@pytest.mark.parametrize(
    ("terms", "where", "read"),
    [
        ([], Condition("i", "=", 15), 1),
        ([], Condition("I", "<", 10), 1),
        ([], Condition("i", "<=", 10), 2),
        ([], Condition("i", ">", 29), 1),
        ([], Condition("i", ">=", 29), 2),
        ([], Condition("i", "between", (12, 22)), 2),
        ([], Condition("i", "in", [1, 35]), 2),
        ([], Condition("i", "in", [100]), 0),
        ([], Condition("d", "=", dt.date(2024, 1, 3)), 1),
        ([], Condition("f", ">", 25.0), 2),
        ([], Condition("f", ">", float("nan")), 4),
        ([], Condition("late", "is null"), 1),
        ([], Condition("late", "is not null"), 3),
        ([], Condition("late", "=", 12), 1),
        ([], Condition("i", "=", "15"), 4),
        (["bucket(40, i)"], Condition("i", "=", 15), 1),
        (["i"], Condition("i", "in", [3, 33]), 2),
        (["day(d)"], Condition("d", "between", (dt.date(2024, 1, 3), dt.date(2024, 1, 5))), 3),
        (["month(d)"], Condition("d", ">=", dt.date(2024, 2, 1)), 1),
        (["truncate(10, i)"], Condition("i", "=", 15), 1),
    ],
)  # fmt: skip
def test_files_that_cannot_match_are_not_read(
    lake: Lake, con: duckdb.DuckDBPyConnection, terms: list[str], where: Condition, read: int
) -> None:
    fill(lake, con, terms)
    assert lake.at().scan("s.t", where=[where]).count(".parquet") == read


def test_a_widened_column_is_pruned_by_the_bounds_of_its_narrow_files(
    lake: Lake, con: duckdb.DuckDBPyConnection
) -> None:
    for query in ("SELECT -5::INTEGER AS i", "SELECT 3000000000 AS i", "SELECT 7::INTEGER AS i, 1 AS late"):
        lake.commit("main", [lake.stage(con, "s.t", query, on="main", mode="append")], message="t")
    for value in (-5, 3000000000, 7):
        table = lake.at().scan("s.t", where=[Condition("i", "=", value)])
        assert table.count(".parquet") == 1
        assert con.execute(f"SELECT i FROM {table}").fetchall() == [(value,)]
    table = lake.at().scan("s.t", ["late"], [Condition("late", "is null")])
    assert con.execute(f"SELECT count(*) FROM {table} WHERE late IS NULL").fetchall() == [(2,)]


def test_unknown_columns_and_conditions_are_named(lake: Lake, con: duckdb.DuckDBPyConnection) -> None:
    fill(lake, con, [], 1)
    with pytest.raises(NotFoundError, match="lat"):
        lake.at().scan("s.t", where=[Condition("lat", "is null")])
    op: Any = "beetween"
    with pytest.raises(SchemaError, match="did you mean 'between'"):
        Condition("i", op, (1, 2))


def test_files_of_other_writers_with_nan_are_read_where_a_number_is_exceeded(
    tmp_path: Any, con: duckdb.DuckDBPyConnection
) -> None:
    import pyarrow as pa  # noqa: PLC0415

    from ingot.lake import metadata  # noqa: PLC0415
    from ingot.lake.scan import expression  # noqa: PLC0415
    from ingot.lake.staged import read_json  # noqa: PLC0415

    catalog = InMemoryCatalog("c", warehouse=f"file://{tmp_path}")
    catalog.create_namespace("s")
    rows = pa.table({"f": [1.0, float("nan")]})
    table = catalog.create_table("s.t", rows.schema)
    table.append(rows)
    table.append(pa.table({"f": [1.0, 2.0]}))
    document = metadata.expand(read_json(table.metadata_location))
    # PyIceberg's bounds leave out NaN, of which it does not tell; DuckDB sorts NaN above all numbers.
    for where, read in (
        (Condition("f", ">", 5.0), 2),
        (Condition("f", "<", 0.5), 0),
        (Condition("f", "=", 2.0), 1),
    ):
        pruned = expression(document, table.metadata_location, None, "s.t", [where])
        assert pruned.count(".parquet") == read
        assert con.execute(f"SELECT count(*) FROM {pruned}").fetchall() == [(2 * read,)]
    catalog.close()


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_transforms_in_python_are_those_of_pyiceberg(data: st.DataObject) -> None:
    decimal = DecimalType(38, 3)
    types: dict[str, tuple[Any, Any]] = {
        "long": (LongType(), st.integers(-(2**63), 2**63 - 1)),
        "string": (StringType(), st.text(max_size=12)),
        "binary": (BinaryType(), st.binary(max_size=12)),
        "uuid": (UUIDType(), st.uuids()),
        "date": (DateType(), st.dates()),
        "timestamp": (TimestampType(), st.datetimes()),
        "timestamptz": (TimestamptzType(), st.datetimes(timezones=st.just(dt.UTC))),
        "decimal(38, 3)": (decimal, st.decimals(-(10**30), 10**30, places=3)),
    }
    kind = data.draw(st.sampled_from(sorted(types)))
    theirs, values = types[kind]
    names = ["bucket[7]"]
    if kind in ("long", "string", "binary", "decimal(38, 3)"):
        names.append("truncate[5]")
    if kind in ("date", "timestamp", "timestamptz"):
        names += ["year", "month", "day", *(["hour"] if kind != "date" else [])]
    name = data.draw(st.sampled_from(names))
    value = data.draw(values)
    stored = value if kind == "uuid" else as_number(value)
    expected = parse_transform(name).transform(theirs)(stored.bytes if kind == "uuid" else stored)
    assert transforms.apply(name, kind, stored) == expected


def test_a_decimal_with_more_digits_than_its_column_has_no_transform() -> None:
    assert transforms.apply("truncate[5]", "decimal(9, 2)", Decimal("1.234")) is None
    assert transforms.apply("bucket[5]", "decimal(9, 2)", Decimal("1.234")) is None
