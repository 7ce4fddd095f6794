"""Endpoints of views that differ from those of tables."""

from uuid import uuid4

from ingot.lake import metadata as iceberg
from ingot.lake.errors import CommitConflictError
from ingot.lake.metadata.document import obj, strings, text
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
        version=obj(body.get("view-version"), "'view-version'"),
        properties=strings(body.get("properties") or {}, "'properties'"),
    )
    try:
        message = f"Create view {dotted(key)}"
        stored = commits.commit_new(
            call.lake, branch, key, ContentType.VIEW, document=document, message=message
        )
    except CommitConflictError as error:
        raise commits.refused(error) from error
    return _loaded(stored)


def load(call: Call) -> Answer:
    """A view's metadata."""
    return _loaded(commits.load(call.lake, call.at.hash, call.key("view"), ContentType.VIEW))


def replace(call: Call) -> Answer:
    """Applies updates to a view."""
    branch, key = call.branch, call.key("view")
    change = commits.Change.of(key, call.body, call.agent)
    return _loaded(commits.commit_view(call.lake, branch, change, f"Commit to view {dotted(key)}"))


def _loaded(stored: commits.Stored) -> Answer:
    location = stored.content.metadata_location
    return Answer(body={"metadata-location": location, "metadata": stored.document, "config": {}})
