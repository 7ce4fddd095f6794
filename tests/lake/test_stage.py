"""Writing tables and views with DuckDB: what is kept, what evolves, what is refused, what is cleaned up."""

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingot.engines.duckdb import connect
from ingot.errors import NotFoundError
from ingot.lake import (
    CommitConflictError,
    ConflictType,
    InvalidNameError,
    Lake,
    LakeError,
    MissingFileError,
    SchemaError,
    Staged,
    WriteError,
)
from ingot.lake import tables as table_writing

Con = duckdb.DuckDBPyConnection


def write(lake: Lake, con: Con, name: str, query: str, *, branch: str = "main", **options: Any) -> Staged:
    """Stages and commits in one go."""
    staged = lake.stage(con, name, query, on=branch, **options)
    lake.commit(branch, [staged], message=f"write {name}")
    return staged


def rows(lake: Lake, con: Con, name: str, spec: str = "main", order: str = "ALL") -> list[tuple[Any, ...]]:
    return con.execute(f"SELECT * FROM {lake.at(spec).scan(name)} ORDER BY {order}").fetchall()


def rows_read_elsewhere(lake: Lake, name: str) -> list[tuple[Any, ...]]:
    """The rows on a connection of their own that has the Iceberg extension, for nested columns that changed."""
    with connect(extensions=("avro", "iceberg")) as other:
        return other.execute(f"SELECT * FROM {lake.at().scan(name)}").fetchall()


def files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


def test_a_staged_table_is_invisible_until_it_is_committed(lake: Lake, con: Con) -> None:
    before = lake.at()
    staged = lake.stage(con, "gold.t", "SELECT 1 AS a UNION ALL SELECT 2", on=before)
    assert lake.at().tables == ()
    commit = lake.commit("main", [staged], message="first", author="ann", properties={"run": "1"})
    state = lake.at()
    assert (state.hash, state.tables, state.namespaces) == (commit.hash, ("gold.t",), ("gold",))
    assert rows(lake, con, "gold.t") == [(1,), (2,)]
    table = state.table("gold.t")
    assert (table.rows, table.bytes, staged.rows) == (2, staged.bytes, 2)
    assert table.snapshot_id == table.metadata["current-snapshot-id"]
    assert [(column.name, column.type) for column in table.schema] == [("a", "INTEGER")]
    assert before.tables == ()


def test_many_tables_move_together_or_not_at_all(lake: Lake, con: Con) -> None:
    write(lake, con, "s.a", "SELECT 1 AS x")
    state = lake.at()
    staged = [lake.stage(con, f"s.{name}", "SELECT 2 AS x", on=state) for name in "abc"]
    write(lake, con, "s.a", "SELECT 3 AS x")
    with pytest.raises(CommitConflictError) as error:
        lake.commit("main", staged, message="all")
    assert [(one.key, one.type) for one in error.value.conflicts] == [
        (("s", "a"), ConflictType.VALUE_DIFFERS)
    ]
    assert lake.at().tables == ("s.a",)
    assert rows(lake, con, "s.a") == [(3,)]


def test_an_overwritten_table_keeps_its_identity_its_history_and_the_ids_of_its_columns(
    lake: Lake, con: Con
) -> None:
    write(
        lake,
        con,
        "s.t",
        "SELECT 1::INTEGER AS a, 'x' AS b, 1 AS c, {'x': 1, 'y': 2} AS d",
        comment="first",
        properties={"own": "1"},
    )
    first = lake.at()
    write(lake, con, "s.t", "SELECT 'new' AS n, {'y': 5, 'z': 1} AS d, 5::BIGINT AS a, 2.5::DOUBLE AS b")
    second = lake.at()
    old, new = first.table("s.t"), second.table("s.t")
    assert new.metadata["table-uuid"] == old.metadata["table-uuid"]
    assert (new.content.id, new.location) == (old.content.id, old.location)
    assert new.properties == old.properties
    assert (new.comment, new.properties["own"], new.properties["gc.enabled"]) == ("first", "1", "false")
    ids = {column.name: column.id for column in old.schema}
    later = {column.name: column.id for column in new.schema}
    assert later["a"] == ids["a"]
    assert later["d"] == ids["d"]
    assert later["b"] not in ids.values()
    assert later["n"] > max(ids.values())
    was, now = (one.metadata["schemas"][-1]["fields"] for one in (old, new))
    nested = [{part["name"]: part["id"] for part in one["type"]["fields"]} for one in (was[3], now[1])]
    assert nested[1]["y"] == nested[0]["y"]
    assert [snapshot["summary"]["operation"] for snapshot in new.metadata["snapshots"]] == [
        "append",
        "overwrite",
    ]
    assert new.metadata["snapshots"][1]["parent-snapshot-id"] == old.snapshot_id
    assert [entry["metadata-file"] for entry in new.metadata["metadata-log"]] == [old.metadata_location]
    assert rows(lake, con, "s.t", first.hash) == [(1, "x", 1, {"x": 1, "y": 2})]
    assert rows(lake, con, "s.t") == [("new", {"y": 5, "z": 1}, 5, 2.5)]


def test_an_append_adds_rows_and_leaves_the_earlier_ones_alone(lake: Lake, con: Con) -> None:
    for part in range(3):
        write(lake, con, "s.t", f"SELECT {part} AS a", mode="append")
    table = lake.at().table("s.t")
    assert rows(lake, con, "s.t") == [(0,), (1,), (2,)]
    assert (table.rows, len(table.files)) == (3, 3)
    assert [one["sequence-number"] for one in table.metadata["snapshots"]] == [1, 2, 3]
    assert table.metadata["last-sequence-number"] == 3


def test_an_append_matches_columns_by_name_widens_adds_and_fills_with_null(lake: Lake, con: Con) -> None:
    write(
        lake,
        con,
        "s.t",
        "SELECT 1::INTEGER AS a, 'x' AS b, 1.5::DECIMAL(4,2) AS c, DATE '2024-01-01' AS d, {'p': 1} AS e",
    )
    write(
        lake,
        con,
        "s.t",
        "SELECT {'q': 'new', 'p': 2} AS e, 3000000000 AS A, 7::TINYINT AS b, 12345.25::DECIMAL(9,2) AS c, true AS extra",
        mode="append",
    )
    columns = [(column.name, column.type) for column in lake.at().table("s.t").schema]
    assert columns[:4] == [("a", "BIGINT"), ("b", "VARCHAR"), ("c", "DECIMAL(9,2)"), ("d", "DATE")]
    assert columns[5] == ("extra", "BOOLEAN")
    found = con.execute(
        f"SELECT a, b, c, d, extra FROM {lake.at().scan('s.t', ['a', 'B', 'c', 'd', 'extra'])} ORDER BY a"
    ).fetchall()
    assert [tuple(map(str, row)) for row in found] == [
        ("1", "x", "1.50", "2024-01-01", "None"),
        ("3000000000", "7", "12345.25", "None", "True"),
    ]


def test_an_append_that_does_not_fit_names_the_column_and_both_types(lake: Lake, con: Con) -> None:
    write(lake, con, "s.t", "SELECT 1 AS a, DATE '2024-01-01' AS d", partition_by=["month(d)"])
    before = files(Path(lake.warehouse))
    with pytest.raises(SchemaError, match=r"Column 'a' of s\.t holds INTEGER; the new rows bring VARCHAR"):
        lake.stage(con, "s.t", "SELECT 'x' AS a, DATE '2024-01-01' AS d", on="main", mode="append")
    with pytest.raises(SchemaError, match="partitioned in another way"):
        lake.stage(
            con, "s.t", "SELECT 1 AS a, DATE '2024-01-01' AS d", on="main", mode="append", partition_by=["d"]
        )
    assert files(Path(lake.warehouse)) == before


def test_an_empty_result_is_a_table_without_files(lake: Lake, con: Con) -> None:
    query = "SELECT 1 AS a, [{'x': 1.5::DECIMAL(5,1)}] AS b, MAP {'k': now()} AS m WHERE false"
    for options in list[dict[str, Any]]([{}, {"partition_by": ["a"]}]):
        staged = write(lake, con, "s.t", query, **options)
        assert (staged.rows, staged.bytes) == (0, 0)
        state = lake.at()
        assert rows(lake, con, "s.t", order="a") == []
        assert (
            con.execute(f"DESCRIBE SELECT * FROM {state.scan('s.t')}").fetchall()
            == con.execute(f"DESCRIBE {query}").fetchall()
        )
        assert con.execute(f"SELECT a FROM {state.scan('s.t', ['a'])}").fetchall() == []
        assert state.table("s.t").files == []
    write(lake, con, "s.t", query.replace("WHERE false", ""), mode="append")
    assert lake.at().table("s.t").rows == 1


def test_a_table_emptied_by_overwriting_reads_as_empty(lake: Lake, con: Con) -> None:
    write(lake, con, "s.t", "SELECT 1 AS a")
    write(lake, con, "s.t", "SELECT 1 AS a WHERE false")
    assert rows(lake, con, "s.t") == []
    assert lake.at().table("s.t").rows == 0


def test_a_query_that_fails_half_way_leaves_no_file(lake: Lake, con: Con) -> None:
    write(lake, con, "s.t", "SELECT 1 AS a")
    before = files(Path(lake.warehouse))
    failing = (
        "SELECT CASE WHEN i = 900000 THEN error('boom') ELSE i END AS a, i % 3 AS p FROM range(1000000) r(i)"
    )
    for options in list[dict[str, Any]]([{}, {"partition_by": ["p"]}]):
        with pytest.raises(WriteError, match=r"s\.t.*boom"):
            lake.stage(con, "s.t", failing, on="main", **options)
        with pytest.raises(WriteError, match=r"s\.new.*boom"):
            lake.stage(con, "s.new", failing, on="main", **options)
    with pytest.raises(WriteError, match="no_such_table"):
        lake.stage(con, "s.t", "SELECT * FROM no_such_table", on="main")
    assert files(Path(lake.warehouse)) == before
    assert rows(lake, con, "s.t") == [(1,)]


def test_a_failure_after_the_rows_were_written_leaves_no_file(
    lake: Lake, con: Con, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> str:
        raise LakeError("No space left on device.")

    monkeypatch.setattr(table_writing, "write_metadata", full)
    with pytest.raises(LakeError, match="No space"):
        lake.stage(con, "s.t", "SELECT 1 AS a", on="main")
    assert files(Path(lake.warehouse)) == set()


def test_what_was_staged_and_given_up_can_be_removed(lake: Lake, con: Con) -> None:
    write(lake, con, "s.t", "SELECT 1 AS a")
    before = files(Path(lake.warehouse))
    lake.discard([lake.stage(con, "s.t", "SELECT 2 AS a", on="main", mode="append")])
    assert files(Path(lake.warehouse)) == before


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("SELECT 1 AS a, 2 AS a", "'a' twice"),
        ("SELECT 1 AS a, 2 AS A", "'a' and 'A', which differ only by case"),
        ("SELECT 1 AS ' '", "has no name"),
        ("SELECT INTERVAL 1 DAY AS span", "Column 'span' has the type INTERVAL"),
        ("SELECT {'deep': [INTERVAL 1 DAY]} AS span", r"Column 'span.deep.element' has the type INTERVAL"),
        ("SELECT union_value(a := 1) AS u", "Column 'u' has the type UNION"),
        ("SELECT '101'::BIT AS b", "Column 'b' has the type BIT"),
        ("SELECT row(1, 2) AS r", "has no name"),
    ],
)
def test_columns_that_cannot_be_stored_are_refused_by_name(
    lake: Lake, con: Con, query: str, said: str
) -> None:
    with pytest.raises(SchemaError, match=said):
        lake.stage(con, "s.t", query, on="main")
    assert files(Path(lake.warehouse)) == set()


def test_columns_may_have_any_name_that_sql_can_quote(lake: Lake, con: Con) -> None:
    query = '''SELECT 1 AS "a b", 2 AS "it's", 3 AS "say ""hi""", 4 AS "ä.ö;--", {'x "y': 5} AS "s.t", 6 AS "select" '''
    write(lake, con, "s.t", query, partition_by=['"a b"'], sort_by=["it's desc"])
    assert rows(lake, con, "s.t") == con.execute(query).fetchall()
    write(lake, con, "s.t", query, mode="append")
    assert lake.at().table("s.t").rows == 2


@pytest.mark.parametrize(
    "name", ["t", "", "s.", ".t", "s..t", "s.a/b", "s.a\\b", "s.a\nb", "s. t", "s." + "x" * 300]
)
def test_a_name_that_cannot_be_a_table_is_refused(lake: Lake, con: Con, name: str) -> None:
    with pytest.raises(InvalidNameError):
        lake.stage(con, name, "SELECT 1 AS a", on="main")


def test_names_of_any_script_with_spaces_and_quotes_work(lake: Lake, con: Con) -> None:
    for name in ("日本.テーブル", "my space.it's", 'q."x"', "a.b.c.d", "s.%2e%2e", "s.*[a]?"):
        write(lake, con, name, "SELECT 1 AS a")
        assert rows(lake, con, name) == [(1,)]
    assert all(Path(lake.warehouse) in path.parents for path in files(Path(lake.warehouse)))


def test_a_name_that_differs_only_by_case_from_another_is_refused(lake: Lake, con: Con) -> None:
    write(lake, con, "Gold.Orders", "SELECT 1 AS a")
    with pytest.raises(InvalidNameError, match=r"differs only by case from the table 'Gold\.Orders'"):
        lake.stage(con, "Gold.orders", "SELECT 1 AS a", on="main")
    with pytest.raises(InvalidNameError, match="namespace 'Gold'"):
        lake.stage(con, "gold.other", "SELECT 1 AS a", on="main")
    write(lake, con, "a.b.c", "SELECT 1 AS a")
    with pytest.raises(InvalidNameError, match="is a namespace"):
        lake.stage(con, "a.b", "SELECT 1 AS a", on="main")


def test_a_missing_table_ref_or_column_is_answered_with_the_nearest(lake: Lake, con: Con) -> None:
    write(lake, con, "gold.fact_orders", "SELECT 1 AS amount")
    with pytest.raises(NotFoundError, match=r"did you mean 'gold\.fact_orders'"):
        lake.at().scan("gold.fact_order")
    with pytest.raises(NotFoundError, match="did you mean 'amount'"):
        lake.at().scan("gold.fact_orders", ["amuont"])
    with pytest.raises(NotFoundError, match="did you mean 'main'"):
        lake.stage(con, "gold.x", "SELECT 1 AS a", on="mian")
    with pytest.raises(NotFoundError, match=r"did you mean 'gold\.fact_orders'"):
        lake.stage_drop("gold.fact_ordes", on="main")
    with pytest.raises(NotFoundError):
        lake.stage_properties("gold.fact_order", {"a": "1"}, on="main")


def test_a_dropped_table_is_gone_from_now_on_and_still_there_before(lake: Lake, con: Con) -> None:
    write(lake, con, "s.t", "SELECT 1 AS a")
    before = lake.at()
    lake.commit("main", [lake.stage_drop("s.t", on="main")], message="drop")
    assert lake.at().tables == ()
    assert rows(lake, con, "s.t", before.hash) == [(1,)]
    write(lake, con, "s.t", "SELECT 2 AS a")
    assert lake.at().table("s.t").content.id != before.table("s.t").content.id


def test_properties_can_be_set_and_removed_without_touching_rows(lake: Lake, con: Con) -> None:
    write(lake, con, "s.t", "SELECT 1 AS a", properties={"x": "1", "y": "1"})
    snapshot = lake.at().table("s.t").snapshot_id
    lake.commit(
        "main", [lake.stage_properties("s.t", {"x": "2", "y": None, "z": "3"}, on="main")], message="p"
    )
    table = lake.at().table("s.t")
    assert {key: table.properties.get(key) for key in "xyz"} == {"x": "2", "y": None, "z": "3"}
    assert table.snapshot_id == snapshot


def test_a_table_can_become_a_view_and_a_view_a_table(lake: Lake, con: Con) -> None:
    write(lake, con, "s.base", "SELECT 1 AS a")
    write(lake, con, "s.x", "SELECT 1 AS a")
    view = lake.stage_view("s.x", "SELECT a FROM s.base", on="main", columns=[("a", "INTEGER")], comment="c")
    lake.commit("main", [view], message="view")
    assert (lake.at().tables, lake.at().views) == (("s.base",), ("s.x",))
    write(lake, con, "s.x", "SELECT 2 AS a")
    assert (lake.at().tables, lake.at().views) == (("s.base", "s.x"), ())
    assert rows(lake, con, "s.x") == [(2,)]


def test_the_metadata_is_iceberg_json_with_numbered_files(lake: Lake, con: Con) -> None:
    write(lake, con, "s.t", "SELECT 1 AS a")
    write(lake, con, "s.t", "SELECT 2 AS a", mode="append")
    location = Path(lake.at().table("s.t").metadata_location)
    assert location.name.startswith("00001-")
    document = json.loads(location.read_text())
    assert document["format-version"] == 2
    assert document["last-partition-id"] == 999
    assert document["properties"] == {
        "gc.enabled": "false",
        "write.target-file-size-bytes": "268435456",
        "write.parquet.compression-codec": "zstd",
    }


def test_a_lost_or_damaged_file_is_one_clear_error(lake: Lake, con: Con) -> None:
    write(lake, con, "s.t", "SELECT 1 AS a")
    write(lake, con, "s.u", "SELECT 1 AS a")
    state = lake.at()
    Path(state.table("s.t").metadata_location).unlink()
    with pytest.raises(MissingFileError, match=r"metadata\.json cannot be read"):
        state.scan("s.t")
    manifests = list(Path(state.table("s.u").location).rglob("*-m0.avro"))
    manifests[0].write_bytes(b"not avro at all")
    with pytest.raises(MissingFileError, match="is damaged"):
        state.scan("s.u")


def test_a_warehouse_in_a_folder_with_the_characters_of_a_pattern_works(tmp_path: Path, con: Con) -> None:
    folder = tmp_path / "it's [1] *? %41 {x}"
    with Lake(f"sqlite:///{tmp_path}/lake.db", folder) as lake:
        write(lake, con, "s.t", "SELECT i AS a FROM range(5) r(i)", partition_by=["a"])
        write(lake, con, "s.t", "SELECT 9 AS a", mode="append")
        assert rows(lake, con, "s.t") == [(0,), (1,), (2,), (3,), (4,), (9,)]


def test_a_warehouse_in_an_unknown_storage_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LakeError, match="not supported"):
        Lake(f"sqlite:///{tmp_path}/lake.db", "gs://bucket/warehouse")


def test_types_that_iceberg_lacks_are_widened_without_loss(lake: Lake, con: Con) -> None:
    query = """SELECT (-128)::TINYINT AS t, 255::UTINYINT AS ut, 65535::USMALLINT AS us, 4294967295::UINTEGER AS ui,
        18446744073709551615::UBIGINT AS ub, -170141183460469231731687303715884105::HUGEINT AS h, 'a'::ENUM('a', 'b') AS e,
        '{"x": 1}'::JSON AS j, TIMESTAMP_S '2024-01-01 10:00:00' AS s, TIMESTAMP_MS '2024-01-01 10:00:00.001' AS ms,
        TIMESTAMP_NS '2024-01-01 10:00:00.000001' AS ns, [1, 2]::INTEGER[2] AS arr, NULL AS n"""
    write(lake, con, "s.t", query)
    types = {column.name: column.type for column in lake.at().table("s.t").schema}
    assert types == {
        "t": "INTEGER", "ut": "INTEGER", "us": "INTEGER", "ui": "BIGINT", "ub": "DECIMAL(20,0)", "h": "DECIMAL(38,0)",
        "e": "VARCHAR", "j": "VARCHAR", "s": "TIMESTAMP", "ms": "TIMESTAMP", "ns": "TIMESTAMP", "arr": "INTEGER[]", "n": "INTEGER",
    }  # fmt: skip
    text = "SELECT COLUMNS(*)::VARCHAR FROM"
    assert (
        con.execute(f"{text} {lake.at().scan('s.t')}").fetchall()
        == con.execute(f"{text} ({query})").fetchall()
    )


def test_a_number_too_large_for_any_decimal_names_the_table(lake: Lake, con: Con) -> None:
    with pytest.raises(WriteError, match=r"s\.t"):
        lake.stage(con, "s.t", f"SELECT {2**127 - 1}::HUGEINT AS h", on="main")
    assert files(Path(lake.warehouse)) == set()


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        # DuckDB's own reading of the two queries, side by side, is what the table must hold.
        ("SELECT {'a': i::BIGINT} AS s FROM range(2) t(i)", "SELECT {'a': 7::INTEGER} AS s", [{"a": 0}, {"a": 1}, {"a": 7}]),
        ("SELECT {'a': 1::INTEGER} AS s", "SELECT {'a': 5000000000} AS s", [{"a": 1}, {"a": 5_000_000_000}]),
        (
            "SELECT {'a': 1, 'b': 'x'} AS s",
            "SELECT {'a': 2} AS s",
            [{"a": 1, "b": "x"}, {"a": 2, "b": None}],
        ),
        (
            "SELECT {'a': 1} AS s",
            "SELECT {'c': true, 'a': 2} AS s",
            [{"a": 1, "c": None}, {"a": 2, "c": True}],
        ),
        ("SELECT [{'a': 1::BIGINT}] AS s", "SELECT [{'a': 2::INTEGER}] AS s", [[{"a": 1}], [{"a": 2}]]),
        (
            "SELECT MAP {'k': {'a': 1::BIGINT}} AS s",
            "SELECT MAP {'k': {'a': 2::SMALLINT}} AS s",
            [{"k": {"a": 1}}, {"k": {"a": 2}}],
        ),
    ],
)  # fmt: skip
def test_an_append_keeps_every_nested_value_that_is_there(
    lake: Lake, con: Con, first: str, second: str, expected: list[Any]
) -> None:
    write(lake, con, "raw.nested", first)
    write(lake, con, "raw.nested", second, mode="append")
    found = [row[0] for row in rows_read_elsewhere(lake, "raw.nested")]
    assert sorted(found, key=str) == sorted(expected, key=str)


def test_an_append_of_another_kind_of_nested_value_is_refused(lake: Lake, con: Con) -> None:
    write(lake, con, "raw.nested", "SELECT {'a': 1} AS s")
    for other in ("[1]", "'x'", "{'a': 'x'}", "{'a': {'b': 1}}"):
        with pytest.raises(SchemaError, match="Column 's'"):
            lake.stage(con, "raw.nested", f"SELECT {other} AS s", on="main", mode="append")
