"""The how-to page says which of its statements are tested. Here they are run, as they stand on the page."""

import re
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from ingot.lake import Lake

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "connect-clients.md"


def blocks(section: str, language: str, address: str) -> list[str]:
    """The code of a section of the page, sent to this server instead."""
    text = re.split(r"^## ", PAGE.read_text(), flags=re.MULTILINE)
    found = next(part for part in text if part.startswith(f"{section}\n"))
    assert "*Tested with" in found
    code = re.findall(rf"^```{language}\n(.*?)^```", found, flags=re.MULTILINE | re.DOTALL)
    return [block.replace("http://localhost:4000", address) for block in code]


@pytest.fixture
def written(duck: duckdb.DuckDBPyConnection, address: str, lake: Lake) -> list[tuple[object, ...]]:
    """Runs the statements for DuckDB; what the last one gives."""
    install, first, second = blocks("DuckDB", "sql", address)
    assert install == "INSTALL iceberg;\n"
    lake.catalog.protect("main")
    lake.branch("dev")
    duck.execute(first.replace("LOAD iceberg;", ""))
    lake.merge("dev")
    return duck.execute(second).fetchall()


def test_the_statements_for_duckdb_do_what_the_page_says(
    written: list[tuple[object, ...]], lake: Lake, duck: duckdb.DuckDBPyConnection
) -> None:
    assert [row[0] for row in written] == [2]
    assert lake.at("main").table("lab.prices").schema[-1].name == "currency"
    assert lake.at("main").table("lab.prices").rows == 2
    with pytest.raises(duckdb.Error, match="'main' is protected and moves only by merges"):
        duck.execute("INSERT INTO lake.lab.prices VALUES (3, 1, 'EUR')")
    lake.merge("dev")
    assert duck.execute("SELECT product FROM lake.lab.prices").fetchall() == [(1,)]


def test_the_program_for_pyiceberg_does_what_the_page_says(
    written: Callable[[], None], address: str, lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    (program,) = blocks("PyIceberg", "python", address)
    names: dict[str, object] = {}
    exec(compile(program, str(PAGE), "exec"), names)
    assert "stock: [[40]]" in capsys.readouterr().out
    assert "lab.stock" in lake.at("dev").tables
    assert "lab.stock" not in lake.at("main").tables
    names["catalog"].close()  # type: ignore[attr-defined]
