"""One lake for all tests of this folder, and one PostgreSQL that has the same tables."""

from collections.abc import Iterator

import psycopg
import pytest

from tests.lake.postgres import server
from tests.pgwire.lake.shop import Shop, create, opened


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with opened(tmp_path_factory.mktemp("lake_sql") / "shop") as made:
        yield made


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL with the tables of the lake, and of a user who may write there."""
    with server() as url:
        address = url.replace("postgresql+psycopg", "postgresql")
        with psycopg.connect(address, autocommit=True) as con:
            for statement in create("postgres"):
                con.execute(statement)
        yield address
