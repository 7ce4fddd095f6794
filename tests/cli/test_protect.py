"""Protected branches as a user meets them: in ingot.yml, on the command line, and from other programs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from ingot import pipeline, templates
from ingot.api import create_app
from ingot.engines.duckdb import connect
from ingot.lake import Lake, ProtectedRefError
from ingot.project import load
from tests.cli.test_lake_commands import ORDERS, Shell

REMEDY = "Write to a branch and merge it into 'main'"


@pytest.fixture(params=["file", "command"])
def protected_by(request: pytest.FixtureRequest) -> str:
    """Who protects `main`."""
    return str(request.param)


@pytest.fixture
def shell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, protected_by: str
) -> Iterator[Shell]:
    """A project with `gold.orders` on its protected `main`, and the same on `dev`."""
    (tmp_path / "ingot.yml").write_text("")
    monkeypatch.chdir(tmp_path)
    with connect() as con, Lake.open(load(tmp_path)) as lake:
        made = Shell(tmp_path, lake, con, capsys, monkeypatch)
        made.write("gold.orders", ORDERS)
        lake.branch("dev")
    if protected_by == "file":
        (tmp_path / "ingot.yml").write_text("name: shop\nlake:\n  protected: main\n")
    with connect() as con, Lake.open(load(tmp_path)) as lake:
        made = Shell(tmp_path, lake, con, capsys, monkeypatch)
        if protected_by == "command":
            assert made("branch", "--protect", "main") == "main now moves only by merges\n"
        yield made


def test_the_list_of_branches_shows_which_are_protected(shell: Shell) -> None:
    lines = [line.split() for line in shell("branch").splitlines()[1:]]
    assert [(line[0], line[2:]) for line in lines] == [("dev", []), ("main", ["protected"])]
    refs = shell.json("branch")["refs"]  # type: ignore[index]
    assert [(one["name"], one["protected"]) for one in refs] == [("dev", False), ("main", True)]


def test_writing_is_refused_with_the_way_out_and_merging_is_not(shell: Shell) -> None:
    with pytest.raises(ProtectedRefError, match=REMEDY) as caught:
        shell.write("gold.more", "SELECT 1 AS a")
    assert "ingot merge NAME --into main" in str(caught.value)
    shell.write("gold.more", "SELECT 1 AS a", "dev")
    shell("merge", "dev")
    assert shell.lake.at("main").tables == ("gold.more", "gold.orders")


def test_other_programs_are_told_the_same_way_out(shell: Shell) -> None:
    head = shell.lake.catalog.ref("main").hash
    put = {
        "type": "PUT",
        "key": {"elements": ["s"]},
        "content": {"type": "NAMESPACE", "elements": ["s"]},
    }
    change = {"commitMeta": {"message": "m"}, "operations": [put]}
    with TestClient(create_app(load(shell.folder))) as client:
        dropped = client.delete("/iceberg/v1/main/namespaces/gold/tables/orders")
        created = client.post("/iceberg/v1/main/namespaces", json={"namespace": ["s"]})
        for answer in (dropped, created):
            error = answer.json()["error"]
            assert (answer.status_code, error["type"]) == (403, "ForbiddenException")
            assert REMEDY in error["message"]
        committed = client.post(f"/api/v2/trees/main@{head}/history/commit", json=change)
        moved = client.put(
            f"/api/v2/trees/main@{head}",
            params={"type": "BRANCH"},
            json={"type": "BRANCH", "name": "dev", "hash": head},
        )
        for answer in (committed, moved):
            assert (answer.status_code, answer.json()["errorCode"]) == (403, "FORBIDDEN")
            assert REMEDY in answer.json()["message"]
    assert shell.lake.catalog.ref("main").hash == head


def test_what_was_published_can_be_taken_back_without_force(shell: Shell) -> None:
    shell.write("gold.more", "SELECT 1 AS a", "dev")
    shell("merge", "dev")
    shell("rollback", "main~1")
    assert shell.lake.at("main").tables == ("gold.orders",)
    shell("revert", "main")
    assert shell.lake.at("main").tables == ("gold.more", "gold.orders")


def test_maintenance_goes_on(shell: Shell) -> None:
    for number in range(3):
        shell.write("gold.orders", f"SELECT {number} AS order_id", "dev", mode="append")
    shell("merge", "dev")
    shell("branch", "--delete", "dev")
    assert len(shell.lake.at("main").table("gold.orders").files) == 4
    shell("maintain")
    assert len(shell.lake.at("main").table("gold.orders").files) == 1


def test_protection_ends_where_it_was_switched_on(shell: Shell, protected_by: str) -> None:
    if protected_by == "file":
        said = shell.fails("branch", "--unprotect", "main", code=2)
        assert "ingot.yml:3:14" in said
        (shell.folder / "ingot.yml").write_text("")
    else:
        assert shell("branch", "--unprotect", "main") == "main is no longer protected\n"
    with Lake.open(load(shell.folder)) as lake:
        assert lake.catalog.protected() == frozenset()
        lake.commit("main", [lake.stage_drop("gold.orders", on="main")], message="drop")


def test_a_protected_branch_is_deleted_or_renamed_by_force_only(shell: Shell) -> None:
    shell("branch", "--protect", "dev")
    assert "--delete dev --force" in shell.fails("branch", "-d", "dev", code=1)
    assert "--rename x --force" in shell.fails("branch", "dev", "--rename", "x", code=1)
    shell("branch", "dev", "--rename", "x", "--force")
    assert "x" in shell.lake.catalog.protected()
    shell("branch", "-d", "x", "--force")
    assert shell.lake.catalog.protected() == {"main"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["branch", "--protect"], "Which branch"),
        (["branch", "--protect", "mian"], "did you mean 'main'"),
        (["branch", "--protect", "v1"], "no branch 'v1'"),
        (["branch", "--protect", "dev", "--delete"], "one at a time"),
    ],
)
def test_a_mistake_is_one_message(shell: Shell, arguments: list[str], said: str) -> None:
    shell.lake.tag("v1")
    assert said in shell.fails(*arguments, code=2)
    assert shell.lake.catalog.protected() == {"main"}


@pytest.mark.parametrize("template", templates.names())
def test_main_of_a_new_project_is_protected(tmp_path: Path, template: str) -> None:
    templates.create(template, tmp_path)
    (tmp_path / "data").mkdir(exist_ok=True)
    assert load(tmp_path).lake.protected == ("main",)


def test_runs_publish_to_a_protected_main(tmp_path: Path) -> None:
    templates.create("blank", tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").write_text("x\n1\n")
    assert pipeline.run(load(tmp_path)).status.value == "merged"
    with Lake.open(load(tmp_path)) as lake:
        assert lake.at("main").tables == ("raw.a",)


def test_main_of_a_project_with_an_empty_file_is_open(tmp_path: Path) -> None:
    (tmp_path / "ingot.yml").write_text("")
    with connect() as con, Lake.open(load(tmp_path)) as lake:
        assert lake.catalog.protected() == frozenset()
        lake.commit("main", [lake.stage(con, "s.t", "SELECT 1 AS a", on="main")], message="open")
