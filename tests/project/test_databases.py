"""Sources that are databases: what their files may say."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ingot.project.loading import databases, load
from ingot.project.problem import ProjectError


def _project(tmp_path: Path, source: str) -> Callable[..., object]:
    (tmp_path / "ingot.yml").write_text("name: shop\n")
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "crm.yml").write_text(source)
    return lambda **environ: load(tmp_path, environ=environ)


def test_a_database_is_closed_unless_its_file_says_so(tmp_path: Path) -> None:
    read = _project(tmp_path, "connector: postgres\nurl: ${CRM_URL}\n")
    source = read(CRM_URL="postgresql://ann:s3cret@db/crm").sources[0]  # type: ignore[attr-defined]
    assert (source.name, source.is_database, source.attach, source.tables) == ("crm", True, False, ())


def test_a_database_file_is_found_beside_the_project(tmp_path: Path) -> None:
    source = _project(tmp_path, "connector: sqlite\npath: data/shop.db\nattach: true\n")().sources[0]  # type: ignore[attr-defined]
    assert source.attach
    assert source.folder == tmp_path / "data" / "shop.db"


def test_the_address_shows_itself_as_it_is_written(tmp_path: Path) -> None:
    source = _project(tmp_path, "connector: postgres\nurl: ${CRM_URL}\n")(  # type: ignore[attr-defined]
        CRM_URL="postgresql://ann:s3cret@db/crm"
    ).sources[0]
    assert "s3cret" not in repr(source)
    assert source.model_dump()["url"] == "${CRM_URL}"


def test_files_are_still_found_beside_a_database(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "orders.csv").write_text("id\n1\n")
    sources = _project(tmp_path, "connector: sqlite\npath: shop.db\n")().sources  # type: ignore[attr-defined]
    assert [one.name for one in sources] == ["crm", "files"]
    assert [one.full_name for one in sources[1].tables] == ["raw.orders"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("connector: postgres\n", "needs 'url'"),
        ("connector: postgres\nurl: mysql://db/crm\n", "not that of a PostgreSQL"),
        ("connector: postgres\nurl: postgresql://ann:pass@db/crm\n", "must not stand in a file"),
        ("connector: postgres\nurl: postgresql://db:port/crm\n", "not that of a PostgreSQL"),
        ("connector: sqlite\nattach: true\n", "needs 'path'"),
        ("connector: sqlite\npath: a.db\nurl: postgresql://db/crm\n", "'url' is for postgres"),
        ("connector: duckdb\npath: a.db\ntables:\n  - {name: a, path: a.csv}\n", "nothing is loaded"),
        ("connector: files\nattach: true\n", "'attach' is for databases"),
        ("name: lake\nconnector: sqlite\npath: a.db\n", "cannot be called 'lake'"),
        ("name: Temp\nconnector: sqlite\npath: a.db\n", "cannot be called 'Temp'"),
    ],
)
def test_what_makes_no_sense_is_said_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ProjectError) as wrong:
        _project(tmp_path, text)()
    assert said in str(wrong.value)
    assert "sources/crm.yml" in str(wrong.value)


def test_each_database_is_read_by_its_own_file(tmp_path: Path) -> None:
    """What is wrong elsewhere, and sources of files, are no matter of theirs."""
    good = "connector: sqlite\npath: a.db\nattach: true\n"
    written = f"name: shop\nsources: [{{name: inside, {good.strip().replace(chr(10), ', ')}}}]\n"
    (tmp_path / "ingot.yml").write_text(written)
    files = {
        "good": good,
        "closed": good.replace("true", "false"),
        "files": "path: .\n",
        "broken": "{",
        "misspelt": good + "shemas: [x]\n",
        "named": "name: other\nconnector: sqlite\nattach: true\n",
        "unset": "connector: postgres\nurl: ${NOT_SET}\nattach: true\n",
        "same": good + "name: good\n",
    }
    (tmp_path / "sources").mkdir()
    for name, text in files.items():
        (tmp_path / "sources" / f"{name}.yml").write_text(text)
    (tmp_path / "semantic").mkdir()
    (tmp_path / "semantic" / "a.yml").write_text("cubes: 1\n")
    found = databases(tmp_path, "dev", {})
    assert [one.name for one in found.there] == ["inside"]
    assert {name: len(problems) for name, problems in found.wrong.items()} == {
        "broken": 1,
        "misspelt": 1,
        "other": 1,
        "unset": 1,
        "good": 1,  # there are two of that name, and nobody knows which is meant
    }
    (tmp_path / "sources" / "same.yml").unlink()
    again = databases(tmp_path, "dev", {"NOT_SET": "postgresql://me@db/x"})
    assert [one.name for one in again.there] == ["inside", "good", "unset"]
    assert again.there[1].folder == tmp_path / "a.db"
    assert again.wrong.keys() == {"broken", "misspelt", "other"}


def test_a_wrong_ingot_yml_is_wrong_for_all_databases(tmp_path: Path) -> None:
    (tmp_path / "ingot.yml").write_text("nam: shop\n")
    with pytest.raises(ProjectError, match="nam"):
        databases(tmp_path, "dev", {})
