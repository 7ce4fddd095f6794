"""The words of maintenance: what is kept, which steps run, and what each of them did or would do."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Step(StrEnum):
    """What maintenance can do, in the order in which it does it."""

    TAGS = "tags"
    COMPACT = "compact"
    MANIFESTS = "manifests"
    EXPIRE = "expire"
    GC = "gc"
    ORPHANS = "orphans"


USUAL = tuple(step for step in Step if step is not Step.TAGS)
"""All steps that lose nothing which has a name."""


class Outcome(StrEnum):
    """What became of one table in one step."""

    DONE = "done"
    PLANNED = "planned"
    """A dry run: nothing was changed."""
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Policy:
    """What maintenance keeps and how large it makes files."""

    older_than: timedelta = timedelta(days=7)
    """The retention window: every state that any ref had within it stays readable."""
    keep: int = 20
    """The newest commits of every branch and the newest snapshots of a table stay, however old they are."""
    target_bytes: int | None = None
    """Size of a data file; None: what the table's property `write.target-file-size-bytes` says."""
    orphan_age: timedelta = timedelta(days=3)
    """Files that nobody names are left alone until they are as old: they may be of a writer at work."""
    passing: tuple[str, ...] = ()
    """Beginnings of names that machines give: unmerged changes of such branches hold no table back, and such
    tags are what the step `tags` drops."""


@dataclass(frozen=True, slots=True)
class TableReport:
    """One step on one table."""

    step: Step
    table: str
    outcome: Outcome
    reason: str = ""
    """Why it was skipped or failed."""
    files_before: int = 0
    """Data and delete files (manifests, where these are rewritten) that are replaced."""
    files_after: int = 0
    """What took their place; 0 in a dry run, where it is not known."""
    bytes_before: int = 0
    bytes_after: int = 0
    snapshots: int = 0
    """Snapshots that the table no longer lists."""
    commit: str = ""


@dataclass(frozen=True, slots=True)
class Removed:
    """Files of one table that a sweep removed or would remove."""

    step: Step
    table: str
    """The table's name; empty for files of which no commit knows a table."""
    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that one call did, or, for a dry run, would do."""

    branch: str
    dry_run: bool
    tables: tuple[TableReport, ...] = ()
    removed: tuple[Removed, ...] = ()
    tags: tuple[str, ...] = ()
    """Tags that were dropped or would be."""
    warnings: tuple[str, ...] = ()

    @property
    def bytes_freed(self) -> int:
        """How much less the warehouse holds through the sweeps."""
        return sum(one.bytes for one in self.removed)

    @property
    def files_freed(self) -> int:
        """How many files the sweeps removed."""
        return sum(one.files for one in self.removed)
