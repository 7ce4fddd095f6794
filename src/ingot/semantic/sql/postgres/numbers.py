"""Functions over numbers."""

from functools import partial, reduce

from sqlglot import exp

from ingot.semantic.sql.errors import SqlError
from ingot.semantic.sql.postgres.calls import Call, function
from ingot.semantic.sql.postgres.operators import power, unless_zero
from ingot.semantic.sql.postgres.tree import (
    add,
    as_engine,
    call,
    case,
    cast,
    error,
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

_EACH = (
    "int2 -> int2 | int4 -> int4 | int8 -> int8 | numeric -> numeric | float4 -> float4 | float8 -> float8"
)
_FRACTION = "numeric -> numeric | float8 -> float8"

function("abs", _EACH)
function("ceil ceiling", _FRACTION, "ceil")
function("floor", _FRACTION)
function("sign", _FRACTION)
function("exp", _FRACTION)
function(
    "power pow",
    _FRACTION.replace("numeric ->", "numeric numeric ->").replace("float8 ->", "float8 float8 ->"),
    lambda c: power(*c.args),
)
function(
    "degrees radians sin cos tan cot asin acos atan sinh cosh tanh asinh acosh atanh", "float8 -> float8"
)
function("atan2", "float8 float8 -> float8")
function("gen_random_uuid", "-> uuid", volatile=True)
function("pi", "-> float8")
function("random", "-> float8", "random", volatile=True)
function("gcd lcm", "int4 int4 -> int4 | int8 int8 -> int8")
function("factorial", "int8 -> numeric", lambda c: call("factorial", cast(c.args[0], "int4")))


def _counted(c: Call) -> exp.Expr:
    """How many arguments are null, or are not."""
    ones = [
        case((is_null(one), num(int(c.name == "num_nulls"))), default=num(int(c.name != "num_nulls")))
        for one in c.args
    ]
    return cast(reduce(add, ones), "int4")


function("num_nulls num_nonnulls", "any any* -> int4", _counted)


def _checked(name: str, test: str, state: str, message: str) -> None:
    def write(c: Call) -> exp.Expr:
        x = c.args[0]
        kind = exp.LTE if test == "<=" else exp.LT
        bad = op(kind, x.copy(), num(0))
        return case((bad, error(state, message)), default=call(name, x))

    function(name, _FRACTION, write)


_checked("sqrt", "<", "2201F", "cannot take square root of a negative number")
_checked("ln", "<=", "2201E", "cannot take logarithm of zero or a negative number")


def _cbrt(c: Call) -> exp.Expr:
    """Exact where there is an exact root, which the engine misses by a hair."""

    def write(it: exp.Expr) -> exp.Expr:
        root = call("round", call("cbrt", it))
        cube = mul(mul(root, root.copy()), root.copy())
        return case((op(exp.EQ, cube, it.copy()), root.copy()), default=call("cbrt", it.copy()))

    return once(c.args[0], write)


function("cbrt", "float8 -> float8", _cbrt)


def _log(c: Call) -> exp.Expr:
    bad = [op(exp.LTE, one.copy(), num(0)) for one in c.args]
    message = error("2201E", "cannot take logarithm of zero or a negative number")
    return case((exp.or_(*bad, copy=False), message), default=call("log", *c.args))


function("log", "numeric -> numeric | float8 -> float8 | numeric numeric -> numeric", _log)
function("log10", "numeric -> numeric | float8 -> float8", _log)


def _round(c: Call) -> exp.Expr:
    """Halves away from zero where numbers are numeric, to even where they are double precision."""
    if c.types[0] == "float8":
        return call("round_even", c.args[0], num(0))
    return rounded(c.args[0], c.given[0].type, 0)


def rounded(tree: exp.Expr, kind: str, places: int) -> exp.Expr:
    """A numeric with so many places."""
    if kind in ("int2", "int4", "int8") or isinstance(tree, exp.Literal):
        return call("round", tree, num(places))

    def write(it: exp.Expr) -> exp.Expr:
        exact = exp.TryCast(
            this=as_engine(it.copy(), "VARCHAR"),
            to=exp.DataType.build(f"DECIMAL(38, {max(places, 0)})", dialect="duckdb"),
        )
        plain = call("round", it.copy(), num(places))
        if not 0 <= places <= 18:
            return plain
        double = op(exp.EQ, call("typeof", it), text("DOUBLE"))
        return case((double, call("coalesce", exact, plain)), default=plain.copy())

    return once(tree, write)


def _round_to(c: Call) -> exp.Expr:
    places = c.whole(1)
    if places is None:
        raise SqlError("round() takes a number of places that is written down.", at=c.at, sqlstate="0A000")
    if abs(places) > 30:
        return call("round", c.args[0], c.args[1])
    return rounded(c.args[0], c.given[0].type, places)


function("round", "numeric -> numeric | float8 -> float8", _round)
_ROUND_TO = "numeric int4 -> numeric"


def _rounding(c: Call) -> exp.Expr:
    return _round(c) if len(c.args) == 1 else _round_to(c)


function("round", f"numeric -> numeric | float8 -> float8 | {_ROUND_TO}", _rounding)


def _trunc(c: Call) -> exp.Expr:
    if len(c.args) == 1:
        return call("trunc", c.args[0])
    places = c.whole(1)
    if places is None or not 0 <= places <= 18:
        scale = call("pow", num(10), c.args[1])
        return over(call("trunc", mul(c.args[0], scale)), scale.copy())
    if c.given[0].type in ("int2", "int4", "int8"):
        return c.args[0]

    def write(it: exp.Expr) -> exp.Expr:
        # Digits are cut off the text, so that 0.29 does not become 0.28.
        cut = call(
            "regexp_replace", as_engine(it.copy(), "VARCHAR"), text(rf"(\.\d{{{places}}})\d+$"), text(r"\1")
        )
        if places == 0:
            cut = call("regexp_replace", as_engine(it.copy(), "VARCHAR"), text(r"\.\d+$"), text(""))
        return exp.TryCast(this=cut, to=exp.DataType.build(f"DECIMAL(38, {places})", dialect="duckdb"))

    return once(c.args[0], write)


function("trunc", f"numeric -> numeric | float8 -> float8 | {_ROUND_TO}", _trunc)


def _remainder(c: Call) -> exp.Expr:
    return unless_zero(partial(op, exp.Mod), *c.args)


function(
    "mod",
    "int2 int2 -> int2 | int4 int4 -> int4 | int8 int8 -> int8 | numeric numeric -> numeric",
    _remainder,
)


def _div(c: Call) -> exp.Expr:
    given = {one.type for one in c.given}
    if given <= {"int2", "int4", "int8"}:
        return unless_zero(whole, *c.args)
    return unless_zero(lambda a, b: call("trunc", over(a, b)), *c.args)


function("div", "numeric numeric -> numeric", _div)


def _bucket(c: Call) -> exp.Expr:
    """The bucket of a histogram; outside of it 0 and one more than there are."""
    x, low, high, count = c.args
    size = cast(count, "float8")
    up = add(
        cast(
            call(
                "floor",
                over(
                    mul(sub(cast(x.copy(), "float8"), cast(low.copy(), "float8")), size),
                    sub(cast(high.copy(), "float8"), cast(low.copy(), "float8")),
                ),
            ),
            "int4",
        ),
        num(1),
    )
    down = add(
        cast(
            call(
                "floor",
                over(
                    mul(sub(cast(low.copy(), "float8"), cast(x.copy(), "float8")), size.copy()),
                    sub(cast(low.copy(), "float8"), cast(high.copy(), "float8")),
                ),
            ),
            "int4",
        ),
        num(1),
    )
    over_high = add(cast(count.copy(), "int4"), num(1))
    return case(
        (exp.or_(*(is_null(one.copy()) for one in c.args), copy=False), exp.null()),
        (op(exp.LTE, count.copy(), num(0)), error("2201G", "count must be greater than zero")),
        (op(exp.EQ, low.copy(), high.copy()), error("2201G", "lower bound cannot equal upper bound")),
        (exp.and_(op(exp.LT, low.copy(), high.copy()), op(exp.LT, x.copy(), low.copy()), copy=False), num(0)),
        (
            exp.and_(op(exp.LT, low.copy(), high.copy()), op(exp.GTE, x.copy(), high.copy()), copy=False),
            over_high,
        ),
        (op(exp.LT, low.copy(), high.copy()), up),
        (op(exp.GT, x.copy(), low.copy()), num(0)),
        (op(exp.LTE, x.copy(), high.copy()), over_high.copy()),
        default=down,
    )


def _among(c: Call) -> exp.Expr:
    """How many of the bounds, which rise, a value has reached."""
    low = op(exp.LTE, exp.column("el"), c.args[0])
    reached = call("list_filter", c.args[1], exp.Lambda(this=low, expressions=[exp.to_identifier("el")]))
    unknown = is_null(c.args[0].copy())
    return case((unknown, exp.null()), default=cast(call("len", reached), "int4"))


def _buckets(c: Call) -> exp.Expr:
    return _among(c) if len(c.args) == 2 else _bucket(c)


function(
    "width_bucket",
    "numeric numeric numeric int4 -> int4 | float8 float8 float8 int4 -> int4 | any array -> int4",
    _buckets,
)
