"""EXPLAIN of a SELECT over cubes and views."""

from collections.abc import Sequence

from ingot.pgwire.errors import PgError
from ingot.pgwire.model_source import ModelSource
from ingot.pgwire.ports import Statement
from ingot.pgwire.shape import Explained


class Explaining:
    """Prepares EXPLAIN for one session."""

    def __init__(self, source: ModelSource) -> None:
        self._source = source

    async def prepare(self, asked: Explained, parameters: Sequence[int] = ()) -> Statement:
        """The statement whose rows tell the plan. Raises `IngotError`."""
        raise PgError("EXPLAIN is not there yet", sqlstate="0A000")
