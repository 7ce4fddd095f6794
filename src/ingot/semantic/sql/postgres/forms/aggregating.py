"""Aggregates: DISTINCT and ORDER BY in them, FILTER, WITHIN GROUP, GROUPING."""

from typing import TYPE_CHECKING

from sqlglot import exp

from ingot.semantic.sql.errors import SqlError
from ingot.semantic.sql.postgres import aggregates
from ingot.semantic.sql.postgres.calls import AGGREGATES, Meant
from ingot.semantic.sql.postgres.forms.applying import applied
from ingot.semantic.sql.postgres.tree import call, cast
from ingot.semantic.sql.postgres.writers import writes

if TYPE_CHECKING:
    from ingot.semantic.sql.postgres.writing import Writing

_AGGREGATES: dict[type[exp.Expr], str] = {
    exp.Sum: "sum",
    exp.Avg: "avg",
    exp.Min: "min",
    exp.Max: "max",
    exp.Count: "count",
}


@writes(*_AGGREGATES)
def aggregate(w: "Writing", node: exp.Expr) -> Meant:
    name = aggregate_name(node)
    assert name is not None
    given = (
        list(node.expressions)
        if isinstance(node, exp.Anonymous)
        else [node.this]
        if node.this is not None
        else []
    )
    given += [one for key in ("offset", "default") if (one := node.args.get(key)) is not None]
    order: exp.Order | None = None
    distinct = False
    flat: list[exp.Expr] = []
    for one in given:
        inner = one
        if isinstance(inner, exp.Order):
            order, inner = inner, inner.this
        if isinstance(inner, exp.Distinct):
            distinct = True
            flat += inner.expressions
        else:
            flat.append(inner)
    if name == "count" and len(flat) <= 1 and (not flat or isinstance(flat[0], exp.Star)):
        return Meant(exp.Count(this=exp.Star()), "int8")
    return _finished(w, name, flat, order, node, distinct=distinct)


def _finished(
    w: "Writing", name: str, flat: list[exp.Expr], order: exp.Order | None, node: exp.Expr, *, distinct: bool
) -> Meant:
    made = applied(w, AGGREGATES[name], [w.write(one) for one in flat], node)
    inner = made.tree
    target = next((each for each in inner.find_all(exp.Anonymous) if each.meta.get(aggregates.TAKES)), inner)
    if distinct and made.type == "interval":
        raise SqlError(f"{name}(DISTINCT …) of intervals cannot be used here.", at=node, sqlstate="0A000")
    if distinct:
        target.set(
            "expressions", [exp.Distinct(expressions=[target.expressions[0]]), *target.expressions[1:]]
        )
    if distinct and order is None and name in ("string_agg", "array_agg"):
        rising = exp.Ordered(this=target.expressions[0].expressions[0].copy(), nulls_first=False)
        order_by: list[exp.Expr] = [rising]  # PostgreSQL sorts to find what is distinct
    else:
        order_by = w.order(order) if order is not None else []
    if order_by:
        last = target.expressions[-1]
        target.expressions[-1].replace(exp.Order(this=last.copy(), expressions=order_by))
    return made


@writes(exp.WithinGroup)
def _within(w: "Writing", node: exp.WithinGroup) -> Meant:
    name = aggregate_name(node.this)
    if name is None or not AGGREGATES[name].ordered:
        raise SqlError(
            "WITHIN GROUP belongs to percentile_cont, percentile_disc and mode.",
            at=node,
            sqlstate="42809",
        )
    order = node.expression
    if len(order.expressions) != 1:
        raise SqlError("WITHIN GROUP takes one expression to order by.", at=node, sqlstate="0A000")
    term = order.expressions[0]
    return aggregates.within(
        name,
        [w.write(one) for one in node.this.expressions],
        w.write(term.this),
        descending=bool(term.args.get("desc")),
        clock=w.clock,
        at=node,
    )


@writes(exp.Filter)
def _filter(w: "Writing", node: exp.Filter) -> Meant:
    test = w.test(node.expression.this, "FILTER")
    found = w.write(node.this)
    return Meant(aggregates.filtered(found.tree, test), found.type)


def grouping(w: "Writing", node: exp.Anonymous) -> Meant:
    """`GROUPING(a, b)`: which of them a row is not grouped by."""
    return Meant(cast(call("grouping", *(w.output(one).tree for one in node.expressions)), "int4"), "int4")


def aggregate_name(node: exp.Expr) -> str | None:
    """The name of the aggregate that a node calls."""
    if isinstance(node, exp.Anonymous):
        name = node.this.name if isinstance(node.this, exp.Identifier) else str(node.this).lower()
        return name if name in AGGREGATES else None
    return _AGGREGATES.get(type(node))
