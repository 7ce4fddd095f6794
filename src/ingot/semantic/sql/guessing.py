"""Parameters that have no values yet: each is a NULL in the statement, and what stands beside it says its type."""

from sqlglot import exp

from ingot.semantic.sql.errors import SqlError, shown
from ingot.semantic.sql.postgres import kinds
from ingot.semantic.sql.postgres.writing import Writing

MOST = 32_767
_PLACE = "parameter"
"""In the `meta` of a NULL: which parameter it stands for."""
_TEXTS = (exp.Like, exp.ILike, exp.RegexpLike, exp.RegexpILike, exp.DPipe)
_ALIKE = (exp.Binary, exp.Between, exp.In, exp.Coalesce, exp.Nullif, exp.Case, exp.If)


class Guessing:
    """Learns the types of one statement's parameters while it is written."""

    def __init__(self) -> None:
        self.types: dict[int, str] = {}
        """By number, as far as they are known; else `kinds.UNKNOWN`."""

    def opened(self, tree: exp.Query) -> exp.Query:
        """`tree` with NULLs in place of its parameters. Raises `SqlError`."""

        def one(node: exp.Expr) -> exp.Expr:
            if not isinstance(node, exp.Parameter):
                return node
            if not node.name.isdigit() or not 0 < int(node.name) <= MOST:
                raise SqlError(f"there is no parameter ${shown(node.name)}", at=node, sqlstate="42P02")
            made = exp.null()
            made.meta.update(node.meta)
            made.meta[_PLACE] = int(node.name)
            self.types.setdefault(int(node.name), kinds.UNKNOWN)
            return made

        made = tree.transform(one)
        assert isinstance(made, exp.Query)
        return made

    def learn(self, node: exp.Expr, writing: Writing) -> None:
        """What the parameters right in a node are, as far as the rest of it says; its columns were looked up."""
        found = [one.meta[_PLACE] for one in node.iter_expressions() if _PLACE in one.meta]
        if not found:
            return
        kind = kinds.UNKNOWN
        if isinstance(node, exp.Cast):
            kind = kinds.named(node.to)[0]
        elif isinstance(node, exp.Limit | exp.Offset | exp.Fetch):
            kind = "int8"
        elif isinstance(node, _TEXTS):
            kind = "text"
        elif isinstance(node, _ALIKE):
            kind = _beside(node, writing)
        for each in found:
            if self.types.get(each) == kinds.UNKNOWN:
                self.types[each] = kind


def _beside(node: exp.Expr, writing: Writing) -> str:
    for one in node.iter_expressions():
        if _PLACE in one.meta:
            continue
        try:
            kind = writing.output(one.copy()).type
        except SqlError:
            continue
        if kind not in (kinds.UNKNOWN, kinds.ANY):
            return kind
    return kinds.UNKNOWN
