"""dbt's connections: a cursor of the branch's DuckDB for every thread."""

from typing import Any

from dbt.adapters.contracts.connection import Connection, ConnectionState
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.adapters.duckdb.credentials import DuckDBCredentials
from dbt.adapters.duckdb.environments.local import LocalEnvironment
from dbt.adapters.exceptions import FailedToConnectError
from duckdb import DuckDBPyConnection

from ingot.transform.adapter.branch import CATALOG, Branch


class IngotEnvironment(LocalEnvironment):  # type: ignore[misc]
    """dbt-duckdb's environment on the connection that a `Branch` has made."""

    def __init__(self, credentials: DuckDBCredentials, branch: Branch) -> None:
        super().__init__(credentials)
        self.conn: DuckDBPyConnection | None = branch.connection

    @classmethod
    def initialize_cursor(cls, creds: DuckDBCredentials, cursor: Any, *rest: Any, **more: Any) -> Any:
        """A cursor in whose SQL a name without a database is one of the branch (cursors do not inherit USE)."""
        made = super().initialize_cursor(creds, cursor, *rest, **more)
        made.execute(f"USE {CATALOG}")
        return made

    def close(self) -> None:
        """Leaves the connection to the branch, whose it is."""
        self.conn = None


class IngotConnectionManager(DuckDBConnectionManager):  # type: ignore[misc]
    """Hands out cursors of `branch`, which the worker sets before it starts dbt."""

    TYPE = "ingot"
    branch: Branch | None = None

    @classmethod
    def open(cls, connection: Connection) -> Connection:
        """Opens a cursor for a thread of dbt."""
        if connection.state == ConnectionState.OPEN:
            return connection
        with cls._LOCK:
            if cls.branch is None:
                raise FailedToConnectError("No lake branch was given to dbt.")
            # On the base class, because dbt-duckdb's relations look there.
            if DuckDBConnectionManager._ENV is None:  # noqa: SLF001
                DuckDBConnectionManager._ENV = IngotEnvironment(connection.credentials, cls.branch)  # noqa: SLF001
            connection.handle = DuckDBConnectionManager._ENV.handle()  # noqa: SLF001
            connection.state = ConnectionState.OPEN
        return connection

    @classmethod
    def close_all_connections(cls) -> None:
        """Forgets the environment."""
        with cls._LOCK:
            DuckDBConnectionManager._ENV = None  # noqa: SLF001

    @classmethod
    def use(cls, branch: Branch | None) -> None:
        """Sets the branch of the build that follows, or none."""
        cls.close_all_connections()
        cls.branch = branch

    @classmethod
    def current(cls) -> Branch:
        """The branch of the build under way."""
        if cls.branch is None:
            raise FailedToConnectError("No lake branch was given to dbt.")
        return cls.branch

    def cancel(self, connection: Connection) -> Any:
        """Interrupts the statement that the connection is running."""
        if connection.handle is not None:
            connection.handle.cursor().interrupt()
