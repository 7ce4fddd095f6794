"""References: what a path or a body names, resolved to a commit, and references as JSON.

`name`, `name@hash`, `@hash`, `-` for the default branch, each followed by any of `~N` (predecessor), `^N`
(parent) and `*time` (the newest commit that is not younger).
"""

import re
from dataclasses import dataclass

from ingot.errors import IngotError, NotFoundError
from ingot.lake.errors import LakeError
from ingot.lake.metadata.document import obj, only, shown
from ingot.lake.model import Ref, RefKind
from ingot.lake.nessie.answer import Json, NessieError, bad_request
from ingot.lake.nessie.fields import maybe
from ingot.lake.nessie.ports import Lake

DEFAULT_BRANCH = "main"
DETACHED = "DETACHED"

_HASH = r"[0-9a-fA-F]{8,64}"
_NAME = r"[A-Za-z](?:(?:(?!\.\.)[A-Za-z0-9./_-])*[A-Za-z0-9_-])?|-"
_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?Z"
_STEPS = rf"(?:[~^][0-9]{{1,9}}|\*(?:{_TIME}|[0-9]{{1,15}}))*"
_SPEC = re.compile(rf"(?P<name>{_NAME})?(?P<at>@)?(?P<hash>(?<=@){_HASH})?(?P<steps>{_STEPS})")
_BARE = re.compile(rf"(?P<hash>{_HASH})(?P<steps>{_STEPS})")
_LATER = re.compile(rf"(?P<hash>{_HASH})?(?P<steps>{_STEPS})")


@dataclass(frozen=True, slots=True)
class Spec:
    """A reference as it was written."""

    name: str | None
    """None: only the hash counts."""
    hash: str | None
    steps: str

    @property
    def bare(self) -> bool:
        """Whether it is a name and nothing else."""
        return self.name is not None and self.hash is None and not self.steps


@dataclass(frozen=True, slots=True)
class At:
    """A commit, and the branch or tag through which it was named."""

    hash: str
    ref: Ref | None = None

    @property
    def shown(self) -> str:
        """The name for messages."""
        return self.ref.name if self.ref else self.hash

    def to_json(self) -> Json:
        """The effective reference: the name with the commit that was read."""
        if self.ref is None:
            return {"type": DETACHED, "hash": self.hash}
        return reference_json(Ref(self.ref.kind, self.ref.name, self.hash))


def reference_json(ref: Ref) -> Json:
    """A branch or tag as JSON."""
    return {"type": ref.kind.value, "name": ref.name, "hash": ref.hash}


def parse(text: str) -> Spec:
    """The parts of a reference in a path."""
    if bare := _BARE.fullmatch(text):
        return Spec(None, bare["hash"], bare["steps"])
    found = _SPEC.fullmatch(text)
    name = None if not found or found["name"] == DETACHED else found["name"]
    if not found or not (name or found["hash"]):
        raise bad_request(
            f"{shown(text)} is not a reference: write a branch, a tag, name@hash, @hash or -, optionally "
            "followed by ~N, ^N or *time."
        )
    return Spec(DEFAULT_BRANCH if name == "-" else name, found["hash"], found["steps"])


def spec_of(name: str | None, hash: str | None) -> Spec:
    """A reference whose name and hash come apart, as in bodies and in v1; the hash may have suffixes."""
    found = _LATER.fullmatch(hash or "")
    if not found:
        raise bad_request(f"{shown(hash)} is not a commit hash: 8 to 64 hex digits, then ~N, ^N or *time.")
    if name is not None and name != DETACHED:
        written = parse(name)
        if written.steps or (written.hash and found["hash"]):
            raise bad_request(f"{shown(name)} is not the name of a branch or tag.")
        return Spec(written.name, found["hash"] or written.hash, found["steps"])
    if not found["hash"]:
        raise bad_request("A detached reference needs a hash.")
    return Spec(None, found["hash"], found["steps"])


def find(lake: Lake, spec: Spec) -> At:
    """The commit of a reference; 404 where there is none."""
    ref = None if spec.name is None else named(lake, spec.name)
    if ref is not None and spec.hash is None and not spec.steps:
        return At(ref.hash, ref)
    base = "" if ref is None else ref.name
    if spec.hash is not None:
        base += f"@{spec.hash}"
    try:
        return At(lake.catalog.resolve(base + spec.steps), ref)
    except NotFoundError as error:
        where = f" in reference '{ref.name}'" if ref else ""
        message = f"There is no commit '{spec.hash or ''}{spec.steps}'{where}."
        raise NessieError(404, "REFERENCE_NOT_FOUND", message) from error
    except IngotError as error:
        if isinstance(error, LakeError):
            raise
        raise bad_request(error.message) from error


def find_path(lake: Lake, text: str) -> At:
    """The commit of a reference in a path."""
    return find(lake, parse(text))


def named(lake: Lake, name: str) -> Ref:
    """The branch or tag of that name; 404 where there is none."""
    return lake.catalog.ref(name)


def expected(lake: Lake, spec: Spec, verb: str, *, kind: RefKind | None = None) -> At:
    """A branch or tag that is to be changed, with the commit that the client believes it to be at.

    The hash must be given, and without suffixes: what the client has seen is a commit, not a place.
    """
    if spec.name is None:
        raise bad_request(f"Only a branch or a tag can be the target of {verb}.")
    ref = named(lake, spec.name)
    if kind is not None and ref.kind is not kind:
        raise bad_request(f"'{ref.name}' is a {ref.kind.lower()}, not a {kind.lower()}.")
    if spec.hash is None:
        raise bad_request(f"To {verb} '{ref.name}', say which commit it is at: the expected hash is missing.")
    if spec.steps:
        raise bad_request(f"To {verb} '{ref.name}', give the expected hash without {spec.steps}.")
    # A branch that was pointed elsewhere has the commit no more: that is a conflict, not a wrong name.
    anywhere = verb in ("assign", "delete")
    found = find(lake, Spec(None, spec.hash, "") if anywhere else spec)
    return At(found.hash, ref)


def target(lake: Lake, body: Json) -> At:
    """The commit of the reference in a body: `{"type", "name", "hash"}`."""
    found = obj(body, "The reference")
    kind = kind_of(found.get("type"), "'type' of the reference", detached=True)
    at = find(lake, spec_of(None if kind == DETACHED else maybe(found, "name"), maybe(found, "hash")))
    if at.ref is not None and at.ref.kind != kind:
        raise bad_request(f"'{at.ref.name}' is a {at.ref.kind.lower()}, not a {kind.lower()}.")
    return at


def kind_of(value: object, what: str, *, detached: bool = False) -> str:
    """`BRANCH` or `TAG` (or `DETACHED`), in any case."""
    allowed = [kind.value for kind in RefKind] + [DETACHED] * detached
    return only(value.upper() if isinstance(value, str) else value, allowed, what)
