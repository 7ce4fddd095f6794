"""Tables made, loaded, renamed and registered, each in its place."""

from pathlib import Path

import httpx2
import pytest

from ingot.lake import Lake
from tests.lake.rest.answers import SCHEMA, body, refused, setting, snapshot

pytestmark = pytest.mark.usefixtures("no_failure_in_the_log")


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


def test_only_the_snapshots_of_refs_are_sent_where_that_is_asked(http: httpx2.Client, t: str) -> None:
    body(http.post(t, json={"requirements": [], "updates": snapshot(1, 1)}))
    body(http.post(t, json={"requirements": [], "updates": snapshot(2, 2, 1)}))
    for asked, expected in (("all", [1, 2]), ("refs", [2])):
        found = body(http.get(t, params={"snapshots": asked}))["metadata"]["snapshots"]
        assert [one["snapshot-id"] for one in found] == expected


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


def test_a_table_is_registered_over_another_where_that_is_asked(
    http: httpx2.Client, lake: Lake, t: str
) -> None:
    first = body(http.get(t))["metadata-location"]
    content = lake.at("main").table("s.t").content.id
    body(http.post(t, json=setting(a="1")))
    asked = {"name": "t", "metadata-location": first}
    refused(http.post("/main/namespaces/s/register", json=asked), 409, "AlreadyExistsException")
    back = body(http.post("/main/namespaces/s/register", json={**asked, "overwrite": True}))
    assert back["metadata-location"] == first
    assert "a" not in lake.at("main").table("s.t").properties
    assert lake.at("main").table("s.t").content.id == content


def test_reports_are_taken_and_credentials_are_none(http: httpx2.Client, lake: Lake, t: str) -> None:
    head = lake.at("main").hash
    report = {
        "report-type": "scan-report",
        "table-name": "s.t",
        "snapshot-id": 1,
        "filter": True,
        "schema-id": 0,
        "projected-field-ids": [1],
        "projected-field-names": ["i"],
        "metrics": {},
    }
    assert http.post(f"{t}/metrics", json=report).status_code == 204
    assert body(http.get(f"{t}/credentials")) == {"storage-credentials": []}
    for path in ("metrics", "credentials"):
        method = "POST" if path == "metrics" else "GET"
        gone = http.request(method, f"/main/namespaces/s/tables/none/{path}", json=report)
        refused(gone, 404, "NoSuchTableException")
    assert lake.at("main").hash == head
