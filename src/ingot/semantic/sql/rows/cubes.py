"""The rows of a cube or view where a SELECT of others reads them: what is used of it is asked for, and no more."""

from collections.abc import Iterator
from dataclasses import replace

from sqlglot import exp

from ingot.semantic.model import Measure
from ingot.semantic.sql.around import Around
from ingot.semantic.sql.errors import SqlError, shown
from ingot.semantic.sql.questions.asking import Asking
from ingot.semantic.sql.questions.columns import Table, is_dimension, marked, members
from ingot.semantic.sql.questions.question import Question


class Rows:
    """The rows of a cube or view as a table: a question for the columns that are used of it."""

    def __init__(
        self,
        alias: str,
        own: Table,
        around: Around,
        columns: tuple[str, ...] = (),
        question: Asking | None = None,
    ) -> None:
        """`question` asks for the rows, where these are not just all of a cube or view."""
        self.alias = alias
        self.own = own
        self.around = around
        self.question: Asking = question or Question(around, ungrouped=True)
        named = list(own.columns)
        self.columns = dict(zip([*columns, *named[len(columns) :]], own.columns.values(), strict=False))

    def names(self) -> list[str]:
        """The dimensions, which rows are joined by."""
        return [name for name, tree in self.columns.items() if self._is_dimension(tree)]

    def star(self) -> Iterator[tuple[str, exp.Expr]]:
        """All columns, with what a row has of them."""
        for name, tree in self.columns.items():
            yield name, self.question.of_star(tree)

    def find(self, node: exp.Identifier) -> exp.Expr | None:
        """A dimension, which the rows have from now on."""
        tree = replace(self.own, columns=self.columns).find(node)
        if tree is None:
            return None
        name = marked(tree)
        if name is not None and isinstance(self.around.seen.members[name].member, Measure):
            raise SqlError(
                f"'{name}' is a measure: aggregate it in a sub-query, and join that.",
                at=node,
                sqlstate="42803",
            )
        return self.question.dimension(tree)

    def table(self, at: exp.Expr) -> exp.Expr:
        """What stands in FROM."""
        if self.question.is_empty:
            self.question.dimension(self._first(at))
        return self.question.table()

    def _is_dimension(self, tree: exp.Expr) -> bool:
        names = list(members(tree))
        return bool(names) and all(is_dimension(self.around.seen.members[one]) for one in names)

    def _first(self, at: exp.Expr) -> exp.Expr:
        for tree in self.own.columns.values():
            if self._is_dimension(tree):
                return tree
        raise SqlError(f"'{shown(self.own.alias)}' has no dimension.", at=at)
