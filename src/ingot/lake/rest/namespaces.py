"""Endpoints of namespaces."""

from uuid import uuid4

from ingot.lake.errors import CommitConflictError
from ingot.lake.metadata.document import strings, texts
from ingot.lake.model import ConflictType, Content, ContentType, Delete, Key, Put
from ingot.lake.names import dotted
from ingot.lake.rest import documents, names
from ingot.lake.rest.answer import Answer, RestError, exists, no_namespace
from ingot.lake.rest.call import SEPARATOR, Call
from ingot.lake.rest.pages import page


def list_all(call: Call) -> Answer:
    """The namespaces directly below `parent`, or at the top."""
    parent = tuple(call.query["parent"].split(SEPARATOR)) if call.query.get("parent") else ()
    if parent:
        load_content(call, parent)
    found = [
        key
        for key, content in call.lake.catalog.entries(call.at.hash, prefix=parent).items()
        if content.type is ContentType.NAMESPACE and len(key) == len(parent) + 1
    ]
    shown, token = page(found, call.query)
    return Answer(body={"namespaces": [list(key) for key in shown], "next-page-token": token})


def create(call: Call) -> Answer:
    """A new namespace with properties."""
    branch = call.branch
    wanted = tuple(texts(call.body.get("namespace"), "'namespace'"))
    if not wanted:
        raise RestError(400, "BadRequestException", "'namespace' is empty.")
    key = names.free(call, wanted)
    properties = strings(call.body.get("properties") or {}, "'properties'")
    content = Content(ContentType.NAMESPACE, str(uuid4()), properties=properties)
    try:
        call.lake.catalog.commit(
            branch, [Put(key, content)], message=f"Create namespace {dotted(key)}", author="iceberg-rest"
        )
    except CommitConflictError as error:
        kinds = {conflict.type for conflict in error.conflicts}
        if ConflictType.KEY_EXISTS in kinds:
            raise exists("namespace", dotted(key)) from error
        raise no_namespace(dotted(key[:-1])) from error
    return Answer(body={"namespace": list(key), "properties": properties})


def load(call: Call) -> Answer:
    """A namespace and its properties, with the place for its tables.

    Trino makes a table in one commit only where it knows the place; without, it refuses after a half.
    """
    content = load_content(call, call.namespace)
    place = {"location": documents.namespace_location(call.lake, call.namespace)}
    return Answer(body={"namespace": list(call.namespace), "properties": {**place, **content.properties}})


def head(call: Call) -> Answer:
    """204 where the namespace exists."""
    load_content(call, call.namespace)
    return Answer(204)


def drop(call: Call) -> Answer:
    """Removes an empty namespace."""
    branch, key = call.branch, call.namespace
    content = load_content(call, key)
    try:
        call.lake.catalog.commit(
            branch, [Delete(key, content)], message=f"Drop namespace {dotted(key)}", author="iceberg-rest"
        )
    except CommitConflictError as error:
        if {conflict.type for conflict in error.conflicts} == {ConflictType.NAMESPACE_NOT_EMPTY}:
            raise RestError(
                409, "NamespaceNotEmptyException", f"The namespace '{dotted(key)}' is not empty."
            ) from error
        raise
    return Answer(204)


def properties(call: Call) -> Answer:
    """Sets and removes properties of a namespace."""
    branch, key = call.branch, call.namespace
    updates = strings(call.body.get("updates") or {}, "'updates'")
    removals = texts(call.body.get("removals") or [], "'removals'")
    if both := sorted(set(updates) & set(removals)):
        raise RestError(
            422,
            "UnprocessableEntityException",
            f"{', '.join(both)}: asked to be set and to be removed at once.",
        )
    content = load_content(call, key)
    kept = {name: value for name, value in content.properties.items() if name not in removals}
    wanted = {**kept, **updates}
    if wanted != dict(content.properties):
        changed = Content(content.type, content.id, properties=wanted)
        call.lake.catalog.commit(
            branch,
            [Put(key, changed, expected=content)],
            message=f"Set properties of namespace {dotted(key)}",
            author="iceberg-rest",
        )
    removed = sorted({name for name in removals if name in content.properties})
    missing = sorted({name for name in removals if name not in content.properties})
    return Answer(body={"updated": sorted(updates), "removed": removed, "missing": missing})


def load_content(call: Call, key: Key) -> Content:
    """The namespace's content at the request's ref; 404 where there is none."""
    content = call.lake.catalog.content(call.at.hash, key)
    if content is None or content.type is not ContentType.NAMESPACE:
        raise no_namespace(dotted(key))
    return content
