"""The page about SQL over the model: its statements are executed, its list of functions is the allow-list."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingot.semantic.sql.allowed import functions
from tests.semantic.lakes import ROWS, Served
from tests.semantic.sql.keyed_shop import cubes, kept

PAGE = (Path(__file__).parents[2] / "docs/reference/semantic-sql.md").read_text(encoding="utf-8")
STATEMENTS = re.findall(r"```sql\n(.*?)\n```", PAGE, flags=re.DOTALL)
ANSWERS = [
    [("done", 17, 2), ("new", 5, 1)],
    [(2, 10, 22)],
    [("large", 10), ("small", 12)],
    [("2026-01", 10, 10), ("2026-02", 12, 22)],
    [("O'Hare", 7), ("Rome", 15)],
    [("O'Hare", 1, None, 1, 7, 1), ("Rome", 1, 7, 2, 15, 2), (None, 1, 2, 0, None, 1)],
    [("done", 17)],
    [("done", 17), ("new", 5)],
    [(11.0, 2)],
    [("2026-01", 10), ("2026-02", 5)],
]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with kept(tmp_path_factory.mktemp("shop"), cubes(), rows=ROWS) as made:
        yield made


def test_each_statement_of_the_page_gives_what_it_says(shop: Served) -> None:
    found = [
        [
            tuple(f"{value:%Y-%m}" if hasattr(value, "year") else value for value in row)
            for row in shop.service.query_sql(text.rstrip(";")).rows()
        ]
        for text in STATEMENTS
    ]
    assert found == ANSWERS


def test_the_page_names_every_function_that_may_be_called() -> None:
    table = PAGE.split("<!-- functions -->")[1]
    said = set(re.findall(r"`([a-z_0-9]+)`", table.split("\n\n")[0]))
    assert said - {"measure"} == functions()
