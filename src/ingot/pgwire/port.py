"""The SQL port of a project: the server, its sources and its catalog put together, from start to stop."""

import socket

from ingot.engines.duckdb import DuckDBEngine
from ingot.errors import IngotError
from ingot.lake import Lake
from ingot.pgwire.catalog.catalogs import Catalogs
from ingot.pgwire.door import Door, server_secret
from ingot.pgwire.federation import Federation
from ingot.pgwire.federation_shown import FederatedShowing
from ingot.pgwire.lake_source import LakeReader
from ingot.pgwire.server import Limits, Server
from ingot.pgwire.sources import Sources
from ingot.pgwire.tls import Certificate
from ingot.project import Project
from ingot.project.accounts import Accounts
from ingot.project.loading import Databases
from ingot.project.root import absolute
from ingot.semantic import Service
from ingot.semantic.sql.questions.columns import faces


def _no_tls() -> None:
    """There is no certificate."""


class SqlPort:
    """The SQL port. It is made where the service is, and started in the loop that serves."""

    def __init__(self, project: Project, service: Service, lake: Lake, engine: DuckDBEngine) -> None:
        self._federation = Federation(project, lake)
        showing = FederatedShowing(project.name, service, lake, self._federation)
        self._catalogs = Catalogs(showing, folder=project.state_dir / "sql")
        timeout = project.serve.query_timeout
        tables = LakeReader(
            engine,
            service.states,
            self._federation,
            faces=lambda info: faces(service.seen(info.context)),
            timeout=timeout,
        )
        self._sources = Sources(service, catalogs=self._catalogs, tables=tables)
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
            self._sources,
            authenticate=door.authenticate,
            may_read_lake=lambda context: auth is None or auth.opens_lake(context.groups),
            tls=certificate.context if certificate is not None else _no_tls,
            limits=Limits(
                connections=project.serve.sql_connections,
                statement_seconds=timeout,
                rows=project.serve.sql_rows,
            ),
            version=self._catalogs.server_version,
        )

    @property
    def reduced(self) -> str | None:
        """Why the catalog is a smaller one, as a sentence for who starts the server; None where it is not."""
        return self._catalogs.reduced

    def attach(self, databases: Databases) -> bool:
        """Reads these databases beside the lake from now on; whether there is anything new with them."""
        return self._federation.attach(databases)

    async def start(self, listener: socket.socket) -> None:
        """Accepts connections at a socket that is bound."""
        await self._catalogs.start()
        await self._server.start(listener)

    async def stop(self) -> None:
        """Lets every client go, within half a second."""
        await self._server.stop(0.25)
        await self._catalogs.stop()
        self._sources.close()
        self._federation.close()
