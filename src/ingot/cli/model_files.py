"""Where files that a command makes for the semantic model go: to their places, or to the terminal."""

from typing import TYPE_CHECKING

from ingot.cli import output

if TYPE_CHECKING:
    from ingot.project import Project
    from ingot.semantic.imports.files import Imported


def put(project: "Project", made: "Imported", *, print_only: bool, force: bool, json: bool) -> None:
    """Writes the files, or prints them; says what was left out. Raises `UsageError` for files that are there."""
    from ingot.semantic.imports import files

    if not print_only:
        files.write(made.files, replace=force)
    if json:
        output.print_json({"files": {str(at): text for at, text in made.files.items()}, "notes": made.notes})
        return
    for at, text in made.files.items():
        print(f"# {at.relative_to(project.root) if at.is_relative_to(project.root) else at}")
        if print_only:
            print(text)
    for note in made.notes:
        print(f"note  {note}")
    if not print_only:
        print("next  ingot model validate")
