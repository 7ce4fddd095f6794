"""Who writes which kind of node: the files of this room register here, `writing` looks up."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from ingot.semantic.sql.postgres.calls import Meant

if TYPE_CHECKING:
    from ingot.semantic.sql.postgres.writing import Writing

Writer = Callable[["Writing", Any], Meant]
WRITERS: dict[type[exp.Expr], Writer] = {}
"""A node's class -> what writes it; the class nearest in its ancestry is taken."""


def writes(*nodes: type[exp.Expr]) -> Callable[[Writer], Writer]:
    """Registers what writes nodes of some classes."""

    def register(one: Writer) -> Writer:
        for node in nodes:
            WRITERS[node] = one
        return one

    return register
