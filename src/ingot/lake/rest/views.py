"""Endpoints of views that differ from those of tables.

A view's `default-catalog` is the engine's own name for a catalog. Where that is this one, it is not kept: the view is
to read the tables of the ref on which it is looked at, whatever the reader calls that.
"""

from typing import Any
from uuid import uuid4

from ingot.lake import metadata as iceberg
from ingot.lake.errors import CommitConflictError
from ingot.lake.metadata.document import Json, obj, strings, text
from ingot.lake.model import ContentType
from ingot.lake.names import dotted
from ingot.lake.rest import commits, documents, names, namespaces
from ingot.lake.rest.answer import Answer
from ingot.lake.rest.call import Call


def create(call: Call) -> Answer:
    """A new view."""
    branch, body = call.branch, call.body
    namespaces.load_content(call, call.namespace)
    key = names.free(call, (*call.namespace, text(body.get("name"), "'name'")))
    location = body.get("location")
    if location is None:
        location = documents.new_location(call.lake, key)
    documents.check_inside(call.lake, text(location, "'location'"))
    document = iceberg.new_view(
        uuid=str(uuid4()),
        location=location,
        schema=obj(body.get("schema"), "'schema'"),
        version=_kept(call, obj(body.get("view-version"), "'view-version'")),
        properties=strings(body.get("properties") or {}, "'properties'"),
    )
    try:
        message = f"Create view {dotted(key)}"
        stored = commits.commit_new(
            call.lake, branch, key, ContentType.VIEW, document=document, message=message
        )
    except CommitConflictError as error:
        raise commits.refused(error) from error
    return _loaded(call, stored)


def load(call: Call) -> Answer:
    """A view's metadata."""
    return _loaded(call, commits.load(call.lake, call.at.hash, call.key("view"), ContentType.VIEW))


def replace(call: Call) -> Answer:
    """Applies updates to a view."""
    branch, key = call.branch, call.key("view")
    body = call.body
    if isinstance(body.get("updates"), list):
        body = {**body, "updates": [_update(call, one) for one in body["updates"]]}
    change = commits.Change.of(key, body, call.agent)
    return _loaded(call, commits.commit_view(call.lake, branch, change, f"Commit to view {dotted(key)}"))


def _update(call: Call, update: Any) -> Any:
    if isinstance(update, dict) and isinstance(update.get("view-version"), dict):
        return {**update, "view-version": _kept(call, update["view-version"])}
    return update


def _kept(call: Call, version: Json) -> Json:
    if call.at.catalog is None or version.get("default-catalog") != call.at.catalog:
        return version
    return {name: value for name, value in version.items() if name != "default-catalog"}


def _loaded(call: Call, stored: commits.Stored) -> Answer:
    document = stored.document
    if call.at.catalog is not None:
        own = {"default-catalog": call.at.catalog}
        # Null is not a name.
        versions = [
            one if one.get("default-catalog") is not None else one | own for one in document["versions"]
        ]
        document = document | {"versions": versions}
    location = stored.content.metadata_location
    return Answer(body={"metadata-location": location, "metadata": document, "config": {}})
