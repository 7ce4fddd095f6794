"""Endpoints of references: list, get, create, assign, delete, and where one has recently been."""

from ingot.errors import ConflictError
from ingot.lake.errors import CommitConflictError
from ingot.lake.model import ROOT_HASH, Ref, RefKind
from ingot.lake.nessie import filters, pages
from ingot.lake.nessie.answer import Answer, Json, NessieError, bad_request
from ingot.lake.nessie.call import Call
from ingot.lake.nessie.fields import maybe
from ingot.lake.nessie.meta import meta_json
from ingot.lake.nessie.refs import (
    DEFAULT_BRANCH,
    DETACHED,
    Spec,
    expected,
    find,
    kind_of,
    named,
    parse,
    reference_json,
    spec_of,
    target,
)

_RECENT = 50


def config(call: Call) -> Answer:
    """What the server speaks."""
    if call.version == 1:
        return Answer({"defaultBranch": DEFAULT_BRANCH, "maxSupportedApiVersion": 2})
    return Answer(
        {
            "defaultBranch": DEFAULT_BRANCH,
            "minSupportedApiVersion": 1,
            "maxSupportedApiVersion": 2,
            "actualApiVersion": 2,
            "specVersion": "2.2.0",
            "noAncestorHash": ROOT_HASH,
        }
    )


def list_all(call: Call) -> Answer:
    """All branches and tags, in pages."""
    after = pages.token(call, of=1)
    passes = filters.references(call)
    found = [ref for ref in call.lake.catalog.refs() if passes(ref)]
    if after is not None:
        found = [ref for ref in found if ref.name > str(after[0])]
    shown, more = pages.page(found, pages.size(call), lambda ref: pages.encode(ref.name))
    described = _Described(call) if call.fetch_all else reference_json
    return Answer({**more, "references": [described(ref) for ref in shown]})


def get(call: Call) -> Answer:
    """A branch or tag by its name."""
    spec = parse(call.path["ref"])
    if not spec.bare:
        raise bad_request("A reference is fetched by its name alone, without a hash.")
    assert spec.name is not None
    ref = named(call.lake, spec.name)
    return _single(call, _Described(call)(ref) if call.fetch_all else reference_json(ref))


def default(call: Call) -> Answer:
    """The default branch (v1)."""
    return Answer(reference_json(named(call.lake, DEFAULT_BRANCH)))


def create(call: Call) -> Answer:
    """A new branch or tag from the reference in the body."""
    name = call.parameter("name")
    if name is None:
        raise bad_request("The name of the new reference is missing: give 'name'.")
    kind = RefKind(kind_of(call.parameter("type"), "'type'"))
    return _single(call, reference_json(_create(call, kind, name, target(call.lake, call.body).hash)))


def create_v1(call: Call) -> Answer:
    """A new branch or tag as the body says, at a commit of `sourceRefName`."""
    name = maybe(call.body, "name")
    if name is None:
        raise bad_request("The name of the new reference is missing: give 'name'.")
    kind = RefKind(kind_of(call.body.get("type"), "'type'"))
    hash, source = maybe(call.body, "hash"), call.parameter("sourceRefName")
    if source is None and hash is not None:
        source = DETACHED
    at = find(call.lake, spec_of(source or DEFAULT_BRANCH, hash))
    return Answer(reference_json(_create(call, kind, name, at.hash)))


def assign(call: Call) -> Answer:
    """Points a branch or tag at the reference in the body."""
    at = expected(call.lake, _changed(call), "assign", kind=_kind(call))
    assert at.ref is not None
    to = target(call.lake, call.body).hash
    ref = call.lake.catalog.assign_ref(at.ref.name, to, expected=at.hash)
    return Answer(status=204) if call.version == 1 else _single(call, reference_json(ref))


def delete(call: Call) -> Answer:
    """Removes a branch or tag."""
    at = expected(call.lake, _changed(call), "delete", kind=_kind(call))
    assert at.ref is not None
    ref = call.lake.catalog.delete_ref(at.ref.name, expected=at.hash)
    return Answer(status=204) if call.version == 1 else _single(call, reference_json(ref))


def recent_changes(call: Call) -> Answer:
    """Where a reference points, and where it pointed before, newest first: also at what its commits do not tell.

    The state database is consistent or refuses to answer, so every commit that is found is consistent.
    """
    spec = parse(call.path["ref"])
    if not spec.bare:
        raise bad_request("The history of a reference is fetched by its name alone, without a hash.")
    assert spec.name is not None
    ref = named(call.lake, spec.name)
    moves = [move.hash for move in call.lake.catalog.moves(ref.name, limit=_RECENT + 1) if move.hash]
    # It may have moved on since it was looked up.
    before = moves[moves.index(ref.hash) + 1 :] if ref.hash in moves else []
    return Answer(
        {
            "reference": reference_json(ref),
            "current": _state(call, ref.hash),
            "previous": [_state(call, hash) for hash in before],
            "commitLogConsistency": "NOT_CHECKED",
        }
    )


class _Described:
    """References with their newest commit, and how far they are from the default branch."""

    def __init__(self, call: Call) -> None:
        self._call = call
        main = call.lake.catalog.ref(DEFAULT_BRANCH)
        self._main = [commit.hash for commit in call.lake.catalog.log(main.hash)]
        self._place = {hash: place for place, hash in enumerate(self._main)}

    def __call__(self, ref: Ref) -> Json:
        found = reference_json(ref)
        if ref.hash == ROOT_HASH:
            return found
        commit = self._call.lake.catalog.commit_of(ref.hash)
        about: Json = {"commitMetaOfHEAD": meta_json(commit, version=self._call.version)}
        if ref.name == DEFAULT_BRANCH:
            about["numTotalCommits"] = len(self._main)
        else:
            about |= self._distance(ref)
        return {**found, "metadata": about}

    def _distance(self, ref: Ref) -> Json:
        ahead, common = 0, ROOT_HASH
        for commit in self._call.lake.catalog.log(ref.hash):
            if commit.hash in self._place:
                common = commit.hash
                break
            ahead += 1
        behind = self._place.get(common, len(self._main))
        return {
            "numCommitsAhead": ahead,
            "numCommitsBehind": behind,
            "commonAncestorHash": common,
            "numTotalCommits": ahead + len(self._main) - behind,
        }


def _state(call: Call, hash: str) -> Json:
    meta = None if hash == ROOT_HASH else meta_json(call.lake.catalog.commit_of(hash), version=2)
    return {"commitHash": hash, "commitConsistency": "COMMIT_CONSISTENT", "meta": meta}


def _single(call: Call, reference: Json) -> Answer:
    return Answer(reference if call.version == 1 else {"reference": reference})


def _create(call: Call, kind: RefKind, name: str, at: str) -> Ref:
    try:
        return call.lake.catalog.create_ref(kind, name, at)
    except CommitConflictError:
        raise
    except ConflictError as error:
        raise NessieError(409, "REFERENCE_ALREADY_EXISTS", error.message) from error


def _changed(call: Call) -> Spec:
    if call.version == 1:
        return spec_of(call.path["name"], call.parameter("expectedHash"))
    return parse(call.path["ref"])


def _kind(call: Call) -> RefKind | None:
    """Which kind of reference the client takes it to be, where it says so."""
    if call.version == 1:
        return RefKind(kind_of(call.path["kind"], "the kind of reference in the path"))
    asked = call.parameter("type")
    return None if asked is None else RefKind(kind_of(asked, "'type'"))
