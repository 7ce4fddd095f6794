"""Functions that are tables of one column: `generate_series(1, 5)` and `unnest(array)`."""

from sqlglot import exp

from ingot.semantic.sql.errors import SqlError, shown
from ingot.semantic.sql.postgres import kinds, operators
from ingot.semantic.sql.postgres.calls import Meant
from ingot.semantic.sql.postgres.casts import becoming
from ingot.semantic.sql.postgres.input import Clock
from ingot.semantic.sql.postgres.tree import (
    add,
    as_engine,
    call,
    case,
    cast,
    error,
    mul,
    num,
    op,
    over,
    sub,
    text,
    whole,
)

MOST = 10_000_000
"""Values of a series."""


def function(node: exp.Expr) -> str:
    """The name of the function that stands in FROM. Raises `SqlError` for one that is no table."""
    if isinstance(node, exp.Unnest):
        return "unnest"
    name = ""
    if isinstance(node, exp.Anonymous):
        name = node.this.name if isinstance(node.this, exp.Identifier) else str(node.this).lower()
    if name not in ("unnest", "generate_series"):
        raise SqlError(
            f"The function {shown(name)}() cannot be a table here."
            if name
            else "Functions cannot be tables here.",
            at=node,
            sqlstate="0A000",
        )
    return name


def listed(name: str, given: list[Meant], clock: Clock, at: exp.Expr) -> tuple[exp.Expr, str]:
    """The values of such a call as a list of the engine, and their type. Raises `SqlError`."""
    if name == "generate_series":
        return _generated(given, clock, at)
    if len(given) != 1:
        raise SqlError("unnest() takes one array here.", at=at, sqlstate="0A000")
    if not kinds.is_array(given[0].type):
        raise SqlError(
            f"function unnest({kinds.spoken(given[0].type)}) does not exist", at=at, sqlstate="42883"
        )
    return given[0].tree, kinds.element(given[0].type)


def places(lists: list[exp.Expr]) -> exp.Expr:
    """The numbers of the rows that lists make side by side, from 1."""
    sizes = [call("coalesce", call("len", one.copy()), num(0)) for one in lists]
    longest = call("greatest", *sizes) if len(sizes) > 1 else sizes[0]
    return call("range", num(1), add(longest, num(1)))


def _generated(given: list[Meant], clock: Clock, at: exp.Expr) -> tuple[exp.Expr, str]:
    if len(given) not in (2, 3):
        raise SqlError("generate_series() takes two or three values.", at=at, sqlstate="42883")
    numbers = kinds.common([one.type for one in given])
    if numbers in kinds.WHOLE:
        return _numbers(given, "int8" if numbers == "int8" else "int4", at)
    if numbers == "numeric":
        return _fractions(given), "numeric"
    moment = kinds.common([given[0].type, given[1].type])
    if (
        len(given) != 3
        or moment not in (*kinds.MOMENTS, "text")
        or given[2].type not in (kinds.UNKNOWN, "interval")
    ):
        said = ", ".join(kinds.spoken(one.type) for one in given)
        raise SqlError(f"function generate_series({said}) does not exist", at=at, sqlstate="42883")
    kind = "timestamptz" if moment != "timestamp" else "timestamp"
    low, high = (becoming(one, kind, clock, at) for one in given[:2])
    step = becoming(given[2], "interval", clock, at)
    if kind == "timestamptz" and clock.zone != "UTC":
        return _in_zone(low, high, step, clock, at), kind
    return _moments(low, high, step), kind


def _moments(low: exp.Expr, high: exp.Expr, step: exp.Expr) -> exp.Expr:
    apart = over(
        sub(call("epoch", high.copy()), call("epoch", low.copy())),
        call("nullif", call("epoch", step.copy()), exp.Literal.number(0)),
    )
    return _few(apart, call("generate_series", low, high, step), step)


def _in_zone(low: exp.Expr, high: exp.Expr, step: exp.Expr, clock: Clock, at: exp.Expr) -> exp.Expr:
    """Days and months pass on the wall's clock, hours in fact."""
    parts = operators.written_parts(step)
    if parts is None or (parts[2] and (parts[0] or parts[1])):
        raise SqlError(
            "generate_series() of timestamps with a zone takes a step of days or of hours that is written down here.",
            at=at,
            sqlstate="0A000",
        )
    if parts[2]:
        return _moments(low, high, step)
    zone = text(clock.zone)
    local = _moments(call("timezone", zone, low), call("timezone", zone.copy(), high), step)
    back = call("timezone", zone.copy(), exp.column("el"))
    return call("list_transform", local, exp.Lambda(this=back, expressions=[exp.to_identifier("el")]))


def _fractions(given: list[Meant]) -> exp.Expr:
    low, high = (one.tree for one in given[:2])
    step = given[2].tree if len(given) == 3 else num(1)
    apart = over(sub(high, low.copy()), call("nullif", step.copy(), num(0)))
    count = as_engine(call("floor", add(apart, exp.Literal.number("0.000000001"))), "BIGINT")
    each = add(low.copy(), mul(exp.column("el"), step.copy()))
    made = call(
        "list_transform",
        call("generate_series", num(0), count),
        exp.Lambda(this=each, expressions=[exp.to_identifier("el")]),
    )
    return _few(apart.copy(), made, step)


def _numbers(given: list[Meant], kind: str, at: exp.Expr) -> tuple[exp.Expr, str]:
    known = [int(one.number) for one in given if one.number is not None]
    if len(known) == len(given) == 2 and known[1] - known[0] > MOST:
        raise SqlError(f"a series has {MOST:,} values at most here", at=at, sqlstate="54000")
    first, last = (cast(one.tree, "int8") for one in given[:2])
    step: exp.Expr = cast(given[2].tree, "int8") if len(given) == 3 else exp.Literal.number(1)
    apart = whole(sub(last.copy(), first.copy()), call("nullif", step.copy(), exp.Literal.number(0)))
    return _few(apart, cast(call("generate_series", first, last, step), f"{kind}[]"), step), kind


def _few(apart: exp.Expr, values: exp.Expr, step: exp.Expr) -> exp.Expr:
    """A series, unless it would fill the memory."""
    much = op(exp.GT, apart, exp.Literal.number(MOST))
    wrong = error("22023", "step size cannot equal zero")
    still = op(exp.EQ, step.copy(), num(0) if not _is_span(step) else cast(text("0 days"), "interval"))
    return case(
        (still, wrong),
        (much, error("54000", f"a series has {MOST:,} values at most here")),
        default=values,
    )


def _is_span(step: exp.Expr) -> bool:
    return isinstance(step, exp.Cast) and step.to.is_type(exp.DataType.Type.INTERVAL)
