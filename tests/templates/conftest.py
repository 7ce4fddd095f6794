from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from tests.templates.expected import opened

from ingot import templates

UNTIL = date(2026, 11, 20)


@dataclass(frozen=True)
class Shop:
    """Generated raw data, and the same as tables of plain DuckDB."""

    path: Path
    con: duckdb.DuckDBPyConnection

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query over the raw files."""
        return self.con.execute(sql).fetchall()

    def one(self, sql: str) -> Any:
        """The single value of a query over the raw files."""
        return self.ask(sql)[0][0]


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The shop at scale 1; not to be changed."""
    directory = tmp_path_factory.mktemp("shop")
    templates.generate(directory, until=UNTIL)
    with opened(directory) as con:
        yield Shop(directory, con)
