"""What a SELECT asks of the rows of its FROM, whoever joins these: the model, or the statement itself."""

from typing import Protocol

from sqlglot import exp

from ingot.semantic.planner.fanout import Leaf

Leaves = tuple[dict[Leaf, tuple[exp.Expr, ...]], list[Leaf]]
"""The aggregates of a measure with the columns that tell their rows apart, and those of cubes that are not there."""


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

    def where(self, tree: exp.Expr) -> None:
        """Adds a condition on the rows. Raises `SqlError`."""

    def leaves(self, name: str) -> Leaves:
        """What a measure is computed from, where rows are asked for. Raises `SqlError`."""

    def table(self) -> exp.Subquery:
        """The derived table."""
