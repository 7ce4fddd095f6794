"""Operators by the types of their sides."""

import re
from collections.abc import Callable
from functools import partial

from sqlglot import exp

from ingot.semantic.sql.errors import SqlError
from ingot.semantic.sql.postgres import kinds
from ingot.semantic.sql.postgres.calls import Meant
from ingot.semantic.sql.postgres.casts import add_months, as_text, becoming
from ingot.semantic.sql.postgres.input import Clock, interval_parts
from ingot.semantic.sql.postgres.outputs import ENGINE
from ingot.semantic.sql.postgres.tree import (
    add,
    as_engine,
    call,
    case,
    cast,
    error,
    is_atom,
    is_null,
    mul,
    not_,
    num,
    once,
    op,
    over,
    paren,
    sub,
    text,
    whole,
)

_SIGNS: dict[type[exp.Expr], str] = {
    exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%", exp.Pow: "^", exp.EQ: "=", exp.NEQ: "<>",
    exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">=", exp.DPipe: "||", exp.NullSafeEQ: "IS NOT DISTINCT FROM",
    exp.NullSafeNEQ: "IS DISTINCT FROM", exp.Like: "~~", exp.ILike: "~~*", exp.RegexpLike: "~", exp.RegexpILike: "~*",
    exp.BitwiseAnd: "&", exp.BitwiseOr: "|", exp.BitwiseXor: "#", exp.BitwiseLeftShift: "<<", exp.BitwiseRightShift: ">>",
}  # fmt: skip
_RANK = {name: n for n, name in enumerate(kinds.NUMBERS)}
_DAY = 86_400_000_000


def refused(kind: type[exp.Expr], left: str, right: str, at: exp.Expr) -> SqlError:
    """That there is no such operator."""
    sign = _SIGNS.get(kind, kind.key)
    return SqlError(
        f"operator does not exist: {kinds.spoken(left)} {sign} {kinds.spoken(right)}", at=at, sqlstate="42883"
    )


def compared(kind: type[exp.Expr], left: Meant, right: Meant, clock: Clock, at: exp.Expr) -> Meant:
    """`=`, `<` and their like."""
    a, b = sides(left, right, clock, at, kind)
    if kinds.common([left.type, right.type]) == "interval" and kind not in (exp.EQ, exp.NEQ):
        a, b = length(a), length(b)
    return Meant(exp.Paren(this=kind(this=paren(a), expression=paren(b))), "bool")


def length(span: exp.Expr) -> exp.Expr:
    """How long an interval is, in microseconds: a month has 30 days, whatever its other parts say."""

    def part(name: str) -> exp.Expr:
        return call("datepart", text(name), span.copy())

    if isinstance(span, exp.Null):
        return span
    days = add(mul(add(mul(part("year"), num(12)), part("month")), num(30)), part("day"))
    rest = call("epoch_us", sub(span.copy(), add_months(span, days=True)))
    return add(mul(as_engine(days, "HUGEINT"), num(_DAY)), rest)


def sides(
    left: Meant, right: Meant, clock: Clock, at: exp.Expr, kind: type[exp.Expr] = exp.EQ
) -> tuple[exp.Expr, exp.Expr]:
    """Two values as ones of the type that they are compared in."""
    wanted = kinds.common([left.type, right.type])
    if wanted is None:
        raise refused(kind, left.type, right.type, at)
    return becoming(left, wanted, clock, at), becoming(right, wanted, clock, at)


def alike(items: list[Meant], at: exp.Expr, what: str) -> str:
    """The type that several values are given. Raises `SqlError` where there is none."""
    kind = kinds.common([one.type for one in items])
    if kind is not None:
        return kind
    first = items[0].type
    other = (
        next(one.type for one in items if kinds.common([first, one.type]) is None)
        if kinds.common([first, items[-1].type]) is None
        else items[-1].type
    )
    raise SqlError(
        f"{what} types {kinds.spoken(first)} and {kinds.spoken(other)} cannot be matched",
        at=at,
        sqlstate="42804",
    )


def computed(kind: type[exp.Expr], left: Meant, right: Meant, clock: Clock, at: exp.Expr) -> Meant:
    """`+ - * / %` and `^`."""
    if kinds.ANY in (left.type, right.type):
        left, right = _settled(left), _settled(right)
    left, right = _guessed(kind, left, right, clock, at)
    if left.type in _RANK and right.type in _RANK:
        return _numbers(kind, left, right, clock, at)
    found = _times(kind, left, right, clock)
    if found is None:
        raise refused(kind, left.type, right.type, at)
    return found


def _settled(one: Meant) -> Meant:
    """What nobody knows the type of, in arithmetic, is a number."""
    return Meant(one.tree, "numeric") if one.type == kinds.ANY else one


def _guessed(
    kind: type[exp.Expr], left: Meant, right: Meant, clock: Clock, at: exp.Expr
) -> tuple[Meant, Meant]:
    """A text without a type takes the other side's, or what is added to times."""
    if left.type == kinds.UNKNOWN and right.type == kinds.UNKNOWN:
        raise SqlError(f"operator is not unique: unknown {_SIGNS[kind]} unknown", at=at, sqlstate="42725")
    one, other, flipped = (right, left, False) if right.type == kinds.UNKNOWN else (left, right, True)
    if one.type != kinds.UNKNOWN:
        return left, right
    wanted = other.type
    if (kind is exp.Mul and wanted == "interval") or (
        kind is exp.Div and wanted == "interval" and not flipped
    ):
        wanted = "float8"
    elif wanted in ("timestamp", "timestamptz", "time") and kind is exp.Add:
        wanted = "interval"
    elif wanted in ("timestamp", "timestamptz", "date") and kind is exp.Sub:
        wanted = other.type
    made = Meant(becoming(one, wanted, clock, at), wanted)
    return (made, other) if flipped else (other, made)


def _numbers(kind: type[exp.Expr], left: Meant, right: Meant, clock: Clock, at: exp.Expr) -> Meant:
    wanted = max(left.type, right.type, key=_RANK.__getitem__)
    if {left.type, right.type} & {"float4", "float8"}:
        wanted = "float4" if left.type == right.type == "float4" else "float8"
    if kind is exp.Pow:
        wanted = "numeric" if wanted == "numeric" else "float8"
        return Meant(power(left.tree, right.tree), wanted)
    if kind is exp.Mod and wanted in ("float4", "float8"):
        raise refused(kind, left.type, right.type, at)
    a, b = becoming(left, wanted, clock, at), becoming(right, wanted, clock, at)
    if kind is exp.Div:
        write = whole if wanted in kinds.WHOLE else exact_over if wanted == "numeric" else over
        return Meant(unless_zero(write, a, b), wanted)
    if kind is exp.Mod:
        return Meant(unless_zero(partial(op, exp.Mod), a, b), wanted)
    if kind is exp.Mul and wanted == "numeric":
        a = _widened(left, right)
    return Meant(op(kind, a, b), wanted)


_WHOLE_DIGITS = {"int2": 5, "int4": 10, "int8": 19}


def _digits(one: Meant) -> tuple[int, int] | None:
    """How many digits a value has at most, and how many of them behind the point; None where that is not known."""
    return (_WHOLE_DIGITS[one.type], 0) if one.type in _WHOLE_DIGITS else _digits_of(one.tree)


def _digits_of(tree: exp.Expr) -> tuple[int, int] | None:
    bare = tree.unnest()
    if isinstance(bare, exp.Literal) and not bare.is_string:
        before, _, behind = bare.name.partition(".")
        return len(before) + len(behind), len(behind)
    if isinstance(bare, exp.Add | exp.Sub):
        a, b = _digits_of(bare.this), _digits_of(bare.expression)
        scale = max(a[1], b[1]) if a and b else 0
        return (max(a[0] - a[1], b[0] - b[1]) + 1 + scale, scale) if a and b else None
    declared = _DECIMAL.fullmatch(str(bare.meta.get(ENGINE, "")))
    return (int(declared[1]), int(declared[2])) if declared else None


_DECIMAL = re.compile(r"DECIMAL\((\d+), ?(\d+)\)")


def _widened(left: Meant, right: Meant) -> exp.Expr:
    """The left factor with room for the product: the engine has 18 digits for one of factors that have them together."""
    a, b = _digits(left), _digits(right)
    if a is None or b is None or max(a[0], b[0]) > 18 or a[0] + b[0] <= 18 or a[1] + b[1] > 38:
        return left.tree
    return as_engine(left.tree, f"DECIMAL(38, {a[1]})")


def exact_over(left: exp.Expr, right: exp.Expr) -> exp.Expr:
    """A quotient of decimals, which the engine computes in double precision.

    One that has 13 digits at most is that, and not its neighbour: 41.15, and not 41.150000000000006.
    """

    def nearest(it: exp.Expr) -> exp.Expr:
        size = call("abs", it.copy())
        places = sub(num(12), as_engine(call("floor", call("log10", size)), "INTEGER"))
        short = call("round", it.copy(), places)
        apart = call("abs", sub(short, it.copy()))
        known = exp.Between(this=size.copy(), low=num("1e-290"), high=num("1e290"))
        close = op(exp.LTE, apart, mul(size.copy(), num("4.5e-16")))
        return case((known, case((close, short.copy()), default=it.copy())), default=it.copy())

    return once(over(left, right), nearest)


def power(base: exp.Expr, exponent: exp.Expr) -> exp.Expr:
    """A power, or PostgreSQL's error where it is none."""
    if isinstance(exponent.unnest(), exp.Literal) and exponent.unnest().name.isdigit():
        return call("pow", base, exponent)

    def tested(a: exp.Expr, b: exp.Expr) -> exp.Expr:
        low = exp.and_(op(exp.EQ, a.copy(), num(0)), op(exp.LT, b.copy(), num(0)), copy=False)
        part = op(exp.NEQ, call("floor", b.copy()), b.copy())
        unreal = exp.and_(op(exp.LT, a.copy(), num(0)), part, copy=False)
        return case(
            (low, error("2201F", "zero raised to a negative power is undefined")),
            (
                unreal,
                error("2201F", "a negative number raised to a non-integer power yields a complex result"),
            ),
            default=call("pow", a.copy(), b.copy()),
        )

    return once(base, lambda a: once(exponent, lambda b: tested(a, b)))


def unless_zero(write: Callable[[exp.Expr, exp.Expr], exp.Expr], left: exp.Expr, right: exp.Expr) -> exp.Expr:
    """PostgreSQL's error where the divisor is zero, and not null as the engine says."""
    if never_zero(right):
        return write(left, right)

    def tested(a: exp.Expr, b: exp.Expr) -> exp.Expr:
        zero, there = op(exp.EQ, b.copy(), num(0)), not_(is_null(a.copy()))
        return case(
            (exp.and_(zero, there, copy=False), error("22012", "division by zero")),
            default=write(a.copy(), b.copy()),
        )

    return once(left, lambda a: once(right, lambda b: tested(a, b)))


def never_zero(tree: exp.Expr) -> bool:
    """Whether a divisor cannot be zero: a number that is none, or `NULLIF(x, 0)`."""
    tree = tree.unnest()
    if isinstance(tree, exp.Cast):
        return never_zero(tree.this)
    if isinstance(tree, exp.Neg):
        return never_zero(tree.this)
    if isinstance(tree, exp.Literal):
        return not tree.is_string and float(tree.name) != 0
    return (
        isinstance(tree, exp.Nullif)
        and isinstance(tree.expression.unnest(), exp.Literal)
        and (tree.expression.unnest().name in ("0", "0.0", "0.00"))
    )


def _times(kind: type[exp.Expr], left: Meant, right: Meant, clock: Clock) -> Meant | None:  # noqa: PLR0911, PLR0912
    a, b = left.type, right.type
    if (
        kind is exp.Add
        and (b in kinds.MOMENTS or (b == "interval" and a in _RANK))
        and a not in kinds.MOMENTS
    ):
        left, right, a, b = right, left, b, a
    if kind is exp.Mul and b == "interval":
        left, right, a, b = right, left, b, a
    x, y = left.tree, right.tree
    if a == "date" and b in ("int2", "int4") and kind in (exp.Add, exp.Sub):
        return Meant(cast(op(kind, x, cast(y, "int4")), "date"), "date")
    if a == b == "date" and kind is exp.Sub:
        return Meant(cast(call("datediff", text("day"), y, x), "int4"), "int4")
    if b == "interval" and kind in (exp.Add, exp.Sub):
        if a in ("date", "timestamp"):
            return Meant(op(kind, cast(x, "timestamp") if a == "date" else x, y), "timestamp")
        if a == "timestamptz":
            local = op(kind, call("timezone", text(clock.zone), x), y)
            if clock.zone == "UTC":
                return Meant(call("timezone", text("UTC"), local), a)
            # Days and months pass on the wall's clock, hours in fact.
            return Meant(op(kind, x, y), a) if _is_short(y) else Meant(_in_zone(kind, x, y, clock), a)
        if a in ("interval", "time"):
            return Meant(op(kind, x, y), a)
    if a == "date" and b == "time" and kind is exp.Add:
        return Meant(op(exp.Add, x, y), "timestamp")
    if a in ("timestamp", "timestamptz") and b == "time" and kind in (exp.Add, exp.Sub):
        return _times(kind, left, Meant(becoming(right, "interval", clock), "interval"), clock)
    if kind is exp.Sub and a in kinds.MOMENTS and b in kinds.MOMENTS:
        wide = "timestamptz" if "timestamptz" in (a, b) else "timestamp"
        return Meant(op(exp.Sub, becoming(left, wide, clock), becoming(right, wide, clock)), "interval")
    if kind is exp.Sub and a == b == "time":
        return Meant(op(exp.Sub, *(becoming(one, "interval", clock) for one in (left, right))), "interval")
    if a == "interval" and b in _RANK and kind in (exp.Mul, exp.Div):
        return _scaled(kind, x, y)
    return None


def written_parts(tree: exp.Expr) -> tuple[int, int, int] | None:
    """Months, days and microseconds of an interval that is written down."""
    inner = tree.unnest()
    said = inner.this.name if isinstance(inner, exp.Cast) and isinstance(inner.this, exp.Literal) else ""
    return interval_parts(said) if said else None


def _is_short(tree: exp.Expr) -> bool:
    """Whether an interval is one of hours and less, as far as it is written down."""
    parts = written_parts(tree)
    return parts is not None and not parts[0] and not parts[1]


def _in_zone(kind: type[exp.Expr], x: exp.Expr, y: exp.Expr, clock: Clock) -> exp.Expr:
    long = add_months(y, days=True)
    local = call("timezone", text(clock.zone), op(kind, call("timezone", text(clock.zone), x), long))
    return op(kind, local, op(exp.Sub, y.copy(), long.copy()))


def _scaled(kind: type[exp.Expr], x: exp.Expr, y: exp.Expr) -> Meant | None:
    """A whole number of times; parts of months and days go down as PostgreSQL lets them."""
    if kind is exp.Mul:
        inner = y.unnest()
        if isinstance(inner, exp.Literal) and inner.name.isdigit():
            return Meant(op(exp.Mul, x, y), "interval")
        return Meant(op(exp.Mul, x, cast(y, "float8")), "interval")
    return Meant(op(exp.Div, x, cast(y, "float8")), "interval")


def joined(left: Meant, right: Meant, clock: Clock, at: exp.Expr) -> Meant:
    """`||`."""
    arrays = kinds.is_array(left.type), kinds.is_array(right.type)
    if all(arrays):
        return Meant(call("list_concat", left.tree, right.tree), left.type)
    if any(arrays):
        array, one = (left, right) if arrays[0] else (right, left)
        item = becoming(one, kinds.element(array.type), clock, at)
        pair = (array.tree, call("list_value", item))
        return Meant(call("list_concat", *(pair if arrays[0] else pair[::-1])), array.type)
    if "bytea" in (left.type, right.type) and {left.type, right.type} <= {"bytea", kinds.UNKNOWN}:
        return Meant(op(exp.DPipe, *sides(left, right, clock, at, exp.DPipe)), "bytea")
    texts = (*kinds.TEXTS, kinds.UNKNOWN, kinds.ANY)
    if left.type not in texts and right.type not in texts:
        raise refused(exp.DPipe, left.type, right.type, at)
    a, b = as_text(left, clock), as_text(right, clock)
    return Meant(op(exp.DPipe, a, b), "text")


def is_plain(tree: exp.Expr) -> bool:
    return is_atom(tree)
