"""Comparisons: of values, of rows, with lists and with sub-queries."""

from typing import TYPE_CHECKING

from sqlglot import exp

from ingot.semantic.sql.errors import SqlError
from ingot.semantic.sql.postgres import kinds, operators
from ingot.semantic.sql.postgres.calls import Meant
from ingot.semantic.sql.postgres.casts import becoming
from ingot.semantic.sql.postgres.forms.quantified import COMPARED, among, is_quantified, quantified
from ingot.semantic.sql.postgres.forms.values import row
from ingot.semantic.sql.postgres.outputs import output_types
from ingot.semantic.sql.postgres.tree import call, case, is_null, not_, op, paren
from ingot.semantic.sql.postgres.writers import writes

if TYPE_CHECKING:
    from ingot.semantic.sql.postgres.writing import Writing


@writes(*COMPARED)
def _compare(w: "Writing", node: exp.Expr) -> Meant:
    if is_quantified(node.expression):
        return quantified(w, node, lambda a, b: operators.compared(type(node), a, b, w.clock, node))
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


@writes(exp.Not)
def _not(w: "Writing", node: exp.Expr) -> Meant:
    inner = node.this
    if isinstance(inner, exp.Is) and isinstance(inner.expression, exp.Null):
        one = inner.this.unnest()
        if isinstance(one, exp.Tuple):  # IS NOT NULL is: none of them is
            tests = [not_(is_null(w.output(each).tree)) for each in one.expressions]
            return Meant(exp.Paren(this=exp.and_(*tests, copy=False)), "bool")
    if isinstance(inner, exp.RegexpLike | exp.RegexpILike) and is_quantified(inner.expression):
        # The parser gives `x !~ ANY (…)` and `NOT x ~ ANY (…)` the same form, and they differ.
        raise SqlError("Put brackets behind NOT: NOT (x ~ ANY (…)).", at=node, sqlstate="0A000")
    return Meant(not_(w.truth(w.write(node.this), node, "NOT")), "bool")


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


@writes(exp.Overlaps)
def _overlaps(w: "Writing", node: exp.Expr) -> Meant:
    """`(a, b) OVERLAPS (c, d)`: b and d are ends, or how long it takes; both may stand in any order."""
    sides = [one.unnest() for one in (node.this, node.expression)]
    if any(not isinstance(one, exp.Tuple) or len(one.expressions) != 2 for one in sides):
        raise SqlError("wrong number of parameters on side of OVERLAPS expression", at=node)
    ends: list[Meant] = []
    for side in sides:
        first, last = (w.write(one) for one in side.expressions)
        if last.type == "interval":
            last = operators.computed(exp.Add, first.again(), last, w.clock, node)
        ends += [first, last]
    kind = operators.alike(ends, node, "OVERLAPS")
    if kind not in (*kinds.MOMENTS, "time"):
        raise SqlError(f"OVERLAPS compares times, and not {kinds.spoken(kind)}.", at=node, sqlstate="42883")
    a, b, c, d = (becoming(one, kind, w.clock, node) for one in ends)
    low, high = call("least", a, b), call("greatest", a.copy(), b.copy())
    start, end = call("least", c, d), call("greatest", c.copy(), d.copy())
    within = exp.or_(
        op(exp.EQ, low, start),
        exp.and_(op(exp.LT, low.copy(), start.copy()), op(exp.LT, start.copy(), high), copy=False),
        exp.and_(op(exp.LT, start.copy(), low.copy()), op(exp.LT, low.copy(), end), copy=False),
        copy=False,
    )
    unknown = exp.or_(*(is_null(one.copy()) for one in (a, b, c, d)), copy=False)
    return Meant(case((unknown, exp.null()), default=within), "bool")


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
