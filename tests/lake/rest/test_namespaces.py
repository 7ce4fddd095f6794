"""Namespaces, and the pages of every list."""

from urllib.parse import quote

import httpx2
import pytest

from ingot.lake import Lake
from tests.lake.rest.answers import SCHEMA, body, refused

pytestmark = pytest.mark.usefixtures("no_failure_in_the_log")


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


def test_names_that_differ_only_by_case_do_not_stand_beside_each_other(http: httpx2.Client, t: str) -> None:
    taken = http.post("/main/namespaces/s/tables", json={"name": "T", "schema": SCHEMA})
    assert "differs only by case from 's.t'" in refused(taken, 409, "AlreadyExistsException")
    refused(http.post("/main/namespaces", json={"namespace": ["S"]}), 409, "AlreadyExistsException")
