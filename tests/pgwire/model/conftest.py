"""One store for the tests that only read, and a fresh one for those that change it."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.pgwire.answering import Running
from tests.pgwire.model.serving import serving
from tests.pgwire.model.store import USERS, Store, store

Con = psycopg.Connection[tuple[object, ...]]


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with store(tmp_path_factory.mktemp("store")) as made:
        yield made


@pytest.fixture(scope="session")
def server(shop: Store) -> Iterator[Running]:
    with serving(shop.service) as made:
        yield made


@pytest.fixture
def con(server: Running) -> Iterator[Con]:
    with psycopg.connect(server.dsn, autocommit=True) as made:
        yield made


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server where `boss` sees everything, and `clerk` what the policies leave him."""
    with (
        store(tmp_path_factory.mktemp("guarded"), policies=True) as made,
        serving(made.service, USERS) as running,
    ):
        yield running


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Store]:
    with store(tmp_path, orders=50) as made:
        yield made
