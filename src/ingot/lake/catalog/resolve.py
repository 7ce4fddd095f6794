"""From what a person writes (`main`, `v1`, `3f2a91bc`, `main@2026-01-31`, `main~2`) to a commit hash."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from sqlalchemy import Connection, select

from ingot.errors import NotFoundError, UsageError
from ingot.lake.catalog import records, schema
from ingot.lake.catalog.history import History
from ingot.lake.model import ROOT_HASH

_HEX = re.compile(r"[0-9a-f]{8,64}")
_STEPS = re.compile(r"(?:[~^][0-9]{0,12}|\*[^~^*@]+)*$")
_STEP = re.compile(r"([~^*])([^~^*]*)")
_MILLISECONDS = re.compile(r"[0-9]{9,15}")
_AHEAD = 256
"""How many commits are read at once where a walk may be long."""


@dataclass(frozen=True, slots=True)
class Spec:
    """The parts of a spec: a ref or hash, what it is looked at, and steps back from there."""

    base: str
    at: str | None
    steps: tuple[tuple[str, str], ...]


def parse(text: str) -> Spec:
    """The parts of `base[@hash-or-time][~N | ^N | *time]...`."""
    steps = _STEPS.search(text)
    assert steps is not None
    body = text[: steps.start()]
    base, mark, at = body.partition("@")
    if (not base and not at) or (mark and not at):
        raise UsageError(
            f"'{text}' names no commit; write a branch, a tag, a commit hash or 'main@2026-01-31'."
        )
    return Spec(base, at or None, tuple(_STEP.findall(steps.group())))


def resolve(tx: Connection, history: History, text: str) -> str:
    """The commit hash that `text` means; `NotFoundError` or `UsageError` where it means none."""
    spec = parse(text.strip())
    if spec.base and spec.at is None:
        hash = _base(tx, history, spec.base)
    elif not spec.base:
        hash = _hash(tx, history, (spec.at or "").lower())
    else:
        hash = _at(tx, history, spec.base, spec.at or "")
    for sign, value in spec.steps:
        hash = _STEPPERS[sign](tx, history, hash, value, text)
    return hash


def _base(tx: Connection, history: History, base: str) -> str:
    head: str | None = tx.execute(
        select(schema.refs.c.hash).where(schema.refs.c.name == base)
    ).scalar_one_or_none()
    if head is not None:
        return head
    if _HEX.fullmatch(base.lower()):
        return _hash(tx, history, base.lower())
    raise unknown(tx, base)


def unknown(tx: Connection, name: str) -> NotFoundError:
    """The error for a ref that is not there."""
    known: Sequence[str] = tx.execute(select(schema.refs.c.name)).scalars().all()
    return NotFoundError(
        "branch or tag", name, known, hint="`ingot branch` lists the branches, `ingot tag` the tags."
    )


def _hash(tx: Connection, history: History, text: str) -> str:
    if not _HEX.fullmatch(text):
        raise UsageError(f"'{text}' is not a commit hash (8 to 64 hex digits).")
    if len(text) == 64:
        history.link(tx, text)
        return text
    column = schema.commits.c.hash
    found = list(tx.execute(select(column).where(column.startswith(text)).limit(3)).scalars())
    found += [ROOT_HASH] if ROOT_HASH.startswith(text) else []
    if not found:
        raise NotFoundError("commit", text)
    if len(found) > 1:
        shown = ", ".join(sorted(hash[: len(text) + 6] for hash in found))
        raise UsageError(f"'{text}' is the beginning of several commits ({shown}, …); write more digits.")
    return found[0]


def _at(tx: Connection, history: History, base: str, at: str) -> str:
    head = _base(tx, history, base)
    if _HEX.fullmatch(at.lower()):
        hash = _hash(tx, history, at.lower())
        if not is_ancestor(tx, history, hash, head):
            raise NotFoundError("commit", at, hint=f"It exists, but it is not in the history of '{base}'.")
        return hash
    return _as_of(tx, history, base, head, moment(at))


def moment(text: str) -> datetime:
    """The UTC time of an ISO date (the end of that day) or time (UTC where no zone is given)."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        pass
    else:
        return datetime.combine(day, time.max, UTC)
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):  # no time, or none of the calendar in UTC
        raise UsageError(
            f"'{text}' is neither a commit hash nor a time; write 2026-01-31 or 2026-01-31T18:00:00Z."
        ) from None


def _as_of(tx: Connection, history: History, base: str, head: str, when: datetime) -> str:
    limit = records.micros(when)
    moves = schema.moves.c
    row = tx.execute(
        select(moves.hash)
        .where(moves.name == base, moves.moved_at <= limit)
        .order_by(moves.moved_at.desc(), moves.id.desc())
        .limit(1)
    ).first()
    if row is not None and row.hash is not None:
        return str(row.hash)
    # Before the ref had its name: the history that it came from.
    if (found := _not_younger(tx, history, head, limit)) is not None:
        return found
    first = tx.execute(select(moves.moved_at).where(moves.name == base).order_by(moves.id).limit(1)).scalar()
    began = (
        f" Its history begins at {records.moment(first):%Y-%m-%d %H:%M:%S} UTC." if first is not None else ""
    )
    raise UsageError(f"'{base}' did not exist at {when:%Y-%m-%d %H:%M:%S} UTC.{began}")


def _not_younger(tx: Connection, history: History, head: str, limit: int) -> str | None:
    """The newest commit along first parents that was made at `limit` or before."""
    at = head
    while at != ROOT_HASH:
        link = history.link(tx, at, ahead=_AHEAD)
        if link.committed_at <= limit:
            return at
        at = link.parent
    return None


def is_ancestor(tx: Connection, history: History, hash: str, head: str) -> bool:
    """Whether `hash` is `head` or among the commits that led to it, merged ones included."""
    floor = history.link(tx, hash).generation
    seen = {head}
    todo = [head]
    while todo:
        one = todo.pop()
        if one == hash:
            return True
        for parent in history.link(tx, one, ahead=_AHEAD).parents:
            if parent not in seen and history.link(tx, parent, ahead=_AHEAD).generation >= floor:
                seen.add(parent)
                todo.append(parent)
    return False


def _parent(tx: Connection, history: History, hash: str, value: str, text: str) -> str:
    count = int(value or 1)
    parents = history.link(tx, hash).parents
    if count == 0:
        return hash
    if count > len(parents):
        raise NotFoundError("commit", text, hint=f"{hash[:12]} has {len(parents)} parent(s).")
    return parents[count - 1]


def _earlier(tx: Connection, history: History, hash: str, value: str, text: str) -> str:
    # No history has more commits than its head's generation says, so a huge number costs nothing.
    if (count := int(value or 1)) > history.link(tx, hash).generation:
        raise NotFoundError("commit", text, hint="The history is shorter than that.")
    for _ in range(count):
        parents = history.link(tx, hash, ahead=min(count, _AHEAD)).parents
        if not parents:
            raise NotFoundError("commit", text, hint="The history is shorter than that.")
        hash = parents[0]
    return hash


def _by_time(tx: Connection, history: History, hash: str, value: str, text: str) -> str:
    limit = int(value) * 1000 + 999 if _MILLISECONDS.fullmatch(value) else records.micros(moment(value))
    if (found := _not_younger(tx, history, hash, limit)) is None:
        raise NotFoundError("commit", text, hint="The history begins later than that.")
    return found


_STEPPERS: dict[str, Callable[[Connection, History, str, str, str], str]] = {
    "^": _parent,
    "~": _earlier,
    "*": _by_time,
}
