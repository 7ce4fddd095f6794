"""Commits on view metadata."""

from typing import Any

import pytest
from pyiceberg.view.metadata import ViewMetadata

from ingot.lake.metadata import (
    InvalidMetadataError,
    RequirementFailedError,
    apply_view,
    current_version,
    new_view,
)
from tests.lake.metadata.documents import ORDERS, OTHER_UUID, UUID, Json, column, schema


def version(sql: str, **more: Any) -> Json:
    return {
        "version-id": 1,
        "timestamp-ms": 1_000,
        "schema-id": 0,
        "summary": {"engine-name": "test"},
        "default-namespace": ["gold"],
        "representations": [{"type": "sql", "sql": sql, "dialect": "duckdb"}],
        **more,
    }


@pytest.fixture
def view() -> Json:
    return new_view(uuid=UUID, location="/lake/v/", schema=ORDERS, version=version("select 1"), now_ms=1_000)


def replace(sql: str) -> list[Json]:
    return [
        {"action": "add-schema", "schema": schema(column(1, "n"))},
        {"action": "add-view-version", "view-version": version(sql, **{"schema-id": -1})},
        {"action": "set-current-view-version", "view-version-id": -1},
    ]


def test_a_new_view_has_one_version_that_pyiceberg_reads(view: Json) -> None:
    ViewMetadata.model_validate(view)
    assert current_version(view)["representations"][0]["sql"] == "select 1"
    assert view["location"] == "/lake/v"


def test_a_view_is_replaced_by_a_new_version_and_the_old_one_stays(view: Json) -> None:
    after = apply_view(view, [{"type": "assert-view-uuid", "uuid": UUID}], replace("select 2"), now_ms=2_000)
    ViewMetadata.model_validate(after)
    assert [one["version-id"] for one in after["versions"]] == [1, 2]
    assert current_version(after)["representations"][0]["sql"] == "select 2"
    assert current_version(after)["schema-id"] == 1
    assert len(view["versions"]) == 1


def test_only_as_many_versions_are_kept_as_the_view_wants(view: Json) -> None:
    view = apply_view(
        view, [], [{"action": "set-properties", "updates": {"version.history.num-entries": "3"}}], now_ms=1
    )
    for step in range(6):
        view = apply_view(view, [], replace(f"select {step}"), now_ms=2_000 + step)
    assert [one["representations"][0]["sql"] for one in view["versions"]] == [
        "select 3",
        "select 4",
        "select 5",
    ]
    assert [entry["version-id"] for entry in view["version-log"]] == [
        one["version-id"] for one in view["versions"]
    ]


def test_the_same_definition_again_is_no_new_version(view: Json) -> None:
    again = apply_view(
        view, [], [{"action": "add-view-version", "view-version": version("select 1")}], now_ms=5
    )
    assert again is view


def test_another_view_of_that_name_is_a_conflict(view: Json) -> None:
    with pytest.raises(RequirementFailedError):
        apply_view(view, [{"type": "assert-view-uuid", "uuid": OTHER_UUID}], replace("select 2"), now_ms=1)


@pytest.mark.parametrize(
    "update",
    [
        {"action": "add-view-version", "view-version": version("")},
        {"action": "add-view-version", "view-version": version("select 1", representations=[])},
        {
            "action": "add-view-version",
            "view-version": version(
                "x", representations=[{"type": "sql", "sql": "x", "dialect": d} for d in ("spark", "SPARK")]
            ),
        },
        {"action": "add-view-version", "view-version": version("select 1", **{"schema-id": 9})},
        {"action": "set-current-view-version", "view-version-id": 9},
        {"action": "upgrade-format-version", "format-version": 2},
        {"action": "assign-uuid", "uuid": OTHER_UUID},
        {"action": "drop"},
    ],
)
def test_an_invalid_update_is_refused(view: Json, update: Json) -> None:
    with pytest.raises(InvalidMetadataError):
        apply_view(view, [], [update], now_ms=1)
