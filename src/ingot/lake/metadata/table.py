"""Table metadata: a new one, a legacy one made regular, and questions that every reader asks of it."""

from collections.abc import Mapping
from typing import Any

from ingot.lake.metadata.document import Json, array, by_id, number, obj, only, strings, text
from ingot.lake.metadata.errors import InvalidMetadataError
from ingot.lake.metadata.partition import FIRST_PARTITION_ID, check_order, check_spec, numbered_spec
from ingot.lake.metadata.schema import check_schema, highest_id
from ingot.lake.metadata.time import now

NO_SNAPSHOT = -1
LATEST_VERSION = 3


def new_table(
    *,
    uuid: str,
    location: str,
    schema: Json,
    spec: Json | None = None,
    order: Json | None = None,
    properties: Mapping[str, str] | None = None,
    format_version: int = 2,
    now_ms: int | None = None,
) -> Json:
    """Metadata of a table without snapshots; raises `InvalidMetadataError`.

    Field ids are taken as they are; partition fields without an id get one from 1000.
    """
    version = int(only(str(format_version), ("1", "2", "3"), "The format version"))
    schema = {"schema-id": 0, **check_schema(schema, version=version)}
    spec = {"spec-id": 0, **check_spec(spec or {"fields": []}, schema)}
    spec, last_partition = numbered_spec(spec, (), FIRST_PARTITION_ID - 1)
    order = check_order(order or {"fields": []}, schema)
    order = {"order-id": 1 if order["fields"] else 0, **order}
    made: Json = {
        **empty_table(version),
        "table-uuid": text(uuid, "The table's uuid"),
        "location": text(location, "The table's location").rstrip("/"),
        "last-updated-ms": now() if now_ms is None else now_ms,
        "last-column-id": highest_id(schema),
        "schemas": [schema],
        "current-schema-id": schema["schema-id"],
        "partition-specs": [spec],
        "default-spec-id": spec["spec-id"],
        "last-partition-id": last_partition,
        "sort-orders": [order],
        "default-sort-order-id": order["order-id"],
        "properties": strings(dict(properties or {}), "The table's properties"),
    }
    return regular(made)


def empty_table(version: int = 2) -> Json:
    """What a table is before the first update of the commit that creates it."""
    return {
        "format-version": version,
        "table-uuid": None,
        "location": None,
        "last-sequence-number": 0,
        "last-updated-ms": 0,
        "last-column-id": 0,
        "schemas": [],
        "current-schema-id": -1,
        "partition-specs": [],
        "default-spec-id": -1,
        "last-partition-id": FIRST_PARTITION_ID - 1,
        "sort-orders": [],
        "default-sort-order-id": -1,
        "properties": {},
        "current-snapshot-id": NO_SNAPSHOT,
        "refs": {},
        "snapshots": [],
        "statistics": [],
        "partition-statistics": [],
        "snapshot-log": [],
        "metadata-log": [],
    }


def expand(metadata: Json) -> Json:
    """The metadata with every list present, whichever writer and version it comes from.

    Version 1 knew one schema and one spec and kept no refs. Raises `InvalidMetadataError` for what is not
    table metadata.
    """
    found = obj(metadata, "Table metadata")
    version = number(found.get("format-version"), "'format-version'", least=1)
    if version > LATEST_VERSION:
        raise InvalidMetadataError(
            f"Table format version {version} is not known here; the latest is {LATEST_VERSION}."
        )
    text(found.get("location"), "'location' of the table")
    full = {**empty_table(version), **{key: value for key, value in found.items() if value is not None}}
    if not full["schemas"] and "schema" in full:
        full["schemas"] = [{"schema-id": 0, **full["schema"]}]
        full["current-schema-id"] = full["schemas"][0]["schema-id"]
    if not full["partition-specs"]:
        spec, last = numbered_spec({"spec-id": 0, "fields": full.get("partition-spec", [])}, (), 999)
        full["partition-specs"], full["default-spec-id"] = [spec], 0
        full["last-partition-id"] = max(last, full["last-partition-id"])
    if not full["sort-orders"]:
        full["sort-orders"], full["default-sort-order-id"] = [{"order-id": 0, "fields": []}], 0
    if full["current-snapshot-id"] != NO_SNAPSHOT and "main" not in full["refs"]:
        main = {"snapshot-id": full["current-snapshot-id"], "type": "branch"}
        full["refs"] = {**full["refs"], "main": main}
    if version >= 3:
        full.setdefault("next-row-id", 0)
    for key in ("schemas", "partition-specs", "sort-orders", "snapshots"):
        array(full[key], f"'{key}'")
    for key in ("current-schema-id", "default-spec-id", "default-sort-order-id"):
        number(full[key], f"'{key}'")
    if full["current-schema-id"] not in by_id(full["schemas"], "schema-id"):
        raise InvalidMetadataError(
            f"The current schema {full['current-schema-id']} is not among the schemas."
        )
    return full


def regular(metadata: Json) -> Json:
    """The metadata as its version wants it written: with the legacy keys of 1, and without later ones."""
    done = dict(metadata)
    version = done["format-version"]
    if version == 1:
        done["schema"] = current_schema(done)
        done["partition-spec"] = default_spec(done)["fields"]
        done.pop("last-sequence-number", None)
        done.pop("next-row-id", None)
    else:
        done.pop("schema", None)
        done.pop("partition-spec", None)
        done.setdefault("last-sequence-number", 0)
    if version >= 3:
        done.setdefault("next-row-id", 0)
        if done["current-snapshot-id"] == NO_SNAPSHOT:
            done.pop("current-snapshot-id")
    return done


def current_schema(metadata: Json) -> Json:
    """The schema in force."""
    return _chosen(metadata, "schemas", "schema-id", "current-schema-id")


def default_spec(metadata: Json) -> Json:
    """The partition spec that new files are written with."""
    return _chosen(metadata, "partition-specs", "spec-id", "default-spec-id")


def default_order(metadata: Json) -> Json:
    """The sort order that new files are written in."""
    return _chosen(metadata, "sort-orders", "order-id", "default-sort-order-id")


def current_snapshot(metadata: Json) -> Json | None:
    """The snapshot of the table's own branch `main`, None while the table is empty."""
    wanted = metadata.get("current-snapshot-id", NO_SNAPSHOT)
    return next((one for one in metadata["snapshots"] if one["snapshot-id"] == wanted), None)


def _chosen(metadata: Json, items: str, key: str, current: str) -> Json:
    found: Any = by_id(metadata[items], key).get(metadata[current])
    if found is None:
        raise InvalidMetadataError(f"'{current}' is {metadata[current]}, which is not among '{items}'.")
    chosen: Json = found
    return chosen
