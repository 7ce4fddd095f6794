"""Tables that Ingot wrote, read by PyIceberg and by DuckDB's own Iceberg reader: same rows, same statistics."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pyiceberg.conversions import from_bytes
from pyiceberg.manifest import DataFileContent
from pyiceberg.table import StaticTable

from ingot.engines.duckdb import connect
from ingot.lake import Lake
from tests.lake.files_only import url  # noqa: F401

pytestmark = pytest.mark.slow

QUERY = """
SELECT i::INTEGER AS i, (i * 10000000000)::BIGINT AS l, i % 2 = 0 AS b, (i / 7)::FLOAT AS f, i / 3.0::DOUBLE AS d,
    (i - 25.125)::DECIMAL(9, 3) AS de, (i * 12345678901234567890)::DECIMAL(38, 4) AS big,
    CASE WHEN i % 5 <> 0 THEN 'text ' || i || ' — é日本🎉 and a rather long tail' END AS s,
    DATE '1969-12-01' + (i * 7)::INTEGER AS day, TIMESTAMP '1969-12-31 20:00:00' + i * INTERVAL '1 hour 1 microsecond' AS ts,
    TIMESTAMPTZ '2024-03-30 20:00:00+00' + i * INTERVAL '90 minutes' AS tz, TIME '00:00:01' + i * INTERVAL 20 MINUTE AS tm,
    ('00000000-0000-4000-8000-0000000000' || lpad(i::VARCHAR, 2, '0'))::UUID AS u,
    CASE WHEN i % 4 > 0 THEN encode('b' || i) END AS bin,
    {'x': i, 'y': {'z': ['a' || i, NULL]}} AS st, [{'k': i}, NULL] AS li, MAP {'key' || i: [i, NULL]} AS ma
FROM range(50) r(i)
"""
PARTITIONS = [
    (),
    ("b",),
    ("i",),
    ("s",),
    ("day", "b"),
    ("de",),
    ("tm",),
    ("u",),
    ("bin",),
    ("ts",),
    ("tz",),
    ("year(day)",),
    ("month(ts)", "bucket(3, s)"),
    ("day(tz)",),
    ("hour(ts)",),
    ("bucket(4, i)", "bucket(4, u)"),
    ("truncate(10, l)", "truncate(6, s)"),
    ("truncate(7, de)",),
    ("bucket(5, day)", "bucket(2, ts)", "bucket(2, bin)"),
]


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with DuckDB's Iceberg reader."""
    made = connect(extensions=("avro", "iceberg"))
    yield made
    made.close()


def by_number(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: row["i"])


def plain(value: Any) -> Any:
    """A value without the differences between DuckDB's and Arrow's Python forms."""
    if isinstance(value, dict):
        return {key: plain(child) for key, child in value.items()}
    if isinstance(value, list):
        pairs = [one for one in value if isinstance(one, tuple)]
        return {key: plain(child) for key, child in pairs} if pairs else [plain(child) for child in value]
    if isinstance(value, dt.datetime) and value.tzinfo is not None:
        return value.astimezone(dt.UTC)
    return value


def fetched(con: duckdb.DuckDBPyConnection, table: str) -> list[dict[str, Any]]:
    cursor = con.execute(f"SELECT * FROM {table}")
    names = [column[0] for column in cursor.description or []]
    return by_number([plain(dict(zip(names, row, strict=True))) for row in cursor.fetchall()])


@pytest.mark.parametrize("terms", PARTITIONS, ids=lambda terms: "-".join(terms) or "none")
def test_pyiceberg_and_duckdb_read_the_same_rows_and_partitions(
    lake: Lake, con: duckdb.DuckDBPyConnection, terms: tuple[str, ...]
) -> None:
    staged = lake.stage(con, "s.t", QUERY, on="main", partition_by=terms, sort_by=["i desc"])
    lake.commit("main", [staged], message="t")
    table = lake.at().table("s.t")
    expected = fetched(con, f"({QUERY})")
    assert fetched(con, lake.at().scan("s.t")) == expected
    assert fetched(con, f"iceberg_scan('{table.metadata_location}')") == expected
    theirs = StaticTable.from_metadata(table.metadata_location)
    assert by_number([plain(row) for row in theirs.scan().to_arrow().to_pylist()]) == expected
    snapshot = theirs.current_snapshot()
    assert snapshot is not None
    assert snapshot.summary is not None
    assert snapshot.summary["total-records"] == "50"
    if terms:
        check_partition_values(con, theirs)


def check_partition_values(con: duckdb.DuckDBPyConnection, table: StaticTable) -> None:
    """Every file's partition must be what PyIceberg's transforms make of every row in it."""
    schema = table.schema()
    parts = [(schema.find_field(part.source_id), part.transform) for part in table.spec().fields]
    transforms = [transform.transform(field.field_type) for field, transform in parts]
    columns = ", ".join(field.name for field, _ in parts)
    for task in table.scan().plan_files():
        rows = con.execute(f"SELECT {columns} FROM read_parquet('{task.file.file_path}')").fetchall()
        assert len(rows) == task.file.record_count
        for row in rows:
            computed = [transform(stored(value)) for transform, value in zip(transforms, row, strict=True)]
            assert computed == [stored(value) for value in task.file.partition]


def stored(value: Any) -> Any:
    """A row's value as PyIceberg's transforms take it."""
    epoch = dt.datetime(1970, 1, 1)  # noqa: DTZ001
    if isinstance(value, dt.datetime):
        moment = value.astimezone(dt.UTC).replace(tzinfo=None) if value.tzinfo else value
        return (moment - epoch) // dt.timedelta(microseconds=1)
    if isinstance(value, dt.date):
        return (value - epoch.date()).days
    if isinstance(value, dt.time):
        return ((value.hour * 60 + value.minute) * 60 + value.second) * 1_000_000 + value.microsecond
    return value


def test_statistics_are_exact_for_pyiceberg(lake: Lake, con: duckdb.DuckDBPyConnection) -> None:
    lake.commit("main", [lake.stage(con, "s.t", QUERY, on="main")], message="t")
    table = StaticTable.from_metadata(lake.at().table("s.t").metadata_location)
    (task,) = table.scan().plan_files()
    file = task.file
    assert file.content is DataFileContent.DATA
    assert file.file_size_in_bytes == Path(file.file_path).stat().st_size
    schema = table.schema()
    columns = [field.name for field in schema.fields if field.field_type.is_primitive] + ["st.x"]
    for name in columns:
        field = schema.find_field(name)
        low, high, count, nulls = con.execute(
            f"SELECT min({name}), max({name}), count(*), count(*) - count({name}) FROM ({QUERY})"
        ).fetchall()[0]
        assert (file.value_counts[field.field_id], file.null_value_counts[field.field_id]) == (count, nulls)
        if field.field_id not in file.lower_bounds:
            assert name == "big", f"{name} has no bounds"
            continue
        found = [
            from_bytes(field.field_type, side[field.field_id])
            for side in (file.lower_bounds, file.upper_bounds)
        ]
        if isinstance(low, str):
            assert (found[0], found[1][:15], found[1] > high) == (low[:16], high[:15], True)
        else:
            assert found == [low.bytes, high.bytes] if name == "u" else [stored(low), stored(high)], name


@pytest.mark.parametrize(
    "condition",
    [
        "i = 7",
        "s = 'text 7 — é日本🎉 and a rather long tail'",
        "s is null",
        "day < '1970-01-01'",
        "ts >= '1970-01-01T00:00:00'",
        "de < -20.500",
        "u = '00000000-0000-4000-8000-000000000007'",
        "b = true and i > 40",
    ],
)
def test_pruning_by_bounds_and_partitions_loses_no_row(
    lake: Lake, con: duckdb.DuckDBPyConnection, condition: str
) -> None:
    terms = ("month(day)", "truncate(6, s)", "bucket(3, i)")
    lake.commit("main", [lake.stage(con, "s.t", QUERY, on="main", partition_by=terms)], message="t")
    state = lake.at()
    expected = con.execute(f"SELECT i FROM ({QUERY}) WHERE {condition} ORDER BY i").fetchall()
    location = state.table("s.t").metadata_location
    theirs = StaticTable.from_metadata(location).scan(row_filter=condition, selected_fields=("i",)).to_arrow()
    assert sorted(theirs["i"].to_pylist()) == [row[0] for row in expected]
    for table in (state.scan("s.t"), f"iceberg_scan('{location}')"):
        assert con.execute(f"SELECT i FROM {table} WHERE {condition} ORDER BY i").fetchall() == expected
    assert 0 < len(expected) < 50


def test_appends_with_an_evolved_schema_read_the_same_everywhere(
    lake: Lake, con: duckdb.DuckDBPyConnection
) -> None:
    for query in (
        "SELECT 1::INTEGER AS i, 1.5::DECIMAL(4,2) AS de, {'a': 1} AS st",
        "SELECT 3000000000 AS i, 2.25::DECIMAL(8,2) AS de, {'b': 'x', 'a': 2} AS st, 'new' AS n",
    ):
        lake.commit("main", [lake.stage(con, "s.t", query, on="main", mode="append")], message="t")
    table = lake.at().table("s.t")
    assert "iceberg_scan" in lake.at().scan("s.t")
    rows = StaticTable.from_metadata(table.metadata_location).scan().to_arrow().to_pylist()
    assert by_number(rows) == [
        {"i": 1, "de": Decimal("1.50"), "st": {"b": None, "a": 1}, "n": None},
        {"i": 3000000000, "de": Decimal("2.25"), "st": {"b": "x", "a": 2}, "n": "new"},
    ]
    assert fetched(con, lake.at().scan("s.t")) == by_number(rows)
    assert fetched(con, lake.at().scan("s.t", ["n", "i"])) == [
        {"n": None, "i": 1},
        {"n": "new", "i": 3000000000},
    ]


def test_an_empty_table_is_empty_for_other_readers_too(lake: Lake, con: duckdb.DuckDBPyConnection) -> None:
    lake.commit(
        "main",
        [lake.stage(con, "s.t", f"{QUERY} WHERE false", on="main", partition_by=["month(day)"])],
        message="t",
    )
    location = lake.at().table("s.t").metadata_location
    assert StaticTable.from_metadata(location).scan().to_arrow().num_rows == 0
    assert con.execute(f"SELECT count(*) FROM iceberg_scan('{location}')").fetchall() == [(0,)]


def test_infinities_nan_and_dates_beyond_python_are_written_and_read(
    lake: Lake, con: duckdb.DuckDBPyConnection
) -> None:
    query = """SELECT * FROM (VALUES (1, 'nan'::DOUBLE, DATE '0044-03-15 (BC)'), (2, '-inf'::DOUBLE, DATE '12024-01-01'),
        (3, -0.0::DOUBLE, 'infinity'::DATE)) v(i, d, day)"""
    lake.commit("main", [lake.stage(con, "s.t", query, on="main")], message="t")
    state = lake.at()
    shown = "SELECT i, d::VARCHAR, day::VARCHAR FROM {} ORDER BY i"
    expected = con.execute(shown.format(f"({query})")).fetchall()
    assert con.execute(shown.format(state.scan("s.t"))).fetchall() == expected
    location = state.table("s.t").metadata_location
    assert con.execute(shown.format(f"iceberg_scan('{location}')")).fetchall() == expected
    (task,) = StaticTable.from_metadata(location).scan().plan_files()
    assert set(task.file.lower_bounds) == {1}


def test_a_large_table_is_split_near_the_target_size(lake: Lake, con: duckdb.DuckDBPyConnection) -> None:
    query = "SELECT i, hash(i)::VARCHAR AS s FROM range(600000) r(i)"
    size = {"write.target-file-size-bytes": str(2 * 1024 * 1024)}
    staged = lake.stage(con, "s.t", query, on="main", properties=size)
    lake.commit("main", [staged], message="t")
    table = lake.at().table("s.t")
    assert len(table.files) > 1
    assert con.execute(f"SELECT count(*), sum(i) FROM {lake.at().scan('s.t')}").fetchall() == [
        (600000, sum(range(600000)))
    ]
    assert StaticTable.from_metadata(table.metadata_location).scan().count() == 600000
