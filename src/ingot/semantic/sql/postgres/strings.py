"""Functions over texts."""

import re

from sqlglot import exp

from ingot.semantic.sql.errors import SqlError
from ingot.semantic.sql.postgres.calls import Call, function
from ingot.semantic.sql.postgres.casts import as_text
from ingot.semantic.sql.postgres.keywords import QUOTED
from ingot.semantic.sql.postgres.searches import substring_of
from ingot.semantic.sql.postgres.tree import (
    add,
    call,
    case,
    cast,
    error,
    is_null,
    num,
    once,
    op,
    sub,
    text,
)

LONGEST = 10_000_000
"""Characters that a text may be made longer to."""

function("lower", "text -> text")


def _upper(c: Call) -> exp.Expr:
    """Letter by letter: ß has no capital of one letter, which the engine knows one for."""

    def write(it: exp.Expr) -> exp.Expr:
        part = exp.column("p")
        parts = call(
            "list_transform",
            call("string_split", it, text("ß")),
            exp.Lambda(this=call("upper", part), expressions=[exp.to_identifier("p")]),
        )
        sharp = call("array_to_string", parts, text("ß"))
        return case((call("contains", it.copy(), text("ß")), sharp), default=call("upper", it.copy()))

    return once(c.args[0], write)


function("upper", "text -> text", _upper)
function("char_length character_length", "text -> int4", lambda c: cast(call("length", c.args[0]), "int4"))
function(
    "length",
    "text -> int4 | bytea -> int4",
    lambda c: cast(call("length" if c.types[0] == "text" else "octet_length", c.args[0]), "int4"),
)
function(
    "octet_length",
    "text -> int4 | bytea -> int4",
    lambda c: cast(call("strlen" if c.types[0] == "text" else "octet_length", c.args[0]), "int4"),
)
function("bit_length", "text -> int4", lambda c: cast(call("bit_length", c.args[0]), "int4"))
function("position strpos", "text text -> int4", lambda c: cast(call("strpos", *c.args), "int4"))
function("replace", "text text text -> text")
function("starts_with", "text text -> bool")
function("md5", "text -> text | bytea -> text")
function("translate", "text text text -> text")


def _trimmed(engine_name: str, name: str) -> None:
    def write(c: Call) -> exp.Expr:
        return call(engine_name, c.args[0], c.args[1] if len(c.args) > 1 else text(" "))

    function(name, "text -> text | text text -> text", write)


_trimmed("trim", "btrim")
_trimmed("ltrim", "ltrim")
_trimmed("rtrim", "rtrim")


def _reversed(c: Call) -> exp.Expr:
    """By characters; the engine would keep together what is drawn as one."""
    return once(
        c.args[0],
        lambda it: case(
            (is_null(it), exp.null()),
            default=call(
                "coalesce",
                call(
                    "array_to_string",
                    call("list_reverse", call("regexp_extract_all", it.copy(), text("(?s)."))),
                    text(""),
                ),
                text(""),
            ),
        ),
    )


function("reverse", "text -> text", _reversed)


def _initcap(c: Call) -> exp.Expr:
    def write(it: exp.Expr) -> exp.Expr:
        word = exp.column("w")
        first, rest = call("left", word, num(1)), call("substring", word.copy(), num(2))
        each = call("concat", call("upper", first), call("lower", rest))
        words = call("regexp_extract_all", it, text(r"(?s)[\p{L}\p{N}]+|[^\p{L}\p{N}]+"))
        made = call("list_transform", words, exp.Lambda(this=each, expressions=[exp.to_identifier("w")]))
        return case(
            (is_null(it.copy()), exp.null()),
            default=call("coalesce", call("array_to_string", made, text("")), text("")),
        )

    return once(c.args[0], write)


function("initcap", "text -> text", _initcap)


def _cut(c: Call) -> exp.Expr:
    """Places before the first are counted, too, and have no character."""
    source, start = c.args[0], c.args[1]
    if c.types[1] == "text":
        return substring_of(c)
    known = c.whole(1)
    if len(c.args) == 2:
        return call(
            "substring", source, start if known is not None and known > 0 else call("greatest", start, num(1))
        )
    size, written = c.args[2], c.whole(2)
    if written is not None and written < 0:
        raise SqlError("negative substring length not allowed", at=c.at, sqlstate="22011")
    if known is not None and known > 0 and written is not None:
        return call("substring", source, start, size)
    first = call("greatest", start.copy(), num(1))
    left = call(
        "greatest", sub(add(cast(start.copy(), "int8"), cast(size.copy(), "int8")), first.copy()), num(0)
    )
    made = call("substring", source, first, left)
    if written is not None:
        return made
    return case(
        (op(exp.LT, size.copy(), num(0)), error("22011", "negative substring length not allowed")),
        default=made,
    )


function(
    "substring",
    "text int4 -> text | text int4 int4 -> text | text text -> text | text text text -> text",
    _cut,
)
function("substr", "text int4 -> text | text int4 int4 -> text", _cut)
function("left right", "text int4 -> text")


def _limited(count: exp.Expr, c: Call, n: int, source: exp.Expr | None = None) -> exp.Expr:
    """A count of characters that cannot fill the memory."""
    known = c.whole(n)
    if known is not None:
        if known > LONGEST:
            raise SqlError("requested length too large", at=c.at, sqlstate="54000")
        return count
    size = mul_length(count.copy(), source)
    return case((op(exp.GT, size, num(LONGEST)), error("54000", "requested length too large")), default=count)


def mul_length(count: exp.Expr, source: exp.Expr | None) -> exp.Expr:
    from ingot.semantic.sql.postgres.tree import mul  # noqa: PLC0415 - beside its only use

    wide = cast(count, "int8")
    return wide if source is None else mul(wide, call("length", source.copy()))


def _padded(c: Call) -> exp.Expr:
    source, size = c.args[0], _limited(c.args[1], c, 1)
    if len(c.args) == 2:
        return call(c.name, source, size, text(" "))
    fill = c.args[2]
    if c.given[2].literal == "":
        return call("left", source, call("greatest", size, num(0)))
    if c.given[2].literal is not None:
        return call(c.name, source, size, fill)
    empty = op(exp.EQ, fill.copy(), text(""))
    return case(
        (empty, call("left", source.copy(), call("greatest", size.copy(), num(0)))),
        default=call(c.name, source, size, fill),
    )


function("lpad rpad", "text int4 -> text | text int4 text -> text", _padded)


def _repeated(c: Call) -> exp.Expr:
    known = c.whole(1)
    said = c.given[0].literal
    if known is not None and said is not None:
        if known * len(said) > LONGEST:
            raise SqlError("requested length too large", at=c.at, sqlstate="54000")
        return call("repeat", *c.args)
    size = mul_length(c.args[1].copy(), c.args[0])
    return case(
        (op(exp.GT, size, num(LONGEST)), error("54000", "requested length too large")),
        default=call("repeat", *c.args),
    )


function("repeat", "text int4 -> text", _repeated)


def _part(c: Call) -> exp.Expr:
    source, mark, n = c.args
    if c.whole(2) == 0:
        raise SqlError("field position must not be zero", at=c.at, sqlstate="22023")
    # Where nothing separates, there is one part, from either side.

    one = case((exp.In(this=n.copy(), expressions=[num(1), num(-1)]), source.copy()), default=text(""))
    made = (
        case((op(exp.EQ, mark.copy(), text("")), one), default=call("split_part", source, mark, n))
        if c.given[1].literal in (None, "")
        else call("split_part", source, mark, n)
    )
    null = exp.or_(*(is_null(x.copy()) for x in c.args), copy=False)
    if c.whole(2) is not None:
        return case((null, exp.null()), default=made)
    zero = (op(exp.EQ, n.copy(), num(0)), error("22023", "field position must not be zero"))
    return case((null, exp.null()), zero, default=made)


function("split_part", "text text int4 -> text", _part)


def _ascii(c: Call) -> exp.Expr:
    return cast(
        case((op(exp.EQ, c.args[0].copy(), text("")), num(0)), default=call("unicode", c.args[0])), "int4"
    )


function("ascii", "text -> int4", _ascii)


def _chr(c: Call) -> exp.Expr:
    known = c.whole(0)
    if known is not None:
        if known == 0:
            raise SqlError("null character not permitted", at=c.at, sqlstate="54000")
        if not 0 < known < 0x110000 or 0xD800 <= known < 0xE000:
            raise SqlError(f"requested character not valid for encoding: {known}", at=c.at, sqlstate="54000")
        return call("chr", *c.args)
    bad = exp.Not(this=exp.Between(this=c.args[0].copy(), low=num(1), high=num(0x10FFFF)))
    return case(
        (bad, error("54000", "requested character not valid for encoding")), default=call("chr", *c.args)
    )


function("chr", "int4 -> text", _chr)


def _texts(c: Call, start: int = 0) -> list[exp.Expr]:
    return [as_text(one, c.writing.clock, short=True) for one in c.given[start:]]


function("concat", "any any* -> text", lambda c: call("concat", *_texts(c)))


def _with_separator(c: Call) -> exp.Expr:
    return call("concat_ws", c.args[0], *_texts(c, 1))


function("concat_ws", "text any any* -> text", _with_separator)


def _overlaid(c: Call) -> exp.Expr:
    source, new, start = c.args[:3]
    size = c.args[3] if len(c.args) > 3 else cast(call("length", new.copy()), "int4")
    before = call("substring", source, num(1), call("greatest", sub(start, num(1)), num(0)))
    after = call("substring", source.copy(), call("greatest", add(start.copy(), size), num(1)))
    if (known := c.whole(2)) is not None and known < 1:
        raise SqlError("negative substring length not allowed", at=c.at, sqlstate="22011")
    return op(exp.DPipe, op(exp.DPipe, before, new), after)


function("overlay", "text text int4 -> text | text text int4 int4 -> text", _overlaid)


def quoted(it: exp.Expr) -> exp.Expr:
    """A text as SQL writes it."""
    inner = call("replace", it.copy(), text("'"), text("''"))
    plain = call("concat", text("'"), inner, text("'"))
    escaped = call("concat", text("E'"), call("replace", inner.copy(), text("\\"), text("\\\\")), text("'"))
    return case((is_null(it), exp.null()), (call("contains", it.copy(), text("\\")), escaped), default=plain)


function(
    "quote_literal",
    "text -> text | any -> text",
    lambda c: once(as_text(c.given[0], c.writing.clock), quoted),
)
function(
    "quote_nullable",
    "text -> text | any -> text",
    lambda c: call("coalesce", once(as_text(c.given[0], c.writing.clock), quoted), text("NULL")),
)


def named(it: exp.Expr) -> exp.Expr:
    """A name as SQL writes it: in quotes where it needs some."""
    plain = call("regexp_matches", it, text("^[a-z_][a-z0-9_]*$"))
    word = exp.In(this=it.copy(), expressions=[text(one) for one in QUOTED])
    quotes = call("concat", text('"'), call("replace", it.copy(), text('"'), text('""')), text('"'))
    return case(
        (is_null(it.copy()), exp.null()),
        (exp.and_(plain, exp.not_(word), copy=False), it.copy()),
        default=quotes,
    )


function("quote_ident", "text -> text", lambda c: once(c.args[0], named))

_FORMAT = re.compile(r"%(?:(\d+)\$)?(-)?(\d+)?(.)?", re.DOTALL)


def _format(c: Call) -> exp.Expr:
    """`format('%s is %L', …)`, whose text must be written down."""
    said = c.said(0, "its pattern")
    pieces: list[exp.Expr] = []
    done = 0
    place = 0
    for found in _FORMAT.finditer(said):
        if found.start() > done:
            pieces.append(text(said[done : found.start()]))
        done = found.end()
        kind = found[4]
        if kind == "%" and not found[1] and not found[3]:
            pieces.append(text("%"))
            continue
        if kind not in ("s", "I", "L"):
            raise SqlError(f'unrecognized format() type specifier "{kind or ""}"', at=c.at, sqlstate="22023")
        place = int(found[1]) if found[1] else place + 1
        if place == 0 or place >= len(c.given):
            raise SqlError("too few arguments for format()", at=c.at, sqlstate="22023")
        value = as_text(c.given[place], c.writing.clock, short=True)
        if kind == "s":
            made: exp.Expr = call("coalesce", value, text(""))
        elif kind == "L":
            made = call("coalesce", once(value, quoted), text("NULL"))
        else:
            made = once(
                value,
                lambda it: case(
                    (is_null(it), error("22004", "null values cannot be formatted as an SQL identifier")),
                    default=named(it.copy()),
                ),
            )
        if found[3]:
            made = _wide(made, int(found[3][:6]), left=bool(found[2]), c=c)
        pieces.append(made)
    if done < len(said):
        pieces.append(text(said[done:]))
    return call("concat", *pieces) if pieces else text("")


def _wide(made: exp.Expr, size: int, *, left: bool, c: Call) -> exp.Expr:
    if size > 10_000:
        raise SqlError("requested length too large", at=c.at, sqlstate="54000")
    return once(
        made,
        lambda it: case(
            (op(exp.GTE, call("length", it), num(size)), it.copy()),
            default=call("rpad" if left else "lpad", it.copy(), num(size), text(" ")),
        ),
    )


function("format", "text any* -> text", _format)
function("to_hex", "int4 -> text | int8 -> text", lambda c: call("lower", call("to_hex", c.args[0])))
