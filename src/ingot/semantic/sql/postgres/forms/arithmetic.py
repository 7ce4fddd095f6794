"""What is computed with signs: `+`, `||`, `&`, and a minus before a number."""

from typing import TYPE_CHECKING

from sqlglot import exp

from ingot.semantic.sql.errors import SqlError
from ingot.semantic.sql.postgres import kinds, operators
from ingot.semantic.sql.postgres.calls import Meant
from ingot.semantic.sql.postgres.casts import becoming
from ingot.semantic.sql.postgres.tree import (
    add,
    as_engine,
    call,
    case,
    cast,
    mul,
    num,
    once,
    op,
    paren,
    sub,
    whole,
)
from ingot.semantic.sql.postgres.writers import writes

if TYPE_CHECKING:
    from ingot.semantic.sql.postgres.writing import Writing

_BITS = {"int2": 16, "int4": 32, "int8": 64}


@writes(exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.Pow)
def _compute(w: "Writing", node: exp.Expr) -> Meant:
    return operators.computed(type(node), w.write(node.this), w.write(node.expression), w.clock, node)


@writes(exp.BitwiseAnd, exp.BitwiseOr, exp.BitwiseXor)
def _bits(w: "Writing", node: exp.Expr) -> Meant:
    a, b = w.write(node.this), w.write(node.expression)
    kind = kinds.common([a.type, b.type])
    if kind not in kinds.WHOLE:
        raise operators.refused(type(node), a.type, b.type, node)
    x, y = becoming(a, kind, w.clock, node), becoming(b, kind, w.clock, node)
    if isinstance(node, exp.BitwiseXor):
        return Meant(call("xor", x, y), kind)
    return Meant(op(type(node), x, y), kind)


@writes(exp.BitwiseNot)
def _flipped(w: "Writing", node: exp.Expr) -> Meant:
    one = w.write(node.this)
    if one.type not in kinds.WHOLE:
        raise SqlError(f"operator does not exist: ~ {kinds.spoken(one.type)}", at=node, sqlstate="42883")
    return Meant(cast(sub(num(-1), one.tree), one.type), one.type)


@writes(exp.BitwiseLeftShift, exp.BitwiseRightShift)
def _shifted(w: "Writing", node: exp.Expr) -> Meant:
    """As the machine shifts: what goes out on the left is lost, and only so many bits of the distance count."""
    a, b = w.write(node.this), w.write(node.expression)
    if a.type not in kinds.WHOLE or not kinds.becomes(b.type, "int4"):
        raise operators.refused(type(node), a.type, b.type, node)
    longest = 63 if a.type == "int8" else 31
    distance = op(exp.BitwiseAnd, becoming(b, "int4", w.clock, node), num(longest))
    factor = as_engine(call("pow", num(2), distance), "HUGEINT")

    def left(x: exp.Expr) -> exp.Expr:
        range_ = num(2 ** _BITS[a.type])
        half = num(2 ** (_BITS[a.type] - 1))
        moved = add(mul(as_engine(x, "HUGEINT"), factor), half)
        low = op(exp.Mod, add(op(exp.Mod, moved, range_), range_.copy()), range_.copy())
        return cast(sub(low, half.copy()), a.type)

    def right(x: exp.Expr) -> exp.Expr:
        high = as_engine(x, "HUGEINT")
        below = sub(num(-1), whole(sub(num(-1), high.copy()), factor.copy()))
        return cast(case((op(exp.LT, x.copy(), num(0)), below), default=whole(high, factor)), a.type)

    return Meant(left(a.tree) if isinstance(node, exp.BitwiseLeftShift) else once(a.tree, right), a.type)


@writes(exp.DPipe)
def _joined(w: "Writing", node: exp.Expr) -> Meant:
    return operators.joined(w.write(node.this), w.write(node.expression), w.clock, node)


@writes(exp.Neg)
def _negative(w: "Writing", node: exp.Expr) -> Meant:
    one = w.write(node.this)
    if one.type == kinds.UNKNOWN:
        one = Meant(becoming(one, "float8", w.clock, node), "float8")
    if one.type not in (*kinds.NUMBERS, "interval", kinds.ANY):
        raise SqlError(f"operator does not exist: - {kinds.spoken(one.type)}", at=node, sqlstate="42883")
    number = f"-{one.number}" if one.number is not None and not one.number.startswith("-") else None
    return Meant(exp.Paren(this=exp.Neg(this=paren(one.tree))), one.type, number=number)
