"""Commits over API v2: what is accepted, how conflicts are told, and that what was accepted can be read."""

import json
import threading
from pathlib import Path
from typing import Any

import httpx2
import pyarrow as pa
import pytest
from pyiceberg.catalog.sql import SqlCatalog

from ingot.engines.duckdb import connect
from ingot.lake import Lake, files
from tests.lake.nessie.conftest import ROOT, SCHEMA, Client, delete, key, namespace, put


@pytest.fixture
def filled(client: Client) -> Client:
    """A namespace with a table."""
    client.commit(namespace("s", owner="me"))
    assert client.commit(put("s.t", client.write_table())).status_code == 200
    return client


def conflicts(response: httpx2.Response) -> list[tuple[str, str]]:
    """Keys and types of the conflicts in a refusal."""
    assert response.status_code == 409, response.text
    error = response.json()
    assert (error["status"], error["reason"], error["errorCode"]) == (409, "Conflict", "REFERENCE_CONFLICT")
    assert error["errorDetails"]["type"] == "REFERENCE_CONFLICTS"
    found = error["errorDetails"]["conflicts"]
    assert all(one["message"] for one in found)
    return [(".".join(one["key"]["elements"]), one["conflictType"]) for one in found]


def refusal(response: httpx2.Response) -> str:
    """The message of a 400."""
    assert response.status_code == 400, response.text
    assert response.json()["errorCode"] == "BAD_REQUEST"
    return str(response.json()["message"])


def test_a_commit_tells_the_branch_and_the_ids_of_what_is_new(client: Client, lake: Lake) -> None:
    made = client.commit(namespace("s"), put("s.t", client.write_table()), put("s.v", client.write_view()))
    assert made.status_code == 200
    found = made.json()
    assert found["targetBranch"] == {"type": "BRANCH", "name": "main", "hash": lake.catalog.ref("main").hash}
    ids = {tuple(one["key"]["elements"]): one["contentId"] for one in found["addedContents"]}
    assert ids == {path: content.id for path, content in lake.catalog.entries(client.head()).items()}
    assert (lake.at("main").tables, lake.at("main").views) == (("s.t",), ("s.v",))


def test_a_table_that_another_program_wrote_can_be_read_by_the_lake(client: Client, lake: Lake) -> None:
    engine = SqlCatalog("engine", uri="sqlite:///:memory:", warehouse=f"file://{lake.warehouse}")
    engine.create_namespace("s")
    table = engine.create_table("s.t", pa.schema([("n", pa.int64())]))
    table.append(pa.table({"n": [1, 2, 3]}))
    client.commit(namespace("s"))

    def content() -> dict[str, object]:
        about = table.metadata
        assert about.current_snapshot_id is not None
        return {
            "type": "ICEBERG_TABLE",
            "metadataLocation": table.metadata_location,
            "snapshotId": about.current_snapshot_id,
            "schemaId": about.current_schema_id,
            "specId": about.default_spec_id,
            "sortOrderId": about.default_sort_order_id,
        }

    assert client.commit(put("s.t", content())).status_code == 200
    first = client.head()
    table.append(pa.table({"n": [4]}))
    id = client.content("s.t")["id"]
    assert client.commit(put("s.t", {**content(), "id": id})).status_code == 200
    with connect(extensions=("avro", "iceberg")) as con:
        for at, total in ((first, 6), ("main", 10)):
            scan = lake.at(at).scan("s.t")
            assert con.execute(f"SELECT sum(n) FROM {scan}").fetchone() == (total,)
    assert client.content("s.t")["metadataLocation"] == table.metadata_location
    engine.close()


def test_a_table_of_the_lake_can_be_taken_further_by_a_client_of_nessie(client: Client, lake: Lake) -> None:
    with connect() as con:
        lake.commit(
            "main", [lake.stage(con, "s.t", "SELECT 1 AS n", on=lake.at("main"))], message="made here"
        )
    content = client.content("s.t")
    document = json.loads(files.read(str(content["metadataLocation"])))
    document["properties"]["owner"] = "nessie"
    location = str(content["metadataLocation"]).replace(".metadata.json", "-next.metadata.json")
    files.write(location, json.dumps(document).encode())
    assert client.commit(put("s.t", {**content, "metadataLocation": location})).status_code == 200
    found = lake.at("main").table("s.t")
    assert (found.properties["owner"], found.rows) == ("nessie", 1)


def test_a_table_whose_rows_are_listed_outside_of_the_warehouse_is_refused(
    client: Client, lake: Lake, tmp_path: Path
) -> None:
    with connect() as con:
        lake.commit(
            "main", [lake.stage(con, "s.t", "SELECT 1 AS n", on=lake.at("main"))], message="made here"
        )
    content = client.content("s.t")
    document = json.loads(files.read(str(content["metadataLocation"])))
    outside = tmp_path / "list.avro"
    outside.write_bytes(files.read(document["snapshots"][0]["manifest-list"]))
    document["snapshots"][0]["manifest-list"] = str(outside)
    location = str(content["metadataLocation"]).replace(".metadata.json", "-next.metadata.json")
    files.write(location, json.dumps(document).encode())
    told = refusal(client.commit(put("s.t", {**content, "metadataLocation": location})))
    assert "outside the warehouse" in told


def test_what_a_client_did_not_see_change_is_a_conflict_of_that_key_alone(filled: Client) -> None:
    """Two writers: other keys do not matter, the same key does."""
    filled.commit(put("s.other", filled.write_table("other")))
    seen = filled.head()
    id, other = filled.content("s.t")["id"], filled.content("s.other")["id"]
    assert filled.commit(put("s.t", {**filled.write_table(), "id": id}), at=seen).status_code == 200
    late = filled.commit(put("s.other", {**filled.write_table("other"), "id": other}), at=seen)
    assert late.status_code == 200
    lost = filled.commit(
        put("s.t", {**filled.write_table(), "id": id}), put("s.new", filled.write_table("new")), at=seen
    )
    assert conflicts(lost) == [("s.t", "VALUE_DIFFERS")]
    assert filled.http.get("/trees/main/contents/s.new").status_code == 404


def test_every_kind_of_conflict_has_its_name(filled: Client) -> None:
    seen = filled.head()
    table = filled.content("s.t")
    filled.commit(put("s.u", filled.write_table("u")))
    head = filled.head()
    new = filled.write_table()
    cases: list[tuple[str, list[tuple[str, str]], dict[str, Any]]] = [
        (head, [("s.t", "KEY_EXISTS")], put("s.t", new)),
        (seen, [("s.u", "KEY_EXISTS")], put("s.u", new)),
        (head, [("s.x", "KEY_DOES_NOT_EXIST")], put("s.x", {**new, "id": "some"})),
        (head, [("s.t", "CONTENT_ID_DIFFERS")], put("s.t", {**new, "id": "some"})),
        (head, [("s.t", "PAYLOAD_DIFFERS")], put("s.t", {**filled.write_view("t"), "id": table["id"]})),
        (head, [("no.t", "NAMESPACE_ABSENT")], put("no.t", new)),
        (head, [("s.t.x", "NOT_A_NAMESPACE")], put("s.t.x", new)),
        (head, [("s", "NAMESPACE_NOT_EMPTY")], delete("s")),
        (head, [("s.gone", "KEY_DOES_NOT_EXIST")], delete("s.gone")),
        (head, [("s.T", "KEY_EXISTS")], put("s.T", new)),
        (head, [("S", "KEY_EXISTS")], namespace("S")),
        (
            head,
            [("s.t", "VALUE_DIFFERS")],
            put("s.t", {**new, "id": table["id"]}, expectedContent={**table, "metadataLocation": "/x"}),
        ),
    ]
    for at, expected, operation in cases:
        assert conflicts(filled.commit(operation, at=at)) == expected, operation
    assert filled.head() == head


def test_an_assertion_about_what_was_read_leaves_no_trace(filled: Client, lake: Lake) -> None:
    seen = filled.head()
    unchanged = {"type": "UNCHANGED", "key": key("s", "t")}
    assert filled.commit(unchanged, namespace("a"), at=seen).status_code == 200
    assert [one.key for one in lake.catalog.commit_of(filled.head()).operations] == [("a",)]
    id = filled.content("s.t")["id"]
    filled.commit(put("s.t", {**filled.write_table(), "id": id}))
    assert conflicts(filled.commit(unchanged, namespace("b"), at=seen)) == [("s.t", "VALUE_DIFFERS")]


def test_a_rename_keeps_the_id_and_a_replacement_gets_a_new_one(filled: Client) -> None:
    table = filled.content("s.t")
    assert filled.commit(delete("s.t"), put("s.renamed", table)).status_code == 200
    assert filled.content("s.renamed") == table
    replaced = filled.commit(put("s.renamed", filled.write_table()), delete("s.renamed"))
    assert replaced.status_code == 200
    assert filled.content("s.renamed")["id"] != table["id"]
    view = filled.commit(delete("s.renamed"), put("s.renamed", filled.write_view("renamed")))
    assert view.status_code == 200
    assert filled.content("s.renamed")["type"] == "ICEBERG_VIEW"


def test_a_commit_that_is_sent_again_is_answered_as_the_first_time(filled: Client, lake: Lake) -> None:
    seen = filled.head()
    id = filled.content("s.t")["id"]
    body = (
        put("s.t", {**filled.write_table(), "id": id}),
        put("s.new", filled.write_table("new")),
        namespace("a"),
    )
    first = filled.commit(*body, at=seen)
    filled.commit(namespace("later"))
    again = filled.commit(*body, at=seen)
    assert again.status_code == 200
    assert again.json() == first.json()
    assert len(list(lake.catalog.log(filled.head()))) == 4
    # Two clients may well make the same namespace; the second must hear of it.
    assert conflicts(filled.commit(namespace("a"), at=seen)) == [("a", "KEY_EXISTS")]


def test_the_metadata_of_a_commit_comes_back_as_it_was_sent(client: Client) -> None:
    sent: dict[str, Any] = {
        "message": "several\nlines",
        "authors": ["ann <ann@example.org>", "bob"],
        "allSignedOffBy": ["carl"],
        "allProperties": {"app": ["ingot"], "ids": ["1", "2"], "none": []},
        "authorTime": "2021-04-07T14:42:25.534748Z",
    }
    client.commit(namespace("s"), **sent)
    entry = client.http.get("/trees/main/history").json()["logEntries"][0]
    found = entry["commitMeta"]
    assert {name: found[name] for name in sent} == sent
    assert entry["parentCommitHash"] == ROOT
    assert found["parentCommitHashes"] == [ROOT]
    assert found["commitTime"].endswith("Z")
    assert found["hash"] == client.head()


@pytest.mark.parametrize(
    ("meta", "told"),
    [
        ({"message": ""}, "message"),
        ({"message": "  "}, "message"),
        ({"message": None}, "message"),
        ({"message": 7}, "message"),
        ({"message": "a\0b"}, "NUL"),
        ({"committer": "me"}, "committer"),
        ({"authorTime": "soon"}, "authorTime"),
        ({"authors": "ann"}, "authors"),
        ({"properties": {"a": 1}}, "string"),
        ({"allProperties": {"nessie.commit-meta": ["{}"]}}, "reserved"),
    ],
)
def test_metadata_that_is_wrong_is_refused(client: Client, meta: dict[str, Any], told: str) -> None:
    assert told in refusal(client.commit(namespace("s"), **meta))
    assert client.head() == ROOT


def test_a_metadata_file_is_looked_at_before_it_is_accepted(
    filled: Client, lake: Lake, tmp_path: Path
) -> None:
    head = filled.head()
    good = filled.write_table("good")
    place = Path(str(good["metadataLocation"]))

    def location(name: str, content: bytes | None) -> dict[str, object]:
        path = place.with_name(name)
        if content is not None:
            path.write_bytes(content)
        return {**good, "metadataLocation": str(path)}

    document = json.loads(place.read_bytes())
    outside = tmp_path / "outside.metadata.json"
    outside.write_bytes(place.read_bytes())
    place.with_name("link.metadata.json").symlink_to(outside)
    elsewhere = json.dumps({**document, "location": "/etc"}).encode()
    lost = {**document, "current-snapshot-id": 7}
    snapshot = {"snapshot-id": 7, "timestamp-ms": 1, "sequence-number": 1, "summary": {}}
    unreadable = {**lost, "snapshots": [{**snapshot, "manifest-list": f"{lake.warehouse}/none.avro"}]}
    foreign = {**lost, "snapshots": [{**snapshot, "manifest-list": "/etc/hostname"}]}
    hollow = {**document, "schemas": [{"schema-id": 0}]}
    cases = [
        {**good, "metadataLocation": str(outside)},
        {**good, "metadataLocation": "/etc/passwd"},
        {**good, "metadataLocation": f"{lake.warehouse}/../outside.metadata.json"},
        {**good, "metadataLocation": "s3://somewhere/else.metadata.json"},
        {**good, "metadataLocation": "a\0b"},
        {**good, "metadataLocation": ""},
        {**good, "metadataLocation": None},
        {**good, "metadataLocation": lake.warehouse},
        location("link.metadata.json", None),
        location("missing.metadata.json", None),
        location("empty.metadata.json", b""),
        location("text.metadata.json", b"hello"),
        location("list.metadata.json", b"[]"),
        location("object.metadata.json", b"{}"),
        location("elsewhere.metadata.json", elsewhere),
        {**location("lost.metadata.json", json.dumps(lost).encode()), "snapshotId": 7},
        {**location("unreadable.metadata.json", json.dumps(unreadable).encode()), "snapshotId": 7},
        {**location("foreign.metadata.json", json.dumps(foreign).encode()), "snapshotId": 7},
        location("hollow.metadata.json", json.dumps(hollow).encode()),
        {**good, "snapshotId": 5},
        {**good, "schemaId": None},
        {**good, "specId": "0"},
        {**good, "type": "ICEBERG_VIEW", "versionId": 1},
        {**good, "type": "DELTA_LAKE_TABLE"},
        {**good, "type": "UDF"},
        {"type": "NAMESPACE", "elements": ["other"]},
        {},
        None,
        [],
    ]
    for case in cases:
        assert refusal(filled.commit(put("s.x", case))), case
    assert filled.head() == head
    # A mistake is not remembered: the same file, put right, is taken.
    place.with_name("text.metadata.json").write_bytes(place.read_bytes())
    assert filled.commit(put("s.x", location("text.metadata.json", None))).status_code == 200


def test_keys_that_sql_could_not_reach_are_refused(filled: Client) -> None:
    table = filled.write_table()
    wrong = [[], [""], ["s", ""], ["t"], ["s", "a.b"], ["s", "a/b"], ["s", " a"], ["s", "a\0"], ["s"] * 30]
    for elements in wrong:
        operation = {"type": "PUT", "key": {"elements": elements}, "content": table}
        assert refusal(filled.commit(operation)), elements


def test_operations_that_make_no_sense_are_refused(filled: Client) -> None:
    unchanged = {"type": "UNCHANGED", "key": key("s", "t")}
    without_sense: list[list[Any]] = [
        [],
        [unchanged],
        [{"type": "REPLACE", "key": key("a")}],
        [delete("s.t"), delete("s.t")],
        [put("s.t", filled.write_table()), put("s.t", filled.write_table())],
        [unchanged, delete("s.t")],
        [delete("s.t"), put("s.t", filled.content("s.t"))],
        [{"key": key("s", "t")}],
        [7],
    ]
    for operations in without_sense:
        assert refusal(filled.commit(*operations)), operations


def test_only_a_branch_takes_commits_and_only_from_its_own_history(filled: Client) -> None:
    filled.branch("v1", kind="TAG")
    filled.branch("dev")
    elsewhere = filled.commit(namespace("a"), on="dev").json()["targetBranch"]["hash"]
    assert "tag" in refusal(filled.commit(namespace("b"), on="v1"))
    missing = filled.commit(namespace("b"), at=elsewhere)
    assert (missing.status_code, missing.json()["errorCode"]) == (404, "REFERENCE_NOT_FOUND")
    detached = filled.http.post(f"/trees/@{elsewhere}/history/commit", json={})
    assert detached.status_code == 400


def test_of_many_clients_that_change_one_table_exactly_one_wins_each_round(
    filled: Client, lake: Lake, address: str
) -> None:
    clients, rounds = 4, 4
    outcomes: list[httpx2.Response] = []

    def work(number: int, at: str, id: object, content: dict[str, object]) -> None:
        with httpx2.Client(base_url=f"{address}/api/v2", timeout=20) as http:
            own = Client(http, lake)
            outcomes.append(
                own.commit(put("s.t", {**content, "id": id}), namespace(f"n{number}"), at=at, message="race")
            )

    for round_ in range(rounds):
        outcomes.clear()
        at, id = filled.head(), filled.content("s.t")["id"]
        threads = [
            threading.Thread(target=work, args=(round_ * clients + one, at, id, filled.write_table()))
            for one in range(clients)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        statuses = sorted(one.status_code for one in outcomes)
        assert statuses == [200] + [409] * (clients - 1)
        for lost in (one for one in outcomes if one.status_code == 409):
            assert conflicts(lost) == [("s.t", "VALUE_DIFFERS")]
    log = [one for one in lake.catalog.log(filled.head()) if one.message == "race"]
    assert len(log) == rounds
    assert len([path for path in lake.catalog.entries(filled.head()) if path[0].startswith("n")]) == rounds


def test_of_many_clients_that_change_different_tables_all_win(
    filled: Client, lake: Lake, address: str
) -> None:
    at = filled.head()
    contents = [filled.write_table(f"t{number}") for number in range(6)]
    statuses: list[int] = []

    def work(number: int) -> None:
        with httpx2.Client(base_url=f"{address}/api/v2", timeout=20) as http:
            made = Client(http, lake).commit(put(f"s.t{number}", contents[number]), at=at)
            statuses.append(made.status_code)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 6
    assert set(lake.at("main").tables) == {"s.t", *(f"s.t{number}" for number in range(6))}


def test_a_schema_in_the_file_that_is_none_is_refused(filled: Client) -> None:
    table = filled.write_table("odd")
    place = Path(str(table["metadataLocation"]))
    document = json.loads(place.read_bytes())
    broken = {
        **SCHEMA,
        "schema-id": 0,
        "fields": [{"id": 1, "name": "i", "type": "numeral", "required": False}],
    }
    place.write_text(json.dumps({**document, "schemas": [broken]}))
    assert "numeral" in refusal(filled.commit(put("s.odd", table)))
