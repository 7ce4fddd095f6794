"""States of the lake: views in order, what they read, and fingerprints that move exactly with the data."""

from dataclasses import replace
from datetime import timedelta

import duckdb
import pytest

from ingot.engines.duckdb import connect, mount
from ingot.errors import NotFoundError
from ingot.lake import Lake, SchemaError, Staged
from ingot.lake.maintenance import Outcome, Policy, Step, maintain
from ingot.lake.same_rows import SAME_ROWS
from ingot.lake.staged import table_content, write_metadata
from tests.lake.files_only import url  # noqa: F401

Con = duckdb.DuckDBPyConnection


def table(
    lake: Lake, con: Con, name: str, query: str = "SELECT 1 AS a", branch: str = "main", **options: str
) -> None:
    lake.commit(branch, [lake.stage(con, name, query, on=branch, **options)], message=name)  # type: ignore[arg-type]


def view(lake: Lake, name: str, sql: str) -> None:
    lake.commit("main", [lake.stage_view(name, sql, on="main", columns=[("a", "INTEGER")])], message=name)


def test_views_come_after_the_views_that_they_read(lake: Lake, con: Con) -> None:
    table(lake, con, "s.t")
    view(lake, "s.z", "SELECT a FROM s.t")
    view(lake, "s.m", "SELECT a FROM Z")
    view(lake, "s.a", "WITH t AS (SELECT * FROM main.s.m) SELECT t.a FROM t JOIN s.z USING (a)")
    state = lake.at()
    assert [one.name for one in state.ordered_views] == ["s.z", "s.m", "s.a"]
    assert state.reads("s.a") == ("s.t",)
    assert [(column.name, column.type) for column in state.view("s.a").schema] == [("a", "INTEGER")]
    with pytest.raises(NotFoundError, match=r"did you mean 's\.z'"):
        state.view("s.zz")


def test_views_in_a_circle_are_named_and_take_nothing_else_with_them(lake: Lake, con: Con) -> None:
    table(lake, con, "s.t")
    view(lake, "s.a", "SELECT a FROM s.b")
    view(lake, "s.b", "SELECT a FROM s.a")
    view(lake, "s.c", "SELECT a FROM s.t")
    state = lake.at()
    by_name = {one.name: one for one in state.ordered_views}
    assert by_name["s.c"].sql == "SELECT a FROM s.t"
    for name in ("s.a", "s.b"):
        with pytest.raises(SchemaError, match=r"circle: s\.a -> s\.b -> s\.a"):
            _ = by_name[name].sql
    with connect() as duck:
        mounted = mount(duck, state, "here")
        assert set(mounted.broken) == {"s.a", "s.b"}
        assert duck.execute("SELECT count(*) FROM here.s.c").fetchone() is not None


@pytest.mark.parametrize(
    "sql", ["", "SELEC 1", "DROP TABLE x", "SELECT 1; SELECT 2", "INSERT INTO t SELECT 1"]
)
def test_a_view_is_one_select(lake: Lake, sql: str) -> None:
    with pytest.raises(SchemaError):
        lake.stage_view("s.v", sql, on="main", columns=[("a", "INTEGER")])


def test_a_view_keeps_its_identity_and_an_equal_one_writes_nothing(lake: Lake) -> None:
    view(lake, "s.v", "SELECT 1 AS a")
    first = lake.at().view("s.v").content
    same = lake.stage_view("s.v", "SELECT 1 AS a", on="main", columns=[("a", "INTEGER")])
    assert (same.content, same.files) == (first, ())
    view(lake, "s.v", "SELECT 2 AS a")
    second = lake.at().view("s.v")
    assert second.content.id == first.id
    assert second.sql == "SELECT 2 AS a"


def test_a_fingerprint_moves_with_the_data_and_with_nothing_else(lake: Lake, con: Con) -> None:
    table(lake, con, "s.t")
    table(lake, con, "s.u")
    view(lake, "s.v", "SELECT a FROM s.t")
    before = lake.at()
    prints = {name: before.fingerprint([name]) for name in ("s.t", "s.u", "s.v")}
    assert len(set(prints.values())) == 3
    assert before.fingerprint(["s.t", "s.u"]) == before.fingerprint(["s.u", "s.t", "s.t"])
    lake.branch("dev")
    table(lake, con, "s.t", "SELECT 2 AS a", branch="dev")
    assert {name: lake.at().fingerprint([name]) for name in prints} == prints
    dev = lake.at("dev")
    assert dev.fingerprint(["s.u"]) == prints["s.u"]
    assert dev.fingerprint(["s.t"]) != prints["s.t"]
    assert dev.fingerprint(["s.v"]) != prints["s.v"]
    lake.merge("dev")
    assert lake.at().fingerprint(["s.v"]) == dev.fingerprint(["s.v"])
    lake.commit("main", [lake.stage_properties("s.t", {"owner": "x"}, on="main")], message="p")
    assert lake.at().fingerprint(["s.t"]) == dev.fingerprint(["s.t"])
    view(lake, "s.v", "SELECT a + 1 AS a FROM s.t")
    assert lake.at().fingerprint(["s.v"]) != dev.fingerprint(["s.v"])
    with pytest.raises(NotFoundError):
        before.fingerprint(["s.none"])


def test_compaction_leaves_the_fingerprint_and_is_what_readers_read_next(lake: Lake, con: Con) -> None:
    table(lake, con, "s.t")
    table(lake, con, "s.t", mode="append")
    before = lake.at()
    forget = Policy(older_than=timedelta(0), keep=1)
    for query in ("SELECT 2 AS a", "SELECT 3 AS a"):
        done = maintain(lake, con, steps=[Step.COMPACT, Step.EXPIRE], policy=forget)
        assert [one.outcome for one in done.tables] == [Outcome.DONE] * 2
        after = lake.at()
        assert after.table("s.t").snapshot_id != before.table("s.t").snapshot_id
        assert after.fingerprint(["s.t"]) == before.fingerprint(["s.t"])
        assert after.table("s.t").files != before.table("s.t").files
        assert after.table("s.t").files[0] in after.scan("s.t")
        # Rows that come later are new, and what they are compacted into has their fingerprint.
        table(lake, con, "s.t", query, mode="append")
        assert lake.at().fingerprint(["s.t"]) != before.fingerprint(["s.t"])
        before = lake.at()


def test_a_snapshot_that_only_claims_the_rows_of_another_is_another(lake: Lake, con: Con) -> None:
    """What is no compaction has rows of its own, whatever its summary was copied from."""
    table(lake, con, "s.t")
    first = lake.at()
    table(lake, con, "s.t", "SELECT 2 AS a")
    second = lake.at().table("s.t")
    claims = {SAME_ROWS: str(first.table("s.t").snapshot_id)}
    for summary in ({"operation": "overwrite"} | claims, {"operation": "replace", SAME_ROWS: "x"}):
        snapshot = {**second.metadata["snapshots"][-1], "summary": summary}
        document = {**second.metadata, "snapshots": [*second.metadata["snapshots"][:-1], snapshot]}
        content = table_content(document, write_metadata(document, None), second.content.id)
        staged = Staged(("s", "t"), content, lake.at().table("s.t").content)
        lake.commit("main", [staged], message="claim")
        assert lake.at().fingerprint(["s.t"]) != first.fingerprint(["s.t"])


def test_a_table_whose_metadata_is_elsewhere_has_a_fingerprint(lake: Lake, con: Con) -> None:
    table(lake, con, "s.t")
    before = lake.at().table("s.t").content
    prints = set()
    for number in (1, 2):
        content = replace(before, metadata_location="/nowhere/0.metadata.json", snapshot_id=number)
        staged = Staged(("s", "t"), content, lake.at().table("s.t").content)
        lake.commit("main", [staged], message="elsewhere")
        prints.add(lake.at().fingerprint(["s.t"]))
    assert len(prints) == 2


def test_a_reader_of_a_commit_never_sees_change(lake: Lake, con: Con) -> None:
    table(lake, con, "s.t")
    state = lake.at()
    scan = state.scan("s.t")
    table(lake, con, "s.t", "SELECT 2 AS a")
    lake.commit("main", [lake.stage_drop("s.t", on="main")], message="drop")
    assert con.execute(f"SELECT * FROM {scan}").fetchall() == [(1,)]
    assert state.scan("s.t") == scan
    assert lake.at(state.hash).scan("s.t") == scan
    assert "s.t" in state
    assert "s.t" not in lake.at()
    assert "s" not in state


def test_a_run_branch_is_published_by_one_merge(lake: Lake, con: Con) -> None:
    table(lake, con, "raw.t")
    lake.branch("run/1")
    for index in range(3):
        table(lake, con, f"gold.t{index}", f"SELECT {index} AS a", branch="run/1")
    assert lake.at().tables == ("raw.t",)
    result = lake.merge("run/1", message="publish", require=["raw.t"])
    lake.tag("run-1", result.hash)
    assert lake.at().tables == ("gold.t0", "gold.t1", "gold.t2", "raw.t")
    assert lake.at("run-1").hash == lake.at().hash == result.hash
    assert lake.delete_ref("run/1").name == "run/1"
