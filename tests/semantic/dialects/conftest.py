from collections.abc import Iterator

import pytest

from tests.semantic.dialects.shops import PostgresShop, postgres_shop


@pytest.fixture(scope="package")
def postgres() -> Iterator[PostgresShop]:
    with postgres_shop() as made:
        yield made
