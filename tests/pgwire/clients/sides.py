"""Two servers that a client may be pointed at: ours, and a PostgreSQL that has the same tables and rows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True)
class Side:
    """A server, and what a client needs to connect to it."""

    name: str
    port: int
    user: str = "reader"
    database: str = "storefront"
    host: str = "127.0.0.1"

    def uri(self, driver: str = "postgresql", database: str | None = None) -> str:
        """The address as libpq, SQLAlchemy (`postgresql+psycopg`) and node's driver read it."""
        return f"{driver}://{self.user}@{self.host}:{self.port}/{quote(database or self.database)}"

    @property
    def environment(self) -> Mapping[str, str]:
        """What libpq's programs read from the environment."""
        return {
            "PGHOST": self.host,
            "PGPORT": str(self.port),
            "PGUSER": self.user,
            "PGDATABASE": self.database,
        }


@dataclass(frozen=True)
class Sides:
    """What every client is tried on. `http` is our server's page and its HTTP surfaces."""

    ours: Side
    judge: Side
    http: str
    project: str

    def __iter__(self) -> Iterator[Side]:
        """Both, the judge first: what fails there is the test's fault."""
        return iter((self.judge, self.ours))
