"""`ingot user`: passwords come from where nobody else sees them, and are shown nowhere."""

import io
import json
import sys
from pathlib import Path

import pytest

from ingot.cli import main
from ingot.project.users import User, load_users


class Shell:
    """A project and its command line."""

    def __init__(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.folder = folder
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *arguments: str, stdin: str = "") -> tuple[int, str, str]:
        self._monkeypatch.setattr(sys, "argv", ["ingot", "user", *arguments, "--project", str(self.folder)])
        self._monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        with pytest.raises(SystemExit) as ended:
            main()
        told = self._capsys.readouterr()
        return int(ended.value.code or 0), told.out, told.err

    def users(self) -> dict[str, User]:
        return {user.name: user for user in load_users(self.folder / "users.yml", self.folder, {})}


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    (tmp_path / "ingot.yml").touch()
    return Shell(tmp_path, monkeypatch, capsys)


def test_add_list_passwd_and_remove(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    code, out, err = shell(
        "add", "ann", "--group", "sales", "--group", "eu", "--security", '{"x": "${Y}"}', stdin="pencil\n"
    )
    assert (code, err) == (0, "")
    assert out == "ann is in users.yml; from its next start on, ingot serve asks everybody for a login\n"
    monkeypatch.setenv("PASSWORD_OF_BOB", " spaces and é\n ")
    code, out, _ = shell("add", "b'o\"b", "--password-env", "PASSWORD_OF_BOB", "--json")
    assert json.loads(out) == {"user": "b'o\"b", "file": "users.yml"}
    users = shell.users()
    assert users["ann"].scram.fits("pencil")
    assert users["ann"].groups == ("sales", "eu")
    assert dict(users["ann"].security) == {"x": "${Y}"}
    assert users["b'o\"b"].scram.fits(" spaces and é\n ")
    _, out, _ = shell("list")
    assert out.splitlines() == [
        'ann                  sales, eu                      {"x": "${Y}"}',
        "b'o\"b",
    ]
    _, out, _ = shell("list", "--json")
    assert json.loads(out)["users"][0] == {
        "name": "ann",
        "groups": ["sales", "eu"],
        "security": {"x": "${Y}"},
    }
    assert "SCRAM" not in out
    assert shell("passwd", "ann", stdin="brush\n")[0] == 0
    assert shell.users()["ann"].scram.fits("brush")
    assert not shell.users()["ann"].scram.fits("pencil")
    assert shell("remove", "ann")[0] == 0
    assert list(shell.users()) == ["b'o\"b"]


def test_a_person_is_asked_twice(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(io, "StringIO", Terminal)
    answers = iter(["one", "one", "one", "two"])
    monkeypatch.setattr("ingot.cli.user.getpass", lambda _: next(answers))
    assert shell("add", "ann")[0] == 0
    assert shell.users()["ann"].scram.fits("one")
    code, _, err = shell("passwd", "ann")
    assert (code, "differ" in err) == (2, True)
    assert shell.users()["ann"].scram.fits("one")


@pytest.mark.parametrize(
    ("arguments", "stdin", "said"),
    [
        (["add", "ann"], "", "no password in the input"),
        (["add", "ann"], "\n", "no password in the input"),
        (["add", "ann", "--password-env", "NOT_SET_AT_ALL"], "x\n", "NOT_SET_AT_ALL is not set"),
        (["add", "ann", "--security", "{"], "x\n", "not JSON"),
        (["add", "ann", "--security", "[]"], "x\n", "not a JSON object"),
        (["add", "there"], "x\n", "a user 'there' already"),
        (["add", "a\tb"], "x\n", "a name without control characters"),
        (["passwd", "therr"], "x\n", "did you mean 'there'"),
        (["remove", "therr"], "", "did you mean 'there'"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(
    shell: Shell, arguments: list[str], stdin: str, said: str
) -> None:
    assert shell("add", "there", stdin="hunter2\n")[0] == 0
    before = (shell.folder / "users.yml").read_text()
    code, out, err = shell(*arguments, stdin=stdin)
    assert (code, out) == (2, "")
    assert said in err
    assert (shell.folder / "users.yml").read_text() == before
    assert "hunter2" not in before


def test_nobody_is_said(shell: Shell) -> None:
    assert shell("list")[1] == "no users in users.yml\n"
