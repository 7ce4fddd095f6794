"""The family of errors that a person is meant to read, and the search for the name they probably meant.

Every room raises subclasses of `IngotError`. The surfaces turn them into an exit code, an HTTP status or
a SQLSTATE; nothing else of an error's text is made up on the way. Anything that is not an `IngotError` is
a bug of ours.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import ClassVar


class IngotError(Exception):
    """Something a person can mend: the data, a name, a file, the machine.

    Attributes:
        message: one or more sentences: what happened, where, what was expected.
        hint: the next thing to do, usually a command; None where there is nothing sensible.
    """

    code: ClassVar[str] = "failed"
    """Stable name of the kind of error, for machines."""
    exit_code: ClassVar[int] = 1
    """1: the data or the run failed. 2: the command or the project's files are wrong."""
    status: ClassVar[int] = 400
    """The HTTP status that says the same."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message}\n  {self.hint}"


class UsageError(IngotError):
    """The command, the request or a project file asks for something that does not exist or make sense."""

    code = "usage"
    exit_code = 2


class NotFoundError(UsageError):
    """A ref, table, member, dashboard or run that is not there; says the nearest name that is."""

    code = "not_found"
    status = 404

    def __init__(self, kind: str, name: str, known: Iterable[str] = (), *, hint: str | None = None) -> None:
        super().__init__(f"There is no {kind} '{name}'{did_you_mean(name, known)}.", hint=hint)
        self.kind = kind
        self.name = name


class ConflictError(IngotError):
    """Somebody else changed the same thing first; nothing was written."""

    code = "conflict"
    status = 409


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name closest to `name`, or None where none is close enough to be what was meant."""
    folded = {candidate.casefold(): candidate for candidate in known}
    found = get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    return folded[found[0]] if found else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """` (did you mean 'x'?)` for the nearest known name, or an empty string."""
    near = nearest(name, known)
    return f" (did you mean '{near}'?)" if near else ""
