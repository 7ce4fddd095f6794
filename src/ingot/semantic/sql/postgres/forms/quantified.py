"""`x = ANY (…)` and `x <> ALL (…)`, over an array or a sub-query."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlglot import exp

from ingot.semantic.sql.errors import SqlError, shown
from ingot.semantic.sql.postgres import input as texts
from ingot.semantic.sql.postgres import kinds, operators
from ingot.semantic.sql.postgres.calls import Meant
from ingot.semantic.sql.postgres.casts import becoming
from ingot.semantic.sql.postgres.outputs import output_types
from ingot.semantic.sql.postgres.tree import call, cast, not_, op, paren, text

if TYPE_CHECKING:
    from ingot.semantic.sql.postgres.writing import Writing

COMPARED = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ)

Test = Callable[[Meant, Meant], Meant]
"""One side and the other -> whether they are as asked."""


def quantified(w: "Writing", node: exp.Expr, test: Test) -> Meant:  # noqa: PLR0911 - one for each form
    """`x = ANY (…)` and `x <> ALL (…)`, over an array or a sub-query; `test` compares with an element."""
    given, whole = given_to(node.expression)
    if isinstance(given, exp.Cast) and isinstance(given.this, exp.Array):
        given = _each_cast(given)
    one = w.write(node.this)
    if isinstance(given, exp.Subquery | exp.Query):
        return _over_query(w, node, one, given, whole=whole)
    if isinstance(given, exp.Array):
        if isinstance(node, exp.EQ) and not whole and given.expressions:
            return among(w, one, given.expressions, node)
        if isinstance(node, exp.NEQ) and whole and given.expressions:
            return Meant(not_(among(w, one, given.expressions, node).tree), "bool")
        tests = [test(one.again(), w.write(each)).tree for each in given.expressions]
        if not tests:
            return Meant(exp.Boolean(this=whole), "bool")
        return Meant(exp.Paren(this=(exp.and_ if whole else exp.or_)(*tests, copy=False)), "bool")
    array = w.write(given)
    if array.literal is not None:
        items = texts.array_items(array.literal)
        if items is None:
            raise SqlError(f'malformed array literal: "{shown(array.literal)}"', at=node, sqlstate="22P02")
        spelled = node.copy()
        values = exp.Array(expressions=[exp.null() if i is None else text(i) for i in items])
        spelled.set("expression", (exp.All if whole else exp.Any)(this=exp.Paren(this=values)))
        return quantified(w, spelled, test)
    if array.is_null:
        return Meant(cast(exp.null(), "bool"), "bool")
    if not kinds.is_array(array.type):
        raise SqlError("op ANY/ALL (array) requires array on right side", at=node, sqlstate="42809")
    return Meant(_over_array(one, array, test, whole=whole), "bool")


def _over_query(w: "Writing", node: exp.Expr, one: Meant, given: exp.Expr, *, whole: bool) -> Meant:
    if type(node) not in COMPARED:
        raise SqlError(
            "A pattern is compared with an array here, and not with a sub-query.", at=node, sqlstate="0A000"
        )
    right = given if isinstance(given, exp.Subquery) else exp.Subquery(this=given)
    kind = (output_types(right) or [kinds.ANY])[0]
    left, _ = operators.sides(one, Meant(exp.null(), kind), w.clock, node, type(node))
    made: exp.Expr
    if isinstance(node, exp.EQ) and not whole:
        made = exp.In(this=paren(left), query=right)
    elif isinstance(node, exp.NEQ) and whole:
        made = exp.Not(this=exp.Paren(this=exp.In(this=paren(left), query=right)))
    else:
        word: exp.Expr = exp.All(this=right) if whole else exp.Any(this=right)
        made = type(node)(this=paren(left), expression=word)
    return Meant(exp.Paren(this=made), "bool")


def _each_cast(given: exp.Cast) -> exp.Expr:
    """`ARRAY['a', 'b']::text[]` with each of its elements cast."""
    if not kinds.is_array(kinds.named(given.to)[0]) or any(
        isinstance(one, exp.Array) for one in given.this.expressions
    ):
        return given
    to = given.to.expressions[0]
    numbers = kinds.named(to)[0] in (*kinds.WHOLE, "numeric")
    items = [
        one.copy() if numbers and _is_number(one) else exp.Cast(this=one.copy(), to=to.copy())
        for one in given.this.expressions
    ]
    return exp.Array(expressions=items)


def _is_number(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) and not node.is_string


def _over_array(one: Meant, array: Meant, test: Test, *, whole: bool) -> exp.Expr:
    item = Meant(exp.column("el"), kinds.element(array.type))
    each = test(one, item).tree
    found = call("list_transform", array.tree, exp.Lambda(this=each, expressions=[exp.to_identifier("el")]))
    # Three-valued: a null among the tests leaves it open, unless another one decides.
    decided = exp.Boolean(this=not whole)
    return exp.Case(
        ifs=[
            exp.If(this=exp.Is(this=array.tree.copy(), expression=exp.null()), true=exp.null()),
            exp.If(this=call("list_contains", found, decided), true=decided.copy()),
            exp.If(
                this=op(exp.LT, call("list_count", found.copy()), call("len", found.copy())),
                true=exp.null(),
            ),
        ],
        default=exp.Boolean(this=whole),
    )


def among(w: "Writing", one: Meant, items: list[exp.Expr], node: exp.Expr) -> Meant:
    values = [w.write(each) for each in items]
    wanted = kinds.common([one.type, *(each.type for each in values)])
    if wanted is None:
        bad = next((v for v in values if kinds.common([one.type, v.type]) is None), values[0])
        raise operators.refused(exp.EQ, one.type, bad.type, node)
    whole = wanted in (*kinds.WHOLE, "numeric")
    listed = [  # lists of numbers are long, and need no casts
        each.tree if whole and each.number is not None else becoming(each, wanted, w.clock, node)
        for each in values
    ]
    return Meant(
        exp.Paren(this=exp.In(this=paren(becoming(one, wanted, w.clock, node)), expressions=listed)),
        "bool",
    )


def is_quantified(node: exp.Expr) -> bool:
    """Whether a right side is `ANY (…)` or `ALL (…)`."""
    return isinstance(node, exp.Any | exp.All) or _is_call(node)


def given_to(node: exp.Expr) -> tuple[exp.Expr, bool]:
    """What is in the brackets, and whether it is all of that."""
    given = node.expressions[0] if _is_call(node) else node.this
    return given if isinstance(given, exp.Subquery) else given.unnest(), not isinstance(node, exp.Any)


def _is_call(node: exp.Expr) -> bool:
    return isinstance(node, exp.Anonymous) and node.name.upper() == "ALL" and len(node.expressions) == 1
