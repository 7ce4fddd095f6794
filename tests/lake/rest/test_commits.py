"""Commits of one table and of many, repeated ones, and writers that meet."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest

from ingot.lake import Lake
from tests.lake.rest.answers import SCHEMA, Json, body, refused, setting, snapshot

pytestmark = pytest.mark.usefixtures("no_failure_in_the_log")


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
