"""What a filter can look at in an entry, a commit or a reference."""

from collections.abc import Callable
from typing import Any

from ingot.lake.model import Commit, Content, Delete, Key, Put, Ref
from ingot.lake.nessie.call import Call
from ingot.lake.nessie.cel import compile_filter
from ingot.lake.nessie.keys import dotted
from ingot.lake.nessie.meta import meta_json


def entries(call: Call) -> Callable[[Key, Content], bool]:
    """Whether an entry passes the request's filter."""
    if (source := call.parameter("filter")) is None:
        return lambda _key, _content: True
    passes = compile_filter(source)
    return lambda key, content: passes({"entry": _key(key) | {"contentType": content.type.value}})


def differences(call: Call) -> Callable[[Key], bool]:
    """Whether a key that differs passes the request's filter."""
    if (source := call.parameter("filter")) is None:
        return lambda _: True
    passes = compile_filter(source)
    return lambda key: passes({"key": _key(key)})


def commits(call: Call) -> Callable[[Commit], bool]:
    """Whether a commit passes the request's filter; operations count where they were asked for."""
    if (source := call.parameter("filter")) is None:
        return lambda _: True
    passes, all_ = compile_filter(source), call.fetch_all
    return lambda commit: passes(
        {
            "commit": _commit(commit),
            "operations": [_operation(one) for one in commit.operations] if all_ else [],
        }
    )


def references(call: Call) -> Callable[[Ref], bool]:
    """Whether a reference passes the request's filter."""
    if (source := call.parameter("filter")) is None:
        return lambda _: True
    passes = compile_filter(source)
    return lambda ref: passes(
        {"ref": {"name": ref.name, "hash": ref.hash, "type": ref.kind.value}, "refType": ref.kind.value}
    )


def _key(key: Key) -> dict[str, Any]:
    return {
        "namespace": dotted(key[:-1]),
        "namespaceElements": list(key[:-1]),
        "name": key[-1],
        "key": dotted(key),
        "encodedKey": dotted(key),
        "keyElements": list(key),
    }


def _commit(commit: Commit) -> dict[str, Any]:
    return {**meta_json(commit, version=1), "commitTime": commit.time, "authorTime": commit.time}


def _operation(one: Put | Delete) -> dict[str, Any]:
    return _key(one.key) | {"type": "PUT" if isinstance(one, Put) else "DELETE"}
