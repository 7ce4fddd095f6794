"""AND, OR and NOT, and the choice between values: CASE, COALESCE, GREATEST, NULLIF."""

from functools import reduce
from typing import TYPE_CHECKING

from sqlglot import exp

from ingot.semantic.sql.postgres import kinds, operators
from ingot.semantic.sql.postgres.calls import Meant
from ingot.semantic.sql.postgres.casts import becoming
from ingot.semantic.sql.postgres.operators import alike
from ingot.semantic.sql.postgres.tree import call, case, is_null, once, op, paren
from ingot.semantic.sql.postgres.writers import writes

if TYPE_CHECKING:
    from ingot.semantic.sql.postgres.writing import Writing


@writes(exp.And, exp.Or)
def _and(w: "Writing", node: exp.Expr) -> Meant:
    flat = list(node.flatten())
    word = "AND" if isinstance(node, exp.And) else "OR"
    parts = [paren(w.truth(w.write(one), one, word)) for one in flat]
    join = exp.and_ if isinstance(node, exp.And) else exp.or_
    return Meant(exp.Paren(this=join(*parts, copy=False)), "bool")


@writes(exp.Case)
def _case(w: "Writing", node: exp.Case) -> Meant:
    operand = node.this
    subject = w.write(operand) if operand is not None else Meant(exp.null(), kinds.UNKNOWN)
    tests, values = [], []
    for one in node.args["ifs"]:
        if operand is not None:
            other = w.write(one.this)
            tests.append(operators.compared(exp.EQ, subject.again(), other, w.clock, node).tree)
        else:
            tests.append(w.test(one.this, "CASE/WHEN"))
        values.append(w.write(one.args["true"]))
    default = node.args.get("default")
    values.append(w.write(default) if default is not None else Meant(exp.null(), kinds.UNKNOWN))
    kind = alike(values, node, "CASE")
    made = [becoming(one, kind, w.clock, node) for one in values]
    ifs = [exp.If(this=test, true=value) for test, value in zip(tests, made, strict=False)]
    return Meant(exp.Case(ifs=ifs, default=made[-1]), kind)


def _longest(one: exp.Expr, other: exp.Expr, kind: type[exp.Expr]) -> exp.Expr:
    """The longer of two intervals, or the shorter: the engine compares their parts there."""

    def chosen(a: exp.Expr, b: exp.Expr) -> exp.Expr:
        test = exp.GTE if kind is exp.Greatest else exp.LTE
        return case(
            (is_null(a), b.copy()),
            (is_null(b), a.copy()),
            (op(test, operators.length(a), operators.length(b)), a.copy()),
            default=b.copy(),
        )

    return once(one, lambda a: once(other, lambda b: chosen(a, b)))


@writes(exp.Coalesce, exp.Greatest, exp.Least)
def _coalesce(w: "Writing", node: exp.Expr) -> Meant:
    what = type(node).__name__.upper()
    items = [w.write(one) for one in (node.this, *node.expressions)]
    kind = alike(items, node, what)
    trees = [becoming(one, kind, w.clock, node) for one in items]
    if kind == "interval" and not isinstance(node, exp.Coalesce):
        known = [one for one in trees if not isinstance(one, exp.Null)]
        return Meant(reduce(lambda a, b: _longest(a, b, type(node)), known), kind)
    return Meant(call(what, *trees), kind)


@writes(exp.Nullif)
def _nullif(w: "Writing", node: exp.Expr) -> Meant:
    left, right = w.write(node.this), w.write(node.expression)
    a, b = operators.sides(left, right, w.clock, node)
    kind = kinds.common([left.type, right.type]) if left.type == kinds.UNKNOWN else left.type
    if left.type != kinds.UNKNOWN and left.type == kinds.common([left.type, right.type]):
        return Meant(exp.Nullif(this=a, expression=b), left.type)
    test = op(exp.EQ, a, b)
    return Meant(exp.Case(ifs=[exp.If(this=test, true=exp.null())], default=left.tree), kind or "text")
