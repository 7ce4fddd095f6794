"""Computed texts as values of a type, with PostgreSQL's errors for those that are none."""

from sqlglot import exp

from ingot.semantic.sql.errors import SqlError
from ingot.semantic.sql.postgres import kinds
from ingot.semantic.sql.postgres.input import Clock
from ingot.semantic.sql.postgres.tree import call, case, cast, error, is_null, num, once, text

_WHOLE = r"^\s*[+-]?\d+\s*$"
_EXACT = r"^\s*[+-]?\d{0,28}(\.\d{0,10})?\s*$"
_TRUE = ("t", "tr", "tru", "true", "y", "ye", "yes", "on", "1")
_FALSE = ("f", "fa", "fal", "fals", "false", "n", "no", "of", "off", "0")
_SPOKEN_TIMES = ("date", "timestamp", "timestamptz", "time", "interval")
_LOOKS = r"^(\d{4}-\d{1,2}-\d{1,2}|\d{1,2}:\d{2})"


def computed(tree: exp.Expr, wanted: str, clock: Clock, at: exp.Expr) -> exp.Expr:  # noqa: PLR0911 - one for each type
    """A computed text as a value."""
    if wanted == "bool":
        word = call("lower", call("trim", tree))

        def truth(it: exp.Expr) -> exp.Expr:
            return case(
                (is_null(it), exp.null()),
                (exp.In(this=it.copy(), expressions=[text(w) for w in _TRUE]), exp.true()),
                (exp.In(this=it.copy(), expressions=[text(w) for w in _FALSE]), exp.false()),
                default=error("22P02", "invalid input syntax for type boolean"),
            )

        return once(word, truth)
    if wanted in kinds.WHOLE or wanted in ("numeric", "oid"):
        pattern = _EXACT if wanted == "numeric" else _WHOLE

        def checked(it: exp.Expr) -> exp.Expr:
            return case(
                (is_null(it), exp.null()),
                (call("regexp_matches", it.copy(), text(pattern)), cast(call("trim", it.copy()), wanted)),
                default=error("22P02", f"invalid input syntax for type {kinds.spoken(wanted)}"),
            )

        return once(tree, checked)
    if wanted == "timestamptz" and clock.zone != "UTC":
        return once(
            tree,
            lambda it: case(
                (
                    call("regexp_matches", it, text(r":\d\d(\.\d+)?\s*([+-]\d\d(:?\d\d)?|Z)$")),
                    cast(it.copy(), "timestamptz"),
                ),
                default=call("timezone", text(clock.zone), cast(it.copy(), "timestamp")),
            ),
        )
    if wanted in ("json", "jsonb"):
        wrong = error("22P02", "invalid input syntax for type json")

        def valid(it: exp.Expr) -> exp.Expr:
            return case(
                (is_null(it), exp.null()),
                (call("json_valid", it.copy()), cast(it.copy(), "json")),
                default=wrong,
            )

        return once(tree, valid)
    if wanted == "bytea":
        return _bytes(tree)
    if kinds.is_array(wanted):
        raise SqlError(
            f"A computed text cannot be cast to {kinds.spoken(wanted)} here.", at=at, sqlstate="0A000"
        )
    if wanted in _SPOKEN_TIMES:
        return once(call("trim", tree), lambda it: _time(it, wanted))
    return cast(call("trim", tree), wanted)


def _time(it: exp.Expr, wanted: str) -> exp.Expr:
    """A computed text as a time, with PostgreSQL's words for what is none."""
    made = exp.TryCast(this=it.copy(), to=exp.DataType.build(kinds.engine(wanted), dialect="duckdb"))
    shown = call("concat", text('"'), call("left", it.copy(), num(80)), text('"'))
    syntax = call("concat", text(f"[22007] invalid input syntax for type {kinds.spoken(wanted)}: "), shown)
    outside = call("concat", text("[22008] date/time field value out of range: "), shown.copy())
    return case(
        (exp.or_(is_null(it), exp.Not(this=is_null(made)), copy=False), made.copy()),
        (call("regexp_matches", it.copy(), text(_LOOKS)), cast(call("error", outside), wanted)),
        default=cast(call("error", syntax), wanted),
    )


def _bytes(tree: exp.Expr) -> exp.Expr:
    """`\\x4142`, or bytes as they are with `\\\\` for one that says so."""

    def write(it: exp.Expr) -> exp.Expr:
        digits = call("regexp_matches", it, text(r"^\\x([0-9a-fA-F]{2}|\s)*$"))
        plain = exp.Not(this=call("contains", it.copy(), text("\\")))
        bare = call("regexp_replace", call("substr", it.copy(), num(3)), text(r"\s"), text(""), text("g"))
        return case(
            (is_null(it.copy()), exp.null()),
            (digits, call("unhex", bare)),
            (plain, call("encode", it.copy())),
            default=error("22P02", "invalid input syntax for type bytea"),
        )

    return once(tree, write)
