"""The fingerprint changes exactly with what a build depends on."""

import subprocess
import sys
from pathlib import Path

import pytest

from ingot.transform import DbtProjectError
from ingot.transform.dbt_files import read_dbt_files
from ingot.transform.fingerprint import fingerprint
from tests.transform.conftest import dbt_project

FILES = {
    "models/a.sql": "select '{{ env_var('SHOP_REGION', 'eu') }}' as region",
    "models/deep/er/b.sql": "select 1",
    "models/schema.yml": "models: []",
    "macros/m.sql": "-- a macro",
    "seeds/s.csv": "a\n1\n",
    "dbt_packages/p/macros/x.sql": "-- of a package",
}


def _of(root: Path, variables: dict[str, object] | None = None, target: str = "dev") -> str:
    return fingerprint(read_dbt_files(root), variables or {}, target)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("SHOP_REGION", raising=False)
    return dbt_project(tmp_path, FILES)


@pytest.mark.parametrize("name", [*FILES, "dbt_project.yml"])
def test_it_changes_with_every_file_that_dbt_reads(root: Path, name: str) -> None:
    before = _of(root)
    path = root / name
    path.write_text(path.read_text() + "\n# changed")
    assert _of(root) != before
    path.write_text(path.read_text().removesuffix("\n# changed"))
    assert _of(root) == before


def test_it_changes_when_a_file_is_added_renamed_or_removed(root: Path) -> None:
    seen = {_of(root)}
    (root / "models/c.sql").write_text("select 2")
    seen.add(_of(root))
    (root / "models/c.sql").rename(root / "models/d.sql")
    seen.add(_of(root))
    (root / "models/a.sql").unlink()
    seen.add(_of(root))
    assert len(seen) == 4


def test_text_that_moves_from_one_file_to_the_next_is_a_change(root: Path) -> None:
    (root / "models/c.sql").write_text("xy")
    (root / "models/d.sql").write_text("z")
    before = _of(root)
    (root / "models/c.sql").write_text("x")
    (root / "models/d.sql").write_text("yz")
    assert _of(root) != before


def test_it_changes_with_variables_target_and_the_environment_that_models_ask_for(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _of(root)
    assert _of(root, {"a": 1}) != before
    assert _of(root, target="prod") != before
    monkeypatch.setenv("SHOP_REGION", "us")
    assert _of(root) != before


def test_it_does_not_change_with_what_dbt_writes_or_nobody_reads(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _of(root)
    for name in ("target/manifest.json", "logs/dbt.log", ".git/HEAD", "profiles.yml", "notes/todo.sql"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x: 1")
    monkeypatch.setenv("ANOTHER", "x")
    assert _of(root) == before


def test_it_is_the_same_wherever_the_project_is(tmp_path: Path, root: Path) -> None:
    assert _of(dbt_project(tmp_path / "elsewhere", FILES)) == _of(root)


def test_folders_that_the_project_names_itself_are_read(tmp_path: Path) -> None:
    root = dbt_project(
        tmp_path,
        {
            "dbt_project.yml": "name: small\nmodel-paths: [sql]\n",
            "sql/a.sql": "select 1",
            "models/b.sql": "x",
        },
    )
    before = _of(root)
    (root / "models/b.sql").write_text("y")
    assert _of(root) == before
    (root / "sql/a.sql").write_text("select 2")
    assert _of(root) != before


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("name: [", "dbt_project.yml:1: This is not YAML"),
        ("- a", "Expected a mapping"),
        ("profile: x", "needs a `name`"),
        ("name: x\nmodel-paths: 5", "`model-paths` must be a list"),
    ],
)
def test_a_broken_dbt_project_yml_is_an_error_about_that_file(
    tmp_path: Path, content: str, says: str
) -> None:
    with pytest.raises(DbtProjectError, match=r"dbt_project\.yml") as caught:
        _of(dbt_project(tmp_path, {"dbt_project.yml": content}))
    assert says in str(caught.value)


def test_a_loop_of_links_ends(root: Path) -> None:
    (root / "models/again").symlink_to(root / "models")
    assert _of(root)


def test_dbt_is_not_imported_for_it(root: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from ingot.transform.dbt_files import read_dbt_files;"
        "from ingot.transform.fingerprint import fingerprint;"
        f"fingerprint(read_dbt_files(Path({str(root)!r})), {{}}, 'dev');"
        "assert not {'dbt', 'duckdb', 'sqlalchemy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
