"""JSON: its parts, and values made into it.

What is `json` keeps the spaces that it was written with, as far as it is not taken apart; what is `jsonb` is shown
as PostgreSQL shows it, with its keys in the order in which they were written.
"""

import re

from sqlglot import exp

from ingot.semantic.sql.postgres import kinds
from ingot.semantic.sql.postgres.aggregates import marked
from ingot.semantic.sql.postgres.calls import Call, Meant, Write, aggregate, function
from ingot.semantic.sql.postgres.casts import as_text, spaced
from ingot.semantic.sql.postgres.tree import as_engine, call, case, cast, is_null, not_, once, op, text

_JSONS = ("json", "jsonb")
_KEY = re.compile(r"[^$/\"\\][^\"\\]*")


def _key(one: Meant, tree: exp.Expr) -> exp.Expr:
    """Where a key is, as the engine's path."""
    if one.said is not None:
        said = one.said
        if _KEY.fullmatch(said):
            return text(f'$."{said}"')
        return text("/" + said.replace("~", "~0").replace("/", "~1"))
    escaped = call("replace", call("replace", tree, text("~"), text("~0")), text("/"), text("~1"))
    return op(exp.DPipe, text("/"), escaped)


def _step(one: Meant, tree: exp.Expr) -> exp.Expr:
    """As `_key`, but that a number is a place in a list, too; the last is -1."""
    if one.said is not None and re.fullmatch(r"-[1-9]\d*", one.said):
        return text(f"$[#{one.said}]")
    if one.said is not None:
        return text("/" + one.said.replace("~", "~0").replace("/", "~1"))
    return _key(one, tree)


def _told(c: Call, tree: exp.Expr) -> exp.Expr:
    """A part as a text: a string without its quotes, null as null."""
    found = call("json_extract_string", tree.expressions[0], tree.expressions[1])
    return found if c.types[0] == "json" else once(found, lambda it: _shown(it, tree))


def _shown(it: exp.Expr, tree: exp.Expr) -> exp.Expr:
    nested = exp.In(this=call("json_type", tree.copy()), expressions=[text("OBJECT"), text("ARRAY")])
    return case((nested, spaced(it.copy())), default=it)


def _element(c: Call) -> exp.Expr:
    place = c.args[1] if c.types[1] == "int4" else _key(c.given[1], c.args[1])
    found = call("json_extract", c.args[0], place)
    return _told(c, found) if c.name.endswith("_text") else found


def _path(c: Call) -> exp.Expr:
    tree = c.args[0]
    *before, last = zip(c.given[1:], c.args[1:], strict=True)
    for one, arg in before:
        tree = call("json_extract", tree, _step(one, arg))
    found = call("json_extract", tree, _step(*last))
    return _told(c, found) if c.name.endswith("_text") else found


for _one in _JSONS:
    _both = (_one, *(one for one in _JSONS if one != _one))  # `->` is the same call for either

    function(
        f"{_one}_object_field",
        " | ".join(f"{t} {key} -> {t}" for t in _both for key in ("text", "int4")),
        _element,
    )
    function(
        f"{_one}_object_field_text",
        " | ".join(f"{t} {key} -> text" for t in _both for key in ("text", "int4")),
        _element,
    )
    function(f"{_one}_extract_path", " | ".join(f"{t} text text* -> {t}" for t in _both), _path)
    function(f"{_one}_extract_path_text", " | ".join(f"{t} text text* -> text" for t in _both), _path)
    function(
        f"{_one}_array_length",
        f"{_one} -> int4",
        lambda c: cast(call("json_array_length", c.args[0]), "int4"),
    )


def _typeof(c: Call) -> exp.Expr:
    names = {"OBJECT": "object", "ARRAY": "array", "VARCHAR": "string", "BOOLEAN": "boolean", "NULL": "null"}

    def write(it: exp.Expr) -> exp.Expr:
        pairs = [(op(exp.EQ, it.copy(), text(one)), text(name)) for one, name in names.items()]
        return case((is_null(it), exp.null()), *pairs, default=text("number"))

    return once(call("json_type", c.args[0]), write)


function("json_typeof", "json -> text", _typeof)
function("jsonb_typeof", "jsonb -> text", _typeof)
function(
    "jsonb_exists",
    "jsonb text -> bool",
    lambda c: not_(is_null(call("json_extract", c.args[0], _key(c.given[1], c.args[1])))),
)


# -- values into JSON --------------------------------------------------------------------------------------


def _json_text(one: Meant, c: Call) -> exp.Expr:
    """A value as JSON's text; null where it is null."""
    clock = c.writing.clock
    if one.type in _JSONS:
        return as_text(one, clock)
    if one.type in kinds.NUMBERS:
        return as_text(one, clock)
    if one.type == "bool":
        return cast(one.tree, "text")
    if kinds.is_array(one.type):
        each = _json_text(Meant(exp.column("el"), kinds.element(one.type)), c)
        items = call(
            "list_transform",
            one.tree,
            exp.Lambda(this=call("coalesce", each, text("null")), expressions=[exp.to_identifier("el")]),
        )
        joined = call("coalesce", call("array_to_string", items, text(",")), text(""))
        return case(
            (is_null(one.tree.copy()), exp.null()), default=call("concat", text("["), joined, text("]"))
        )
    shown = as_text(one, clock)
    if one.type in ("timestamp", "timestamptz"):
        shown = call("replace", shown, text(" "), text("T"))
    if one.type == "timestamptz":
        shown = call("regexp_replace", shown, text(r"([+-]\d\d)$"), text(r"\1:00"))
    return as_engine(call("to_json", shown), "VARCHAR")


def _or_null(one: Meant, c: Call) -> exp.Expr:
    return call("coalesce", _json_text(one, c), text("null"))


def _kept(tree: exp.Expr) -> exp.Expr:
    return cast(tree, "json")


def _to_json(c: Call) -> exp.Expr:
    return _kept(_json_text(c.given[0], c))


function("to_json", "any -> json", _to_json)
function("to_jsonb", "any -> jsonb", _to_json)


def _named(key: Meant, value: Meant, c: Call) -> exp.Expr:
    name = as_engine(call("to_json", as_text(key, c.writing.clock, short=True)), "VARCHAR")
    return call("concat", name, text(" : "), _or_null(value, c))


def _object(c: Call) -> exp.Expr:
    from ingot.semantic.sql.errors import SqlError  # noqa: PLC0415 - beside its only use

    if len(c.given) % 2:
        raise SqlError("argument list must have even number of elements", at=c.at, sqlstate="22023")
    given = list(zip(c.given[::2], c.given[1::2], strict=True))
    if c.name == "jsonb_build_object" and all(key.said is not None for key, _ in given):
        last = {str(key.said): (key, value) for key, value in given}
        given = [last[name] for name in sorted(last, key=lambda one: (len(one.encode()), one.encode()))]
    pairs = [_named(key, value, c) for key, value in given]
    return _kept(call("concat", text("{"), call("concat_ws", text(", "), *pairs or [text("")]), text("}")))


def _list(c: Call) -> exp.Expr:
    items = [_or_null(one, c) for one in c.given]
    return _kept(call("concat", text("["), call("concat_ws", text(", "), *items or [text("")]), text("]")))


def _all(c: Call) -> exp.Expr:
    joined = marked("string_agg", _or_null(c.given[0], c), text(", "))
    return _kept(op(exp.DPipe, op(exp.DPipe, text("["), joined), text("]")))


def _all_named(c: Call) -> exp.Expr:
    joined = marked("string_agg", _named(c.given[0], c.given[1], c), text(", "))
    return _kept(op(exp.DPipe, op(exp.DPipe, text("{ "), joined), text(" }")))


_MADE: dict[str, tuple[str, Write]] = {"build_object": ("any*", _object), "build_array": ("any*", _list)}
for _one in _JSONS:
    for _name, (_takes, _write) in _MADE.items():
        function(f"{_one}_{_name}", f"{_takes} -> {_one}", _write)
    aggregate(f"{_one}_agg", f"any -> {_one}", _all)
    aggregate(f"{_one}_object_agg", f"any any -> {_one}", _all_named)
