"""Endpoints of what a commit holds: the list of keys, single contents, and the difference of two commits."""

from collections.abc import Callable
from typing import Any

from ingot.lake.metadata.document import array
from ingot.lake.model import Content, Key
from ingot.lake.nessie import filters, pages
from ingot.lake.nessie.answer import Answer, Json, bad_request, no_content
from ingot.lake.nessie.call import Call
from ingot.lake.nessie.contents import content_json
from ingot.lake.nessie.keys import from_path, key_json, key_of
from ingot.lake.nessie.refs import DEFAULT_BRANCH, At, Spec, find, find_path, parse, spec_of


def list_all(call: Call) -> Answer:
    """The keys at a commit with the types of their contents, in pages."""
    last = pages.token(call, of=2)
    at = _at(call)
    if last is not None:
        at = _continued(call, at, last[0])
    wanted, passes = _range(call), filters.entries(call)
    held = call.lake.catalog.entries(at.hash)
    after = None if last is None else _key_in(last[1])
    found = [
        (key, held[key])
        for key in sorted(held)
        if (after is None or key > after) and wanted(key) and passes(key, held[key])
    ]
    shown, more = pages.page(found, pages.size(call), lambda entry: pages.encode(at.hash, list(entry[0])))
    if call.version == 1:
        plain = [{"name": key_json(key), "type": content.type.value} for key, content in shown]
        return Answer({**more, "entries": plain})
    full = call.flag("content")
    return Answer(
        {
            **more,
            "entries": [_entry(key, content, full=full) for key, content in shown],
            "effectiveReference": at.to_json(),
        }
    )


def get(call: Call) -> Answer:
    """The content of one key; 404 where it holds nothing."""
    at, key = _at(call), from_path(call.path["key"])
    content = call.lake.catalog.content(at.hash, key)
    if content is None:
        raise no_content(key, at.shown)
    found = content_json(content, key, version=call.version)
    if call.version == 1:
        return Answer(found)
    return Answer({"content": found, "effectiveReference": at.to_json()})


def get_many(call: Call) -> Answer:
    """The contents of the keys in the query; what holds nothing is left out."""
    return _several(call, [from_path(text) for text in call.query.get("key", ())])


def post_many(call: Call) -> Answer:
    """The contents of the keys in the body."""
    asked = array(call.body.get("requestedKeys"), "'requestedKeys'")
    return _several(call, [key_of(key, "each of 'requestedKeys'") for key in asked])


def diff(call: Call) -> Answer:
    """The keys that two commits hold differently, in pages."""
    return _diff(call, parse(call.path["from"]), parse(call.path["to"]))


def diff_v1(call: Call) -> Answer:
    """The same for v1, which writes `from*hash...to*hash`."""
    sides = call.path["refs"].split("...")
    if len(sides) != 2:
        raise bad_request("A difference is asked for as 'from...to'.")
    parts = [side.partition("*") for side in sides]
    one, other = (spec_of(name or None, hash or None) for name, _, hash in parts)
    return _diff(call, one, other)


def _diff(call: Call, from_: Spec, to: Spec) -> Answer:
    last = pages.token(call, of=3)
    one, other = find(call.lake, from_), find(call.lake, to)
    if last is not None:
        one, other = _continued(call, one, last[0]), _continued(call, other, last[1])
    wanted, passes = _range(call), filters.differences(call)
    after = None if last is None else _key_in(last[2])
    found = [
        change
        for change in call.lake.catalog.diff(one.hash, other.hash)
        if (after is None or change.key > after) and wanted(change.key) and passes(change.key)
    ]
    shown, more = pages.page(
        found, pages.size(call), lambda last: pages.encode(one.hash, other.hash, list(last.key))
    )
    body: Json = {
        **more,
        "diffs": [
            {
                "key": key_json(change.key),
                "from": _side(change.before, change.key, call),
                "to": _side(change.after, change.key, call),
            }
            for change in shown
        ],
    }
    if call.version == 2:
        body |= {"effectiveFromReference": one.to_json(), "effectiveToReference": other.to_json()}
    return Answer(body)


def _side(content: Content | None, key: Key, call: Call) -> Json | None:
    return None if content is None else content_json(content, key, version=call.version)


def _entry(key: Key, content: Content, *, full: bool) -> Json:
    found: Json = {"name": key_json(key), "type": content.type.value, "contentId": content.id}
    return found | {"content": content_json(content, key)} if full else found


def _several(call: Call, keys: list[Key]) -> Answer:
    at = _at(call)
    held = call.lake.catalog.entries(at.hash)
    found = [
        {"key": key_json(key), "content": content_json(held[key], key, version=call.version)}
        for key in dict.fromkeys(keys)
        if key in held
    ]
    body: Json = {"contents": found}
    return Answer(body if call.version == 1 else {**body, "effectiveReference": at.to_json()})


def _at(call: Call) -> At:
    """The commit that is asked about: in the path, or for v1 in `ref` and `hashOnRef`."""
    if call.version == 2:
        return find_path(call.lake, call.path["ref"])
    name = call.path.get("ref") or call.parameter("ref") or DEFAULT_BRANCH
    return find(call.lake, spec_of(name, call.parameter("hashOnRef")))


def _continued(call: Call, at: At, hash: object) -> At:
    """The commit whose list is continued; the reference may have moved on."""
    return At(find(call.lake, spec_of(None, str(hash))).hash, at.ref)


def _range(call: Call) -> Callable[[Key], bool]:
    """Whether a key is among those that the query limits the list to."""
    keys = {from_path(text) for text in call.query.get("key", ())}
    least, most, prefix = (
        from_path(text) if (text := call.parameter(name)) else None
        for name in ("min-key", "max-key", "prefix-key")
    )
    depth = call.parameter("namespaceDepth")
    if depth not in (None, "0"):
        raise bad_request("'namespaceDepth' is not supported; use 'filter'.")

    def wanted(key: Key) -> bool:
        return (
            (not keys or key in keys)
            and (least is None or key >= least)
            and (most is None or key <= most)
            and (prefix is None or key[: len(prefix)] == prefix)
        )

    return wanted


def _key_in(value: Any) -> Key:
    return key_of({"elements": value}, "the page token")
