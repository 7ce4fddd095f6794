"""Joins that are written by their keys and say what the model declares: `ON o.customer_id = c.id`.

Owns which conditions are such joins, what the rows must fulfil then, and whether a planned question joins its
cubes in exactly this way; how cubes are joined is the planner's.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlglot import exp

from ingot.semantic.errors import QueryError
from ingot.semantic.model import Dimension, Join, Model
from ingot.semantic.planner.fanout import Grain, facts, leaves, shared_paths, staged
from ingot.semantic.planner.joins import Tree, along, tree
from ingot.semantic.planner.resolve import Condition, Resolved, member_paths
from ingot.semantic.sql.columns import Scope, marked
from ingot.semantic.sql.errors import SqlError

Place = tuple[str, str]
"""A cube and a column of its table."""
Pairs = frozenset[frozenset[Place]]


class OtherJoinError(SqlError):
    """The model would join cubes in another way than the statement."""


@dataclass(frozen=True, slots=True)
class KeyedJoin:
    """A join of two cubes by columns. `outer`: rows of `left` without a partner stay."""

    left: str
    right: str
    pairs: Pairs
    keys: tuple[exp.Column, ...]
    """Marks of the dimensions that are compared, of both sides."""
    outer: bool

    def tests(self) -> Iterator[exp.Expr]:
        """What a row must fulfil; each brings the cube of its key into every question."""
        for key in self.keys:
            absent = exp.Is(this=key.copy(), expression=exp.null())
            # Of an outer join nothing is asked: this is true of every row.
            tested = exp.Is(this=exp.Paren(this=absent), expression=exp.null()) if self.outer else absent
            yield exp.Not(this=tested)


def keyed(join: exp.Join, known: Scope, own: Scope, model: Model, seen: Model) -> KeyedJoin | None:
    """The declared join that a JOIN of one more cube spells, if it is one; `seen`: what who asks sees of the model."""
    on = join.args.get("on")
    plain = not join.args.get("using") and not join.args.get("method")
    if on is None or not plain or join.side not in ("", "LEFT") or join.kind not in ("", "INNER", "OUTER"):
        return None
    scope = Scope([*known.tables, *own.tables])
    pairs: set[frozenset[Place]] = set()
    keys: list[exp.Column] = []
    for each in _parts(on):
        if not isinstance(each, exp.EQ):
            return None
        sides = [_key(side.unnest(), scope, model, seen) for side in (each.this, each.expression)]
        if sides[0] is None or sides[1] is None or sides[0][2] != sides[1][2]:
            return None
        pairs.add(frozenset(place for _, place, _ in (sides[0], sides[1])))
        keys += [sides[0][0], sides[1][0]]
    right = own.owners[0]
    cubes = {cube for pair in pairs for cube, _ in pair}
    if right not in cubes or len(cubes) != 2 or any(len({cube for cube, _ in pair}) != 2 for pair in pairs):
        return None
    left = next(cube for cube in cubes if cube != right)
    found = frozenset(pairs)
    ways = ((left, right),) if join.side else ((left, right), (right, left))
    declared = [one for start, end in ways for one in model.edges.get(start, ()) if one.right == end]
    if not any(spelled(one) == found for one in declared):
        return None
    return KeyedJoin(left, right, found, tuple(keys), bool(join.side))


def spelled(join: Join) -> Pairs | None:
    """The columns that a declared join compares, if that is all it says."""
    pairs: set[frozenset[Place]] = set()
    for each in _parts(join.sql):
        if not isinstance(each, exp.EQ):
            return None
        places = [_column(side.unnest()) for side in (each.this, each.expression)]
        if places[0] is None or places[1] is None:
            return None
        pairs.add(frozenset((places[0], places[1])))
    return frozenset(pairs)


def as_written(joins: Sequence[KeyedJoin], query: Resolved, model: Model) -> bool:
    """Whether everything that is asked for is computed from cubes that are joined by `joins`."""
    if staged(query):
        return False
    # A project's query_rewrite may have taken away what makes the joins inner ones.
    kept = {one.found.name for one in query.where if isinstance(one, Condition) and one.operator == "set"}
    if any(marked(key) not in kept for one in joins if not one.outer for key in one.keys):
        return False
    owners = {cube for one in joins for cube in (one.left, one.right)}
    try:
        trees = _trees(query, model)
    except QueryError:
        return False
    return all(each.root in owners and all(_joined(one, each) for one in joins) for each in trees)


def _trees(query: Resolved, model: Model) -> list[Tree]:
    grain = Grain.of(query)
    if not query.ungrouped:
        return [one.tree for one in facts(model, grain, leaves(query))]
    paths = [*shared_paths(grain), *(path for one in query.measures for path in member_paths(one.found))]
    return [tree(along(model.edges, grain.hints), paths)]


def _joined(one: KeyedJoin, found: Tree) -> bool:
    ends = (one.left, one.right)
    for join in found.joins:
        way = (join.left, join.right)
        if way == ends or (not one.outer and way == ends[::-1]):
            return spelled(join) == one.pairs
    return False


def _parts(tree_: exp.Expr) -> Iterator[exp.Expr]:
    node = tree_.unnest()
    if isinstance(node, exp.And):
        yield from _parts(node.this)
        yield from _parts(node.expression)
    else:
        yield node


def _key(node: exp.Expr, scope: Scope, model: Model, seen: Model) -> tuple[exp.Column, Place, str] | None:
    """A dimension that is a column: its mark, the column, and its type."""
    if not isinstance(node, exp.Column):
        return None
    try:
        mark = scope.column(node)
    except SqlError:
        return None
    name = marked(mark)
    member = seen.members[name].member if name is not None else None
    if not isinstance(member, Dimension) or not isinstance(mark, exp.Column):
        return None
    if name is None or name not in model.members or model.members[name].member is not member:
        return None  # who asks sees another value than that by which the rows are joined
    place = _column(member.sql)
    if place is None or place[0] != member.cube or member.sub_query is not None or member.type == "time":
        return None
    return mark, place, member.type


def _column(node: exp.Expr) -> Place | None:
    if not isinstance(node, exp.Column) or not isinstance(node.this, exp.Identifier):
        return None
    return (node.table, node.name.casefold()) if node.table and not node.args.get("db") else None
