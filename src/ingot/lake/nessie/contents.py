"""Contents as Nessie's JSON, in both directions.

Clients of Nessie write the metadata files themselves and commit where they are. A location is taken only
where the file is in the warehouse, can be read, and says what the content says: what has been accepted can
be read by every other client, too.
"""

from dataclasses import replace
from uuid import uuid4

from ingot.errors import IngotError
from ingot.lake import manifests
from ingot.lake import metadata as iceberg
from ingot.lake.metadata.document import number, obj, only, shown, text, texts
from ingot.lake.model import Content, ContentType, Key
from ingot.lake.nessie.answer import Json, bad_request
from ingot.lake.nessie.fields import mapped, maybe, plain
from ingot.lake.nessie.ports import Lake
from ingot.lake.rest import documents
from ingot.lake.staged import read_json, table_content, view_content

_TYPES = tuple(one.value for one in ContentType)


def content_json(content: Content, key: Key, *, version: int = 2) -> Json:
    """A content as JSON of the API's version."""
    found: Json = {"type": content.type.value, "id": content.id}
    if content.type is ContentType.NAMESPACE:
        found["elements"] = list(key)
        # The `nessie` command, which alone speaks v1 here, fails on any field that it does not know.
        return found if version == 1 else {**found, "properties": dict(content.properties)}
    found["metadataLocation"] = content.metadata_location
    if content.type is ContentType.TABLE:
        return found | {
            "snapshotId": content.snapshot_id,
            "schemaId": content.schema_id,
            "specId": content.spec_id,
            "sortOrderId": content.sort_order_id,
        }
    found |= {"versionId": content.snapshot_id, "schemaId": content.schema_id}
    return found | _sql(content) if version == 1 else found


def content_of(lake: Lake, value: object, key: Key, *, keep: Content | None = None) -> Content:
    """The content that a client wants to put under a key; its files are looked at.

    Without an id it is a new one. `keep` is what the key holds: where the client says nothing about the
    properties of a namespace, they stay. Raises a 400 for what cannot be accepted.
    """
    found = obj(value, "'content'")
    kind = ContentType(only(found.get("type"), _TYPES, "'type' of a content (what this lake holds)"))
    id = maybe(found, "id") or str(uuid4())
    if kind is ContentType.NAMESPACE:
        return _namespace(found, key, id, keep)
    location = plain(text(found.get("metadataLocation"), "'metadataLocation'"), "'metadataLocation'")
    content = _stored(lake, kind, location, id)
    told = {"versionId": content.snapshot_id, "schemaId": content.schema_id}
    if kind is ContentType.TABLE:
        told = {
            "snapshotId": content.snapshot_id,
            "schemaId": content.schema_id,
            "specId": content.spec_id,
            "sortOrderId": content.sort_order_id,
        }
    for name, real in told.items():
        if found.get(name) is None or number(found[name], f"'{name}'") != real:
            raise bad_request(f"'{name}' is {shown(found.get(name))}, but {location} says that it is {real}.")
    return content


def same(content: Content, value: object, key: Key) -> bool:
    """Whether what a client believes a key to hold is what it holds."""
    found = obj(value, "an expected content")
    real = content_json(content, key)
    return all(found[name] == real[name] for name in found.keys() & real.keys() if found[name] is not None)


def _namespace(found: Json, key: Key, id: str, keep: Content | None) -> Content:
    elements = texts(found.get("elements"), "'elements' of a namespace")
    if tuple(elements) != key:
        raise bad_request(f"The namespace's elements {shown(elements)} are not its key {list(key)}.")
    properties = mapped(found, "properties")
    if found.get("properties") is None and keep is not None and keep.type is ContentType.NAMESPACE:
        properties = dict(keep.properties)
    return Content(ContentType.NAMESPACE, id, properties=properties)


def _stored(lake: Lake, kind: ContentType, location: str, id: str) -> Content:
    """The content that the file at a location describes."""
    try:
        documents.check_inside(lake, location)
        document = read_json(location)
        content = _table(lake, document) if kind is ContentType.TABLE else _view(lake, document)
    except (IngotError, AttributeError, KeyError, TypeError, ValueError, IndexError) as error:
        if isinstance(error, IngotError) and error.status >= 500:
            raise
        reason = (
            error.message if isinstance(error, IngotError) else f"it is not what it should be ({error!r})."
        )
        what = "table" if kind is ContentType.TABLE else "view"
        raise bad_request(
            f"{shown(location)} cannot be used as the metadata of a {what}: {reason}"
        ) from error
    return replace(content, id=id, metadata_location=location)


def _table(lake: Lake, document: Json) -> Content:
    full = iceberg.expand(document)
    documents.check_inside(lake, full["location"])
    iceberg.check_schema(iceberg.current_schema(full), version=full["format-version"])
    iceberg.default_spec(full)
    iceberg.default_order(full)
    snapshot = iceberg.current_snapshot(full)
    if snapshot is None and full["current-snapshot-id"] != iceberg.NO_SNAPSHOT:
        raise bad_request(f"its current snapshot {full['current-snapshot-id']} is not among its snapshots.")
    if snapshot is not None and "manifest-list" in snapshot:
        documents.check_inside(lake, snapshot["manifest-list"])
        manifests.list_rows(snapshot["manifest-list"])
    return table_content(full, "", "")


def _view(lake: Lake, document: Json) -> Content:
    version = iceberg.current_version(document)
    schema = next(one for one in document["schemas"] if one["schema-id"] == version["schema-id"])
    documents.check_inside(lake, text(document.get("location"), "'location'"))
    # A new view of the same parts: refused for the same reasons.
    iceberg.new_view(
        uuid=text(document.get("view-uuid"), "'view-uuid'"),
        location=document["location"],
        schema=schema,
        version=version,
        properties=document.get("properties") or {},
    )
    return view_content(document, "", "")


def _sql(content: Content) -> Json:
    """The statement of a view, which v1 tells beside its location."""
    try:
        version = iceberg.current_version(documents.read(content.metadata_location))
    except IngotError:
        return {"sqlText": "", "dialect": ""}  # the file of an old commit may be gone
    first = version["representations"][0]
    return {"sqlText": first["sql"], "dialect": first["dialect"]}
