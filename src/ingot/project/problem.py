"""A mistake in a project file, and the error that reports all of them at once.

Later rooms (the semantic layer, dashboards) report what only they can see with the same two classes.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ingot.errors import UsageError, nearest
from ingot.project.place import Place

if TYPE_CHECKING:
    from ingot.project.model_parts import ModelParts

_QUOTED = re.compile(r"'([^']*)'")
_MOST_NAMES = 40


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: where, what, what was expected instead, and the nearest name that exists."""

    place: Place
    message: str
    expected: str | None = None
    nearest: str | None = None

    def __str__(self) -> str:
        text = f"{self.place}: {self.message}"
        if self.nearest is not None:
            text += f"; did you mean '{self.nearest}'?"
        if self.expected is not None:
            text += f" (expected {self.expected})"
        return text


def problem(
    place: Place,
    message: str,
    *,
    known: Iterable[str] = (),
    name: str | None = None,
    expected: str | None = None,
) -> Problem:
    """A problem that lists `known` names and says the nearest one to `name`.

    `name` defaults to the first word in single quotes in the message.
    """
    names = sorted(set(known))
    if name is None and names and (quoted := _QUOTED.search(message)):
        name = quoted.group(1)
    if expected is None and names:
        shown = ", ".join(names[:_MOST_NAMES])
        expected = f"one of: {shown}{', …' if len(names) > _MOST_NAMES else ''}"
    return Problem(place, message, expected, nearest(name, names) if name else None)


class ProjectError(UsageError):
    """The project's files are wrong; `problems` has every mistake of every file, in file order."""

    code: ClassVar[str] = "project"

    def __init__(self, problems: Sequence[Problem], *, hint: str | None = None) -> None:
        self.parts: ModelParts | None = None
        """The model's files as far as they could be read."""
        self.problems = tuple(dict.fromkeys(sorted(problems, key=lambda p: (p.place, p.message))))
        super().__init__("\n".join(str(p) for p in self.problems), hint=hint)
