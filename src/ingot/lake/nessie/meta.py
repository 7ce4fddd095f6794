"""Commit metadata: what a client sends with a commit, and commits as JSON.

A commit of the lake has one author and one text for each property. Where Nessie allows more (several
authors, several values, a sign-off), the whole is kept as JSON in one reserved property.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from ingot.lake.metadata.document import array, obj, shown
from ingot.lake.model import Commit, Delete, Put
from ingot.lake.nessie.answer import Json, bad_request
from ingot.lake.nessie.contents import content_json
from ingot.lake.nessie.fields import maybe, plain
from ingot.lake.nessie.keys import key_json

AUTHOR = "nessie"
_MORE = "nessie.commit-meta"
_LONGEST = 100_000


@dataclass(frozen=True, slots=True)
class Meta:
    """What a client says about a commit."""

    message: str | None
    author: str | None
    properties: Mapping[str, str] = field(default_factory=dict)


def meta_of(value: object) -> Meta:
    """The metadata in a request; everything may be absent. Raises a 400."""
    found = obj(value, "'commitMeta'")
    if maybe(found, "committer"):
        raise bad_request("'committer' is set by the server.")
    message = found.get("message")
    if message is not None and len(plain(message, "'message'")) > _LONGEST:
        raise bad_request(f"'message' is longer than {_LONGEST} characters.")
    authors = _many(found, "authors", "author")
    signed = _many(found, "allSignedOffBy", "signedOffBy")
    properties = _properties(found)
    when = maybe(found, "authorTime")
    more: Json = {}
    if len(authors) > 1:
        more["authors"] = authors
    if signed:
        more["signedOffBy"] = signed
    if when is not None:
        more["authorTime"] = stamp(_moment(when))
    if several := {name: values for name, values in properties.items() if len(values) != 1}:
        more["properties"] = several
    flat = {name: values[0] for name, values in properties.items() if len(values) == 1}
    if more:
        flat[_MORE] = orjson.dumps(more).decode()
    return Meta(message, authors[0] if authors else None, flat)


def meta_json(commit: Commit, *, version: int) -> Json:
    """A commit's metadata as JSON of the API's version."""
    more: dict[str, Any] = orjson.loads(commit.properties.get(_MORE, "{}"))
    authors = more.get("authors") or [commit.author]
    signed = more.get("signedOffBy") or []
    properties = {name: [value] for name, value in commit.properties.items() if name != _MORE}
    properties |= more.get("properties") or {}
    time = stamp(commit.time)
    found: Json = {
        "hash": commit.hash,
        "committer": "",
        "message": commit.message,
        "commitTime": time,
        "authorTime": more.get("authorTime") or time,
    }
    if version == 1:
        return found | {
            "author": authors[0],
            "signedOffBy": signed[0] if signed else None,
            "properties": {name: values[0] for name, values in properties.items() if values},
        }
    return found | {
        "authors": authors,
        "allSignedOffBy": signed,
        "allProperties": properties,
        "parentCommitHashes": list(commit.parents),
    }


def entry_json(commit: Commit, *, version: int, operations: bool) -> Json:
    """A commit as an entry of the log."""
    found: Json = {
        "commitMeta": meta_json(commit, version=version),
        "parentCommitHash": commit.parents[0],
    }
    if operations:
        found["operations"] = [_operation(one, version) for one in commit.operations]
    return found


def stamp(time: datetime) -> str:
    """A time as Nessie writes it."""
    return time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _operation(one: Put | Delete, version: int) -> Json:
    if isinstance(one, Delete):
        return {"type": "DELETE", "key": key_json(one.key)}
    content = content_json(one.content, one.key, version=version)
    return {"type": "PUT", "key": key_json(one.key), "content": content}


def _many(found: Json, several: str, single: str) -> list[str]:
    """The strings of a list, or the one of the field that v1 knows."""
    if found.get(several) is not None:
        values = [plain(one, f"each of '{several}'") for one in array(found[several], f"'{several}'")]
    else:
        values = [plain(found[single], f"'{single}'")] if found.get(single) is not None else []
    return [value for value in values if value]


def _properties(found: Json) -> dict[str, list[str]]:
    given: Json = {}
    if found.get("allProperties") is not None:
        given = obj(found["allProperties"], "'allProperties'")
    elif found.get("properties") is not None:
        given = {name: [value] for name, value in obj(found["properties"], "'properties'").items()}
    if _MORE in given:
        raise bad_request(f"The property '{_MORE}' is reserved.")
    return {
        plain(name, "the name of a property"): [
            plain(value, f"the property {shown(name)}")
            for value in array(values, f"the property {shown(name)}")
        ]
        for name, values in given.items()
    }


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise bad_request(f"'authorTime' is not a time: {shown(text)}.") from error
