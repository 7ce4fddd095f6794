"""A join with a grouped sub-query by its keys only keeps rows: then it is a condition, and measures stay measures.

Tableau and Superset write their "top N" filters so.
"""

from sqlglot import exp

from ingot.semantic.sql.naming import output_name
from ingot.semantic.sql.questions.columns import same


def conditions(select: exp.Select) -> exp.Select:
    """`select`, which is changed: such joins as conditions of WHERE."""
    kept = []
    tests: list[exp.Expr] = []
    for join in select.args.get("joins") or []:
        test = _condition(select, join)
        if test is None:
            kept.append(join)
        else:
            tests.append(test)
    if not tests:
        return select
    select.set("joins", kept or None)
    where = select.args.get("where")
    if where is not None:
        tests.insert(0, exp.Paren(this=where.this))
    select.set("where", exp.Where(this=exp.and_(*tests, copy=False)))
    return select


def _condition(select: exp.Select, join: exp.Join) -> exp.Expr | None:  # noqa: PLR0911 - one for each form
    source, on = join.this, join.args.get("on")
    if (
        not isinstance(source, exp.Subquery)
        or not isinstance(source.this, exp.Select)
        or on is None
        or not source.alias
    ):
        return None
    if join.side or join.kind not in ("", "INNER") or join.args.get("method") or source.args["alias"].columns:
        return None
    inner = source.this
    keys = _keys(inner)
    if keys is None:
        return None
    outputs = [output_name(one) for one in inner.expressions]
    pairs = []
    for each in on.unnest().flatten() if isinstance(on.unnest(), exp.And) else (on,):
        test = each.unnest()
        if not isinstance(test, exp.EQ | exp.NullSafeEQ):
            return None
        sides = [test.this.unnest(), test.expression.unnest()]
        if not all(isinstance(one, exp.Column) for one in sides):
            return None
        theirs = [_names(one, source.alias, outputs) for one in sides]
        if (theirs[0] is None) == (theirs[1] is None):
            return None
        name, ours = (theirs[0], sides[1]) if theirs[0] is not None else (theirs[1], sides[0])
        assert name is not None
        pairs.append((ours, name, isinstance(test, exp.NullSafeEQ)))
    if sorted(name for _, name, _ in pairs) != sorted(keys) or _used(select, join, source.alias, outputs):
        return None
    if len(pairs) > 1 and any(nulls for _, _, nulls in pairs):
        return None
    return _among(source, pairs)


def _keys(inner: exp.Select) -> list[str] | None:
    """The outputs that a sub-query is grouped by, if these tell its rows apart."""
    group = inner.args.get("group")
    if group is None or any(
        not isinstance(one, exp.Alias | exp.Column | exp.Expr) for one in inner.expressions
    ):
        return None
    if any(group.args.get(key) for key in ("rollup", "cube", "grouping_sets", "totals", "all")):
        return None
    found = []
    for one in group.expressions:
        place = None
        if isinstance(one, exp.Literal) and not one.is_string and one.name.isdigit():
            place = int(one.name[:6]) - 1
        else:
            place = next((n for n, out in enumerate(inner.expressions) if out.unalias() == one), None)
            if place is None and isinstance(one, exp.Column) and not one.table:
                place = next(
                    (n for n, out in enumerate(inner.expressions) if output_name(out) == one.name), None
                )
        if place is None or not 0 <= place < len(inner.expressions):
            return None
        found.append(output_name(inner.expressions[place]))
    outputs = [output_name(one) for one in inner.expressions]
    return found if found and len(set(outputs)) == len(outputs) else None


def _names(column: exp.Column, alias: str, outputs: list[str]) -> str | None:
    """The output of the sub-query that a column is."""
    mine = same(column.table, alias) if column.table else column.name in outputs
    return column.name if mine else None


def _used(select: exp.Select, join: exp.Join, alias: str, outputs: list[str]) -> bool:
    """Whether the sub-query's columns stand elsewhere, too."""
    for key, value in select.args.items():
        for part in value if isinstance(value, list) else [value]:
            if not isinstance(part, exp.Expr) or part is join:
                continue
            if any(not isinstance(star.parent, exp.Count) for star in part.find_all(exp.Star)):
                return True
            for node in part.find_all(exp.Column):
                if (node.table and same(node.table, alias)) or (
                    not node.table
                    and node.name in outputs
                    and key != "from_"
                    and node.find_ancestor(exp.Select) is select
                ):
                    return True
    return False


def _among(source: exp.Subquery, pairs: list[tuple[exp.Expr, str, bool]]) -> exp.Expr:
    def query(*tests: exp.Expr, columns: list[exp.Expr]) -> exp.Subquery:
        made = exp.Select(expressions=columns, from_=exp.From(this=source.copy()))
        if tests:
            made.set("where", exp.Where(this=exp.and_(*tests, copy=False)))
        return exp.Subquery(this=made)

    names: list[exp.Expr] = [exp.column(name, table=source.alias, quoted=True) for _, name, _ in pairs]
    if len(pairs) > 1:
        return exp.In(this=exp.Tuple(expressions=[ours for ours, _, _ in pairs]), query=query(columns=names))
    ours, _, nulls = pairs[0]
    among = exp.In(this=ours, query=query(columns=names))
    if not nulls:
        return among
    null = exp.Is(this=ours.copy(), expression=exp.null())
    there = exp.Exists(
        this=query(exp.Is(this=names[0].copy(), expression=exp.null()), columns=[exp.Literal.number(1)]).this
    )
    return exp.Paren(this=exp.or_(among, exp.Paren(this=exp.and_(null, there, copy=False)), copy=False))
