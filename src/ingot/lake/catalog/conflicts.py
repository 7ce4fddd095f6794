"""Which operations the present state allows: the rules of Nessie's specification, key by key."""

from collections.abc import Iterable, Sequence

from ingot.lake.catalog.history import Entries, apply
from ingot.lake.model import (
    Conflict,
    ConflictType,
    Content,
    ContentType,
    Delete,
    Key,
    Operation,
    Put,
    Unchanged,
)

_KINDS = {ContentType.TABLE: "table", ContentType.VIEW: "view", ContentType.NAMESPACE: "namespace"}


def find(operations: Sequence[Operation], seen: Entries, head: Entries) -> list[Conflict]:
    """Everything that speaks against applying `operations` to `head`, written by one who saw `seen`."""
    found = [conflict for one in operations if (conflict := _judge(one, seen, head))]
    if found:
        return found
    after = dict(head)
    effects = [one for one in operations if not isinstance(one, Unchanged)]
    apply(after, effects)
    return structure(head, after, (one.key for one in effects))


def moved(key: Key, before: Content | None, now: Content | None) -> Conflict | None:
    """Why `key` is no longer what it was, or None where it is."""
    if before == now:
        return None
    if before is None:
        assert now is not None
        return Conflict(key, ConflictType.KEY_EXISTS, f"another commit created this {_KINDS[now.type]}")
    kind = _KINDS[before.type]
    if now is None:
        return Conflict(key, ConflictType.KEY_DOES_NOT_EXIST, f"the {kind} is not there (any more)")
    if before.type != now.type:
        return Conflict(
            key, ConflictType.PAYLOAD_DIFFERS, f"another commit replaced the {kind} by a {_KINDS[now.type]}"
        )
    if before.id != now.id:
        return Conflict(
            key, ConflictType.CONTENT_ID_DIFFERS, f"another commit dropped and recreated the {kind}"
        )
    return Conflict(key, ConflictType.VALUE_DIFFERS, f"another commit changed the {kind}")


def structure(before: Entries, after: Entries, touched: Iterable[Key]) -> list[Conflict]:
    """Keys whose namespace would be missing, and namespaces that would vanish around their contents.

    `before` is a state that is in order, `after` the same with the `touched` keys changed.
    """
    found = []
    gone: set[Key] = set()
    for key in touched:
        content = after.get(key)
        if _is_namespace(before.get(key)) and not _is_namespace(content):
            gone.add(key)
        if content is not None and len(key) > 1:
            parent = after.get(key[:-1])
            shown = ".".join(key[:-1])
            if parent is None:
                found.append(Conflict(key, ConflictType.NAMESPACE_ABSENT, f"there is no namespace '{shown}'"))
            elif parent.type is not ContentType.NAMESPACE:
                found.append(
                    Conflict(key, ConflictType.NOT_A_NAMESPACE, f"'{shown}' is a {_KINDS[parent.type]}")
                )
    reported = {conflict.key for conflict in found}
    if gone:
        inhabited = {key[:-1]: key for key in after if len(key) > 1}
        for key in sorted(gone & inhabited.keys()):
            if not reported & {inhabited[key]}:
                message = f"the namespace still holds '{'.'.join(inhabited[key])}'"
                found.append(Conflict(key, ConflictType.NAMESPACE_NOT_EMPTY, message))
    return found


def _is_namespace(content: Content | None) -> bool:
    return content is not None and content.type is ContentType.NAMESPACE


def _judge(one: Operation, seen: Entries, head: Entries) -> Conflict | None:
    now = head.get(one.key)
    before = seen.get(one.key)
    if isinstance(one, Unchanged):
        return moved(one.key, before, now)
    if isinstance(one, Delete):
        if now is None:
            return Conflict(one.key, ConflictType.KEY_DOES_NOT_EXIST, "there is nothing to delete")
        return moved(one.key, one.expected or before, now)
    return _judge_put(one, now)


def _judge_put(one: Put, now: Content | None) -> Conflict | None:
    if one.expected is None:
        if now is None:
            return None
        return Conflict(
            one.key, ConflictType.KEY_EXISTS, f"there is already a {_KINDS[now.type]} of this name"
        )
    # A new id with an expected content means "drop this and create that".
    same = one.content.id == one.expected.id
    if same and one.content.type != one.expected.type:
        message = (
            f"a {_KINDS[one.expected.type]} cannot become a {_KINDS[one.content.type]} under the same id"
        )
        return Conflict(one.key, ConflictType.PAYLOAD_DIFFERS, message)
    return moved(one.key, one.expected, now)
