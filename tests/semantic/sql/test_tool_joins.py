"""What BI tools and analysts write for two or three related tables, beside plain SQL over the raw tables."""

from collections.abc import Iterator

import duckdb
import pytest

from ingot.engines.duckdb import connect
from ingot.semantic import Service
from tests.semantic import shop
from tests.semantic.sql.keyed_shop import ALL, cubes, served
from tests.semantic.sql.test_forms import plain
from tests.semantic.sql.tool_joins import WRITTEN


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with served(tmp_path_factory.mktemp("tools"), cubes(), shop.VIEWS) as found:
        yield found


@pytest.fixture(scope="module")
def raw() -> Iterator[duckdb.DuckDBPyConnection]:
    with connect() as con:
        shop.fill(con, ALL)
        yield con


@pytest.mark.parametrize(("name", "text", "by_hand"), WRITTEN, ids=[name for name, _, _ in WRITTEN])
def test_a_tools_join_gives_what_plain_sql_gives(
    service: Service, raw: duckdb.DuckDBPyConnection, name: str, text: str, by_hand: str
) -> None:
    assert plain(service.query_sql(text).rows()) == plain(raw.execute(by_hand).fetchall()), name
