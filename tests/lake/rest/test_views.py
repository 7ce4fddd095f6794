"""Views over plain HTTP."""

from pathlib import Path

import httpx2
import orjson
import pytest

from ingot.lake import Lake
from tests.lake.rest.answers import SCHEMA, VERSION, body, refused

pytestmark = pytest.mark.usefixtures("no_failure_in_the_log")


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


def named(http: httpx2.Client, warehouse: str) -> str:
    """The prefix of a client that says what it calls the catalog."""
    return str(body(http.get("/config", params={"warehouse": warehouse}))["defaults"]["prefix"])


def catalogs(http: httpx2.Client, prefix: str) -> list[str | None]:
    """The catalog of each version of the view, as that client sees it."""
    found = body(http.get(f"/{prefix}/namespaces/s/views/v"))["metadata"]["versions"]
    return [one.get("default-catalog") for one in found]


def test_a_view_of_this_catalog_is_one_of_whatever_the_reader_calls_it(
    http: httpx2.Client, lake: Lake, s: str
) -> None:
    mine, theirs = named(http, "main|lake"), named(http, "main|a/b c|ü")
    assert "/" not in theirs
    view = {"name": "v", "schema": SCHEMA, "view-version": {**VERSION, "default-catalog": "lake"}}
    body(http.post(f"/{mine}/namespaces/s/views", json=view))
    assert catalogs(http, mine) == ["lake"]
    assert catalogs(http, theirs) == ["a/b c|ü"]
    assert catalogs(http, "main") == [None]
    newer = {**VERSION, "representations": [{"type": "sql", "sql": "select 2", "dialect": "trino"}]}
    for version in ({**newer, "default-catalog": "lake"}, {**newer, "default-catalog": "hive"}):
        updates = [
            {"action": "add-view-version", "view-version": version},
            {"action": "set-current-view-version", "view-version-id": -1},
        ]
        body(http.post(f"/{mine}/namespaces/s/views/v", json={"requirements": [], "updates": updates}))
    assert catalogs(http, mine) == ["lake", "lake", "hive"]
    assert catalogs(http, theirs) == ["a/b c|ü", "a/b c|ü", "hive"]
    assert catalogs(http, "main") == [None, None, "hive"]
    stored = Path(lake.at("main").view("s.v").content.metadata_location).read_text()
    assert "lake" not in [one.get("default-catalog") for one in orjson.loads(stored)["versions"]]


def test_a_client_that_says_its_name_still_has_to_name_a_ref(http: httpx2.Client, lake: Lake) -> None:
    refused(http.get("/config", params={"warehouse": "mian|lake"}), 404, "NoSuchWarehouseException")
    lake.tag("v1")
    prefix = named(http, "v1|lake")
    assert body(http.get(f"/{prefix}/namespaces"))["namespaces"] == []
    refused(http.post(f"/{prefix}/namespaces", json={"namespace": ["x"]}), 403, "ForbiddenException")
