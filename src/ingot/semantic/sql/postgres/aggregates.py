"""Aggregates, and what stands around them: FILTER, OVER, WITHIN GROUP."""

from collections.abc import Callable

from sqlglot import exp

from ingot.semantic.sql.errors import SqlError
from ingot.semantic.sql.postgres import kinds
from ingot.semantic.sql.postgres.calls import Call, Meant, Write, aggregate
from ingot.semantic.sql.postgres.casts import add_months, becoming
from ingot.semantic.sql.postgres.input import Clock
from ingot.semantic.sql.postgres.tree import add, as_engine, call, cast, mul, num, op, over, sub, text

TAKES = "pg_takes"
"""In the `meta` of the engine's aggregate inside of what computes with it."""


def marked(name: str, *args: exp.Expr) -> exp.Anonymous:
    """An aggregate of the engine, which DISTINCT, ORDER BY, FILTER and OVER belong to."""
    made = call(name, *args)
    made.meta[TAKES] = True
    return made


def _plain(engine_name: str, to: str | None = None) -> Write:
    def write(c: Call) -> exp.Expr:
        made = marked(engine_name, *c.args)
        return as_engine(made, to) if to else made

    return write


def _spans(one: exp.Expr) -> exp.Expr:
    """The sum of intervals: of their months, days and microseconds."""
    months = add(
        mul(call("datepart", text("year"), one), num(12)), call("datepart", text("month"), one.copy())
    )
    days = call("datepart", text("day"), one.copy())
    micros = call("epoch_us", sub(one.copy(), add_months(one, days=True)))
    return add(
        add(
            call("to_months", as_engine(marked("sum", months), "INTEGER")),
            call("to_days", as_engine(marked("sum", days), "INTEGER")),
        ),
        call("to_microseconds", as_engine(marked("sum", micros), "BIGINT")),
    )


def _sum(c: Call) -> exp.Expr:
    """The sum of short integers is an integer, that of long ones numeric."""
    if c.types[0] == "interval":
        return _spans(c.args[0])
    made = marked("sum", *c.args)
    return cast(made, "int8") if c.types[0] in ("int2", "int4") else made


def _avg(c: Call) -> exp.Expr:
    if c.types[0] != "interval":
        return marked("avg", *c.args)
    count = marked("count", c.args[0].copy())
    return over(_spans(c.args[0]), cast(call("nullif", count, num(0)), "float8"))


aggregate(
    "sum",
    "int2 -> int8 | int4 -> int8 | int8 -> numeric | numeric -> numeric | float4 -> float4 | float8 -> float8 | interval -> interval",
    _sum,
)
aggregate(
    "avg",
    "int2 -> numeric | int4 -> numeric | int8 -> numeric | numeric -> numeric | float4 -> float8 | float8 -> float8 | interval -> interval",
    _avg,
)
_ORDERED = [
    "int2",
    "int4",
    "int8",
    "numeric",
    "float4",
    "float8",
    "text",
    "date",
    "timestamp",
    "timestamptz",
    "time",
    "interval",
]
aggregate("min", " | ".join(f"{one} -> {one}" for one in _ORDERED) + " | array -> $1", _plain("min"))
aggregate("max", " | ".join(f"{one} -> {one}" for one in _ORDERED) + " | array -> $1", _plain("max"))


def _count(c: Call) -> exp.Expr:
    if len(c.args) > 1:
        raise SqlError(
            "COUNT takes one expression; several as a row: COUNT(DISTINCT (a, b)).", at=c.at, sqlstate="42883"
        )
    return marked("count", *c.args)


aggregate("count", "any -> int8 | any any* -> int8", _count)
aggregate("bool_and every", "bool -> bool", _plain("bool_and"))
aggregate("bool_or", "bool -> bool", _plain("bool_or"))
aggregate("bit_and", "int2 -> int2 | int4 -> int4 | int8 -> int8", _plain("bit_and"))
aggregate("bit_xor", "int2 -> int2 | int4 -> int4 | int8 -> int8", _plain("bit_xor"))
aggregate("bit_or", "int2 -> int2 | int4 -> int4 | int8 -> int8", _plain("bit_or"))


def _strings(c: Call) -> exp.Expr:
    if c.given[1].said is None and not c.given[1].is_null:
        raise SqlError("string_agg() takes a separator that is written down.", at=c.at, sqlstate="0A000")
    return marked("string_agg", *c.args)


aggregate("string_agg", "text text -> text", _strings)
aggregate("array_agg", "any -> list", _plain("array_agg"))
_SPREAD = "int2 -> numeric | int4 -> numeric | int8 -> numeric | numeric -> numeric | float4 -> float8 | float8 -> float8"
aggregate("stddev stddev_samp", _SPREAD, _plain("stddev_samp"))
aggregate("variance var_samp", _SPREAD, _plain("var_samp"))
aggregate("stddev_pop", _SPREAD, _plain("stddev_pop"))
aggregate("var_pop", _SPREAD, _plain("var_pop"))
for _name in (
    "corr",
    "covar_pop",
    "covar_samp",
    "regr_avgx",
    "regr_avgy",
    "regr_intercept",
    "regr_r2",
    "regr_slope",
    "regr_sxx",
    "regr_sxy",
    "regr_syy",
):
    aggregate(_name, "float8 float8 -> float8", _plain(_name))
aggregate("regr_count", "float8 float8 -> int8", lambda c: cast(marked("regr_count", *c.args), "int8"))


def _only_within(c: Call) -> exp.Expr:
    raise SqlError(f"WITHIN GROUP is required for ordered-set aggregate {c.name}", at=c.at, sqlstate="42809")


aggregate("percentile_cont percentile_disc", "any -> float8", _only_within, ordered=True)
aggregate("mode", "-> any", _only_within, ordered=True)


def within(
    name: str, given: list[Meant], one: Meant, *, descending: bool, clock: Clock, at: exp.Expr
) -> Meant:
    """`percentile_cont(0.5) WITHIN GROUP (ORDER BY x)`."""
    if name == "mode":
        # The first of the most frequent ones in the order asked for.
        entries = call("map_entries", marked("histogram", one.tree))
        size = exp.Dot(this=exp.column("e"), expression=exp.to_identifier("value"))
        key = exp.Dot(this=exp.column("e"), expression=exp.to_identifier("key"))
        counts = call("list_transform", entries, exp.Lambda(this=size, expressions=[exp.to_identifier("e")]))
        most = call("list_max", counts)
        kept = call(
            "list_filter",
            entries.copy(),
            exp.Lambda(this=op(exp.EQ, size.copy(), most), expressions=[exp.to_identifier("e")]),
        )
        keys = call("list_transform", kept, exp.Lambda(this=key, expressions=[exp.to_identifier("e")]))
        return Meant(call("list_max" if descending else "list_min", keys), one.type)
    if len(given) != 1:
        raise SqlError(f"{name}() takes one fraction.", at=at, sqlstate="42883")
    share = given[0]
    bare = share.tree.unnest()
    if share.number is None and isinstance(bare, exp.Cast) and isinstance(bare.this, exp.Literal):
        share = Meant(share.tree, share.type, number=bare.this.name)  # the type that a driver gives
    if share.number is None and share.literal is None and not kinds.is_array(share.type):
        raise SqlError(f"{name}() takes fractions that are written down.", at=at, sqlstate="0A000")
    if share.number is not None and not 0 <= float(share.number) <= 1:
        raise SqlError(f"percentile value {share.number} is not between 0 and 1", at=at, sqlstate="22003")
    if name == "percentile_cont":
        if one.type not in (*kinds.NUMBERS, kinds.ANY):
            raise SqlError(
                f"function percentile_cont(double precision, {kinds.spoken(one.type)}) does not exist",
                at=at,
                sqlstate="42883",
            )
        tree = becoming(one, "float8", clock)
        gives = "float8"
    else:
        tree, gives = one.tree, one.type
    part = becoming(share, "float8", clock) if not kinds.is_array(share.type) else share.tree
    if descending and name == "percentile_cont":
        if not isinstance(part, exp.Anonymous):
            part = sub(num(1), part)
        else:
            part = call(part.name, *(sub(num(1), one) for one in part.expressions))
    made = marked("quantile_cont" if name == "percentile_cont" else "quantile_disc", tree, part)
    if descending and name == "percentile_disc":
        falling = exp.Ordered(this=tree.copy(), desc=True, nulls_first=False)
        part.replace(exp.Order(this=part.copy(), expressions=[falling]))
    return Meant(made, f"{gives}[]" if kinds.is_array(share.type) else gives)


def _targets(tree: exp.Expr) -> list[exp.Expr]:
    found: list[exp.Expr] = [one for one in tree.find_all(exp.Anonymous) if one.meta.get(TAKES)]
    return found or [tree]


def filtered(tree: exp.Expr, test: exp.Expr) -> exp.Expr:
    """An aggregate of the rows that pass a test."""
    return _around(tree, lambda one: exp.Filter(this=one, expression=exp.Where(this=test.copy())))


def windowed(tree: exp.Expr, window: exp.Window) -> exp.Expr:
    """An aggregate over a window."""

    def write(one: exp.Expr) -> exp.Expr:
        made = window.copy()
        made.set("this", one)
        return made

    while isinstance(tree, exp.Paren):
        tree = tree.this
    if isinstance(tree, exp.Filter):
        return write(tree)
    return _around(tree, write)


def _around(tree: exp.Expr, write: Callable[[exp.Expr], exp.Expr]) -> exp.Expr:
    for one in _targets(tree):
        while isinstance(one.parent, exp.Filter) and one is not tree:
            one = one.parent  # noqa: PLW2901 - what is filtered is one thing
        if one is tree:
            return write(tree)
        holder = exp.Paren(this=exp.null())
        one.replace(holder)
        holder.replace(write(one))
    return tree
