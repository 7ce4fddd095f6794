"""Functions over dates and times."""

import re

from sqlglot import exp

from ingot.errors import did_you_mean
from ingot.semantic.sql.errors import SqlError, shown
from ingot.semantic.sql.postgres import input as texts
from ingot.semantic.sql.postgres.calls import Call, Meant, function
from ingot.semantic.sql.postgres.casts import add_months, sized
from ingot.semantic.sql.postgres.tree import (
    add,
    as_engine,
    call,
    case,
    cast,
    error,
    is_null,
    mul,
    not_,
    num,
    once,
    op,
    over,
    sub,
    text,
    whole,
)

UNITS = (
    "microseconds", "milliseconds", "second", "minute", "hour", "day", "week", "month", "quarter", "year", "decade",
    "century", "millennium",
)  # fmt: skip
_SPELLED = {
    "microsecond": "microseconds", "us": "microseconds", "usec": "microseconds", "millisecond": "milliseconds",
    "ms": "milliseconds", "msec": "milliseconds", "seconds": "second", "sec": "second", "s": "second",
    "minutes": "minute", "min": "minute", "mins": "minute", "m": "minute", "hours": "hour", "h": "hour", "hr": "hour",
    "days": "day", "d": "day", "weeks": "week", "w": "week", "months": "month", "mon": "month", "mons": "month",
    "qtr": "quarter", "years": "year", "y": "year", "yr": "year", "yrs": "year", "decades": "decade", "dec": "decade",
    "centuries": "century", "c": "century", "millennia": "millennium", "mil": "millennium",
}  # fmt: skip
PARTS = (
    *UNITS,
    "dow",
    "isodow",
    "doy",
    "epoch",
    "isoyear",
    "julian",
    "timezone",
    "timezone_hour",
    "timezone_minute",
)
_DAY = 86_400_000_000


def unit(said: str, known: tuple[str, ...], at: exp.Expr, kind: str) -> str:
    """The name of a unit or part."""
    name = said.strip().lower()
    name = _SPELLED.get(name, name)
    if name not in known:
        raise SqlError(
            f'unit "{shown(said)}" not recognized for type {kind}{did_you_mean(said, known)}',
            at=at,
            sqlstate="22023",
        )
    return name


# -- now ---------------------------------------------------------------------------------------------------


def _now(c: Call) -> Meant:
    c.writing.volatile = True
    return Meant(texts.instant(c.writing.clock.now), "timestamptz")


for _name in ("now", "transaction_timestamp", "statement_timestamp", "clock_timestamp"):
    function(_name, "-> timestamptz", _now)


def _current(c: Call) -> Meant:
    made = _now(c)
    if (places := c.whole(0) if c.given else None) is not None:
        return Meant(sized(made.tree, "timestamptz", (places,), "timestamptz"), made.type)
    return made


function("current_timestamp", "-> timestamptz | int4 -> timestamptz", _current)


def _local(c: Call) -> Meant:
    c.writing.volatile = True
    now = texts.value(c.writing.clock.local.isoformat(sep=" "), "timestamp", c.writing.clock)
    places = c.whole(0) if c.given else None
    return Meant(now if places is None else sized(now, "timestamp", (places,), "timestamp"), "timestamp")


function("localtimestamp", "-> timestamp | int4 -> timestamp", _local)


def _wall(c: Call) -> Meant:
    return Meant(cast(_local(c).tree, "time"), "time")


function("localtime", "-> time | int4 -> time", _wall)


def _today(c: Call) -> Meant:
    c.writing.volatile = True
    return Meant(texts.value(c.writing.clock.local.date().isoformat(), "date", c.writing.clock), "date")


function("current_date", "-> date", _today)

# -- truncation --------------------------------------------------------------------------------------------


def truncated(name: str, it: exp.Expr) -> exp.Expr:
    """A timestamp without a zone, cut to a unit."""
    if name in ("decade", "century", "millennium"):
        size = {"decade": 10, "century": 100, "millennium": 1000}[name]
        first = 0 if name == "decade" else 1
        year = call("year", it)
        start = add(mul(whole(sub(year, num(first)), num(size)), num(size)), num(first))
        made = call("make_timestamp", start, num(1), num(1), num(0), num(0), exp.Literal.number("0.0"))
        return case((is_null(it.copy()), exp.null()), default=made)
    return exp.TimestampTrunc(this=it, unit=exp.var(name.upper()))


def _trunc(c: Call) -> Meant:
    kind = c.types[1]
    name = unit(
        c.said(0, "the unit"), UNITS, c.at, "timestamp without time zone" if kind == "timestamp" else kind
    )
    if kind == "interval":
        return Meant(_trunc_interval(name, c), "interval")
    if kind == "timestamp":
        return Meant(
            once(
                c.args[1],
                lambda it: (
                    call("date_trunc", text(name), it)
                    if name not in ("decade", "century", "millennium")
                    else truncated(name, it)
                ),
            ),
            kind,
        )
    zone = texts.zone_name(c.said(2, "the zone"), c.at) if len(c.args) > 2 else c.writing.clock.zone
    local = call("timezone", text(zone), c.args[1])
    cut = once(
        local,
        lambda it: (
            call("date_trunc", text(name), it)
            if name not in ("decade", "century", "millennium")
            else truncated(name, it)
        ),
    )
    return Meant(call("timezone", text(zone), cut), "timestamptz")


def _trunc_interval(name: str, c: Call) -> exp.Expr:
    def write(it: exp.Expr) -> exp.Expr:
        if name == "week":
            raise SqlError('unit "week" not supported for type interval', at=c.at, sqlstate="0A000")
        months = add(
            mul(call("datepart", text("year"), it), num(12)), call("datepart", text("month"), it.copy())
        )
        sizes = {"month": 1, "quarter": 3, "year": 12, "decade": 120, "century": 1200, "millennium": 12000}
        if name in sizes:
            size = num(sizes[name])
            return call("to_months", as_engine(mul(whole(months, size), size.copy()), "INTEGER"))
        if name == "day":
            return add_months(it, days=True)
        micros = {
            "hour": 3_600_000_000,
            "minute": 60_000_000,
            "second": 1_000_000,
            "milliseconds": 1000,
            "microseconds": 1,
        }[name]
        long = add_months(it, days=True)
        passed = call("epoch_us", op(exp.Sub, it.copy(), long))
        return op(exp.Add, long.copy(), call("to_microseconds", mul(whole(passed, num(micros)), num(micros))))

    return once(c.args[1], write)


function(
    "date_trunc",
    "text timestamptz -> timestamptz | text timestamp -> timestamp | text interval -> interval | text timestamptz text -> timestamptz",
    _trunc,
)


def _bin(c: Call) -> exp.Expr:
    said = c.given[0].literal
    if said is None:
        inner = c.given[0].tree.unnest()
        said = (
            inner.this.name if isinstance(inner, exp.Cast) and isinstance(inner.this, exp.Literal) else None
        )
    parts = texts.interval_parts(said) if said is not None else None
    if parts is None:
        raise SqlError("date_bin() takes an interval that is written down.", at=c.at, sqlstate="0A000")
    if parts[0]:
        raise SqlError(
            "timestamps cannot be binned into intervals containing months or years", at=c.at, sqlstate="0A000"
        )
    size = parts[1] * _DAY + parts[2]
    if size <= 0:
        raise SqlError("stride must be greater than zero", at=c.at, sqlstate="22008")
    zoned = c.types[1] == "timestamptz"
    x, origin = (call("timezone", text("UTC"), one) if zoned else one for one in c.args[1:3])
    apart = sub(call("epoch_us", x), call("epoch_us", origin))
    # Before the origin a bin begins earlier, too.
    rest = op(exp.Mod, add(op(exp.Mod, apart, num(size)), num(size)), num(size))
    made = op(exp.Sub, x.copy(), call("to_microseconds", rest))
    return call("timezone", text("UTC"), made) if zoned else made


function(
    "date_bin",
    "interval timestamp timestamp -> timestamp | interval timestamptz timestamptz -> timestamptz",
    _bin,
)

# -- parts -------------------------------------------------------------------------------------------------


def part(name: str, it: exp.Expr) -> exp.Expr:  # noqa: PLR0911 - one for each
    """A part of a timestamp without a zone, as a number."""
    if name == "second":
        return over(call("datepart", text("microsecond"), it), exp.Literal.number("1000000.0"))
    if name == "milliseconds":
        return over(call("datepart", text("microsecond"), it), exp.Literal.number("1000.0"))
    if name == "microseconds":
        return call("datepart", text("microsecond"), it)
    if name == "epoch":
        return over(call("epoch_us", it), exp.Literal.number("1000000.0"))
    if name in ("century", "millennium"):
        size = 100 if name == "century" else 1000
        return whole(add(call("year", it), num(size - 1)), num(size))
    if name == "decade":
        return whole(call("year", it), num(10))
    if name == "julian":
        return call("julian", it)
    return call("datepart", text(name), it)


_OF_DATES = frozenset(PARTS) - {
    "microseconds",
    "milliseconds",
    "second",
    "minute",
    "hour",
    "timezone",
    "timezone_hour",
    "timezone_minute",
}
_OF_INTERVALS = (
    "microseconds",
    "milliseconds",
    "second",
    "minute",
    "hour",
    "day",
    "month",
    "quarter",
    "year",
    "decade",
    "century",
    "millennium",
    "epoch",
)


def _extracted(c: Call) -> Meant:
    given = c.given[1].type
    kind = "date" if given == "date" and c.name == "extract" else c.types[1]
    name = unit(c.said(0, "the part"), PARTS, c.at, kind)
    gives = "float8" if c.name == "date_part" else "numeric"
    if kind == "date" and name not in _OF_DATES:
        raise SqlError(f'unit "{name}" not supported for type date', at=c.at, sqlstate="0A000")
    if kind == "interval":
        if name not in _OF_INTERVALS:
            raise SqlError(f'unit "{name}" not supported for type interval', at=c.at, sqlstate="0A000")
        return Meant(_typed(once(c.args[1], lambda it: _of_interval(name, it)), gives), gives)
    if kind == "time":
        if name not in ("hour", "minute", "second", "milliseconds", "microseconds", "epoch"):
            raise SqlError(
                f'unit "{name}" not supported for type time without time zone', at=c.at, sqlstate="0A000"
            )
        moment = op(exp.Add, cast(text("1970-01-01"), "date"), c.args[1])
        return Meant(_typed(part(name, moment), gives), gives)
    tree = c.args[1]
    if name.startswith("timezone"):
        if kind != "timestamptz":
            raise SqlError(
                f'unit "{name}" not supported for type timestamp without time zone', at=c.at, sqlstate="0A000"
            )
        east = sub(
            call("epoch_us", call("timezone", text(c.writing.clock.zone), tree)),
            call("epoch_us", call("timezone", text("UTC"), tree.copy())),
        )
        seconds = whole(east, num(1_000_000))
        if name != "timezone":
            hours = whole(seconds, num(3600))
            seconds = hours if name == "timezone_hour" else whole(op(exp.Mod, seconds, num(3600)), num(60))
        return Meant(_typed(seconds, gives), gives)
    if kind == "timestamptz":
        if name == "epoch":
            tree = call("timezone", text("UTC"), tree)
        else:
            tree = call("timezone", text(c.writing.clock.zone), tree)
    elif kind == "date":
        tree = cast(tree, "timestamp")
    return Meant(_typed(part(name, tree), gives), gives)


def _typed(tree: exp.Expr, gives: str) -> exp.Expr:
    return cast(tree, "float8") if gives == "float8" else tree


def _of_interval(name: str, it: exp.Expr) -> exp.Expr:  # noqa: PLR0911 - one for each
    def micros() -> exp.Expr:
        return call("epoch_us", op(exp.Sub, it.copy(), add_months(it, days=True)))

    def months() -> exp.Expr:
        return add(
            mul(call("datepart", text("year"), it.copy()), num(12)),
            call("datepart", text("month"), it.copy()),
        )

    if name == "hour":
        return whole(micros(), num(3_600_000_000))
    if name == "minute":
        return op(exp.Mod, whole(micros(), num(60_000_000)), num(60))
    if name in ("second", "milliseconds", "microseconds"):
        rest = op(exp.Mod, micros(), num(60_000_000))
        return (
            rest
            if name == "microseconds"
            else over(rest, exp.Literal.number("1000000.0" if name == "second" else "1000.0"))
        )
    if name == "day":
        return call("datepart", text("day"), it)
    if name == "month":
        return op(exp.Mod, months(), num(12))
    if name == "quarter":
        return add(whole(op(exp.Mod, months(), num(12)), num(3)), num(1))
    sizes = {"year": 12, "decade": 120, "century": 1200, "millennium": 12000}
    if name in sizes:
        return whole(months(), num(sizes[name]))
    # PostgreSQL counts a year as 365.25 days and a month as 30.
    years = mul(whole(months(), num(12)), num(31_557_600))
    rest = mul(op(exp.Mod, months(), num(12)), num(2_592_000))
    days = mul(call("datepart", text("day"), it.copy()), num(86_400))
    return add(add(add(years, rest), days), over(micros(), exp.Literal.number("1000000.0")))


function(
    "extract date_part",
    "text timestamp -> numeric | text timestamptz -> numeric | text date -> numeric | text interval -> numeric | text time -> numeric",
    _extracted,
)

# -- made of parts, and between zones ----------------------------------------------------------------------


def _age(c: Call) -> exp.Expr:
    zone = text(c.writing.clock.zone)
    zoned = c.types[0] == "timestamptz"
    values = [call("timezone", zone.copy(), one) if zoned else one for one in c.args]
    if len(values) == 1:
        c.writing.volatile = True
        today = texts.value(c.writing.clock.local.date().isoformat(), "timestamp", c.writing.clock)
        values = [today, *values]
    return once(values[0], lambda a: once(values[1], lambda b: _difference(a, b)))


def _difference(a: exp.Expr, b: exp.Expr) -> exp.Expr:
    """Years, months, days and the time between, counted as PostgreSQL borrows: days of the earlier one's month."""
    later = case((op(exp.GTE, a.copy(), b.copy()), a.copy()), default=b.copy())
    early = case((op(exp.GTE, a.copy(), b.copy()), b.copy()), default=a.copy())

    def at(tree: exp.Expr, name: str) -> exp.Expr:
        return call("datepart", text(name), tree.copy())

    def clock(tree: exp.Expr) -> exp.Expr:
        return sub(
            call("epoch_us", tree.copy()), call("epoch_us", call("date_trunc", text("day"), tree.copy()))
        )

    micros = sub(clock(later), clock(early))
    short = case((op(exp.LT, micros, num(0)), num(1)), default=num(0))
    time = add(micros.copy(), mul(short, num(_DAY)))
    days = sub(sub(at(later, "day"), at(early, "day")), short.copy())
    few = case((op(exp.LT, days, num(0)), num(1)), default=num(0))
    length = at(call("last_day", early), "day")
    whole_days = add(days.copy(), mul(few, length))
    months = sub(
        sub(
            add(mul(at(later, "year"), num(12)), at(later, "month")),
            add(mul(at(early, "year"), num(12)), at(early, "month")),
        ),
        few.copy(),
    )
    made = op(
        exp.Add,
        op(
            exp.Add,
            call("to_months", as_engine(months, "INTEGER")),
            call("to_days", as_engine(whole_days, "INTEGER")),
        ),
        call("to_microseconds", as_engine(time, "BIGINT")),
    )
    return case(
        (exp.or_(is_null(a.copy()), is_null(b.copy()), copy=False), exp.null()),
        (op(exp.GTE, a.copy(), b.copy()), made),
        default=exp.Paren(this=exp.Neg(this=made.copy())),
    )


function(
    "age",
    "timestamptz -> interval | timestamp -> interval | timestamptz timestamptz -> interval | timestamp timestamp -> interval",
    _age,
)


def _zone(c: Call) -> exp.Expr:
    utc = text("UTC")
    if c.types[0] == "interval":
        east: exp.Expr = c.args[0]
    else:
        said = c.said(0, "the zone")
        offset = _OFFSET.fullmatch(said.strip())
        if offset is None:
            return call("timezone", text(texts.zone_name(said, c.at)), c.args[1])
        minutes = int(offset[2]) * 60 + int(offset[3] or 0)
        # A bare offset is one of POSIX: what is positive lies west.
        east = texts.span(0, 0, (minutes if offset[1] == "-" else -minutes) * 60_000_000)
    if c.types[1] == "timestamp":
        return call("timezone", utc, sub(c.args[1], east))
    return add(call("timezone", utc, c.args[1]), east)


_OFFSET = re.compile(r"([+-]?)(\d{1,2})(?::?(\d\d))?")
function(
    "timezone",
    "text timestamp -> timestamptz | text timestamptz -> timestamp | interval timestamp -> timestamptz"
    " | interval timestamptz -> timestamp",
    _zone,
)


def _make_date(c: Call) -> exp.Expr:
    made = call("try", call("make_date", *c.args))
    known = exp.and_(*(not_(is_null(one.copy())) for one in c.args), copy=False)
    return case(
        (op(exp.LT, c.args[0].copy(), num(1)), error("0A000", "years before 1 cannot be made here")),
        (exp.and_(known, is_null(made), copy=False), error("22008", "date field value out of range")),
        default=made.copy(),
    )


function("make_date", "int4 int4 int4 -> date", _make_date)
function("make_timestamp", "int4 int4 int4 int4 int4 float8 -> timestamp")
function("make_time", "int4 int4 float8 -> time")
function("isfinite", "date -> bool | timestamp -> bool | timestamptz -> bool")


def _make_timestamptz(c: Call) -> exp.Expr:
    zone = texts.zone_name(c.said(6, "the zone"), c.at) if len(c.args) > 6 else c.writing.clock.zone
    return call("timezone", text(zone), call("make_timestamp", *c.args[:6]))


function(
    "make_timestamptz",
    "int4 int4 int4 int4 int4 float8 -> timestamptz | int4 int4 int4 int4 int4 float8 text -> timestamptz",
    _make_timestamptz,
)
