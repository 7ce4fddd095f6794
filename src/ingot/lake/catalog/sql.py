"""`SqlCatalog`: every verb of the port `Catalog` as one transaction on the state database."""

import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from sqlalchemy import Connection, delete, insert, select, update

from ingot.errors import ConflictError, UsageError
from ingot.lake import names
from ingot.lake.catalog import conflicts, merge, resolve, schema
from ingot.lake.catalog.history import History
from ingot.lake.catalog.store import Store
from ingot.lake.errors import CatalogUnavailableError, CommitConflictError
from ingot.lake.model import (
    ROOT_HASH,
    Commit,
    Conflict,
    ConflictType,
    Content,
    Key,
    MergeResult,
    Operation,
    Ref,
    RefKind,
    Unchanged,
)

DEFAULT_BRANCH = "main"
_LOG_PAGE = 200


class SqlCatalog:
    """A catalog in the database at a SQLAlchemy URL; made, with an empty `main`, where there is none yet."""

    def __init__(self, url: str) -> None:
        self._store = Store(url)
        self._history = History()
        try:
            self._store.write(_initialise)
        except BaseException:
            self._store.close()
            raise

    def close(self) -> None:
        """Closes the connections; the catalog cannot be used afterwards."""
        self._store.close()

    def refs(self) -> list[Ref]:
        """All branches and tags, by name."""
        rows = self._store.read(lambda tx: tx.execute(select(schema.refs).order_by(schema.refs.c.name)).all())
        return [Ref(RefKind(row.kind), row.name, row.hash) for row in rows]

    def ref(self, name: str) -> Ref:
        """The branch or tag `name`; `NotFoundError` with the nearest name."""
        return self._store.read(lambda tx: _ref(tx, name))

    def create_ref(self, kind: RefKind, name: str, at: str) -> Ref:
        """A new ref at commit hash `at`; `ConflictError` where the name is taken."""
        names.check_ref(name)

        def work(tx: Connection) -> Ref:
            self._history.link(tx, at)
            taken = tx.execute(select(schema.refs.c.kind).where(schema.refs.c.name == name)).scalar()
            if taken is not None:
                raise ConflictError(f"There is already a {taken.lower()} '{name}'.")
            tx.execute(insert(schema.refs).values(name=name, kind=kind.value, hash=at))
            _moved(tx, name, at)
            return Ref(kind, name, at)

        return self._store.write(work)

    def assign_ref(self, name: str, to: str, *, expected: str | None = None) -> Ref:
        """Points a ref at commit hash `to`, where it still points at `expected`."""

        def work(tx: Connection) -> Ref:
            now = _held(tx, name, expected)
            self._history.link(tx, to)
            _move(tx, name, to)
            return Ref(now.kind, name, to)

        return self._store.write(work)

    def delete_ref(self, name: str, *, expected: str | None = None) -> Ref:
        """Removes a ref (its commits stay); returns what it was. The default branch is never removed."""

        def work(tx: Connection) -> Ref:
            now = _held(tx, name, expected)
            if name == DEFAULT_BRANCH:
                raise UsageError(f"The default branch '{name}' cannot be deleted.")
            tx.execute(delete(schema.refs).where(schema.refs.c.name == name))
            _moved(tx, name, None)
            return now

        return self._store.write(work)

    def resolve(self, spec: str) -> str:
        """The commit hash that `spec` means; see `ports.Catalog.resolve` (also `main~2`, `main^2`)."""
        return self._store.read(lambda tx: resolve.resolve(tx, self._history, spec))

    def commit_of(self, hash: str) -> Commit:
        """The commit record of a full hash."""
        return self._store.read(lambda tx: self._history.commit(tx, hash))

    def log(self, at: str, *, limit: int | None = None) -> Iterator[Commit]:
        """Commits from hash `at` back along first parents, newest first, without the root."""
        while at != ROOT_HASH and (limit is None or limit > 0):
            # Read in pages: a generator must not hold a transaction open while its reader thinks.
            page = _LOG_PAGE if limit is None else min(limit, _LOG_PAGE)
            found = self._store.read(partial(self._page, at=at, size=page))
            yield from found
            at = found[-1].parents[0]
            limit = None if limit is None else limit - len(found)

    def _page(self, tx: Connection, at: str, size: int) -> list[Commit]:
        found: list[Commit] = []
        while at != ROOT_HASH and len(found) < size:
            found.append(self._history.commit(tx, at))
            at = found[-1].parents[0]
        return found

    def entries(self, at: str, *, prefix: Key = ()) -> Mapping[Key, Content]:
        """Every key below `prefix` and its content at commit hash `at`."""
        found = self._store.read(lambda tx: self._history.entries(tx, at))
        if not prefix:
            return found
        size = len(prefix)
        return {key: content for key, content in found.items() if key[:size] == prefix and len(key) > size}

    def content(self, at: str, key: Key) -> Content | None:
        """What `key` holds at commit hash `at`."""
        return self.entries(at).get(key)

    def commit(
        self,
        branch: str,
        operations: Sequence[Operation],
        *,
        message: str,
        author: str = "ingot",
        expected: str | None = None,
        properties: Mapping[str, str] | None = None,
    ) -> Commit:
        """Applies all operations to the head of `branch` as one commit, or none; see the port."""
        effects = [one for one in operations if not isinstance(one, Unchanged)]
        _check(operations)

        def work(tx: Connection) -> Commit:
            head = _branch(tx, branch).hash
            now = self._history.entries(tx, head)
            seen = now if expected is None else self._history.entries(tx, expected)
            if found := conflicts.find(operations, seen, now):
                raise CommitConflictError(f"Nothing was committed to '{branch}':", found)
            made = self._history.add(
                tx, [head], effects, author=author, message=message, at=_now(), properties=properties or {}
            )
            _move(tx, branch, made.hash)
            return made

        return self._store.write(work)

    def merge(
        self,
        source: str,
        into: str,
        *,
        message: str | None = None,
        author: str = "ingot",
        expected: str | None = None,
        require: Sequence[Key] = (),
        properties: Mapping[str, str] | None = None,
        dry_run: bool = False,
    ) -> MergeResult:
        """Three-way merge of commit or ref `source` into branch `into`, as one commit; see the port."""

        def work(tx: Connection) -> MergeResult:
            head = _branch(tx, into).hash
            merged = resolve.resolve(tx, self._history, source)
            plan = merge.plan(tx, self._history, merged, head)
            now = self._history.entries(tx, head)
            found = [
                conflict
                for key in require
                if (conflict := conflicts.moved(key, plan.base_entries.get(key), now.get(key)))
            ]
            if expected is not None and expected != head:
                message_ = f"'{into}' is at {head[:12]}, not at {expected[:12]}"
                found.append(Conflict((), ConflictType.UNEXPECTED_HASH, message_))
            found += plan.conflicts
            changed = tuple(one.key for one in plan.operations)
            if dry_run or (not found and not changed):
                return MergeResult(False, head, plan.base, changed, tuple(found))
            if found:
                raise CommitConflictError(f"'{source}' was not merged into '{into}':", found)
            made = self._history.add(
                tx,
                [head, merged],
                plan.operations,
                author=author,
                message=message or f"Merge '{source}' into '{into}'",
                at=_now(),
                properties=properties or {},
            )
            _move(tx, into, made.hash)
            return MergeResult(True, made.hash, plan.base, changed)

        return self._store.read(work) if dry_run else self._store.write(work)


def _initialise(tx: Connection) -> None:
    schema.metadata.create_all(tx)
    found = tx.execute(select(schema.info.c.value).where(schema.info.c.name == "format")).scalar()
    if found is None:
        tx.execute(insert(schema.info).values(name="format", value=schema.FORMAT))
        tx.execute(insert(schema.refs).values(name=DEFAULT_BRANCH, kind=RefKind.BRANCH.value, hash=ROOT_HASH))
        _moved(tx, DEFAULT_BRANCH, ROOT_HASH)
    elif found != schema.FORMAT:
        raise CatalogUnavailableError(
            f"The catalog was written by another version of Ingot (layout {found}, this one reads {schema.FORMAT}).",
            hint="Install the newer version.",
        )


def _check(operations: Sequence[Operation]) -> None:
    if not any(not isinstance(one, Unchanged) for one in operations):
        raise UsageError("A commit needs at least one change.")
    seen: set[Key] = set()
    for one in operations:
        if not one.key or not all(one.key):
            raise UsageError(f"{list(one.key)} is not a content key: it needs parts, and none of them empty.")
        if one.key in seen:
            raise UsageError(f"'{names.dotted(one.key)}' is changed twice in one commit.")
        seen.add(one.key)


def _ref(tx: Connection, name: str, *, lock: bool = False) -> Ref:
    query = select(schema.refs).where(schema.refs.c.name == name)
    row = tx.execute(query.with_for_update() if lock else query).first()
    if row is None:
        raise resolve.unknown(tx, name)
    return Ref(RefKind(row.kind), row.name, row.hash)


def _branch(tx: Connection, name: str) -> Ref:
    ref = _ref(tx, name, lock=True)
    if ref.kind is not RefKind.BRANCH:
        raise UsageError(
            f"'{name}' is a tag, and a tag does not move.", hint=f"`ingot branch NAME --at {name}`"
        )
    return ref


def _held(tx: Connection, name: str, expected: str | None) -> Ref:
    ref = _ref(tx, name, lock=True)
    if expected is not None and ref.hash != expected:
        message = f"'{name}' is at {ref.hash[:12]}, not at {expected[:12]}"
        raise CommitConflictError(
            f"'{name}' has moved:", [Conflict((), ConflictType.UNEXPECTED_HASH, message)]
        )
    return ref


def _move(tx: Connection, name: str, hash: str) -> None:
    tx.execute(update(schema.refs).where(schema.refs.c.name == name).values(hash=hash))
    _moved(tx, name, hash)


def _moved(tx: Connection, name: str, hash: str | None) -> None:
    tx.execute(insert(schema.moves).values(name=name, hash=hash, moved_at=_now()))


def _now() -> int:
    return time.time_ns() // 1000
