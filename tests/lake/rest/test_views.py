"""Views over plain HTTP."""

import httpx2
import pytest

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
