"""`to_char`, `to_date`, `to_timestamp` and `to_number`: values by templates."""

import re

from sqlglot import exp

from ingot.semantic.sql.errors import SqlError, shown
from ingot.semantic.sql.postgres import digits
from ingot.semantic.sql.postgres.calls import Call, Meant, function
from ingot.semantic.sql.postgres.tree import (
    add,
    as_engine,
    call,
    case,
    cast,
    is_null,
    mul,
    num,
    once,
    op,
    sub,
    text,
    whole,
)

_NUMBERS = (
    "HH24", "HH12", "HH", "MI", "SSSSS", "SSSS", "SS", "MS", "US", "FF1", "FF2", "FF3", "FF4", "FF5", "FF6", "Y,YYY",
    "YYYY", "YYY", "YY", "Y", "IYYY", "IYY", "IY", "I", "MM", "DDD", "DD", "D", "IDDD", "ID", "WW", "W", "IW", "CC", "J", "Q",
)  # fmt: skip
_NAMES = ("MONTH", "Month", "month", "MON", "Mon", "mon", "DAY", "Day", "day", "DY", "Dy", "dy")
_HALVES = (
    "AM",
    "PM",
    "am",
    "pm",
    "A.M.",
    "P.M.",
    "a.m.",
    "p.m.",
    "AD",
    "BC",
    "ad",
    "bc",
    "A.D.",
    "B.C.",
    "a.d.",
    "b.c.",
)
_OTHERS = ("RM", "rm", "TZH", "TZM", "TZ", "tz", "OF", "FX", "fx", "TM", "tm")
_KNOWN = sorted(
    {*_NUMBERS, *(one.lower() for one in _NUMBERS), *_NAMES, *_HALVES, *_OTHERS}, key=len, reverse=True
)
_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")

Node = tuple[str, bool, str]
"""A keyword (or "" for a text), whether it is filled, and its suffix or the text."""


def nodes(said: str) -> list[Node]:
    """A template for times, taken apart as PostgreSQL does."""
    found: list[Node] = []
    n = 0
    fill = False
    while n < len(said):
        if not fill and said[n : n + 2] in ("FM", "fm"):
            fill, n = True, n + 2
            continue
        if said[n : n + 2] in ("TM", "tm") and any(said.startswith(one, n + 2) for one in _NAMES):
            fill, n = True, n + 2  # names in the language of the server, which is English
            continue
        if said[n] == '"':
            n += 1
            held = ""
            while n < len(said) and said[n] != '"':
                if said[n] == "\\" and n + 1 < len(said):
                    n += 1
                held += said[n]
                n += 1
            n += 1
            found.append(("", False, held))
            continue
        word = next((one for one in _KNOWN if said.startswith(one, n)), None)
        if word is None:
            if said[n] == "\\" and said[n + 1 : n + 2] == '"':
                n += 1
            found.append(("", False, said[n]))
            n += 1
            fill = False
            continue
        n += len(word)
        suffix = said[n : n + 2] if said[n : n + 2] in ("TH", "th") else ""
        n += len(suffix)
        found.append((word, fill, suffix))
        fill = False
    return found


def _to_char(c: Call) -> exp.Expr:
    kind = c.given[0].type if c.types[0] != "timestamptz" else "timestamptz"
    if c.types[0] in ("int4", "int8", "numeric", "float4", "float8"):
        return digits.written(c)
    zone = c.writing.clock.zone
    source = c.args[0]
    local = call("timezone", text(zone), source) if kind == "timestamptz" else source
    if not c.said(1, "the template"):
        return cast(exp.null(), "text")
    parts = nodes(c.said(1, "the template"))
    for word, _, _ in parts:
        if word.upper() in ("TZ", "TZH", "TZM", "OF") and (zone != "UTC" or c.types[0] != "timestamptz"):
            raise SqlError(f"The pattern {word} of to_char() cannot be used here.", at=c.at, sqlstate="0A000")

    write_one = _passed if c.types[0] == "interval" else _piece

    def write(it: exp.Expr) -> exp.Expr:
        pieces = [
            text(said) if not word else write_one(word, it, fill=fill, suffix=said, at=c.at)
            for word, fill, said in parts
        ]
        made = call("concat", *pieces) if pieces else text("")
        return case((is_null(it), exp.null()), default=made)

    return once(local, write)


_PASSED = {
    "HH24": ("hour", 2),
    "MI": ("minute", 2),
    "SS": ("second", 2),
    "DD": ("day", 2),
    "MM": ("month", 2),
    "YYYY": ("year", 4),
}


def _passed(word: str, it: exp.Expr, *, fill: bool, suffix: str, at: exp.Expr) -> exp.Expr:
    """A part of an interval; its hours are all of them."""
    known = _PASSED.get(word.upper())
    if word.upper() in ("MS", "US") and not suffix:
        places = {"MS": 3, "US": 6}[word.upper()]
        micros = op(exp.Mod, call("datepart", text("microsecond"), it.copy()), num(1_000_000))
        return call("printf", text(f"%0{places}d"), whole(micros, num(10 ** (6 - places))))
    if known is None or suffix:
        raise SqlError(
            f"The pattern {word}{suffix} of to_char() of an interval cannot be used here.",
            at=at,
            sqlstate="0A000",
        )
    value = call("datepart", text(known[0]), it.copy())
    if fill:
        return as_engine(value, "VARCHAR")
    minus = known[1] + 1 if word.upper() != "DD" else known[1]
    below = call("printf", text(f"%0{minus}d"), value.copy())
    return case(
        (op(exp.LT, value, num(0)), below), default=call("printf", text(f"%0{known[1]}d"), value.copy())
    )


def _piece(word: str, it: exp.Expr, *, fill: bool, suffix: str, at: exp.Expr) -> exp.Expr:
    upper = word.upper()
    if word in _NAMES:
        return _name(word, it, fill=fill)
    if word in _HALVES:
        return _half(word, it)
    if upper == "RM":
        months = [one if word == "RM" else one.lower() for one in _ROMAN]
        listed = [one if fill else one.ljust(4) for one in months]
        return call("list_extract", call("list_value", *map(text, listed)), call("month", it.copy()))
    if upper in ("TZ", "TZH", "TZM", "OF"):
        return text({"TZ": "UTC", "tz": "utc", "TZH": "+00", "TZM": "00", "OF": "+00"}[word])
    if upper not in _NUMBERS:
        raise SqlError(f"The pattern {word} of to_char() cannot be used here.", at=at, sqlstate="0A000")
    value, width = _number(upper, it)
    parts = upper in ("MS", "US") or upper.startswith("FF")
    plain = (
        as_engine(value, "VARCHAR")
        if (fill and not parts) or width == 0
        else call("printf", text(f"%0{width}d"), value)
    )
    if upper == "Y,YYY":
        thousands = as_engine(whole(value.copy(), num(1000)), "VARCHAR")
        plain = call(
            "concat", thousands, text(","), call("printf", text("%03d"), op(exp.Mod, value.copy(), num(1000)))
        )
    if not suffix:
        return plain
    return call("concat", plain, _ordinal(value, upper_case=suffix == "TH"))


def _ordinal(value: exp.Expr, *, upper_case: bool) -> exp.Expr:
    tens = op(exp.EQ, op(exp.Mod, whole(value.copy(), num(10)), num(10)), num(1))
    last = op(exp.Mod, value.copy(), num(10))
    st, nd, rd, th = (text(one.upper() if upper_case else one) for one in ("st", "nd", "rd", "th"))
    return case(
        (tens, th),
        (op(exp.EQ, last, num(1)), st),
        (op(exp.EQ, last.copy(), num(2)), nd),
        (op(exp.EQ, last.copy(), num(3)), rd),
        default=th.copy(),
    )


def _number(word: str, it: exp.Expr) -> tuple[exp.Expr, int]:  # noqa: PLR0911, PLR0912 - one for each
    """The number of a pattern and how many digits it has at least."""

    def at(name: str) -> exp.Expr:
        return call("datepart", text(name), it.copy())

    micros = op(exp.Mod, at("microsecond"), num(1_000_000))
    if word == "HH24":
        return at("hour"), 2
    if word in ("HH12", "HH"):
        return add(op(exp.Mod, add(at("hour"), num(11)), num(12)), num(1)), 2
    if word == "MI":
        return at("minute"), 2
    if word == "SS":
        return at("second"), 2
    if word in ("SSSS", "SSSSS"):
        return add(add(mul(at("hour"), num(3600)), mul(at("minute"), num(60))), at("second")), 0
    if word in ("MS", "US") or word.startswith("FF"):
        places = {"MS": 3, "US": 6}.get(word) or int(word[2])
        return whole(micros, num(10 ** (6 - places))), places
    if word in ("YYYY", "Y,YYY"):
        return at("year"), 4
    if word in ("YYY", "YY", "Y"):
        return op(exp.Mod, at("year"), num(10 ** len(word))), len(word)
    if word == "IYYY":
        return at("isoyear"), 4
    if word in ("IYY", "IY", "I"):
        return op(exp.Mod, at("isoyear"), num(10 ** len(word))), len(word)
    if word == "MM":
        return at("month"), 2
    if word == "DDD":
        return at("doy"), 3
    if word == "DD":
        return at("day"), 2
    if word == "D":
        return add(at("dow"), num(1)), 0
    if word == "ID":
        return at("isodow"), 0
    if word == "IDDD":
        return add(mul(sub(at("week"), num(1)), num(7)), at("isodow")), 3
    if word == "WW":
        return add(whole(sub(at("doy"), num(1)), num(7)), num(1)), 2
    if word == "W":
        return add(whole(sub(at("day"), num(1)), num(7)), num(1)), 0
    if word == "IW":
        return at("week"), 2
    if word == "CC":
        return whole(add(at("year"), num(99)), num(100)), 2
    if word == "J":
        return as_engine(
            call("floor", call("julian", call("date_trunc", text("day"), it.copy()))), "BIGINT"
        ), 0
    return at("quarter"), 0


def _name(word: str, it: exp.Expr, *, fill: bool) -> exp.Expr:
    month = word.upper().startswith("MON")
    short = word.upper() in ("MON", "DY")
    made: exp.Expr = call("monthname" if month else "dayname", it.copy())
    if short:
        made = call("left", made, num(3))
    if word.isupper():
        made = call("upper", made)
    elif word.islower():
        made = call("lower", made)
    return made if fill or short else call("rpad", made, num(9), text(" "))


def _half(word: str, it: exp.Expr) -> exp.Expr:
    if word.upper().replace(".", "") in ("AD", "BC"):
        late, early = ("A.D.", "B.C.") if "." in word else ("AD", "BC")
        test = op(exp.GT, call("year", it.copy()), num(0))
    else:
        early, late = ("A.M.", "P.M.") if "." in word else ("AM", "PM")
        test = op(exp.GTE, call("datepart", text("hour"), it.copy()), num(12))
    if word.islower():
        early, late = early.lower(), late.lower()
    return case((test, text(late)), default=text(early))


function(
    "to_char",
    "timestamp text -> text | timestamptz text -> text | interval text -> text | int4 text -> text | int8 text -> text | "
    "numeric text -> text | float4 text -> text | float8 text -> text",
    _to_char,
)

# -- from texts --------------------------------------------------------------------------------------------

_READ = {
    "YYYY": ("%Y", r"\d{4}"), "MM": ("%m", r"\d{2}"), "DD": ("%d", r"\d{2}"), "HH24": ("%H", r"\d{2}"),
    "MI": ("%M", r"\d{2}"), "SS": ("%S", r"\d{2}"), "MS": ("%g", r"\d{3}"), "US": ("%f", r"\d{6}"),
    "HH12": ("%I", r"\d{2}"), "HH": ("%I", r"\d{2}"), "MON": ("%b", "[A-Za-z]{3}"), "DDD": ("%j", r"\d{3}"),
    "AM": ("%p", "[AaPp][Mm]"), "PM": ("%p", "[AaPp][Mm]"), "MONTH": ("%B", "[A-Za-z]+"),
}  # fmt: skip


def _format(said: str, at: exp.Expr) -> tuple[str, str]:
    """The engine's template, and a pattern for the texts that both read in the same way."""
    made, pattern = "", ""
    parts = nodes(said)
    for n, (word, _, held) in enumerate(parts):
        if not word:
            made += held.replace("%", "%%")
            pattern += re.escape(held)
            continue
        known = _READ.get(word.upper())
        if known is None or held:
            raise SqlError(f"The pattern {word} cannot be read from texts here.", at=at, sqlstate="0A000")
        made += known[0]
        loose = n + 1 == len(parts) or (not parts[n + 1][0] and not parts[n + 1][2][:1].isdigit())
        pattern += known[1].replace("{2}", "{1,2}") if loose else known[1]
    return made, pattern


def _parsed(c: Call, kind: str) -> exp.Expr:
    """What PostgreSQL reads loosely, this reads only where a text has the template's very form."""
    made, pattern = _format(c.said(1, "the template"), c.at)
    said = c.given[0].said
    if said is not None and re.fullmatch(pattern, said) is None:
        full = re.fullmatch(pattern + r"[ T]?.*", said, re.DOTALL)
        first = nodes(c.said(1, "the template"))[0][0].upper()
        if full is None and (
            not said.strip() or (first in _READ and not re.match(_READ[first][1], said.strip()))
        ):
            raise SqlError(f'"{shown(said)}" has not the form of the template.', at=c.at, sqlstate="22007")
        if full is None:
            raise SqlError("The text is shorter than the template.", at=c.at, sqlstate="0A000")
        said = re.match(pattern, said)[0]  # type: ignore[index]
        return cast(call("strptime", text(said), text(made)), kind)

    def write(it: exp.Expr) -> exp.Expr:
        from ingot.semantic.sql.postgres.tree import error  # noqa: PLC0415 - beside its only use

        test = call("regexp_full_match", it, text(pattern))
        return case(
            (is_null(it.copy()), exp.null()),
            (test, cast(call("strptime", it.copy(), text(made)), kind)),
            default=error("22007", "a text has not the form of the template"),
        )

    return once(c.args[0], write)


function("to_date", "text text -> date", lambda c: _parsed(c, "date"))


def _to_timestamp(c: Call) -> Meant:
    if len(c.args) == 1:
        return Meant(call("to_timestamp", c.args[0]), "timestamptz")
    return Meant(call("timezone", text(c.writing.clock.zone), _parsed(c, "timestamp")), "timestamptz")


function("to_timestamp", "float8 -> timestamptz | text text -> timestamptz", _to_timestamp)


def _to_number(c: Call) -> exp.Expr:
    said = c.said(1, "the template")
    if not re.fullmatch(r"(FM|[90.,DGS$]|MI)*", said):
        raise SqlError(
            f"The template '{shown(said)}' of to_number() cannot be used here.", at=c.at, sqlstate="0A000"
        )
    places = len(re.sub(r"[^90]", "", re.split(r"[.D]", said)[1])) if re.search(r"[.D]", said) else 0
    before = len(re.sub(r"[^90]", "", re.split(r"[.D]", said)[0]))
    pattern = (
        rf"^\s*-?\$?\d{{1,{max(before, 1)}}}(\.\d{{0,{places}}})?$"
        if places
        else rf"^\s*-?\$?\d{{1,{max(before, 1)}}}$"
    )

    def write(it: exp.Expr) -> exp.Expr:
        from ingot.semantic.sql.postgres.tree import error  # noqa: PLC0415 - beside its only use

        plain = call("replace", it, text(","), text(""))
        if re.search("(S|MI)$", said):
            plain = call("regexp_replace", plain, text(r"^(.*)-\s*$"), text(r"-\1"))
        number = as_engine(
            call("replace", call("trim", plain.copy()), text("$"), text("")), f"DECIMAL(38, {places})"
        )
        return case(
            (is_null(it.copy()), exp.null()),
            (call("regexp_matches", plain, text(pattern)), number),
            default=error("22P02", "invalid input syntax for type numeric"),
        )

    return once(c.args[0], write)


function("to_number", "text text -> numeric", _to_number)
