"""Updates of a table's shape: version, schemas, partition specs, sort orders."""

from ingot.lake.metadata.document import Json, number, numbers, shown, text
from ingot.lake.metadata.draft import LAST_ADDED, Draft
from ingot.lake.metadata.errors import InvalidMetadataError
from ingot.lake.metadata.partition import check_order, check_spec, numbered_spec, same_spec
from ingot.lake.metadata.schema import check_schema, highest_id, same_schema
from ingot.lake.metadata.table import LATEST_VERSION, current_schema


def assign_uuid(draft: Draft, update: Json) -> None:
    """Names a new table; an existing one keeps its uuid for ever."""
    uuid = text(update.get("uuid"), "'uuid'")
    known = draft["table-uuid"]
    if known is not None and known.lower() != uuid.lower():
        raise InvalidMetadataError(f"The table's uuid is {known} and cannot become {shown(uuid)}.")
    draft["table-uuid"] = known or uuid


def upgrade_format_version(draft: Draft, update: Json) -> None:
    """Raises the format version, never lowers it."""
    wanted = number(update.get("format-version"), "'format-version'", least=1)
    version = draft["format-version"]
    if wanted > LATEST_VERSION:
        raise InvalidMetadataError(
            f"Table format version {wanted} is not known here; the latest is {LATEST_VERSION}."
        )
    if wanted < version and draft["schemas"]:
        raise InvalidMetadataError(f"A table of format version {version} cannot go back to {wanted}.")
    draft["format-version"] = wanted
    if wanted >= 3:
        draft.document.setdefault("next-row-id", 0)


def add_schema(draft: Draft, update: Json) -> None:
    """Adds a schema, or finds that the table has had the same one before."""
    schema = check_schema(update.get("schema"), version=draft["format-version"])
    if update.get("last-column-id") is not None:
        number(update["last-column-id"], "'last-column-id'", least=0)
    draft["last-column-id"] = max(draft["last-column-id"], highest_id(schema))
    asked = schema.get("schema-id")
    for known in draft["schemas"]:
        if same_schema(known, schema):
            draft.added("schemas", asked, known["schema-id"])
            return
    given = _free(asked, [known["schema-id"] for known in draft["schemas"]], first=0)
    draft.append("schemas", {**schema, "schema-id": given})
    draft.added("schemas", asked, given)


def set_current_schema(draft: Draft, update: Json) -> None:
    """Makes a schema the one in force."""
    wanted = number(update.get("schema-id"), "'schema-id'")
    draft["current-schema-id"] = draft.chosen("schemas", "schema-id", wanted)


def remove_schemas(draft: Draft, update: Json) -> None:
    """Forgets schemas, but not the current one."""
    gone = set(numbers(update.get("schema-ids"), "'schema-ids'"))
    if draft["current-schema-id"] in gone:
        raise InvalidMetadataError(
            f"Schema {draft['current-schema-id']} is the current one and cannot be removed."
        )
    draft["schemas"] = [one for one in draft["schemas"] if one["schema-id"] not in gone]


def add_spec(draft: Draft, update: Json) -> None:
    """Adds a partition spec, or finds that the table has had the same one before."""
    asked_spec = check_spec(update.get("spec"), _bound(draft))
    spec, last = numbered_spec(asked_spec, draft["partition-specs"], draft["last-partition-id"])
    asked = spec.get("spec-id")
    for known in draft["partition-specs"]:
        if same_spec(known, spec):
            draft.added("partition-specs", asked, known["spec-id"])
            return
    if draft["format-version"] == 1:
        ids = [field["field-id"] for field in spec["fields"]]
        if ids != list(range(1000, 1000 + len(ids))):
            raise InvalidMetadataError(
                "Partition fields of a version 1 table must be numbered 1000, 1001, ..."
            )
    given = _free(asked, [known["spec-id"] for known in draft["partition-specs"]], first=0)
    draft.append("partition-specs", {**spec, "spec-id": given})
    draft["last-partition-id"] = last
    draft.added("partition-specs", asked, given)


def set_default_spec(draft: Draft, update: Json) -> None:
    """Chooses the partition spec for new files."""
    wanted = number(update.get("spec-id"), "'spec-id'")
    draft["default-spec-id"] = draft.chosen("partition-specs", "spec-id", wanted)


def remove_partition_specs(draft: Draft, update: Json) -> None:
    """Forgets partition specs, but not the default one."""
    gone = set(numbers(update.get("spec-ids"), "'spec-ids'"))
    if draft["default-spec-id"] in gone:
        raise InvalidMetadataError(
            f"Spec {draft['default-spec-id']} is the default one and cannot be removed."
        )
    draft["partition-specs"] = [one for one in draft["partition-specs"] if one["spec-id"] not in gone]


def add_sort_order(draft: Draft, update: Json) -> None:
    """Adds a sort order, or finds that the table has had the same one before."""
    order = check_order(update.get("sort-order"), _bound(draft))
    asked = order.get("order-id")
    for known in draft["sort-orders"]:
        if known["fields"] == order["fields"]:
            draft.added("sort-orders", asked, known["order-id"])
            return
    taken = [known["order-id"] for known in draft["sort-orders"]]
    given = _free(asked, taken, first=1) if order["fields"] else 0
    draft.append("sort-orders", {**order, "order-id": given})
    draft.added("sort-orders", asked, given)


def set_default_sort_order(draft: Draft, update: Json) -> None:
    """Chooses the sort order for new files."""
    wanted = number(update.get("sort-order-id", update.get("order-id")), "'sort-order-id'")
    draft["default-sort-order-id"] = draft.chosen("sort-orders", "order-id", wanted)


def _bound(draft: Draft) -> Json:
    """The schema that a new spec or order speaks of; a client that creates a table may choose it later."""
    known: list[Json] = draft["schemas"]
    if draft["current-schema-id"] == LAST_ADDED and known:
        return known[-1]
    return current_schema(draft.document)


def _free(asked: int | None, taken: list[int], *, first: int) -> int:
    """The id that the client asked for where it is free, else the next one."""
    if asked is not None and asked not in taken and asked >= first:
        return asked
    return max([first - 1, *taken]) + 1
