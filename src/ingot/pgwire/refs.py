"""The sources of a session: one for each ref that it reads, because `SET ingot.ref` moves it to another."""

from dataclasses import replace

from ingot.errors import UsageError
from ingot.pgwire.errors import PgError
from ingot.pgwire.ports import Opener, SessionInfo, Source
from ingot.semantic.context import Context

MOST = 8
"""Refs that a session may read."""


class Refs:
    """Opens sources when they are needed, and keeps them."""

    def __init__(self, info: SessionInfo, opener: Opener) -> None:
        self.info = info
        """Who is connected, and what is read now."""
        self.first = info.ref
        """What the database's name says."""
        self._opener = opener
        self._sources: dict[str, Source] = {}

    def now(self) -> Source:
        """The source of the ref that is set now. Raises `IngotError`."""
        ref = self.info.settings["ingot.ref"] or self.first
        if ref != self.info.ref:
            self.info = self._moved(ref)
        found = self._sources.get(ref)
        return found if found is not None else self.open(ref)

    def open(self, ref: str) -> Source:
        """The source of a ref. Raises `IngotError` where it is not there."""
        source = self._sources.get(ref)
        if source is None:
            if len(self._sources) >= MOST:
                raise PgError(
                    f"a session reads at most {MOST} refs", sqlstate="53400", hint="Open another connection."
                )
            try:
                source = self._sources[ref] = self._opener(self._moved(ref))
            except UsageError as error:  # it is not there, or no name of a ref
                raise PgError(error.message, sqlstate="3D000", hint=error.hint) from error
        return source

    async def become(self, context: Context, *, lake: bool) -> None:
        """Other rights: every source is opened anew with them, when it is needed."""
        self.info = replace(self.info, context=context, lake=lake)
        await self.close()

    def cancel(self) -> None:
        """Stops what runs."""
        for source in self._sources.values():
            source.cancel()

    async def close(self) -> None:
        """Gives everything back."""
        sources, self._sources = list(self._sources.values()), {}
        for source in sources:
            await source.close()

    def _moved(self, ref: str) -> SessionInfo:
        if ref == self.info.ref:
            return self.info
        return replace(self.info, ref=ref, database=f"{self.info.database.partition('@')[0]}@{ref}")
