"""The endpoint that commits: a client's operations against the commit that it has seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ingot.lake.errors import CommitConflictError
from ingot.lake.metadata.document import array, obj, only
from ingot.lake.model import (
    Commit,
    Conflict,
    ConflictType,
    Content,
    ContentType,
    Delete,
    Key,
    Operation,
    Put,
    Ref,
    RefKind,
    Unchanged,
)
from ingot.lake.names import check_part
from ingot.lake.nessie.answer import Answer, Json, bad_request
from ingot.lake.nessie.call import Call
from ingot.lake.nessie.contents import content_of, same
from ingot.lake.nessie.fields import maybe
from ingot.lake.nessie.keys import key_json, key_of
from ingot.lake.nessie.meta import AUTHOR, Meta, meta_of
from ingot.lake.nessie.ports import Lake
from ingot.lake.nessie.refs import At, expected, parse, reference_json, spec_of

_RETRIES_SEEN = 200
"""Commits that are looked through for one that a client sends again because its answer was lost."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The operations of a request as the catalog takes them."""

    operations: tuple[Operation, ...]
    added: tuple[Key, ...]
    """Keys of contents that came without an id."""


def commit(call: Call) -> Answer:
    """Applies the operations to a branch as one commit, or none; 409 with every key in the way."""
    at = branch(call, "commit to")
    assert at.ref is not None
    meta = meta_of(call.body.get("commitMeta"))
    if not (meta.message or "").strip():
        raise bad_request("'message' of 'commitMeta' is missing or empty.")
    seen = call.lake.catalog.entries(at.hash)
    wanted = _wanted(call.lake, array(call.body.get("operations"), "'operations'"), seen)
    made = _commit(call.lake, at, wanted, meta)
    # What was committed, not the branch's head: another writer may be ahead already.
    reference = reference_json(Ref(RefKind.BRANCH, at.ref.name, made.hash))
    if call.version == 1:
        return Answer(reference)
    ids = {one.key: one.content.id for one in made.operations if isinstance(one, Put)}
    added = [{"key": key_json(key), "contentId": ids[key]} for key in wanted.added]
    return Answer({"targetBranch": reference, "addedContents": added})


def branch(call: Call, verb: str) -> At:
    """The branch in the request's path with the commit that the client has seen."""
    if call.version == 1:
        spec = spec_of(call.path["name"], call.parameter("expectedHash"))
    else:
        spec = parse(call.path["ref"])
    return expected(call.lake, spec, verb, kind=RefKind.BRANCH)


def _commit(lake: Lake, at: At, wanted: Wanted, meta: Meta) -> Commit:
    assert at.ref is not None
    _check_names(wanted.operations, lake.catalog.entries(at.ref.hash))
    try:
        return lake.catalog.commit(
            at.ref.name,
            wanted.operations,
            message=meta.message or "",
            author=meta.author or AUTHOR,
            expected=at.hash,
            properties=meta.properties,
        )
    except CommitConflictError:
        if (before := _applied_before(lake, at, wanted, meta)) is not None:
            return before
        raise


def _wanted(lake: Lake, operations: Sequence[object], seen: Mapping[Key, Content]) -> Wanted:
    read = [_read(one) for one in operations]
    deleted = {key for kind, key, _ in read if kind == "DELETE"}
    found: dict[Key, Operation] = {}
    added: list[Key] = []
    conflicts: list[Conflict] = []
    # Deletions first: one that is followed by a new content under the same key makes room for it.
    for kind, key, operation in sorted(read, key=lambda one: one[0] != "DELETE"):
        if key in found and not (kind == "PUT" and isinstance(found[key], Delete)):
            raise bad_request(f"{key_json(key)} occurs twice in one commit.")
        if kind == "DELETE":
            found[key] = Delete(key, seen.get(key))
        elif kind == "UNCHANGED":
            found[key] = Unchanged(key)
        else:
            _check_key(key)
            now = seen.get(key)
            content = content_of(lake, operation.get("content"), key, keep=now)
            is_new = maybe(obj(operation["content"], "'content'"), "id") is None
            if is_new:
                added.append(key)
            elif key in found:
                raise bad_request(f"{key_json(key)}: a content that replaces another has no id yet.")
            ids = {gone.id for deleted_ in deleted if (gone := seen.get(deleted_))}
            conflict = None if is_new else _mismatch(key, content, now, renamed=content.id in ids)
            told = operation.get("expectedContent")
            if conflict is None and told is not None and not (now is not None and same(now, told, key)):
                conflict = Conflict(key, ConflictType.VALUE_DIFFERS, "the key holds another content")
            if conflict is not None:
                conflicts.append(conflict)
            replaces = not is_new or key in deleted
            found[key] = Put(key, content, now if replaces else None)
    if conflicts:
        raise CommitConflictError("Nothing was committed:", conflicts)
    return Wanted(tuple(found.values()), tuple(added))


def _read(value: object) -> tuple[str, Key, Json]:
    operation = obj(value, "Each of 'operations'")
    kind = only(operation.get("type"), ("PUT", "DELETE", "UNCHANGED"), "'type' of an operation")
    return kind, key_of(operation.get("key")), operation


def _mismatch(key: Key, content: Content, now: Content | None, *, renamed: bool) -> Conflict | None:
    """Why a content that has an id cannot be the next version of what the key held."""
    if now is None:
        if renamed:
            return None
        message = "a content with an id changes what is there, and there is nothing"
        return Conflict(key, ConflictType.KEY_DOES_NOT_EXIST, message)
    if now.type != content.type:
        message = f"the key holds a {now.type.value}, not a {content.type.value}"
        return Conflict(key, ConflictType.PAYLOAD_DIFFERS, message)
    if now.id != content.id:
        message = f"the key holds a content with the id {now.id}"
        return Conflict(key, ConflictType.CONTENT_ID_DIFFERS, message)
    return None


def _check_key(key: Key) -> None:
    for part in key:
        check_part(part, ".".join(key))


def _check_names(operations: Sequence[Operation], head: Mapping[Key, Content]) -> None:
    """Refuses names that the lake could keep and SQL could not tell apart or reach."""
    puts = [one for one in operations if isinstance(one, Put)]
    for one in puts:
        if len(one.key) == 1 and one.content.type is not ContentType.NAMESPACE:
            raise bad_request(f"'{one.key[0]}' needs a namespace: tables and views are in one.")
    new = [one.key for one in puts if one.key not in head]
    if not new:
        return
    gone = {one.key for one in operations if isinstance(one, Delete)}
    known = {_folded(key): key for key in head if key not in gone}
    conflicts = []
    for key in new:
        # Parents count too: `Gold.t` beside `gold` would be in a second namespace of that name.
        for length in range(1, len(key) + 1):
            other = known.setdefault(_folded(key[:length]), key[:length])
            if other != key[:length]:
                message = f"the name differs only by case from '{'.'.join(other)}'"
                conflicts.append(Conflict(key, ConflictType.KEY_EXISTS, message))
                break
    if conflicts:
        raise CommitConflictError("Nothing was committed:", conflicts)


def _folded(key: Key) -> Key:
    return tuple(part.casefold() for part in key)


def _applied_before(lake: Lake, at: At, wanted: Wanted, meta: Meta) -> Commit | None:
    """The commit that this very request has made already, told by the metadata files that it names.

    A client that lost the answer asks again; a refusal would make it delete the files that now count.
    """
    effects = {one.key: _effect(one) for one in wanted.operations if not isinstance(one, Unchanged)}
    if not any(one is not None and one.metadata_location for one in effects.values()):
        return None
    assert at.ref is not None
    for commit_ in lake.catalog.log(lake.catalog.ref(at.ref.name).hash, limit=_RETRIES_SEEN):
        if commit_.hash == at.hash:
            return None
        if commit_.message == meta.message and effects == {
            one.key: _effect(one, known=effects.get(one.key)) for one in commit_.operations
        }:
            return commit_
    return None


def _effect(one: Operation, known: Content | None = None) -> Content | None:
    """What an operation puts; with the id of `known`, for a new content was given one by chance."""
    if not isinstance(one, Put):
        return None
    return one.content if known is None else replace(one.content, id=known.id)
