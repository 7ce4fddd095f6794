"""Comparisons: of values, of rows, with lists and with sub-queries."""

from typing import TYPE_CHECKING

from sqlglot import exp

from ingot.semantic.sql.errors import SqlError
from ingot.semantic.sql.postgres import kinds, operators
from ingot.semantic.sql.postgres.calls import Meant
from ingot.semantic.sql.postgres.casts import becoming
from ingot.semantic.sql.postgres.forms.quantified import among, is_all, quantified
from ingot.semantic.sql.postgres.forms.values import row
from ingot.semantic.sql.postgres.outputs import output_types
from ingot.semantic.sql.postgres.tree import op, paren
from ingot.semantic.sql.postgres.writers import writes

if TYPE_CHECKING:
    from ingot.semantic.sql.postgres.writing import Writing


@writes(exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ)
def _compare(w: "Writing", node: exp.Expr) -> Meant:
    if isinstance(node.expression, exp.Any) or is_all(node.expression):
        return quantified(w, node)
    left, right = node.this.unnest(), node.expression.unnest()
    if isinstance(left, exp.Tuple) and isinstance(right, exp.Tuple):
        return rows(w, node, left, right)
    return operators.compared(type(node), w.write(node.this), w.write(node.expression), w.clock, node)


def rows(w: "Writing", node: exp.Expr, left: exp.Expr, right: exp.Expr) -> Meant:
    """`(a, b) < (c, d)`: the first difference decides, null does not."""
    if len(left.expressions) != len(right.expressions):
        raise SqlError("unequal number of entries in row expressions", at=node)
    pairs = [(w.write(a), w.write(b)) for a, b in zip(left.expressions, right.expressions, strict=True)]
    kind = type(node)
    if kind in (exp.EQ, exp.NEQ, exp.NullSafeEQ, exp.NullSafeNEQ):
        tests = [operators.compared(kind, a, b, w.clock, node).tree for a, b in pairs]
        join = exp.and_ if kind in (exp.EQ, exp.NullSafeEQ) else exp.or_
        return Meant(exp.Paren(this=join(*tests, copy=False)), "bool")
    strict: type[exp.Expr] = exp.LT if kind is exp.LTE else exp.GT if kind is exp.GTE else kind
    made: exp.Expr | None = None
    for n, (a, b) in enumerate(reversed(pairs)):
        here = operators.compared(kind if n == 0 else strict, a.again(), b.again(), w.clock, node).tree
        if made is None:
            made = here
            continue
        equal = operators.compared(exp.EQ, a.again(), b.again(), w.clock, node).tree
        made = exp.Case(ifs=[exp.If(this=equal, true=made)], default=here)
    assert made is not None
    return Meant(exp.Paren(this=made), "bool")


@writes(exp.Is)
def _is(w: "Writing", node: exp.Expr) -> Meant:
    one = node.this.unnest()
    if isinstance(one, exp.Tuple) and isinstance(node.expression, exp.Null):
        tests = [op(exp.Is, w.output(each).tree, exp.null()) for each in one.expressions]
        return Meant(exp.Paren(this=exp.and_(*tests, copy=False)), "bool")
    if not isinstance(node.expression, exp.Null | exp.Boolean):
        raise SqlError("IS takes NULL, TRUE, FALSE or UNKNOWN.", at=node, sqlstate="0A000")
    found = w.write(node.this)
    tree = found.tree
    if isinstance(node.expression, exp.Boolean):
        tree = w.truth(found, node, "IS TRUE")
    return Meant(exp.Paren(this=exp.Is(this=paren(tree), expression=node.expression.copy())), "bool")


@writes(exp.In)
def _in(w: "Writing", node: exp.In) -> Meant:
    query = node.args.get("query")
    if query is not None:
        left = node.this.unnest()
        if isinstance(left, exp.Tuple):
            return Meant(exp.Paren(this=exp.In(this=row(w, left).tree, query=query)), "bool")
        kind = (output_types(query) or [kinds.ANY])[0]
        side, _ = operators.sides(w.write(node.this), Meant(exp.null(), kind), w.clock, node)
        return Meant(exp.Paren(this=exp.In(this=paren(side), query=query)), "bool")
    left = node.this.unnest()
    if isinstance(left, exp.Tuple):
        tests = [
            rows(w, exp.EQ(this=left, expression=right), left.copy(), right.unnest()).tree
            for right in node.expressions
            if isinstance(right.unnest(), exp.Tuple)
        ]
        if len(tests) != len(node.expressions):
            raise SqlError("IN compares rows with rows.", at=node)
        return Meant(exp.Paren(this=exp.or_(*tests, copy=False)), "bool")
    return among(w, w.write(node.this), node.expressions, node)


@writes(exp.Between)
def _between(w: "Writing", node: exp.Between) -> Meant:
    one, low, high = (w.write(each) for each in (node.this, node.args["low"], node.args["high"]))
    wanted = kinds.common([one.type, low.type, high.type])
    if wanted is None:
        raise operators.refused(exp.GTE, one.type, low.type, node)
    x, a, b = (becoming(each, wanted, w.clock, node) for each in (one, low, high))
    made: exp.Expr = exp.Between(this=paren(x), low=paren(a), high=paren(b))
    if node.args.get("symmetric"):
        other = exp.Between(this=paren(x.copy()), low=paren(b.copy()), high=paren(a.copy()))
        made = exp.or_(exp.Paren(this=made), exp.Paren(this=other), copy=False)
    return Meant(exp.Paren(this=made), "bool")
