"""What docs/how-to/sql/federation.md says is true."""

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.pgwire.lake.shop import Shop, opened, sqlite

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "sql" / "federation.md"


def blocks(language: str) -> list[str]:
    """The blocks of the page in a language."""
    found = re.findall(r"```(\w*)\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    return [text for kind, text in found if kind == language]


@pytest.fixture(scope="module")
def project(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("page") / "shop"
    (folder / "data").mkdir(parents=True)
    sqlite(folder / "data" / "till.db")
    with psycopg.connect(postgres, autocommit=True) as con:
        con.execute("CREATE TABLE IF NOT EXISTS public.customers AS SELECT * FROM raw.customers")
    sources = {
        found[1]: text for text in blocks("yaml") if (found := re.match(r"# sources/(\w+)\.yml", text))
    }
    assert set(sources) == {"crm", "till"}
    with opened(folder, sources, CRM_URL=postgres) as made:
        yield made


@pytest.mark.parametrize("sql", blocks("sql"))
def test_the_statements_of_the_page_work(project: Shop, sql: str) -> None:
    assert project.ask(sql)


def test_the_join_of_the_page_is_right(project: Shop) -> None:
    (join,) = [sql for sql in blocks("sql") if "at_the_till" in sql]
    assert project.ask(join) == [("ann", "ann", "24.90"), ("bob", "bob", "100.00")]


def test_the_plan_of_the_page_has_the_form_that_explain_has(project: Shop) -> None:
    (asked,) = [sql for sql in blocks("sql") if sql.startswith("EXPLAIN")]
    shown = next(text for text in blocks("") if "Postgres Scan" in text)
    lines = "\n".join(str(line) for (line,) in project.ask(asked))
    assert re.sub(r"rows=\d+", "", lines).split() == re.sub(r"rows=\d+", "", shown).split()
