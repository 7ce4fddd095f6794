"""The page on rollups says what Ingot says."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ingot.cli.app import app

PAGE = Path(__file__).parents[2] / "docs/how-to/rollups.md"
PAIRS = re.findall(
    r"```json\n(.*?)\n```\n```text\n(.*?)\n```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the page's cube over a few orders, loaded and with its rollup built by `ingot run`."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "ingot.yml").touch()
    (folder / "semantic/cubes").mkdir(parents=True)
    cube = re.search(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert cube is not None
    (folder / "semantic/cubes/orders.yml").write_text(cube[1], encoding="utf-8")
    lines = [
        f"{n},{'new' if n % 2 else 'done'},Rome,2026-01-{n:02d} 10:30:00,{n}.5,{n % 3}" for n in range(1, 29)
    ]
    (folder / "orders.csv").write_text("\n".join(["id,status,city,created_at,amount,buyer", *lines]) + "\n")
    done = CliRunner().invoke(app, ["run", "--project", str(folder)])
    assert done.exit_code == 0, done.output
    return folder


def test_the_page_has_questions() -> None:
    assert len(PAIRS) > 6


@pytest.mark.parametrize(("query", "said"), PAIRS)
def test_each_question_of_the_page_is_answered_as_it_says(project: Path, query: str, said: str) -> None:
    done = CliRunner().invoke(app, ["rollup", "explain", query, "--project", str(project)])
    assert done.exit_code == 0, done.output
    assert done.stdout.strip() == said
