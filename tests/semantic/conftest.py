from collections.abc import Iterator

import duckdb
import pytest

from ingot.engines.duckdb import connect
from tests.semantic.lakes import Served, served


@pytest.fixture(scope="module")
def shop_served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("shop")) as made:
        yield made


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(extensions=("icu",)) as made:
        yield made
