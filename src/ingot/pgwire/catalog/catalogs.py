"""`Catalogs`: the entry of the room. Which cluster a session's catalog is in, from start to stop."""

from pathlib import Path

from ingot.pgwire.catalog.ports import CatalogSource, Showing
from ingot.pgwire.ports import SessionInfo


class Catalogs:
    """The catalogs of one server."""

    def __init__(self, showing: Showing, *, folder: Path) -> None:
        """`folder`: where what is worth keeping is kept between starts (`.ingot/sql`)."""
        self._showing = showing
        self._folder = folder
        self.reduced: str | None = None
        """Why the catalog is the smaller one, as a sentence for who starts the server; None where it is not."""
        self.server_version = ""
        """Which PostgreSQL answers: what clients are to be told."""

    async def start(self) -> None:
        """Returns at once; what takes time goes on beside, and the first statement waits for it."""
        raise NotImplementedError

    async def stop(self) -> None:
        """Ends every process and leaves nothing but the template."""
        raise NotImplementedError

    def open(self, info: SessionInfo) -> CatalogSource:
        """The catalog for one session. It waits for nothing: that does its first statement."""
        raise NotImplementedError
