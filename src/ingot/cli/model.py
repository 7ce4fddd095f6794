"""`ingot model`: the semantic model's files."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ingot.cli.model_check import graph, render, validate
from ingot.cli.model_files import put
from ingot.cli.model_generate import generate
from ingot.cli.options import JsonOption, ProjectOption, open_project

if TYPE_CHECKING:
    from ingot.lake import State
    from ingot.semantic.imports.metricflow import Find

app = typer.Typer(
    name="model", help="Work on the semantic model.", no_args_is_help=True, rich_markup_mode=None
)
app.command("validate")(validate)
app.command("graph")(graph)
app.command("render")(render)
app.command("generate")(generate)


@app.command("import")
def import_model(
    path: Annotated[
        Path, typer.Argument(help="A file or folder with dbt's YAML or Cube's JavaScript models.")
    ],
    print_only: Annotated[bool, typer.Option("--print", help="Print what would be written.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Convert dbt semantic models (MetricFlow) or Cube's JavaScript models into cubes and views of this project.

    Example: ingot model import ../warehouse/models
    """
    from ingot.lake import Lake
    from ingot.semantic.imports import files

    here = open_project(project)
    with Lake.open(here) as lake:
        made = files.imported(files.read(path), here.semantic.path, _finder(lake.at("main")))
    put(here, made, print_only=print_only, force=force, json=json)


_TYPES = {"BOOLEAN": "boolean", "DATE": "time"}
_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT",
            "FLOAT", "REAL", "DOUBLE", "DECIMAL")  # fmt: skip


def _finder(state: "State") -> "Find":
    """Looks dbt's models up among the tables and views of a state."""
    from ingot.semantic.imports.metricflow import Found

    def find(model: str) -> Found:
        named = [name for name in (*state.tables, *state.views) if name.rpartition(".")[2] == model]
        if len(named) != 1:
            return Found(model)
        table = named[0]
        columns = state.table(table).schema if table in state.tables else ()
        return Found(table, {column.name: _kind(column.type) for column in columns})

    return find


def _kind(type_: str) -> str:
    upper = type_.upper()
    if upper.startswith("TIMESTAMP"):
        return "time"
    return "number" if upper.startswith(_NUMBERS) else _TYPES.get(upper, "string")
