"""The SQL port of a project: the server, its sources and its catalog put together, from start to stop."""

import socket
from importlib import import_module

from ingot.engines.duckdb import DuckDBEngine
from ingot.errors import IngotError
from ingot.lake import Lake
from ingot.pgwire.door import Door, server_secret
from ingot.pgwire.ports import SessionInfo, Source
from ingot.pgwire.server import Limits, Server
from ingot.pgwire.tls import Certificate
from ingot.project import Project
from ingot.project.accounts import Accounts
from ingot.project.root import absolute
from ingot.semantic import Service


def _no_tls() -> None:
    """There is no certificate."""


class SqlPort:
    """The SQL port. It is made where the service is, and started in the loop that serves."""

    def __init__(self, project: Project, service: Service, lake: Lake, engine: DuckDBEngine) -> None:
        self._service = service
        self._lake = lake
        self._engine = engine
        auth, tls = project.auth, project.serve.sql_tls
        accounts = Accounts(project.users, project.root) if project.users is not None else None
        if auth is not None and accounts is None:
            raise IngotError("The SQL port has no users.", hint="ingot user add NAME")
        door = Door(
            accounts,
            secret=server_secret(project.state_dir) if accounts is not None else b"",
            needs_tls=tls is not None and tls.require,
        )
        certificate = (
            Certificate(absolute(tls.certificate, project.root), absolute(tls.key, project.root))
            if tls is not None
            else None
        )
        self._server = Server(
            project.name,
            self._open,
            authenticate=door.authenticate,
            may_read_lake=lambda context: auth is None or auth.opens_lake(context.groups),
            tls=certificate.context if certificate is not None else _no_tls,
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
