"""The page "Write models with templates" is executed: its files are written and its commands run."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ingot.engines.duckdb import connect
from ingot.lake import Lake
from ingot.project import load
from ingot.semantic.compiler.models import Models
from ingot.semantic.context import ANYONE, Context

pytestmark = pytest.mark.slow

PAGE = (Path(__file__).parents[2] / "docs/how-to/model-templates.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)\n```", PAGE, flags=re.DOTALL)
TABLES = {
    "gold.customers": "SELECT 1 AS customer_id, 'Rome' AS city",
    "gold.orders": "SELECT i AS order_id, 1 AS customer_id, 5 AS amount FROM range(3) t(i)",
    "gold.tickets": "SELECT 1 AS id, 'open' AS status, ' x ' AS title",
    "gold.visits_north": "SELECT 1 AS id",
    "gold.visits_south": "SELECT 2 AS id",
}


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The project after the steps of the page, and what its commands printed."""
    root = tmp_path_factory.mktemp("page") / "shop"
    root.mkdir()
    (root / "ingot.yml").write_text("name: shop\n")
    with Lake.open(load(root)) as lake, connect() as con:
        # The tables of the page's own cubes come later, so that `generate` has only the others.
        for names in (("gold.customers", "gold.orders"), tuple(TABLES)[2:]):
            lake.commit(
                "main", [lake.stage(con, name, TABLES[name], on="main") for name in names], message="tables"
            )
            if names[0] == "gold.customers":
                printed = [ran(root, BLOCKS[0][1])]
    for kind, text in BLOCKS[1:]:
        first, _, rest = text.partition("\n")
        if named := re.fullmatch(r"# (\S+\.(?:yml|py|jinja))", first):
            path = root / named[1]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(rest + "\n")
        elif kind == "sh":
            printed.append(ran(root, text))
    return root, printed


def ran(root: Path, text: str) -> str:
    script = re.sub(r"^ingot ", f"{sys.executable} -m ingot ", text, flags=re.MULTILINE)
    found = subprocess.run(
        ["bash", "-euc", script],
        cwd=root,
        env=os.environ,
        text=True,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert found.returncode == 0, text + found.stdout + found.stderr
    return found.stdout


@pytest.mark.slow
def test_the_commands_of_the_page_do_what_it_says(done: tuple[Path, list[str]]) -> None:
    root, (generated, south, checked) = done
    assert "orders: primary key order_id" in generated
    assert "join to customers by customer_id (every value is there)" in generated
    assert (root / "semantic/cubes/orders.yml").is_file()
    assert south.startswith("valid  4 cubes")
    assert "orders }o--|| customers : many_to_one" in checked


def test_the_templates_of_the_page_make_what_it_says(done: tuple[Path, list[str]]) -> None:
    project = load(done[0])
    tickets = next(cube for cube in project.cubes if cube.name == "tickets")
    assert tickets.sql_table == "gold.tickets"
    assert [one.name for one in tickets.measures] == ["count", "open_count", "closed_count"]
    assert tickets.dimensions[1].sql == "trim(title)"
    models = Models(project, lambda _project, _model: None)
    assert models.of(ANYONE).cubes["visits"].tables == ("gold.visits_north",)
    assert models.of(Context({"region": "south"})).cubes["visits"].tables == ("gold.visits_south",)
