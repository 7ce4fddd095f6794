"""Finds the project that a folder belongs to."""

import os
from pathlib import Path

from ingot.project.place import Place
from ingot.project.problem import Problem, ProjectError

FILE = "ingot.yml"


def absolute(path: Path | str) -> Path:
    """The absolute path, links kept as they are: a project reached by a link stays where the person sees it."""
    return Path(os.path.abspath(path))  # noqa: PTH100


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
