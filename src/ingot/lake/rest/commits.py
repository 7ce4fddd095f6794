"""Commits of clients: requirements checked, metadata files written, one commit in the catalog.

The catalog compares key by key, so a branch that other writers move is no conflict. Where a table itself
has moved in between, the commit is prepared again on what it is now: its requirements decide. A plain append
that was prepared on an earlier state is put behind what other appends have added since. After the
catalog has said yes nothing is read or written any more, so that a client is never told of a failure that
did not happen.
"""

import contextlib
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import uuid4

from ingot.errors import ConflictError
from ingot.lake import metadata as iceberg
from ingot.lake import rebase
from ingot.lake.errors import CommitConflictError, MissingFileError
from ingot.lake.graft import NotAppendedError
from ingot.lake.metadata.document import Json, array, obj
from ingot.lake.metadata.errors import InvalidMetadataError, RequirementFailedError, StaleSnapshotError
from ingot.lake.metadata.time import now
from ingot.lake.model import ConflictType, Content, ContentType, Key, Operation, Put
from ingot.lake.names import dotted
from ingot.lake.rest import clients, documents
from ingot.lake.rest.answer import RestError, exists, no_namespace
from ingot.lake.rest.ports import Lake
from ingot.lake.staged import table_content, view_content

AUTHOR = "iceberg-rest"
T = TypeVar("T")
_ATTEMPTS = 50
_TURNS = [threading.Lock() for _ in range(64)]


@dataclass(frozen=True, slots=True)
class Change:
    """What a client wants of one table."""

    key: Key
    requirements: Sequence[object]
    updates: Sequence[object]
    agent: str = ""
    """The client, as it names itself."""

    @staticmethod
    def of(key: Key, body: Json, agent: str) -> "Change":
        """The change in the body of a commit request."""
        return Change(
            key,
            array(body.get("requirements") or [], "'requirements'"),
            array(body.get("updates") or [], "'updates'"),
            agent,
        )


@dataclass(frozen=True, slots=True)
class Stored:
    """A document and where it is kept."""

    content: Content
    document: Json


def commit_tables(lake: Lake, branch: str, changes: Sequence[Change], message: str) -> list[Stored]:
    """Applies all changes in one commit of the catalog, or none; what each table is then."""
    # Writers of one table take turns here, which is cheaper than to prepare in vain. Other processes are
    # not seen: between them, the catalog decides.
    with contextlib.ExitStack() as turns:
        for place in sorted({hash((branch, change.key)) % len(_TURNS) for change in changes}):
            turns.enter_context(_TURNS[place])
        return _until_settled(lambda: _try_tables(lake, branch, changes, message))


def commit_new(
    lake: Lake, branch: str, key: Key, type_: ContentType, *, document: Json, message: str
) -> Stored:
    """Writes the document of a new table or view and puts it under the key."""
    location = documents.write(document, None)
    content = content_of(type_, str(uuid4()), location, document)
    _commit(lake, branch, [Put(key, content)], message=message, written=[location])
    return Stored(content, document)


def commit_view(lake: Lake, branch: str, change: Change, message: str) -> Stored:
    """Applies a change to a view."""

    def attempt() -> Stored:
        head = lake.catalog.ref(branch).hash
        stored = load(lake, head, change.key, ContentType.VIEW)
        document = iceberg.apply_view(stored.document, change.requirements, change.updates, now_ms=now())
        if document is stored.document:
            return stored
        location = documents.write(document, stored.content.metadata_location)
        content = content_of(ContentType.VIEW, stored.content.id, location, document)
        puts = [Put(change.key, content, expected=stored.content)]
        _commit(lake, branch, puts, expected=head, message=message, written=[location])
        return Stored(content, document)

    return _until_settled(attempt)


def load(lake: Lake, at: str, key: Key, type_: ContentType) -> Stored:
    """The table or view under the key at a commit; 404 where there is none."""
    content = lake.catalog.content(at, key)
    if content is None or content.type is not type_:
        kind = "table" if type_ is ContentType.TABLE else "view"
        if lake.catalog.content(at, key[:-1]) is None:
            raise no_namespace(dotted(key[:-1]))
        raise RestError(404, f"NoSuch{kind.capitalize()}Exception", f"There is no {kind} '{dotted(key)}'.")
    return Stored(content, documents.read(content.metadata_location))


def content_of(type_: ContentType, content_id: str, location: str, document: Json) -> Content:
    """The catalog's record of a document that is stored at `location`."""
    record = view_content if type_ is ContentType.VIEW else table_content
    return record(document, location, content_id)


def refused(error: CommitConflictError) -> Exception:
    """The catalog's refusal as the specification names it."""
    for conflict in error.conflicts:
        if conflict.type is ConflictType.NAMESPACE_ABSENT:
            return no_namespace(dotted(conflict.key[:-1]))
        if conflict.type is ConflictType.KEY_EXISTS:
            return exists("table or view", dotted(conflict.key))
    return error


def _try_tables(lake: Lake, branch: str, changes: Sequence[Change], message: str) -> list[Stored]:
    head = lake.catalog.ref(branch).hash
    before = [_present(lake, head, change.key) for change in changes]
    if _applied_before(before, changes):
        return [stored for stored in before if stored is not None]
    after: list[Stored] = []
    puts: list[Operation] = []
    written: list[str] = []
    try:
        prepared = [
            _prepare(lake, change, stored, written) for change, stored in zip(changes, before, strict=True)
        ]
        for change, stored, document in zip(changes, before, prepared, strict=True):
            if stored is not None and document is stored.document:
                after.append(stored)
                continue
            old = None if stored is None else stored.content
            location = documents.write(document, old.metadata_location if old else None)
            written.append(location)
            content = content_of(ContentType.TABLE, old.id if old else str(uuid4()), location, document)
            after.append(Stored(content, document))
            puts.append(Put(change.key, content, expected=old))
    except BaseException:
        documents.discard(written)
        raise
    if puts:
        _commit(lake, branch, puts, expected=head, message=message, written=written)
    return after


def _present(lake: Lake, head: str, key: Key) -> Stored | None:
    content = lake.catalog.content(head, key)
    if content is None:
        return None
    if content.type is not ContentType.TABLE:
        raise exists(content.type.value.removeprefix("ICEBERG_").lower(), dotted(key))
    return Stored(content, documents.read(content.metadata_location))


def _applied_before(before: Sequence[Stored | None], changes: Sequence[Change]) -> bool:
    """Whether this is the same request once more, told by the snapshots that it adds.

    One commit is applied as a whole, so changes without a snapshot were applied if the others were.
    """
    tells = [
        iceberg.is_replay(
            stored.document if stored else None, list(change.requirements), list(change.updates)
        )
        or rebase.is_replay(stored.document if stored else None, change.updates)
        for stored, change in zip(before, changes, strict=True)
        if any(
            isinstance(update, dict) and update.get("action") == "add-snapshot" for update in change.updates
        )
    ]
    return bool(tells) and all(tells) and None not in before


def _prepare(lake: Lake, change: Change, stored: Stored | None, written: list[str]) -> Json:
    creates = any(obj(one, "A requirement").get("type") == "assert-create" for one in change.requirements)
    if stored is None and not creates:
        raise RestError(404, "NoSuchTableException", f"There is no table '{dotted(change.key)}'.")
    try:
        document = iceberg.apply(
            None if stored is None else stored.document,
            change.requirements,
            change.updates,
            now_ms=now(),
            previous=None if stored is None else stored.content.metadata_location,
        )
    except (RequirementFailedError, StaleSnapshotError) as error:
        if stored is None:
            raise type(error)(f"{dotted(change.key)}: {error.message}") from error
        if _made_just_now(lake, change, stored):
            return stored.document
        document = _rebased(lake, change, stored, error, written)
    documents.check_inside(lake, document["location"])
    if stored is not None and document is not stored.document:
        clients.check(lake, change.agent, change.key, stored.document, document)
    return document


def _made_just_now(lake: Lake, change: Change, stored: Stored) -> bool:
    """Whether the change, made on what the table was before its last one, is what the table is now.

    So a change of columns that is sent again is known, although no snapshot tells.
    """
    if not (log := stored.document.get("metadata-log")):
        return False
    previous = log[-1]["metadata-file"]
    try:
        documents.check_inside(lake, previous)
        again = iceberg.apply(
            documents.read(previous), change.requirements, change.updates, now_ms=now(), previous=previous
        )
    except (ConflictError, InvalidMetadataError, MissingFileError, RestError):
        return False
    return {**iceberg.expand(stored.document), "last-updated-ms": 0} == {
        **iceberg.expand(again),
        "last-updated-ms": 0,
    }


def _rebased(lake: Lake, change: Change, stored: Stored, error: ConflictError, written: list[str]) -> Json:
    """The table with the client's rows behind those that others have added meanwhile, or the refusal."""
    try:
        return rebase.of_commit(
            stored.document,
            change.requirements,
            change.updates,
            previous=stored.content.metadata_location,
            check=lambda location: documents.check_inside(lake, location),
            written=written,
        )
    except (NotAppendedError, MissingFileError) as reason:
        raise type(error)(
            f"{dotted(change.key)}: {error.message} Its rows cannot be put behind the others': {str(reason).rstrip('.')}."
        ) from error


def _commit(
    lake: Lake,
    branch: str,
    operations: Sequence[Operation],
    *,
    message: str,
    written: Sequence[str],
    expected: str | None = None,
) -> None:
    try:
        lake.catalog.commit(branch, operations, message=message, author=AUTHOR, expected=expected)
    except ConflictError:
        documents.discard(written)
        raise


def _until_settled(attempt: Callable[[], T]) -> T:
    """The attempt's result; tried again where another writer was faster, for it may not be in the way."""
    for tried in range(_ATTEMPTS):
        try:
            return attempt()
        except CommitConflictError as error:
            last = error
            if refused(error) is not error and not _raced(error):
                raise refused(error) from error
        time.sleep(random.uniform(0, 0.001) * min(tried, 20))  # noqa: S311 (spreads processes that race)
    raise last


def _raced(error: CommitConflictError) -> bool:
    """Whether looking again can help; a missing namespace stays missing."""
    return all(conflict.type is not ConflictType.NAMESPACE_ABSENT for conflict in error.conflicts)
