"""Schemas: which are valid, and how ids are given."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingot.lake.metadata import InvalidMetadataError, check_schema, fresh_ids, highest_id
from tests.lake.metadata.documents import Json, column, schema

NESTED = schema(
    column(0, "id"),
    column(1, "tags", {"type": "list", "element-id": 5, "element": "string", "element-required": False}),
    column(
        2,
        "by_key",
        {
            "type": "map",
            "key-id": 6,
            "key": "string",
            "value-id": 7,
            "value": schema(column(8, "inner", "decimal(10, 2)")),
            "value-required": True,
        },
    ),
)


def test_nested_schemas_are_valid_and_their_highest_id_counts() -> None:
    assert check_schema(NESTED, version=2) is NESTED
    assert highest_id(NESTED) == 8


def test_fresh_ids_count_from_1_level_by_level() -> None:
    fresh, renamed = fresh_ids(NESTED)
    assert [field["id"] for field in fresh["fields"]] == [1, 2, 3]
    assert sorted(renamed.values()) == list(range(1, 8))
    assert renamed[0] == 1
    check_schema(fresh, version=2)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (schema(column(1, "a"), column(1, "b")), "field ids 1 occur twice"),
        (schema(column(1, "a"), column(2, "a")), "names 'a' occur twice"),
        (schema(column(1, "a", "bigint")), "'bigint' of field 'a' is not an Iceberg type"),
        (schema(column(1, "a", "decimal(39, 2)")), "not an Iceberg type"),
        (schema(column(1, "a", "decimal(3, 4)")), "not an Iceberg type"),
        (schema(column(1, "a", "variant")), "needs format version 3"),
        (schema(column(1, "a") | {"initial-default": 5}), "default value, which needs format version 3"),
        (schema(column(1, "")), "non-empty string"),
        (schema(column(-1, "a")), "at least 0"),
        (schema({"id": 1, "name": "a", "type": "long"}), "'required' of field 'a'"),
        (schema(column(1, "a", {"type": "set"})), "struct, list, map"),
        (schema(column(1, "a"), **{"identifier-field-ids": [2]}), "identifier field 2"),
        (schema(column(1, "a"), **{"identifier-field-ids": [1]}), "must be required"),
        ({"type": "list"}, "type 'struct'"),
        (None, "JSON object"),
    ],
)
def test_an_invalid_schema_is_refused_with_its_reason(bad: Any, message: str) -> None:
    with pytest.raises(InvalidMetadataError, match=message.replace("(", r"\(")):
        check_schema(bad, version=2)


def test_version_3_types_and_defaults_are_valid_in_version_3() -> None:
    wide = schema(
        column(1, "v", "variant"),
        column(2, "t", "timestamp_ns"),
        column(3, "g", "geometry(OGC:CRS84)"),
        column(4, "d", "int") | {"initial-default": 5},
    )
    assert check_schema(wide, version=3) is wide


def test_a_schema_that_is_nested_without_end_is_refused() -> None:
    type_: Any = "long"
    for level in range(300):
        type_ = {"type": "list", "element-id": level + 2, "element": type_, "element-required": False}
    with pytest.raises(InvalidMetadataError, match="100 levels"):
        check_schema(schema(column(1, "deep", type_)), version=2)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "fields", "id", "name", "required", "element"]), inner, max_size=5
        )
    ),
    max_leaves=12,
)


@given(_JSON)
def test_whatever_is_not_a_schema_is_refused_in_words(anything: Any) -> None:
    refused: InvalidMetadataError | None = None
    try:
        checked: Json = check_schema(anything, version=2)
    except InvalidMetadataError as error:
        refused = error
    if refused is None:
        assert checked["type"] == "struct"
    else:
        assert refused.message.endswith(".")
