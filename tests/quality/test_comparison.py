"""What `diff` says of tables and views: names, columns, layout, files, rows, and what it need not read."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingot import quality
from ingot.errors import NotFoundError
from ingot.lake import Delete, Lake, Put, metadata
from ingot.lake.names import key as key_of
from ingot.lake.staged import table_content, write_metadata
from ingot.quality import ColumnChange, PropertyChange, RowDiff, TableDiff

Con = duckdb.DuckDBPyConnection


def write(lake: Lake, con: Con, name: str, query: str, branch: str = "main", **options: Any) -> None:
    lake.commit(branch, [lake.stage(con, name, query, on=branch, **options)], message=f"write {name}")


def one(lake: Lake, name: str = "s.t", **options: Any) -> TableDiff:
    """The difference of the only table that differs between main and dev."""
    found = quality.diff(lake, "main", "dev", **options)
    assert [each.name for each in found.tables] == [name]
    return found.tables[0]


def rows_of(table: TableDiff) -> RowDiff:
    assert table.rows is not None
    return table.rows


def counts(table: TableDiff) -> tuple[int, int, int]:
    rows = rows_of(table)
    return rows.added, rows.removed, rows.changed


def test_equal_states_do_not_differ(lake: Lake, con: Con) -> None:
    write(lake, con, "s.t", "SELECT 1 AS a")
    lake.branch("dev")
    found = quality.diff(lake, "main", "dev")
    assert found.same
    assert found.before == found.after


def test_an_empty_lake_can_be_compared_with_its_first_commit(lake: Lake, con: Con) -> None:
    lake.branch("empty")
    write(lake, con, "s.t", "SELECT 1 AS a")
    [table] = quality.diff(lake, "empty", "main").tables
    assert (table.change, table.rows_before, table.rows_after, table.rows) == ("added", 0, 1, None)


def test_tables_and_views_that_came_went_or_changed_are_told_apart(lake: Lake, con: Con) -> None:
    for name in ("kept", "gone", "changed"):
        write(lake, con, f"s.{name}", "SELECT 1 AS a")
    views = [
        lake.stage_view(f"s.v_{name}", "SELECT 1 AS a", on="main", columns=[("a", "INTEGER")])
        for name in ("kept", "gone", "changed")
    ]
    lake.commit("main", views, message="views")
    lake.branch("dev")
    write(lake, con, "s.new", "SELECT 1 AS a FROM range(3)", "dev")
    write(lake, con, "s.changed", "SELECT 2 AS a", "dev")
    lake.commit(
        "dev",
        [
            lake.stage_drop("s.gone", on="dev"),
            lake.stage_drop("s.v_gone", on="dev"),
            lake.stage_view("s.v_new", "SELECT 2 AS b", on="dev", columns=[("b", "INTEGER")]),
            lake.stage_view(
                "s.v_changed", "SELECT 1 AS a, 2 AS b", on="dev", columns=[("a", "INTEGER"), ("b", "INTEGER")]
            ),
        ],
        message="the rest",
    )
    found = quality.diff(lake, "main", "dev")
    assert [(each.name, each.change) for each in found.tables] == [
        ("s.changed", "changed"),
        ("s.gone", "removed"),
        ("s.new", "added"),
    ]
    assert [(each.rows_before, each.rows_after) for each in found.tables] == [(1, 1), (1, 0), (0, 3)]
    assert [(each.name, each.change, each.before, each.after) for each in found.views] == [
        ("s.v_changed", "changed", "SELECT 1 AS a", "SELECT 1 AS a, 2 AS b"),
        ("s.v_gone", "removed", "SELECT 1 AS a", None),
        ("s.v_new", "added", None, "SELECT 2 AS b"),
    ]
    assert found.views[0].columns == (ColumnChange("added", "b", None, "INTEGER"),)


def test_a_table_that_became_a_view_is_both_gone_and_new(lake: Lake, con: Con) -> None:
    write(lake, con, "s.t", "SELECT 1 AS a")
    lake.branch("dev")
    lake.commit(
        "dev", [lake.stage_view("s.t", "SELECT 1 AS a", on="dev", columns=[("a", "INTEGER")])], message="view"
    )
    found = quality.diff(lake, "main", "dev", tables=["s.t"])
    assert [(each.name, each.change) for each in found.tables] == [("s.t", "removed")]
    assert [(each.name, each.change) for each in found.views] == [("s.t", "added")]


def test_a_renamed_table_is_recognised_and_its_rows_are_compared(lake: Lake, con: Con) -> None:
    write(lake, con, "s.old", "SELECT i AS a FROM range(3) r(i)")
    lake.branch("dev")
    write(lake, con, "s.old", "SELECT 7 AS a", "dev", mode="append")
    content = lake.at("dev").table("s.old").content
    lake.catalog.commit(
        "dev", [Delete(key_of("s.old"), content), Put(key_of("s.new"), content)], message="rename"
    )
    table = one(lake, "s.new")
    assert (table.change, table.before_name, counts(table)) == ("renamed", "s.old", (1, 0, 0))
    assert one(lake, "s.new", tables=["s.old"]) == table


def test_columns_that_were_added_removed_renamed_retyped_or_commented_are_told(lake: Lake, con: Con) -> None:
    write(lake, con, "s.t", "SELECT 1 AS a, 2 AS b, 3 AS c, 4 AS gone, 'x' AS text")
    lake.branch("dev")
    write(
        lake, con, "s.t", "SELECT 1::BIGINT AS a, 2 AS b, 3 AS c, 5 AS text, DATE '2026-01-01' AS new", "dev"
    )
    # As a client does it over REST: a new schema with another name and a comment under the same ids.
    _evolve(lake, {"b": {"name": "B ö.\"'"}, "c": {"doc": "third"}})
    table = one(lake)
    assert set(table.columns) == {
        ColumnChange("retyped", "a", "INTEGER", "BIGINT"),
        ColumnChange("renamed", "B ö.\"'", "b", "B ö.\"'"),
        ColumnChange("commented", "c", None, "third"),
        ColumnChange("removed", "gone", "INTEGER", None),
        ColumnChange("retyped", "text", "VARCHAR", "INTEGER"),
        ColumnChange("added", "new", None, "DATE"),
    }
    assert rows_of(table).columns == ("a", "B ö.\"'", "c", "text")
    assert counts(table) == (1, 1, 0)  # 'x' became 5


def _evolve(lake: Lake, changes: dict[str, dict[str, Any]], branch: str = "dev", name: str = "s.t") -> None:
    table = lake.at(branch).table(name)
    schema = metadata.current_schema(table.metadata)
    fields = [{**field, **changes.get(field["name"], {})} for field in schema["fields"]]
    updates = [
        {"action": "add-schema", "schema": {"type": "struct", "fields": fields}},
        {"action": "set-current-schema", "schema-id": -1},
    ]
    document = metadata.apply(table.metadata, [], updates, now_ms=1, previous=table.metadata_location)
    at = write_metadata(document, table.metadata_location)
    content = table_content(document, at, table.content.id)
    lake.catalog.commit(branch, [Put(key_of(name), content, table.content)], message="evolve")


def test_partitioning_sort_order_and_properties_are_compared(lake: Lake, con: Con) -> None:
    query = "SELECT 1 AS id, DATE '2026-01-31' AS day"
    write(lake, con, "s.t", query, partition_by=["month(day)"], properties={"owner": "ann", "old": "1"})
    lake.branch("dev")
    write(lake, con, "s.t", query, "dev", partition_by=["bucket(4, id)", "day"], sort_by=["id desc", "day"])
    staged = lake.stage_properties("s.t", {"owner": "bob", "old": None, "new": "2"}, on="dev")
    lake.commit("dev", [staged], message="properties")
    table = one(lake)
    assert table.layout == (
        PropertyChange("partitioning", "month(day)", "bucket(4, id), day"),
        PropertyChange("sort order", None, "id desc, day"),
    )
    assert table.properties == (
        PropertyChange("new", None, "2"),
        PropertyChange("old", "1", None),
        PropertyChange("owner", "ann", "bob"),
    )
    assert counts(table) == (0, 0, 0)


def test_a_key_tells_changed_rows_from_removed_and_added_ones(lake: Lake, con: Con) -> None:
    write(lake, con, "s.t", "SELECT i AS id, i * 10 AS amount, 'open' AS status FROM range(6) r(i)")
    lake.branch("dev")
    write(
        lake,
        con,
        "s.t",
        """SELECT i AS id, CASE i WHEN 2 THEN NULL ELSE i * 10 END AS amount,
        CASE WHEN i IN (2, 3) THEN 'paid' ELSE 'open' END AS status FROM range(1, 8) r(i) WHERE i <> 5""",
        "dev",
    )
    rows = rows_of(one(lake, keys={"s.t": ["ID"]}))
    assert (rows.key, rows.added, rows.removed, rows.changed) == (("id",), 2, 2, 2)
    assert rows.changed_columns == {"amount": 1, "status": 2}
    shown = [(each.kind, each.before, each.after, each.columns) for each in rows.sample]
    assert shown == [
        ("removed", {"id": 0, "amount": 0, "status": "open"}, None, ()),
        ("removed", {"id": 5, "amount": 50, "status": "open"}, None, ()),
        ("added", None, {"id": 6, "amount": 60, "status": "open"}, ()),
        ("added", None, {"id": 7, "amount": 70, "status": "open"}, ()),
        (
            "changed",
            {"id": 2, "amount": 20, "status": "open"},
            {"id": 2, "amount": None, "status": "paid"},
            ("amount", "status"),
        ),
        (
            "changed",
            {"id": 3, "amount": 30, "status": "open"},
            {"id": 3, "amount": 30, "status": "paid"},
            ("status",),
        ),
    ]
    assert rows_of(one(lake, key=["id"])) == rows
    assert counts(one(lake)) == (4, 4, 0)


def test_the_sample_is_limited_and_the_counts_are_not(lake: Lake, con: Con) -> None:
    write(lake, con, "s.t", "SELECT i AS id, 0 AS v FROM range(100) r(i)")
    lake.branch("dev")
    write(lake, con, "s.t", "SELECT i AS id, i % 2 AS v FROM range(50, 200) r(i)", "dev")
    rows = rows_of(one(lake, key=["id"], limit=3))
    assert (rows.added, rows.removed, rows.changed) == (100, 50, 25)
    assert [(each.before or each.after or {})["id"] for each in rows.sample] == [
        0, 1, 2, 100, 101, 102, 51, 53, 55,
    ]  # fmt: skip
    assert rows_of(one(lake, key=["id"], limit=0)).sample == ()
    assert one(lake, rows=False).rows is None


def test_copies_of_a_row_are_counted(lake: Lake, con: Con) -> None:
    write(lake, con, "s.t", "SELECT 1 AS a FROM range(5)")
    lake.branch("dev")
    write(lake, con, "s.t", "SELECT 1 AS a FROM range(2) UNION ALL SELECT NULL FROM range(3)", "dev")
    rows = rows_of(one(lake))
    assert [(each.kind, each.copies) for each in rows.sample] == [("removed", 3), ("added", 3)]


def test_a_key_that_is_not_unique_is_said_and_nothing_is_guessed(lake: Lake, con: Con) -> None:
    write(lake, con, "s.t", "SELECT * FROM (VALUES (1, 'a'), (1, 'b'), (2, 'c')) v(id, x)")
    lake.branch("dev")
    write(lake, con, "s.t", "SELECT * FROM (VALUES (1, 'A'), (1, 'B'), (2, 'C')) v(id, x)", "dev")
    rows = rows_of(one(lake, key=["id"]))
    assert (rows.added, rows.removed, rows.changed) == (2, 2, 1)
    assert "(id) is no key" in rows.notes[0]


def test_a_key_column_that_one_side_lacks_is_said_and_rows_are_compared_as_a_whole(
    lake: Lake, con: Con
) -> None:
    write(lake, con, "s.t", "SELECT 1 AS id, 2 AS a")
    lake.branch("dev")
    write(lake, con, "s.t", "SELECT 3 AS a", "dev")
    rows = rows_of(one(lake, keys={"s.t": ["id"]}))
    assert (rows.key, rows.added, rows.removed, rows.changed) == ((), 1, 1, 0)
    assert "(id) was not used" in rows.notes[0]


def test_tables_without_a_common_column_have_no_common_row(lake: Lake, con: Con) -> None:
    write(lake, con, "s.t", "SELECT i AS a FROM range(3) r(i)")
    lake.branch("dev")
    write(lake, con, "s.t", "SELECT i AS b FROM range(2) r(i)", "dev")
    assert counts(one(lake)) == (2, 3, 0)


def test_a_table_made_anew_under_the_same_name_is_compared_by_the_names_of_its_columns(
    lake: Lake, con: Con
) -> None:
    write(lake, con, "s.t", "SELECT 1 AS a, 'x' AS b")
    lake.branch("dev")
    lake.commit("dev", [lake.stage_drop("s.t", on="dev")], message="drop")
    write(lake, con, "s.t", "SELECT 'x' AS b, 1 AS a", "dev")
    found = quality.diff(lake, "main", "dev")
    assert counts(found.tables[0]) == (0, 0, 0)
    assert found.tables[0].columns == ()


NESTED = (
    "[{'k': 1, 'v': NULL}, NULL] AS l, {'a': {'b': [1, NULL]}} AS s, MAP {'y': 1, 'x': 'nan'::DOUBLE} AS m"
)
SPECIAL = (
    "'nan'::DOUBLE AS f, NULL::INTEGER AS n, '2026-01-01'::TIMESTAMPTZ AS z, 'infinity'::TIMESTAMP AS i, "
    "1.10::DECIMAL(30, 2) AS d, '\\xAA'::BLOB AS b, gen.u AS u"
)


def test_null_nan_infinity_and_nested_values_equal_themselves(lake: Lake, con: Con) -> None:
    source = "(SELECT 'f0000000-0000-0000-0000-000000000001'::UUID AS u) gen"
    query = f"SELECT 1 AS id, {NESTED}, {SPECIAL} FROM {source}"
    write(lake, con, "s.t", query)
    lake.branch("dev")
    write(lake, con, "s.t", query.replace("'y': 1, 'x': 'nan'::DOUBLE", "'x': 'nan'::DOUBLE, 'y': 1"), "dev")
    assert counts(one(lake)) == (0, 0, 0)
    write(
        lake,
        con,
        "s.t",
        query.replace("[1, NULL]", "[1, 2]").replace("'nan'::DOUBLE AS f", "1.5 AS f"),
        "dev",
    )
    rows = rows_of(one(lake, key=["id"]))
    assert rows.changed_columns == {"s": 1, "f": 1}
    [row] = rows.sample
    assert row.before is not None
    assert (row.before["d"], row.before["f"], row.before["i"], row.before["n"]) == (
        "1.10", "nan", "infinity", None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("1::INTEGER", "1::BIGINT", True),
        ("1::INTEGER", "1.0::DECIMAL(4,1)", True),
        ("1::INTEGER", "'1'", True),
        ("1::INTEGER", "'01'", False),
        ("9007199254740993::BIGINT", "9007199254740992::BIGINT", False),
        ("0.5::FLOAT", "0.5::DOUBLE", True),
        ("1.5::DECIMAL(38,2)", "1.5::DECIMAL(38,30)", True),
        ("DATE '2026-01-01'", "TIMESTAMP '2026-01-01'", True),
        ("true", "'true'", True),
        ("{'a': 1}", "{'a': 1, 'b': NULL}", False),
    ],
)
def test_a_column_of_another_type_is_compared_by_value(
    lake: Lake, con: Con, old: str, new: str, same: bool
) -> None:
    write(lake, con, "s.t", f"SELECT {old} AS v")
    lake.branch("dev")
    write(lake, con, "s.t", f"SELECT {new} AS v, 1 AS more", "dev")
    assert counts(one(lake)) == ((0, 0, 0) if same else (1, 1, 0))


@pytest.mark.parametrize(
    "name", ['s."quo""ted"', "日本.テー ブル", "a.b.c", "s.*[x]?", "s.it's; DROP TABLE x --"]
)
def test_names_of_any_kind_are_compared(lake: Lake, con: Con, name: str) -> None:
    column = '"a ""b"".c;--"'
    write(lake, con, name, f'SELECT 1 AS {column}, 1 AS "it\'s"')
    lake.branch("dev")
    write(lake, con, name, f'SELECT 1 AS {column}, 2 AS "it\'s"', "dev")
    rows = rows_of(one(lake, name, tables=[name], key=['a "b".c;--']))
    assert (rows.changed, rows.changed_columns) == (1, {"it's": 1})


def _data_files(lake: Lake, spec: str) -> set[str]:
    return set(lake.at(spec).table("s.t").files)


def _delete(paths: Sequence[str]) -> None:
    for path in paths:
        Path(path).unlink()


def test_files_that_both_sides_have_are_not_read(lake: Lake, con: Con) -> None:
    write(lake, con, "s.t", "SELECT i AS id, 'x' AS v, {'a': i} AS s FROM range(1000) r(i)")
    common = _data_files(lake, "main")
    lake.branch("dev")
    write(lake, con, "s.t", "SELECT 1000 AS id, 'y' AS v, {'a': 1::BIGINT} AS s", mode="append")
    write(
        lake,
        con,
        "s.t",
        "SELECT 1001::BIGINT AS id, 'z' AS v, {'a': 1::BIGINT} AS s, 1 AS w",
        "dev",
        mode="append",
    )
    _delete(sorted(common))
    table = one(lake)
    assert (table.files.added, table.files.removed, table.files.common) == (1, 1, 1)
    assert counts(table) == (1, 1, 0)
    assert rows_of(table).columns == ("id", "v", "s")


def test_an_append_reads_only_what_was_appended(lake: Lake, con: Con) -> None:
    write(lake, con, "s.t", "SELECT i AS id FROM range(1000) r(i)")
    lake.branch("dev")
    write(lake, con, "s.t", "SELECT 7 AS id", "dev", mode="append")
    _delete(sorted(_data_files(lake, "main")))
    assert counts(one(lake)) == (1, 0, 0)
    found = quality.diff(lake, "dev", "main").tables[0]
    assert counts(found) == (0, 1, 0)


def test_a_column_dropped_and_made_anew_has_lost_its_values_in_old_files_too(lake: Lake, con: Con) -> None:
    write(lake, con, "s.t", "SELECT i AS id, 5 AS v FROM range(3) r(i)")
    lake.branch("dev")
    write(lake, con, "s.t", "SELECT 9 AS id, 5 AS v", "dev", mode="append")
    _evolve(lake, {"v": {"id": 99}})
    rows = rows_of(one(lake, key=["id"]))
    assert (rows.added, rows.changed, rows.changed_columns) == (1, 3, {"v": 3})


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"tables": ["s.tt"]}, r"did you mean 's\.t'"),
        ({"key": ["idd"]}, "did you mean 'id'"),
    ],
)
def test_a_name_that_is_not_there_is_answered_with_the_nearest(
    lake: Lake, con: Con, options: dict[str, Any], said: str
) -> None:
    write(lake, con, "s.t", "SELECT 1 AS id")
    lake.branch("dev")
    write(lake, con, "s.t", "SELECT 2 AS id", "dev")
    with pytest.raises(NotFoundError, match=said):
        quality.diff(lake, "main", "dev", **options)
    with pytest.raises(NotFoundError, match="did you mean 'dev'"):
        quality.diff(lake, "main", "deev")


def test_a_diff_is_json(lake: Lake, con: Con) -> None:
    write(lake, con, "s.t", f"SELECT 1 AS id, {NESTED}, 'nan'::DOUBLE AS f, now() AS t")
    lake.branch("dev")
    write(lake, con, "s.t", f"SELECT 1 AS id, {NESTED}, 1.0::DOUBLE AS f, now() AS t", "dev")
    found = quality.diff(lake, "main", "dev", key=["id"]).to_dict()
    assert json.loads(json.dumps(found, allow_nan=False))["tables"][0]["rows"]["changed"] == 1
