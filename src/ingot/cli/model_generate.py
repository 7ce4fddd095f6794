"""`ingot model generate`: a first model of the lake's tables."""

from typing import Annotated

import typer

from ingot.cli.model_files import put
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

    here = open_project(project, profile)
    with Lake.open(here) as lake:
        engine = DuckDBEngine(lake)
        try:
            made = generated(here, lake.at(ref), engine, tables or ())
        finally:
            engine.close()
    put(here, made, print_only=print_only, force=force, json=json)
