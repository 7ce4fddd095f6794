"""The options that commands share, and the project that they name."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ingot.lake import Lake
    from ingot.project import Project

ProjectOption = Annotated[
    Path | None,
    typer.Option(
        "--project",
        metavar="DIR",
        help="The project's folder (default: here, or the nearest parent with an ingot.yml).",
    ),
]
ProfileOption = Annotated[
    str | None, typer.Option("--profile", help="The profile to use (default: the project's).")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object, for machines.")]
RefOption = Annotated[
    str,
    typer.Option("--ref", help="Branch, tag, commit or point in time: main, v1, 3f9a01c2, main@2026-01-31."),
]


def open_project(directory: Path | None, profile: str | None = None) -> "Project":
    """The project of the command; `ProjectError` lists everything that is wrong with its files."""
    from ingot import project

    return project.load(project.find(directory or Path.cwd()), profile=profile)


def open_lake(directory: Path | None) -> "Lake":
    """The lake of the command's project; to be closed."""
    from ingot.lake import Lake

    return Lake.open(open_project(directory))
