"""Every mistake: where, what, what was expected, the nearest name; all files at once; never a stack trace."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from ingot.project import Place, ProjectError, load, problem

from .conftest import Folder


def test_all_problems_of_all_files_are_reported_at_once_in_file_order(folder: Folder) -> None:
    folder.write("ingot.yml", "nmae: shop\nserve: {port: 70000}\n")
    folder.write("sources/shop.yml", "tables:\n  orders:\n    pth: o.csv\n    path: o.csv\n    mode: apend\n")
    folder.write(
        "semantic/cubes/o.yml",
        "cubes:\n  - name: o\n    sql_table: t\n    measures: [{name: n, type: cuont}]\n",
    )
    folder.write("dashboards/d.yml", "tiles: [{type: kip, measures: [o.n]}]\n")
    said = folder.problems()
    assert [line.split(": ")[0] for line in said] == [
        "dashboards/d.yml:1:16", "ingot.yml:1:1", "ingot.yml:2:15", "semantic/cubes/o.yml:4:32",
        "sources/shop.yml:3:5", "sources/shop.yml:5:11",
    ]  # fmt: skip
    assert "unknown value 'kip' for 'type'" in said[0]
    assert "did you mean 'kpi'?" in said[0]
    assert said[1].startswith(
        "ingot.yml:1:1: unknown key 'nmae' in ingot.yml; did you mean 'name'? (expected one of: auth, dashboards"
    )
    assert said[2] == "ingot.yml:2:15: 'port' of serve cannot be '70000' (expected at most 65535)"
    assert "unknown value 'cuont' for 'type' of measure 'n'; did you mean 'count'?" in said[3]
    assert said[4].startswith(
        "sources/shop.yml:3:5: unknown key 'pth' in table 'orders'; did you mean 'path'? (expected one of: "
    )
    assert said[5] == (
        "sources/shop.yml:5:11: unknown value 'apend' for 'mode' of table 'orders'; did you mean 'append'? "
        "(expected one of: append, auto, replace)"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name: [a\n", "sources/x.yml:2:1: YAML: did not find expected ',' or ']'"),
        ("a:\n\t- b\n", "sources/x.yml:2:1: a tab indents this line"),
        ("name: x\nname: y\n", "sources/x.yml:2:1: the key 'name' stands twice; first in line 1"),
        ("- a\n- b\n", "sources/x.yml:1:1: the file holds a list (expected a mapping of keys to values)"),
        ("just words\n", "sources/x.yml:1:1: the file holds a single value"),
        ("name: x\n---\nname: y\n", "sources/x.yml:2:1: a second YAML document starts here"),
        ("name: !!python/object:os.system x\n", "sources/x.yml:1:7: the YAML tag '!!python/object:os.system' is not supported"),
        ("? [a]\n: b\n", "sources/x.yml:1:3: a key is a list or a mapping"),
        ("name: *nothing\n", "sources/x.yml:1:7: the alias '*nothing' refers to no anchor"),
        ("meta: &a [*a]\n", "sources/x.yml:1:11: the alias '*a' stands inside of what it refers to"),
        ("name: \x07\n", "sources/x.yml:1:7: the character U+0007 is not allowed"),
        (b"name: caf\xe9\n", "sources/x.yml:1:10: the byte 0xe9 is not UTF-8"),
        (b"\x00\x01\x02PK\xff\xfe", "sources/x.yml:1:6: the byte 0xff is not UTF-8"),
        ("name: x\n{% for c in cubes %}\n", "sources/x.yml:2:1: only files of the semantic model can be Jinja templates"),
        ("name: '{{ var }}'\n", "sources/x.yml:1:8: only files of the semantic model can be Jinja templates"),
        ("[" * 5000, "sources/x.yml:1:101: nested more than 100 levels deep"),
        ("description: " + "x" * 2_100_000, "sources/x.yml:1:1: the file is too large (expected at most 2 MB)"),
        ("connector: [files]\n", "sources/x.yml:1:12: unknown value 'a list' for 'connector'"),
        ("tables: 5\n", "sources/x.yml:1:9: 'tables' of source 'x' cannot be '5' (expected a list)"),
        ("tables: {a: 5}\n", "sources/x.yml:1:13: 'tables' of source 'x' cannot be '5' (expected a mapping"),
        ("tables: {a: {}}\n", "sources/x.yml:1:13: table 'a' has no 'path' (expected the key 'path')"),
        ("tables: {a: {path: []}}\n", "sources/x.yml:1:20: 'path' of table 'a' has 0 entries (expected at least 1)"),
        ("tables: {1a: {path: x}}\n", "sources/x.yml:1:10: 'name' of table '1a' cannot be '1a' (expected a name of letters"),
        ("tables: {a: {path: x, options: {skip: -1}}}\n", "sources/x.yml:1:39: 'skip' of options cannot be '-1' (expected at least 0)"),
        ("tables: {a: {path: x, options: {skip: yes}}}\n", "sources/x.yml:1:39: 'skip' of options cannot be 'yes' (expected a whole number)"),
        ("tables: {a: {path: x, options: {skip: true}}}\n", "sources/x.yml:1:39: 'skip' of options cannot be true (expected a number)"),
        ("tables: {a: {path: x, options: {header: 3}}}\n", "sources/x.yml:1:41: 'header' of options cannot be '3' (expected true or false)"),
        ("tables: {a: {path: x, options: {null_values: [NULL]}}}\n", "sources/x.yml:1:47: 'null_values' of options cannot be null (expected text; put quotes round it)"),
        ("tables: [{name: a, path: x}, {name: a, path: y}]\n", "sources/x.yml:1:37: the name 'a' is used twice; first at sources/x.yml:1:17"),
        ('path: "a\\0b"\n', "sources/x.yml:1:7: 'path' of source 'x' cannot be 'a\0b' (expected a path"),
        (f"path: {'x' * 400}\n", "sources/x.yml:1:7: source 'x' has a path that is no folder"),
        ("path: ~nobody_of_this_name/x\n", "sources/x.yml:1:7: source 'x' has a path that is no folder"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence_with_its_place(folder: Folder, text: str | bytes, expected: str) -> None:
    folder.write("sources/x.yml", text)
    (said,) = folder.problems()
    assert said.startswith(expected)


def test_an_alias_bomb_is_refused_before_it_grows(folder: Folder) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    folder.write("sources/x.yml", "\n".join(lines))
    (said,) = folder.problems()
    assert "the file has more than 200,000 values" in said


def test_anchors_and_merge_keys_work(folder: Folder) -> None:
    folder.write(
        "sources/x.yml",
        "tables:\n  a: &base\n    path: a.csv\n    mode: append\n  b:\n    <<: *base\n    path: b.csv\n  c:\n    path: c.csv\n    <<: *base\n",
    )
    a, b, c = folder.load().sources[0].tables
    assert [(t.path[0], t.mode) for t in (a, b, c)] == [
        ("a.csv", "append"),
        ("b.csv", "append"),
        ("c.csv", "append"),
    ]


def test_a_name_that_is_used_twice_names_both_places(folder: Folder) -> None:
    folder.write("ingot.yml", "sources: [{name: shop, tables: {a: {path: a.csv}}}]\n")
    folder.write("sources/one.yml", "name: shop\ntables: {b: {path: b.csv}}\n")
    folder.write("sources/two.yml", "tables: {a: {path: a.csv}}\n")
    folder.write("semantic/cubes/a.yml", "cubes: [{name: o, sql_table: t}]")
    folder.write("semantic/views/b.yml", "views: [{name: o}]")
    folder.write("semantic/views/c.yml", "cubes: [{name: o, sql_table: t, oops: 1}]")
    folder.write("dashboards/home.yml", "")
    folder.write("dashboards/sub/other.yml", "name: home")
    said = folder.problems()
    assert "sources/one.yml:1:7: the source 'shop' is used twice; first at ingot.yml:1:18" in said
    assert "sources/two.yml:1:13: the table 'raw.a' is used twice; first at ingot.yml:1:36" in said
    assert (
        "semantic/views/b.yml:1:16: the cube or view 'o' is used twice; first at semantic/cubes/a.yml:1:16"
        in said
    )
    assert (
        "semantic/views/c.yml:1:16: the cube or view 'o' is used twice; first at semantic/cubes/a.yml:1:16"
        in said
    )
    assert (
        "dashboards/sub/other.yml:1:7: the dashboard 'home' is used twice; first at dashboards/home.yml:1:1"
        in said
    )
    assert len(said) == 6


def test_ingot_yml_as_a_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "ingot.yml").mkdir()
    with pytest.raises(ProjectError) as caught:
        load(tmp_path)
    assert str(caught.value) == "ingot.yml:1:1: is a folder (expected a YAML file)"


def test_links_in_a_circle_end(folder: Folder) -> None:
    (folder.root / "sources").mkdir()
    (folder.root / "sources" / "loop.yml").symlink_to("loop.yml")
    (folder.root / "sources" / "up").symlink_to("..")
    (folder.root / "data").mkdir()
    (folder.root / "data" / "again").symlink_to(".")
    assert folder.problems() == ["sources/loop.yml:1:1: cannot be read: too many levels of symbolic links"]
    (folder.root / "ingot.yml").unlink()
    (folder.root / "ingot.yml").symlink_to("ingot.yml")
    assert folder.problems() == ["ingot.yml:1:1: cannot be read: too many levels of symbolic links"]


def test_a_broken_link_and_a_pipe_are_said(folder: Folder) -> None:
    (folder.root / "sources").mkdir()
    (folder.root / "sources" / "a.yml").symlink_to("nowhere.yml")
    os.mkfifo(folder.root / "sources" / "b.yml")
    assert folder.problems() == [
        "sources/a.yml:1:1: cannot be read: no such file or directory",
        "sources/b.yml:1:1: is not a regular file (expected a YAML file)",
    ]


def test_a_file_that_may_not_be_read_is_said(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.write("sources/a.yml")
    opened = Path.open

    def refuse(path: Path, *args: Any, **kwargs: Any) -> Any:
        # Permissions alone would not do: tests may run as root, who may read everything.
        if path.name == "a.yml":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return opened(path, *args, **kwargs)

    monkeypatch.setattr(Path, "open", refuse)
    assert folder.problems() == ["sources/a.yml:1:1: cannot be read: permission denied"]


def test_the_javascript_way_to_say_cube_is_explained(folder: Folder) -> None:
    folder.write("semantic/a.yml", "cubes: [{name: a, sql: 'select * from t where ${CUBE}.x'}]")
    (said,) = folder.problems()
    assert said.endswith("in a model the cube itself is {CUBE}, without $")


def test_a_problem_lists_known_names_and_the_nearest() -> None:
    found = problem(
        Place("a.yml", 2, 3), "unknown member 'orders.totl'", known=["orders.total", "orders.count"]
    )
    assert found.nearest == "orders.total"
    assert str(found) == (
        "a.yml:2:3: unknown member 'orders.totl'; did you mean 'orders.total'? (expected one of: orders.count, orders.total)"
    )
    assert str(problem(Place("a.yml"), "bare")) == "a.yml:1:1: bare"
