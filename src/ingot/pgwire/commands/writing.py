"""Statements that write: refused, in the words that PostgreSQL has for a read-only transaction."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingot.pgwire.commands.command import Plain, Words
from ingot.pgwire.commands.scanning import Kind, Token
from ingot.pgwire.errors import PgError
from ingot.pgwire.portals import Answer, Portal

if TYPE_CHECKING:
    from ingot.pgwire.session import Session

FIRST = frozenset({
    "insert", "update", "delete", "merge", "truncate", "create", "alter", "drop", "grant", "revoke", "comment",
    "reindex", "cluster", "refresh", "vacuum", "analyze", "analyse", "security", "import", "reassign",
})  # fmt: skip
"""The first words of statements that write."""
_MODIFIERS = frozenset({
    "or", "replace", "temp", "temporary", "local", "global", "unlogged", "recursive", "unique", "concurrently", "if",
    "not", "exists",
})  # fmt: skip
_TWO = {
    "materialized": "MATERIALIZED VIEW", "foreign": "FOREIGN TABLE", "event": "EVENT TRIGGER", "access": "ACCESS METHOD",
    "text": "TEXT SEARCH", "operator": "OPERATOR", "default": "DEFAULT PRIVILEGES",
}  # fmt: skip


@dataclass
class Write(Plain):
    """A statement that would write."""

    tag: str

    async def run(self, _session: "Session", _portal: Portal) -> Answer:
        raise PgError(f"cannot execute {self.tag} in a read-only transaction", sqlstate="25006")


@dataclass
class Refused(Plain):
    """A statement that is not offered."""

    tag: str

    async def run(self, _session: "Session", _portal: Portal) -> Answer:
        raise PgError(f"{self.tag} is not offered here: this server only reads", sqlstate="0A000")


def write(words: Words, first: str) -> Write:
    """A statement that writes, behind its first word."""
    return Write(_tag(words, first))


_LONG = {
    "truncate": "TRUNCATE TABLE", "refresh": "REFRESH MATERIALIZED VIEW", "import": "IMPORT FOREIGN SCHEMA",
    "reassign": "REASSIGN OWNED", "security": "SECURITY LABEL", "analyse": "ANALYZE",
}  # fmt: skip


def _tag(words: Words, first: str) -> str:
    if first not in ("create", "alter", "drop"):
        return _LONG.get(first, first.upper())
    while (token := words.next) is not None and token.kind is Kind.WORD and token.value in _MODIFIERS:
        words.name()
    token = words.next
    if token is None or token.kind is not Kind.WORD:
        raise words.wrong()
    words.name()
    kind = _TWO.get(token.value, token.value.upper())
    if first == "create" and kind == "TABLE" and _has_as(words):
        return "CREATE TABLE AS"
    if kind == "USER":
        kind = "ROLE"
    return f"{first.upper()} {kind}"


def _has_as(words: Words) -> bool:
    number, depth = 0, 0
    while (token := words.ahead(number)) is not None:
        depth += _depth(token)
        if depth == 0 and token.kind is Kind.WORD and token.value == "as":
            return True
        number += 1
    return False


def _depth(token: Token) -> int:
    if token.kind is not Kind.SYMBOL:
        return 0
    return (token.value == "(") - (token.value == ")")
