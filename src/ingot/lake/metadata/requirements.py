"""What a commit asserts about the table that it was prepared against."""

from typing import Any

from ingot.lake.metadata.document import Json, number, obj, only, text
from ingot.lake.metadata.errors import RequirementFailedError
from ingot.lake.metadata.table import NO_SNAPSHOT

_NUMBERS = {
    "assert-last-assigned-field-id": ("last-assigned-field-id", "last-column-id", "last assigned field id"),
    "assert-current-schema-id": ("current-schema-id", "current-schema-id", "current schema"),
    "assert-last-assigned-partition-id": (
        "last-assigned-partition-id",
        "last-partition-id",
        "last assigned partition id",
    ),
    "assert-default-spec-id": ("default-spec-id", "default-spec-id", "default partition spec"),
    "assert-default-sort-order-id": ("default-sort-order-id", "default-sort-order-id", "default sort order"),
}
REQUIREMENTS = ("assert-create", "assert-table-uuid", "assert-ref-snapshot-id", *_NUMBERS)


def check(requirement: object, metadata: Json | None) -> None:
    """Returns where the requirement holds for the table (None: it does not exist).

    Raises `RequirementFailedError` where it does not, `InvalidMetadataError` where it is not one.
    """
    asked = obj(requirement, "A requirement")
    kind = only(asked.get("type"), REQUIREMENTS, "The type of a requirement")
    if kind == "assert-create":
        if metadata is not None:
            raise RequirementFailedError("The table exists already.")
        return
    wanted = _wanted(kind, asked)
    if metadata is None:
        raise RequirementFailedError("The table does not exist.")
    if kind == "assert-table-uuid":
        if str(metadata.get("table-uuid")).lower() != str(wanted).lower():
            raise RequirementFailedError(
                f"The table is another one now: its uuid is {metadata.get('table-uuid')}, expected was {wanted}."
            )
    elif kind == "assert-ref-snapshot-id":
        _check_ref(metadata, text(asked.get("ref"), "'ref'"), wanted)
    else:
        _, key, what = _NUMBERS[kind]
        if metadata[key] != wanted:
            raise RequirementFailedError(
                f"The table changed: its {what} is {metadata[key]}, expected was {wanted}."
            )


def asserted_refs(requirements: list[Any]) -> set[str]:
    """The names of the refs whose snapshot the commit asserts."""
    return {
        one["ref"]
        for one in requirements
        if isinstance(one, dict)
        and one.get("type") == "assert-ref-snapshot-id"
        and isinstance(one.get("ref"), str)
    }


def _wanted(kind: str, asked: Json) -> str | int | None:
    if kind == "assert-table-uuid":
        return text(asked.get("uuid"), "'uuid' of assert-table-uuid")
    if kind == "assert-ref-snapshot-id":
        snapshot = asked.get("snapshot-id")
        return None if snapshot is None else number(snapshot, "'snapshot-id' of assert-ref-snapshot-id")
    key = _NUMBERS[kind][0]
    return number(asked.get(key), f"'{key}' of {kind}")


def _check_ref(metadata: Json, ref: str, wanted: str | int | None) -> None:
    found = metadata["refs"].get(ref, {}).get("snapshot-id")
    if wanted == NO_SNAPSHOT:
        wanted = None
    if found == wanted:
        return
    if found is None:
        raise RequirementFailedError(f"The table's ref '{ref}' is gone; expected was snapshot {wanted}.")
    expected = "that it did not exist" if wanted is None else f"snapshot {wanted}"
    raise RequirementFailedError(
        f"The table changed: its ref '{ref}' is at snapshot {found}, expected was {expected}."
    )
