"""The smaller catalog where PostgreSQL is not there."""

from collections.abc import Mapping, Sequence

from ingot.pgwire.catalog.ports import Answer, Described, Showing
from ingot.pgwire.errors import PgError
from ingot.pgwire.ports import SessionInfo, Statement


class ReducedSource:
    """The smaller catalog for one session."""

    def __init__(self, showing: Showing, info: SessionInfo, version: str) -> None:
        self._showing = showing
        self._info = info
        self._version = version

    async def prepare(self, text: str, parameters: Sequence[int] = ()) -> Statement:  # noqa: ARG002
        """Raises `PgError`."""
        raise PgError("not yet", sqlstate="0A000")

    async def describe(self, text: str, parameters: Sequence[int] = ()) -> Described:  # noqa: ARG002
        """Raises `PgError`."""
        raise PgError("not yet", sqlstate="0A000")

    async def setting(self, text: str) -> Answer:  # noqa: ARG002
        """Raises `PgError`."""
        raise PgError("not yet", sqlstate="0A000")

    async def parameters(self) -> Mapping[str, str]:
        """Nothing."""
        return {"server_version": self._version}

    def cancel(self) -> None:
        """Nothing runs."""

    async def close(self) -> None:
        """Nothing is open."""
