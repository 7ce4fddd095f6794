"""Joins that are written by their keys and say what the model declares: `ON o.customer_id = c.id`.

Owns which conditions are such joins, what the rows must fulfil then, and whether a planned question joins its
cubes in exactly this way; how cubes are joined is the planner's.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from ingot.semantic.errors import QueryError
from ingot.semantic.model import Dimension, Join, Model
from ingot.semantic.planner.fanout import Grain, facts, leaves, shared_paths, staged
from ingot.semantic.planner.joins import Tree, along, tree
from ingot.semantic.planner.resolve import Condition, Resolved, member_paths
from ingot.semantic.sql.errors import SqlError
from ingot.semantic.sql.questions.columns import Scope, Table, is_dimension, marked

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
    repeats: bool = False
    """Whether a row of `left` may find several of `right`."""
    further: tuple[exp.Expr, ...] = ()
    """What else the joined rows must fulfil."""
    merged: Mapping[str, exp.Expr] = field(default_factory=dict)
    """Columns of USING: what they mean without a table."""

    @property
    def is_idle(self) -> bool:
        """Whether the rows of `left` are the same without it."""
        return self.outer and not self.repeats

    def tests(self) -> Iterator[exp.Expr]:
        """What a row must fulfil; each brings the cube of its key into every question."""
        for key in () if self.is_idle else self.keys:
            absent = exp.Is(this=key.copy(), expression=exp.null())
            # Of an outer join nothing is asked: this is true of every row.
            tested = exp.Is(this=exp.Paren(this=absent), expression=exp.null()) if self.outer else absent
            yield exp.Not(this=tested)
        yield from self.further


@dataclass(frozen=True, slots=True)
class _Test:
    """One condition of a join: as it is written, and the columns that it holds equal, if it does that."""

    written: exp.Expr | None
    keys: tuple[exp.Column, exp.Column] | None = None
    places: frozenset[Place] = frozenset()


def keyed(join: exp.Join, known: Scope, own: Scope, model: Model, seen: Model) -> KeyedJoin | None:
    """The declared join that a JOIN of one more cube spells, if it is one; `seen`: what who asks sees of the model."""
    if join.side not in ("", "LEFT", "RIGHT") or join.kind not in ("", "INNER", "OUTER"):
        return None
    if join.side == "RIGHT" and len(known.tables) != 1:
        return None  # it keeps its rows beside all that is joined before
    scope = Scope([*known.tables, *own.tables], merged=known.merged)
    try:
        merged = _merged(join, known, own, seen)
        tests = [_compared(None, left, right, model, seen) for left, right in merged.values()]
        on = join.args.get("on")
        tests += [_test(one, scope, model, seen) for one in _parts(on)] if on is not None else []
        new = own.owners[0]
        for left, right, pairs, repeats in _ways(
            model, {str(one.owner) for one in known.tables}, new, join.side
        ):
            asked = [one for one in tests if one.places in pairs]
            rest = [one.written for one in tests if one not in asked]
            if {one.places for one in asked} != pairs or (rest and join.side):
                continue  # what else an outer join asks decides which rows have a partner, and no more
            further = tuple(scope.filled(one.copy()) for one in rest if one is not None and _is_plain(one))
            if len(further) < len(rest):
                continue
            keys = tuple(key for one in asked if one.keys is not None for key in one.keys)
            means = {name: sides[join.side == "RIGHT"] for name, sides in merged.items()}
            return KeyedJoin(left, right, pairs, keys, bool(join.side), repeats, further, means)
    except SqlError:
        return None  # whoever joins the rows tells of it
    return None


def _ways(model: Model, there: set[str], new: str, side: str) -> Iterator[tuple[str, str, Pairs, bool]]:
    """The declared joins of a cube with those that are there, the side that keeps its rows first."""
    for cube in sorted(there):
        ways = {"LEFT": [(cube, new)], "RIGHT": [(new, cube)]}.get(side, [(cube, new), (new, cube)])
        for left, right in ways:
            for join in model.edges.get(left, ()):
                pairs = spelled(join) if join.right == right else None
                if pairs is not None:
                    yield (*((left, right) if side else (cube, new)), pairs, join.many_to_right)


def _merged(join: exp.Join, known: Scope, own: Scope, seen: Model) -> dict[str, tuple[exp.Expr, exp.Expr]]:
    """The columns of USING or NATURAL on both sides. Raises `SqlError`."""
    names = [one.name for one in join.args.get("using") or ()]
    if join.args.get("method"):
        if str(join.args["method"]).upper() != "NATURAL":
            raise SqlError("This join cannot be used here.", at=join, sqlstate="0A000")
        there = {name.casefold() for one in known.tables for name in _dimensions(one, seen)} | {*known.merged}
        names = [name for name in _dimensions(own.tables[0], seen) if name.casefold() in there]
    columns = [exp.column(exp.to_identifier(name, quoted=True)) for name in names]
    return {one.name.casefold(): (known.column(one), own.column(one)) for one in columns}


def _dimensions(one: Table, seen: Model) -> list[str]:
    return [name for name, tree in one.columns.items() if is_dimension(seen.members[str(marked(tree))])]


def _test(written: exp.Expr, scope: Scope, model: Model, seen: Model) -> _Test:
    if isinstance(written, exp.EQ):
        left, right = written.this.unnest(), written.expression.unnest()
        if isinstance(left, exp.Column) and isinstance(right, exp.Column):
            return _compared(written, scope.column(left), scope.column(right), model, seen)
    return _Test(written)


def _compared(written: exp.Expr | None, left: exp.Expr, right: exp.Expr, model: Model, seen: Model) -> _Test:
    keys = [_key(side, model, seen) for side in (left, right)]
    if keys[0] is None or keys[1] is None or keys[0][2] != keys[1][2]:
        return _Test(written)
    return _Test(written, (keys[0][0], keys[1][0]), frozenset(place for _, place, _ in (keys[0], keys[1])))


def _is_plain(written: exp.Expr) -> bool:
    """Whether a condition can be asked of the joined rows: it has no sub-query, which must be written first."""
    return not any(isinstance(node, exp.Query) for node in written.walk())


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
    return all(each.root in owners and _all_joined(joins, each) for each in trees)


def _trees(query: Resolved, model: Model) -> list[Tree]:
    grain = Grain.of(query)
    if not query.ungrouped:
        return [one.tree for one in facts(model, grain, leaves(query))]
    return [rows_of(query, model)]


def rows_of(query: Resolved, model: Model) -> Tree:
    """How cubes are joined for a question that asks for rows."""
    grain = Grain.of(query)
    paths = [*shared_paths(grain), *(path for one in query.measures for path in member_paths(one.found))]
    return tree(along(model.edges, grain.hints), paths)


def _all_joined(joins: Sequence[KeyedJoin], found: Tree) -> bool:
    there = set(found.cubes)
    for one in joins:
        if one.is_idle and one.right not in there and one.left in there:
            there.add(one.right)  # as good as there: what is joined to it is idle, too, or asks for it
        elif not _joined(one, found):
            return False
    return True


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


def _key(mark: exp.Expr, model: Model, seen: Model) -> tuple[exp.Column, Place, str] | None:
    """A dimension that is a column: its mark, the column, and its type."""
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
