"""Values and what is made of them alone: literals, casts, arrays, rows, and sub-queries that are written already."""

from typing import TYPE_CHECKING

from sqlglot import exp

from ingot.semantic.sql.errors import SqlError, shown
from ingot.semantic.sql.postgres import input as texts
from ingot.semantic.sql.postgres import kinds
from ingot.semantic.sql.postgres.calls import Meant
from ingot.semantic.sql.postgres.casts import becoming, casted
from ingot.semantic.sql.postgres.operators import alike
from ingot.semantic.sql.postgres.outputs import output_types
from ingot.semantic.sql.postgres.tree import call, case, is_null, num, op, paren, text
from ingot.semantic.sql.postgres.writers import writes

if TYPE_CHECKING:
    from ingot.semantic.sql.postgres.writing import Writing


@writes(exp.Column)
def _column(w: "Writing", node: exp.Column) -> Meant:
    return Meant(node, w.columns(node))


@writes(exp.Literal)
def _literal(_w: "Writing", node: exp.Literal) -> Meant:
    if node.is_string:
        return Meant(text(node.name), kinds.UNKNOWN, literal=node.name)
    made = texts.number(node.name)
    if made is None:
        raise SqlError(f"'{shown(node.name)}' is no number.", at=node)
    if node.name.isdigit():
        value = int(node.name)
        kind = "int4" if value < 2**31 else "int8" if value < 2**63 else "numeric"
        return Meant(made, kind, number=node.name)
    return Meant(made, "numeric", number=node.name)


@writes(exp.Null)
def _null(_w: "Writing", _: exp.Expr) -> Meant:
    return Meant(exp.null(), kinds.UNKNOWN)


@writes(exp.Boolean)
def _boolean(_w: "Writing", node: exp.Expr) -> Meant:
    return Meant(exp.Boolean(this=node.this), "bool")


@writes(exp.Paren)
def _paren(w: "Writing", node: exp.Expr) -> Meant:
    found = w.write(node.this)
    found.tree = paren(found.tree)
    return found


@writes(exp.Interval)
def _interval(w: "Writing", node: exp.Interval) -> Meant:
    this, unit = node.this, node.args.get("unit")
    said = this.name if isinstance(this, exp.Literal) else None
    if said is None or isinstance(unit, exp.IntervalSpan):
        raise SqlError("An interval is one text here, as '1 day 2 hours'.", at=node, sqlstate="0A000")
    whole = f"{said} {unit.name}" if unit is not None else said
    return Meant(texts.value(whole, "interval", w.clock, node), "interval")


@writes(exp.Cast)
def _cast(w: "Writing", node: exp.Cast) -> Meant:
    wanted, sizes = kinds.named(node.to)
    one = w.write(node.this)
    return Meant(casted(one, wanted, sizes, w.clock, node), wanted)


@writes(exp.Array)
def _array(w: "Writing", node: exp.Expr) -> Meant:
    items = [w.write(one) for one in node.expressions]
    kind = alike(items, node, "ARRAY")
    made = call("list_value", *(becoming(one, kind, w.clock, node) for one in items))
    return Meant(made, f"{kind}[]" if kind != kinds.ANY else kinds.ANY)


@writes(exp.Tuple)
def row(w: "Writing", node: exp.Expr) -> Meant:
    return Meant(call("row", *(w.output(one).tree for one in node.expressions)), "record")


@writes(exp.Bracket)
def _bracket(w: "Writing", node: exp.Bracket) -> Meant:
    array = w.write(node.this)
    if len(node.expressions) != 1 or not kinds.is_array(array.type):
        raise SqlError("Only one element of an array can be taken.", at=node, sqlstate="0A000")
    place = node.expressions[0]
    if kinds.is_array(kinds.element(array.type)):
        raise SqlError("Elements of arrays of arrays cannot be taken here.", at=node, sqlstate="0A000")
    if isinstance(place, exp.Slice):
        return _slice(w, array, place)
    if isinstance(place, exp.Literal) and node.args.get("offset") is None:
        index: exp.Expr = num(int(place.name) + 1)  # the parser counts from zero
    else:
        index = becoming(w.write(place), "int4", w.clock)
    # The engine counts from the end where PostgreSQL finds nothing.
    found = exp.Case(
        ifs=[exp.If(this=op(exp.GT, index, num(0)), true=call("list_extract", array.tree, index.copy()))]
    )
    return Meant(found, kinds.element(array.type))


def _slice(w: "Writing", array: Meant, place: exp.Slice) -> Meant:
    """`a[2:3]`; the engine counts what is below 1 from the end, PostgreSQL finds nothing there."""

    def bound(node: exp.Expr | None, default: exp.Expr) -> exp.Expr:
        return default if node is None else becoming(w.write(node), "int4", w.clock)

    first = bound(place.args.get("this"), num(1))
    low = call("greatest", first.copy(), num(1))
    high = bound(place.args.get("expression"), call("len", array.tree.copy()))
    nothing = exp.or_(op(exp.LT, high, num(1)), is_null(array.tree.copy()), copy=False)
    cut = call("list_slice", array.tree, low, high.copy())
    empty = case((is_null(array.tree.copy()), exp.null()), default=call("list_value"))
    unknown = exp.or_(is_null(first), is_null(high.copy()), copy=False)
    return Meant(case((unknown, exp.null()), (nothing, empty), default=cut), array.type)


@writes(exp.Query, exp.Subquery)
def _query(_w: "Writing", node: exp.Expr) -> Meant:
    """A sub-query that is written already."""
    types = output_types(node)
    if len(types) > 1:
        raise SqlError("subquery must return only one column", at=node)
    return Meant(node, types[0] if types else kinds.ANY)


@writes(exp.Exists)
def _exists(_w: "Writing", node: exp.Exists) -> Meant:
    return Meant(exp.Exists(this=node.this), "bool")


@writes(exp.Collate)
def _collate(w: "Writing", node: exp.Collate) -> Meant:
    name = (
        node.expression.name
        if isinstance(node.expression, exp.Identifier | exp.Column | exp.Dot)
        else str(node.expression)
    )
    if name.lower().strip('"') not in ("c", "posix", "default", "ucs_basic"):
        raise SqlError(
            f"The collation {shown(name)} cannot be used here: texts are compared by their codes.",
            at=node,
            sqlstate="42704",
        )
    return w.write(node.this)
