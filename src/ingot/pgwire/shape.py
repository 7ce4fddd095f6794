"""What a statement names, read from its tokens: enough to know who answers it, whatever else stands in it.

It needs no grammar, so that it also works for texts that no parser here reads; who answers reads them properly.
"""

import asyncio
from dataclasses import dataclass, field
from functools import lru_cache

from ingot.pgwire.commands.scanning import Kind, Token, tokens

_ENDS_FROM = frozenset(
    {
        "where", "group", "having", "order", "limit", "offset", "fetch", "window", "for", "union", "intersect",
        "except",
    }
)  # fmt: skip
_LOCKS = frozenset({"update", "share", "no", "key"})
_WRITES = frozenset({"insert", "update", "delete", "merge"})
_QUERIES = frozenset({"select", "with", "values", "table"})
_OPTIONS = frozenset(
    {
        "analyze", "analyse", "verbose", "costs", "settings", "generic_plan", "buffers", "serialize", "wal",
        "timing", "summary", "memory", "format",
    }
)  # fmt: skip
KEPT = 2_000
LONGEST = 20_000
"""Characters of a text whose shape is kept."""


@dataclass(frozen=True, slots=True)
class Explained:
    """An EXPLAIN: what it is about and how it wants it."""

    text: str
    start: int
    """Characters before it in the whole text."""
    analyze: bool
    json: bool
    other: str | None = None
    """A format that is neither text nor JSON."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What is known of a statement without understanding it."""

    verb: str
    """Its first word, behind brackets."""
    tables: tuple[tuple[str, ...], ...] = ()
    """The names in FROM, folded as PostgreSQL does; those that WITH makes are left out."""
    writes: str = ""
    """What a query does beyond reading, as PostgreSQL calls it: SELECT INTO, SELECT FOR UPDATE, DELETE in WITH."""
    explained: Explained | None = None
    shows: str = ""
    """The second word of SHOW."""

    @property
    def reads(self) -> bool:
        """Whether it is nothing but a query."""
        return self.verb in _QUERIES and not self.writes


def shape(text: str) -> Shape:
    """The shape of one statement. Raises `PgError` 42601 for a string, name or comment that does not end."""
    return _kept(text) if len(text) <= LONGEST else _shape(text)


async def shape_of(text: str) -> Shape:
    """As `shape`, in a thread where the text is long, so that nobody else waits for it."""
    return shape(text) if len(text) <= LONGEST else await asyncio.to_thread(shape, text)


def without_database(text: str, databases: tuple[str, ...]) -> str:
    """A text in which no name of a database stands before the schema `public`; everything else keeps its place."""
    found = tokens(text)
    for first, dot, schema, then in zip(found, found[1:], found[2:], found[3:], strict=False):
        if dot.value == then.value == "." and schema.value == "public" and first.value in databases:
            text = text[: first.start] + " " * (dot.end - first.start) + text[dot.end :]
    return text


@dataclass(slots=True)
class _Level:
    """What is known between two brackets."""

    named: str | None = None
    """The name that WITH gives to what is in these brackets."""
    is_query: bool = False
    in_from: bool = False
    expects: bool = False
    """A table comes next."""
    names: set[str] = field(default_factory=set)
    """What WITH has named so far."""
    in_with: bool = False
    recursive: bool = False
    naming: str | None = None
    """What WITH names now; `as_` once its AS was read."""
    as_: bool = False
    is_new: bool = True


class _Reader:
    """Goes through the tokens of one statement."""

    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._levels = [_Level()]
        self.tables: list[tuple[str, ...]] = []
        self.writes = ""

    def read(self) -> None:
        at = 0
        while at < len(self._tokens):
            at = self._step(at)

    def _step(self, at: int) -> int:
        token = self._tokens[at]
        level = self._levels[-1]
        if token.kind is Kind.SYMBOL:
            self._symbol(token.value, level)
        elif token.kind in (Kind.WORD, Kind.NAME) and not self._is(at - 1, "."):
            if token.kind is Kind.WORD and self._word(token.value, at, level):
                pass
            elif level.in_with and level.naming == "":
                level.naming = token.value
                if level.recursive:
                    level.names.add(token.value)
            elif level.expects:
                return self._table(at, level)
        level.is_new = False
        return at + 1

    def _symbol(self, sign: str, level: _Level) -> None:
        if sign == "(":
            named = level.naming if level.in_with and level.as_ else None
            # Brackets where a table is expected are a sub-query, or joins.
            made = _Level(named, in_from=level.expects, expects=level.expects)
            if named is not None:
                level.naming, level.as_ = None, False
            level.expects = False
            self._levels.append(made)
        elif sign == ")":
            if len(self._levels) > 1:
                done = self._levels.pop()
                if done.named is not None:
                    self._levels[-1].names.add(done.named)
        elif sign == ",":
            if level.in_with and level.naming is None:
                level.naming = ""
            elif level.in_from:
                level.expects = True

    def _word(self, word: str, at: int, level: _Level) -> bool:  # noqa: PLR0912 - one for each word
        """Takes a word that has a meaning here; False for any other."""
        if word == "with" and level.is_new:
            level.in_with, level.naming = True, ""
        elif word == "recursive" and level.naming == "" and self._is(at - 1, "with"):
            level.recursive = True
        elif word == "as" and level.in_with and level.naming:
            level.as_ = True
        elif word in ("select", "values"):
            level.is_query = word == "select"
            level.in_from = level.expects = level.in_with = False
        elif word == "table" and (level.is_new or (level.in_with and level.naming is None)):
            level.in_from = level.expects = True
            level.in_with = False
        elif word == "from" and level.is_query:
            if not (self._is(at - 1, "distinct") and (self._is(at - 2, "is") or self._is(at - 2, "not"))):
                level.in_from = level.expects = True
        elif word == "join" and level.in_from:
            level.expects = True
        elif word in ("lateral", "only") and level.expects:
            pass
        elif word in _ENDS_FROM and level.is_query:
            level.in_from = level.expects = False
            if word == "for" and at + 1 < len(self._tokens) and self._tokens[at + 1].value in _LOCKS:
                words = [each.value for each in self._tokens[at + 1 : at + 4]]
                end = next((n for n, word in enumerate(words, 1) if word in ("update", "share")), 1)
                self.writes = f"SELECT FOR {' '.join(words[:end])}".upper()
        elif (word == "into" and level.is_query and not level.in_from) or (
            word in _WRITES and (level.is_new or (level.in_with and level.naming is None))
        ):
            self.writes = "SELECT INTO" if word == "into" else word.upper()
        else:
            return False
        return True

    def _table(self, at: int, level: _Level) -> int:
        level.expects = False
        level.is_new = False
        parts = [self._tokens[at].value]
        at += 1
        while self._is(at, ".") and at + 1 < len(self._tokens):
            parts.append(self._tokens[at + 1].value)
            at += 2
        if self._is(at, "("):  # a function
            return at
        if len(parts) > 1 or not any(parts[0] in each.names for each in self._levels):
            self.tables.append(tuple(parts))
        return at

    def _is(self, at: int, value: str) -> bool:
        if not 0 <= at < len(self._tokens):
            return False
        token = self._tokens[at]
        return token.value == value and token.kind in (Kind.WORD, Kind.SYMBOL)


def _shape(text: str) -> Shape:
    found = tokens(text)
    start = next((at for at, each in enumerate(found) if each.value != "("), len(found))
    if start == len(found):
        return Shape("")
    first = found[start]
    verb = first.value if first.kind is Kind.WORD else ""
    if verb == "explain" and start == 0:
        return Shape(verb, explained=_explained(text, found))
    if verb == "show":
        return Shape(verb, shows=found[start + 1].value if start + 1 < len(found) else "")
    if verb not in _QUERIES:
        return Shape(verb)
    reader = _Reader(found)
    reader.read()
    return Shape(verb, tuple(dict.fromkeys(reader.tables)), reader.writes)


_kept = lru_cache(KEPT)(_shape)


def _explained(text: str, found: list[Token]) -> Explained | None:
    """What an EXPLAIN says; None where it is not understood, so that PostgreSQL says what is wrong with it."""
    options: dict[str, str] = {}
    at = 1
    words = [each.value if each.kind is Kind.WORD else None for each in found]
    if at + 1 < len(found) and found[at].value == "(" and words[at + 1] in _OPTIONS:
        at += 1
        while at < len(found) and found[at].value != ")":
            name = words[at]
            if name not in _OPTIONS:
                return None
            at += 1
            value = ""
            if at < len(found) and found[at].value not in (",", ")"):
                value = found[at].value.lower()
                at += 1
            options[name.replace("analyse", "analyze")] = value
            if at < len(found) and found[at].value == ",":
                at += 1
        at += 1
    else:
        while at < len(found) and words[at] in ("analyze", "analyse", "verbose"):
            options[str(words[at]).replace("analyse", "analyze")] = ""
            at += 1
    if at >= len(found):
        return None
    form = options.get("format", "text")
    return Explained(
        text[found[at].start :],
        found[at].start,
        "analyze" in options and options["analyze"] not in ("off", "false", "0"),
        form == "json",
        form if form not in ("text", "json") else None,
    )
