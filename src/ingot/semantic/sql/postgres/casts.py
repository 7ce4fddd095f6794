"""Casts, and values as texts, by PostgreSQL's rules."""

from sqlglot import exp

from ingot.semantic.sql.errors import SqlError
from ingot.semantic.sql.postgres import input as texts
from ingot.semantic.sql.postgres import kinds
from ingot.semantic.sql.postgres.calls import Meant
from ingot.semantic.sql.postgres.input import Clock
from ingot.semantic.sql.postgres.reading import computed
from ingot.semantic.sql.postgres.tree import (
    as_engine,
    call,
    case,
    cast,
    is_null,
    mul,
    num,
    once,
    op,
    over,
    sub,
    text,
    whole,
)


def becoming(  # noqa: PLR0911 - one for each type
    one: Meant, wanted: str, clock: Clock, at: exp.Expr | None = None
) -> exp.Expr:
    """A value as one of a type that it becomes by itself."""
    if one.literal is not None:
        return texts.value(one.literal, wanted, clock, at)
    if (
        one.type == wanted
        or wanted in (kinds.ANY, kinds.UNKNOWN, "array")
        or one.type in (kinds.ANY, kinds.UNKNOWN)
    ):
        return one.tree
    if wanted in ("float4", "float8"):
        return cast(one.tree, wanted)
    if wanted in ("int4", "int8") and one.type in kinds.WHOLE:
        return cast(one.tree, wanted)
    if wanted == "interval" and one.type == "time":
        return passed(one.tree)
    if wanted == "timestamp":
        return cast(one.tree, wanted)
    if wanted == "timestamptz":
        return _zoned(one.tree, one.type, clock)
    return one.tree


def casted(one: Meant, wanted: str, sizes: tuple[int, ...], clock: Clock, at: exp.Expr) -> exp.Expr:
    """`CAST(x AS t)`.

    Raises:
        SqlError: 42846 where there is no such cast, and what `input.value` raises.
    """
    if wanted == "numeric" and sizes:
        _check_sizes(sizes, at)
    if one.literal is not None:
        return sized(texts.value(one.literal, wanted, clock, at), wanted, sizes, kinds.UNKNOWN)
    if one.is_null:
        return cast(one.tree, wanted)
    return sized(_cast(one, wanted, clock, at), wanted, sizes, one.type)


def _cast(one: Meant, wanted: str, clock: Clock, at: exp.Expr) -> exp.Expr:  # noqa: PLR0911, PLR0912
    given, tree = one.type, one.tree
    if given in (wanted, kinds.ANY):
        return tree if given == wanted else cast(tree, wanted)
    if wanted in kinds.TEXTS:
        return as_text(one, clock)
    if given in kinds.TEXTS:
        return computed(tree, wanted, clock, at)
    if kinds.is_array(given) and kinds.is_array(wanted):
        return cast(tree, wanted)
    if wanted == "bool" and given == "int4":
        return op(exp.NEQ, tree, num(0))
    if given == "bool" and wanted == "int4":
        return cast(tree, "int4")
    if given in kinds.NUMBERS and wanted in kinds.NUMBERS:
        if wanted == "numeric":
            return tree
        return cast(call("round", tree) if given == "numeric" and wanted in kinds.WHOLE else tree, wanted)
    if given in kinds.MOMENTS:
        if wanted == "timestamptz":
            return _zoned(tree, given, clock)
        local = call("timezone", text(clock.zone), tree) if given == "timestamptz" else tree
        if wanted in ("date", "timestamp") or (wanted == "time" and given != "date"):
            return local if (given, wanted) == ("timestamptz", "timestamp") else cast(local, wanted)
    if (given, wanted) == ("time", "interval"):
        return passed(tree)
    if (given, wanted) in (("uuid", "uuid"), ("json", "jsonb"), ("jsonb", "json")):
        return cast(tree, wanted)
    raise SqlError(
        f"cannot cast type {kinds.spoken(given)} to {kinds.spoken(wanted)}", at=at, sqlstate="42846"
    )


def passed(tree: exp.Expr) -> exp.Expr:
    """What has passed of a day at a time."""
    return call("to_microseconds", call("epoch_us", tree))


def _zoned(tree: exp.Expr, given: str, clock: Clock) -> exp.Expr:
    return call("timezone", text(clock.zone), cast(tree, "timestamp") if given == "date" else tree)


def _check_sizes(sizes: tuple[int, ...], at: exp.Expr) -> None:
    precision, scale = sizes[0], sizes[1] if len(sizes) > 1 else 0
    if precision < 1 or precision > 1000 or len(sizes) > 2:
        raise SqlError(f"NUMERIC precision {precision} must be between 1 and 1000", at=at, sqlstate="22023")
    if precision > 38 or scale > precision:
        raise SqlError("Numbers have 38 digits at most here.", at=at, sqlstate="0A000")


def sized(tree: exp.Expr, wanted: str, sizes: tuple[int, ...], given: str) -> exp.Expr:
    """A value with the length or the places that its type has in brackets."""
    if not sizes:
        return tree
    if wanted == "numeric":
        precision, scale = sizes[0], sizes[1] if len(sizes) > 1 else 0
        return decimal(tree, given, precision, scale)
    if wanted in ("varchar", "bpchar"):
        cut = call("left", tree, num(sizes[0]))
        return call("rpad", cut, num(sizes[0]), text(" ")) if wanted == "bpchar" else cut
    if wanted in ("timestamp", "timestamptz") and sizes[0] < 6:
        step = num(10 ** (6 - sizes[0]))
        micros = call("epoch_us", tree)
        rounded = mul(as_engine(call("round", over(micros, step)), "BIGINT"), step.copy())
        made = call("make_timestamp", rounded)
        return made if wanted == "timestamp" else call("timezone", text("UTC"), made)
    return tree


def decimal(tree: exp.Expr, given: str, precision: int, scale: int) -> exp.Expr:
    """A number with so many digits, halves away from zero."""
    to = f"DECIMAL({precision}, {scale})"
    if given in kinds.WHOLE or given == kinds.UNKNOWN or isinstance(tree, exp.Literal):
        return as_engine(tree, to)
    # What is numeric may be double precision in the engine, whose halves are those of its shortest digits.
    return (
        as_engine(as_engine(tree, "VARCHAR"), to)
        if given != "numeric"
        else once(
            tree,
            lambda it: case(
                (
                    op(exp.EQ, call("typeof", it), text("DOUBLE")),
                    as_engine(as_engine(it.copy(), "VARCHAR"), to),
                ),
                default=as_engine(it.copy(), to),
            ),
        )
    )


# -- to text -----------------------------------------------------------------------------------------------


def as_text(one: Meant, clock: Clock, *, short: bool = False) -> exp.Expr:  # noqa: PLR0911 - one for each type
    """A value as PostgreSQL writes it. `short`: truth as `t` and `f`."""
    if one.literal is not None:
        return text(one.literal)
    if one.type == "bpchar":
        return call("rtrim", one.tree, text(" "))
    if one.is_null or one.type in kinds.TEXTS:
        return one.tree
    if one.type == "bool" and short:
        yes, no = (one.tree, text("t")), (exp.Not(this=exp.Paren(this=one.tree.copy())), text("f"))
        return case(yes, no)
    if one.type in ("float4", "float8", "numeric"):
        if one.number is not None:
            return as_engine(one.tree, "VARCHAR")
        return once(one.tree, lambda it: _number(it, one.type))
    if one.type == "timestamptz":
        return once(one.tree, lambda it: _with_offset(it, clock))
    if one.type == "interval":
        return once(one.tree, _interval)
    if kinds.is_array(one.type):
        return once(one.tree, lambda it: _array(it, one.type, clock))
    if one.type == "jsonb":
        return spaced(as_engine(one.tree, "VARCHAR"))
    if one.type == "bytea":
        return op(exp.DPipe, text("\\x"), call("lower", call("hex", one.tree)))
    return as_engine(one.tree, "VARCHAR")


def spaced(tree: exp.Expr) -> exp.Expr:
    """The text of a JSON value with a space behind each colon and comma that is no string's."""
    outside = r'((?:"(?:[^"\\]|\\.)*"|[^":,])+)([:,])'
    return call(
        "regexp_replace", as_engine(call("json", tree), "VARCHAR"), text(outside), text(r"\1\2 "), text("g")
    )


def _number(it: exp.Expr, kind: str) -> exp.Expr:
    """Without the `.0` that the engine puts behind whole numbers of double precision."""
    plain = as_engine(it, "VARCHAR")
    trimmed = call("regexp_replace", plain, text(r"\.0$"), text(""))
    large = call(
        "regexp_replace",
        call("regexp_replace", call("format", text("{:.14e}"), it.copy()), text(r"0+e"), text("e")),
        text(r"\.e"),
        text("e"),
    )
    found = case(
        (op(exp.EQ, as_engine(it.copy(), "DOUBLE"), as_engine(text("inf"), "DOUBLE")), text("Infinity")),
        (op(exp.EQ, as_engine(it.copy(), "DOUBLE"), as_engine(text("-inf"), "DOUBLE")), text("-Infinity")),
        (call("isnan", as_engine(it.copy(), "DOUBLE")), text("NaN")),
        default=trimmed,
    )
    if kind != "numeric":
        size = call("abs", it.copy())
        exact = exp.and_(op(exp.GTE, size, num("1e15")), op(exp.LT, size.copy(), num("1e16")), copy=False)
        found.args["ifs"].append(exp.If(this=exact, true=large))
        return found
    return case((op(exp.EQ, call("typeof", it.copy()), text("DOUBLE")), found), default=plain.copy())


def _with_offset(it: exp.Expr, clock: Clock) -> exp.Expr:
    if clock.zone == "UTC":
        return op(exp.DPipe, as_engine(call("timezone", text("UTC"), it), "VARCHAR"), text("+00"))
    local = call("timezone", text(clock.zone), it)
    far = call("timezone", text("UTC"), it.copy())
    minutes = whole(sub(call("epoch_us", local.copy()), call("epoch_us", far)), num(60_000_000))
    hours = call("printf", text("%02d"), whole(call("abs", minutes), num(60)))
    rest = op(exp.Mod, call("abs", minutes.copy()), num(60))
    offset = call(
        "concat",
        case((op(exp.LT, minutes.copy(), num(0)), text("-")), default=text("+")),
        hours,
        case(
            (op(exp.NEQ, rest, num(0)), call("concat", text(":"), call("printf", text("%02d"), rest.copy()))),
            default=text(""),
        ),
    )
    return case((is_null(it.copy()), exp.null()), default=call("concat", as_engine(local, "VARCHAR"), offset))


def _interval(it: exp.Expr) -> exp.Expr:
    """`1 year 2 mons -3 days 04:05:06.7`."""
    months = call("datepart", text("month"), it)
    years = call("datepart", text("year"), it.copy())
    days = call("datepart", text("day"), it.copy())
    passed = as_engine(sub(it.copy(), add_months(it, days=True)), "VARCHAR")
    # What follows something negative says that it is not, where it is not.
    back = exp.or_(op(exp.LT, years.copy(), num(0)), op(exp.LT, months.copy(), num(0)), copy=False)
    before = exp.or_(
        op(exp.LT, days.copy(), num(0)),
        exp.Paren(this=exp.and_(op(exp.EQ, days.copy(), num(0)), exp.Paren(this=back.copy()), copy=False)),
        copy=False,
    )
    forward = exp.and_(exp.Paren(this=back), op(exp.GT, days.copy(), num(0)), copy=False)
    plus = case((forward, text("+")), default=text(""))
    pieces = [_unit(years, "year"), _unit(months, "mon"), call("concat", plus, _unit(days, "day"))]
    pieces[2] = case((op(exp.NEQ, days.copy(), num(0)), pieces[2]))
    clock = call("regexp_replace", passed, text(r"^.* "), text(""))
    after = case(
        (
            exp.and_(
                exp.Paren(this=before), exp.Not(this=call("starts_with", clock.copy(), text("-"))), copy=False
            ),
            text("+"),
        ),
        default=text(""),
    )
    shown = case(
        (op(exp.EQ, passed.copy(), text("00:00:00")), exp.null()),
        default=call("concat", after, clock),
    )
    joined = call("concat_ws", text(" "), *pieces, shown)
    return case(
        (is_null(it.copy()), exp.null()),
        (op(exp.EQ, joined, text("")), text("00:00:00")),
        default=joined.copy(),
    )


def add_months(it: exp.Expr, *, days: bool = False) -> exp.Expr:
    """The part of an interval that is whole months, or months and days."""
    months = exp.Paren(
        this=exp.Add(
            this=mul(call("datepart", text("year"), it.copy()), num(12)),
            expression=call("datepart", text("month"), it.copy()),
        )
    )
    made: exp.Expr = call("to_months", as_engine(months, "INTEGER"))
    if days:
        made = op(
            exp.Add, made, call("to_days", as_engine(call("datepart", text("day"), it.copy()), "INTEGER"))
        )
    return made


def _unit(size: exp.Expr, name: str) -> exp.Expr:
    return case(
        (op(exp.EQ, size, num(0)), exp.null()),
        (op(exp.EQ, size.copy(), num(1)), text(f"1 {name}")),
        default=call("concat", size.copy(), text(f" {name}s")),
    )


def _array(it: exp.Expr, kind: str, clock: Clock) -> exp.Expr:
    inner = kinds.element(kind)
    name = "el"
    column = exp.column(name)
    shown = as_text(Meant(column, inner), clock, short=True)
    if inner in kinds.TEXTS or inner in ("timestamp", "timestamptz", "interval", "json", "jsonb"):
        plain = call("regexp_matches", shown.copy(), text(r'^[^\s,{}"\\]+$'))
        null = op(exp.EQ, call("upper", shown.copy()), text("NULL"))
        quoted = call(
            "concat",
            text('"'),
            call("replace", call("replace", shown.copy(), text("\\"), text("\\\\")), text('"'), text('\\"')),
            text('"'),
        )
        shown = case((exp.and_(plain, exp.not_(null)), shown), default=quoted)
    each = case((is_null(column.copy()), text("NULL")), default=shown)
    parts = call("list_transform", it, exp.Lambda(this=each, expressions=[exp.to_identifier(name)]))
    joined = call(
        "concat", text("{"), call("coalesce", call("array_to_string", parts, text(",")), text("")), text("}")
    )
    return case((is_null(it.copy()), exp.null()), default=joined)
