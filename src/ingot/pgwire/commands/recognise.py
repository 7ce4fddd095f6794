"""Which statement the session answers itself, by its first words."""

from ingot.pgwire.commands import (
    backends,
    copying,
    cursors,
    housekeeping,
    prepared,
    setting,
    transactions,
    writing,
)
from ingot.pgwire.commands.command import Command, Words
from ingot.pgwire.commands.scanning import Kind, Token

_QUERIES = frozenset({"select", "with", "values", "table", "explain"})


def recognise(text: str, tokens: list[Token]) -> Command | None:
    """The command that a statement is; None where the source answers it.

    `text` is the whole text that the tokens are of. Raises `PgError` 42601 where a command is not well formed.
    """
    first = tokens[0]
    if first.kind is not Kind.WORD:
        return None
    words = Words(text, tokens)
    name = words.name()
    if name in _QUERIES:
        return (backends.backend(words) or setting.set_config(words)) if name == "select" else None
    return _command(name, words)


def _command(name: str, words: Words) -> Command | None:  # noqa: PLR0911, PLR0912 - one line a command
    match name:
        case "set":
            return setting.set_(words)
        case "show":
            return setting.show(words)
        case "reset":
            return setting.reset(words)
        case "begin":
            return transactions.begin(words)
        case "start":
            return transactions.start(words)
        case "commit" | "end" | "rollback" | "abort":
            return transactions.finish(words, name)
        case "savepoint" | "release":
            return transactions.savepoint(words, name)
        case "lock":
            return transactions.lock(words)
        case "declare":
            return cursors.declare(words)
        case "fetch" | "move":
            return cursors.fetch(words, name)
        case "close":
            return cursors.close(words)
        case "prepare":
            return prepared.prepare(words)
        case "execute":
            return prepared.execute(words)
        case "deallocate":
            return prepared.deallocate(words)
        case "discard":
            return housekeeping.discard(words)
        case "listen":
            return housekeeping.listen(words)
        case "unlisten":
            return housekeeping.unlisten(words)
        case "notify":
            return housekeeping.notify(words)
        case "copy":
            return copying.copy(words)
        case "do" | "call" | "load" | "checkpoint":
            return writing.Refused(name.upper())
        case _:
            return writing.write(words, name) if name in writing.FIRST else None


def row_tag(tokens: list[Token]) -> str:
    """What CommandComplete says of a statement that a source answers."""
    first = tokens[0]
    if first.kind is Kind.WORD and first.value not in ("select", "with", "values", "table"):
        return first.value.upper()
    return "SELECT"
