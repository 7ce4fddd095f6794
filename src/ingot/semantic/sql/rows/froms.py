"""What stands in the FROM of a SELECT: its tables in their order, those in brackets too."""

from collections.abc import Iterator

from sqlglot import exp


def tables(select: exp.Select) -> list[exp.Expr]:
    """The tables and sub-queries of FROM, as they are written."""
    first = select.args.get("from_")
    found = list(_under(first.this)) if first is not None else []
    for join in select.args.get("joins") or []:
        found += _under(join.this)
    return found


def _under(node: exp.Expr) -> Iterator[exp.Expr]:
    if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Table):
        yield from _under(node.this)
        joins = node.this.args.get("joins") or []
    else:
        yield node
        joins = node.args.get("joins") or []
    if not isinstance(node.parent, exp.Subquery) or isinstance(node, exp.Subquery):
        for join in joins:
            yield from _under(join.this)


def expressions(select: exp.Select) -> Iterator[exp.Expr]:
    """The parts of a SELECT that are not FROM."""
    for key, value in select.args.items():
        if key in ("from_", "joins"):
            continue
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, exp.Expr):
                yield part


def compared(select: exp.Select) -> exp.Select:
    """`select`, which is changed: where WHERE holds columns of tables equal that commas part, these are joined by them.

    A comma alone leaves it to the model how cubes are joined.
    """
    joins, where = select.args.get("joins") or [], select.args.get("where")
    if where is None or any(one.side in ("RIGHT", "FULL") or one.args.get("method") for one in joins):
        return select
    parts = list(where.this.unnest().flatten()) if isinstance(where.this.unnest(), exp.And) else [where.this]
    before = {_alias(select.args["from_"].this)} if joins else set()
    found: dict[int, list[exp.Expr]] = {}
    for n, join in enumerate(joins):
        own = _alias(join.this)
        if not (join.args.get("on") or join.args.get("using") or join.kind or join.side):
            found[n] = [one for one in parts if _pairs(one, own, before)]
            parts = [one for one in parts if one not in found[n]]
        before.add(own)
    if not found or not all(found.values()):
        return select
    for n, tests in found.items():
        joins[n].set("kind", "INNER")
        joins[n].set("on", exp.and_(*tests, copy=False))
    select.set("where", exp.Where(this=exp.and_(*parts, copy=False)) if parts else None)
    return select


def _alias(node: exp.Expr) -> str:
    return str(node.alias_or_name).casefold()


def _pairs(test: exp.Expr, own: str, before: set[str]) -> bool:
    """Whether a condition holds a column of one table equal to one of those before."""
    test = test.unnest()
    if not isinstance(test, exp.EQ):
        return False
    sides = [one.unnest() for one in (test.this, test.expression)]
    names = [one.table.casefold() if isinstance(one, exp.Column) else "" for one in sides]
    return "" not in names and any(
        names[n] == own and names[1 - n] in before and names[1 - n] != own for n in (0, 1)
    )
