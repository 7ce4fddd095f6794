"""Functions over intervals."""

from sqlglot import exp

from ingot.semantic.sql.postgres.calls import Call, function
from ingot.semantic.sql.postgres.casts import add_months
from ingot.semantic.sql.postgres.tree import (
    add,
    as_engine,
    call,
    case,
    mul,
    num,
    once,
    op,
    sub,
    text,
    whole,
)

_DAY = 86_400_000_000


def _justified(c: Call) -> exp.Expr:
    def write(it: exp.Expr) -> exp.Expr:
        months = add(
            mul(call("datepart", text("year"), it), num(12)), call("datepart", text("month"), it.copy())
        )
        days: exp.Expr = call("datepart", text("day"), it.copy())
        micros: exp.Expr = call("epoch_us", op(exp.Sub, it.copy(), add_months(it, days=True)))
        if c.name == "justify_interval":
            days, micros = add(days, whole(micros, num(_DAY))), op(exp.Mod, micros.copy(), num(_DAY))
            months, days = add(months, whole(days, num(30))), op(exp.Mod, days.copy(), num(30))
            below = op(exp.LT, add(mul(days.copy(), num(_DAY)), micros.copy()), num(0))
            above = op(exp.GT, add(mul(days.copy(), num(_DAY)), micros.copy()), num(0))
            down = exp.and_(op(exp.GT, months.copy(), num(0)), below, copy=False)
            up = exp.and_(op(exp.LT, months.copy(), num(0)), above, copy=False)
            moved = case((down, num(1)), (up, num(-1)), default=num(0))
            months, days = sub(months, moved), add(days, mul(moved.copy(), num(30)))
            days, micros = _signs(days, micros, _DAY)
        elif c.name == "justify_hours":
            days, micros = add(days, whole(micros, num(_DAY))), op(exp.Mod, micros.copy(), num(_DAY))
            days, micros = _signs(days, micros, _DAY)
        else:
            months, days = add(months, whole(days, num(30))), op(exp.Mod, days.copy(), num(30))
            months, days = _signs(months, days, 30)
        return op(
            exp.Add,
            op(
                exp.Add,
                call("to_months", as_engine(months, "INTEGER")),
                call("to_days", as_engine(days, "INTEGER")),
            ),
            call("to_microseconds", as_engine(micros, "BIGINT")),
        )

    return once(c.args[0], write)


def _signs(large: exp.Expr, small: exp.Expr, size: int) -> tuple[exp.Expr, exp.Expr]:
    """Both with the sign of the larger part."""
    up = exp.and_(op(exp.GT, large, num(0)), op(exp.LT, small, num(0)), copy=True)
    down = exp.and_(op(exp.LT, large, num(0)), op(exp.GT, small, num(0)), copy=True)
    return (
        case((up, sub(large.copy(), num(1))), (down, add(large.copy(), num(1))), default=large.copy()),
        case(
            (up.copy(), add(small.copy(), num(size))),
            (down.copy(), sub(small.copy(), num(size))),
            default=small.copy(),
        ),
    )


function("justify_hours justify_days justify_interval", "interval -> interval", _justified)


def _made(c: Call) -> exp.Expr:
    years, months, weeks, days, hours, minutes, seconds = c.args
    whole_months = as_engine(add(mul(years, num(12)), months), "INTEGER")
    whole_days = as_engine(add(mul(weeks, num(7)), days), "INTEGER")
    passed = add(mul(as_engine(hours, "BIGINT"), num(3600)), mul(as_engine(minutes, "BIGINT"), num(60)))
    micros = add(mul(passed, num(1_000_000)), call("round", mul(seconds, num(1_000_000))))
    made = add(call("to_months", whole_months), call("to_days", whole_days))
    return add(made, call("to_microseconds", as_engine(micros, "BIGINT")))


function("make_interval", "int4 int4 int4 int4 int4 int4 float8 -> interval", _made)
