"""Functions over arrays."""

from collections.abc import Callable

from sqlglot import exp

from ingot.semantic.sql.postgres import kinds
from ingot.semantic.sql.postgres.calls import Call, Meant, function
from ingot.semantic.sql.postgres.casts import as_text
from ingot.semantic.sql.postgres.tree import call, case, cast, error, is_null, num, once, op, sub, text


def _length(c: Call) -> exp.Expr:
    """Null of what has no elements, as in PostgreSQL."""
    size = call("nullif", call("len", c.args[0]), num(0))
    return cast(case((op(exp.EQ, c.args[1], num(1)), size)), "int4")


function("array_length array_upper", "array int4 -> int4", _length)
function("cardinality", "array -> int4", lambda c: cast(call("len", c.args[0]), "int4"))
function("array_ndims", "array -> int4", lambda c: case((op(exp.GT, call("len", c.args[0]), num(0)), num(1))))
function("array_lower", "array int4 -> int4", lambda c: call("least", _length(c), num(1)))
function("array_append", "array any -> $1", "list_append")
function("array_prepend", "any array -> $2", "list_prepend")
function("array_cat", "array array -> $1", "list_concat")


def _position(c: Call) -> exp.Expr:
    return cast(call("nullif", call("list_position", *c.args), num(0)), "int4")


function("array_position", "array any -> int4", _position)


def _kept(c: Call) -> exp.Expr:
    other = exp.NullSafeNEQ(this=exp.column("el"), expression=c.args[1])
    return call("list_filter", c.args[0], exp.Lambda(this=other, expressions=[exp.to_identifier("el")]))


function("array_remove", "array any -> $1", _kept)


def _replaced(c: Call) -> exp.Expr:
    same = exp.NullSafeEQ(this=exp.column("el"), expression=c.args[1])
    each = case((same, c.args[2]), default=exp.column("el"))
    return call("list_transform", c.args[0], exp.Lambda(this=each, expressions=[exp.to_identifier("el")]))


function("array_replace", "array any any -> $1", _replaced)


def _trimmed(c: Call) -> exp.Expr:
    size = call("len", c.args[0].copy())
    bad = exp.or_(op(exp.LT, c.args[1].copy(), num(0)), op(exp.GT, c.args[1].copy(), size.copy()), copy=False)
    wrong = error("2202E", "number of elements to trim must be between 0 and the array's length")
    return case((bad, wrong), default=call("list_slice", c.args[0], num(1), sub(size, c.args[1])))


function("trim_array", "array int4 -> $1", _trimmed)


def _has(name: str) -> Callable[[Call], exp.Expr]:
    """Nulls are in nothing; an array that is null is unknown."""

    def write(c: Call) -> exp.Expr:
        one, other = c.args if name != "arraycontained" else reversed(c.args)
        if c.types[0] == "jsonb":
            return call("json_contains", one, other)
        if name == "arrayoverlap":
            return call("list_has_any", one, other)
        whole = op(exp.EQ, call("list_count", other.copy()), call("len", other.copy()))
        return exp.Paren(this=exp.and_(call("list_has_all", one, other), whole, copy=False))

    return write


for _name in ("arraycontains", "arraycontained"):
    function(_name, "array array -> bool | jsonb jsonb -> bool", _has(_name))
function("arrayoverlap", "array array -> bool", _has("arrayoverlap"))


def _joined(c: Call) -> exp.Expr:
    inner = kinds.element(c.given[0].type)
    item = exp.column("el")
    shown = as_text(Meant(item, inner), c.writing.clock, short=True)
    if len(c.args) == 3:
        shown = call("coalesce", shown, c.args[2])
    parts = call("list_transform", c.args[0], exp.Lambda(this=shown, expressions=[exp.to_identifier("el")]))
    return once(
        parts,
        lambda it: case(
            (is_null(it), exp.null()),
            default=call("coalesce", call("array_to_string", it.copy(), c.args[1]), text("")),
        ),
    )


function("array_to_string", "array text -> text | array text text -> text", _joined)


def _split(c: Call) -> exp.Expr:
    source, mark = c.args[0], c.args[1]
    return case(
        (op(exp.EQ, source.copy(), text("")), exp.Anonymous(this="LIST_VALUE", expressions=[])),
        (op(exp.EQ, mark.copy(), text("")), call("list_value", source.copy())),
        default=call("string_split", source, mark),
    )


def _split_into(c: Call) -> exp.Expr:
    """Each character alone where there is no mark; what is as the third text is null."""
    source, mark = c.given[0], c.given[1]
    if mark.is_null:
        found = case(
            (op(exp.EQ, c.args[0].copy(), text("")), call("list_value")),
            default=call("string_split", c.args[0], text("")),
        )
    else:
        found = case((is_null(c.args[0].copy()), exp.null()), default=_split(c))
    if len(c.args) < 3 or source.is_null:
        return found
    each = call("nullif", exp.column("el"), c.args[2])
    return call("list_transform", found, exp.Lambda(this=each, expressions=[exp.to_identifier("el")]))


function("string_to_array", "text text -> text[] | text text text -> text[]", _split_into)
