"""The words of the lake as immutable data: keys, contents, operations, commits, refs.

These follow Nessie's specification (content keys, content ids, PUT / DELETE / UNCHANGED operations), so
that the same records can be served over its API. What they mean is decided in `catalog`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

Key = tuple[str, ...]
"""A content key: namespace parts and a name, `("gold", "fact_orders")`."""

ROOT_HASH = "2e1cfa82b035c26cbbbdae632cea070514eb8b773f616aaeaf668e2f0be8f10d"
"""Nessie's constant for "no ancestor": the parent of every first commit."""


class ContentType(StrEnum):
    """What a key holds."""

    TABLE = "ICEBERG_TABLE"
    VIEW = "ICEBERG_VIEW"
    NAMESPACE = "NAMESPACE"


class RefKind(StrEnum):
    """A branch moves with commits, a tag does not."""

    BRANCH = "BRANCH"
    TAG = "TAG"


class ConflictType(StrEnum):
    """Why an operation on a key was refused; the names are Nessie's."""

    KEY_EXISTS = "KEY_EXISTS"
    KEY_DOES_NOT_EXIST = "KEY_DOES_NOT_EXIST"
    PAYLOAD_DIFFERS = "PAYLOAD_DIFFERS"
    CONTENT_ID_DIFFERS = "CONTENT_ID_DIFFERS"
    VALUE_DIFFERS = "VALUE_DIFFERS"
    NAMESPACE_ABSENT = "NAMESPACE_ABSENT"
    NOT_A_NAMESPACE = "NOT_A_NAMESPACE"
    NAMESPACE_NOT_EMPTY = "NAMESPACE_NOT_EMPTY"
    UNEXPECTED_HASH = "UNEXPECTED_HASH"


class MergeMode(StrEnum):
    """What a merge does with a key that the source changed."""

    NORMAL = "NORMAL"
    """Bring the change, or conflict where the target changed the key too."""
    FORCE = "FORCE"
    """Bring the change, whatever the target did."""
    DROP = "DROP"
    """Leave the key as the target has it."""


@dataclass(frozen=True, slots=True)
class Content:
    """One version of a table, view or namespace: an id that survives renames, and where its metadata is."""

    type: ContentType
    id: str
    metadata_location: str = ""
    snapshot_id: int = -1
    schema_id: int = 0
    spec_id: int = 0
    sort_order_id: int = 0
    properties: Mapping[str, str] = field(default_factory=dict)
    """Of a namespace; tables keep theirs in the metadata file."""


@dataclass(frozen=True, slots=True)
class Put:
    """Set a key. With `expected` None the key must be new, else it must still hold that content."""

    key: Key
    content: Content
    expected: Content | None = None


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove a key that still holds `expected` (None: whatever it held at the expected commit)."""

    key: Key
    expected: Content | None = None


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Assert that a key has not moved since the expected commit; leaves no trace in the commit."""

    key: Key


Operation = Put | Delete | Unchanged


@dataclass(frozen=True, slots=True)
class Commit:
    """One state of all tables, and how it came about."""

    hash: str
    parents: tuple[str, ...]
    """First the commit that this one follows, then the head of the branch that it merged, if any."""
    author: str
    message: str
    time: datetime
    operations: tuple[Put | Delete, ...]
    properties: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The commit as `ingot log --json` and `/api/v1/log` show it."""
        return {
            "hash": self.hash,
            "message": self.message,
            "author": self.author,
            "time": self.time.isoformat(timespec="milliseconds"),
            "parents": list(self.parents),
            "changes": [".".join(operation.key) for operation in self.operations],
            "properties": dict(self.properties),
        }


@dataclass(frozen=True, slots=True)
class Ref:
    """A name for a commit."""

    kind: RefKind
    name: str
    hash: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """One key that cannot be changed as asked, and why."""

    key: Key
    type: ConflictType
    message: str
    before: Content | None = field(default=None, compare=False, repr=False)
    """What both sides started from (in a merge) or the writer saw (in a commit)."""
    wanted: Content | None = field(default=None, compare=False, repr=False)
    """What the source or the writer would put there."""
    now: Content | None = field(default=None, compare=False, repr=False)
    """What the target holds."""


@dataclass(frozen=True, slots=True)
class KeyMerge:
    """How a merge shall treat one key.

    Where `expected` is given, the target must still hold it. `resolved` is put in place of the source's
    content, where the target holds `expected` (None: nothing): the way in which a conflict that somebody
    else has settled comes back into the merge.
    """

    mode: MergeMode = MergeMode.NORMAL
    expected: Content | None = None
    resolved: Content | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """One key that two commits hold differently; None where a side does not have it."""

    key: Key
    before: Content | None
    after: Content | None


@dataclass(frozen=True, slots=True)
class MergeResult:
    """What a merge or transplant did, or, for a dry run, would do."""

    applied: bool
    """False for a dry run, and where the target holds everything already."""
    hash: str
    """The target's head after the merge."""
    common_ancestor: str
    changed: tuple[Key, ...]
    conflicts: tuple[Conflict, ...] = ()
    commits: tuple[str, ...] = ()
    """The commits that it made, oldest first: one for a merge, any number for a transplant."""
    rebased: tuple[Key, ...] = ()
    """Tables that both sides had appended to, and whose rows were brought together."""
