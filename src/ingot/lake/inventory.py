"""Everything that a catalog remembers, seen at one moment: what maintenance judges files by."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ingot.lake.model import Put, Ref


@dataclass(frozen=True, slots=True)
class Recorded:
    """A commit without its words."""

    parents: tuple[str, ...]
    time: datetime
    puts: tuple[Put, ...]


@dataclass(frozen=True, slots=True)
class Move:
    """A ref that was pointed at a commit."""

    name: str
    hash: str | None
    """None: the name was given up."""
    time: datetime


@dataclass(frozen=True, slots=True)
class Inventory:
    """All refs, commits and moves of refs at one moment."""

    mark: int
    """A move of a ref; this knows all before it. For `Catalog.standing_still`."""
    refs: tuple[Ref, ...]
    commits: Mapping[str, Recorded]
    """By hash, also those that no ref leads to any more."""
    moves: tuple[Move, ...]
    """In their order."""
