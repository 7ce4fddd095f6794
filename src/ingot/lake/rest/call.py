"""One request as the endpoints see it: the ref it speaks of, names from its path, and its JSON body."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import quote, unquote

import orjson

from ingot.errors import NotFoundError
from ingot.lake.metadata.document import Json, text, texts
from ingot.lake.model import Key, RefKind
from ingot.lake.names import check_part
from ingot.lake.rest.answer import RestError
from ingot.lake.rest.ports import Lake

SEPARATOR = "\x1f"
"""Between the levels of a namespace, and for the `/` in the name of a ref."""

DEFAULT_REF = "main"
_DEEPEST = 200


@dataclass(frozen=True, slots=True)
class At:
    """What the prefix of a request's path stands for."""

    spec: str
    hash: str
    branch: str | None
    """The branch that a write goes to; None where the prefix names something that cannot move."""
    catalog: str | None = None
    """What the client calls this catalog in its SQL, where it says so."""


@dataclass(frozen=True)
class Call:
    """One request, its body read."""

    lake: Lake
    path: Mapping[str, str]
    query: Mapping[str, str]
    raw: bytes
    agent: str = ""

    @cached_property
    def at(self) -> At:
        """The ref of the prefix; raises `NotFoundError`."""
        return find(self.lake, decode_prefix(self.path["prefix"]))

    @property
    def branch(self) -> str:
        """The branch to write to; 403 where the prefix is a tag or a commit."""
        if self.at.branch is None:
            raise RestError(
                403,
                "ForbiddenException",
                f"'{self.at.spec}' is a tag or a fixed commit, which never changes: write to a branch.",
            )
        return self.at.branch

    @cached_property
    def body(self) -> Json:
        """The JSON object in the body; 400 where there is none."""
        try:
            found = orjson.loads(self.raw)
        except orjson.JSONDecodeError as error:
            raise RestError(400, "BadRequestException", f"The body is not JSON: {error}") from error
        if not isinstance(found, dict):
            raise RestError(400, "BadRequestException", "The body must be a JSON object.")
        if _depth(found) > _DEEPEST:
            raise RestError(400, "BadRequestException", f"The body is nested deeper than {_DEEPEST} levels.")
        return found

    @property
    def namespace(self) -> Key:
        """The namespace of the path."""
        return tuple(self.path["namespace"].split(SEPARATOR))

    def key(self, name: str) -> Key:
        """The content key of the table or view that the path names."""
        return (*self.namespace, self.path[name])


def find(lake: Lake, asked: str) -> At:
    """What `asked` means: a ref, tag, commit or moment, and behind a `|` the client's name for the catalog.

    Raises `NotFoundError` with the nearest name.
    """
    spec, _, name = asked.partition("|")
    try:
        ref = lake.catalog.ref(spec)
    except NotFoundError:
        commit = lake.catalog.resolve(spec.removeprefix("@"))
        return At(spec, commit, None, name or None)
    return At(spec, ref.hash, ref.name if ref.kind is RefKind.BRANCH else None, name or None)


def encode_prefix(at: At) -> str:
    """What `find` found as a part of a path: clients join and split paths at `/`, so it must not hold one."""
    asked = at.spec if at.catalog is None else f"{at.spec}|{at.catalog}"
    return quote(asked.replace("/", SEPARATOR), safe="@:")


def decode_prefix(prefix: str) -> str:
    """What `encode_prefix` was made of; a client that encoded it once more is understood."""
    return unquote(prefix).replace(SEPARATOR, "/")


def identifier(value: object, what: str) -> Key:
    """A table's or view's key out of `{"namespace": [...], "name": ...}`, fit to be created."""
    found = value if isinstance(value, dict) else {}
    levels = texts(found.get("namespace"), f"'namespace' of {what}")
    if not levels:
        raise RestError(400, "BadRequestException", f"'namespace' of {what} is empty.")
    key = (*levels, text(found.get("name"), f"'name' of {what}"))
    return checked(key)


def checked(key: Key) -> Key:
    """The key, each part of which may be the name of something new; raises `InvalidNameError`."""
    for part in key:
        check_part(part, ".".join(key))
    return key


def _depth(value: object) -> int:
    deepest, level = 0, [value]
    while level:
        deepest += 1
        inner: list[object] = []
        for item in level:
            if isinstance(item, dict):
                inner.extend(item.values())
            elif isinstance(item, list):
                inner.extend(item)
        level = inner
    return deepest
