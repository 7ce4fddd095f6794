"""What can go wrong in the lake, as errors that name the table, the ref and the reason."""

from collections.abc import Sequence

from ingot.errors import ConflictError, IngotError, UsageError
from ingot.lake.model import Conflict


class LakeError(IngotError):
    """The catalog or the warehouse could not do what was asked; nothing was changed."""

    code = "lake"


class CatalogUnavailableError(LakeError):
    """The state database cannot be opened or stayed locked for too long."""

    code = "catalog_unavailable"
    status = 503


class MovedError(LakeError):
    """The warehouse is not where the tables of the catalog were written."""

    code = "lake_moved"
    status = 409


class WriteError(LakeError):
    """Writing a table failed; the files that were written are gone again and no ref has moved."""

    code = "table_write"


class MissingFileError(LakeError):
    """A file that a commit refers to is not in the warehouse, or cannot be read as what it should be."""

    code = "missing_file"


class InvalidNameError(UsageError):
    """A ref, table or column name that the lake cannot hold."""

    code = "invalid_name"


class SchemaError(UsageError):
    """Columns that cannot be stored, or that do not fit the table."""

    code = "table_schema"


class CommitConflictError(ConflictError):
    """A commit or merge was refused because other commits touched the same keys; nothing was written.

    Attributes:
        conflicts: each key with its reason.
    """

    code = "commit_conflict"

    def __init__(self, what: str, conflicts: Sequence[Conflict], *, hint: str | None = None) -> None:
        listed = "".join(f"\n  {'.'.join(one.key) or '-'}: {one.message} ({one.type})" for one in conflicts)
        super().__init__(f"{what}{listed}", hint=hint)
        self.conflicts = tuple(conflicts)


class ProtectedRefError(ConflictError):
    """A protected branch moves only by merges; nothing was written."""

    code = "protected_ref"
    status = 403

    def __init__(self, name: str) -> None:
        super().__init__(
            f"'{name}' is protected and moves only by merges. Write to a branch and merge it into '{name}'.",
            hint=f"ingot branch NAME, write there, then: ingot merge NAME --into {name}",
        )
