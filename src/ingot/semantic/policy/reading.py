"""Which facts may be read from rollups for an asker who does not see all rows.

Rollups are built of all rows. One may answer where the rows that are hidden are those of the cube that the joins
begin with, and stored columns tell them apart; a cube that is joined has its rows hidden before it is joined, which
no stored row can say any more.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from ingot.semantic.planner.resolve import Tree, conditions
from ingot.semantic.planner.rows_of import JoinedRows

if TYPE_CHECKING:
    from ingot.semantic.planner.fanout import Fact, Grain
    from ingot.semantic.planner.resolve import Resolved
    from ingot.semantic.planner.rows_of import Reader, Rows
    from ingot.semantic.planner.writing import Writing


def guarded(reader: "Reader", query: "Resolved") -> "Reader":
    """`reader`, which reads for `query` nothing that its asker may not see."""
    if not query.rows and not query.limits:
        return reader
    return _Guarded(reader, query)


class _Guarded:
    def __init__(self, reader: "Reader", query: "Resolved") -> None:
        self.reader = reader
        self.rows = dict(query.rows)

    def __call__(self, writing: "Writing", fact: "Fact", grain: "Grain") -> "Rows":
        hiding = self.hiding(writing, fact)
        if not hiding and not grain.limits:
            return self.reader(writing, fact, grain)
        demands = [*grain.limits, *(self.rows[cube] for cube in hiding)]
        if all(cube == fact.tree.root for cube in hiding) and _can_be_stored(demands, writing, grain):
            told = replace(grain, where=(*grain.where, *demands), limits=())
            found = self.reader(writing, fact, told)
            if not isinstance(found, JoinedRows):
                return found
        return JoinedRows(writing, fact, grain)

    def hiding(self, writing: "Writing", fact: "Fact") -> list[str]:
        """The cubes of a fact of which rows are hidden."""
        cubes = {*fact.tree.cubes, *(fact.own.cubes if fact.own is not None else ())}
        if cubes & writing.model.sub_queries.keys():
            cubes |= self.rows.keys()
        return [cube for cube in self.rows if cube in cubes]


def _can_be_stored(demands: list[Tree], writing: "Writing", grain: "Grain") -> bool:
    """Whether conditions of policies mean the same among the filters of a query, which have its zone and shifts."""
    for one in (each for tree in demands for each in conditions(tree)):
        member = one.found.member
        if grain.shift(member.full_name) or (
            getattr(member, "type", None) == "time" and writing.zone != "UTC"
        ):
            return False
    return True
