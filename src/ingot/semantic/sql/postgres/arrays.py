"""Functions over arrays."""

from sqlglot import exp

from ingot.semantic.sql.postgres import kinds
from ingot.semantic.sql.postgres.calls import Call, Meant, function
from ingot.semantic.sql.postgres.casts import as_text
from ingot.semantic.sql.postgres.tree import call, case, cast, is_null, num, once, op, text


def _length(c: Call) -> exp.Expr:
    """Null of what has no elements, as in PostgreSQL."""
    size = call("nullif", call("len", c.args[0]), num(0))
    return cast(case((op(exp.EQ, c.args[1], num(1)), size)), "int4")


function("array_length array_upper", "array int4 -> int4", _length)
function("cardinality", "array -> int4", lambda c: cast(call("len", c.args[0]), "int4"))
function("array_append", "array any -> $1", "list_append")
function("array_cat", "array array -> $1", "list_concat")


def _position(c: Call) -> exp.Expr:
    return cast(call("nullif", call("list_position", *c.args), num(0)), "int4")


function("array_position", "array any -> int4", _position)


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


function("string_to_array", "text text -> text[]", _split)
