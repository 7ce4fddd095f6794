"""Merge and transplant over API v2: what they say, what they do with each key, and how conflicts are told."""

from typing import Any

import duckdb
import httpx2
import pytest

from ingot.engines.duckdb import connect
from ingot.lake import Lake
from tests.lake.nessie.conftest import Client, delete, key, namespace, put


@pytest.fixture
def filled(client: Client) -> Client:
    """`main` with two tables, and `dev` from there."""
    client.commit(namespace("s"))
    client.commit(put("s.t", client.write_table()), put("s.u", client.write_table("u")))
    client.branch("dev")
    return client


def change(client: Client, path: str, on: str) -> httpx2.Response:
    """Another version of a table."""
    content = {**client.write_table(path.rsplit(".", maxsplit=1)[-1]), "id": client.content(path, on)["id"]}
    made = client.commit(put(path, content), on=on, message=f"change {path} on {on}", author="ann")
    assert made.status_code == 200, made.text
    return made


def merge(client: Client, *, at: str | None = None, **body: Any) -> httpx2.Response:
    """Merges `dev` into `main`."""
    url = f"/trees/main@{at or client.head()}/history/merge"
    return client.http.post(url, json={"fromRefName": "dev", **body})


def transplant(client: Client, hashes: list[str], **body: Any) -> httpx2.Response:
    """Replays commits of `dev` on `main`."""
    url = f"/trees/main@{client.head()}/history/transplant"
    return client.http.post(url, json={"fromRefName": "dev", "hashesToTransplant": hashes, **body})


def details(response: httpx2.Response) -> dict[str, tuple[str, str | None]]:
    """For each key what was asked and what conflict there was."""
    assert response.status_code == 200, response.text
    return {
        ".".join(one["key"]["elements"]): (
            one["mergeBehavior"],
            one["conflict"]["conflictType"] if "conflict" in one else None,
        )
        for one in response.json()["details"]
    }


def test_a_merge_is_one_commit_with_two_parents(filled: Client, lake: Lake) -> None:
    base = filled.head()
    change(filled, "s.t", "dev")
    change(filled, "s.t", "dev")
    filled.commit(namespace("own"))
    before = filled.head()
    made = merge(filled, at=base, fromHash=filled.head("dev"), message="bring it over")
    found = made.json()
    assert (found["wasApplied"], found["wasSuccessful"], found["targetBranch"]) == (True, True, "main")
    assert (found["effectiveTargetHash"], found["expectedHash"], found["commonAncestor"]) == (
        before,
        base,
        base,
    )
    assert details(made) == {"s.t": ("NORMAL", None)}
    commit = lake.catalog.commit_of(filled.head())
    assert found["resultantTargetHash"] == commit.hash
    assert (commit.parents, commit.message) == ((before, filled.head("dev")), "bring it over")
    assert filled.content("s.t") == filled.content("s.t", "dev")
    assert "sourceCommits" not in found


def test_the_metadata_of_a_merge_is_what_was_sent(filled: Client) -> None:
    change(filled, "s.t", "dev")
    meta = {"message": "merged", "authors": ["ann", "bob"], "allProperties": {"ticket": ["7"]}}
    assert merge(filled, commitMeta=meta).status_code == 200
    found = filled.http.get("/trees/main/history").json()["logEntries"][0]["commitMeta"]
    assert {name: found[name] for name in meta} == meta
    assert found["parentCommitHashes"][1] == filled.head("dev")


def test_what_is_merged_already_is_a_success_without_a_commit(filled: Client) -> None:
    before = filled.head()
    found = merge(filled).json()
    assert (found["wasApplied"], found["wasSuccessful"], found["resultantTargetHash"]) == (
        False,
        True,
        before,
    )
    assert found["details"] == []


def test_a_dry_run_says_what_would_happen_and_does_nothing(filled: Client) -> None:
    change(filled, "s.t", "dev")
    before = filled.head()
    dry = merge(filled, dryRun=True)
    assert details(dry) == {"s.t": ("NORMAL", None)}
    assert (dry.json()["wasApplied"], dry.json()["wasSuccessful"]) == (False, True)
    change(filled, "s.t", "main")
    before = filled.head()
    conflict = merge(filled, dryRun=True, returnConflictAsResult=True)
    assert details(conflict) == {"s.t": ("NORMAL", "VALUE_DIFFERS")}
    assert (conflict.json()["wasApplied"], conflict.json()["wasSuccessful"]) == (False, False)
    assert merge(filled, dryRun=True).status_code == 409
    assert filled.head() == before


def test_a_conflict_is_an_error_or_a_result_as_the_client_wants_it(filled: Client) -> None:
    for branch in ("main", "dev"):
        change(filled, "s.t", branch)
    change(filled, "s.u", "dev")
    before = filled.head()
    refused = merge(filled)
    error = refused.json()
    assert (refused.status_code, error["errorCode"]) == (409, "REFERENCE_CONFLICT")
    (one,) = error["errorDetails"]["conflicts"]
    assert (one["key"], one["conflictType"]) == (key("s", "t"), "VALUE_DIFFERS")
    told = merge(filled, returnConflictAsResult=True)
    assert details(told) == {"s.t": ("NORMAL", "VALUE_DIFFERS"), "s.u": ("NORMAL", None)}
    assert (told.json()["wasSuccessful"], told.json()["resultantTargetHash"]) == (False, before)
    assert filled.head() == before


def test_modes_force_and_drop_single_keys_or_all(filled: Client) -> None:
    for branch in ("main", "dev"):
        change(filled, "s.t", branch)
        change(filled, "s.u", branch)
    ours, theirs = filled.content("s.u"), filled.content("s.t", "dev")
    modes = [
        {"key": key("s", "t"), "mergeBehavior": "FORCE"},
        {"key": key("s", "u"), "mergeBehavior": "DROP"},
    ]
    made = merge(filled, keyMergeModes=modes)
    assert details(made) == {"s.t": ("FORCE", None), "s.u": ("DROP", None)}
    assert (filled.content("s.t"), filled.content("s.u")) == (theirs, ours)
    change(filled, "s.u", "dev")
    change(filled, "s.u", "main")
    assert merge(filled, defaultKeyMergeMode="FORCE").status_code == 200
    assert filled.content("s.u") == filled.content("s.u", "dev")


def test_a_conflict_that_the_client_resolved_is_merged_once(filled: Client) -> None:
    for branch in ("main", "dev"):
        change(filled, "s.t", branch)
    now = filled.content("s.t")
    resolved = {**filled.write_table(), "id": now["id"]}

    def mode(**more: object) -> list[dict[str, object]]:
        return [{"key": key("s", "t"), "mergeBehavior": "NORMAL", "resolvedContent": resolved, **more}]

    assert merge(filled, keyMergeModes=mode()).status_code == 400
    outdated = {**now, "metadataLocation": "/elsewhere"}
    stale = merge(filled, keyMergeModes=mode(expectedTargetContent=outdated))
    assert stale.status_code == 409
    assert merge(filled, keyMergeModes=mode(expectedTargetContent=now)).status_code == 200
    assert filled.content("s.t") == resolved


def test_appends_on_both_sides_of_a_table_are_merged(client: Client, lake: Lake) -> None:
    with connect(extensions=("avro",)) as con:
        write(lake, con, "main", "SELECT 1 AS n", "overwrite")
        client.branch("dev")
        write(lake, con, "main", "SELECT 2 AS n", "append")
        write(lake, con, "dev", "SELECT 4 AS n", "append")
        dry = merge(client, dryRun=True)
        assert details(dry) == {"s.t": ("NORMAL", None)}
        made = merge(client)
        assert made.json()["wasApplied"] is True
        assert details(made) == {"s.t": ("NORMAL", None)}
        assert con.execute(f"SELECT sum(n) FROM {lake.at('main').scan('s.t')}").fetchone() == (7,)


def write(lake: Lake, con: duckdb.DuckDBPyConnection, branch: str, query: str, mode: Any) -> None:
    """Commits the rows of a query to `s.t`."""
    lake.commit(branch, [lake.stage(con, "s.t", query, on=lake.at(branch), mode=mode)], message=query)


def test_commits_are_transplanted_one_by_one(filled: Client, lake: Lake) -> None:
    first = change(filled, "s.t", "dev").json()["targetBranch"]["hash"]
    filled.commit(namespace("x"), on="dev", message="x", authors=["eve", "bob"], properties={"a": "b"})
    second = filled.head("dev")
    filled.commit(delete("s.u"), on="dev")
    before = filled.head()
    made = transplant(filled, [first, second], message="ignored for several")
    found = made.json()
    assert (found["wasApplied"], found["effectiveTargetHash"]) == (True, before)
    assert details(made) == {"s.t": ("NORMAL", None), "x": ("NORMAL", None)}
    log = filled.http.get("/trees/main/history", params={"max-records": 2}).json()["logEntries"]
    assert [one["commitMeta"]["message"] for one in log] == ["x", "change s.t on dev"]
    assert [one["commitMeta"]["authors"] for one in log] == [["eve", "bob"], ["ann"]]
    assert log[0]["commitMeta"]["allProperties"] == {"a": ["b"]}
    assert len(log[0]["commitMeta"]["parentCommitHashes"]) == 1
    assert lake.at("main").tables == ("s.t", "s.u")
    again = transplant(filled, [first]).json()
    assert (again["wasApplied"], again["wasSuccessful"]) == (False, True)
    one = transplant(filled, [filled.head("dev")], message="picked")
    assert one.json()["wasApplied"] is True
    assert lake.catalog.commit_of(filled.head()).message == "picked"


def test_a_transplant_that_conflicts_leaves_nothing(filled: Client) -> None:
    first = change(filled, "s.u", "dev").json()["targetBranch"]["hash"]
    second = change(filled, "s.t", "dev").json()["targetBranch"]["hash"]
    change(filled, "s.t", "main")
    before = filled.head()
    refused = transplant(filled, [first, second])
    assert refused.status_code == 409
    told = transplant(filled, [first, second], returnConflictAsResult=True)
    assert details(told)["s.t"] == ("NORMAL", "VALUE_DIFFERS")
    assert details(transplant(filled, [first, second], dryRun=True, defaultKeyMergeMode="FORCE")) == {
        "s.t": ("FORCE", None),
        "s.u": ("FORCE", None),
    }
    assert filled.head() == before


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"fromRefName": None}, 400),
        ({"fromRefName": "nope"}, 404),
        ({"fromHash": "ab" * 32}, 404),
        ({"fromHash": "x"}, 400),
        ({"dryRun": "yes"}, 400),
        ({"dryRun": 1}, 400),
        ({"defaultKeyMergeMode": "MAYBE"}, 400),
        ({"keyMergeModes": {}}, 400),
        ({"keyMergeModes": [{"mergeBehavior": "DROP"}]}, 400),
        ({"keyMergeModes": [{"key": {"elements": ["s", "t"]}}] * 2}, 400),
        ({"keepIndividualCommits": True}, 400),
        ({"commitMeta": []}, 400),
        ({"message": 7}, 400),
    ],
)
def test_a_merge_that_makes_no_sense_is_refused(filled: Client, body: dict[str, Any], status: int) -> None:
    change(filled, "s.t", "dev")
    before = filled.head()
    refused = merge(filled, **body)
    assert refused.status_code == status, refused.text
    assert filled.head() == before


def test_a_transplant_names_commits_of_its_source(filled: Client) -> None:
    own = filled.commit(namespace("own")).json()["targetBranch"]["hash"]
    for hashes, status in (([], 400), (["x"], 400), ([7], 400), ([own], 404), (["ab" * 32], 404)):
        refused = transplant(filled, hashes)  # type: ignore[arg-type]
        assert refused.status_code == status, hashes
