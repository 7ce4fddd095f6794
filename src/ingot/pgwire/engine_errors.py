"""What the engine says of a statement that was written for it, in PostgreSQL's words and without the engine's SQL."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ingot.engines import QueryError
from ingot.pgwire.errors import PgError

_LENGTHS = {"8": "smallint", "16": "smallint", "32": "integer", "64": "bigint"}
_Words = str | Callable[[re.Match[str]], str]
_SAID: tuple[tuple[str, str, _Words], ...] = (
    (
        r'column "(?P<name>[^"]+)" must appear in the GROUP BY',
        "42803",
        'column "{name}" must appear in the GROUP BY clause or be used in an aggregate function',
    ),
    (
        r"Overflow in \w+ of INT(?P<bits>8|16|32|64)\b",
        "22003",
        lambda found: f"{_LENGTHS[found['bits']]} out of range",
    ),
    (r"Overflow in \w+ of|out of range", "22003", "value out of range"),
    (
        r"More than one row returned by a subquery",
        "21000",
        "more than one row returned by a subquery used as an expression",
    ),
    (r"Subquery returns \d+ columns - expected 1", "42601", "subquery must return only one column"),
    (r"aggregate function calls cannot be nested", "42803", "aggregate function calls cannot be nested"),
    (
        r"(?P<where>WHERE|GROUP BY|JOIN|LIMIT) clause cannot contain aggregates",
        "42803",
        "aggregate functions are not allowed in {where}",
    ),
    (
        r"(?P<where>WHERE|GROUP BY|HAVING|JOIN) clause cannot contain window functions",
        "42P20",
        "window functions are not allowed in {where}",
    ),
    (
        r"(?:Scalar|Aggregate) Function with name \"?(?P<name>\w+)\"? does not exist",
        "42809",
        "window function {name} requires an OVER clause",
    ),
    (r'window "(?P<name>[^"]+)" does not exist', "42704", 'window "{name}" does not exist'),
)
_CODES = (
    (re.compile(r"division by zero", re.IGNORECASE), "22012"),
    (re.compile(r"\AConversion Error"), "22P02"),
    (re.compile(r"\AParser Error"), "42601"),
    (re.compile(r"\AInvalid Input Error"), "22023"),
    (re.compile(r"\ANot implemented Error", re.IGNORECASE), "0A000"),
    (re.compile(r"\ABinder Error|\ACatalog Error"), "42000"),
)
_PATTERNS = tuple((re.compile(pattern), code, words) for pattern, code, words in _SAID)


@contextmanager
def in_words() -> Iterator[None]:
    """Errors of the engine inside of the block come out as PostgreSQL tells them."""
    try:
        yield
    except QueryError as error:
        if getattr(error, "sqlstate", None):
            raise
        raise said(error.message) from None


def known(message: str) -> tuple[str, str] | None:
    """PostgreSQL's code and words for what the engine says, where there are such."""
    for pattern, code, words in _PATTERNS:
        found = pattern.search(message)
        if found is not None:
            return code, words.format(**found.groupdict()) if isinstance(words, str) else words(found)
    return None


def said(message: str) -> PgError:
    """The error for what the engine says."""
    found = known(message)
    if found is not None:
        return PgError(found[1], sqlstate=found[0])
    first = message.partition("\n")[0]
    code = next((code for pattern, code in _CODES if pattern.search(first)), "XX000")
    return PgError(re.sub(r"\A(?:[A-Z][A-Za-z]* )+Error: ", "", first), sqlstate=code)
