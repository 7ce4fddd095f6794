"""What is computed with signs: `+`, `||`, `&`, and a minus before a number."""

from typing import TYPE_CHECKING

from sqlglot import exp

from ingot.semantic.sql.errors import SqlError
from ingot.semantic.sql.postgres import kinds, operators
from ingot.semantic.sql.postgres.calls import Meant
from ingot.semantic.sql.postgres.casts import becoming
from ingot.semantic.sql.postgres.tree import call, op, paren
from ingot.semantic.sql.postgres.writers import writes

if TYPE_CHECKING:
    from ingot.semantic.sql.postgres.writing import Writing


@writes(exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.Pow)
def _compute(w: "Writing", node: exp.Expr) -> Meant:
    return operators.computed(type(node), w.write(node.this), w.write(node.expression), w.clock, node)


@writes(exp.BitwiseAnd, exp.BitwiseOr, exp.BitwiseXor, exp.BitwiseLeftShift, exp.BitwiseRightShift)
def _bits(w: "Writing", node: exp.Expr) -> Meant:
    a, b = w.write(node.this), w.write(node.expression)
    kind = kinds.common([a.type, b.type])
    if kind not in kinds.WHOLE:
        raise operators.refused(type(node), a.type, b.type, node)
    x, y = becoming(a, kind, w.clock, node), becoming(b, kind, w.clock, node)
    if isinstance(node, exp.BitwiseXor):
        return Meant(call("xor", x, y), kind)
    if isinstance(node, exp.BitwiseLeftShift | exp.BitwiseRightShift):
        raise SqlError("Shifts of bits cannot be used here.", at=node, sqlstate="0A000")
    return Meant(op(type(node), x, y), kind)


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
