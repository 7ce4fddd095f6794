"""References over API v2: how they are written, listed, made, moved and removed."""

import httpx2
import pytest

from ingot.lake import Lake, RefKind
from tests.lake.nessie.conftest import ROOT, Client, namespace, put


def test_the_configuration_names_the_default_branch_and_the_versions(http: httpx2.Client) -> None:
    found = http.get("/config").json()
    assert found["defaultBranch"] == "main"
    assert (found["minSupportedApiVersion"], found["maxSupportedApiVersion"]) == (1, 2)
    assert found["noAncestorHash"] == ROOT


def test_a_new_lake_has_main_at_the_root(http: httpx2.Client) -> None:
    assert http.get("/trees").json() == {
        "hasMore": False,
        "token": None,
        "references": [{"type": "BRANCH", "name": "main", "hash": ROOT}],
    }
    assert http.get("/trees/-").json() == http.get("/trees/main").json()


def test_branches_and_tags_are_made_from_any_commit(client: Client, lake: Lake) -> None:
    first = client.commit(namespace("a")).json()["targetBranch"]["hash"]
    client.commit(namespace("b"))
    body = {"type": "BRANCH", "name": "main", "hash": first}
    made = client.http.post("/trees", params={"name": "team/x.1", "type": "branch"}, json=body).json()
    assert made == {"reference": {"type": "BRANCH", "name": "team/x.1", "hash": first}}
    detached = {"type": "DETACHED", "hash": first}
    client.http.post("/trees", params={"name": "v1", "type": "TAG"}, json=detached)
    assert (lake.catalog.ref("v1").kind, lake.catalog.ref("v1").hash) == (RefKind.TAG, first)
    assert client.branch("v2", kind="TAG").json()["reference"]["hash"] == client.head()


def test_a_name_that_is_taken_is_a_conflict_of_its_own(client: Client) -> None:
    client.branch("dev")
    again = client.branch("dev")
    assert again.status_code == 409
    assert again.json()["errorCode"] == "REFERENCE_ALREADY_EXISTS"


@pytest.mark.parametrize("name", ["", "a..b", "1a", "a/", "HEAD", "deadbeefdeadbeef", "a b", "\x00"])
def test_a_name_that_cannot_be_one_is_refused(client: Client, name: str) -> None:
    refused = client.branch(name)
    assert (refused.status_code, refused.json()["errorCode"]) == (400, "BAD_REQUEST")


def test_references_come_in_pages(client: Client) -> None:
    for name in ("a", "b", "c"):
        client.branch(name)
    found, token = [], ""
    while True:
        page = client.http.get("/trees", params={"max-records": 2, "page-token": token}).json()
        found += [one["name"] for one in page["references"]]
        assert len(page["references"]) <= 2
        if not page["hasMore"]:
            break
        token = page["token"]
    assert found == ["a", "b", "c", "main"]
    whole = client.http.get("/trees", params={"max-records": 4}).json()
    assert (len(whole["references"]), whole["hasMore"], whole["token"]) == (4, False, None)
    only = client.http.get("/trees", params={"filter": "ref.name.startsWith('m') && refType == 'BRANCH'"})
    assert [one["name"] for one in only.json()["references"]] == ["main"]


def test_all_that_is_known_of_a_reference_comes_where_it_is_asked_for(client: Client) -> None:
    client.commit(namespace("a"))
    base = client.head()
    client.branch("dev")
    client.commit(namespace("b"), on="dev")
    client.commit(namespace("c"), on="dev")
    client.commit(namespace("d"), message="newest")
    found = {
        one["name"]: one["metadata"]
        for one in client.http.get("/trees", params={"fetch": "ALL"}).json()["references"]
    }
    assert found["main"]["commitMetaOfHEAD"]["message"] == "newest"
    assert found["main"]["numTotalCommits"] == 2
    dev = found["dev"]
    assert (dev["numCommitsAhead"], dev["numCommitsBehind"], dev["numTotalCommits"]) == (2, 1, 3)
    assert dev["commonAncestorHash"] == base
    assert client.http.get("/trees/dev", params={"fetch": "ALL"}).json()["reference"]["metadata"] == dev


def test_a_reference_is_assigned_where_it_is_where_the_client_believes(client: Client) -> None:
    client.commit(namespace("a"))
    client.branch("dev")
    before = client.head("dev")
    client.commit(namespace("b"), on="dev")
    to = {"type": "DETACHED", "hash": ROOT}
    stale = client.http.put(f"/trees/dev@{before}", json=to)
    assert stale.status_code == 409
    assert stale.json()["errorCode"] == "REFERENCE_CONFLICT"
    assert stale.json()["errorDetails"]["conflicts"][0]["conflictType"] == "UNEXPECTED_HASH"
    client.branch("other")
    elsewhere = client.commit(namespace("c"), on="other").json()["targetBranch"]["hash"]
    assert client.http.put(f"/trees/dev@{elsewhere}", json=to).status_code == 409
    assert client.http.put(f"/trees/dev@{'ab' * 32}", json=to).status_code == 404
    moved = client.http.put(f"/trees/dev@{client.head('dev')}", json=to)
    assert moved.json() == {"reference": {"type": "BRANCH", "name": "dev", "hash": ROOT}}
    assert client.head("dev") == ROOT


def test_what_is_changed_needs_the_hash_that_it_is_at(client: Client) -> None:
    client.branch("dev")
    for refused in (
        client.http.put("/trees/dev", json={"type": "DETACHED", "hash": ROOT}),
        client.http.delete("/trees/dev"),
        client.http.delete(f"/trees/dev@{ROOT}~0"),
        client.http.post("/trees/dev/history/commit", json={}),
    ):
        assert (refused.status_code, refused.json()["errorCode"]) == (400, "BAD_REQUEST")
    assert client.http.get("/trees/dev").status_code == 200


def test_a_reference_is_deleted_once(client: Client) -> None:
    client.branch("dev")
    wrong_kind = client.http.delete(f"/trees/dev@{ROOT}", params={"type": "TAG"})
    assert wrong_kind.status_code == 400
    gone = client.http.delete(f"/trees/dev@{ROOT}", params={"type": "BRANCH"})
    assert gone.json() == {"reference": {"type": "BRANCH", "name": "dev", "hash": ROOT}}
    again = client.http.delete(f"/trees/dev@{ROOT}")
    assert (again.status_code, again.json()["errorCode"]) == (404, "REFERENCE_NOT_FOUND")
    assert client.http.delete(f"/trees/main@{ROOT}").status_code == 400


def test_every_way_to_write_a_reference_finds_its_commit(client: Client, lake: Lake) -> None:
    commits = [client.commit(namespace(name)).json()["targetBranch"]["hash"] for name in "abc"]
    client.branch("x/y")
    client.commit(namespace("d"), on="x%2Fy")
    merged = client.http.post(
        f"/trees/main@{commits[-1]}/history/merge", json={"fromRefName": "x/y", "message": "merge"}
    ).json()["resultantTargetHash"]
    stood = lake.catalog.commit_of(commits[1]).time
    millis = int(stood.timestamp() * 1000) + 1
    expected = {
        "main": merged,
        "-": merged,
        "main@": merged,
        f"main@{commits[0]}": commits[0],
        f"main@{commits[0][:12]}": commits[0],
        f"@{commits[1]}": commits[1],
        commits[1]: commits[1],
        "main~1": commits[2],
        "main~2": commits[1],
        "main^1": commits[2],
        "main^2": client.head("x%2Fy"),
        "main^2~1": commits[2],
        f"main@{commits[2]}~2": commits[0],
        f"-@{commits[2]}^1": commits[1],
        f"main*{stood:%Y-%m-%dT%H:%M:%S.%f}Z": commits[1],
        "x%2Fy~1": commits[2],
        "x/y@~1": commits[2],
    }
    if lake.catalog.commit_of(commits[2]).time.timestamp() * 1000 > millis:
        expected[f"main*{millis}"] = commits[1]
    for spec, hash in expected.items():
        found = client.http.get(f"/trees/{spec}/entries")
        assert found.status_code == 200, (spec, found.text)
        assert found.json()["effectiveReference"]["hash"] == hash, spec


@pytest.mark.parametrize(
    ("spec", "status"),
    [
        ("nope", 404),
        ("main@" + "ab" * 32, 404),
        ("@" + "ab" * 32, 404),
        ("main~99", 404),
        ("main^7", 404),
        ("@", 400),
        ("@~1", 400),
        ("DETACHED", 400),
        ("main@xyz", 400),
        ("main@abc", 400),
        ("a..b", 400),
        ("main*yesterday", 400),
        ("%FF", 400),
        ("main%0A", 400),
    ],
)
def test_a_reference_that_is_none_is_told_as_nessie_tells_it(
    http: httpx2.Client, spec: str, status: int
) -> None:
    found = http.get(f"/trees/{spec}/entries")
    assert found.status_code == status
    error = found.json()
    assert error["status"] == status
    assert error["errorCode"] == {404: "REFERENCE_NOT_FOUND", 400: "BAD_REQUEST"}[status]
    assert error["reason"] == {404: "Not Found", 400: "Bad Request"}[status]
    assert error["message"]


def test_a_commit_must_be_in_the_history_of_the_branch_that_it_is_named_with(client: Client) -> None:
    client.branch("dev")
    elsewhere = client.commit(namespace("a"), on="dev").json()["targetBranch"]["hash"]
    assert client.http.get(f"/trees/main@{elsewhere}/entries").status_code == 404
    assert client.http.get(f"/trees/dev@{elsewhere}/entries").status_code == 200


def test_a_reference_is_fetched_by_name_alone(client: Client) -> None:
    assert client.http.get(f"/trees/main@{ROOT}").status_code == 400
    assert client.http.get(f"/trees/@{ROOT}").status_code == 400


def test_recent_changes_are_where_a_branch_was_whatever_its_commits_say(client: Client, lake: Lake) -> None:
    commits = [client.commit(namespace(name)).json()["targetBranch"]["hash"] for name in "ab"]
    found = client.http.get("/trees/main/recent-changes").json()
    assert found["reference"]["hash"] == commits[1]
    assert found["current"]["commitHash"] == commits[1]
    assert found["current"]["meta"]["hash"] == commits[1]
    assert [one["commitHash"] for one in found["previous"]] == [commits[0], ROOT]
    lake.catalog.assign_ref("main", commits[0])
    client.branch("dev")
    found = client.http.get("/trees/main/recent-changes").json()
    assert found["current"]["commitHash"] == commits[0]
    assert [one["commitHash"] for one in found["previous"]] == [commits[1], commits[0], ROOT]
    found = client.http.get("/trees/dev/recent-changes").json()
    assert (found["current"]["commitHash"], found["previous"]) == (commits[0], [])
    assert client.http.get("/trees/nope/recent-changes").json()["errorCode"] == "REFERENCE_NOT_FOUND"


def test_paths_that_do_not_exist_are_answered_in_json(http: httpx2.Client) -> None:
    for path in ("/nothing", "/trees/main/nothing", "/trees/main/contents/a/b"):
        found = http.get(path)
        assert (found.status_code, found.json()["status"]) == (404, 404)
    assert http.request("PATCH", "/trees").status_code == 405
    assert http.post("/trees/main/entries", json={}).json()["status"] == 405


def test_put_is_listed_with_what_is_asked_for(client: Client) -> None:
    client.commit(namespace("s"), put("s.t", client.write_table()), put("s.v", client.write_view()))
    plain = client.http.get("/trees/main/entries").json()["entries"]
    assert [(one["name"]["elements"], one["type"]) for one in plain] == [
        (["s"], "NAMESPACE"),
        (["s", "t"], "ICEBERG_TABLE"),
        (["s", "v"], "ICEBERG_VIEW"),
    ]
    assert all(one["contentId"] and "content" not in one for one in plain)
