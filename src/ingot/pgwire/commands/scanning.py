"""Tokens of PostgreSQL's SQL, exactly enough to split a text into statements and to read commands.

It knows strings (plain, escaped, dollar-quoted, continued on the next line), quoted names, nested comments and
parameters. It does not know grammar.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from ingot.pgwire.errors import PgError


class Kind(Enum):
    """What a token is."""

    WORD = auto()
    """A keyword or a name without quotes, in lower case."""
    NAME = auto()
    """A name in double quotes, without them."""
    STRING = auto()
    """A string, decoded."""
    NUMBER = auto()
    PARAMETER = auto()
    SYMBOL = auto()
    """One character of anything else."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token and where it stands in the text."""

    kind: Kind
    value: str
    start: int
    end: int


_NEXT_LINE = r"(?:[ \t\f\v]|--[^\n\r]*+)*+[\n\r](?:\s|--[^\n\r]*+[\n\r])*+"
_PLAIN = r"'[^']*+(?:''[^']*+)*+'"
_ESCAPED = r"'[^'\\]*+(?:(?:\\.|'')[^'\\]*+)*+'"

_TOKEN = re.compile(
    rf"""
      (?P<space>\s+|--[^\n\r]*)
    | (?P<comment>/\*)
    | (?P<escaped>[eE]{_ESCAPED}(?:{_NEXT_LINE}{_ESCAPED})*)
    | (?P<string>(?:[uU]&|[bBxXnN])?{_PLAIN}(?:{_NEXT_LINE}{_PLAIN})*)
    | (?P<name>(?:[uU]&)?"[^"]*+(?:""[^"]*+)*+")
    | (?P<word>[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_$\x80-\U0010ffff]*)
    | (?P<parameter>\$[0-9]+)
    | (?P<dollar>\$(?:[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]*)?\$)
    | (?P<number>(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9]+)?)
    | (?P<symbol>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT = re.compile(r"/\*|\*/")
_ESCAPE = re.compile(
    r"\\(?:([0-7]{1,3})|x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))|''", re.DOTALL
)
_LETTERS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_BETWEEN = re.compile(_NEXT_LINE)
_PLAIN_PIECE = re.compile(_PLAIN)
_ESCAPED_PIECE = re.compile(_ESCAPED, re.DOTALL)


def tokens(text: str, start: int = 0, end: int | None = None) -> list[Token]:
    """The tokens between two places of a text, without space and comments.

    Raises `PgError` 42601 for a string, name or comment that does not end.
    """
    found: list[Token] = []
    at = start
    stop = len(text) if end is None else end
    match = _TOKEN.match
    while at < stop:
        hit = match(text, at, stop)
        assert hit is not None
        kind = hit.lastgroup
        at = hit.end()
        if kind == "space":
            continue
        if kind == "comment":
            at = _after_comment(text, hit.start(), stop)
        elif kind == "word":
            if hit[0] in "eE" and text.startswith("'", at, stop):
                raise _unended("quoted string", text, hit.start())
            found.append(Token(Kind.WORD, hit[0].lower(), hit.start(), at))
        elif kind == "dollar":
            close = text.find(hit[0], at, stop)
            if close < 0:
                raise _unended("dollar-quoted string", text, hit.start())
            found.append(Token(Kind.STRING, text[at:close], hit.start(), close + len(hit[0])))
            at = close + len(hit[0])
        elif kind == "symbol":
            if hit[0] in "'\"":
                raise _unended("quoted string" if hit[0] == "'" else "quoted identifier", text, hit.start())
            found.append(Token(Kind.SYMBOL, hit[0], hit.start(), at))
        else:
            found.append(_valued(kind, hit))
    return found


def split(text: str) -> list[list[Token]]:
    """The statements of a text, each as its tokens; empty ones are left out. Raises `PgError` as `tokens`."""
    statements: list[list[Token]] = []
    current: list[Token] = []
    for token in tokens(text):
        if token.kind is Kind.SYMBOL and token.value == ";":
            if current:
                statements.append(current)
                current = []
        else:
            current.append(token)
    if current:
        statements.append(current)
    return statements


def _valued(kind: str | None, hit: re.Match[str]) -> Token:
    raw = hit[0]
    if kind == "name":
        value = raw[raw.index('"') + 1 : -1].replace('""', '"')
        return Token(Kind.NAME, value, hit.start(), hit.end())
    if kind == "string":
        value = "".join(_pieces(raw, _PLAIN_PIECE)).replace("''", "'")
        return Token(Kind.STRING, value, hit.start(), hit.end())
    if kind == "escaped":
        value = "".join(_ESCAPE.sub(_unescaped, piece) for piece in _pieces(raw, _ESCAPED_PIECE))
        return Token(Kind.STRING, value, hit.start(), hit.end())
    return Token(Kind.PARAMETER if kind == "parameter" else Kind.NUMBER, raw, hit.start(), hit.end())


def _pieces(raw: str, piece: re.Pattern[str]) -> Iterator[str]:
    """What stands between the quotes of a string, which may go on in the next line."""
    at = raw.index("'")
    while hit := piece.match(raw, at):
        yield hit[0][1:-1]
        between = _BETWEEN.match(raw, hit.end())
        if between is None:
            return
        at = between.end()


def _unescaped(hit: re.Match[str]) -> str:
    octal, short, four, eight, letter = hit.groups()
    if octal:
        return chr(int(octal, 8) & 0xFF)
    if code := short or four or eight:
        number = int(code, 16)
        return chr(number) if number <= 0x10FFFF else "\ufffd"
    return "'" if letter is None else _LETTERS.get(letter, letter)


def _after_comment(text: str, start: int, stop: int) -> int:
    depth, at = 1, start + 2
    while depth:
        hit = _COMMENT.search(text, at, stop)
        if hit is None:
            raise _unended("/* comment", text, start)
        depth += 1 if hit[0] == "/*" else -1
        at = hit.end()
    return at


def _unended(what: str, text: str, start: int) -> PgError:
    near = text[start : start + 60]
    return PgError(f'unterminated {what} at or near "{near}"', sqlstate="42601", position=start + 1)
