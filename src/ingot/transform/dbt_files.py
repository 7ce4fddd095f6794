"""A dbt project as files: its names and folders, read without importing dbt.

Owns what can be known before dbt starts: that the project is there, which profile it asks for, whether
its packages are installed, and which files a build depends on.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ingot.transform.errors import DbtProjectError

_FOLDERS = {
    "model-paths": "models",
    "seed-paths": "seeds",
    "test-paths": "tests",
    "analysis-paths": "analyses",
    "macro-paths": "macros",
    "snapshot-paths": "snapshots",
    "docs-paths": None,
    "asset-paths": None,
    "function-paths": "functions",
}
_IGNORED = frozenset({"__pycache__", "node_modules", "target", "logs"})


@dataclass(frozen=True, slots=True)
class DbtFiles:
    """Where the parts of a dbt project are."""

    root: Path
    name: str
    profile: str
    folders: tuple[Path, ...]
    """Folders that dbt reads, that exist."""
    packages: Path
    """Folder of installed packages, whether it exists or not."""

    def check_packages(self) -> None:
        """Raises `DbtProjectError` where packages are asked for and none are installed."""
        wanted = [self.root / name for name in ("packages.yml", "dependencies.yml")]
        for file in wanted:
            if not file.is_file() or self.packages.is_dir():
                continue
            content = _read_yaml(file, self.root)
            if content.get("packages"):
                raise DbtProjectError(
                    f"The packages that this project asks for are not installed in {self.packages.name}/.",
                    file=file.name,
                    hint=f"dbt deps --project-dir {self.root}",
                )

    def files(self) -> Iterator[Path]:
        """Every file that a build depends on, in a stable order."""
        for file in sorted(self.root.glob("*.yml")) + sorted(self.root.glob("*.yaml")):
            if file.name not in ("profiles.yml", ".user.yml"):
                yield file
        for folder in (*self.folders, self.packages):
            yield from _walk(folder)


def read_dbt_files(root: Path) -> DbtFiles:
    """The dbt project in the folder `root`; `DbtProjectError` where there is none that can be read."""
    file = root / "dbt_project.yml"
    if not file.is_file():
        raise DbtProjectError(
            f"There is no dbt_project.yml in {root}.",
            hint="`transform: {path: ...}` in ingot.yml names the folder of a dbt project.",
        )
    content = _read_yaml(file, root)
    name = content.get("name")
    if not isinstance(name, str) or not name:
        raise DbtProjectError("A dbt project needs a `name`.", file=file.name)
    folders: list[Path] = []
    for key, default in _FOLDERS.items():
        listed = content.get(key, [default] if default else [])
        paths = [listed] if isinstance(listed, str) else listed
        if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
            raise DbtProjectError(f"`{key}` must be a list of folders.", file=file.name)
        folders += [root / path for path in paths if (root / path).is_dir()]
    return DbtFiles(
        root=root,
        name=name,
        profile=str(content.get("profile") or name),
        folders=tuple(dict.fromkeys(folders)),
        packages=root / str(content.get("packages-install-path") or "dbt_packages"),
    )


def _read_yaml(file: Path, root: Path) -> dict[str, Any]:
    place = file.relative_to(root).as_posix()
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8-sig"))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise DbtProjectError(f"This is not YAML: {error.problem}.", file=place, line=line) from error
    except (UnicodeDecodeError, yaml.YAMLError, OSError) as error:
        raise DbtProjectError(f"This file cannot be read: {error}.", file=place) from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise DbtProjectError("Expected a mapping of names to values.", file=place, line=1)
    return content


def _walk(folder: Path, above: tuple[Path, ...] = ()) -> Iterator[Path]:
    # Links are followed, because `local:` packages are links; one that leads back up is not.
    real = folder.resolve()
    if real in above or not folder.is_dir():
        return
    entries = sorted(folder.iterdir())
    for entry in entries:
        if entry.name.startswith(".") or entry.name in _IGNORED:
            continue
        if entry.is_dir():
            yield from _walk(entry, (*above, real))
        elif entry.is_file():
            yield entry
