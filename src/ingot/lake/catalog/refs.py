"""Names of commits as rows: reading, moving, renaming and protecting them, each inside a transaction.

Every move is noted in a log, which is what `main@2026-01-31` is answered from.
"""

import itertools
import time

from sqlalchemy import Connection, delete, insert, select, update

from ingot.errors import ConflictError, UsageError
from ingot.lake import names
from ingot.lake.catalog import records, resolve, schema
from ingot.lake.errors import CommitConflictError, ProtectedRefError
from ingot.lake.inventory import Move
from ingot.lake.model import Conflict, ConflictType, Ref, RefKind

DEFAULT_BRANCH = "main"


def every(tx: Connection) -> list[Ref]:
    """All branches and tags, by name."""
    rows = tx.execute(select(schema.refs).order_by(schema.refs.c.name)).all()
    return [Ref(RefKind(row.kind), row.name, row.hash) for row in rows]


def find(tx: Connection, name: str, *, lock: bool = False) -> Ref:
    """The ref `name`; with `lock`, nobody else moves it before the transaction ends."""
    query = select(schema.refs).where(schema.refs.c.name == name)
    row = tx.execute(query.with_for_update() if lock else query).first()
    if row is None:
        raise resolve.unknown(tx, name)
    return Ref(RefKind(row.kind), row.name, row.hash)


def branch(tx: Connection, name: str, *, lock: bool = True) -> Ref:
    """The branch `name`, which nobody else moves (but for `lock=False`); `UsageError` where it is a tag."""
    ref = find(tx, name, lock=lock)
    if ref.kind is not RefKind.BRANCH:
        raise UsageError(
            f"'{name}' is a tag, and a tag does not move.", hint=f"`ingot branch NAME --at {name}`"
        )
    return ref


def held(tx: Connection, name: str, expected: str | None) -> Ref:
    """The ref `name`, locked, where it is at `expected`."""
    ref = find(tx, name, lock=True)
    if found := elsewhere(ref, expected):
        raise CommitConflictError(f"'{name}' has moved:", [found])
    return ref


def elsewhere(ref: Ref, expected: str | None) -> Conflict | None:
    """The conflict with the commit at which a writer expected the ref."""
    if expected is None or ref.hash == expected:
        return None
    message = f"'{ref.name}' is at {ref.hash[:12]}, not at {expected[:12]}"
    return Conflict((), ConflictType.UNEXPECTED_HASH, message)


def create(tx: Connection, kind: RefKind, name: str, at: str) -> Ref:
    """A new ref; `ConflictError` where the name is taken."""
    _check_free(tx, name)
    tx.execute(insert(schema.refs).values(name=name, kind=kind.value, hash=at))
    note(tx, name, at)
    return Ref(kind, name, at)


def move(tx: Connection, name: str, hash: str) -> None:
    """Points a ref at another commit."""
    tx.execute(update(schema.refs).where(schema.refs.c.name == name).values(hash=hash))
    note(tx, name, hash)


def rename(tx: Connection, ref: Ref, to: str) -> Ref:
    """Gives a ref another name, under which a protected branch stays protected."""
    names.check_ref(to)
    if ref.name == DEFAULT_BRANCH:
        raise UsageError(f"The default branch '{ref.name}' cannot be renamed.")
    _check_free(tx, to)
    tx.execute(update(schema.refs).where(schema.refs.c.name == ref.name).values(name=to))
    tx.execute(update(schema.protected).where(schema.protected.c.name == ref.name).values(name=to))
    note(tx, ref.name, None)
    note(tx, to, ref.hash)
    return Ref(ref.kind, to, ref.hash)


def remove(tx: Connection, ref: Ref) -> None:
    """Removes a ref, but never the default branch."""
    if ref.name == DEFAULT_BRANCH:
        raise UsageError(f"The default branch '{ref.name}' cannot be deleted.")
    tx.execute(delete(schema.refs).where(schema.refs.c.name == ref.name))
    tx.execute(delete(schema.protected).where(schema.protected.c.name == ref.name))
    note(tx, ref.name, None)


def protected(tx: Connection) -> frozenset[str]:
    """The protected branches."""
    return frozenset(tx.execute(select(schema.protected.c.name)).scalars())


def protect(tx: Connection, name: str, *, on: bool) -> None:
    """Protects a branch or, with `on` False, no longer."""
    branch(tx, name)
    tx.execute(delete(schema.protected).where(schema.protected.c.name == name))
    if on:
        tx.execute(insert(schema.protected).values(name=name))


def check_open(tx: Connection, name: str, always: frozenset[str], *, force: bool) -> None:
    """Raises `ProtectedRefError` where only merges may move the ref, which they `always` may of some."""
    if not force and (name in always or name in protected(tx)):
        raise ProtectedRefError(name)


def note(tx: Connection, name: str, hash: str | None) -> None:
    """Writes a move (None: the name is gone) into the log of moves."""
    tx.execute(insert(schema.moves).values(name=name, hash=hash, moved_at=now()))


def moves(tx: Connection, name: str, limit: int) -> list[Move]:
    """The moves of a ref that is there, newest first, not beyond an earlier ref that had its name."""
    find(tx, name)
    table = schema.moves.c
    newest = select(table.hash, table.moved_at).where(table.name == name)
    rows = tx.execute(newest.order_by(table.moved_at.desc(), table.id.desc()).limit(limit))
    found = (Move(name, row.hash, records.moment(row.moved_at)) for row in rows)
    return list(itertools.takewhile(lambda move: move.hash is not None, found))


def now() -> int:
    """Microseconds since 1970."""
    return time.time_ns() // 1000


def _check_free(tx: Connection, name: str) -> None:
    taken = tx.execute(select(schema.refs.c.kind).where(schema.refs.c.name == name)).scalar()
    if taken is not None:
        raise ConflictError(f"There is already a {taken.lower()} '{name}'.")
