"""What a comparison of two states found, as immutable data that is JSON as soon as it is asked for."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Change = Literal["added", "removed", "changed", "renamed"]


@dataclass(frozen=True, slots=True)
class ColumnChange:
    """One thing that differs about a column; `before` and `after` are types, names or comments."""

    kind: Literal["added", "removed", "renamed", "retyped", "commented"]
    name: str
    """The column's name; after a renaming the new one."""
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class PropertyChange:
    """A property of a table, or `partitioning` or `sort order`, before and after."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class FileChange:
    """Data files that only one side has, and how many both have."""

    added: int = 0
    removed: int = 0
    common: int = 0
    bytes_added: int = 0
    bytes_removed: int = 0


@dataclass(frozen=True, slots=True)
class RowChange:
    """One row that differs: `before` is None for an added row, `after` for a removed one.

    Values are JSON's own (text, whole numbers, truth values, None) or DuckDB's text of the value.
    """

    kind: Literal["added", "removed", "changed"]
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    columns: tuple[str, ...] = ()
    """The columns whose values differ, of a changed row."""
    copies: int = 1
    """How often the same row was added or removed."""


@dataclass(frozen=True, slots=True)
class RowDiff:
    """How the rows of a table differ, counted exactly, with a sample of them."""

    added: int
    removed: int
    changed: int
    key: tuple[str, ...] = ()
    """The columns by which rows were matched; empty where rows were compared as a whole."""
    columns: tuple[str, ...] = ()
    """The columns that were compared: those that both sides have."""
    changed_columns: Mapping[str, int] = field(default_factory=dict)
    """For each column, in how many of the changed rows its value differs."""
    sample: tuple[RowChange, ...] = ()
    notes: tuple[str, ...] = ()
    """What a reader has to know: a key that is not unique, for example."""

    @property
    def same(self) -> bool:
        """Whether both sides have the same rows."""
        return not (self.added or self.removed or self.changed)


@dataclass(frozen=True, slots=True)
class TableDiff:
    """How one table differs."""

    name: str
    change: Change
    rows_before: int
    rows_after: int
    before_name: str | None = None
    """What the table was called before, where it was renamed."""
    columns: tuple[ColumnChange, ...] = ()
    layout: tuple[PropertyChange, ...] = ()
    """Partitioning and sort order."""
    properties: tuple[PropertyChange, ...] = ()
    files: FileChange = FileChange()
    rows: RowDiff | None = None
    """None where rows were not compared: in tables that one side lacks, or because it was not asked for."""


@dataclass(frozen=True, slots=True)
class ViewDiff:
    """How one view differs."""

    name: str
    change: Change
    before: str | None
    """Its SQL before."""
    after: str | None
    columns: tuple[ColumnChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Diff:
    """What differs between two states; tables and views by name."""

    before: str
    """The commit that is compared."""
    after: str
    """The commit that it is compared with."""
    tables: tuple[TableDiff, ...]
    views: tuple[ViewDiff, ...]

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not self.tables and not self.views

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)
