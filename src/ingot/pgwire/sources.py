"""What answers for the sessions of one server: made once, it gives each session its own composite source."""

from typing import TYPE_CHECKING

from ingot.pgwire.model_source import ModelReader
from ingot.pgwire.ports import SessionInfo, Source
from ingot.pgwire.route import Routed

if TYPE_CHECKING:
    from ingot.pgwire.catalog.catalogs import Catalogs
    from ingot.pgwire.lake_source import LakeReader
    from ingot.semantic import Service


class Sources:
    """Opens the sources of sessions; see `ports.Opener`."""

    def __init__(
        self,
        service: "Service",
        *,
        catalogs: "Catalogs | None" = None,
        tables: "LakeReader | None" = None,
    ) -> None:
        self._model = ModelReader(service)
        self._catalogs = catalogs
        self._tables = tables

    def __call__(self, info: SessionInfo, /) -> Source:
        """The source of one session. Raises `NotFoundError` where its ref is not there."""
        catalog = self._catalogs.open(info) if self._catalogs is not None else None
        tables = self._tables.source(info) if self._tables is not None and info.lake else None
        return Routed(info, self._model.source(info, catalog), catalog, tables)

    def close(self) -> None:
        """Ends the threads."""
        self._model.close()
