"""Which tables of a FROM have no row that stands twice in the joined rows, as far as keys tell.

A row of a table stands once where each other table is reached from it over columns that hold a whole primary key.
What is not seen here costs time and no more: rows are told apart then.
"""

from collections.abc import Iterator, Mapping, Sequence

from sqlglot import exp

from ingot.semantic.model import Dimension, Model
from ingot.semantic.sql.errors import SqlError
from ingot.semantic.sql.questions.columns import Scope, marked, same

Place = tuple[int, exp.Expr]
"""The number of a table, and what its column means."""


def once(select: exp.Select, scopes: Sequence[Scope | None], model: Model, seen: Model) -> frozenset[int]:
    """The numbers of such tables. `scopes`: what the tables of FROM are, where cubes or sub-queries of their rows.

    `seen`: what who asks sees of the model.
    """
    joins = select.args.get("joins") or []
    nodes = [select.args["from_"].this, *(one.this for one in joins)]
    if len(nodes) != len(scopes):
        return frozenset()  # some stand in brackets
    held: dict[tuple[int, int], list[exp.Expr | None]] = {}
    for new, join in enumerate(joins, 1):
        for one, other in _equal(join, new, nodes, scopes):
            for (number, column), (there, _) in ((one, other), (other, one)):
                held.setdefault((there, number), []).append(_column(column, model, seen))
    keys = {number: _keys(scope, model) for number, scope in enumerate(scopes)}
    return frozenset(
        number for number, own in keys.items() if own is not None and _reaches_all(number, keys, held)
    )


def _column(tree: exp.Expr, model: Model, seen: Model) -> exp.Expr | None:
    """What a column is in the cube's words, where nothing is done to it: no mask, no time zone."""
    name = marked(tree)
    member = seen.members[name].member if name is not None else None
    if not isinstance(member, Dimension) or member.type == "time":
        return None
    return member.sql if name is not None and model.members[name].member is member else None


def _reaches_all(
    start: int,
    keys: Mapping[int, list[exp.Expr] | None],
    held: Mapping[tuple[int, int], list[exp.Expr | None]],
) -> bool:
    known = {start}
    grown = True
    while grown:
        grown = False
        for number in keys.keys() - known:
            parts = keys[number]
            if parts and all(
                any(part == column for one in known for column in held.get((one, number), ()))
                for part in parts
            ):
                known.add(number)
                grown = True
    return len(known) == len(keys)


def _keys(scope: Scope | None, model: Model) -> list[exp.Expr] | None:
    """The parts of the primary key, in the words of the cube whose rows a table has; None where it has others."""
    if scope is None or scope.joining is not None or len(scope.tables) != 1:
        return None
    cube = model.cubes.get(str(scope.tables[0].owner or scope.owner))
    return [one.sql for one in cube.primary_key] if cube is not None else None


def _equal(
    join: exp.Join, new: int, nodes: Sequence[exp.Expr], scopes: Sequence[Scope | None]
) -> Iterator[tuple[Place, Place]]:
    """The columns of the joined table and of one before it that a join holds equal."""
    for name in join.args.get("using") or ():
        column = exp.column(name.copy())
        places = [
            _place(column, nodes[:new], scopes[:new]),
            _place(column, nodes[new : new + 1], scopes[new:]),
        ]
        if places[0] is not None and places[1] is not None:
            yield places[0], (new, places[1][1])
    on = join.args.get("on")
    parts = on.unnest().flatten() if on is not None and isinstance(on.unnest(), exp.And) else [on]
    for part in parts:
        test = part.unnest() if part is not None else None
        if not isinstance(test, exp.EQ):
            continue
        one, other = (
            _place(side.unnest(), nodes[: new + 1], scopes) for side in (test.this, test.expression)
        )
        if one is not None and other is not None and (one[0] == new) != (other[0] == new):
            yield one, other


def _place(node: exp.Expr, nodes: Sequence[exp.Expr], scopes: Sequence[Scope | None]) -> Place | None:
    """Where a column is, where that is certain: its table is named, or all tables are known."""
    if not isinstance(node, exp.Column):
        return None
    found: list[Place] = []
    for number, (at, scope) in enumerate(zip(nodes, scopes, strict=False)):
        if node.table and not same(at.alias_or_name, node.table):
            continue
        if scope is None or scope.joining is not None:
            return None
        try:
            found.append((number, scope.column(node)))
        except SqlError as error:
            if error.sqlstate != "42703":
                return None
    return found[0] if len(found) == 1 else None
