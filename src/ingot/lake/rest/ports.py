"""What this server needs of a lake: its catalog, and where its files are."""

from typing import Protocol

from ingot.lake.ports import Catalog


class Lake(Protocol):
    """The part of `ingot.lake.Lake` that is served."""

    @property
    def catalog(self) -> Catalog:
        """Refs, commits and contents."""

    @property
    def warehouse(self) -> str:
        """The folder or URI below which every table lives."""
