"""`SqlCatalog`: every verb of the port `Catalog` as one transaction on the state database."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection, insert, select, update

from ingot.errors import UsageError
from ingot.lake import names
from ingot.lake.catalog import conflicts, inventory, merge, refs, replay, resolve, schema
from ingot.lake.catalog.history import History
from ingot.lake.catalog.merge import Modes
from ingot.lake.catalog.store import Store
from ingot.lake.errors import CatalogUnavailableError, CommitConflictError
from ingot.lake.inventory import Inventory, Move
from ingot.lake.model import (
    ROOT_HASH,
    Commit,
    Content,
    Delete,
    Difference,
    Key,
    KeyMerge,
    MergeMode,
    MergeResult,
    Operation,
    Put,
    Ref,
    RefKind,
    Unchanged,
)

T = TypeVar("T")
_HEAD = f"SELECT hash FROM {schema.refs.name} WHERE name = ?"
_LOG_PAGE = 200


@dataclass(frozen=True, slots=True)
class _About:
    """Who made a commit, and why."""

    author: str
    message: str
    properties: Mapping[str, str]


class SqlCatalog:
    """A catalog in the database at a SQLAlchemy URL; made, with an empty `main`, where there is none yet.

    `protected` are names of branches that are protected here whatever the database says.
    """

    def __init__(self, url: str, *, protected: Iterable[str] = ()) -> None:
        self._always = frozenset(protected)
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

    def remember(self, name: str, value: Callable[[], str], *, instead_of: str | None = None) -> str:
        """What the catalog keeps under `name`: from now on `value`, where it keeps nothing or `instead_of`."""

        def find(tx: Connection) -> str | None:
            kept = tx.execute(select(schema.info.c.value).where(schema.info.c.name == name)).scalar()
            return None if kept is None else str(kept)

        kept = self._store.read(find)
        if kept is not None and kept != instead_of:
            return kept
        wanted = value()

        def work(tx: Connection) -> str:
            now = find(tx)
            if now is not None and now != instead_of:
                return now
            if now is None:
                tx.execute(insert(schema.info).values(name=name, value=wanted))
            else:
                tx.execute(update(schema.info).where(schema.info.c.name == name).values(value=wanted))
            return wanted

        return self._store.write(work)

    def refs(self) -> list[Ref]:
        """All branches and tags, by name."""
        return self._store.read(refs.every)

    def ref(self, name: str) -> Ref:
        """The branch or tag `name`; `NotFoundError` with the nearest name."""
        return self._store.read(lambda tx: refs.find(tx, name))

    def create_ref(self, kind: RefKind, name: str, at: str) -> Ref:
        """A new ref at commit hash `at`; `ConflictError` where the name is taken."""
        names.check_ref(name)

        def work(tx: Connection) -> Ref:
            self._history.link(tx, at)
            return refs.create(tx, kind, name, at)

        return self._store.write(work)

    def assign_ref(self, name: str, to: str, *, expected: str | None = None, force: bool = False) -> Ref:
        """Points a ref at commit hash `to`, where it still points at `expected`."""

        def work(tx: Connection) -> Ref:
            now = refs.held(tx, name, expected)
            refs.check_open(tx, name, self._always, force=force)
            self._history.link(tx, to)
            refs.move(tx, name, to)
            return Ref(now.kind, name, to)

        return self._store.write(work)

    def rename_ref(self, name: str, to: str, *, expected: str | None = None, force: bool = False) -> Ref:
        """Gives a ref another name; `ConflictError` where that is taken. The default branch keeps its own."""

        def work(tx: Connection) -> Ref:
            now = refs.held(tx, name, expected)
            refs.check_open(tx, name, self._always, force=force)
            return refs.rename(tx, now, to)

        return self._store.write(work)

    def delete_ref(self, name: str, *, expected: str | None = None, force: bool = False) -> Ref:
        """Removes a ref (its commits stay); returns what it was. The default branch is never removed."""

        def work(tx: Connection) -> Ref:
            now = refs.held(tx, name, expected)
            refs.check_open(tx, name, self._always, force=force)
            refs.remove(tx, now)
            return now

        return self._store.write(work)

    def protected(self) -> frozenset[str]:
        """The names of the branches that move only by merges, whoever said so."""
        return self._store.read(refs.protected) | self._always

    def protect(self, name: str, *, on: bool = True) -> None:
        """Protects a branch, or with `on=False` no longer; `UsageError` where the project's file protects it."""
        if not on and name in self._always:
            raise UsageError(
                f"'{name}' is protected by the project's file.",
                hint="Take it out of `lake: protected` in ingot.yml.",
            )
        self._store.write(lambda tx: refs.protect(tx, name, on=on))

    def resolve(self, spec: str) -> str:
        """The commit hash that `spec` means; see `ports.Catalog.resolve`."""
        return self._store.read(lambda tx: resolve.resolve(tx, self._history, spec))

    def head(self, name: str) -> str | None:
        """The hash of a branch or tag, where it can be told without waiting; see `ports.Catalog.head`."""
        found: str | None = self._store.peek(_HEAD, name)
        return found

    def commit_of(self, hash: str) -> Commit:
        """The commit record of a full hash."""
        return self._store.read(lambda tx: self._history.commit(tx, hash))

    def log(self, at: str, *, limit: int | None = None) -> Iterator[Commit]:
        """Commits from hash `at` back along first parents, newest first, without the root."""
        while at != ROOT_HASH and (limit is None or limit > 0):
            # Read in pages: a generator must not hold a transaction open while its reader thinks.
            page = _LOG_PAGE if limit is None else min(limit, _LOG_PAGE)
            found = self._store.read(partial(self._history.commits, hash=at, size=page))
            yield from found
            at = found[-1].parents[0]
            limit = None if limit is None else limit - len(found)

    def moves(self, name: str, *, limit: int) -> Sequence[Move]:
        """Where the ref `name` has pointed since it was made, newest first; see the port."""
        return self._store.read(lambda tx: refs.moves(tx, name, limit))

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

    def diff(self, before: str, after: str, *, prefix: Key = ()) -> list[Difference]:
        """The keys below `prefix` that two commits (hashes) hold differently, sorted."""

        def work(tx: Connection) -> list[Difference]:
            return replay.differences(
                self._history.entries(tx, before), self._history.entries(tx, after), prefix
            )

        return self._store.read(work)

    def merge_base(self, one: str, other: str) -> str:
        """The best common ancestor of two commits (hashes), earlier merges counted; the root for strangers."""
        return self._store.read(lambda tx: merge.best_ancestors(tx, self._history, one, other)[0])

    def commit(
        self,
        branch: str,
        operations: Sequence[Operation],
        *,
        message: str,
        author: str = "ingot",
        expected: str | None = None,
        properties: Mapping[str, str] | None = None,
        force: bool = False,
    ) -> Commit:
        """Applies all operations to the head of `branch` as one commit, or none; see the port."""
        effects = [one for one in operations if not isinstance(one, Unchanged)]
        _check(operations)

        def work(tx: Connection) -> Commit:
            head = refs.branch(tx, branch).hash
            refs.check_open(tx, branch, self._always, force=force)
            now = self._history.entries(tx, head)
            seen = now if expected is None else self._history.entries(tx, expected)
            if found := conflicts.find(operations, seen, now):
                raise CommitConflictError(f"Nothing was committed to '{branch}':", found)
            return self._add(tx, branch, [head], effects, _About(author, message, properties or {}))

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
        modes: Mapping[Key, KeyMerge] | None = None,
        default_mode: MergeMode = MergeMode.NORMAL,
        dry_run: bool = False,
    ) -> MergeResult:
        """Three-way merge of commit or ref `source` into branch `into`, as one commit; see the port."""
        about = _About(author, message or f"Merge '{source}' into '{into}'", properties or {})

        def work(tx: Connection) -> MergeResult:
            target = refs.branch(tx, into, lock=not dry_run)
            merged = resolve.resolve(tx, self._history, source)
            plan = merge.plan(tx, self._history, merged, target.hash, Modes(modes or {}, default_mode))
            now = self._history.entries(tx, target.hash)
            found = [
                conflict
                for key in require
                if (conflict := conflicts.moved(key, plan.base_entries.get(key), now.get(key)))
            ]
            if moved := refs.elsewhere(target, expected):
                found.append(moved)
            found += plan.conflicts
            changed = tuple(one.key for one in plan.operations)
            if dry_run or (not found and not changed):
                return MergeResult(False, target.hash, plan.base, changed, tuple(found))
            if found:
                raise CommitConflictError(f"'{source}' was not merged into '{into}':", found)
            made = self._add(tx, into, [target.hash, merged], plan.operations, about)
            return MergeResult(True, made.hash, plan.base, changed, commits=(made.hash,))

        return self._store.read(work) if dry_run else self._store.write(work)

    def transplant(
        self,
        commits: Sequence[str],
        onto: str,
        *,
        message: str | None = None,
        author: str | None = None,
        expected: str | None = None,
        modes: Mapping[Key, KeyMerge] | None = None,
        default_mode: MergeMode = MergeMode.NORMAL,
        dry_run: bool = False,
        force: bool = False,
    ) -> MergeResult:
        """Replays commits (oldest first) on branch `onto`, each as a commit of its own; see the port."""

        def work(tx: Connection) -> MergeResult:
            target = refs.branch(tx, onto, lock=not dry_run)
            refs.check_open(tx, onto, self._always, force=force or dry_run)
            plan = replay.transplant(
                tx, self._history, commits, target.hash, Modes(modes or {}, default_mode)
            )
            last = resolve.resolve(tx, self._history, commits[-1])
            base = merge.best_ancestors(tx, self._history, last, target.hash)[0]
            moved = refs.elsewhere(target, expected)
            found = (*((moved,) if moved else ()), *plan.conflicts)
            if dry_run or (not found and not plan.steps):
                return MergeResult(False, target.hash, base, plan.changed, found)
            if found:
                raise CommitConflictError(f"Nothing was transplanted onto '{onto}':", found)
            made: list[str] = []
            for step in plan.steps:
                about = _About(author or step.of.author, message or step.of.message, step.of.properties)
                head = made[-1] if made else target.hash
                made.append(self._add(tx, onto, [head], step.operations, about).hash)
            return MergeResult(True, made[-1], base, plan.changed, commits=tuple(made))

        return self._store.read(work) if dry_run else self._store.write(work)

    def revert(
        self,
        branch: str,
        commit: str,
        *,
        message: str | None = None,
        author: str = "ingot",
        expected: str | None = None,
        force: bool = False,
    ) -> Commit:
        """A new commit that takes back what `commit` changed; see the port."""

        def work(tx: Connection) -> Commit:
            target = self._open(tx, branch, expected, force=force)
            hash = resolve.resolve(tx, self._history, commit)
            operations, found = replay.revert(tx, self._history, hash, target.hash)
            if found:
                raise CommitConflictError(f"{hash[:12]} was not taken back on '{branch}':", found)
            title = self._history.commit(tx, hash).message.partition("\n")[0]
            about = _About(author, message or f"Revert '{title}' ({hash[:12]})", {})
            return self._add(tx, branch, [target.hash], operations, about)

        return self._store.write(work)

    def rollback(
        self,
        branch: str,
        to: str,
        *,
        message: str | None = None,
        author: str = "ingot",
        expected: str | None = None,
        force: bool = False,
    ) -> Commit:
        """A new commit after which everything is as it was at `to`; see the port."""

        def work(tx: Connection) -> Commit:
            target = self._open(tx, branch, expected, force=force)
            hash = resolve.resolve(tx, self._history, to)
            operations = replay.rollback(tx, self._history, hash, target.hash)
            about = _About(author, message or f"Roll '{branch}' back to {hash[:12]}", {})
            return self._add(tx, branch, [target.hash], operations, about)

        return self._store.write(work)

    def inventory(self) -> Inventory:
        """All refs, commits and moves of refs, seen at one moment."""
        # Two transactions: writers must not wait for the whole of the history to be read.
        mark = self._store.write(inventory.mark)
        return self._store.read(lambda tx: inventory.take(tx, mark))

    def moved_since(self, mark: int) -> list[str]:
        """The commits that refs were pointed at after the move `mark`, as far as can be seen by now."""
        return self._store.read(lambda tx: inventory.moved_since(tx, mark))

    def standing_still(self, mark: int, work: Callable[[list[str]], T]) -> tuple[int, T]:
        """Does `work` while no ref can move; it is given the commits that refs were pointed at after `mark`."""

        def locked(tx: Connection) -> tuple[int, T]:
            last = inventory.mark(tx)
            return last, work(inventory.moved_since(tx, mark))

        return self._store.write(locked)

    def _open(self, tx: Connection, branch: str, expected: str | None, *, force: bool) -> Ref:
        target = refs.branch(tx, branch)
        refs.check_open(tx, branch, self._always, force=force)
        if moved := refs.elsewhere(target, expected):
            raise CommitConflictError(f"'{branch}' has moved:", [moved])
        return target

    def _add(
        self,
        tx: Connection,
        branch: str,
        parents: Sequence[str],
        operations: Sequence[Put | Delete],
        about: _About,
    ) -> Commit:
        made = self._history.add(
            tx,
            parents,
            operations,
            author=about.author,
            message=about.message,
            at=refs.now(),
            properties=about.properties,
        )
        refs.move(tx, branch, made.hash)
        return made


def _initialise(tx: Connection) -> None:
    schema.metadata.create_all(tx)
    found = tx.execute(select(schema.info.c.value).where(schema.info.c.name == "format")).scalar()
    if found is None:
        tx.execute(insert(schema.info).values(name="format", value=schema.FORMAT))
        refs.create(tx, RefKind.BRANCH, refs.DEFAULT_BRANCH, ROOT_HASH)
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
