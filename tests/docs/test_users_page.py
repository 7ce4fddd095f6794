"""The page on users says what Ingot says."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ingot.cli.app import app
from ingot.pgwire.attempts import FREE, LONGEST, MOST_ADDRESS, MOST_USER, WINDOW
from ingot.project import load
from ingot.project.users import load_users

PAGE = Path(__file__).parents[2] / "docs/how-to/users.md"
TEXT = PAGE.read_text(encoding="utf-8")
USERS, SETTINGS = re.findall(r"```yaml\n(.*?)```", TEXT, flags=re.DOTALL)


def test_the_command_of_the_page_says_and_writes_what_stands_there(tmp_path: Path) -> None:
    (tmp_path / "ingot.yml").touch()
    ((command, said),) = re.findall(r"```console\n\$ ingot (.*?)\n(.*?)```", TEXT, flags=re.DOTALL)
    done = CliRunner().invoke(app, [*shlex.split(command), "--project", str(tmp_path)], input="pencil\n")
    assert done.exit_code == 0, done.output
    assert done.stdout == said
    (made,) = load_users(tmp_path / "users.yml", tmp_path, {})
    (tmp_path / "page.yml").write_text(USERS)
    (shown,) = load_users(tmp_path / "page.yml", tmp_path, {})
    assert (made.name, made.groups, made.security) == (shown.name, shown.groups, shown.security)
    assert made.scram.fits("pencil")
    assert shown.scram.fits("pencil")


def test_the_settings_of_the_page_are_right(tmp_path: Path) -> None:
    (tmp_path / "ingot.yml").write_text(SETTINGS)
    (tmp_path / "users.yml").write_text(USERS)
    project = load(tmp_path)
    assert project.serve.sql_tls is not None
    assert project.serve.sql_tls.require
    assert project.users == tmp_path / "users.yml"


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("After three failures in a\nminute", (FREE, WINDOW) == (3, 60)),
        ("up to two seconds", LONGEST == 2),
        ("after twenty of one user, or two hundred in all", (MOST_USER, MOST_ADDRESS) == (20, 200)),
    ],
)
def test_the_numbers_of_the_page_are_those_of_the_code(said: str, meant: bool) -> None:
    assert said in TEXT
    assert meant
