"""The SQL port of a project: the server, its sources and its catalog put together, from start to stop."""

import socket
from importlib import import_module

from ingot.engines.duckdb import DuckDBEngine
from ingot.lake import Lake
from ingot.pgwire.ports import SessionInfo, Source
from ingot.pgwire.server import Limits, Server
from ingot.project import Project
from ingot.semantic import Service


class SqlPort:
    """The SQL port. It is made where the service is, and started in the loop that serves."""

    def __init__(self, project: Project, service: Service, lake: Lake, engine: DuckDBEngine) -> None:
        self._service = service
        self._lake = lake
        self._engine = engine
        self._server = Server(
            project.name,
            self._open,
            limits=Limits(statement_seconds=project.serve.query_timeout),
        )

    async def start(self, listener: socket.socket) -> None:
        """Accepts connections at a socket that is bound."""
        await self._server.start(listener)

    async def stop(self) -> None:
        """Lets every client go, within half a second."""
        await self._server.stop(0.25)

    def _open(self, info: SessionInfo) -> Source:
        found: Source = import_module("ingot.pgwire.route").open_source(
            info, self._service, self._lake, self._engine, None
        )
        return found
