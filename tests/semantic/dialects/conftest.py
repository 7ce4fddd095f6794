from collections.abc import Iterator

import pytest

from tests.lake.clients import spark as sparks
from tests.lake.clients import trino as trinos
from tests.lake.clients.spark import Spark
from tests.lake.clients.trino import Trino
from tests.semantic.dialects import things
from tests.semantic.dialects.inlined import InlinedShop
from tests.semantic.dialects.shops import PostgresShop, connection


@pytest.fixture(scope="package")
def postgres() -> Iterator[PostgresShop]:
    with connection() as con:
        yield PostgresShop(con)


@pytest.fixture(scope="package")
def postgres_things(postgres: PostgresShop) -> PostgresShop:
    made = PostgresShop(postgres.con, things.TABLES)
    made.fill(things.ROWS)
    return made


@pytest.fixture(scope="package")
def trino(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trino]:
    with trinos.running(tmp_path_factory.mktemp("trino"), {}) as found:
        yield found


@pytest.fixture(scope="package")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spark]:
    with sparks.running(tmp_path_factory.mktemp("spark")) as found:
        yield found


@pytest.fixture(scope="package")
def trino_shop(trino: Trino) -> InlinedShop:
    return InlinedShop("trino", trino.sql)


@pytest.fixture(scope="package")
def spark_shop(spark: Spark) -> InlinedShop:
    return InlinedShop("databricks", spark.sql)


@pytest.fixture(scope="package")
def trino_things(trino: Trino) -> InlinedShop:
    made = InlinedShop("trino", trino.sql, things.TABLES)
    made.fill(things.ROWS)
    return made


@pytest.fixture(scope="package")
def spark_things(spark: Spark) -> InlinedShop:
    made = InlinedShop("databricks", spark.sql, things.TABLES)
    made.fill(things.ROWS)
    return made
