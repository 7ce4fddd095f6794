"""View metadata: a new view, and one commit on a view."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ingot.lake.metadata.document import (
    Json,
    array,
    by_id,
    duplicates,
    number,
    obj,
    only,
    shown,
    strings,
    text,
    texts,
)
from ingot.lake.metadata.draft import LAST_ADDED, Draft
from ingot.lake.metadata.errors import InvalidMetadataError, RequirementFailedError
from ingot.lake.metadata.schema import check_schema, same_schema
from ingot.lake.metadata.time import now

_KEPT_VERSIONS = "version.history.num-entries"


def new_view(
    *,
    uuid: str,
    location: str,
    schema: Json,
    version: Json,
    properties: Mapping[str, str] | None = None,
    now_ms: int | None = None,
) -> Json:
    """Metadata of a view with one version; raises `InvalidMetadataError`."""
    updates: list[Json] = [
        {"action": "assign-uuid", "uuid": uuid},
        {"action": "set-location", "location": location},
        {"action": "set-properties", "updates": dict(properties or {})},
        {"action": "add-schema", "schema": schema},
        {
            "action": "add-view-version",
            "view-version": {**obj(version, "A view version"), "schema-id": LAST_ADDED},
        },
        {"action": "set-current-view-version", "view-version-id": LAST_ADDED},
    ]
    return apply_view(None, [], updates, now_ms=now() if now_ms is None else now_ms)


def apply_view(
    metadata: Json | None, requirements: Sequence[Any], updates: Sequence[Any], *, now_ms: int
) -> Json:
    """The view's metadata after the commit; `metadata` itself where nothing changes.

    Raises `RequirementFailedError` where the view is another one now, `InvalidMetadataError` where a
    requirement or update is not valid.
    """
    for requirement in requirements:
        _check(requirement, metadata)
    empty: Json = {
        "view-uuid": None,
        "format-version": 1,
        "location": None,
        "schemas": [],
        "current-version-id": -1,
        "versions": [],
        "version-log": [],
        "properties": {},
    }
    draft = Draft(document={**empty, **(metadata or {})}, now_ms=now_ms)
    for update in updates:
        action = obj(update, "An update").get("action")
        change = _ACTIONS.get(action) if isinstance(action, str) else None
        if change is None:
            raise InvalidMetadataError(
                f"There is no view update {shown(action)}; known are {', '.join(_ACTIONS)}."
            )
        change(draft, update)
    if metadata is not None and draft.document == {**empty, **metadata}:
        return metadata
    for key, update in (("view-uuid", "assign-uuid"), ("location", "set-location")):
        if draft[key] is None:
            raise InvalidMetadataError(f"The commit makes a new view but has no update '{update}'.")
    draft.chosen("versions", "version-id", draft["current-version-id"])
    _forget_versions(draft)
    return draft.document


def _check(requirement: object, metadata: Json | None) -> None:
    asked = obj(requirement, "A requirement")
    kind = only(asked.get("type"), ("assert-view-uuid", "assert-create"), "The type of a view requirement")
    if kind == "assert-create":
        if metadata is not None:
            raise RequirementFailedError("The view exists already.")
        return
    uuid = text(asked.get("uuid"), "'uuid' of assert-view-uuid")
    found = None if metadata is None else metadata.get("view-uuid")
    if found is None or found.lower() != uuid.lower():
        raise RequirementFailedError(
            f"The view is another one now: its uuid is {found}, expected was {uuid}."
        )


def _assign_uuid(draft: Draft, update: Json) -> None:
    uuid = text(update.get("uuid"), "'uuid'")
    if draft["view-uuid"] not in (None, uuid):
        raise InvalidMetadataError(
            f"The view's uuid is {draft['view-uuid']} and cannot become {shown(uuid)}."
        )
    draft["view-uuid"] = uuid


def _upgrade(_draft: Draft, update: Json) -> None:
    wanted = number(update.get("format-version"), "'format-version'", least=1)
    if wanted != 1:
        raise InvalidMetadataError(f"View format version {wanted} is not known here; the latest is 1.")


def _set_location(draft: Draft, update: Json) -> None:
    draft["location"] = text(update.get("location"), "'location'").rstrip("/") or "/"


def _set_properties(draft: Draft, update: Json) -> None:
    draft["properties"] = {
        **draft["properties"],
        **strings(update.get("updates"), "'updates' of set-properties"),
    }


def _remove_properties(draft: Draft, update: Json) -> None:
    gone = set(texts(update.get("removals"), "'removals' of remove-properties"))
    draft["properties"] = {key: value for key, value in draft["properties"].items() if key not in gone}


def _add_schema(draft: Draft, update: Json) -> None:
    schema = check_schema(update.get("schema"), version=3)
    asked = schema.get("schema-id")
    for known in draft["schemas"]:
        if same_schema(known, schema):
            draft.added("schemas", asked, known["schema-id"])
            return
    taken = [known["schema-id"] for known in draft["schemas"]]
    given = asked if asked is not None and asked not in taken else max([-1, *taken]) + 1
    draft.append("schemas", {**schema, "schema-id": given})
    draft.added("schemas", asked, given)


def _add_version(draft: Draft, update: Json) -> None:
    version = obj(update.get("view-version"), "'view-version'")
    asked = number(version.get("version-id", 1), "'version-id'", least=0)
    number(version.get("timestamp-ms"), "'timestamp-ms' of the view version", least=0)
    strings(version.get("summary"), "'summary' of the view version")
    texts(version.get("default-namespace"), "'default-namespace' of the view version")
    if version.get("default-catalog") is not None and not isinstance(version["default-catalog"], str):
        raise InvalidMetadataError("'default-catalog' of the view version must be a string.")
    dialects = [_dialect(item) for item in array(version.get("representations"), "'representations'")]
    if not dialects:
        raise InvalidMetadataError("A view version needs at least one representation.")
    for twice in duplicates(dialects):
        raise InvalidMetadataError(f"The view version has two representations in the dialect '{twice}'.")
    schema_id = draft.chosen(
        "schemas", "schema-id", number(version.get("schema-id"), "'schema-id' of the view version")
    )
    wanted = {**version, "schema-id": schema_id}
    for known in draft["versions"]:
        if _same_version(known, wanted):
            draft.added("versions", asked, known["version-id"])
            return
    taken = [known["version-id"] for known in draft["versions"]]
    given = asked if asked not in taken else max(taken) + 1
    draft.append("versions", {**wanted, "version-id": given})
    draft.added("versions", asked, given)


def _dialect(item: object) -> str:
    found = obj(item, "A representation")
    only(found.get("type"), ("sql",), "The type of a representation")
    text(found.get("sql"), "'sql' of a representation")
    return text(found.get("dialect"), "'dialect' of a representation").lower()


def _same_version(one: Json, other: Json) -> bool:
    ignored = ("version-id", "timestamp-ms", "summary")
    return {key: value for key, value in one.items() if key not in ignored} == {
        key: value for key, value in other.items() if key not in ignored
    }


def _set_version(draft: Draft, update: Json) -> None:
    wanted = number(update.get("view-version-id"), "'view-version-id'")
    chosen = draft.chosen("versions", "version-id", wanted)
    if draft["current-version-id"] != chosen:
        draft["current-version-id"] = chosen
        draft.append("version-log", {"timestamp-ms": draft.now_ms, "version-id": chosen})


def _forget_versions(draft: Draft) -> None:
    """Keeps as many versions as the view's property says (10), the current one always among them."""
    text_ = draft["properties"].get(_KEPT_VERSIONS, "10")
    if not (text_.isascii() and text_.isdigit() and 1 <= len(text_) <= 9 and int(text_) > 0):
        raise InvalidMetadataError(
            f"The property {_KEPT_VERSIONS} must be a positive whole number, not {shown(text_)}."
        )
    current = draft["current-version-id"]
    others = [one["version-id"] for one in draft["versions"] if one["version-id"] != current]
    kept = {current, *(others[-(int(text_) - 1) :] if int(text_) > 1 else [])}
    draft["versions"] = [one for one in draft["versions"] if one["version-id"] in kept]
    log: list[Json] = []
    for entry in draft["version-log"]:
        log = [*log, entry] if entry["version-id"] in kept else []
    draft["version-log"] = log


def current_version(metadata: Json) -> Json:
    """The version of the view that is in force."""
    found: Json = by_id(metadata["versions"], "version-id")[metadata["current-version-id"]]
    return found


_ACTIONS: dict[str, Callable[[Draft, Json], None]] = {
    "assign-uuid": _assign_uuid,
    "upgrade-format-version": _upgrade,
    "set-location": _set_location,
    "set-properties": _set_properties,
    "remove-properties": _remove_properties,
    "add-schema": _add_schema,
    "add-view-version": _add_version,
    "set-current-view-version": _set_version,
}
