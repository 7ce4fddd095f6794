"""`users.yml`: what is read of it, what is wrong with it, and changes by command that leave the rest as it is."""

import os
import stat
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingot.errors import NotFoundError, UsageError
from ingot.project import ProjectError
from ingot.project.accounts import Accounts
from ingot.project.user_edits import UsersFile
from ingot.project.users import load_users
from ingot.project.verifier import Verifier

from .conftest import Folder

ONE, TWO = (str(Verifier.of(password)) for password in ("one", "two"))


def test_users_have_groups_and_a_security_context(folder: Folder) -> None:
    folder.write(
        "users.yml",
        f"users:\n  ann:\n    verifier: {ONE}\n    groups: [sales, eu]\n    security: {{country: IT, level: -3, of: [1, 2.5]}}\n"
        f"  007: {{verifier: '${{BOND}}'}}\n",
    )
    project = folder.load(environ={"BOND": TWO})
    assert project.users == folder.root / "users.yml"
    assert project.auth is not None
    assert project.auth.jwt is None
    ann, bond = load_users(project.users, folder.root, {"BOND": TWO})
    assert (ann.name, ann.groups, dict(ann.security)) == (
        "ann",
        ("sales", "eu"),
        {"country": "IT", "level": -3, "of": (1, 2.5)},
    )
    assert bond.name == "007"
    assert bond.scram.fits("two")


def test_without_the_file_nobody_has_to_log_in(folder: Folder) -> None:
    assert (folder.load().users, folder.load().auth) == (None, None)


def test_a_file_that_is_named_need_not_be_there_yet(folder: Folder) -> None:
    folder.write("ingot.yml", "auth: {users: secrets/people.yml}")
    assert folder.load().users == folder.root / "secrets" / "people.yml"
    folder.write("secrets/people.yml", f"users: {{ann: {{verifier: {ONE}}}}}")
    folder.write("users.yml", "not looked at")
    assert [path.name for path in folder.load().files][-1] == "people.yml"


def test_auth_names_somebody(folder: Folder) -> None:
    folder.write("ingot.yml", "auth: {lake_groups: x}")
    assert folder.problems() == [
        "ingot.yml:1:7: 'auth' names nobody who may ask (expected jwt, users or both)"
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("users:\n  ann: {}", "users.yml:2:8: user 'ann' has no 'verifier' (expected the key 'verifier')"),
        ("users:\n  ann: {verifier: hunter2}", "users.yml:2:19: the verifier of user 'ann' is none"),
        ("users:\n  ann: {password: hunter2}", "users.yml:2:9: unknown key 'password' in user 'ann'"),
        ("users:\n  ann: {verifier: [hunter2]}", "users.yml:2:19: 'verifier' of user 'ann' cannot be a list"),
        (f"users:\n  ann: {{verifier: {ONE.replace('4096', '100')}}}", "has 100 iterations (expected 4096 to"),
        (f"users:\n  ann: {{verifier: {ONE.replace('4096', '99999999')}}}", "has 99999999 iterations"),
        (f"users:\n  ann: {{verifier: {ONE}, group: x}}", "unknown key 'group' in user 'ann'; did you mean 'groups'?"),
        (f"users:\n  ann: {{verifier: {ONE}, security: 1}}", "'security' of user 'ann' cannot be '1'"),
        (f"users:\n  ann: {{verifier: {ONE}, security: {{x: [{'9' * 30}]}}}}", "cannot be written as JSON (expected numbers of 64"),
        (f"users:\n  - {{name: ann, verifier: {ONE}}}\n  - {{name: ann, verifier: {TWO}}}", "users.yml:3:12: the name 'ann' is used twice"),
        (f'users:\n  "a\\nb": {{verifier: {ONE}}}', "a name without control characters"),
        ("user: {}", "users.yml:1:1: unknown key 'user' in users.yml; did you mean 'users'?"),
        ("users: hunter2", "users.yml:1:8: "),
        ("[]", "users.yml:1:1: the file holds a list"),
        ("users: {", "users.yml:2:1: YAML"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_where_it_stands_without_what_may_be_a_password(
    folder: Folder, text: str, said: str
) -> None:
    folder.write("users.yml", text)
    problems = "\n".join(folder.problems())
    assert said in problems
    if not text.startswith("users: hunter2"):
        assert "hunter2" not in problems


def test_verifiers_are_not_shown(folder: Folder) -> None:
    folder.write("users.yml", f"users: {{ann: {{verifier: {ONE}}}}}")
    project = folder.load()
    assert project.users is not None
    shown = repr(load_users(project.users, folder.root, {})) + repr(project) + str(project.dump())
    assert "ann" in shown
    assert "SCRAM" not in shown


# --- changes

WRITTEN = f"""\
# our people
users:
  ann:  # since 2024
    verifier: {ONE}  # changed in May
    groups: [sales]  # until March

  # the chief
  bob:
    groups: [all]
    verifier: {ONE}
# the end
"""


def file_of(folder: Folder, text: str | None = None) -> UsersFile:
    if text is not None:
        folder.write("users.yml", text)
    return UsersFile(folder.root, {})


def text_of(folder: Folder) -> str:
    return (folder.root / "users.yml").read_text()


def test_changes_leave_comments_and_spelling_alone(folder: Folder) -> None:
    file = file_of(folder, WRITTEN)
    file.set_verifier("ann", TWO)
    assert text_of(folder) == WRITTEN.replace(f"{ONE}  # changed", f"{TWO}  # changed")
    file.set_verifier("ann", ONE)
    file.add("eve", {"verifier": TWO})
    assert text_of(folder) == WRITTEN.replace("# the end", f"  eve:\n    verifier: {TWO}\n# the end")
    file.remove("eve")
    assert text_of(folder) == WRITTEN
    file.remove("bob")
    assert [user.name for user in file.users()] == ["ann"]
    assert "# since 2024" in text_of(folder)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "users:",
        "users: {}",
        "users: []",
        f"users: {{ann: {{verifier: {ONE}}}, bob: {{verifier: '{ONE}'}}}}",
        f"users:\n- {{name: ann, verifier: {ONE}}}\n- name: bob\n  verifier: {ONE}",
        f"users:\n    ann:\n        verifier:\n            {ONE}\n    bob: {{verifier: {ONE}}}",
        f"users:\n  ann: &a\n    verifier: &v {ONE}\n    groups: x\n  bob: *a",
        f"users:\n  ann: {{verifier: &v {ONE}}}\n  bob:\n    <<: {{groups: y}}\n    verifier: *v",
    ],
)
def test_every_spelling_can_be_changed(folder: Folder, text: str) -> None:
    file = file_of(folder, text)
    before = {user.name: user for user in file.users()}
    file.add("eve 'the \"x\"' é: #", {"verifier": TWO, "groups": ["g: #"], "security": {"a": [None, 1, "x"]}})
    assert [user.name for user in file.users()] == [*before, "eve 'the \"x\"' é: #"]
    if "ann" in before:
        file.set_verifier("ann", TWO)
        ann = next(user for user in file.users() if user.name == "ann")
        assert (ann.scram.fits("two"), ann.groups) == (True, before["ann"].groups)
        file.remove("bob")
        file.remove("ann")
    file.remove("eve 'the \"x\"' é: #")
    assert file.users() == ()


_names = st.text(
    st.characters(exclude_categories=("Cc", "Cs")),
    min_size=1,
    max_size=20,
)


@given(st.dictionaries(_names, st.lists(_names, max_size=2), min_size=1, max_size=5))
@settings(max_examples=40)
def test_any_names_are_written_and_read(
    tmp_path_factory: pytest.TempPathFactory, people: dict[str, list[str]]
) -> None:
    folder = Folder(tmp_path_factory.mktemp("any"))
    file = file_of(folder)
    escaped = {name: [group.replace("${", "$${") for group in groups] for name, groups in people.items()}
    for name, groups in escaped.items():
        file.add(name, {"verifier": ONE, "groups": groups})
    assert {user.name: list(user.groups) for user in file.users()} == people
    for name in people:
        file.remove(name)
    assert file.users() == ()


def test_a_new_file_is_for_nobody_else(folder: Folder) -> None:
    old = os.umask(0)
    try:
        file_of(folder).add("ann", {"verifier": ONE})
    finally:
        os.umask(old)
    path = folder.root / "users.yml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o640)
    file_of(folder).add("bob", {"verifier": ONE})
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert sorted(each.name for each in folder.root.iterdir()) == ["ingot.yml", "users.yml"]


def test_what_cannot_be_done_changes_nothing(folder: Folder) -> None:
    file = file_of(folder, WRITTEN)
    with pytest.raises(UsageError, match="a user 'ann' already"):
        file.add("ann", {"verifier": TWO})
    with pytest.raises(NotFoundError, match="did you mean 'bob'"):
        file.remove("bobb")
    with pytest.raises(NotFoundError):
        file.set_verifier("eve", TWO)
    with pytest.raises(ProjectError, match=r"users\.yml"):
        file.add("e\tve", {"verifier": TWO})
    with pytest.raises(ProjectError):
        file.add("eve", {"verifier": "no verifier"})
    assert text_of(folder) == WRITTEN
    assert sorted(each.name for each in folder.root.iterdir()) == ["ingot.yml", "users.yml"]
    folder.write("users.yml", "users: {ann: {}}")
    with pytest.raises(ProjectError, match="has no 'verifier'"):
        file.remove("ann")


def test_a_link_stays_a_link(folder: Folder) -> None:
    folder.write("secrets/real.yml", "")
    (folder.root / "users.yml").symlink_to("secrets/real.yml")
    file_of(folder).add("ann", {"verifier": ONE})
    assert (folder.root / "users.yml").is_symlink()
    assert "ann" in (folder.root / "secrets" / "real.yml").read_text()


def test_changes_at_the_same_time_are_all_made(folder: Folder) -> None:
    def add(number: int) -> None:
        UsersFile(folder.root, {}).add(f"user{number}", {"verifier": ONE})

    threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(file_of(folder).users()) == 8


def test_the_rest_of_the_project_may_be_wrong(folder: Folder) -> None:
    folder.write("ingot.yml", "nmae: x\nauth: {jwt: {secret: '${NOT_SET}'}}")
    file_of(folder).add("ann", {"verifier": ONE})
    assert file_of(folder).is_asked_for
    folder.write("ingot.yml", "auth: {users: '${WHERE:-people.yml}'}")
    assert UsersFile(folder.root, {}).name == "people.yml"
    folder.write("ingot.yml", "auth: {users: '${WHERE}'}")
    with pytest.raises(UsageError, match="WHERE"):
        UsersFile(folder.root, {})


def test_accounts_follow_the_file(tmp_path: Path) -> None:
    path = tmp_path / "users.yml"
    accounts = Accounts(path, tmp_path, {})
    assert accounts.find("ann") is None
    path.write_text(f"users: {{ann: {{verifier: {ONE}}}}}")
    assert accounts.is_stale()
    found = accounts.find("ann")
    assert found is not None
    assert not accounts.is_stale()
    assert accounts.find("ann") is found
    path.write_text("users: {")
    assert accounts.find("ann") is found
    path.unlink()
    assert accounts.find("ann") is None
