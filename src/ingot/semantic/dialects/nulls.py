"""Nulls: in LEAST and GREATEST, in equal keys of joins, and as columns of a UNION."""

from sqlglot import exp

from ingot.semantic.dialects.templates import written
from ingot.semantic.dialects.unknown import Untranslatable

_TYPES: tuple[tuple[type[exp.Expr], str], ...] = (
    (exp.Count, "bigint"),
    (exp.Sum, "decimal"),
    (exp.Avg, "decimal"),
)


def extreme(node: exp.Least | exp.Greatest, dialect: str) -> exp.Expr:
    """The least of the values that are not null."""
    if dialect not in ("trino", "bigquery") or not node.args.get("ignore_nulls"):
        return node
    values = [node.this, *node.expressions]
    if len(values) > 4:
        raise Untranslatable(node, f"{node.sql_name()} of more than four values")
    found: exp.Expr = values[0]
    for one in values[1:]:
        both = type(node)(this=found.copy(), expressions=[one.copy()])
        found = exp.Coalesce(this=both, expressions=[found, one])
    return found


def same(node: exp.NullSafeEQ, dialect: str) -> exp.Expr:
    """Equal or both null, as the key of a join."""
    if dialect != "bigquery" or node.find_ancestor(exp.Join, exp.Select) is None:
        return node
    # An outer join there needs an equality of both sides. The JSON of a null is unlike that of any value.
    return written(dialect, "TO_JSON_STRING(a__) = TO_JSON_STRING(b__)", a=node.this, b=node.expression)


def joined(node: exp.Join, dialect: str) -> exp.Expr:
    """A join with what always is one row."""
    test = node.args.get("on")
    if dialect == "bigquery" and isinstance(test, exp.Boolean) and test.this:
        node.set("on", None)
        node.set("side", None)
        node.set("kind", "CROSS")
    return node


def united(node: exp.Union, dialect: str) -> exp.Expr:
    """A UNION whose first branch says the type of every column.

    PostgreSQL looks at two branches at a time, and takes two nulls for texts.
    """
    if dialect != "postgres" or isinstance(node.parent, exp.Union):
        return node
    branches = _branches(node)
    if branches is None:
        return node
    first = branches[0]
    for place, column in enumerate(first.expressions):
        if isinstance(column, exp.Alias) and isinstance(column.this, exp.Null):
            typed = next((found for one in branches[1:] if (found := _null_like(one, place))), None)
            if typed is not None:
                column.set("this", typed)
    return node


def _branches(node: exp.Expr) -> list[exp.Select] | None:
    found: list[exp.Select] = []
    while isinstance(node, exp.Union):
        if not isinstance(node.expression, exp.Select):
            return None
        found.append(node.expression)
        node = node.this
    return [node, *reversed(found)] if isinstance(node, exp.Select) else None


def _null_like(select: exp.Select, place: int) -> exp.Expr | None:
    """A null of the type of a branch's column; None where that is a null too."""
    value = select.expressions[place].unalias()
    if isinstance(value, exp.Null):
        return None
    call = value.this if isinstance(value, exp.Filter) else value
    for kind, name in _TYPES:
        if isinstance(call, kind):
            return exp.Cast(this=exp.null(), to=exp.DataType.build(name))
    if isinstance(call, exp.Cast):
        return exp.Cast(this=exp.null(), to=call.to.copy())
    branch = select.copy()
    branch.set("group", None)
    branch.set("expressions", [branch.expressions[place].unalias()])
    return exp.Subquery(this=branch.limit(0, copy=False))
