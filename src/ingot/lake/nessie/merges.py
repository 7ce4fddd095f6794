"""The endpoints that bring commits from elsewhere to a branch: merge and transplant."""

from collections.abc import Iterable
from itertools import islice, takewhile

from ingot.lake.errors import CommitConflictError
from ingot.lake.metadata.document import obj, only
from ingot.lake.model import (
    Commit,
    Conflict,
    Content,
    ContentType,
    Key,
    KeyMerge,
    MergeMode,
    MergeResult,
)
from ingot.lake.nessie.answer import Answer, Json, bad_request, conflict_json
from ingot.lake.nessie.call import Call
from ingot.lake.nessie.commits import branch
from ingot.lake.nessie.contents import content_of, same
from ingot.lake.nessie.fields import flag, listed, maybe, plain
from ingot.lake.nessie.keys import key_json, key_of
from ingot.lake.nessie.meta import AUTHOR, Meta, entry_json, meta_of
from ingot.lake.nessie.refs import At, find, spec_of

_SHOWN = 100
"""Commits of the source that an answer of v1 lists at the most."""


def merge(call: Call) -> Answer:
    """Merges a reference into the branch as one commit whose second parent is the reference's head."""
    body, at = call.body, branch(call, "merge into")
    assert at.ref is not None
    into = at.ref.name
    if flag(body, "keepIndividualCommits"):
        raise bad_request("A merge makes one commit; to keep the single ones, transplant them.")
    source = find(call.lake, spec_of(_from(body), maybe(body, "fromHash")))
    meta = _meta(body)
    modes = _modes(call, into)
    default = _mode(body.get("defaultKeyMergeMode"), "'defaultKeyMergeMode'")

    def attempt(*, dry_run: bool) -> MergeResult:
        # The commit that the client has seen need not be the head: keys are compared one by one.
        return call.lake.merge(
            source.hash,
            into,
            message=meta.message or f"Merge '{source.shown}' into '{into}'",
            author=meta.author or AUTHOR,
            properties=meta.properties,
            modes=modes,
            default_mode=default,
            dry_run=dry_run,
        )

    head = call.lake.catalog.ref(into).hash
    try:
        result = attempt(dry_run=flag(body, "dryRun"))
    except CommitConflictError:
        result = attempt(dry_run=True)
        if not result.conflicts or not flag(body, "returnConflictAsResult"):
            raise
    log = takewhile(lambda one: one.hash != result.common_ancestor, call.lake.catalog.log(source.hash))
    return _answer(call, at, result, head, modes=(modes, default), source=islice(log, _SHOWN))


def transplant(call: Call) -> Answer:
    """Replays commits of a reference on the branch, each as a commit of its own, oldest first."""
    body, at = call.body, branch(call, "transplant onto")
    assert at.ref is not None
    onto = at.ref.name
    hashes = [plain(one, "each of 'hashesToTransplant'") for one in listed(body, "hashesToTransplant")]
    if not hashes:
        raise bad_request("'hashesToTransplant' names no commit.")
    name = _from(body)
    commits = [find(call.lake, spec_of(name, hash)).hash for hash in hashes]
    meta = _meta(body)
    modes = _modes(call, onto)
    if any(one.resolved or one.expected for one in modes.values()):
        raise bad_request("Expected and resolved contents are for merges, which make one commit.")
    default = _mode(body.get("defaultKeyMergeMode"), "'defaultKeyMergeMode'")

    def attempt(*, dry_run: bool) -> MergeResult:
        return call.lake.catalog.transplant(
            commits,
            onto,
            # One text for several commits would say nothing about any of them.
            message=meta.message if len(commits) == 1 else None,
            author=meta.author if len(commits) == 1 else None,
            modes=modes,
            default_mode=default,
            dry_run=dry_run,
        )

    head = call.lake.catalog.ref(onto).hash
    try:
        result = attempt(dry_run=flag(body, "dryRun"))
    except CommitConflictError:
        result = attempt(dry_run=True)
        if not result.conflicts or not flag(body, "returnConflictAsResult"):
            raise
    log = (call.lake.catalog.commit_of(hash) for hash in commits[:_SHOWN])
    return _answer(call, at, result, head, modes=(modes, default), source=log)


def _answer(
    call: Call,
    at: At,
    result: MergeResult,
    head: str,
    *,
    modes: tuple[dict[Key, KeyMerge], MergeMode],
    source: Iterable[Commit],
) -> Answer:
    if result.conflicts and not flag(call.body, "returnConflictAsResult"):
        raise CommitConflictError("There are conflicts:", result.conflicts)
    if result.commits:
        head = call.lake.catalog.commit_of(result.commits[0]).parents[0]
    assert at.ref is not None
    body: Json = {
        "wasApplied": result.applied,
        "wasSuccessful": not result.conflicts,
        "resultantTargetHash": result.hash,
        "commonAncestor": result.common_ancestor,
        "targetBranch": at.ref.name,
        "effectiveTargetHash": head,
        "expectedHash": at.hash,
        "details": _details(call, result, *modes),
    }
    if call.version == 1:
        body["sourceCommits"] = [entry_json(one, version=1, operations=False) for one in source]
        body["targetCommits"] = None
    return Answer(body)


def _details(call: Call, result: MergeResult, modes: dict[Key, KeyMerge], default: MergeMode) -> list[Json]:
    conflicts: dict[Key, Conflict] = {one.key: one for one in result.conflicts}
    found: list[Json] = []
    for key in sorted({*result.changed, *conflicts, *modes} - {()}):
        mode = modes[key].mode if key in modes else default
        one: Json = {"key": key_json(key), "mergeBehavior": mode.value}
        conflict = conflicts.get(key)
        if call.version == 1:
            kind = "NONE" if conflict is None else "UNRESOLVABLE"
            one |= {"conflictType": kind, "sourceCommits": [], "targetCommits": []}
        elif conflict is not None:
            one["conflict"] = conflict_json(conflict)
        found.append(one)
    return found


def _from(body: Json) -> str:
    name = maybe(body, "fromRefName")
    if name is None:
        raise bad_request("'fromRefName' is missing.")
    return name


def _meta(body: Json) -> Meta:
    """Message and author: `message` as older clients send it, or those in `commitMeta`."""
    meta = Meta(None, None) if body.get("commitMeta") is None else meta_of(body["commitMeta"])
    message = maybe(body, "message") or meta.message or None
    return Meta(message, meta.author, meta.properties)


def _modes(call: Call, into: str) -> dict[Key, KeyMerge]:
    found: dict[Key, KeyMerge] = {}
    asked = listed(call.body, "keyMergeModes")
    held = call.lake.catalog.entries(call.lake.catalog.ref(into).hash) if asked else {}
    for value in asked:
        one = obj(value, "each of 'keyMergeModes'")
        key = key_of(one.get("key"))
        if key in found:
            raise bad_request(f"{key_json(key)} occurs twice in 'keyMergeModes'.")
        expected = one.get("expectedTargetContent")
        resolved = one.get("resolvedContent")
        if resolved is not None and expected is None:
            raise bad_request(f"{key_json(key)}: 'resolvedContent' needs 'expectedTargetContent'.")
        now = held.get(key)
        found[key] = KeyMerge(
            _mode(one.get("mergeBehavior"), "'mergeBehavior'"),
            None if expected is None else _believed(expected, key, now),
            None if resolved is None else content_of(call.lake, resolved, key, keep=now),
        )
    return found


def _believed(value: object, key: Key, now: Content | None) -> Content:
    """The content that the client takes the target to hold: the one that it does hold, or else none such."""
    if now is not None and same(now, value, key):
        return now
    return Content(ContentType.TABLE, "")


def _mode(value: object, what: str) -> MergeMode:
    if value is None:
        return MergeMode.NORMAL
    modes = [mode.value for mode in MergeMode]
    return MergeMode(only(value.upper() if isinstance(value, str) else value, modes, what))
