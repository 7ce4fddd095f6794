"""The pages of docs/how-to/sql are executed: their SQL, their commands and their programs, against our server."""

import os
import re
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from tests.pgwire.clients.missing import missing
from tests.pgwire.clients.sides import Sides
from tests.pgwire.clients.test_psql import programs

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parents[3] / "docs" / "how-to" / "sql"
NAMES = (
    "index", "psql", "sqlalchemy", "superset", "excel", "power-bi", "tableau", "looker-studio", "sigma", "metabase",
    "grafana", "dbeaver", "dbt", "arrow", "duckdb", "go",
)  # fmt: skip
BLOCKS = [
    (name, language, text)
    for name in NAMES
    for language, text in re.findall(
        r"```(\w+)\n(.*?)\n```", (FOLDER / f"{name}.md").read_text(encoding="utf-8"), flags=re.DOTALL
    )
]


def _of(language: str) -> pytest.MarkDecorator:
    found = [(name, text) for name, kind, text in BLOCKS if kind == language]
    ids = [f"{name} {number}" for number, (name, _) in enumerate(found)]
    return pytest.mark.parametrize(("name", "text"), found, ids=ids)


@_of("sql")
def test_the_sql_of_a_page_gives_rows(sides: Sides, name: str, text: str) -> None:
    text = text.removesuffix("\\crosstabview")
    with psycopg.connect(sides.ours.uri(), autocommit=True) as con:
        for statement in filter(None, map(str.strip, text.split(";"))):
            cursor = con.execute(statement.encode())
            rows = cursor.fetchall() if cursor.description else None
    assert rows or name == "dbt"  # the check of the page about dbt finds nothing, as it should


@_of("sh")
def test_the_commands_of_a_page_succeed(sides: Sides, name: str, text: str, tmp_path: Path) -> None:
    found = programs()
    if not found:
        missing("psql is not installed")
    told = text.replace("-p 15432", f"-p {sides.ours.port}").replace("-h localhost", f"-h {sides.ours.host}")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", told],
        env={**os.environ, "PATH": f"{Path(found[0]).parent}:{os.environ['PATH']}"},
        cwd=tmp_path, input="SELECT 1;\n", text=True, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout


@_of("python")
def test_the_programs_of_a_page_run(sides: Sides, name: str, text: str, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(text.replace("localhost:15432", f"{sides.ours.host}:{sides.ours.port}"))
    done = subprocess.run(
        [sys.executable, str(program)], text=True, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_every_page_says_what_was_tested() -> None:
    for name in NAMES:
        text = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
        assert "ested" in text.split("\n## ")[0] or name == "index", name
        if name != "index":
            assert f"]({name}.md)" in (FOLDER / "index.md").read_text(encoding="utf-8")
