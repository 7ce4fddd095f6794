"""Errors as PostgreSQL tells them: a SQLSTATE, and where in the statement."""

from collections.abc import Mapping

from ingot.errors import IngotError
from ingot.semantic.sql.errors import SqlError


class PgError(IngotError):
    """An error with PostgreSQL's code.

    Attributes:
        sqlstate: five characters of PostgreSQL's Appendix A.
        position: the character in the statement that it is about, from 1; None for all of it.
        detail: one more sentence; None for none.
        rest: further fields of the message, by their letters in the protocol.
    """

    def __init__(
        self,
        message: str,
        *,
        sqlstate: str = "42000",
        position: int | None = None,
        detail: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.sqlstate = sqlstate
        self.position = position
        self.detail = detail
        self.rest: Mapping[str, str] = {}


def outdated() -> PgError:
    """A prepared statement has other columns now. Drivers know this by the routine, and prepare it again."""
    error = PgError("cached plan must not change result type", sqlstate="0A000")
    error.rest = {"R": "RevalidateCachedQuery"}
    return error


def move(error: IngotError, by: int) -> None:
    """Makes the place of an error, where it has one, count from `by` characters earlier: the text was a part of another."""
    if isinstance(error, PgError | SqlError) and error.position is not None:
        error.position += by
