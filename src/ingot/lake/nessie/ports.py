"""What this server needs of a lake: its catalog, where its files are, and merges that know appended rows."""

from collections.abc import Mapping
from typing import Protocol

from ingot.lake.model import Key, KeyMerge, MergeMode, MergeResult
from ingot.lake.ports import Catalog


class Lake(Protocol):
    """The part of `ingot.lake.Lake` that is served."""

    @property
    def catalog(self) -> Catalog:
        """Refs, commits and contents."""

    @property
    def warehouse(self) -> str:
        """The folder or URI below which every table lives."""

    def merge(
        self,
        source: str,
        into: str,
        *,
        message: str | None = None,
        author: str = "ingot",
        properties: Mapping[str, str] | None = None,
        modes: Mapping[Key, KeyMerge] | None = None,
        default_mode: MergeMode = MergeMode.NORMAL,
        dry_run: bool = False,
    ) -> MergeResult:
        """Merges as `Catalog.merge` does, and brings together what both sides appended to a table."""
