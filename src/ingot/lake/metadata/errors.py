"""Why a change to table or view metadata was refused."""

from typing import ClassVar

from ingot.errors import ConflictError, IngotError


class InvalidMetadataError(IngotError):
    """A schema, spec, order, snapshot or update that Iceberg does not allow; nothing was changed."""

    code: ClassVar[str] = "invalid_metadata"


class RequirementFailedError(ConflictError):
    """A requirement of a commit does not hold any more: somebody else changed the table first."""

    code: ClassVar[str] = "requirement_failed"


class StaleSnapshotError(ConflictError):
    """A new snapshot was built on a state that is no longer the current one.

    Without this refusal the rows that others committed in between would silently vanish.
    """

    code: ClassVar[str] = "stale_snapshot"
