"""A project folder to write files into, and the two ways to look at it."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from ingot.project import Project, ProjectError, load

Write = Callable[..., Path]


class Folder:
    """A project that is written file by file."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write("ingot.yml", "")

    def write(self, path: str, content: str | bytes = "") -> Path:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())
        return target

    def load(self, *, profile: str | None = None, environ: Mapping[str, str] | None = None) -> Project:
        return load(self.root, profile=profile, environ=environ or {})

    def problems(self, *, profile: str | None = None, environ: Mapping[str, str] | None = None) -> list[str]:
        with pytest.raises(ProjectError) as caught:
            load(self.root, profile=profile, environ=environ or {})
        return [str(problem) for problem in caught.value.problems]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A project whose ingot.yml is empty."""
    root = tmp_path / "shop"
    root.mkdir()
    return Folder(root)
