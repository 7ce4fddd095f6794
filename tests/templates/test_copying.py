"""Templates are copied whole, and never over somebody's files."""

from pathlib import Path

import pytest

from ingot.errors import NotFoundError, UsageError
from ingot.project import load
from ingot.templates import create, names


def test_the_templates_are_blank_and_storefront() -> None:
    assert names() == ["blank", "storefront"]


@pytest.mark.parametrize("name", ["blank", "storefront"])
def test_a_template_is_a_project_that_loads(tmp_path: Path, name: str) -> None:
    written = create(name, tmp_path)
    assert tmp_path / "ingot.yml" in written
    assert tmp_path / ".gitignore" in written
    (tmp_path / "data").mkdir()
    load(tmp_path)


def test_files_that_are_there_stay_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    written = create("blank", tmp_path)
    assert (tmp_path / "README.md").read_text() == "mine"
    assert tmp_path / "README.md" not in written
    assert create("blank", tmp_path) == []


def test_an_unknown_template_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="did you mean 'storefront'"):
        create("storefrnt", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_file_in_place_of_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "sources").write_text("a file")
    with pytest.raises(UsageError, match="sources"):
        create("storefront", tmp_path)
