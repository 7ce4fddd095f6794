"""PostgreSQL as the judge: what a value looks like is asked of a real one."""

from collections.abc import Iterator

import psycopg
import pytest

from tests.lake.postgres import server

from .judging import Judge


@pytest.fixture(scope="session")
def judge() -> Iterator[Judge]:
    """A connection to a PostgreSQL that ends with the tests."""
    with server() as url, psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        yield Judge(connection)
