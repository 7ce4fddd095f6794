"""A server whose project's files are edited while it answers."""

import os
import resource
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from starlette.testclient import TestClient

from ingot.api import create_app, live
from ingot.api.live import Live
from ingot.project import Project, load
from ingot.semantic import check_project

CUBE = "cubes: [{{name: {name}, sql_table: t, dimensions: [{{name: id, sql: id, type: number}}]}}]\n"
SECRET = "the-secret-of-the-tests-with-32-characters"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    (root / "semantic" / "cubes").mkdir(parents=True)
    (root / "ingot.yml").write_text("name: shop\n")
    (root / "semantic" / "cubes" / "a.yml").write_text(CUBE.format(name="a"))
    return root


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "SETTLED", 0.01)


class Answers:
    """What a reload asks of a service."""

    def __init__(self) -> None:
        self.projects: list[Project] = []

    def reload(self, project: Project) -> None:
        check_project(project)
        self.projects.append(project)


class Edited:
    """A project under edit. `names` are the cubes that are in use."""

    def __init__(self, root: Path) -> None:
        self.said: list[str] = []
        self.answers = Answers()
        self.live = Live(load(root), self.answers, say=self.said.append)  # type: ignore[arg-type]

    @property
    def names(self) -> list[str]:
        return [cube.name for cube in self.live.project.cubes]


def test_nothing_is_read_while_nothing_changes(root: Path) -> None:
    edited = Edited(root)
    assert not edited.live.check()
    (root / "notes.txt").write_text("beside the model")
    (root / "semantic" / ".a.yml.swp").write_text("an editor's own")
    assert not edited.live.check()
    assert edited.answers.projects == []


def replaced(root: Path) -> None:
    (root / "semantic" / "cubes" / "a.yml~").write_text(CUBE.format(name="b"))
    (root / "semantic" / "cubes" / "a.yml~").replace(root / "semantic" / "cubes" / "a.yml")


def same_size_and_time(root: Path) -> None:
    path = root / "semantic" / "cubes" / "a.yml"
    times = (path.stat().st_atime_ns, path.stat().st_mtime_ns)
    time.sleep(0.02)
    path.write_text(CUBE.format(name="b"))
    os.utime(path, ns=times)


def moved(root: Path) -> None:
    (root / "semantic" / "cubes" / "a.yml").write_text(CUBE.format(name="b"))
    (root / "semantic" / "cubes").rename(root / "semantic" / "renamed")


def another(root: Path) -> None:
    (root / "semantic" / "cubes" / "a.yml").unlink()
    (root / "semantic" / "deep" / "er").mkdir(parents=True)
    (root / "semantic" / "deep" / "er" / "b.yaml").write_text(CUBE.format(name="b"))


def a_template(root: Path) -> None:
    (root / "semantic" / "cubes" / "a.yml").unlink()
    (root / "semantic" / "b.yml.jinja").write_text(CUBE.format(name="{{ 'b' }}"))


def elsewhere(root: Path) -> None:
    (root / "ingot.yml").write_text("name: shop\nsemantic: {path: other}\n")
    (root / "other").mkdir()
    (root / "other" / "b.yml").write_text(CUBE.format(name="b"))


@pytest.mark.parametrize("edit", [replaced, same_size_and_time, moved, another, a_template, elsewhere])
def test_every_way_to_save_is_seen(root: Path, edit: Callable[[Path], None]) -> None:
    edited = Edited(root)
    edit(root)
    assert edited.live.check()
    assert edited.names == ["b"]
    assert edited.said == ["model  read anew: 1 cubes, 0 views"]
    if edit is elsewhere:
        edited.live.check()  # the new folder is looked at for the first time
    assert not edited.live.check()


def test_a_deleted_file_takes_its_cubes_along(root: Path) -> None:
    edited = Edited(root)
    shutil.rmtree(root / "semantic")
    assert edited.live.check()
    assert edited.names == []


def test_a_bad_edit_keeps_the_last_good_model_and_says_so_until_it_is_good(root: Path) -> None:
    edited = Edited(root)
    path = root / "semantic" / "cubes" / "a.yml"
    assert edited.live.notice() == {}
    path.write_text("cubes: [{name: a, sql_tabel: t}]")
    assert edited.live.check()
    assert edited.names == ["a"]
    said = edited.live.notice()["modelError"]
    assert said["message"].startswith("The files of the model have 2 problems; the last good")
    assert any("semantic/cubes/a.yml:1:19: unknown key 'sql_tabel'" in one for one in said["problems"])
    assert "did you mean 'sql_table'?" in edited.said[0]
    path.write_text(CUBE.format(name="c"))
    assert edited.live.check()
    assert (edited.names, edited.live.notice()) == (["c"], {})


@pytest.mark.parametrize(
    "half", [CUBE.format(name="b")[:20], "cubes: [{name: b, sql_table: t, dimensions: [{name: x", "\x00"]
)
def test_a_half_written_file_changes_nothing(root: Path, half: str) -> None:
    edited = Edited(root)
    path = root / "semantic" / "cubes" / "a.yml"
    path.write_text(half)
    edited.live.check()
    assert edited.names == ["a"]
    path.write_text(CUBE.format(name="b"))
    edited.live.check()
    assert edited.names == ["b"]


def test_what_compiles_to_nothing_good_is_not_taken_over(root: Path) -> None:
    edited = Edited(root)
    (root / "semantic" / "cubes" / "a.yml").write_text(
        CUBE.format(name="a").replace("sql: id", "sql: '{gone}'")
    )
    edited.live.check()
    assert edited.answers.projects == []
    assert "gone" in edited.live.notice()["modelError"]["problems"][0]


def test_dashboards_are_taken_over_and_checked(root: Path) -> None:
    edited = Edited(root)
    (root / "dashboards").mkdir()
    board = root / "dashboards" / "shop.yml"
    board.write_text("tiles: [{type: table, title: T, dimensions: [a.id]}]")
    edited.live.check()
    assert [one.name for one in edited.live.project.dashboards] == ["shop"]
    board.write_text("tiles: [{type: table, title: T, dimensions: [a.gone]}]")
    edited.live.check()
    assert "a.gone" in edited.live.notice()["modelError"]["problems"][0]
    assert [one.tiles[0].dimensions for one in edited.live.project.dashboards] == [("a.id",)]


def test_settings_are_not_taken_over_but_named(root: Path) -> None:
    edited = Edited(root)
    (root / "ingot.yml").write_text("name: shop\nserve: {port: 4999}\n")
    edited.live.check()
    assert edited.live.project.serve.port == 4000
    assert edited.said == ["model  read anew: 1 cubes, 0 views; start again for serve"]


def test_macros_and_the_projects_python_are_looked_at(root: Path) -> None:
    (root / "semantic" / "globals.py").write_text(
        "from ingot.model import TemplateContext\nt = TemplateContext()\nt.add_variable('name', 'b')\n"
    )
    (root / "semantic" / "m.jinja").write_text("{% macro m(x) %}{{ x }}{% endmacro %}")
    (root / "semantic" / "cubes" / "a.yml").write_text(
        "{% import 'm.jinja' as m %}" + CUBE.format(name="{{ m.m(name) }}")
    )
    edited = Edited(root)
    assert edited.names == ["b"]
    (root / "semantic" / "m.jinja").write_text("{% macro m(x) %}{{ x }}_{{ x }}{% endmacro %}")
    edited.live.check()
    assert edited.names == ["b_b"]
    path = root / "semantic" / "globals.py"
    path.write_text(path.read_text().replace("'b'", "'c'"))
    edited.live.check()
    assert edited.names == ["c_c"]


def test_the_projects_hooks_are_looked_at(root: Path) -> None:
    edited = Edited(root)
    (root / "cube.py").write_text("from cube import config\n")
    assert edited.live.check()
    assert len(edited.answers.projects) == 1


def test_with_a_login_the_lines_of_files_are_not_shown(root: Path) -> None:
    (root / "ingot.yml").write_text("name: shop\nauth: {jwt: {secret: '${API_SECRET}'}}\n")
    project = load(root, environ={"API_SECRET": SECRET})
    with TestClient(create_app(project, watch=True)) as client:
        (root / "semantic" / "cubes" / "a.yml").write_text("cubes: [{name: a, sql_tabel: secret_table}]")
        token = {"authorization": jwt.encode({"u": 1}, SECRET, "HS256")}
        meta = until(
            lambda: client.get("/cubejs-api/v1/meta", headers=token).json(), lambda m: "modelError" in m
        )
        assert "sql_tabel" not in str(meta)
        assert "2 problems" in meta["modelError"]["message"]


def until(ask: Callable[[], Any], good: Callable[[Any], bool], seconds: float = 5) -> Any:
    end = time.monotonic() + seconds
    while not good(found := ask()):
        assert time.monotonic() < end, found
        time.sleep(0.05)
    return found


@pytest.fixture
def client(root: Path) -> Iterator[TestClient]:
    with TestClient(create_app(load(root), watch=True)) as client:
        yield client


def names(client: TestClient) -> list[str]:
    return [cube["name"] for cube in client.get("/cubejs-api/v1/meta").json()["cubes"]]


def test_requests_see_an_edit_within_two_seconds(client: TestClient, root: Path) -> None:
    assert names(client) == ["a"]
    before = client.get("/api/v1/project").json()["modelLoadedAt"]
    began = time.monotonic()
    (root / "semantic" / "cubes" / "b.yml").write_text(CUBE.format(name="b"))
    until(lambda: names(client), lambda found: found == ["a", "b"])
    assert time.monotonic() - began < 2
    assert client.get("/api/v1/project").json()["modelLoadedAt"] > before


def test_a_bad_edit_is_told_by_the_project_and_by_meta(
    client: TestClient, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = root / "semantic" / "cubes" / "a.yml"
    path.write_text("cubes: [")
    said = until(lambda: client.get("/api/v1/project").json(), lambda found: "modelError" in found)
    assert said["modelError"]["problems"][0].startswith("semantic/cubes/a.yml:2:1: YAML")
    meta = client.get("/cubejs-api/v1/meta").json()
    assert ([cube["name"] for cube in meta["cubes"]], meta["modelError"]) == (["a"], said["modelError"])
    assert "model  kept as it was" in capsys.readouterr().err


def test_edits_while_many_ask_never_show_a_mixture(client: TestClient, root: Path) -> None:
    path = root / "semantic" / "cubes" / "a.yml"
    both = "cubes: [{{name: x{n}, sql_table: t}}, {{name: y{n}, sql_table: t}}]"
    path.write_text(both.format(n=0))
    until(lambda: names(client), lambda found: found == ["x0", "y0"])
    stop = threading.Event()
    wrong: list[list[str]] = []

    def ask() -> None:
        while not stop.is_set():
            found = names(client)
            if len(found) != 2 or found[0][1:] != found[1][1:]:
                wrong.append(found)

    askers = [threading.Thread(target=ask) for _ in range(3)]
    for one in askers:
        one.start()
    for n in range(1, 3):
        path.write_text(both.format(n=n))
        until(lambda n=n: names(client), lambda found, n=n: found == [f"x{n}", f"y{n}"])  # type: ignore[misc]
    stop.set()
    for one in askers:
        one.join()
    assert wrong == []


def test_looking_at_500_files_costs_less_than_a_hundredth_of_the_time(root: Path) -> None:
    for n in range(500):
        (root / "semantic" / "cubes" / f"c{n}.yml").write_text(CUBE.format(name=f"c{n}"))
    edited = Edited(root)
    began = resource.getrusage(resource.RUSAGE_THREAD)
    for _ in range(20):
        assert not edited.live.check()
    ended = resource.getrusage(resource.RUSAGE_THREAD)
    spent = ended.ru_utime + ended.ru_stime - began.ru_utime - began.ru_stime
    assert spent / 20 / live.EVERY < 0.01


def test_the_watching_ends_with_the_server(root: Path) -> None:
    with TestClient(create_app(load(root), watch=True)):
        assert any(one.name == "model" for one in threading.enumerate())
    assert not any(one.name == "model" for one in threading.enumerate())
