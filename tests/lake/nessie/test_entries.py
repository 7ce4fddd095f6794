"""What a commit holds, the differences of two, and the log: in full, in pages, in parts and filtered."""

import base64
import json
from typing import Any

import httpx2
import pytest

from ingot.lake import Lake
from tests.lake.nessie.conftest import ROOT, Client, delete, key, namespace, put


@pytest.fixture
def filled(client: Client) -> Client:
    """Two namespaces, one inside the other, with a table and a view."""
    made = client.commit(
        namespace("a", owner="me"),
        namespace("a.b"),
        put("a.t", client.write_table()),
        put("a.b.v", client.write_view()),
        namespace("z"),
    )
    assert made.status_code == 200, made.text
    return client


def names(client: Client, ref: str = "main", **query: Any) -> list[str]:
    """The keys of one page of entries."""
    found = client.http.get(f"/trees/{ref}/entries", params=query)
    assert found.status_code == 200, found.text
    return [".".join(one["name"]["elements"]) for one in found.json()["entries"]]


def test_entries_are_limited_by_keys_ranges_and_prefixes(filled: Client) -> None:
    assert names(filled) == ["a", "a.b", "a.b.v", "a.t", "z"]
    assert names(filled, **{"prefix-key": "a.b"}) == ["a.b", "a.b.v"]
    assert names(filled, **{"min-key": "a.b.v", "max-key": "a.t"}) == ["a.b.v", "a.t"]
    assert names(filled, key=["z", "a.t", "no"]) == ["a.t", "z"]
    assert names(filled, ref=f"@{ROOT}") == []


def test_entries_come_with_contents_where_they_are_asked_for(filled: Client) -> None:
    found = filled.http.get("/trees/main/entries", params={"content": "true"}).json()
    assert found["effectiveReference"] == {"type": "BRANCH", "name": "main", "hash": filled.head()}
    for entry in found["entries"]:
        path = ".".join(entry["name"]["elements"])
        assert entry["content"] == filled.content(path)
        assert entry["contentId"] == entry["content"]["id"]
    by_key = {".".join(one["name"]["elements"]): one["content"] for one in found["entries"]}
    assert by_key["a"]["properties"] == {"owner": "me"}
    assert by_key["a.b"]["elements"] == ["a", "b"]


def test_the_two_filters_of_iceberg_s_own_client_list_namespaces(filled: Client) -> None:
    top = "entry.contentType == 'NAMESPACE' && size(entry.keyElements) == 1"
    assert names(filled, filter=top) == ["a", "z"]
    below = "entry.contentType == 'NAMESPACE' && size(entry.keyElements) == 2 && entry.encodedKey.startsWith('a.')"
    assert names(filled, filter=below) == ["a.b"]


def test_pages_of_entries_are_of_one_commit_whatever_happens_in_between(filled: Client) -> None:
    found, token = [], ""
    while True:
        page = filled.http.get("/trees/main/entries", params={"max-records": 2, "page-token": token}).json()
        found += [".".join(one["name"]["elements"]) for one in page["entries"]]
        if not page["hasMore"]:
            break
        token = page["token"]
        filled.commit(namespace(f"a.n{len(found)}"))
    assert found == ["a", "a.b", "a.b.v", "a.t", "z"]


def test_contents_are_fetched_one_by_one_and_together(filled: Client) -> None:
    one = filled.http.get("/trees/main/contents/a.t").json()
    assert one["effectiveReference"]["hash"] == filled.head()
    assert one["content"]["type"] == "ICEBERG_TABLE"
    several = filled.http.get("/trees/main/contents", params={"key": ["a.t", "a.none", "a.b.v"]}).json()
    assert [row["key"]["elements"] for row in several["contents"]] == [["a", "t"], ["a", "b", "v"]]
    assert several["contents"][0]["content"] == one["content"]
    asked = {"requestedKeys": [key("a", "b", "v"), key("a", "none"), key("a", "t")]}
    posted = filled.http.post("/trees/main/contents", json=asked).json()
    assert [row["key"]["elements"] for row in posted["contents"]] == [["a", "b", "v"], ["a", "t"]]
    detached = filled.http.post(f"/trees/@{filled.head()}/contents", json=asked).json()
    assert detached["effectiveReference"] == {"type": "DETACHED", "hash": filled.head()}
    assert detached["contents"] == posted["contents"]


@pytest.mark.parametrize(
    ("path", "elements"),
    [
        ("a.none", ["a", "none"]),
        ("a%1Db.c", ["a.b", "c"]),
        ("a..b._c..d", ["a", "b.c", "d"]),
        (".a._b", ["a.b"]),
        (".a.%7Bb..c.%5Bd", ["a/b", "c%d"]),
        ("%C3%A4.%F0%9F%92%A5", ["ä", "💥"]),
    ],
)
def test_a_key_that_holds_nothing_is_told_as_the_client_meant_it(
    http: httpx2.Client, path: str, elements: list[str]
) -> None:
    found = http.get(f"/trees/main/contents/{path}")
    assert found.status_code == 404
    error = found.json()
    assert error["errorCode"] == "CONTENT_NOT_FOUND"
    assert error["errorDetails"] == {"type": "CONTENT_KEY", "contentKey": {"elements": elements}}


def test_a_key_that_is_not_text_is_refused(http: httpx2.Client) -> None:
    found = http.get("/trees/main/contents/a.%FF")
    assert (found.status_code, found.json()["errorCode"]) == (400, "BAD_REQUEST")


def test_the_difference_of_two_commits_names_what_each_holds(filled: Client) -> None:
    filled.branch("team/dev")
    table = filled.content("a.t")
    filled.commit(
        put("a.t", {**filled.write_table(), "id": table["id"]}),
        delete("a.b.v"),
        put("a.new", filled.write_table("new")),
        on="team%2Fdev",
    )
    found = filled.http.get("/trees/main/diff/team%2Fdev").json()
    assert found["effectiveFromReference"]["name"] == "main"
    assert found["effectiveToReference"]["hash"] == filled.head("team%2Fdev")
    sides = {".".join(one["key"]["elements"]): (one["from"], one["to"]) for one in found["diffs"]}
    assert sides == {
        "a.b.v": (filled.content("a.b.v"), None),
        "a.new": (None, filled.content("a.new", "team%2Fdev")),
        "a.t": (table, filled.content("a.t", "team%2Fdev")),
    }
    raw = filled.http.get("/trees/team/dev@/diff/-").json()["diffs"]
    assert [(one["to"], one["from"]) for one in raw] == [sides[path] for path in ("a.b.v", "a.new", "a.t")]
    assert filled.http.get("/trees/main/diff/main").json()["diffs"] == []
    by_filter = filled.http.get("/trees/main/diff/team%2Fdev", params={"filter": "key.name == 't'"}).json()
    assert [one["key"]["elements"] for one in by_filter["diffs"]] == [["a", "t"]]


def test_a_difference_comes_in_pages(filled: Client) -> None:
    found, token = [], ""
    while True:
        query = {"max-records": "2", "page-token": token}
        page = filled.http.get(f"/trees/@{ROOT}/diff/main", params=query).json()
        found += [".".join(one["key"]["elements"]) for one in page["diffs"]]
        if not page["hasMore"]:
            break
        token = page["token"]
        filled.commit(namespace(f"n{len(found)}"))
    assert found == ["a", "a.b", "a.b.v", "a.t", "z"]


def test_the_log_comes_in_pages_and_ends_where_it_shall(filled: Client, lake: Lake) -> None:
    for number in range(4):
        filled.commit(namespace(f"n{number}"), message=str(number))
    hashes = [one.hash for one in lake.catalog.log(filled.head())]
    found, token = [], ""
    while True:
        page = filled.http.get("/trees/main/history", params={"max-records": 2, "page-token": token}).json()
        found += [one["commitMeta"]["hash"] for one in page["logEntries"]]
        assert all("operations" not in one for one in page["logEntries"])
        if not page["hasMore"]:
            break
        token = page["token"]
    assert found == hashes

    def log(ref: str, **query: Any) -> list[str]:
        entries = filled.http.get(f"/trees/{ref}/history", params=query).json()["logEntries"]
        return [one["commitMeta"]["hash"] for one in entries]

    assert log("main", **{"limit-hash": hashes[2]}) == hashes[:3]
    assert log("main~1", **{"limit-hash": hashes[2][:16]}) == hashes[1:3]
    assert log(f"@{hashes[3]}") == hashes[3:]
    assert log(f"@{ROOT}") == []
    assert log("main", filter="commit.message in ['1', '3']") == [hashes[0], hashes[2]]
    after = lake.catalog.commit_of(hashes[1]).time.isoformat()
    assert log("main", filter=f"timestamp(commit.commitTime) > timestamp('{after}')") == hashes[:1]
    puts = "operations.exists(op, op.type == 'PUT' && op.key == 'n2')"
    assert log("main", filter=puts, fetch="ALL") == [hashes[1]]


def test_a_log_with_all_shows_the_operations(filled: Client) -> None:
    view = filled.content("a.b.v")
    filled.commit(delete("a.b.v"), put("a.w", view))
    entry = filled.http.get("/trees/main/history", params={"fetch": "ALL", "max-records": 1}).json()
    assert entry["logEntries"][0]["operations"] == [
        {"type": "DELETE", "key": key("a", "b", "v")},
        {"type": "PUT", "key": key("a", "w"), "content": view},
    ]


@pytest.mark.parametrize(
    "query",
    [
        {"max-records": "x"},
        {"max-records": "-1"},
        {"page-token": "x"},
        {"page-token": base64.b64encode(b"[1]").decode()},
        {"page-token": base64.b64encode(json.dumps(["x", ["a"]]).encode()).decode()},
        {"page-token": base64.b64encode(json.dumps([ROOT, [1]]).encode()).decode()},
        {"page-token": base64.b64encode(json.dumps([ROOT, "a"]).encode()).decode()},
        {"filter": "entry.nothing == 1"},
        {"filter": "("},
        {"content": "maybe"},
        {"min-key": "."},
        {"key": "a."},
        {"namespaceDepth": "2"},
    ],
)
def test_a_query_that_makes_no_sense_is_refused(filled: Client, query: dict[str, str]) -> None:
    found = filled.http.get("/trees/main/entries", params=query)
    assert (found.status_code, found.json()["errorCode"]) == (400, "BAD_REQUEST")


def test_a_log_is_refused_where_the_query_makes_no_sense(filled: Client) -> None:
    for query in ({"fetch": "SOME"}, {"limit-hash": "x"}, {"page-token": "x"}, {"filter": "commit"}):
        found = filled.http.get("/trees/main/history", params=query)
        assert (found.status_code, found.json()["errorCode"]) == (400, "BAD_REQUEST"), query
    unknown = filled.http.get("/trees/main/history", params={"limit-hash": "ab" * 32})
    assert unknown.status_code == 404
