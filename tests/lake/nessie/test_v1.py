"""API v1 as far as the `nessie` command needs it: the same things, written otherwise, and nothing but them."""

import httpx2
import pytest

from ingot.lake import Lake
from tests.lake.nessie.conftest import ROOT, Client, key, namespace, put


@pytest.fixture
def filled(client: Client) -> Client:
    """A namespace with properties, a table and a view."""
    client.commit(namespace("s", owner="me"), message="first", authors=["ann", "bob"], allSignedOffBy=["eve"])
    client.commit(put("s.t", client.write_table()), put("s.v", client.write_view()), properties={"a": "b"})
    return client


def test_references_are_not_wrapped(v1: httpx2.Client, filled: Client) -> None:
    head = filled.head()
    main = {"type": "BRANCH", "name": "main", "hash": head}
    assert v1.get("/trees/tree").json() == v1.get("/trees/tree/main").json() == main
    assert v1.get("/trees").json()["references"] == [main]
    assert v1.get("/config").json() == {"defaultBranch": "main", "maxSupportedApiVersion": 2}
    made = v1.post(
        "/trees/tree", params={"sourceRefName": "main"}, json={"type": "TAG", "name": "x/1", "hash": None}
    )
    assert made.json() == {"type": "TAG", "name": "x/1", "hash": head}
    assert v1.get("/trees/tree/x%2F1").json() == made.json()
    at_root = v1.post("/trees/tree", json={"type": "BRANCH", "name": "dev", "hash": ROOT})
    assert at_root.json()["hash"] == ROOT
    assigned = v1.put("/trees/branch/dev", params={"expectedHash": ROOT}, json=main)
    assert (assigned.status_code, assigned.content) == (204, b"")
    assert filled.head("dev") == head
    assert v1.delete("/trees/tag/dev", params={"expectedHash": head}).status_code == 400
    assert v1.delete("/trees/branch/dev").status_code == 400
    assert v1.delete("/trees/branch/dev", params={"expectedHash": ROOT}).status_code == 409
    assert v1.delete("/trees/branch/dev", params={"expectedHash": head}).status_code == 204
    assert v1.get("/trees/tree/dev").json()["errorCode"] == "REFERENCE_NOT_FOUND"


def test_a_commit_has_one_author_and_one_value_for_each_property(v1: httpx2.Client, filled: Client) -> None:
    second, first = v1.get("/trees/tree/main/log").json()["logEntries"]
    assert set(first["commitMeta"]) == {
        "hash", "commitTime", "authorTime", "committer", "author", "signedOffBy", "message", "properties",
    }  # fmt: skip
    assert (first["commitMeta"]["author"], first["commitMeta"]["signedOffBy"]) == ("ann", "eve")
    assert second["commitMeta"]["properties"] == {"a": "b"}
    assert second["parentCommitHash"] == first["commitMeta"]["hash"]


def test_contents_have_the_fields_that_the_command_knows(v1: httpx2.Client, filled: Client) -> None:
    assert v1.get("/contents/s", params={"ref": "main"}).json() == {
        "type": "NAMESPACE", "id": filled.content("s")["id"], "elements": ["s"],
    }  # fmt: skip
    assert v1.get("/contents/s.t").json() == filled.content("s.t")
    view = v1.get("/contents/s.v", params={"ref": "main", "hashOnRef": filled.head()}).json()
    assert view == {**filled.content("s.v"), "sqlText": "select 1 as i", "dialect": "trino"}
    several = v1.post("/contents", params={"ref": "main"}, json={"requestedKeys": [key("s", "t")]}).json()
    assert several == {"contents": [{"key": key("s", "t"), "content": filled.content("s.t")}]}
    entries = v1.get("/trees/tree/main/entries", params={"maxRecords": 1}).json()
    assert entries["entries"] == [{"name": key("s"), "type": "NAMESPACE"}]
    rest = v1.get("/trees/tree/main/entries", params={"pageToken": entries["token"]}).json()
    assert [one["name"]["elements"] for one in rest["entries"]] == [["s", "t"], ["s", "v"]]


def test_a_commit_without_properties_of_a_namespace_leaves_them(
    v1: httpx2.Client, filled: Client, lake: Lake
) -> None:
    content = {"type": "NAMESPACE", "id": filled.content("s")["id"], "elements": ["s"]}
    operations = [put("s", content), namespace("other")]
    body = {
        "commitMeta": {"message": "m", "author": "ann", "hash": None, "commitTime": None},
        "operations": operations,
    }
    made = v1.post("/trees/branch/main/commit", params={"expectedHash": filled.head()}, json=body)
    assert made.json() == {"type": "BRANCH", "name": "main", "hash": filled.head()}
    assert filled.content("s")["properties"] == {"owner": "me"}
    assert lake.catalog.commit_of(filled.head()).author == "ann"


def test_a_difference_names_hashes_behind_a_star(v1: httpx2.Client, filled: Client) -> None:
    first = filled.http.get("/trees/main~1/entries").json()["effectiveReference"]["hash"]
    for refs in (
        f"main%2A{first}...main",
        f"DETACHED*{first}...main",
        f"{first}...main*{filled.head()[:16]}",
    ):
        found = v1.get(f"/diffs/{refs}").json()
        assert set(found) == {"diffs", "hasMore", "token"}
        assert [one["key"]["elements"] for one in found["diffs"]] == [["s", "t"], ["s", "v"]], refs
    assert v1.get("/diffs/main").status_code == 400
    assert v1.get("/diffs/main...nope").status_code == 404


def test_merge_and_transplant_tell_what_v1_told(v1: httpx2.Client, filled: Client, lake: Lake) -> None:
    filled.branch("dev")
    filled.commit(namespace("x"), on="dev")
    picked = filled.head("dev")
    filled.commit(namespace("y"), on="dev")
    head = filled.head()
    body = {"fromRefName": "dev", "hashesToTransplant": [picked], "keepIndividualCommits": True}
    one = v1.post("/trees/branch/main/transplant", params={"expectedHash": head}, json=body).json()
    assert (one["wasApplied"], one["wasSuccessful"], one["effectiveTargetHash"]) == (True, True, head)
    assert [entry["commitMeta"]["hash"] for entry in one["sourceCommits"]] == [picked]
    assert one["details"] == [
        {
            "key": key("x"),
            "mergeBehavior": "NORMAL",
            "conflictType": "NONE",
            "sourceCommits": [],
            "targetCommits": [],
        }
    ]
    merged = v1.post(
        "/trees/branch/main/merge",
        params={"expectedHash": head},
        json={"fromRefName": "dev", "fromHash": filled.head("dev")},
    ).json()
    assert (merged["commonAncestor"], merged["expectedHash"]) == (head, head)
    assert [tuple(one["key"]["elements"]) for one in merged["details"]] == [("y",)]
    assert len(merged["sourceCommits"]) == 2
    assert merged["targetCommits"] is None
    assert {"x", "y"} <= {path[0] for path in lake.catalog.entries(filled.head())}


def test_ingot_s_own_paths_of_v1_are_left_alone(address: str) -> None:
    # These go on to the next route of the application, which here has none for them.
    for path in ("/api/v1/refs", "/api/v1/log", "/api/v1/tables", "/api/v1/treesome", "/api/v1", "/api"):
        found = httpx2.get(f"{address}{path}")
        assert (found.status_code, found.text) == (404, "Not Found")
    assert httpx2.get(f"{address}/api/v1/trees/none").json()["status"] == 404
