"""What a command is, and how its words are read."""

from typing import TYPE_CHECKING, Protocol

from ingot.pgwire.commands.scanning import Kind, Token
from ingot.pgwire.errors import PgError
from ingot.pgwire.ports import Field

if TYPE_CHECKING:
    from ingot.pgwire.portals import Answer, Portal
    from ingot.pgwire.session import Session

TEXT_OID = 25


class Command(Protocol):
    """A statement that the session answers."""

    @property
    def tag(self) -> str:
        """What CommandComplete says."""

    @property
    def ends_failure(self) -> bool:
        """Whether it is let through while a failed transaction waits for its end."""

    @property
    def query(self) -> tuple[str, int] | None:
        """The query inside (of DECLARE, COPY) and where it starts in the statement's text; None for none."""

    def fields(self, session: "Session", /) -> tuple[Field, ...] | None:
        """The columns of its rows; None for none."""

    async def run(self, session: "Session", portal: "Portal", /) -> "Answer":
        """Does it. Raises `IngotError`."""


class Plain:
    """A command without rows and without a query inside."""

    ends_failure = False

    @property
    def query(self) -> tuple[str, int] | None:
        return None

    def fields(self, _session: "Session", /) -> tuple[Field, ...] | None:
        return None


class Words:
    """The tokens of a command, read from left to right."""

    def __init__(self, text: str, tokens: list[Token]) -> None:
        self.text = text
        self._tokens = tokens
        self._at = 0

    @property
    def next(self) -> Token | None:
        """The token that comes; None at the end."""
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def ahead(self, number: int) -> Token | None:
        """A token further on."""
        return self._tokens[self._at + number] if self._at + number < len(self._tokens) else None

    def word(self, *wanted: str) -> str | None:
        """Takes the next token where it is one of these keywords."""
        token = self.next
        if token is not None and token.kind is Kind.WORD and token.value in wanted:
            self._at += 1
            return token.value
        return None

    def symbol(self, wanted: str) -> bool:
        """Takes the next token where it is this character."""
        token = self.next
        if token is not None and token.kind is Kind.SYMBOL and token.value == wanted:
            self._at += 1
            return True
        return False

    def take(self, *kinds: Kind) -> Token:
        """Takes the next token, which must be of one of these kinds."""
        token = self.next
        if token is None or token.kind not in kinds:
            raise self.wrong()
        self._at += 1
        return token

    def name(self) -> str:
        """Takes a name."""
        return self.take(Kind.WORD, Kind.NAME).value

    def expect(self, *wanted: str) -> str:
        """Takes one of these keywords, which must come."""
        found = self.word(*wanted)
        if found is None:
            raise self.wrong()
        return found

    def expect_symbol(self, wanted: str) -> None:
        """Takes a character, which must come."""
        if not self.symbol(wanted):
            raise self.wrong()

    def end(self) -> None:
        """Nothing may come any more."""
        if self.next is not None:
            raise self.wrong()

    def rest(self) -> tuple[str, int]:
        """The text from the next token to the end, and where it starts."""
        token = self.next
        if token is None:
            raise self.wrong()
        return self.text[token.start : self._tokens[-1].end], token.start

    def wrong(self) -> PgError:
        """The error for the next token."""
        token = self.next
        if token is None:
            return PgError(
                "syntax error at end of input", sqlstate="42601", position=self._tokens[-1].end + 1
            )
        near = self.text[token.start : token.end]
        return PgError(f'syntax error at or near "{near}"', sqlstate="42601", position=token.start + 1)
