"""Finds the project that a folder belongs to."""

import os
from pathlib import Path

from ingot.project.place import Place
from ingot.project.problem import Problem, ProjectError

FILE = "ingot.yml"


def absolute(path: Path | str, base: Path | str = "") -> Path:
    """The absolute path, links kept as they are: a project reached by a link stays where the person sees it."""
    # Of Path's own methods, resolve() follows links and expanduser() raises for users that do not exist.
    return Path(os.path.abspath(os.path.join(base, os.path.expanduser(path))))  # noqa: PTH100, PTH111, PTH118


def is_folder(path: Path) -> bool:
    """Whether it is a folder; False for a path that no file system could have."""
    return os.path.isdir(path)  # noqa: PTH112 - Path.is_dir() raises for names that are too long


def find(start: Path | str = ".") -> Path:
    """The nearest folder, from `start` upwards, that has an `ingot.yml`.

    Raises:
        ProjectError: where there is none.
    """
    here = absolute(start)
    for folder in (here, *here.parents):
        if os.path.lexists(folder / FILE):
            return folder
    raise missing(here, above=True)


def missing(folder: Path, *, above: bool = False) -> ProjectError:
    """The error that says that a folder is no project."""
    where = f"{folder} and the folders above it have" if above else f"{folder} has"
    return ProjectError(
        [Problem(Place(FILE), f"{where} no ingot.yml, so there is no project")],
        hint="ingot init makes one; --project DIR names another folder.",
    )
