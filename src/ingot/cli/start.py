"""`ingot demo` and `ingot init`: from nothing to a project."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from ingot.cli import output
from ingot.cli.options import JsonOption
from ingot.errors import UsageError


def demo(
    directory: Annotated[Path, typer.Option("--dir", metavar="DIR", help="Where the demo goes.")] = Path(
        "ingot-demo"
    ),
    serve: Annotated[bool, typer.Option("--serve/--no-serve", help="Serve it when it is built.")] = True,
    scale: Annotated[int, typer.Option("--scale", min=1, help="Multiplies the rows.")] = 1,
    seed: Annotated[int, typer.Option("--seed", help="Another seed, another shop.")] = 42,
    until: Annotated[
        datetime | None,
        typer.Option(
            "--until", formats=["%Y-%m-%d"], help="The day before which the data ends (default: today)."
        ),
    ] = None,
    port: Annotated[int | None, typer.Option("--port", min=0, max=65535, help="HTTP port.")] = None,
    sql_port: Annotated[
        int | None, typer.Option("--sql-port", min=0, max=65535, help="Port of the PostgreSQL protocol.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Make the storefront demo: a shop's data, transformed, checked, published and served.

    Example: ingot demo
    """
    from ingot import project, templates
    from ingot.cli.run import execute, print_result
    from ingot.cli.serve import listen_all, start

    directory = directory.resolve()
    if (directory / "ingot.yml").is_file():
        if not json:
            print(f"{directory} has the demo already; it is brought up to date")
    else:
        templates.create("storefront", directory)
        rows = templates.generate(
            directory / "data", scale=scale, seed=seed, until=until.date() if until else None
        )
        if not json:
            total = output.count(sum(rows.values()))
            print(f"made {len(rows)} tables with {total} rows in {directory / 'data'}")
    loaded = project.load(directory)
    # A taken port is said now, not after the work.
    listeners = listen_all(loaded, port=port, sql_port=sql_port) if serve else None
    result = execute(loaded)
    if json:
        output.print_json(result.to_dict())
    else:
        print_result(result)
    if result.status.value not in ("merged", "unchanged"):
        raise typer.Exit(1)
    if listeners is not None:
        start(loaded, *listeners)


def init(
    directory: Annotated[Path, typer.Argument(help="The new project's folder.")] = Path(),
    template: Annotated[
        str, typer.Option("--template", help="What to begin with: blank or storefront.")
    ] = "blank",
    json: JsonOption = False,
) -> None:
    """Make a folder a project. Files that are there already stay as they are.

    Example: ingot init my-project
    """
    from ingot import templates

    directory = directory.resolve()
    if (directory / "ingot.yml").exists():
        raise UsageError(f"{directory} is a project already.", hint="ingot run")
    written = templates.create(template, directory)
    if json:
        output.print_json(
            {"project": str(directory), "files": [str(p.relative_to(directory)) for p in written]}
        )
        return
    print(f"made a project in {directory}")
    for path in written:
        print(f"  {path.relative_to(directory)}")
    print("next: put data files into data/, then: ingot run")
