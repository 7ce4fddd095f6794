"""`to_char` of numbers: PostgreSQL's templates, gone through for each shape that a number can have.

What a position of a template shows depends only on the sign, on how many digits stand before the point and on how
many zeros end the fraction. So the template is filled beforehand with places of digits instead of digits.
"""

import re
from dataclasses import dataclass, field

from sqlglot import exp

from ingot.semantic.sql.errors import SqlError, shown
from ingot.semantic.sql.postgres.calls import Call
from ingot.semantic.sql.postgres.casts import decimal
from ingot.semantic.sql.postgres.tree import (
    add,
    as_engine,
    call,
    case,
    error,
    is_null,
    mul,
    num,
    once,
    op,
    sub,
    text,
    whole,
)

_TOKENS = re.compile(
    r'"((?:[^"\\]|\\.)*)"|(FM|MI|PL|SG|PR|EEEE|TH|RN|SP)|([0-9.,DGSLVBC])', re.IGNORECASE | re.DOTALL
)
_REFUSED = {"EEEE", "RN", "SP", "V", "L", "B", "C", "PL"}
MOST = 30
"""Digits of a template."""
Pieces = list["str | int"]


@dataclass
class _Template:
    nodes: list[tuple[str, str]] = field(default_factory=list)
    """`digit` with 9 or 0, `point`, `comma`, `sign` (MI, SG), `text`."""
    before: int = 0
    after: int = 0
    fill: bool = False
    point: bool = False
    zero_start: int | None = None
    zero_end: int = 0
    sign: str = ""
    """`lead` or `trail` for S, `bracket` for PR, `own` for MI and SG."""
    ordinal: str = ""
    """`th` or `TH`, where the number is one of an order."""


def read(said: str, at: exp.Expr) -> _Template:
    """A template. Raises `SqlError` for what is not known here."""
    made = _Template()
    done = 0
    while done < len(said):
        found = _TOKENS.match(said, done)
        if found is None:
            made.nodes.append(("text", said[done]))
            done += 1
            continue
        done = found.end()
        if found[1] is not None:
            made.nodes.append(("text", re.sub(r"\\(.)", r"\1", found[1])))
            continue
        if made.ordinal:
            raise SqlError("The pattern TH of to_char() stands last here.", at=at, sqlstate="0A000")
        _take(made, found[2] or found[3], at)
    beside = "".join(one for kind, one in made.nodes if kind == "text")
    if not beside.isprintable() or any(_PLACE <= ord(char) < _PLACE + 2 * MOST for char in beside):
        raise SqlError("The template has characters that cannot be used here.", at=at, sqlstate="0A000")
    if not 1 <= made.before <= MOST or made.after > 18:
        raise SqlError(f"The template '{shown(said)}' cannot be used here.", at=at, sqlstate="0A000")
    return made


def _take(made: _Template, said: str, at: exp.Expr) -> None:  # noqa: PLR0912 - one for each pattern
    word = said.upper()
    if word in _REFUSED or (word.isdigit() and word not in "90"):
        raise SqlError(f"The pattern {word} of to_char() cannot be used here.", at=at, sqlstate="0A000")
    if word == "FM":
        made.fill = True
    elif word in "90":
        if word == "0" and made.zero_start is None and not made.point:
            made.zero_start = made.before
        if made.point:
            made.after += 1
        else:
            made.before += 1
        if word == "0":
            made.zero_end = made.before + made.after
        made.nodes.append(("digit", word))
    elif word in ".D":
        if made.point:
            raise SqlError("multiple decimal points", at=at)
        made.point = True
        made.nodes.append(("point", "."))
    elif word == "TH":
        made.ordinal = said
    elif word in ",G":
        made.nodes.append(("comma", ","))
    elif word == "S":
        if made.sign:
            raise SqlError('cannot use "S" twice, or beside other signs', at=at)
        made.sign = "trail" if made.before or made.point else "lead"
    elif word == "PR":
        if made.sign:
            raise SqlError('cannot use "PR" beside other signs', at=at)
        made.sign = "bracket"
    else:
        if made.sign in ("lead", "trail", "bracket"):
            raise SqlError(f'cannot use "{word}" beside other signs', at=at)
        if word == "SG" and made.nodes and any(kind == "digit" for kind, _ in made.nodes):
            raise SqlError("The pattern SG stands first here.", at=at, sqlstate="0A000")
        made.sign = "own"
        made.nodes.append(("sign", word))


def filled(made: _Template, *, digits: int, zero: bool, zeros: int, negative: bool) -> Pieces:  # noqa: PLR0912, PLR0915
    """The output for numbers of one shape: texts, and places in the digits (point included, from 0).

    `digits` before the point; `zero`: those are 0 alone; `zeros` end the fraction.
    """
    out: Pieces = []
    spaces = made.before - digits
    length = digits + (1 + made.after if made.point and made.after else 0)
    relevant: int | None = None
    if made.fill and made.after:
        relevant = digits + made.after - zeros if zeros < made.after else digits
        if made.zero_end > spaces:
            relevant = max(relevant, min(length - 1, made.zero_end - spaces))
    bracket = made.sign == "bracket" and not (made.fill and not negative)
    wrote = made.sign == "own" or (not negative and made.fill and made.sign not in ("lead", "trail"))
    place = 0  # in the digits
    current = 0
    begun = signed = False
    end = made.before + made.after + (1 if made.point else 0)

    def early() -> bool:
        return made.zero_start is None and place == 0 and zero and made.after != 0

    for kind, said in made.nodes:
        if kind == "text":
            out.append(said)
            continue
        if kind == "comma":
            if begun:
                out.append(",")
            elif not made.fill:
                out.append(" ")
            continue
        if kind == "sign":
            if said == "MI":
                out.append("-" if negative else "" if made.fill else " ")
            else:
                out.append("-" if negative else "+")
            continue
        lone = relevant is not None and relevant == digits and made.after != 0
        if (
            not wrote
            and (current >= spaces or (made.zero_start is not None and made.zero_start == current))
            and (not early() or lone)
        ):
            if made.sign == "lead":
                out.append("-" if negative else "+")
                wrote = True
            elif made.sign == "trail":
                wrote = True
            elif bracket:
                out.append("<" if negative else " ")
                wrote = True
            else:
                out.append("-" if negative else "" if made.fill else " ")
                wrote = True
        if current < spaces and (made.zero_start is None or made.zero_start > current):
            if not made.fill:
                out.append(" ")
        elif made.zero_start is not None and current < spaces:
            out.append("0")
            begun = True
        else:
            if kind == "point":
                if not lone or made.fill:
                    out.append(".")
            elif relevant is not None and place > relevant and said != "0":
                pass
            elif early():
                if not made.fill:
                    out.append(" ")
                elif lone:
                    out.append("0")
            else:
                out.append(place)
                begun = True
            place += 1
        last = current + 1 == end or (
            relevant is not None and relevant + 1 == place and current >= spaces and place > digits
        )
        if last and bracket and wrote:
            out.append(">" if negative else " ")
            bracket = False
        elif last and made.sign == "trail" and not signed:
            out.append("-" if negative else "+")
            signed = True
        current += 1
    return out


def written(c: Call) -> exp.Expr:
    """`to_char(number, template)`."""
    said = c.said(1, "the template")
    if found := re.fullmatch(r"[90](?:[.D]([90]*))?EEEE", said, re.IGNORECASE):
        return _scientific(c.args[0], len(found[1] or ""))
    if re.fullmatch("(FM)?RN", said, re.IGNORECASE):
        return _roman(c, fill=said[:2].upper() == "FM", small=said.endswith("rn"))
    made = read(said, c.at)
    kind = c.given[0].type
    source = c.args[0]

    def write(it: exp.Expr) -> exp.Expr:
        size = call("abs", it.copy())
        if kind in ("float4", "float8"):
            plain = call("printf", text(f"%.{made.after}f"), as_engine(size, "DOUBLE"))
            # PostgreSQL gives up digits beyond the fifteenth.
            large = op(exp.GTE, size.copy(), as_engine(text(f"1e{15 - made.after}"), "DOUBLE"))
            digits: exp.Expr = case(
                (large, error("0A000", "to_char() shows 15 digits of double precision at most")),
                default=plain,
            )
            negative = op(exp.LT, it.copy(), num(0))
        else:
            digits = as_engine(decimal(size, "numeric", 38, made.after), "VARCHAR")
            negative = op(exp.LT, decimal(it.copy(), "numeric", 38, made.after), num(0))
        return once(digits, lambda s: once(negative, lambda n: _ordered(made, s, n)))

    return once(source, lambda it: case((is_null(it), exp.null()), default=write(it)))


def _scientific(tree: exp.Expr, places: int) -> exp.Expr:
    """` 1.23e+01`."""

    def write(it: exp.Expr) -> exp.Expr:
        sign = case((op(exp.LT, it, num(0)), text("-")), default=text(" "))
        shown = call("printf", text(f"%.{places}e"), as_engine(call("abs", it.copy()), "DOUBLE"))
        return case((is_null(it.copy()), exp.null()), default=op(exp.DPipe, sign, shown))

    return once(tree, write)


_ROMAN = (
    "I II III IV V VI VII VIII IX", "X XX XXX XL L LX LXX LXXX XC", "C CC CCC CD D DC DCC DCCC CM", "M MM MMM",
)  # fmt: skip


def _roman(c: Call, *, fill: bool, small: bool) -> exp.Expr:
    """A number from 1 to 3999; the others have none."""

    def write(it: exp.Expr) -> exp.Expr:
        made: list[exp.Expr] = []
        for n, names in reversed(list(enumerate(_ROMAN))):
            digit = op(exp.Mod, whole(as_engine(it.copy(), "INTEGER"), num(10**n)), num(10))
            listed = call("list_value", text(""), *map(text, names.split()))
            made.append(call("list_extract", listed, add(digit, num(1))))
        shown: exp.Expr = call("concat", *made)
        if small:
            shown = call("lower", shown)
        if not fill:
            shown = call("lpad", shown, num(15), text(" "))
        outside = exp.or_(op(exp.LT, it.copy(), num(1)), op(exp.GT, it.copy(), num(3999)), copy=False)
        return case((is_null(it), exp.null()), (outside, text("#" * 15)), default=shown)

    return once(call("round", c.args[0]), write)


def _ordered(made: _Template, digits: exp.Expr, negative: exp.Expr) -> exp.Expr:
    """With `st`, `nd`, `rd` or `th` behind a whole number that is not negative."""
    shown = _shapes(made, digits, negative)
    if not made.ordinal or made.after:
        return shown
    endings = ["st", "nd", "rd", "th"] if made.ordinal.islower() else ["ST", "ND", "RD", "TH"]
    last = call("right", digits.copy(), num(1))
    teens = call("regexp_matches", digits.copy(), text(r"1\d$"))
    large = op(exp.GT, call("length", digits.copy()), num(made.before))
    ending = case(
        (exp.or_(negative.copy(), large, copy=False), text("")),
        (teens, text(endings[3])),
        *((op(exp.EQ, last.copy(), text(str(n))), text(endings[n - 1])) for n in (1, 2, 3)),
        default=text(endings[3]),
    )
    return op(exp.DPipe, shown, ending)


_BREAK = "\x1f"
_PLACE = 0xE000
"""Characters for private use stand for places of digits."""


def _shapes(made: _Template, digits: exp.Expr, negative: exp.Expr) -> exp.Expr:
    """The templates of all shapes in one text, of which one is taken, and its places replaced by the digits."""
    endings = made.after + 1 if made.fill else 1
    shapes = []
    for minus in (False, True):
        for count in range(made.before + 2):
            many = count > made.before
            for zeros in range(endings):
                pieces = filled(
                    made,
                    digits=made.before if many else max(count, 1),
                    zero=count == 0,
                    zeros=0 if many else zeros,
                    negative=minus,
                )
                shapes.append("".join(_shown(one, many=many) for one in pieces))
    before = call("length", call("split_part", digits.copy(), text("."), num(1)))
    count_ = case(
        (call("starts_with", digits.copy(), text("0")), num(0)),
        default=call("least", before, num(made.before + 1)),
    )
    place = add(
        mul(case((negative.copy(), num(made.before + 2)), default=num(0)), num(endings)),
        add(mul(count_, num(endings)), num(1)),
    )
    if made.fill and made.after:
        kept = call("length", call("rtrim", call("split_part", digits.copy(), text("."), num(2)), text("0")))
        place = add(place, sub(num(made.after), kept))
    shape = call("list_extract", call("string_split", text(_BREAK.join(shapes)), text(_BREAK)), place)
    places = "".join(chr(_PLACE + n) for n in range(made.before + made.after + 1))
    return call("translate", shape, text(places), digits.copy())


def _shown(piece: str | int, *, many: bool) -> str:
    if isinstance(piece, str):
        return piece
    return "#" if many else chr(_PLACE + piece)
