"""What a statement may read beside cubes and views: tables of the lake, and databases. Whoever plans brings them."""

from collections.abc import Collection, Hashable
from typing import TYPE_CHECKING, Any, Protocol

from sqlglot import exp

from ingot.semantic.sql.rows.plain import Relation

if TYPE_CHECKING:
    from ingot.lake import State


class Reading(Protocol):
    """The tables of one statement; it is a `plain.Find`."""

    @property
    def read(self) -> Collection[str]:
        """Those of the lake that were found, in its own spelling."""

    @property
    def databases(self) -> Collection[str]:
        """The databases of those that are not the lake's."""

    def __call__(self, node: exp.Table, /) -> Relation | None:
        """The table of a name; None for one that is no such table. Raises `IngotError`."""

    def engine(self, tables: Collection[str], /) -> Any:
        """What opens sessions that read these tables of the lake and the databases; None for the usual engine."""


class Beside(Protocol):
    """All tables that one session may read beside the model."""

    @property
    def key(self) -> Hashable:
        """What a name means depends on this, and on the lake's state."""

    def reading(self, state: "State", tree: exp.Query, /) -> Reading:
        """For one statement at a state."""
