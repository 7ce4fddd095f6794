"""The endpoints over plain HTTP: answers, refusals, pages, and writers that meet."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp

from ingot.lake import Content, Key, Lake
from ingot.lake.rest import routes

Json = dict[str, Any]
SCHEMA = {"type": "struct", "fields": [{"id": 1, "name": "i", "type": "long", "required": False}]}
VERSION = {
    "version-id": 1,
    "timestamp-ms": 1,
    "schema-id": 0,
    "summary": {},
    "default-namespace": ["s"],
    "representations": [{"type": "sql", "sql": "select 1", "dialect": "trino"}],
}


def body(response: httpx2.Response, status: int = 200) -> Json:
    assert response.status_code == status, response.text
    found: Json = response.json()
    return found


def refused(response: httpx2.Response, status: int, type_: str) -> str:
    """Checks that the answer is an error as the specification wants it; returns its message."""
    error = body(response, status)["error"]
    assert set(error) == {"message", "type", "code"}
    assert (error["code"], error["type"]) == (status, type_)
    message: str = error["message"]
    return message


@pytest.fixture
def s(http: httpx2.Client) -> str:
    """The path of a namespace."""
    body(http.post("/main/namespaces", json={"namespace": ["s"]}))
    return "/main/namespaces/s"


@pytest.fixture
def t(http: httpx2.Client, s: str) -> str:
    """The path of a table."""
    body(http.post(f"{s}/tables", json={"name": "t", "schema": SCHEMA}))
    return f"{s}/tables/t"


def setting(**properties: str) -> Json:
    return {"requirements": [], "updates": [{"action": "set-properties", "updates": properties}]}


def test_config_says_the_prefix_and_exactly_what_is_served(http: httpx2.Client, lake: Lake, t: str) -> None:
    found = body(http.get("/config", params={"warehouse": "main"}))
    assert found["defaults"]["prefix"] == "main"
    known = {"namespace": "s", "table": "t", "view": "v"}
    assert len(found["endpoints"]) == len(set(found["endpoints"])) == 23
    for endpoint in found["endpoints"]:
        method, path = endpoint.split(" ")
        path = path.removeprefix("/v1").format(prefix="main", **known)
        response = http.request(method, path, json={} if method == "POST" else None)
        # Whatever it says of an empty body, it is not that there is no such endpoint or method.
        assert response.status_code != 405
        assert b"NoSuchEndpoint" not in response.content


@pytest.mark.parametrize("ref", ["mian", "main@0000000000", "dead/branch", "main@tomorrow"])
def test_config_of_an_unknown_ref_is_refused(http: httpx2.Client, ref: str) -> None:
    response = http.get("/config", params={"warehouse": ref})
    assert response.status_code in (400, 404)
    assert set(response.json()["error"]) == {"message", "type", "code"}


def test_a_mistyped_ref_is_answered_with_the_nearest_one(http: httpx2.Client) -> None:
    assert "'main'" in refused(
        http.get("/config", params={"warehouse": "mian"}), 404, "NoSuchWarehouseException"
    )
    refused(http.get("/mian/namespaces"), 404, "NotFoundException")


def test_a_ref_with_a_slash_is_reached_by_the_prefix_of_its_config(
    http: httpx2.Client, lake: Lake, t: str
) -> None:
    lake.branch("team/dev")
    prefix = body(http.get("/config", params={"warehouse": "team/dev"}))["defaults"]["prefix"]
    for written in (prefix, quote(prefix, safe="")):
        body(http.post(f"/{written}/namespaces/s/tables/t", json=setting(where="dev")))
    assert lake.at("team/dev").table("s.t").properties["where"] == "dev"
    assert "where" not in lake.at("main").table("s.t").properties


def test_namespaces_are_made_listed_changed_and_dropped(http: httpx2.Client, lake: Lake, s: str) -> None:
    inner = quote("s\x1finner", safe="")
    made = body(http.post("/main/namespaces", json={"namespace": ["s", "inner"], "properties": {"a": "1"}}))
    assert made == {"namespace": ["s", "inner"], "properties": {"a": "1"}}
    assert body(http.get("/main/namespaces"))["namespaces"] == [["s"]]
    assert body(http.get("/main/namespaces", params={"parent": "s"}))["namespaces"] == [["s", "inner"]]
    changed = http.post(
        f"/main/namespaces/{inner}/properties", json={"removals": ["a", "z"], "updates": {"b": "2"}}
    )
    assert body(changed) == {"updated": ["b"], "removed": ["a"], "missing": ["z"]}
    found = body(http.get(f"/main/namespaces/{inner}"))["properties"]
    assert found == {"b": "2", "location": f"{lake.warehouse}/s/inner"}
    refused(http.delete(s), 409, "NamespaceNotEmptyException")
    assert http.delete(f"/main/namespaces/{inner}").status_code == 204
    assert http.delete(s).status_code == 204
    assert http.head(s).status_code == 404
    refused(http.get("/main/namespaces", params={"parent": "s"}), 404, "NoSuchNamespaceException")


def test_a_namespace_is_refused_twice_without_parent_and_with_a_contradiction(
    http: httpx2.Client, s: str
) -> None:
    refused(http.post("/main/namespaces", json={"namespace": ["s"]}), 409, "AlreadyExistsException")
    refused(http.post("/main/namespaces", json={"namespace": ["no", "x"]}), 404, "NoSuchNamespaceException")
    both = {"removals": ["a"], "updates": {"a": "1"}}
    refused(http.post(f"{s}/properties", json=both), 422, "UnprocessableEntityException")


def test_lists_come_in_pages_that_hold_while_others_write(http: httpx2.Client, s: str) -> None:
    for number in range(5):
        body(http.post(f"{s}/tables", json={"name": f"t{number}", "schema": SCHEMA}))
    first = body(http.get(f"{s}/tables", params={"pageSize": 2}))
    assert [one["name"] for one in first["identifiers"]] == ["t0", "t1"]
    assert http.delete(f"{s}/tables/t1").status_code == 204
    second = body(http.get(f"{s}/tables", params={"pageSize": 2, "pageToken": first["next-page-token"]}))
    assert [one["name"] for one in second["identifiers"]] == ["t2", "t3"]
    third = body(http.get(f"{s}/tables", params={"pageSize": 2, "pageToken": second["next-page-token"]}))
    assert [one["name"] for one in third["identifiers"]] == ["t4"]
    assert third["next-page-token"] is None
    assert len(body(http.get(f"{s}/tables", params={"pageToken": ""}))["identifiers"]) == 4
    for wrong in ({"pageSize": "0"}, {"pageSize": "x"}, {"pageToken": "%%%"}, {"pageToken": "é"}):
        refused(http.get(f"{s}/tables", params=wrong), 400, "BadRequestException")


def test_a_staged_table_is_nowhere_until_it_is_committed(http: httpx2.Client, lake: Lake, s: str) -> None:
    staged = body(http.post(f"{s}/tables", json={"name": "t", "schema": SCHEMA, "stage-create": True}))
    assert "metadata-location" not in staged
    location = Path(staged["metadata"]["location"])
    assert (location / "data").is_dir()
    assert (location / "metadata").is_dir()
    refused(http.get(f"{s}/tables/t"), 404, "NoSuchTableException")
    updates = [
        {"action": "assign-uuid", "uuid": staged["metadata"]["table-uuid"]},
        {"action": "add-schema", "schema": SCHEMA},
        {"action": "set-current-schema", "schema-id": -1},
        {"action": "set-location", "location": str(location)},
    ]
    create = {"requirements": [{"type": "assert-create"}], "updates": updates}
    made = body(http.post(f"{s}/tables/t", json=create))
    assert Path(made["metadata-location"]).parent == location / "metadata"
    head = lake.catalog.ref("main").hash
    assert body(http.post(f"{s}/tables/t", json=create)) == made
    assert lake.catalog.ref("main").hash == head
    updates[0]["uuid"] = "00000000-0000-4000-8000-000000000001"
    refused(http.post(f"{s}/tables/t", json=create), 409, "CommitFailedException")


def test_spark_numbers_columns_from_0_and_gets_valid_ids(http: httpx2.Client, s: str) -> None:
    columns = [
        {"id": n, "name": name, "type": "date", "required": False} for n, name in enumerate(("a", "b"))
    ]
    asked = {
        "name": "t",
        "schema": {"type": "struct", "fields": columns},
        "partition-spec": {"fields": [{"name": "m", "source-id": 1, "transform": "month"}]},
        "properties": {"format-version": "3", "owner": "ann"},
    }
    made = body(http.post(f"{s}/tables", json=asked))["metadata"]
    assert [field["id"] for field in made["schemas"][0]["fields"]] == [1, 2]
    assert made["partition-specs"][0]["fields"] == [
        {"name": "m", "source-id": 2, "transform": "month", "field-id": 1000}
    ]
    assert made["format-version"] == 3
    assert made["properties"]["owner"] == "ann"


def test_clients_are_told_to_leave_the_files_alone_and_to_write_large_ones(
    http: httpx2.Client, t: str
) -> None:
    loaded = body(http.get(t))
    assert loaded["metadata"]["properties"]["gc.enabled"] == "false"
    assert loaded["metadata"]["properties"]["write.target-file-size-bytes"] == "268435456"
    # DuckDB takes a config that is not empty for the credentials of an object store.
    assert loaded["config"] == {}


def test_each_commit_writes_a_new_numbered_file_and_logs_the_one_before(http: httpx2.Client, t: str) -> None:
    first = body(http.get(t))["metadata-location"]
    second = body(http.post(t, json=setting(a="1")))
    assert Path(first).name.startswith("00000-")
    assert Path(second["metadata-location"]).name.startswith("00001-")
    assert [entry["metadata-file"] for entry in second["metadata"]["metadata-log"]] == [first]


def test_a_transaction_over_many_tables_is_one_commit_or_none(
    http: httpx2.Client, lake: Lake, t: str
) -> None:
    body(http.post("/main/namespaces/s/tables", json={"name": "u", "schema": SCHEMA}))
    head = lake.catalog.ref("main").hash

    def change(name: str, **requirement: Any) -> Json:
        required = {
            "requirements": [{"type": "assert-current-schema-id", "current-schema-id": 0} | requirement]
        }
        return {"identifier": {"namespace": ["s"], "name": name}} | setting(a="1") | required

    stale = [change("t"), change("u", **{"current-schema-id": 7})]
    message = refused(
        http.post("/main/transactions/commit", json={"table-changes": stale}), 409, "CommitFailedException"
    )
    assert "s.u" in message
    assert lake.catalog.ref("main").hash == head
    both = {"table-changes": [change("t"), change("u")]}
    assert http.post("/main/transactions/commit", json=both).status_code == 204
    assert lake.catalog.commit_of(lake.catalog.ref("main").hash).parents[0] == head
    assert lake.at("main").table("s.t").properties["a"] == lake.at("main").table("s.u").properties["a"] == "1"
    twice = {"table-changes": [change("t"), change("t")]}
    refused(http.post("/main/transactions/commit", json=twice), 400, "BadRequestException")
    missing = {"table-changes": [change("t"), change("nothing")]}
    refused(http.post("/main/transactions/commit", json=missing), 404, "NoSuchTableException")


def test_a_refused_transaction_leaves_no_file(http: httpx2.Client, lake: Lake, t: str) -> None:
    before = sorted(Path(lake.warehouse).rglob("*.json"))
    refused(
        http.post(t, json=setting() | {"updates": [{"action": "set-current-schema", "schema-id": 5}]}),
        400,
        "BadRequestException",
    )
    failing = {"requirements": [{"type": "assert-current-schema-id", "current-schema-id": 9}]}
    refused(http.post(t, json=setting(a="1") | failing), 409, "CommitFailedException")
    assert sorted(Path(lake.warehouse).rglob("*.json")) == before


def snapshot(id_: int, sequence: int, parent: int | None = None) -> list[Json]:
    """The updates of an append whose files nobody reads here."""
    made: Json = {
        "snapshot-id": id_,
        "sequence-number": sequence,
        "timestamp-ms": 1_000 + sequence,
        "manifest-list": f"/lake/snap-{id_}.avro",
        "summary": {"operation": "append"},
    }
    if parent is not None:
        made["parent-snapshot-id"] = parent
    ref = {"action": "set-snapshot-ref", "ref-name": "main", "type": "branch", "snapshot-id": id_}
    return [{"action": "add-snapshot", "snapshot": made}, ref]


def test_a_repeated_transaction_is_known_by_its_snapshots_as_a_whole(
    http: httpx2.Client, lake: Lake, t: str
) -> None:
    """One of its tables gets no snapshot, and what that one asserts is no longer true after the first time."""
    body(http.post("/main/namespaces/s/tables", json={"name": "u", "schema": SCHEMA}))
    wider = {
        **SCHEMA,
        "fields": [*SCHEMA["fields"], {"id": 2, "name": "c", "type": "int", "required": False}],
    }
    changes: list[Json] = [
        {
            "identifier": {"namespace": ["s"], "name": "t"},
            "requirements": [{"type": "assert-ref-snapshot-id", "ref": "main", "snapshot-id": None}],
            "updates": snapshot(1, 1),
        },
        {
            "identifier": {"namespace": ["s"], "name": "u"},
            "requirements": [{"type": "assert-current-schema-id", "current-schema-id": 0}],
            "updates": [
                {"action": "add-schema", "schema": wider},
                {"action": "set-current-schema", "schema-id": -1},
            ],
        },
    ]
    for _ in range(2):
        assert http.post("/main/transactions/commit", json={"table-changes": changes}).status_code == 204
    assert len(lake.at("main").table("s.t").metadata["snapshots"]) == 1
    changes[0]["updates"] = snapshot(2, 2, 1)
    again = http.post("/main/transactions/commit", json={"table-changes": changes})
    refused(again, 409, "CommitFailedException")


def test_only_the_snapshots_of_refs_are_sent_where_that_is_asked(http: httpx2.Client, t: str) -> None:
    body(http.post(t, json={"requirements": [], "updates": snapshot(1, 1)}))
    body(http.post(t, json={"requirements": [], "updates": snapshot(2, 2, 1)}))
    for asked, expected in (("all", [1, 2]), ("refs", [2])):
        found = body(http.get(t, params={"snapshots": asked}))["metadata"]["snapshots"]
        assert [one["snapshot-id"] for one in found] == expected


def test_a_commit_that_forgets_its_requirements_cannot_undo_another(http: httpx2.Client, t: str) -> None:
    body(http.post(t, json={"requirements": [], "updates": snapshot(1, 1)}))
    refused(http.post(t, json={"requirements": [], "updates": snapshot(2, 1)}), 409, "CommitFailedException")
    refused(http.post(t, json={"requirements": [], "updates": snapshot(2, 2)}), 409, "CommitFailedException")


def test_writers_whose_requirements_still_hold_are_repeated_by_the_server(
    http: httpx2.Client, lake: Lake, t: str
) -> None:
    """They change one table at once and none of them ever hears of it."""
    uuid = body(http.get(t))["metadata"]["table-uuid"]
    required = {"requirements": [{"type": "assert-table-uuid", "uuid": uuid}]}

    def write(number: int) -> int:
        return http.post(t, json=setting(**{f"p{number}": "x"}) | required).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(write, range(24))) == {200}
    properties = lake.at("main").table("s.t").properties
    assert {f"p{number}" for number in range(24)} <= set(properties)


def test_of_two_writers_that_assert_the_same_state_one_hears_of_a_conflict(
    http: httpx2.Client, t: str
) -> None:
    def write(number: int) -> int:
        wider = {
            **SCHEMA,
            "fields": [*SCHEMA["fields"], {"id": 2, "name": f"c{number}", "type": "int", "required": False}],
        }
        commit = {
            "requirements": [{"type": "assert-current-schema-id", "current-schema-id": 0}],
            "updates": [
                {"action": "add-schema", "schema": wider},
                {"action": "set-current-schema", "schema-id": -1},
            ],
        }
        return http.post(t, json=commit).status_code

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(write, range(6))) == [200, 409, 409, 409, 409, 409]


def test_tables_are_renamed_within_and_across_namespaces(http: httpx2.Client, lake: Lake, t: str) -> None:
    body(http.post("/main/namespaces", json={"namespace": ["other"]}))
    content_id = lake.at("main").table("s.t").content.id

    def rename(source: list[str], target: list[str]) -> httpx2.Response:
        names = [{"namespace": key[:-1], "name": key[-1]} for key in (source, target)]
        return http.post("/main/tables/rename", json={"source": names[0], "destination": names[1]})

    assert rename(["s", "t"], ["other", "u"]).status_code == 204
    assert lake.at("main").table("other.u").content.id == content_id
    refused(rename(["s", "t"], ["other", "v"]), 404, "NoSuchTableException")
    refused(rename(["other", "u"], ["no", "v"]), 404, "NoSuchNamespaceException")
    body(http.post("/main/namespaces/s/tables", json={"name": "t", "schema": SCHEMA}))
    refused(rename(["s", "t"], ["other", "u"]), 409, "AlreadyExistsException")
    assert rename(["s", "t"], ["s", "T"]).status_code == 204


def test_names_that_differ_only_by_case_do_not_stand_beside_each_other(http: httpx2.Client, t: str) -> None:
    taken = http.post("/main/namespaces/s/tables", json={"name": "T", "schema": SCHEMA})
    assert "differs only by case from 's.t'" in refused(taken, 409, "AlreadyExistsException")
    refused(http.post("/main/namespaces", json={"namespace": ["S"]}), 409, "AlreadyExistsException")


def test_views_are_made_replaced_renamed_and_dropped(http: httpx2.Client, s: str) -> None:
    made = body(
        http.post(
            f"{s}/views", json={"name": "v", "schema": SCHEMA, "view-version": VERSION, "properties": {}}
        )
    )
    assert made["metadata"]["current-version-id"] == 1
    refused(http.post(f"{s}/tables", json={"name": "v", "schema": SCHEMA}), 409, "AlreadyExistsException")
    newer = {**VERSION, "representations": [{"type": "sql", "sql": "select 2", "dialect": "trino"}]}
    commit = {
        "requirements": [{"type": "assert-view-uuid", "uuid": made["metadata"]["view-uuid"]}],
        "updates": [
            {"action": "add-view-version", "view-version": newer},
            {"action": "set-current-view-version", "view-version-id": -1},
        ],
    }
    assert body(http.post(f"{s}/views/v", json=commit))["metadata"]["current-version-id"] == 2
    names = {"source": {"namespace": ["s"], "name": "v"}, "destination": {"namespace": ["s"], "name": "w"}}
    assert http.post("/main/views/rename", json=names).status_code == 204
    assert [one["name"] for one in body(http.get(f"{s}/views"))["identifiers"]] == ["w"]
    assert http.head(f"{s}/views/w").status_code == 204
    refused(http.get(f"{s}/tables/w"), 404, "NoSuchTableException")
    assert http.delete(f"{s}/views/w").status_code == 204
    refused(http.get(f"{s}/views/w"), 404, "NoSuchViewException")


def test_tags_and_commits_are_readable_and_closed_to_every_write(
    http: httpx2.Client, lake: Lake, t: str
) -> None:
    lake.tag("v1")
    head = lake.catalog.ref("main").hash
    for prefix in ("v1", f"main@{head}", f"@{head}", head[:12]):
        assert body(http.get(f"/{prefix}/namespaces/s/tables/t"))["metadata"]
        for method, path, content in (
            ("POST", "/namespaces", {"namespace": ["x"]}),
            ("DELETE", "/namespaces/s/tables/t", None),
            ("POST", "/namespaces/s/tables/t", setting(a="1")),
            ("POST", "/transactions/commit", {"table-changes": []}),
        ):
            refused(http.request(method, f"/{prefix}{path}", json=content), 403, "ForbiddenException")
    assert lake.catalog.ref("main").hash == head


@pytest.mark.parametrize(
    "location", ["/etc", "relative", "s3://bucket/t", "{warehouse}/../out", "file:///etc/x", "a\0b"]
)
def test_no_client_writes_outside_the_warehouse(
    http: httpx2.Client, lake: Lake, s: str, t: str, location: str
) -> None:
    location = location.format(warehouse=lake.warehouse)
    refused(
        http.post(f"{s}/tables", json={"name": "x", "schema": SCHEMA, "location": location}),
        403,
        "ForbiddenException",
    )
    moved = {"requirements": [], "updates": [{"action": "set-location", "location": location}]}
    refused(http.post(t, json=moved), 403, "ForbiddenException")
    registered = {"name": "y", "metadata-location": location}
    refused(http.post(f"{s}/register", json=registered), 403, "ForbiddenException")


def test_a_file_that_is_no_table_cannot_be_registered(http: httpx2.Client, lake: Lake, s: str) -> None:
    for name, content in (
        ("missing", None),
        ("text", "hello"),
        ("list", "[]"),
        ("other", '{"format-version": 2}'),
    ):
        path = Path(lake.warehouse) / f"{name}.metadata.json"
        if content is not None:
            path.parent.mkdir(exist_ok=True)
            path.write_text(content)
        response = http.post(f"{s}/register", json={"name": name, "metadata-location": str(path)})
        refused(response, 400, "BadRequestException")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/main/namespaces/s/tables/t/plan", 404),
        ("PUT", "/main/namespaces", 405),
        ("DELETE", "/config", 405),
        ("PATCH", "/main/namespaces/s/tables/t", 405),
    ],
)
def test_whatever_is_not_served_is_refused_in_json(
    http: httpx2.Client, method: str, path: str, status: int
) -> None:
    assert set(body(http.request(method, path), status)["error"]) == {"message", "type", "code"}


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'"x"', b"\xff", b'{"a":' * 600 + b"1" + b"}" * 600, b"[" * 100_000]
)
def test_a_body_that_is_no_json_object_is_refused(http: httpx2.Client, t: str, content: bytes) -> None:
    for path in ("/main/namespaces", t, "/main/transactions/commit", "/main/tables/rename"):
        refused(http.post(path, content=content), 400, "BadRequestException")


def test_a_slow_request_does_not_hold_up_the_others(lake: Lake, serve: Callable[[ASGIApp], str]) -> None:
    began, may_go_on = threading.Event(), threading.Event()

    class SlowCatalog:
        def __getattr__(self, name: str) -> Any:
            return getattr(lake.catalog, name)

        def entries(self, at: str, *, prefix: Key = ()) -> Any:
            began.set()
            assert may_go_on.wait(20)
            return lake.catalog.entries(at, prefix=prefix)

        def content(self, at: str, key: Key) -> Content | None:
            return lake.catalog.content(at, key)

    class SlowLake:
        catalog: Any = SlowCatalog()
        warehouse = lake.warehouse

    address = serve(Starlette(routes=[Mount("/iceberg", routes=routes(SlowLake()))]))
    with httpx2.Client(base_url=f"{address}/iceberg/v1", timeout=20) as http, ThreadPoolExecutor(1) as pool:
        slow = pool.submit(http.get, "/main/namespaces")
        assert began.wait(10)
        try:
            assert http.get("/config", timeout=5).status_code == 200
        finally:
            may_go_on.set()
        assert slow.result().status_code == 200


@pytest.fixture(autouse=True)
def _no_failure_in_the_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """No test here may end in an error that the server did not expect."""
    yield
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
