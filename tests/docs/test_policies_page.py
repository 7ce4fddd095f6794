"""The page on policies says what Ingot says."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ingot.cli.app import app
from ingot.semantic.context import Context
from ingot.semantic.policy import hooks

PAGE = Path(__file__).parents[2] / "docs/how-to/policies.md"
TEXT = PAGE.read_text(encoding="utf-8")
SAID = re.findall(r"```console\n\$ ingot (.*?)\n(.*?)```", TEXT, flags=re.DOTALL)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the page's cube and cases over three orders."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "ingot.yml").touch()
    (folder / "semantic/cubes").mkdir(parents=True)
    (folder / "policies").mkdir()
    cube, cases = re.findall(r"```yaml\n(.*?)```", TEXT, flags=re.DOTALL)
    (folder / "semantic/cubes/orders.yml").write_text(cube, encoding="utf-8")
    (folder / "policies/orders.yml").write_text(cases, encoding="utf-8")
    rows = [
        "1,Rome,a@b.com,2026-01-01 10:00:00,5",
        "2,Rome,c@d.com,2026-01-02 10:00:00,6",
        "3,Oslo,e@f.com,2026-01-03 10:00:00,7",
    ]
    (folder / "orders.csv").write_text("\n".join(["id,city,email,created_at,amount", *rows]) + "\n")
    done = CliRunner().invoke(app, ["run", "--project", str(folder)])
    assert done.exit_code == 0, done.output
    return folder


@pytest.mark.parametrize(("command", "said"), SAID)
def test_each_command_of_the_page_says_what_stands_there(project: Path, command: str, said: str) -> None:
    done = CliRunner().invoke(app, [*shlex.split(command), "--project", str(project)])
    assert done.exit_code == 0, done.output
    assert done.stdout == said
    assert len(SAID) == 2


def test_the_hooks_of_the_page_work(tmp_path: Path) -> None:
    code = re.search(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
    assert code is not None
    (tmp_path / "cube.py").write_text(code[1])
    made = hooks.load(tmp_path)
    asker = made.context(Context({"country": "IT", "roles": ["sales"]}))
    assert asker.groups == ("sales",)
    found = made.queries({"measures": ["orders.count"]}, asker)
    assert isinstance(found, dict)
    assert found["filters"][0]["values"] == ["IT"]
    with pytest.raises(hooks.HookError, match="names no country"):
        made.queries({}, Context())
