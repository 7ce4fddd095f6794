"""The state of a session's transaction, as clients see it. Nothing is ever written, so it guards settings and cursors only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from ingot.pgwire.errors import PgError
from ingot.pgwire.settings import Settings

Mark = tuple[Mapping[str, str], Mapping[str, str]]


class Stage(Enum):
    """Where a transaction is."""

    NONE = auto()
    SINGLE = auto()
    """Around one statement."""
    IMPLICIT = auto()
    """Around the statements of one text, or of one pipeline."""
    BLOCK = auto()
    """After BEGIN."""
    FAILED = auto()
    """After an error behind BEGIN: until ROLLBACK."""


@dataclass(slots=True)
class Transaction:
    """The one transaction that a session has. Savepoints have levels from 1; cursors remember where they were made."""

    settings: Settings
    stage: Stage = Stage.NONE
    _start: Mark | None = None
    _savepoints: list[tuple[str, Mark]] = field(default_factory=list)

    @property
    def status(self) -> bytes:
        """What ReadyForQuery says."""
        if self.stage is Stage.FAILED:
            return b"E"
        return b"T" if self.stage is Stage.BLOCK else b"I"

    @property
    def is_block(self) -> bool:
        """Whether commands that need a transaction block are allowed."""
        return self.stage in (Stage.IMPLICIT, Stage.BLOCK, Stage.FAILED)

    @property
    def is_explicit(self) -> bool:
        """Whether BEGIN was said."""
        return self.stage in (Stage.BLOCK, Stage.FAILED)

    @property
    def level(self) -> int:
        """How many savepoints there are."""
        return len(self._savepoints)

    def enter(self, stage: Stage) -> None:
        """A statement begins: there is a transaction around it, whether BEGIN was said or not."""
        if self.stage is Stage.NONE:
            self._start = self.settings.mark()
            self.stage = stage
        elif self.stage is Stage.SINGLE and stage is Stage.IMPLICIT:
            self.stage = stage

    def begin(self) -> None:
        """BEGIN."""
        if self._start is None:
            self._start = self.settings.mark()
        self.stage = Stage.BLOCK

    def fail(self) -> bool:
        """An error: a block waits for ROLLBACK, everything else is over. Gives back whether it is over."""
        if self.is_explicit:
            self.stage = Stage.FAILED
            return False
        self.roll_back()
        return True

    def commit(self) -> None:
        """The end: what was set stays."""
        self.settings.end_local()
        self._over()

    def roll_back(self) -> None:
        """The end: what was set is taken back."""
        if self._start is not None:
            self.settings.restore(self._start)
        self._over()

    def save(self, name: str) -> None:
        """SAVEPOINT."""
        self._savepoints.append((name, self.settings.mark()))

    def release(self, name: str) -> int:
        """RELEASE SAVEPOINT: what came after it now belongs to what came before. Gives back the level left."""
        del self._savepoints[self._find(name) :]
        return self.level

    def return_to(self, name: str) -> int:
        """ROLLBACK TO SAVEPOINT. Gives back the level of the savepoint: cursors made at it are gone."""
        at = self._find(name)
        del self._savepoints[at + 1 :]
        self.settings.restore(self._savepoints[at][1])
        self.stage = Stage.BLOCK
        return self.level

    def _find(self, name: str) -> int:
        for at in range(len(self._savepoints) - 1, -1, -1):
            if self._savepoints[at][0] == name:
                return at
        raise PgError(f'savepoint "{name}" does not exist', sqlstate="3B001")

    def _over(self) -> None:
        self.stage = Stage.NONE
        self._start = None
        self._savepoints.clear()
