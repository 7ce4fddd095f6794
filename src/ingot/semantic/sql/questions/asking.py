"""What a SELECT asks of the rows of its FROM, whoever joins these: the model, or the statement itself."""

from dataclasses import dataclass
from typing import Protocol

from sqlglot import exp

from ingot.semantic.planner.fanout import Leaf


@dataclass(frozen=True, slots=True)
class Part:
    """An aggregate's rows: columns with what each brings, and with what tells them apart, as far as that is asked."""

    value: exp.Expr | None
    keys: tuple[exp.Expr, ...] = ()


Parts = tuple[dict[Leaf, Part], list[Leaf]]
"""The aggregates of a measure, and those of cubes that are not there."""


class Asking(Protocol):
    """A question in the making: what is asked of it becomes a column of its derived table."""

    alias: str

    @property
    def is_empty(self) -> bool:
        """Whether something must be asked for, so that there are rows."""

    def dimension(self, tree: exp.Expr) -> exp.Column:
        """The column that has the value of an expression."""

    def measure(self, name: str) -> exp.Column:
        """The column that has a measure's value."""

    def of_row(self, node: exp.Expr) -> exp.Expr:
        """What a row has of a member: null of a measure that has values of groups only. Other nodes stay."""

    def of_star(self, tree: exp.Expr) -> exp.Expr:
        """What a row has of a column that nobody named: it does not bring rows of others with it."""

    def added_up(self, name: str, at: exp.Expr) -> None:
        """What rows have of a measure is added up. Raises `SqlError` where a row may stand there several times."""

    def where(self, tree: exp.Expr) -> None:
        """Adds a condition on the rows. Raises `SqlError`."""

    def parts(self, name: str, *, apart: bool) -> Parts:
        """What a measure is computed from. `apart`: rows may stand several times in what is done with them.

        Raises `SqlError`.
        """

    def table(self) -> exp.Subquery:
        """The derived table."""
