"""The rows of a cube that an asker may see, in the place of all its rows; and which facts a rollup may still answer."""

from typing import TYPE_CHECKING

from sqlglot import exp

from ingot.semantic import marks
from ingot.semantic.model import Dimension
from ingot.semantic.planner.filling import Filling
from ingot.semantic.planner.filters import condition, condition_tree
from ingot.semantic.planner.joins import tree as joined
from ingot.semantic.planner.resolve import Condition, Tree, conditions

if TYPE_CHECKING:
    from ingot.semantic.planner.writing import Writing

ZONE = "UTC"


def visible(writing: "Writing", cube: str, source: exp.Expr, rows: Tree) -> exp.Expr:
    """`source`, which the rows of `cube` are read from, with none but those that fulfil `rows`.

    Cubes that the conditions are about are joined whole: what the asker sees of them does not change whose rows
    these are.
    """
    model = writing.model
    # The query's own filters and zone must not reach into a policy.
    plain = Filling(model, (), zone=ZONE, parameters=writing.parameters, context=writing.context)

    def of(name: str) -> exp.Expr:
        writing.cubes.add(name)
        return exp.alias_(
            plain.fill(model.cubes[name].source.copy()), name, table=True, quoted=True, copy=False
        )

    paths = [(cube,), *(path for one in conditions(rows) for path in one.found.member.paths)]
    own = exp.alias_(source, cube, table=True, quoted=True, copy=False)
    star = exp.Column(this=exp.Star(), table=exp.to_identifier(cube, quoted=True))
    select = exp.Select().select(star, copy=False).from_(own, copy=False)
    for join in joined(model.edges, paths).joins:
        on = plain.fill(join.sql.copy())
        select = select.join(of(join.right), on=on, join_type="left", copy=False)
    return exp.Subquery(this=select.where(written(writing, rows, plain), copy=False))


def written(writing: "Writing", rows: Tree, plain: Filling | None = None) -> exp.Expr:
    """The SQL of conditions of a policy on joined rows."""
    filling = plain or Filling(
        writing.model, (), zone=ZONE, parameters=writing.parameters, context=writing.context
    )

    def one(each: Condition) -> exp.Expr:
        member = each.found.member
        assert isinstance(member, Dimension)
        return condition(
            each,
            lambda: marks.wrapped(filling.fill(member.sql.copy())),
            zone=ZONE,
            parameters=writing.parameters,
        )

    return condition_tree(rows, one)
