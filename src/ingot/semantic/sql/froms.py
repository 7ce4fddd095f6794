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
