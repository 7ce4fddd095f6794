"""`ingot model generate`: a first model of the lake's tables."""

from typing import Annotated

import typer

from ingot.cli import output
from ingot.cli.options import JsonOption, ProfileOption, ProjectOption, RefOption, open_project


def generate(
    tables: Annotated[
        list[str] | None,
        typer.Argument(help="Tables or schemas (default: the last layer: gold, marts, … or all)."),
    ] = None,
    ref: RefOption = "main",
    print_only: Annotated[bool, typer.Option("--print", help="Print what would be written.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
    project: ProjectOption = None,
    profile: ProfileOption = None,
    json: JsonOption = False,
) -> None:
    """Write a first model of tables: keys and joins from dbt's tests and from the data, members from the columns.

    Example: ingot model generate gold
    """
    from ingot.engines.duckdb import DuckDBEngine
    from ingot.lake import Lake
    from ingot.semantic.generating.generate import generate as generated
    from ingot.semantic.imports import files

    here = open_project(project, profile)
    with Lake.open(here) as lake:
        engine = DuckDBEngine(lake)
        try:
            made = generated(here, lake.at(ref), engine, tables or ())
        finally:
            engine.close()
    if not print_only:
        files.write(made.files, replace=force)
    if json:
        output.print_json({"files": {str(at): text for at, text in made.files.items()}, "notes": made.notes})
        return
    for at, text in made.files.items():
        print(f"# {at.relative_to(here.root) if at.is_relative_to(here.root) else at}")
        if print_only:
            print(text)
    for note in made.notes:
        print(f"note  {note}")
    if not print_only:
        print("next  ingot model validate")
