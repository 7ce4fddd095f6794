"""Functions that search texts by regular expressions, whose patterns are written down."""

import re

from sqlglot import exp

from ingot.semantic.sql.errors import SqlError
from ingot.semantic.sql.postgres.calls import Call, Meant, function
from ingot.semantic.sql.postgres.regexes import cannot, engine_pattern, one_way
from ingot.semantic.sql.postgres.tree import call, case, cast, is_null, num, once, text

_FLAGS = frozenset("gicnspmwq")


def _flags(said: str, at: exp.Expr, *, many: bool) -> tuple[bool, bool, bool]:
    """Every match, whatever the case, lines."""
    for one in said:
        if one not in "gicsnm" or (one == "g" and not many):
            if one in _FLAGS:
                raise cannot(f"the flag {one}", at)
            raise SqlError(f'invalid regular expression option: "{one}"', at=at, sqlstate="22023")
    return "g" in said, "i" in said and "c" not in said, "n" in said or "m" in said


def _pattern(
    c: Call, n: int, flags: int | None, *, taken: bool = True, many: bool = False
) -> tuple[str, bool]:
    said = c.said(n, "the pattern")
    every, fold, lines = _flags(c.said(flags, "the flags") if flags is not None else "", c.at, many=many)
    found = engine_pattern(said, c.at, fold=fold, lines=lines)
    if taken:
        one_way(found[found.index(")") + 1 :], c.at)
    return found, every


def groups(pattern: str) -> int:
    """How many brackets of a pattern take something out."""
    probe = re.sub(r"\\p\{\w+\}", "a", pattern).replace(r"\z", r"\Z")
    return re.compile(probe).groups


def substring_of(c: Call) -> exp.Expr:
    """`substring(x from 'pattern')`: what the first brackets match, or all of it; null without a match."""
    if len(c.args) == 3:
        raise SqlError("substring() with SQL's own patterns cannot be used here.", at=c.at, sqlstate="0A000")
    found, _ = _pattern(c, 1, None)
    place = 1 if groups(found) else 0

    def write(it: exp.Expr) -> exp.Expr:
        test = call("regexp_matches", it, text(found))
        return case((test, call("regexp_extract", it.copy(), text(found), num(place))))

    return once(c.args[0], write)


def _replaced(c: Call) -> exp.Expr:
    found, every = _pattern(c, 1, 3 if len(c.args) > 3 else None, many=True)
    new = c.given[2].said
    if new is None:
        raise SqlError(
            "regexp_replace() takes a replacement that is written down.", at=c.at, sqlstate="0A000"
        )
    made = re.sub(r"\\(.?)", lambda m: _reference(m[1], c.at), new, flags=re.DOTALL)
    args = [c.args[0], text(found), text(made)]
    return call("regexp_replace", *args, *([text("g")] if every else []))


def _reference(char: str, at: exp.Expr) -> str:
    if char == "&":
        return r"\0"
    if char.isdigit() and char != "0":
        return f"\\{char}"
    if char == "\\":
        return r"\\"
    raise cannot(f"\\{char} in the replacement", at)


function("regexp_replace", "text text text -> text | text text text text -> text", _replaced)


def _like(c: Call) -> exp.Expr:
    found, _ = _pattern(c, 1, 2 if len(c.args) > 2 else None, taken=False)
    return call("regexp_matches", c.args[0], text(found))


function("regexp_like", "text text -> bool | text text text -> bool", _like)


def _match(c: Call) -> exp.Expr:
    found, _ = _pattern(c, 1, 2 if len(c.args) > 2 else None)
    count = groups(found)

    def write(it: exp.Expr) -> exp.Expr:
        test = call("regexp_matches", it, text(found))
        places = range(1, count + 1) if count else range(1)
        parts = [call("regexp_extract", it.copy(), text(found), num(n)) for n in places]
        return case((test, call("list_value", *parts)))

    return once(c.args[0], write)


function("regexp_match", "text text -> text[] | text text text -> text[]", _match)


def _found(c: Call) -> tuple[exp.Expr, str]:
    """What is searched from the start that a call says on, and the pattern with its flags."""
    begin = c.whole(2) if len(c.args) > 2 else 1
    if begin is None or begin < 1:
        raise cannot("a start that is not written down", c.at)
    flags = {"regexp_count": 3, "regexp_substr": 4}[c.name]
    found, _ = _pattern(c, 1, flags if len(c.args) > flags else None)
    if begin > 1 and found.lstrip("(?ims)").startswith("^"):
        raise cannot("^ behind the start", c.at)
    return (c.args[0] if begin == 1 else call("substr", c.args[0], num(begin))), found


def _nth(c: Call, place: int) -> int:
    """Which match is meant."""
    found = c.whole(place) if len(c.args) > place else 1
    if found is None or found < 1:
        raise cannot("a number of the match that is not written down", c.at)
    return found


def _substr(c: Call) -> exp.Expr:
    source, found = _found(c)
    nth, group = _nth(c, 3), (c.whole(5) or 0) if len(c.args) > 5 else 0
    if nth > 1 or group > groups(found):
        every = call("regexp_extract_all", source, text(found), num(group if group <= groups(found) else 0))
        return call("list_extract", every, num(nth)) if group <= groups(found) else exp.null()

    def write(it: exp.Expr) -> exp.Expr:
        test = call("regexp_matches", it, text(found))
        return case((test, call("regexp_extract", it.copy(), text(found), num(group))))

    return once(source, write)


function(
    "regexp_substr",
    "text text -> text | text text int4 -> text | text text int4 int4 -> text | text text int4 int4 text -> text"
    " | text text int4 int4 text int4 -> text",
    _substr,
)


def _count(c: Call) -> exp.Expr:
    source, found = _found(c)
    return once(
        source,
        lambda it: case(
            (is_null(it), exp.null()),
            default=cast(call("len", call("regexp_extract_all", it.copy(), text(found))), "int4"),
        ),
    )


function("regexp_count", "text text -> int4 | text text int4 -> int4 | text text int4 text -> int4", _count)


def _matches(c: Call) -> Meant:
    """A row for each match: here for the first, or for all where the pattern takes out nothing else."""
    c.writing.spread += 1
    said = c.said(2, "the flags") if len(c.args) > 2 else ""
    if "g" not in said:
        first = _match(c)
        rows = once(
            first, lambda it: case((is_null(it), call("list_value")), default=call("list_value", it.copy()))
        )
        return Meant(call("unnest", rows), "text[]")
    found, _ = _pattern(c, 1, 2, many=True)
    if groups(found) > 1:
        raise cannot("several brackets with the flag g", c.at)
    every = call("regexp_extract_all", c.args[0], text(found), num(groups(found)))
    each = exp.Lambda(this=call("list_value", exp.column("el")), expressions=[exp.to_identifier("el")])
    return Meant(call("unnest", call("list_transform", every, each)), "text[]")


function("regexp_matches", "text text -> text[] | text text text -> text[]", _matches)


def _split(c: Call) -> exp.Expr:
    found, _ = _pattern(c, 1, 2 if len(c.args) > 2 else None)
    if re.compile(re.sub(r"\\p\{\w+\}", "a", found)).match("") is not None:
        raise cannot("a match of nothing", c.at)
    return call("regexp_split_to_array", c.args[0], text(found))


function("regexp_split_to_array", "text text -> text[] | text text text -> text[]", _split)


def _rows(c: Call) -> exp.Expr:
    c.writing.spread += 1
    return call("unnest", _split(c))


function("regexp_split_to_table", "text text -> text | text text text -> text", _rows)
