"""Whatever stands in the files, loading gives a Project or a ProjectError."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ingot.project import Project, ProjectError, load
from ingot.project.cube import ModelFile
from ingot.project.dashboard import Dashboard
from ingot.project.schemata import specs
from ingot.project.settings import Settings
from ingot.project.source import Source
from ingot.project.spec import Spec

FILES = ("ingot.yml", "sources/x.yml", "semantic/cubes/x.yml", "dashboards/x.yml")
KEYS = sorted({key for spec in specs(Spec) for key in (*spec.keys(), *spec.renames)})
WORDS = ["a", "orders", "a.b", "*", "sum", "count", "time", "kpi", "trend", "table", "replace", "${HOME_X:-d}", "${S}", "~", "package:x/y", "1e5", "/", "\0", "x" * 300]  # fmt: skip

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(WORDS) | st.text(max_size=8)
)
values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=25,
)
documents = st.dictionaries(st.sampled_from(KEYS), values, max_size=6)


def outcome(texts: dict[str, str | bytes], environ: dict[str, str] | None = None) -> Project | ProjectError:
    with TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "ingot.yml").touch()
        for path, content in texts.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(
                content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
            )
        try:
            project = load(root, environ=environ or {})
        except ProjectError as error:
            return error
        project.dump()
        repr(project)
        return project


def check(found: Project | ProjectError) -> None:
    if isinstance(found, ProjectError):
        assert found.problems
        assert all(problem.place.line >= 1 and problem.place.column >= 1 for problem in found.problems)
        assert "secret-value" not in str(found)
    else:
        assert "secret-value" not in repr(found)
        assert "secret-value" not in repr(found.dump())


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=200) | st.binary(max_size=200), file=st.sampled_from(FILES))
def test_any_text_in_a_file(text: str | bytes, file: str) -> None:
    check(outcome({file: text}))


@settings(max_examples=60, deadline=None)
@given(text=st.text(alphabet=" \t\n:-{}[],&*a!|>'\"#%?<${}0", max_size=80), file=st.sampled_from(FILES))
def test_any_punctuation_in_a_file(text: str, file: str) -> None:
    check(outcome({file: text}))


@settings(max_examples=150, deadline=None)
@given(document=documents, file=st.sampled_from(FILES))
def test_any_yaml_of_known_keys_in_a_file(document: dict[str, Any], file: str) -> None:
    check(outcome({file: yaml.safe_dump(document, allow_unicode=True)}, {"S": "secret-value"}))


def _shaped(spec: type[Spec]) -> st.SearchStrategy[Any]:
    return st.dictionaries(st.sampled_from(spec.keys()), values, max_size=5)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_values_for_the_right_keys(data: st.DataObject) -> None:
    texts: dict[str, str | bytes] = {}
    roots: tuple[type[Spec], ...] = (Settings, Source, ModelFile, Dashboard)
    for file, spec in zip(FILES, roots, strict=True):
        texts[file] = yaml.safe_dump(data.draw(_shaped(spec)), allow_unicode=True)
    inner = [each for each in specs(Spec) if each.__module__ == "ingot.project.member"]
    member = data.draw(_shaped(data.draw(st.sampled_from(inner))))
    cube = {
        "name": "a",
        "sql_table": "t",
        "dimensions": [member],
        "measures": [member],
        "access_policy": [member],
    }
    texts["semantic/cubes/y.yml"] = yaml.safe_dump({"cubes": [cube]}, allow_unicode=True)
    check(outcome(texts, {"S": "secret-value"}))


@pytest.mark.parametrize("depth", [99, 101, 1_000, 100_000])
def test_deep_nesting_is_refused_or_read(depth: int) -> None:
    for opening in ("[", "{a: ", "- "):
        check(outcome({"sources/x.yml": "tables: " + opening * min(depth, 400_000)}))
        check(outcome({"sources/x.yml": "description: x\nmeta:\n " + "- " * min(depth, 200_000)}))
