"""Where something stands in the project's files. Knows nothing about what stands there."""

from dataclasses import dataclass, field
from typing import NamedTuple

Mark = tuple[int, int]
"""Line and column, both counted from 1."""


class Place(NamedTuple):
    """A position in a file; `file` is relative to the project's root, with forward slashes."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


NOWHERE = Place("<code>")
"""The place of a spec that was made in Python instead of being read from a file."""


@dataclass(frozen=True, slots=True)
class Marks:
    """The positions of one YAML mapping: its own, and those of its keys and values."""

    file: str
    at: Mark
    keys: dict[str, Mark] = field(default_factory=dict)
    values: dict[str, Mark] = field(default_factory=dict)

    @property
    def place(self) -> Place:
        return Place(self.file, *self.at)

    def key(self, name: str) -> Place:
        """Where the key stands; the mapping's own place for a key that is not written there."""
        return Place(self.file, *self.keys.get(name, self.at))

    def value(self, name: str) -> Place:
        """Where the key's value stands; the mapping's own place for a key that is not written there."""
        return Place(self.file, *self.values.get(name, self.at))
