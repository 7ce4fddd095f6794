"""Commits on table metadata: what each update does, and what is refused."""

import copy
from typing import Any

import pytest
from pyiceberg.table.metadata import TableMetadataUtil

from ingot.errors import ConflictError
from ingot.lake.metadata import (
    ACTIONS,
    InvalidMetadataError,
    RequirementFailedError,
    StaleSnapshotError,
    apply,
    current_schema,
    current_snapshot,
    default_spec,
    new_table,
)
from tests.lake.metadata.documents import ORDERS, OTHER_UUID, UUID, Json, append, at, column, schema, snapshot

NOW = 2_000_000


def table(**more: Any) -> Json:
    made = {"uuid": UUID, "location": "/lake/orders", "schema": ORDERS, "now_ms": 1_000_000, **more}
    return new_table(**made)


def commit(
    metadata: Json | None, *updates: Json, requirements: Any = (), previous: str | None = None
) -> Json:
    """Applies, and checks what must hold after every commit: the input is untouched, PyIceberg reads the result."""
    before = copy.deepcopy(metadata)
    after = apply(metadata, requirements, updates, now_ms=NOW, previous=previous)
    assert metadata == before
    if after["format-version"] < 3:
        TableMetadataUtil.parse_obj(after)
    return after


@pytest.fixture(params=[1, 2, 3])
def version(request: pytest.FixtureRequest) -> int:
    found: int = request.param
    return found


def rows(version: int, first: int = 0, added: int = 1) -> Json:
    """What a snapshot of a version 3 table has in addition."""
    return {"first-row-id": first, "added-rows": added} if version == 3 else {}


def test_a_new_table_starts_without_snapshots_and_partition_ids_at_999(version: int) -> None:
    made = table(format_version=version)
    assert made["last-partition-id"] == 999
    assert made["last-column-id"] == 3
    assert made.get("last-sequence-number", 0) == 0
    assert made["snapshots"] == made["snapshot-log"] == []
    assert current_snapshot(made) is None
    if version < 3:
        TableMetadataUtil.parse_obj(made)
    assert ("schema" in made, "partition-spec" in made) == ((True, True) if version == 1 else (False, False))


def test_an_append_moves_main_and_is_logged(version: int) -> None:
    before = table(format_version=version)
    after = commit(
        before, *append(7, 1, **rows(version)), requirements=[at(None)], previous="/lake/orders/0.json"
    )
    assert after["current-snapshot-id"] == 7
    assert after["refs"] == {"main": {"snapshot-id": 7, "type": "branch"}}
    assert after["snapshot-log"] == [{"snapshot-id": 7, "timestamp-ms": 1_000_001}]
    assert after["metadata-log"] == [{"timestamp-ms": 1_000_000, "metadata-file": "/lake/orders/0.json"}]
    assert after["last-updated-ms"] == NOW
    assert after.get("last-sequence-number", 0) == (0 if version == 1 else 1)


def test_a_snapshot_that_is_not_newer_than_the_table_is_a_conflict_even_without_requirements() -> None:
    """Trap T1: DuckDB forgets the requirements of a table that was empty when its transaction began."""
    others = commit(table(), *append(7, 1))
    with pytest.raises(StaleSnapshotError, match="sequence number 1, but the table is at 1"):
        apply(others, [], append(8, 1), now_ms=NOW)


def test_main_does_not_move_to_a_snapshot_that_was_built_on_something_else(version: int) -> None:
    others = commit(table(format_version=version), *append(7, 1, **rows(version)))
    with pytest.raises(StaleSnapshotError, match="was not built on"):
        apply(others, [], append(8, 2, **rows(version, 1)), now_ms=NOW)


def test_who_asserts_what_main_is_may_replace_it() -> None:
    before = commit(table(), *append(7, 1))
    after = commit(before, *append(8, 2), requirements=[at(7)])
    assert after["current-snapshot-id"] == 8


def test_who_removes_main_first_may_set_it_anew() -> None:
    """So do Spark and Trino when they replace a table."""
    before = commit(table(), *append(7, 1))
    after = commit(before, {"action": "remove-snapshot-ref", "ref-name": "main"}, *append(8, 2))
    assert after["current-snapshot-id"] == 8
    assert [entry["snapshot-id"] for entry in after["snapshot-log"]] == [8]


def test_several_snapshots_of_one_transaction_reach_main() -> None:
    before = commit(table(), *append(7, 1))
    after = commit(before, *append(8, 2, 7)[:1], *append(9, 3, 8))
    assert after["current-snapshot-id"] == 9
    assert after["last-sequence-number"] == 3


def test_a_commit_that_was_applied_changes_nothing_when_it_comes_again() -> None:
    """Trap T2: told of a conflict, the client would delete the files that the table now has."""
    before = table()
    once = commit(before, *append(7, 1), requirements=[at(None)])
    moved_on = commit(once, *append(8, 2, 7), requirements=[at(7)])
    assert apply(once, [at(None)], append(7, 1), now_ms=NOW) is once
    assert apply(moved_on, [at(None)], append(7, 1), now_ms=NOW) is moved_on


def test_a_snapshot_id_with_other_files_is_no_replay() -> None:
    before = commit(table(), *append(7, 1))
    other = append(7, 2, 7)
    other[0]["snapshot"]["manifest-list"] = "/lake/orders/metadata/another.avro"
    with pytest.raises(StaleSnapshotError, match="another snapshot 7"):
        apply(before, [], other, now_ms=NOW)


def creation(uuid: str = UUID) -> list[Json]:
    return [
        {"action": "assign-uuid", "uuid": uuid},
        {"action": "upgrade-format-version", "format-version": 2},
        {"action": "add-schema", "schema": {**ORDERS, "schema-id": 0}, "last-column-id": 3},
        {"action": "set-current-schema", "schema-id": -1},
        {
            "action": "add-spec",
            "spec": {"spec-id": 0, "fields": [{"name": "m", "source-id": 2, "transform": "month"}]},
        },
        {"action": "set-default-spec", "spec-id": -1},
        {"action": "set-location", "location": "/lake/orders/"},
        {"action": "set-properties", "updates": {"owner": "ann"}},
    ]


def test_a_commit_creates_a_table_and_its_repetition_is_harmless() -> None:
    create = [{"type": "assert-create"}]
    made = commit(None, *creation(), requirements=create)
    assert made["location"] == "/lake/orders"
    assert default_spec(made)["fields"][0]["field-id"] == made["last-partition-id"] == 1000
    assert made["sort-orders"] == [{"order-id": 0, "fields": []}]
    assert apply(made, create, creation(), now_ms=NOW) is made
    with pytest.raises(RequirementFailedError, match="exists already"):
        apply(made, create, creation(OTHER_UUID), now_ms=NOW)


@pytest.mark.parametrize("missing", ["assign-uuid", "add-schema", "set-location"])
def test_a_commit_that_creates_a_table_must_be_complete(missing: str) -> None:
    updates = [update for update in creation() if update["action"] != missing]
    with pytest.raises(InvalidMetadataError):
        apply(None, [{"type": "assert-create"}], updates, now_ms=NOW)


@pytest.mark.parametrize(
    ("requirement", "holds", "fails"),
    [
        ({"type": "assert-table-uuid"}, {"uuid": UUID.upper()}, {"uuid": OTHER_UUID}),
        ({"type": "assert-ref-snapshot-id", "ref": "main"}, {"snapshot-id": 7}, {"snapshot-id": 8}),
        ({"type": "assert-ref-snapshot-id", "ref": "main"}, {"snapshot-id": 7}, {"snapshot-id": None}),
        ({"type": "assert-ref-snapshot-id", "ref": "audit"}, {"snapshot-id": None}, {"snapshot-id": 7}),
        (
            {"type": "assert-last-assigned-field-id"},
            {"last-assigned-field-id": 3},
            {"last-assigned-field-id": 2},
        ),
        ({"type": "assert-current-schema-id"}, {"current-schema-id": 0}, {"current-schema-id": 1}),
        (
            {"type": "assert-last-assigned-partition-id"},
            {"last-assigned-partition-id": 999},
            {"last-assigned-partition-id": 1000},
        ),
        ({"type": "assert-default-spec-id"}, {"default-spec-id": 0}, {"default-spec-id": 1}),
        (
            {"type": "assert-default-sort-order-id"},
            {"default-sort-order-id": 0},
            {"default-sort-order-id": 1},
        ),
    ],
)
def test_each_requirement_holds_or_is_a_conflict(requirement: Json, holds: Json, fails: Json) -> None:
    metadata = commit(table(), *append(7, 1))
    change = {"action": "set-properties", "updates": {"a": "1"}}
    assert apply(metadata, [requirement | holds], [change], now_ms=NOW)["properties"] == {"a": "1"}
    with pytest.raises(RequirementFailedError):
        apply(metadata, [requirement | fails], [change], now_ms=NOW)
    with pytest.raises(RequirementFailedError, match="does not exist"):
        apply(None, [requirement | holds], [change], now_ms=NOW)


def test_every_failure_of_a_requirement_is_a_conflict() -> None:
    assert issubclass(RequirementFailedError, ConflictError)
    assert issubclass(StaleSnapshotError, ConflictError)


def test_a_column_is_added_by_a_new_schema_and_the_old_one_stays() -> None:
    wider = schema(*ORDERS["fields"], column(4, "note", "string"))
    after = commit(
        table(), {"action": "add-schema", "schema": wider}, {"action": "set-current-schema", "schema-id": -1}
    )
    assert [field["name"] for field in current_schema(after)["fields"]] == ["id", "day", "region", "note"]
    assert [one["schema-id"] for one in after["schemas"]] == [0, 1]
    assert after["last-column-id"] == 4


def test_a_schema_that_the_table_had_before_is_found_again_whatever_id_it_is_given() -> None:
    wider = schema(*ORDERS["fields"], column(4, "note", "string"))
    twice = commit(
        table(),
        {"action": "add-schema", "schema": wider},
        {"action": "add-schema", "schema": {**ORDERS, "schema-id": 77}},
        {"action": "set-current-schema", "schema-id": 77},
    )
    assert twice["current-schema-id"] == 0
    assert len(twice["schemas"]) == 2


def test_a_taken_schema_id_is_replaced_and_the_commit_still_means_the_right_one() -> None:
    wider = schema(*ORDERS["fields"], column(4, "note", "string"), **{"schema-id": 0})
    after = commit(
        table(),
        {"action": "add-schema", "schema": wider},
        {"action": "set-current-schema", "schema-id": 0},
        *append(7, 1, **{"schema-id": 0}),
    )
    assert after["current-schema-id"] == 1
    assert after["snapshots"][0]["schema-id"] == 1


def test_partition_fields_get_new_ids_and_keep_those_of_equal_earlier_ones() -> None:
    by_month = {"name": "m", "source-id": 2, "transform": "month"}
    first = commit(
        table(),
        {"action": "add-spec", "spec": {"fields": [by_month]}},
        {"action": "set-default-spec", "spec-id": -1},
    )
    assert (first["default-spec-id"], first["last-partition-id"]) == (1, 1000)
    region = {"name": "region", "source-id": 3, "transform": "identity"}
    second = commit(
        first,
        {"action": "add-spec", "spec": {"fields": [region, by_month]}},
        {"action": "set-default-spec", "spec-id": -1},
    )
    assert [field["field-id"] for field in default_spec(second)["fields"]] == [1001, 1000]


def test_a_sort_order_is_added_and_chosen() -> None:
    field = {"source-id": 2, "transform": "identity", "direction": "asc", "null-order": "nulls-first"}
    after = commit(
        table(),
        {"action": "add-sort-order", "sort-order": {"order-id": 1, "fields": [field]}},
        {"action": "set-default-sort-order", "sort-order-id": -1},
    )
    assert after["default-sort-order-id"] == 1


def test_branches_and_tags_of_the_table_come_and_go() -> None:
    base = commit(table(), *append(7, 1))
    tag = {
        "action": "set-snapshot-ref",
        "ref-name": "v1",
        "type": "tag",
        "snapshot-id": 7,
        "max-ref-age-ms": 10,
    }
    after = commit(base, tag)
    assert after["refs"]["v1"] == {"snapshot-id": 7, "type": "tag", "max-ref-age-ms": 10}
    assert "v1" not in commit(after, {"action": "remove-snapshot-ref", "ref-name": "v1"})["refs"]


def test_expired_snapshots_take_their_refs_statistics_and_earlier_log_along() -> None:
    base = commit(table(), *append(7, 1))
    base = commit(base, *append(8, 2, 7))
    base = commit(base, *append(9, 3, 8))
    base = commit(base, {"action": "set-snapshot-ref", "ref-name": "old", "type": "tag", "snapshot-id": 8})
    file = {
        "snapshot-id": 8,
        "statistics-path": "/lake/orders/metadata/8.puffin",
        "file-size-in-bytes": 9,
        "file-footer-size-in-bytes": 4,
        "blob-metadata": [],
    }
    base = commit(base, {"action": "set-statistics", "statistics": file})
    assert base["statistics"] == [file]
    after = commit(base, {"action": "remove-snapshots", "snapshot-ids": [8]})
    assert [one["snapshot-id"] for one in after["snapshots"]] == [7, 9]
    assert [one["snapshot-id"] for one in after["snapshot-log"]] == [9]
    assert set(after["refs"]) == {"main"}
    assert after["statistics"] == []


def test_statistics_of_a_snapshot_are_replaced_and_removed() -> None:
    base = commit(table(), *append(7, 1))
    file = {"snapshot-id": 7, "statistics-path": "/lake/s", "file-size-in-bytes": 9}
    with_it = commit(base, {"action": "set-partition-statistics", "partition-statistics": file})
    newer = commit(
        with_it,
        {"action": "set-partition-statistics", "partition-statistics": file | {"statistics-path": "/t"}},
    )
    assert [one["statistics-path"] for one in newer["partition-statistics"]] == ["/t"]
    assert (
        commit(newer, {"action": "remove-partition-statistics", "snapshot-id": 7})["partition-statistics"]
        == []
    )


def test_properties_and_location_change() -> None:
    after = commit(
        table(properties={"a": "1", "b": "2"}),
        {"action": "set-properties", "updates": {"c": "3", "a": "9"}},
        {"action": "remove-properties", "removals": ["b", "unknown"]},
        {"action": "set-location", "location": "/lake/elsewhere/"},
    )
    assert after["properties"] == {"a": "9", "c": "3"}
    assert after["location"] == "/lake/elsewhere"


def test_unused_schemas_and_specs_can_be_forgotten_but_not_the_ones_in_force() -> None:
    wider = schema(*ORDERS["fields"], column(4, "note", "string"))
    base = commit(
        table(), {"action": "add-schema", "schema": wider}, {"action": "set-current-schema", "schema-id": -1}
    )
    assert [
        one["schema-id"] for one in commit(base, {"action": "remove-schemas", "schema-ids": [0]})["schemas"]
    ] == [1]
    with pytest.raises(InvalidMetadataError, match="current one"):
        apply(base, [], [{"action": "remove-schemas", "schema-ids": [1]}], now_ms=NOW)
    with pytest.raises(InvalidMetadataError, match="default one"):
        apply(base, [], [{"action": "remove-partition-specs", "spec-ids": [0]}], now_ms=NOW)


def test_the_log_of_metadata_files_is_as_long_as_the_table_wants() -> None:
    metadata = table(properties={"write.metadata.previous-versions-max": "2"})
    for step in range(5):
        metadata = commit(
            metadata,
            {"action": "set-properties", "updates": {"step": str(step)}},
            previous=f"/lake/{step}.json",
        )
    assert [entry["metadata-file"] for entry in metadata["metadata-log"]] == ["/lake/3.json", "/lake/4.json"]


def test_a_commit_without_effect_gives_back_the_same_document() -> None:
    metadata = table(properties={"a": "1"})
    assert apply(metadata, [], [{"action": "set-properties", "updates": {"a": "1"}}], now_ms=NOW) is metadata


def test_version_1_metadata_of_old_writers_is_read_and_upgraded() -> None:
    old = {
        "format-version": 1,
        "table-uuid": UUID,
        "location": "/lake/orders",
        "last-updated-ms": 1,
        "last-column-id": 3,
        "schema": ORDERS,
        "partition-spec": [{"name": "m", "source-id": 2, "transform": "month"}],
        "properties": {},
        "current-snapshot-id": 5,
        "snapshots": [{"snapshot-id": 5, "timestamp-ms": 1, "manifest-list": "/lake/orders/5.avro"}],
    }
    after = commit(old, *append(6, 0, 5))
    assert after["schema"]["fields"] == ORDERS["fields"]
    assert after["refs"]["main"]["snapshot-id"] == 6
    assert default_spec(after)["fields"][0]["field-id"] == 1000
    newer = commit(after, {"action": "upgrade-format-version", "format-version": 2})
    assert newer["last-sequence-number"] == 0
    assert "schema" not in newer
    with pytest.raises(InvalidMetadataError, match="cannot go back"):
        apply(newer, [], [{"action": "upgrade-format-version", "format-version": 1}], now_ms=NOW)


def test_version_3_numbers_rows_and_refuses_a_writer_that_is_behind() -> None:
    base = commit(table(format_version=3), *append(7, 1, **rows(3, 0, 10)))
    assert base["next-row-id"] == 10
    with pytest.raises(StaleSnapshotError, match="numbers its rows from 5"):
        apply(base, [], append(8, 2, 7, **rows(3, 5, 1)), now_ms=NOW)
    key = {"key-id": "k", "encrypted-key-metadata": "eA=="}
    with_key = commit(base, {"action": "add-encryption-key", "encryption-key": key})
    assert with_key["encryption-keys"] == [key]
    assert commit(with_key, {"action": "remove-encryption-key", "key-id": "k"})["encryption-keys"] == []


@pytest.mark.parametrize(
    "update",
    [
        None,
        [],
        {},
        {"action": "add-colum"},
        {"action": ["add-schema"]},
        {"action": "assign-uuid", "uuid": OTHER_UUID},
        {"action": "upgrade-format-version", "format-version": 4},
        {"action": "set-current-schema", "schema-id": 9},
        {"action": "set-default-spec", "spec-id": -1},
        {"action": "add-spec", "spec": {"fields": [{"name": "x", "source-id": 99, "transform": "month"}]}},
        {"action": "add-spec", "spec": {"fields": [{"name": "x", "source-id": 2, "transform": "months"}]}},
        {"action": "add-spec", "spec": {"fields": [{"name": "id", "source-id": 2, "transform": "month"}]}},
        {"action": "add-snapshot", "snapshot": snapshot(1, 1) | {"summary": {"operation": "vanish"}}},
        {"action": "add-snapshot", "snapshot": {"snapshot-id": 1}},
        {"action": "add-snapshot", "snapshot": snapshot(2**63, 1)},
        {"action": "set-snapshot-ref", "ref-name": "main", "type": "branch", "snapshot-id": 404},
        {"action": "set-properties", "updates": {"a": 1}},
        {"action": "remove-properties", "removals": "a"},
        {"action": "set-location", "location": ""},
        {"action": "enable-row-lineage"},
    ],
)
def test_an_invalid_update_is_refused_and_says_what_is_wrong(update: Any) -> None:
    metadata = table()
    before = copy.deepcopy(metadata)
    with pytest.raises(InvalidMetadataError, match=r"\S+ \S+ \S+"):
        apply(metadata, [], [update], now_ms=NOW)
    assert metadata == before


def test_a_mistyped_update_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(InvalidMetadataError, match="did you mean 'add-schema'"):
        apply(table(), [], [{"action": "add-schemas"}], now_ms=NOW)


def test_every_update_of_the_specification_is_known() -> None:
    """The names are those of the `action` values in the Iceberg REST specification."""
    spec = (
        "assign-uuid upgrade-format-version add-schema set-current-schema add-spec set-default-spec add-sort-order "
        "set-default-sort-order add-snapshot set-snapshot-ref remove-snapshots remove-snapshot-ref set-location "
        "set-properties remove-properties set-statistics remove-statistics set-partition-statistics "
        "remove-partition-statistics remove-partition-specs remove-schemas add-encryption-key remove-encryption-key "
        "enable-row-lineage"
    )
    assert set(ACTIONS) == set(spec.split())
