"""Endpoints of tables."""

from uuid import uuid4

from ingot.lake import metadata as iceberg
from ingot.lake.errors import CommitConflictError, MissingFileError
from ingot.lake.metadata.document import Json, number, obj, strings, text
from ingot.lake.metadata.errors import InvalidMetadataError
from ingot.lake.model import ContentType, Delete, Key, Put
from ingot.lake.names import dotted
from ingot.lake.rest import commits, documents, names, namespaces
from ingot.lake.rest.answer import Answer, RestError, exists, no_namespace
from ingot.lake.rest.call import Call, checked, identifier
from ingot.lake.rest.pages import page
from ingot.lake.rest.shown import shown


def list_all(call: Call) -> Answer:
    """The names of the tables of a namespace."""
    return _listed(call, ContentType.TABLE)


def list_views(call: Call) -> Answer:
    """The names of the views of a namespace."""
    return _listed(call, ContentType.VIEW)


def create(call: Call) -> Answer:
    """A new table; with `stage-create`, only what it would be, for a commit that follows."""
    branch = call.branch
    namespaces.load_content(call, call.namespace)
    key = names.free(call, (*call.namespace, text(call.body.get("name"), "'name'")))
    document = _new(call, key)
    documents.make_folders(document["location"])
    if call.body.get("stage-create") is True:
        return Answer(body={"metadata": shown(document), "config": {}})
    stored = _put_new(call, branch, key, document, f"Create table {dotted(key)}")
    return _loaded(stored)


def load(call: Call) -> Answer:
    """A table's metadata, with all its snapshots or, for `snapshots=refs`, those that refs point at."""
    stored = commits.load(call.lake, call.at.hash, call.key("table"), ContentType.TABLE)
    return _loaded(stored, only_refs=call.query.get("snapshots") == "refs")


def head(call: Call) -> Answer:
    """204 where the table exists."""
    return _exists(call, call.key("table"), ContentType.TABLE)


def commit(call: Call) -> Answer:
    """Applies updates to one table, or creates it from a staged one."""
    branch, key = call.branch, call.key("table")
    change = commits.Change.of(key, call.body, call.agent)
    _check_identifier(call.body, key)
    stored = commits.commit_tables(call.lake, branch, [change], f"Commit to {dotted(key)}")[0]
    return Answer(
        body={"metadata-location": stored.content.metadata_location, "metadata": shown(stored.document)}
    )


def commit_many(call: Call) -> Answer:
    """Applies updates to many tables in one commit of the catalog, or none of them."""
    branch = call.branch
    asked = call.body.get("table-changes")
    if not isinstance(asked, list) or not asked:
        raise RestError(
            400, "BadRequestException", "'table-changes' must be an array with at least one change."
        )
    changes = []
    for item in asked:
        body = obj(item, "A table change")
        changes.append(
            commits.Change.of(identifier(body.get("identifier"), "'identifier'"), body, call.agent)
        )
    keys = [change.key for change in changes]
    for key in keys:
        if keys.count(key) > 1:
            raise RestError(
                400, "BadRequestException", f"'{dotted(key)}' is changed twice in one transaction."
            )
    commits.commit_tables(call.lake, branch, changes, f"Commit to {', '.join(map(dotted, keys))}")
    return Answer(204)


def drop(call: Call) -> Answer:
    """Removes the table from the branch; its files stay for the refs and commits that have it."""
    return _drop(call, call.key("table"), ContentType.TABLE)


def drop_view(call: Call) -> Answer:
    """Removes the view from the branch."""
    return _drop(call, call.key("view"), ContentType.VIEW)


def rename(call: Call) -> Answer:
    """Gives a table another name, in the same namespace or in another."""
    return _rename(call, ContentType.TABLE)


def rename_view(call: Call) -> Answer:
    """Gives a view another name."""
    return _rename(call, ContentType.VIEW)


def register(call: Call) -> Answer:
    """Puts a table under a name whose metadata file exists already in the warehouse."""
    branch = call.branch
    namespaces.load_content(call, call.namespace)
    key = checked((*call.namespace, text(call.body.get("name"), "'name'")))
    location = text(call.body.get("metadata-location"), "'metadata-location'")
    documents.check_inside(call.lake, location)
    try:
        document = documents.read(location)
    except MissingFileError as error:
        raise RestError(400, "BadRequestException", error.message) from error
    iceberg.expand(document)
    documents.check_inside(call.lake, document["location"])
    before = call.lake.catalog.content(call.at.hash, key)
    if before is None:
        names.free(call, key)
    elif call.body.get("overwrite") is not True or before.type is not ContentType.TABLE:
        raise exists(before.type.value.removeprefix("ICEBERG_").lower(), dotted(key))
    content = commits.content_of(
        ContentType.TABLE, before.id if before else str(uuid4()), location, iceberg.expand(document)
    )
    try:
        call.lake.catalog.commit(
            branch,
            [Put(key, content, expected=before)],
            message=f"Register {dotted(key)}",
            author=commits.AUTHOR,
        )
    except CommitConflictError as error:
        raise commits.refused(error) from error
    return _loaded(commits.Stored(content, document))


def metrics(call: Call) -> Answer:
    """Takes a scan or commit report, of which nothing is kept."""
    _exists(call, call.key("table"), ContentType.TABLE)
    obj(call.body, "A report")
    return Answer(204)


def credentials(call: Call) -> Answer:
    """None: a client opens files with what it has, be it a shared folder or keys of its own."""
    _exists(call, call.key("table"), ContentType.TABLE)
    return Answer(body={"storage-credentials": []})


def head_view(call: Call) -> Answer:
    """204 where the view exists."""
    return _exists(call, call.key("view"), ContentType.VIEW)


def _new(call: Call, key: Key) -> Json:
    body = call.body
    properties = dict(strings(body.get("properties") or {}, "'properties'"))
    asked = properties.pop("format-version", "2")
    version = number(int(asked) if asked in ("1", "2", "3") else None, "The property 'format-version'")
    schema = iceberg.check_schema(body.get("schema"), version=version)
    spec, order = body.get("partition-spec"), body.get("write-order")
    if any(field["id"] == 0 for field in schema["fields"]):
        schema, renamed = iceberg.fresh_ids(schema)
        spec, order = _following(spec, renamed), _following(order, renamed)
    location = body.get("location")
    if location is None:
        location = documents.new_location(call.lake, key)
    documents.check_inside(call.lake, text(location, "'location'"))
    return iceberg.new_table(
        uuid=str(uuid4()),
        location=location,
        schema=schema,
        spec=None if spec is None else obj(spec, "'partition-spec'"),
        order=None if order is None else obj(order, "'write-order'"),
        properties=properties,
        format_version=version,
    )


def _following(fielded: object, renamed: dict[int, int]) -> object:
    """A spec or order whose sources follow the new ids of a schema."""
    if not isinstance(fielded, dict) or not isinstance(fielded.get("fields"), list):
        return fielded
    fields = []
    for field in fielded["fields"]:
        source = field.get("source-id") if isinstance(field, dict) else None
        fields.append(
            {**field, "source-id": renamed[source]}
            if isinstance(source, int) and source in renamed
            else field
        )
    return {**fielded, "fields": fields}


def _put_new(call: Call, branch: str, key: Key, document: Json, message: str) -> commits.Stored:
    try:
        return commits.commit_new(
            call.lake, branch, key, ContentType.TABLE, document=document, message=message
        )
    except CommitConflictError as error:
        raise commits.refused(error) from error


def _loaded(stored: commits.Stored, *, only_refs: bool = False) -> Answer:
    document = shown(stored.document)
    if only_refs:
        kept = {ref["snapshot-id"] for ref in (document.get("refs") or {}).values()}
        document["snapshots"] = [one for one in document.get("snapshots") or [] if one["snapshot-id"] in kept]
    location = stored.content.metadata_location
    return Answer(body={"metadata-location": location, "metadata": document, "config": {}})


def _listed(call: Call, type_: ContentType) -> Answer:
    namespace = call.namespace
    namespaces.load_content(call, namespace)
    found = [
        key
        for key, content in call.lake.catalog.entries(call.at.hash, prefix=namespace).items()
        if content.type is type_ and len(key) == len(namespace) + 1
    ]
    shown, token = page(found, call.query)
    listed = [{"namespace": list(key[:-1]), "name": key[-1]} for key in shown]
    return Answer(body={"identifiers": listed, "next-page-token": token})


def _exists(call: Call, key: Key, type_: ContentType) -> Answer:
    content = call.lake.catalog.content(call.at.hash, key)
    if content is None or content.type is not type_:
        raise _missing(key, type_)
    return Answer(204)


def _missing(key: Key, type_: ContentType) -> RestError:
    kind = "table" if type_ is ContentType.TABLE else "view"
    return RestError(404, f"NoSuch{kind.capitalize()}Exception", f"There is no {kind} '{dotted(key)}'.")


def _drop(call: Call, key: Key, type_: ContentType) -> Answer:
    branch = call.branch
    content = call.lake.catalog.content(call.at.hash, key)
    if content is None or content.type is not type_:
        raise _missing(key, type_)
    call.lake.catalog.commit(branch, [Delete(key)], message=f"Drop {dotted(key)}", author=commits.AUTHOR)
    return Answer(204)


def _rename(call: Call, type_: ContentType) -> Answer:
    branch = call.branch
    source = identifier(call.body.get("source"), "'source'")
    target = identifier(call.body.get("destination"), "'destination'")
    content = call.lake.catalog.content(call.at.hash, source)
    if content is None or content.type is not type_:
        raise _missing(source, type_)
    if call.lake.catalog.content(call.at.hash, target[:-1]) is None:
        raise no_namespace(dotted(target[:-1]))
    names.free(call, target, besides=source)
    try:
        call.lake.catalog.commit(
            branch,
            [Delete(source, content), Put(target, content)],
            message=f"Rename {dotted(source)} to {dotted(target)}",
            author=commits.AUTHOR,
            expected=call.at.hash,
        )
    except CommitConflictError as error:
        raise commits.refused(error) from error
    return Answer(204)


def _check_identifier(body: Json, key: Key) -> None:
    if body.get("identifier") is not None and identifier(body["identifier"], "'identifier'") != key:
        raise InvalidMetadataError(f"The path names '{dotted(key)}', the body another table.")
