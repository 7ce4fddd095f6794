"""The seam of the lake: what any catalog must do, embedded or distributed.

Every method is atomic and every write is a compare-and-set. Adapters: `catalog.SqlCatalog` (SQLite,
PostgreSQL). What a table is made of (metadata, manifests, data files) is not a catalog's business.

`expected` is always a commit hash. For verbs that add one commit to a branch from what the catalog itself
knows (merge, transplant, revert, rollback) and for refs it must be the ref's head. Verbs that move or remove
a protected branch other than by a merge raise `ProtectedRefError` unless `force`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol, TypeVar

from ingot.lake.inventory import Inventory, Move
from ingot.lake.model import (
    Commit,
    Content,
    Difference,
    Key,
    KeyMerge,
    MergeMode,
    MergeResult,
    Operation,
    Ref,
    RefKind,
)

T = TypeVar("T")


class Catalog(Protocol):
    """Refs, commits and the contents that they hold."""

    def refs(self) -> list[Ref]:
        """All branches and tags, by name."""

    def ref(self, name: str) -> Ref:
        """The branch or tag `name`; `NotFoundError` with the nearest name."""

    def create_ref(self, kind: RefKind, name: str, at: str) -> Ref:
        """A new ref at commit hash `at`; `ConflictError` where the name is taken."""

    def assign_ref(self, name: str, to: str, *, expected: str | None = None, force: bool = False) -> Ref:
        """Points a ref at commit hash `to`, where it still points at `expected`."""

    def rename_ref(self, name: str, to: str, *, expected: str | None = None, force: bool = False) -> Ref:
        """Gives a ref another name; `ConflictError` where that is taken. The default branch keeps its own."""

    def delete_ref(self, name: str, *, expected: str | None = None, force: bool = False) -> Ref:
        """Removes a ref (its commits stay); returns what it was."""

    def protected(self) -> frozenset[str]:
        """The names of the branches that move only by merges: protected by `protect`, or by the project's file."""

    def protect(self, name: str, *, on: bool = True) -> None:
        """Protects a branch, or with `on=False` no longer; `UsageError` where the project's file protects it."""

    def resolve(self, spec: str) -> str:
        """The commit hash that `spec` means.

        `main`, `v1` (a tag), a full or unique short hash (8+ digits), `main@<hash>`, and
        `main@<date or time>` (ISO, UTC where no zone is given: the branch as it stood then; a bare date
        means the end of that day). Behind any of these: `~N` (N commits earlier), `^N` (the Nth parent),
        `*<time or milliseconds>` (the newest commit of the history that is not younger).
        """

    def head(self, name: str) -> str | None:
        """The hash of a branch or tag; None where there is none of that name, or telling would take a while.

        Of `resolve`, the part that may be called where nothing may wait.
        """

    def commit_of(self, hash: str) -> Commit:
        """The commit record of a full hash."""

    def log(self, at: str, *, limit: int | None = None) -> Iterator[Commit]:
        """Commits from hash `at` back along first parents, newest first, without the root.

        The next page begins at the first parent of the last commit of this one.
        """

    def moves(self, name: str, *, limit: int) -> Sequence[Move]:
        """Where the ref `name` has pointed since it was made, newest first; `NotFoundError` where it is not there."""

    def entries(self, at: str, *, prefix: Key = ()) -> Mapping[Key, Content]:
        """Every key below `prefix` and its content at commit hash `at`."""

    def content(self, at: str, key: Key) -> Content | None:
        """What `key` holds at commit hash `at`."""

    def diff(self, before: str, after: str, *, prefix: Key = ()) -> list[Difference]:
        """The keys below `prefix` that two commits (hashes) hold differently, sorted."""

    def merge_base(self, one: str, other: str) -> str:
        """The best common ancestor of two commits (hashes), earlier merges counted; the root for strangers."""

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
        """Applies all operations to the head of `branch` as one commit, or none.

        Conflicts are judged key by key against `expected` (the commit that the writer saw; None: the
        head): a branch that has moved is fine as long as these keys have not. Raises
        `CommitConflictError`, which names each key and reason.
        """

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
        """Three-way merge of commit or ref `source` into branch `into`, squashed into one commit.

        `require` lists keys that must hold the same in the target's head as in the merge base: the
        inputs that the source was computed from. `modes` says what is done with single keys,
        `default_mode` with all others. Raises `CommitConflictError` unless `dry_run`, which returns the
        conflicts instead.
        """

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
        """Replays commits (hashes or specs, oldest first) on branch `onto`, each as a commit of its own.

        Each is judged key by key as a merge of its own change; those that would change nothing leave no
        commit. Author, message and properties are the original's unless given. All or none; raises
        `CommitConflictError` unless `dry_run`.
        """

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
        """A new commit on `branch` that takes back what `commit` (of its history) changed.

        Raises `CommitConflictError` where a later commit changed one of its keys, `UsageError` where there
        is nothing to take back.
        """

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
        """A new commit on `branch` after which everything is as it was at `to`, a commit of its history."""

    def inventory(self) -> Inventory:
        """All refs, commits and moves of refs, seen at one moment: what garbage collection judges by."""

    def moved_since(self, mark: int) -> list[str]:
        """The commits that refs were pointed at after the move `mark`, as far as can be seen by now."""

    def standing_still(self, mark: int, work: Callable[[list[str]], T]) -> tuple[int, T]:
        """Does `work` while no ref can move or be made, for any process; gives back the new mark, too.

        `work` is given the commits that refs were pointed at after `mark`. It is to be short, and may read the
        catalog but not write to it.
        """
