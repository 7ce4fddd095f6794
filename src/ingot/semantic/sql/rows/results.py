"""The columns that written SELECTs give: as those of a table, counted and named by others, matched by UNION."""

from collections.abc import Sequence

from sqlglot import exp

from ingot.semantic.sql.errors import SqlError, shown
from ingot.semantic.sql.postgres import kinds
from ingot.semantic.sql.postgres.calls import Meant
from ingot.semantic.sql.postgres.casts import becoming
from ingot.semantic.sql.postgres.tree import cast, text
from ingot.semantic.sql.postgres.writing import TYPE, Writing, output_types
from ingot.semantic.sql.rows.scope import ENGINE, Col, distinct, folded, renamed

OPEN = "open"
"""In the `meta` of a column: what it is, while it may still become what the other side of a UNION is."""


def columns_of(made: exp.Query, given: Sequence[str], at: exp.Expr) -> tuple[Col, ...]:
    """The columns of a written query as those of a table. Raises `SqlError` where more names are `given`."""
    types = output_types(made)
    heads = _heads(made)
    found = (
        Col(one.alias, "text" if kind == kinds.UNKNOWN else kind, one.alias, str(one.meta.get(ENGINE, "")))
        for one, kind in zip(heads, types, strict=True)
    )
    return renamed(distinct(found), given, at)


def outputs_of(made: exp.Query) -> tuple[Col, ...]:
    """The columns of a written statement, whose texts and NULLs without a type are text from now on."""
    body: exp.Expr = made
    while isinstance(body, exp.Subquery):
        body = body.this
    if isinstance(body, exp.Select):
        for one in body.expressions:
            found = one.meta.pop(OPEN, None)
            if found is not None:
                one.set(
                    "this", text(found.literal) if found.literal is not None else cast(found.tree, "text")
                )
                one.meta[TYPE] = "text"
    return columns_of(made, (), made)


def _heads(made: exp.Expr) -> list[exp.Expr]:
    while isinstance(made, exp.SetOperation | exp.Subquery):
        made = made.this
    return list(made.expressions)


def place(node: exp.Expr, count: int) -> int | None:
    """The column that a number in GROUP BY or ORDER BY means. Raises `SqlError` where there is none."""
    if not isinstance(node, exp.Literal):
        return None
    if node.is_string or not node.name.isdigit() or not 1 <= int(node.name[:6]) <= count:
        raise SqlError(f"position {shown(node.name)} is not in select list", at=node, sqlstate="42P10")
    return int(node.name)


def named(node: exp.Expr, names: Sequence[str]) -> int | None:
    """The number of the column that a bare name means, as PostgreSQL compares names, and then whatever the case."""
    if not isinstance(node, exp.Column) or node.table or not isinstance(node.this, exp.Identifier):
        return None
    for wanted in (folded(node.this), node.name):
        if wanted in names:
            return names.index(wanted) + 1
    wanted = node.name.casefold()
    return next((n for n, one in enumerate(names, 1) if one.casefold() == wanted), None)


def ordered_by_columns(tree: exp.Query) -> None:
    """ORDER BY after UNION, which is changed: by the numbers of columns. Raises `SqlError`."""
    names = [one.alias for one in _heads(tree)]
    order = tree.args.get("order")
    for one in order.expressions if order else ():
        if not isinstance(one.this, exp.Column | exp.Literal):
            raise SqlError(
                "ORDER BY after UNION takes names and numbers of columns.", at=one, sqlstate="0A000"
            )
        number = place(one.this, len(names)) or named(one.this, names)
        if number is None:
            raise SqlError(f'column "{shown(one.this.name)}" does not exist', at=one, sqlstate="42703")
        one.set("this", exp.Literal.number(number))


def united(tree: exp.SetOperation, writing: Writing) -> None:
    """Gives both sides of a UNION the types that they have in common. Raises `SqlError`."""
    sides = [tree.this, tree.expression]
    types = [_types(one) for one in sides]
    if len(types[0]) != len(types[1]):
        raise SqlError(f"each {tree.key.upper()} query must have the same number of columns", at=tree)
    found = []
    for n, pair in enumerate(zip(*types, strict=True)):
        kind = kinds.common(list(pair))
        if kind is None:
            raise SqlError(
                f"{tree.key.upper()} types {kinds.spoken(pair[0])} and {kinds.spoken(pair[1])} cannot be matched",
                at=tree,
                sqlstate="42804",
            )
        heads = [_heads(side)[n] for side in sides]
        if heads[0].meta.get(ENGINE) != heads[1].meta.get(ENGINE):
            heads[0].meta.pop(ENGINE, None)
        for side, own in zip(sides, pair, strict=True):
            if own != kind:
                _become(side, n, own, kind, writing)
        found.append(kind)
    tree.meta[TYPE] = found


def _types(side: exp.Expr) -> list[str]:
    while isinstance(side, exp.Subquery) and TYPE not in side.meta:
        side = side.this
    if TYPE in side.meta:
        return list(side.meta[TYPE])
    return [str(one.meta.get(TYPE, kinds.ANY)) for one in side.expressions]


def _become(side: exp.Expr, n: int, own: str, kind: str, writing: Writing) -> None:
    if isinstance(side, exp.Subquery):
        _become(side.this, n, own, kind, writing)
    elif isinstance(side, exp.SetOperation):
        _become(side.this, n, own, kind, writing)
        _become(side.expression, n, own, kind, writing)
    elif isinstance(side, exp.Select):
        column = side.expressions[n]
        found = column.meta.get(OPEN) or Meant(column.this, own)
        if found.is_null:
            return
        column.set("this", becoming(found, kind, writing.clock, column))
        column.meta[TYPE] = kind
        column.meta.pop(OPEN, None)
