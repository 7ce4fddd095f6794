"""Compaction on one side or both: no row changes, so nothing that was written beside it is in its way."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import duckdb
import pyarrow as pa
import pytest
from pyiceberg.catalog.rest import RestCatalog
from starlette.applications import Starlette
from starlette.routing import Mount

from ingot.engines.duckdb import connect
from ingot.lake import CommitConflictError, Lake, RefKind, Staged, entries, files, manifests, part
from ingot.lake.maintenance import Outcome, Policy, Step, maintain
from ingot.lake.rebase import SWITCH
from ingot.lake.rest import routes
from ingot.lake.same_rows import SAME_ROWS
from ingot.lake.staged import table_content, write_metadata
from tests.lake.maintenance.deletes import delete_rows
from tests.lake.rest.conftest import serving

Con = duckdb.DuckDBPyConnection
ALL = Policy(older_than=timedelta(0), keep=1, orphan_age=timedelta(0), passing=("",))


@pytest.fixture
def con() -> Iterator[Con]:
    made = connect(extensions=("avro", "httpfs", "iceberg"))
    yield made
    made.close()


def write(lake: Lake, con: Con, branch: str, first: int, last: int, mode: Any = "append") -> None:
    query = f"SELECT i, 'text ' || i AS s FROM range({first}, {last}) r(i)"
    lake.commit(branch, [lake.stage(con, "s.t", query, on=branch, mode=mode)], message=mode)


def compact(lake: Lake, con: Con, branch: str, *steps: Step) -> None:
    done = maintain(lake, con, branch=branch, steps=steps or (Step.COMPACT,), policy=ALL)
    assert done.tables
    assert all(one.outcome is Outcome.DONE for one in done.tables), done


def numbers(lake: Lake, con: Con, spec: str = "main") -> list[int]:
    table = lake.at(spec).table("s.t")
    found = sorted(row[0] for row in con.execute(f"SELECT i FROM {lake.at(spec).scan('s.t')}").fetchall())
    theirs = con.execute(f"SELECT i FROM iceberg_scan('{table.metadata_location}')").fetchall()
    assert sorted(row[0] for row in theirs) == found
    assert table.rows == len(found)
    return found


@pytest.fixture
def branched(lake: Lake, con: Con) -> Lake:
    """Three files with ten rows each on `main`, and `dev` at the same commit."""
    for first in (0, 10, 20):
        write(lake, con, "main", first, first + 10)
    lake.branch("dev")
    return lake


def test_rows_appended_on_a_branch_come_to_a_table_that_was_compacted_meanwhile(
    branched: Lake, con: Con
) -> None:
    write(branched, con, "dev", 100, 103)
    compact(branched, con, "main")
    (whole,) = branched.at().table("s.t").files
    assert branched.merge("dev").rebased == (("s", "t"),)
    assert numbers(branched, con) == [*range(30), 100, 101, 102]
    table = branched.at().table("s.t")
    assert whole in table.files
    assert len(table.files) == 2
    assert SAME_ROWS not in table.metadata["snapshots"][-1]["summary"]


def test_a_branch_that_was_compacted_brings_only_what_it_appended(branched: Lake, con: Con) -> None:
    write(branched, con, "dev", 100, 103)
    compact(branched, con, "dev")
    write(branched, con, "dev", 103, 105)
    write(branched, con, "main", 200, 202)
    before = len(branched.at().table("s.t").files)
    branched.merge("dev")
    assert numbers(branched, con) == [*range(30), *range(100, 105), 200, 201]
    table = branched.at().table("s.t")
    assert len(table.files) == before + 2
    summary = table.metadata["snapshots"][-1]["summary"]
    assert (summary["operation"], summary["added-records"]) == ("append", "5")
    # And again, from a state that both have compacted.
    compact(branched, con, "main")
    compact(branched, con, "dev")
    write(branched, con, "dev", 105, 106)
    branched.merge("dev")
    branched.merge("main", into="dev")
    expected = [*range(30), *range(100, 106), 200, 201]
    assert numbers(branched, con) == numbers(branched, con, "dev") == expected
    assert not branched.merge("dev").conflicts
    assert numbers(branched, con) == expected


@pytest.mark.slow
def test_both_sides_append_and_compact_and_append(branched: Lake, con: Con) -> None:
    for at, branch in ((100, "main"), (200, "dev")):
        write(branched, con, branch, at, at + 2)
        compact(branched, con, branch)
        write(branched, con, branch, at + 2, at + 3)
        write(branched, con, branch, at + 3, at + 4)
        compact(branched, con, branch)
    branched.merge("dev")
    assert numbers(branched, con) == [*range(30), *range(100, 104), *range(200, 204)]


@pytest.mark.slow
def test_where_one_side_was_only_compacted_the_other_is_what_both_are(branched: Lake, con: Con) -> None:
    branched.catalog.create_ref(RefKind.BRANCH, "other", branched.at("dev").hash)
    compact(branched, con, "main")
    write(branched, con, "dev", 500, 502, "overwrite")
    assert branched.merge("dev").applied
    assert numbers(branched, con) == [500, 501]
    # The other way round: the compacted branch has nothing to say about what `main` has become.
    compact(branched, con, "other")
    head = branched.at().table("s.t").content
    branched.merge("other")
    assert branched.at().table("s.t").content == head
    assert numbers(branched, con) == [500, 501]


@pytest.mark.slow
def test_both_compacted_keeps_the_targets_files(branched: Lake, con: Con) -> None:
    compact(branched, con, "main")
    compact(branched, con, "dev")
    files = branched.at().table("s.t").files
    branched.merge("dev")
    assert branched.at().table("s.t").files == files
    assert numbers(branched, con) == list(range(30))


def test_deletes_that_a_compaction_ended_stay_ended(branched: Lake, con: Con) -> None:
    delete_rows(branched, con, "main", "s.t", "i % 2 = 1")
    branched.merge("main", into="dev")
    write(branched, con, "dev", 101, 104)
    compact(branched, con, "main")
    branched.merge("dev")
    assert numbers(branched, con) == [*range(0, 30, 2), 101, 102, 103]


@pytest.mark.slow
def test_a_delete_beside_a_compaction_is_one_sided_and_beside_an_append_a_conflict(
    branched: Lake, con: Con
) -> None:
    delete_rows(branched, con, "dev", "s.t", "i < 5")
    compact(branched, con, "main")
    branched.merge("dev")
    assert numbers(branched, con) == list(range(5, 30))
    compact(branched, con, "main")
    write(branched, con, "main", 40, 41)
    delete_rows(branched, con, "dev", "s.t", "i < 7")
    with pytest.raises(CommitConflictError, match="is no append but 'delete'"):
        branched.merge("dev")


def claimed(lake: Lake, con: Con, branch: str, *, keep: int) -> None:
    """A `replace` as another engine could send it: of the rows only `keep` are in the new files."""
    table = lake.at(branch).table("s.t")
    rows = f"SELECT i, s FROM {lake.at(branch).scan('s.t')} ORDER BY i LIMIT {keep}"
    made = lake.stage(con, "s.t", rows, on=branch)
    assert made.content is not None
    other = replace(table, content=made.content)
    now = other.metadata["snapshots"][-1]
    snapshot = {
        **now,
        "snapshot-id": uuid4().int >> 65,
        "summary": {**now["summary"], "operation": "replace"},
    }
    after = part.advance(table.metadata, snapshot, table.metadata_location)
    content = table_content(after, write_metadata(after, table.metadata_location), table.content.id)
    lake.commit(branch, [Staged(("s", "t"), content, table.content)], message="claimed")


def test_a_compaction_of_another_engine_is_believed_where_its_rows_add_up(branched: Lake, con: Con) -> None:
    claimed(branched, con, "main", keep=30)
    write(branched, con, "dev", 100, 101)
    branched.merge("dev")
    assert numbers(branched, con) == [*range(30), 100]
    branched.merge("main", into="dev")
    claimed(branched, con, "main", keep=20)
    write(branched, con, "dev", 101, 102)
    with pytest.raises(CommitConflictError, match="cannot be told"):
        branched.merge("dev")


@pytest.mark.parametrize("by_hand", [False, True])
def test_files_that_were_compacted_and_collected_are_not_brought_back(
    branched: Lake, con: Con, by_hand: bool
) -> None:
    """A tag keeps what it reads, and not the small files that this was made of."""
    write(branched, con, "dev", 100, 101)
    small = set(branched.at("dev").table("s.t").files)
    compact(branched, con, "dev")
    branched.tag("v1", "dev")
    branched.delete_ref("dev")
    write(branched, con, "main", 200, 201)
    gone = small - set(branched.at().table("s.t").files)
    assert gone
    if by_hand:
        files.remove(gone)
    else:
        maintain(branched, con, steps=[Step.GC, Step.ORPHANS], policy=ALL)
    with pytest.raises(CommitConflictError, match="no longer there" if by_hand else "cannot be read"):
        branched.merge("v1")
    assert numbers(branched, con) == [*range(30), 200]
    assert numbers(branched, con, "v1") == [*range(30), 100]


@pytest.fixture
def address(branched: Lake) -> Iterator[str]:
    with serving(Starlette(routes=[Mount("/iceberg", routes=routes(branched))])) as served:
        yield served


def attached(con: Con, address: str) -> Con:
    con.execute(
        f"ATTACH 'main' AS lake (TYPE iceberg, ENDPOINT '{address}/iceberg', AUTHORIZATION_TYPE none)"
    )
    return con


@pytest.mark.parametrize("strict", [False, True])
def test_a_duckdb_transaction_begun_before_a_compaction_commits_after_it(
    branched: Lake, con: Con, address: str, strict: bool
) -> None:
    if strict:
        branched.commit("main", [branched.stage_properties("s.t", {SWITCH: "false"}, on="main")], message="s")
    client = attached(con, address)
    client.execute("BEGIN")
    client.execute("INSERT INTO lake.s.t VALUES (100, 'client')")
    with connect(extensions=("avro", "iceberg")) as other:
        compact(branched, other, "main")
        if not strict:
            write(branched, other, "main", 200, 202)
            compact(branched, other, "main", Step.COMPACT)
    client.execute("COMMIT")
    expected = [*range(30), 100, *([] if strict else [200, 201])]
    assert [row[0] for row in client.execute("SELECT i FROM lake.s.t ORDER BY i").fetchall()] == expected
    assert numbers(branched, con) == expected
    sequences = [one["sequence-number"] for one in branched.at().table("s.t").metadata["snapshots"]]
    assert sequences == sorted(set(sequences))


@pytest.mark.slow
def test_an_update_begun_before_a_compaction_is_refused(branched: Lake, con: Con, address: str) -> None:
    """Its deletions speak of files that are no longer there."""
    client = attached(con, address)
    client.execute("BEGIN")
    client.execute("UPDATE lake.s.t SET s = 'x' WHERE i = 3")
    with connect(extensions=("avro", "iceberg")) as other:
        compact(branched, other, "main")
    with pytest.raises(duckdb.Error, match=r"overwrite|changed"):
        client.execute("COMMIT")
    assert numbers(branched, con) == list(range(30))


@pytest.mark.slow
def test_a_pyiceberg_append_prepared_before_a_compaction_is_put_behind_it(
    branched: Lake, con: Con, address: str
) -> None:
    catalog = RestCatalog("lake", uri=f"{address}/iceberg")
    table = catalog.load_table("s.t")
    rows = pa.table({"i": [100], "s": ["client"]}, table.schema().as_arrow())
    with table.transaction() as transaction:
        transaction.append(rows)
        compact(branched, con, "main")
    assert numbers(branched, con) == [*range(30), 100]
    read = catalog.load_table("s.t").scan().to_arrow().column("i").to_pylist()
    assert Counter(read) == Counter([*range(30), 100])
    catalog.close()


@pytest.mark.slow
def test_a_staged_compaction_has_entries_of_the_new_snapshot(branched: Lake, con: Con) -> None:
    compact(branched, con, "main")
    snapshot = branched.at().table("s.t").metadata["snapshots"][-1]
    (source,) = (one for one in entries.read(manifests.list_rows(snapshot["manifest-list"])) if one.entries)
    assert [one.record["snapshot_id"] for one in source.entries] == [snapshot["snapshot-id"]]
