"""The seam of the lake: what any catalog must do, embedded or distributed.

Every method is atomic and every write is a compare-and-set. Adapters: `catalog.SqlCatalog` (SQLite,
PostgreSQL). What a table is made of (metadata, manifests, data files) is not a catalog's business.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from ingot.lake.model import Commit, Content, Key, MergeResult, Operation, Ref, RefKind


class Catalog(Protocol):
    """Refs, commits and the contents that they hold."""

    def refs(self) -> list[Ref]:
        """All branches and tags, by name."""

    def ref(self, name: str) -> Ref:
        """The branch or tag `name`; `NotFoundError` with the nearest name."""

    def create_ref(self, kind: RefKind, name: str, at: str) -> Ref:
        """A new ref at commit hash `at`; `ConflictError` where the name is taken."""

    def assign_ref(self, name: str, to: str, *, expected: str | None = None) -> Ref:
        """Points a ref at commit hash `to`, where it still points at `expected`."""

    def delete_ref(self, name: str, *, expected: str | None = None) -> Ref:
        """Removes a ref (its commits stay); returns what it was."""

    def resolve(self, spec: str) -> str:
        """The commit hash that `spec` means.

        `main`, `v1` (a tag), a full or unique short hash (8+ digits), `main@<hash>`, and
        `main@<date or time>` (ISO, UTC where no zone is given: the branch as it stood then; a bare date
        means the end of that day).
        """

    def commit_of(self, hash: str) -> Commit:
        """The commit record of a full hash."""

    def log(self, at: str, *, limit: int | None = None) -> Iterator[Commit]:
        """Commits from hash `at` back along first parents, newest first, without the root."""

    def entries(self, at: str, *, prefix: Key = ()) -> Mapping[Key, Content]:
        """Every key below `prefix` and its content at commit hash `at`."""

    def content(self, at: str, key: Key) -> Content | None:
        """What `key` holds at commit hash `at`."""

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
        dry_run: bool = False,
    ) -> MergeResult:
        """Three-way merge of commit or ref `source` into branch `into`, squashed into one commit.

        `require` lists keys that must hold the same in the target's head as in the merge base: the
        inputs that the source was computed from. Raises `CommitConflictError` unless `dry_run`, which
        returns the conflicts instead.
        """
