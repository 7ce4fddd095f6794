"""`ingot policy`: cases that pass and fail, and explanations."""

import json
import sys
from pathlib import Path

import pytest

from ingot.cli import main
from ingot.project.verifier import Verifier

CUBE = """
cubes:
  - name: orders
    sql_table: raw.orders
    dimensions:
      - {name: id, sql: id, type: number, primary_key: true}
      - {name: city, sql: city, type: string}
    measures: [{name: count, type: count}]
    access_policy:
      - group: sales
        member_level: {includes: [count], excludes: []}
        member_masking: {includes: [city]}
        row_level: {filters: [{or: [{member: city, operator: equals, values: ["{ security_context.city }"]}, {member: city, operator: notSet}]}]}
"""
CASES = """
cases:
  - {name: fine, as: {groups: sales, security_context: {city: Rome}}, sees: orders.count, masked: orders.city,
     query: {measures: [orders.count]}, expect: [{orders.count: 2}]}
  - {name: groups of the token, as: {security_context: {groups: [sales]}}, cannot_see: orders.id}
  - {name: sees too much, as: {groups: sales}, cannot_see: [orders, orders.nope], sees: [orders.city, orders.id]}
  - {name: other rows, as: {groups: sales, security_context: {city: Oslo}}, query: {measures: [orders.count]},
     expect: [{orders.count: 2}], rows: 3, every: {orders.count: [5, "6"]}}
  - {name: not refused, as: {groups: sales}, query: {measures: [orders.count]}, expect: refused}
  - {name: refused, query: {measures: [orders.count]}, rows: 0}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    (folder / "ingot.yml").touch()
    (folder / "orders.csv").write_text("id,city\n1,Rome\n2,Rome\n3,Oslo\n")
    (folder / "semantic").mkdir()
    (folder / "semantic" / "orders.yml").write_text(CUBE)
    (folder / "policies").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        assert ingot(patch, folder, "run") == 0
    return folder


def ingot(monkeypatch: pytest.MonkeyPatch, folder: Path, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["ingot", *arguments, "--project", str(folder)])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_failed_cases_say_why_and_end_with_1(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "policies" / "a.yml").write_text(CASES)
    assert ingot(monkeypatch, folder, "policy", "test", "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["passed"], told["failed"]) == (2, 4)
    why = {one["name"]: one["failures"] for one in told["cases"]}
    assert why["fine"] == why["groups of the token"] == []
    assert why["sees too much"] == [
        "'orders.city' is masked",
        "'orders.id' is hidden",
        "'orders.city' can be seen, and 1 more",
        "there is no member, cube or view 'orders.nope' (did you mean 'orders'?)",
    ]
    assert why["other rows"] == [
        "not expected: orders.count = 1",
        "missing: orders.count = 2",
        "1 rows instead of 3",
        "1 rows have another orders.count, such as '1'",
    ]
    assert why["not refused"] == ["the query is not refused: it gives 1 rows"]
    assert why["refused"] == ["the query is refused: There is no cube or view 'orders'."]
    assert ingot(monkeypatch, folder, "policy", "test") == 1
    assert "FAIL  refused" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cases: [{name: a}]", "checks nothing"),
        ("cases: [{name: a, query: {measures: [orders.count]}}]", "what is expected"),
        ("cases: [{name: a, rows: 1}]", "needs both"),
        ("cases: [{name: a, sees: b, nope: 1}]", "nope"),
    ],
)
def test_a_wrong_case_is_named_with_its_place(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    (folder / "policies" / "a.yml").write_text(text)
    assert ingot(monkeypatch, folder, "policy", "test") == 2
    told = capsys.readouterr().err
    assert said in told
    assert "policies/a.yml:1" in told


def test_a_project_without_cases_is_told_how_to_write_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "policies" / "a.yml").unlink(missing_ok=True)
    assert ingot(monkeypatch, folder, "policy", "test") == 2
    assert "no case" in capsys.readouterr().err


def test_explain_names_entries_and_result(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ("policy", "explain", "orders.city", "--json")
    assert ingot(monkeypatch, folder, *asked, "--as", '{"groups": "sales"}') == 0
    told = json.loads(capsys.readouterr().out)
    assert told["result"] == "masked"
    entry = told["policies"][0]["entries"][0]
    assert entry["rows"] == "(orders.city equals {security_context.city} or orders.city notSet)"
    assert ingot(monkeypatch, folder, *asked) == 0
    assert json.loads(capsys.readouterr().out)["result"] == "hidden"
    assert ingot(monkeypatch, folder, "policy", "explain", "orders.cit") == 2
    assert "did you mean 'orders.city'" in capsys.readouterr().err
    assert ingot(monkeypatch, folder, "policy", "explain", "orders.city", "--as", "[1]") == 2


def test_users_of_the_project_ask_by_their_names(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    verifier = str(Verifier.of("pencil"))
    users = {
        "ann": {"verifier": verifier, "groups": ["sales"], "security": {"city": "Rome"}},
        "bob": {"verifier": verifier},
    }
    (folder / "users.yml").write_text(json.dumps({"users": users}))
    (folder / "policies" / "a.yml").write_text(
        """
cases:
  - {name: ann sees Rome, as: {user: ann}, sees: orders.count, masked: orders.city,
     query: {measures: [orders.count]}, expect: [{orders.count: 2}]}
  - {name: bob sees nothing, as: {user: bob}, cannot_see: orders}
  - {name: nobody is not there, as: {user: anne}, cannot_see: orders}
"""
    )
    assert ingot(monkeypatch, folder, "policy", "test") == 1
    said = capsys.readouterr().out
    assert "ok    ann sees Rome\nok    bob sees nothing\nFAIL  nobody is not there\n" in said
    assert "There is no user 'anne' (did you mean 'ann'?)" in said
    for user, result in (("ann", "masked"), ("bob", "hidden")):
        assert ingot(monkeypatch, folder, "policy", "explain", "orders.city", "--user", user, "--json") == 0
        assert json.loads(capsys.readouterr().out)["result"] == result
    assert ingot(monkeypatch, folder, "policy", "explain", "orders.city", "--user", "eve") == 2
    assert "eve" in capsys.readouterr().err
    assert ingot(monkeypatch, folder, "policy", "explain", "orders.city", "--user", "ann", "--as", "{}") == 2
    assert "--as and --user" in capsys.readouterr().err
    (folder / "policies" / "a.yml").write_text(
        "cases: [{name: both, as: {user: ann, groups: [boss]}, sees: orders.count}]\n"
    )
    assert ingot(monkeypatch, folder, "policy", "test") == 2
    assert "users.yml has" in capsys.readouterr().err
    (folder / "users.yml").unlink()
    (folder / "policies" / "a.yml").unlink()
    assert ingot(monkeypatch, folder, "policy", "explain", "orders.city", "--user", "ann") == 2
    assert "ingot user list" in capsys.readouterr().err
