"""Patterns: LIKE, SIMILAR TO and regular expressions.

PostgreSQL's expressions take the longest match, the engine's the first that fits. Whether there is a match is the
same; where a match is taken out, replaced or split at, only patterns that can match in one way pass.
"""

import re
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from ingot.semantic.sql.errors import SqlError
from ingot.semantic.sql.postgres import kinds
from ingot.semantic.sql.postgres.calls import Meant
from ingot.semantic.sql.postgres.casts import as_text
from ingot.semantic.sql.postgres.tree import call, cast, paren, text

if TYPE_CHECKING:
    from ingot.semantic.sql.postgres.writing import Writing

_CLASSES = {"d": "0-9", "w": r"\p{L}\p{N}_", "s": r" \t\n\r\f\v"}
_POSIX = {
    "alpha": r"\p{L}", "digit": "0-9", "alnum": r"\p{L}\p{N}", "upper": r"\p{Lu}", "lower": r"\p{Ll}",
    "space": r" \t\n\r\f\v", "punct": r"!-/:-@\[-`{-~", "xdigit": "0-9A-Fa-f",
}  # fmt: skip


def _text_of(one: Meant, writing: "Writing", kind: type[exp.Expr], at: exp.Expr) -> exp.Expr:
    if one.type not in (*kinds.TEXTS, kinds.UNKNOWN, kinds.ANY):
        from ingot.semantic.sql.postgres.operators import refused  # noqa: PLC0415 - it uses this room

        raise refused(kind, one.type, kinds.UNKNOWN, at)
    return as_text(one, writing.clock)


def like(  # noqa: PLR0917 - all parts of one test
    kind: type[exp.Expr],
    one: Meant,
    pattern: Meant,
    escape: exp.Expr | None,
    writing: "Writing",
    at: exp.Expr,
) -> Meant:
    """LIKE and ILIKE: a backslash takes the next character as it is, unless the statement says another one does."""
    tree, mask = _text_of(one, writing, kind, at), _text_of(pattern, writing, kind, at)
    sign = "\\"
    if escape is not None:
        if not isinstance(escape, exp.Literal) or not escape.is_string or len(escape.name) > 1:
            raise SqlError("invalid escape string", at=at, sqlstate="22025")
        sign = escape.name
    made: exp.Expr = kind(this=paren(tree), expression=paren(mask))
    if sign:
        made = exp.Escape(this=made, expression=text(sign))
    return Meant(exp.Paren(this=made), "bool")


def matched(one: Meant, pattern: Meant, writing: "Writing", at: exp.Expr, *, fold: bool) -> Meant:
    """`x ~ 'pattern'`."""
    kind = exp.RegexpILike if fold else exp.RegexpLike
    tree = _text_of(one, writing, kind, at)
    said = pattern.said
    if said is None:
        if pattern.is_null:
            return Meant(cast(exp.null(), "bool"), "bool")
        raise SqlError("A regular expression is written down here, not computed.", at=at, sqlstate="0A000")
    found = engine_pattern(said, at, fold=fold)
    return Meant(call("regexp_matches", tree, text(found)), "bool")


def similar(one: Meant, pattern: Meant, escape: exp.Expr | None, writing: "Writing", at: exp.Expr) -> Meant:
    """`x SIMILAR TO 'a%'`: the whole text."""
    tree = _text_of(one, writing, exp.SimilarTo, at)
    said = pattern.said
    if said is None:
        raise SqlError("A pattern is written down here, not computed.", at=at, sqlstate="0A000")
    sign = escape.name if escape is not None else "\\"
    made, n = [], 0
    inside = False
    while n < len(said):
        char = said[n]
        if char == sign and sign:
            n += 1
            if n >= len(said):
                raise SqlError("invalid escape string", at=at, sqlstate="22025")
            made.append(re.escape(said[n]))
        elif inside:
            inside = char != "]"
            made.append("\\\\" if char == "\\" else char)
        elif char == "[":
            inside = True
            made.append(char)
        elif char == "%":
            made.append(".*")
        elif char == "_":
            made.append(".")
        elif char in ".^$\\":
            made.append("\\" + char)
        else:
            made.append(char)
        n += 1
    found = engine_pattern(f"^(?:{''.join(made)})$", at, fold=False)
    return Meant(call("regexp_matches", tree, text(found)), "bool")


def engine_pattern(said: str, at: exp.Expr, *, fold: bool, lines: bool = False) -> str:
    """A regular expression of PostgreSQL in the engine's words.

    Raises:
        SqlError: 2201B for what is none; 0A000 for what the engine cannot say.
    """
    flags = "s" if not lines else "m"
    if fold:
        flags += "i"
    options = re.match(r"\(\?([a-z]+)\)", said)
    if options:
        said = said[options.end() :]
        if set(options[1]) - set("isc"):
            raise cannot("options within a pattern", at)
        if "i" in options[1] and "i" not in flags:
            flags += "i"
    if said.startswith("***"):
        raise cannot("***", at)
    made: list[str] = []
    n = 0
    while n < len(said):
        char = said[n]
        if char == "\\":
            n += 1
            if n >= len(said):
                raise _invalid("invalid escape \\ sequence", at)
            made.append(_escaped(said[n], at))
        elif char == "[":
            piece, n = _bracket(said, n, at)
            made.append(piece)
        elif char == "(" and said[n + 1 : n + 2] == "?":
            if said[n + 2 : n + 3] != ":":
                raise cannot("looking ahead or behind", at)
            made.append("(?:")
            n += 2
        else:
            made.append(char)
        n += 1
    found = "".join(made)
    _check(found, at)
    return f"(?{flags}){found}"


def _escaped(char: str, at: exp.Expr) -> str:  # noqa: PLR0911 - one for each form
    if char in _CLASSES:
        return f"[{_CLASSES[char]}]"
    if char.lower() in _CLASSES:
        return f"[^{_CLASSES[char.lower()]}]"
    if char in "nrtfv":
        return f"\\{char}"
    if char == "y":
        return r"\b"
    if char == "A":
        return r"\A"
    if char == "Z":
        return r"\z"
    if char.isalnum():
        raise cannot(f"\\{char}", at)
    return re.escape(char)


def _bracket(said: str, n: int, at: exp.Expr) -> tuple[str, int]:  # noqa: PLR0912 - one for each form
    made = ["["]
    n += 1
    if said[n : n + 1] == "^":
        made.append("^")
        n += 1
    first = True
    while True:
        if n >= len(said):
            raise _invalid("brackets [] not balanced", at)
        char = said[n]
        if char == "]" and not first:
            break
        if char == "[" and said[n + 1 : n + 2] == ":":
            end = said.find(":]", n)
            name = said[n + 2 : end] if end > 0 else ""
            if name not in _POSIX:
                raise _invalid("invalid character class", at)
            made.append(_POSIX[name])
            n = end + 1
        elif char == "[" and said[n + 1 : n + 2] in ("=", "."):
            raise cannot("collating elements", at)
        elif char == "\\":
            n += 1
            if n >= len(said):
                raise _invalid("invalid escape \\ sequence", at)
            inner = said[n]
            if inner in _CLASSES:
                made.append(_CLASSES[inner])
            elif inner in "nrtfv":
                made.append(f"\\{inner}")
            elif inner.isalnum():
                raise cannot(f"\\{inner} in brackets", at)
            else:
                made.append(f"\\{inner}")
        elif char in "[]&~^":
            made.append(f"\\{char}")
        else:
            made.append(char)
        first = False
        n += 1
    made.append("]")
    return "".join(made), n


def _check(found: str, at: exp.Expr) -> None:
    probe = re.sub(r"\\p\{\w+\}", "a", found).replace(r"\z", r"\Z")
    try:
        re.compile(probe)
    except (re.error, RecursionError, OverflowError):
        raise _invalid("the pattern cannot be read", at) from None


def _invalid(why: str, at: exp.Expr) -> SqlError:
    return SqlError(f"invalid regular expression: {why}", at=at, sqlstate="2201B")


def cannot(what: str, at: exp.Expr) -> SqlError:
    return SqlError(f"A regular expression cannot have this here: {what[:40]}.", at=at, sqlstate="0A000")


# -- what is taken out -------------------------------------------------------------------------------------


def one_way(said: str, at: exp.Expr) -> None:
    """Raises `SqlError` for a pattern whose match depends on which alternative is tried first."""
    from re import _parser  # type: ignore[attr-defined]  # noqa: PLC0415 - only patterns need it

    probe = re.sub(r"\\p\{\w+\}", "a-zA-Z", said).replace(r"\z", r"\Z")
    tree = _parser.parse(probe)
    if not _plain(list(tree))[0]:
        raise cannot("alternatives or repetitions that can match in several ways", at)


def _plain(items: list[Any]) -> tuple[bool, int]:  # noqa: PLR0912 - one for each form
    """Whether items match in one way only, and how many of them vary in length."""
    varying = 0
    lazy = 0
    for n, (code, given) in enumerate(items):
        name = str(code)
        if name == "BRANCH":
            return False, 0
        if name == "SUBPATTERN":
            good, inner = _plain(list(given[-1]))
            if not good:
                return False, 0
            varying += inner
        elif name in ("MAX_REPEAT", "MIN_REPEAT"):
            low, high, body = given
            if low == high:
                good, inner = _plain(list(body))
                if not good:
                    return False, 0
                varying += inner
                continue
            if len(body) != 1 or str(body[0][0]) not in ("LITERAL", "IN", "ANY", "NOT_LITERAL"):
                if len(body) == 1 and str(body[0][0]) == "SUBPATTERN":
                    inner_items = list(body[0][1][-1])
                    if len(inner_items) == 1 and str(inner_items[0][0]) in (
                        "LITERAL",
                        "IN",
                        "ANY",
                        "NOT_LITERAL",
                    ):
                        varying += 1
                        continue
                return False, 0
            if name == "MIN_REPEAT":
                lazy += 1
            rest = items[n + 1 :]
            if not rest or name == "MIN_REPEAT" or not _apart(body[0], rest):
                varying += 1 if (rest or name == "MIN_REPEAT") else 0
    if lazy and varying + lazy > 2:
        return False, varying
    return varying <= 1 or _anchored(items), varying


def _anchored(items: list[Any]) -> bool:
    """Whether a match must reach the end: its length is given, and the first parts take what they can."""
    last = items[-1] if items else None
    greedy = all(str(code) != "MIN_REPEAT" for code, _ in items)
    return last is not None and str(last[0]) == "AT" and "END" in str(last[1]) and greedy


def _apart(item: Any, rest: list[Any]) -> bool:
    """Whether what follows cannot begin with what is repeated."""
    code, given = rest[0]
    name = str(code)
    while name == "SUBPATTERN":
        inner = list(given[-1])
        if not inner:
            return False
        (code, given), name = inner[0], str(inner[0][0])
    if name in ("MAX_REPEAT", "MIN_REPEAT"):
        if given[0] == 0:
            return False
        code, given = given[2][0]
        name = str(code)
    if name == "AT":
        return len(rest) == 1
    ours, theirs = _characters(*item), _characters(code, given)
    return ours is not None and theirs is not None and not ours & theirs


def _characters(code: Any, given: Any) -> set[int] | None:  # noqa: PLR0911 - one for each form
    """The characters below 128 that an item takes; 128 stands for all others."""
    name = str(code)
    everything = set(range(129))
    if name == "LITERAL":
        return {min(given, 128)}
    if name == "NOT_LITERAL":
        return everything - ({given} if given < 128 else set())
    if name == "ANY":
        return everything
    if name == "IN":
        found: set[int] = set()
        negated = False
        for kind, value in given:
            if str(kind) == "NEGATE":
                negated = True
            elif str(kind) == "LITERAL":
                found.add(min(value, 128))
            elif str(kind) == "RANGE":
                found.update(min(n, 128) for n in range(value[0], min(value[1], 128) + 1))
            else:
                return None
        if negated:
            return everything - (found - {128})
        return found
    return None
